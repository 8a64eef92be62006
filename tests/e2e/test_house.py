"""What master makes and opens for its processes: sockets in the file system,
files that a reload must see as new."""

import os
import signal
import socket
import stat

import pytest

from client import send
from server import basic, free_port, until

LOCAL = """
edge local { type smtp; listener { path run/sendmail }; queue main }
"""
LOGIN = "credentials { username ann; password_file %s }"


def is_socket_for_all(path):
    got = os.stat(path)
    return stat.S_ISSOCK(got.st_mode) and got.st_mode & 0o777 == 0o666


def greeting(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        return s.recv(512)


def sockets(p):
    return [os.path.join(p.room.work, "run", n)
            for n in ("sendmail", "control")]


def begin(server, hop, more="", relay=""):
    server.port = free_port()
    server.configure(basic(server.port, hop, relay=relay) + more)
    return server.start()


def test_unix_sockets_are_everybodys_and_go_with_the_house(server, sink):
    p = begin(server, sink.port, LOCAL)
    for path in sockets(p):
        assert is_socket_for_all(path), path
    assert greeting(sockets(p)[0]).startswith(b"220 ")
    mode = os.stat(os.path.join(p.room.work, "run")).st_mode
    assert mode & 0o777 == 0o755
    p.stop()
    for path in sockets(p):
        assert not os.path.exists(path), path


def test_workers_share_a_unix_socket(server, sink):
    p = begin(server, sink.port,
              LOCAL.replace("type smtp", "type smtp; workers 3"))
    assert len(p.pids("edge", "local")) == 3
    for _ in range(12):
        assert greeting(sockets(p)[0]).startswith(b"220 ")


def test_sockets_left_by_a_killed_house_are_replaced(server, sink):
    p = begin(server, sink.port, LOCAL)
    children = list(p.processes())
    p.process.kill()
    p.process.wait()
    until(lambda: not any(os.path.exists("/proc/%d" % c) for c in children),
          what="the end of all processes")
    assert all(os.path.exists(path) for path in sockets(p))
    p.start()
    assert greeting(sockets(p)[0]).startswith(b"220 ")


def test_a_reload_adds_and_removes_a_unix_socket(server, sink):
    p = begin(server, sink.port)
    text = open(p.path, encoding="utf-8").read()
    for more, is_there in ((LOCAL, True), ("", False)):
        p.configure(text + more)
        since = p.mark()
        p.signal(signal.SIGHUP)
        p.wait_log(since, event="reloaded")
        assert os.path.exists(sockets(p)[0]) == is_there


def write_password(p):
    path = os.path.join(p.room.work, "password")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write("secret\n")
    os.chmod(path + ".new", 0o600)
    st = os.stat(p.room.work)
    if os.geteuid() == 0:
        os.chown(path + ".new", st.st_uid, st.st_gid)
    os.rename(path + ".new", path)
    return path


def test_a_file_renewed_under_its_path_replaces_who_uses_it(server, sink):
    path = write_password(server)
    p = begin(server, sink.port, relay=LOGIN % path)
    before = {b: p.pid(*b) for b in (("relay", "out"), ("edge", "in"),
                                     ("queue", "main"))}
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since, event="reloaded")
    assert p.pid("relay", "out") == before["relay", "out"]
    write_password(p)
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since, event="reloaded")
    until(lambda: p.pids("relay", "out") and
          before["relay", "out"] not in p.pids("relay", "out"),
          what="a new relay")
    assert p.pid("edge", "in") == before["edge", "in"]
    assert p.pid("queue", "main") == before["queue", "main"]


@pytest.mark.parametrize("spoil", ["open", "gone"])
def test_a_file_that_cannot_be_used_leaves_all_as_it_was(server, sink, spoil):
    path = write_password(server)
    p = begin(server, sink.port, relay=LOGIN % path)
    relay = p.pid("relay", "out")
    if spoil == "open":
        os.chmod(path, 0o644)
    else:
        os.unlink(path)
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since, event="trouble",
               why="not reloaded: all stays as it was")
    assert p.pid("relay", "out") == relay
    send(p.port, "ann@here.example", "bob@there.example")
