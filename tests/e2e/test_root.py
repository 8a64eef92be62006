"""As root: each process is its own user, in its own room, with no rights."""

import os
import pwd
import socket

import pytest

from client import send
from hostfiles import make_file, make_key
from measure import status
from server import SANITIZED, basic, free_port, until
from tool import ctl

pytestmark = pytest.mark.root
# All the picture: title -> its user, its root below the test's directory, and
# whether it has the host's network.
EMPTY = "run/empty"
PICTURE = {
    "edge in": ("_postern-edge", EMPTY, False),
    "queue main": ("_postern-queue", "run/queue", False),
    "relay out": ("_postern-relay", EMPTY, True),
    "relay world": ("_postern-relay", EMPTY, True),
    "relay boxes": ("_postern-relay", EMPTY, True),
    "maildir box": ("_postern-mail", "run/mail", False),
    "pipe prog": ("_postern-prog", EMPTY, False),
    "blackhole hole": ("_postern-relay", EMPTY, False),
    "keys keys": ("_postern-vault", EMPTY, False),
    "users staff": ("_postern-auth", EMPTY, False),
    "resolver resolver": ("_postern-dns", EMPTY, True),
    "control control": ("_postern-ctl", EMPTY, False),
}
FILES = {"edge in": ["mx.crt"], "keys keys": ["mx.crt", "mx.key"],
         "users staff": ["users"], "pipe prog": ["program"],
         "launcher": ["program"]}
LAUNCHER = ("_postern-prog", None, False)       # None: the host's
DOMAINS = ("static", "mx", "lmtp", "box", "pipe", "hole")
CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    tls { certfile mx.crt; keyfile mx.key }
    rules { lookup_credentials staff }
    queue main
}
users staff { type file; path users }
queue main {
    type lmdb; path run/queue
    route to @mx.example relay world
    route to @lmtp.example relay boxes
    route to @box.example relay box
    route to @pipe.example relay prog
    route to @hole.example relay hole
    relay out
    retry { delay 1; maximum_delay 1s }
}
relay out { type static; host 127.0.0.1; port %(hop)d }
relay world { type mx; force_mx mx.example 127.0.0.1@%(hop)d }
relay boxes { type lmtp; host 127.0.0.1; port %(hop)d }
relay box { type maildir; path "run/mail/{domain}/{user}"; user _postern-mail }
relay prog { type pipe; args %(program)s; user _postern-prog }
relay hole { type blackhole }
"""
BOX = """
edge local {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue two
}
queue two { type lmdb; path run/two; relay box }
relay box { type maildir; path "run/mail/{domain}/{user}"; user _postern-mail }
"""
# Stays until it is let go.
PROGRAM = """#!/bin/sh
while [ ! -e %s ]; do sleep 0.1; done
cat >/dev/null
"""


def begin(server, sink, more=""):
    server.port = free_port()
    server.configure(basic(server.port, sink.port) + more)
    return server.start()


@pytest.fixture
def picture(root_server, sink):
    """A postern with a process of every kind."""
    p = root_server
    p.port, p.go = free_port(), os.path.join(p.room.work, "go")
    make_key(p, "mx")
    make_file(p, "users", "ann:*\n")
    program = make_file(p, "program", PROGRAM % p.go, 0o755)
    p.configure(CONF % {"port": p.port, "hop": sink.port, "program": program})
    p.start()
    # A launcher comes into its room beside its relay, which is ready first.
    p.wait_log(event="sandboxed", count=len(PICTURE) + 1)
    return p


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(c) for c in f.read().split()]


def programs(launcher):
    """Its children that run a program, and not the launcher's own any more."""
    exe = lambda pid: os.readlink("/proc/%d/exe" % pid)
    return [c for c in children(launcher) if exe(c) != exe(launcher)]


def everybody(p):
    """pid -> title and row, master aside."""
    out = {p.pid(*title.split()): (title, row)
           for title, row in PICTURE.items()}
    launcher, = children(p.pid("pipe", "prog"))
    out[launcher] = ("launcher", LAUNCHER)
    assert set(p.processes()) == set(out) - {launcher}
    return out


