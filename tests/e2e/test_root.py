"""As root: each process is its own user, in its own room, with no rights."""

import os
import pwd
import socket

import pytest

from client import send
from measure import status
from server import basic, free_port

pytestmark = pytest.mark.root
WHO = {"edge": "_postern-edge", "queue": "_postern-queue",
       "relay": "_postern-relay", "resolver": "_postern-dns",
       "control": "_postern-ctl"}
BOX = """
edge local {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue two
}
queue two { type lmdb; path run/two; relay box }
relay box { type maildir; path "run/mail/{domain}/{user}"; user _postern-mail }
"""


def begin(server, sink, more=""):
    server.port = free_port()
    server.configure(basic(server.port, sink.port) + more)
    return server.start()


def role_of(title):
    return next(r for r in WHO if r in title)


def test_each_process_has_its_own_user_and_no_rights(root_server, sink):
    p = begin(root_server, sink)
    assert len(p.processes()) == len(WHO)
    for pid, title in p.processes().items():
        uid = str(pwd.getpwnam(WHO[role_of(title)]).pw_uid)
        got = status(pid)
        assert got["Uid"].split("\t") == [uid] * 4, title
        assert set(got["Gid"].split("\t")) != {"0"}, title
        assert got["Groups"].strip() in ("", got["Gid"].split("\t")[0]), title
        for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(got[caps], 16) == 0, title
        assert got["NoNewPrivs"] == "1", title
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait()


def test_master_keeps_few_of_roots_rights(root_server, sink):
    p = begin(root_server, sink)
    got = status(p.process.pid)
    # CHOWN DAC_* FOWNER KILL SET*ID SETPCAP NET_BIND_SERVICE SYS_CHROOT _ADMIN
    few = sum(1 << n for n in (0, 1, 2, 3, 5, 6, 7, 8, 10, 18, 21))
    for caps in ("CapPrm", "CapEff", "CapBnd"):
        assert int(got[caps], 16) & ~few == 0, caps
    assert int(got["CapInh"], 16) == 0


@pytest.mark.heavy      # sanitizers need system calls
def test_each_process_has_a_filter_an_empty_root_and_its_network(root_server,
                                                                 sink):
    p = begin(root_server, sink)
    ours = os.readlink("/proc/self/ns/net")
    for pid, title in p.processes().items():
        assert status(pid)["Seccomp"] == "2", title
        root = os.readlink("/proc/%d/root" % pid)
        assert root.startswith(p.room.work), title
        if role_of(title) != "queue":
            assert os.listdir("/proc/%d/root" % pid) == [], title
        has_network = os.readlink("/proc/%d/ns/net" % pid) == ours
        assert has_network == (role_of(title) in ("relay", "resolver")), title


def test_the_spool_belongs_to_the_queue_alone(root_server, sink):
    p = begin(root_server, sink)
    got = os.stat(os.path.join(p.room.work, "run/queue"))
    assert got.st_uid == pwd.getpwnam("_postern-queue").pw_uid
    assert got.st_mode & 0o777 == 0o700


def test_a_maildir_belongs_to_the_user_of_its_block(root_server, sink):
    port = free_port()
    p = begin(root_server, sink, BOX % port)
    name = send(port, "ann@here.example", "bob@there.example")
    p.wait_log(event="delivered", id=name)
    box = os.path.join(p.room.work, "run/mail/there.example/bob/new")
    got = os.stat(os.path.join(box, os.listdir(box)[0]))
    assert got.st_uid == pwd.getpwnam("_postern-mail").pw_uid
    assert got.st_mode & 0o077 == 0
    uid = str(pwd.getpwnam("_postern-mail").pw_uid)
    assert status(p.pid("box"))["Uid"].split("\t")[0] == uid


def test_a_maildir_as_root_needs_a_user(root_server, sink):
    root_server.configure(basic(2525, 2526) + (BOX % 2527).replace(
        "; user _postern-mail", ""))
    got = root_server.check()
    assert got.returncode == 1 and "user" in got.stderr


def test_a_killed_process_is_started_again_in_its_sandbox(root_server, sink):
    p = begin(root_server, sink)
    for role in WHO:
        old = p.kill(role)
        since = p.mark()
        p.wait_log(since=since, event="ready")
        assert p.pid(role) != old
        assert status(p.pid(role))["NoNewPrivs"] == "1"
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait(1, 30)


def test_ports_below_1024_are_bound_by_master(root_server, sink):
    port = next(n for n in range(600, 1023) if free(n))
    root_server.configure(basic(port, sink.port))
    p = root_server.start()
    send(port, "ann@here.example", "bob@there.example")
    sink.wait()
    assert p.find_log(event="trouble") == []


def free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False
