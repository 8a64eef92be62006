"""Listening sockets outlive us with the service manager: a connection that
comes during a restart waits for its greeting, and is not refused."""

import os
import re
import signal
import socket

import pytest

from client import Client, send
from server import PATIENCE, basic, free_port, until

OVER = 'exec %s; LISTEN_PID=$$ exec "$0" "$@"'
SECOND = ("edge more { type smtp; listener { interface %s; port %d }; "
          "queue main }")


class Manager:
    """What systemd does with FDSTORE=1; .kept has the sockets by name."""

    def __init__(self, place):
        self.path = place + "/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.socket.setblocking(False)
        self.kept = {}

    def hear(self):
        """All that was said so far."""
        while True:
            try:
                said, fds, _, _ = socket.recv_fds(self.socket, 4096, 4)
            except BlockingIOError:
                return self.kept
            name = re.search(rb"^FDNAME=([!-9;-~]{1,255})$", said, re.M)
            if b"FDSTORE=1" in said:
                fd, = fds
                self.kept[name.group(1).decode()] = fd
            elif b"FDSTOREREMOVE=1" in said:
                os.close(self.kept.pop(name.group(1).decode()))

    def start(self, p):
        """With what it keeps."""
        fds = self.hear()
        plain = type(p).command
        for fd in fds.values():
            os.set_inheritable(fd, True)
        moves = " ".join("%d<&%d" % (3 + i, fd)
                         for i, fd in enumerate(fds.values()))
        p.command = lambda *args: ["bash", "-c", OVER % moves,
                                   *plain(p, *args)]
        p.start(close_fds=False, env={
            "NOTIFY_SOCKET": self.path, "LISTEN_FDS": str(len(fds)),
            "LISTEN_FDNAMES": ":".join(fds)})
        del p.command

    def close(self):
        self.socket.close()
        for fd in self.kept.values():
            os.close(fd)


@pytest.fixture
def manager(room):
    m = Manager(room.work)
    yield m
    m.close()


def two(p, sink, port=None, where="127.0.0.1"):
    p.configure(basic(p.port, sink.port, edge="workers 2") +
                SECOND % (where, port or p.more))


@pytest.fixture
def house(server, sink, manager):
    server.port, server.more = free_port(), free_port()
    two(server, sink)
    manager.start(server)
    return server


def inode(fd):
    return os.fstat(fd).st_ino


def test_who_comes_during_a_restart_waits(house, manager, sink):
    first = {name: inode(fd) for name, fd in manager.hear().items()}
    assert len(first) == 3, first       # two workers, and the other edge
    house.stop()
    waiting = []
    for port in [house.port] * 6 + [house.more]:
        s = socket.create_connection(("127.0.0.1", port), PATIENCE)
        waiting.append(s)
    manager.start(house)
    for s in waiting:
        assert s.recv(100).startswith(b"220 ")
        s.close()
    assert {n: inode(fd) for n, fd in manager.hear().items()} == first
    send(house.more, "ann@here.example", "bob@there.example")
    sink.wait()


def test_who_comes_after_a_kill_of_all_waits(house, manager):
    for role, block in (("edge", "more"), ("master", None)):
        house.kill(role, block) if block else house.signal(signal.SIGKILL)
    house.process.wait(PATIENCE)
    with socket.create_connection(("127.0.0.1", house.port), PATIENCE) as s:
        manager.start(house)
        assert s.recv(100).startswith(b"220 ")


def test_what_is_wanted_no_more_is_given_up(house, manager, sink):
    """By a reload, and by a start with another configuration."""
    assert len(manager.hear()) == 3
    since = house.mark()
    was, house.more = house.more, free_port()
    two(house, sink)
    house.signal(signal.SIGHUP)
    house.wait_log(since=since, event="reloaded")
    until(lambda: not any("-%d-" % was in n for n in manager.hear()),
          what="the old port given up")
    assert any("-%d-" % house.more in n for n in manager.hear())
    house.stop()
    house.configure(basic(house.port, sink.port))
    manager.start(house)
    until(lambda: len(manager.hear()) == 1, what="one socket kept")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", house.more), PATIENCE)
    with Client(house.port) as c:
        c.hello()


def test_only_a_listener_of_that_address_is_believed(house, manager, sink):
    """Under its name: another address, one that does not listen, a file."""
    house.stop()
    names = sorted(manager.hear())
    stranger = socket.socket()
    stranger.bind(("127.0.0.1", 0))
    stranger.listen()
    deaf = socket.socket()
    with open("/dev/null", "rb") as null:
        for fd in manager.kept.values():
            os.close(fd)
        manager.kept = dict(zip(names, map(os.dup, (
            stranger.fileno(), deaf.fileno(), null.fileno()))))
        manager.start(house)
    assert sorted(manager.hear()) == names      # made anew, and kept
    for port in house.port, house.more:
        send(port, "ann@here.example", "bob@there.example")
    sink.wait(2)
    stranger.setblocking(False)
    with pytest.raises(BlockingIOError):
        stranger.accept()
    stranger.close()
    deaf.close()