def has_no_rights(pid, title, row):
    uid = str(pwd.getpwnam(row[0]).pw_uid)
    got = status(pid)
    assert uid != "0" and got["Uid"].split("\t") == [uid] * 4, title
    assert "0" not in got["Gid"].split("\t"), title
    assert got["Groups"].strip() in ("", got["Gid"].split("\t")[0]), title
    for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
        assert int(got[caps], 16) == 0, (title, caps)
    assert got["NoNewPrivs"] == "1", title


def is_in_its_room(p, pid, title, row):
    user, root, has_network = row
    assert status(pid)["Seccomp"] == "2", title
    at = "/proc/%d/" % pid
    where = os.readlink(at + "root")
    assert where == ("/" if root is None else
                     os.path.join(p.room.work, root)), title
    if root == EMPTY:
        assert os.listdir(at + "root") == [], title
    net = os.readlink(at + "ns/net")
    assert (net == os.readlink("/proc/self/ns/net")) == has_network, title
    # Its memory and its descriptors are closed to others of the same user.
    for name in ("mem", "fd", "maps", "environ"):
        assert os.stat(at + name).st_uid == 0, (title, name)
    locked = int(status(pid)["VmLck"].split()[0])
    assert (locked > 0) == (title == "keys keys"), title
    return net


def descriptors(pid):
    """number -> what it leads to"""
    at = "/proc/%d/fd/" % pid
    return {int(fd): os.readlink(at + fd) for fd in os.listdir(at)}


def holds_nothing_of_others(p, pid, title, row):
    """No descriptor of a directory or a device, and of no file but the log
    and what its block names."""
    inside = lambda name: os.path.join(p.room.work, name)
    mine = [p.log, "/dev/null", *map(inside, FILES.get(title, ()))]
    for where in descriptors(pid).values():
        if where.startswith("/") and not where.startswith("/memfd:"):
            assert where in mine or row[1] and where.startswith(
                inside(row[1])), (title, where)


def is_sound(p, pid, title, row):
    has_no_rights(pid, title, row)
    return None if SANITIZED else is_in_its_room(p, pid, title, row)


def goes_everywhere(p, sink, count):
    """A message to each relay; `count` have been there when it arrives."""
    since = p.mark()
    with open(p.go, "w", encoding="ascii"):
        pass
    names = [send(p.port, "ann@here.example", "bob@%s.example" % d)
             for d in DOMAINS]
    for name in names:
        p.wait_log(since=since, event="removed", id=name)
        assert p.find_log(since=since, event="delivered", id=name)
    assert len(sink.wait(count)) == count


def test_each_process_has_its_own_user_and_no_rights(picture, sink):
    for pid, (title, row) in everybody(picture).items():
        has_no_rights(pid, title, row)
    goes_everywhere(picture, sink, 3)


@pytest.mark.heavy      # sanitizers need system calls
def test_each_process_is_locked_into_its_own_room(picture):
    rooms = [is_in_its_room(picture, pid, title, row) for pid, (title, row)
             in everybody(picture).items() if not row[2]]
    assert len(set(rooms)) == len(rooms)
    for pid, (title, row) in everybody(picture).items():
        if row[2]:
            is_in_its_room(picture, pid, title, row)


@pytest.mark.heavy
def test_no_process_holds_what_is_not_its_own(picture):
    for pid, (title, row) in everybody(picture).items():
        holds_nothing_of_others(picture, pid, title, row)
        if title == "launcher":     # its relay's, and none of the bus
            assert sum("socket" in where for where in
                       descriptors(pid).values()) == 1, descriptors(pid)


@pytest.mark.heavy
def test_what_a_careless_caller_left_open_reaches_nobody(picture):
    p, secret = picture, make_file(picture, "secret", "of root's\n", 0o600)
    p.stop()
    left = [os.open(secret, os.O_RDWR), os.open("/etc/shadow", os.O_RDONLY)]
    for fd in left:
        os.set_inheritable(fd, True)
    try:
        since = p.mark()
        p.start(close_fds=False)
        p.wait_log(since=since, event="sandboxed", count=len(PICTURE) + 1)
        for pid in (p.process.pid, *everybody(p)):
            got = descriptors(pid).values()
            assert not {secret, "/etc/shadow"} & set(got), got
        launcher, = children(p.pid("pipe", "prog"))
        assert descriptors(launcher)[2] == "/dev/null"
    finally:
        for fd in left:
            os.close(fd)


def test_a_program_has_no_more_rights_than_its_launcher(picture):
    launcher, = children(picture.pid("pipe", "prog"))
    send(picture.port, "ann@here.example", "bob@pipe.example")
    program, = until(lambda: programs(launcher), what="the program")
    has_no_rights(program, "program", LAUNCHER)
    if not SANITIZED:
        assert status(program)["Seccomp"] == "2"
    assert os.readlink("/proc/%d/ns/net" % program) == os.readlink(
        "/proc/%d/ns/net" % launcher)
    for fd, where in descriptors(program).items():
        assert fd < 3 or where.endswith("/program"), where
    with open(picture.go, "w", encoding="ascii"):
        pass
    picture.wait_log(event="removed")
    assert children(launcher) == []


def test_master_keeps_few_of_roots_rights(root_server, sink):
    p = begin(root_server, sink)
    got = status(p.process.pid)
    # CHOWN DAC_* FOWNER KILL SET*ID SETPCAP NET_BIND_SERVICE SYS_CHROOT _ADMIN
    few = sum(1 << n for n in (0, 1, 2, 3, 5, 6, 7, 8, 10, 18, 21))
    for caps in ("CapPrm", "CapEff", "CapBnd"):
        assert int(got[caps], 16) & ~few == 0, caps
    assert int(got["CapInh"], 16) == 0


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


def successors(p, old, title):
    return until(lambda: [pid for pid in p.pids(*title.split()) if pid != old],
                 what="another " + title)


def test_a_killed_process_is_started_again_in_its_sandbox(picture, sink):
    for title, row in PICTURE.items():
        old = picture.kill(*title.split())
        pid, = successors(picture, old, title)
        picture.wait_log(event="ready", by=pid)
        is_sound(picture, pid, title, row)
    goes_everywhere(picture, sink, 3)
    for pid, (title, row) in everybody(picture).items():
        is_sound(picture, pid, title, row)


def test_a_killed_launcher_comes_back_with_its_relay(picture, sink):
    old = picture.pid("pipe", "prog")
    launcher, = children(old)
    since = picture.mark()
    os.kill(launcher, 9)
    pid, = successors(picture, old, "pipe prog")
    launcher, = until(lambda: children(pid), what="the launcher")
    picture.wait_log(since=since, event="sandboxed", count=2)
    is_sound(picture, launcher, "launcher", LAUNCHER)
    goes_everywhere(picture, sink, 3)


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


WITHOUT_IPV6 = """
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && ip link set lo up &&
exec "$@"
"""


def test_a_host_without_ipv6_has_its_other_listeners(root_server, sink):
    p = root_server
    p.port = free_port()
    plain = p.command
    p.command = lambda *args: ["unshare", "-n", "sh", "-c", WITHOUT_IPV6, "sh",
                               *plain(*args)]
    one = "listener { interface ::1; port %d }" % p.port
    p.configure(basic(p.port, sink.port, edge=one))
    p.start()
    line = p.wait_log(event="passed_over", interface="::1")
    assert line["why"] == "this host has no IPv6", line
    rows = ctl(p, "status", "--json", uid=0).lines
    assert [r["where"] for r in rows if r["kind"] == "listener" and
            r["block"] == "in"] == ["127.0.0.1:%d" % p.port]
    p.stop()
    p.configure(basic(p.port, sink.port).replace(
        "interface 127.0.0.1", "interface ::1"))
    p.start(ready=False)
    line = p.wait_log(event="trouble", interface="::1")
    assert line["why"] == "cannot take an address and port", line
    assert p.ended()[0] != 0
