"""A relay of type pipe: each recipient's copy through a program, its words and
its end becoming the reply."""

import os
import pwd
import signal
import socket
import time

import pytest

from client import Client, TEXT, send
from measure import status
from server import PATIENCE, SANITIZED, free_port, until

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb; path run/queue; relay prog
    retry { delay 1; maximum_delay 1s %s }
}
relay prog { type pipe; %s }
"""


def program(p, text):
    """A script in the test's directory, which whoever we run as may use."""
    path = os.path.join(p.room.work, "program")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\ncd %s || exit 75\n%s\n" % (p.room.work, text))
    os.chmod(path, 0o755)
    return path


def begin(p, text, args="{sender} {recipient}", more="", retry=""):
    p.port = free_port()
    words = " ".join('"%s"' % a for a in args.split(" "))
    p.configure(CONF % (p.port, retry, "args %s %s; %s" % (
        program(p, text), words, more)))
    return p.start()


def read(p, name):
    """A file that is there once it is whole: programs move it in place."""
    path = os.path.join(p.room.work, name)
    until(lambda: os.path.exists(path), what=name)
    with open(path, encoding="utf-8") as f:
        return f.read()


KEEP = 'cat > new.$$ && mv new.$$ "$2"'


def test_each_recipient_has_a_program_of_its_own(server):
    p = begin(server, KEEP)
    name = send(p.port, "ann@here.example", "bob@x.example", "eve@x.example")
    for who in ("bob@x.example", "eve@x.example"):
        got = read(p, who)
        assert got.startswith("Received: from ") and name in got
        assert got.endswith("\n\nHello.\n") and "\r" not in got
    p.wait_log(event="removed", id=name)
    assert len(p.find_log(event="delivered", id=name)) == 2


def test_facts_of_the_session_become_arguments(server):
    p = begin(server, 'shift 2; for a; do echo "$a"; done > args.new; '
              "cat >/dev/null; mv args.new args",
              '{sender} {recipient} {message_id} {client_ip} <{client_host}>'
              " {client_ehlo} {client_protocol} a{client_auth}b")
    send(p.port, "ann@here.example", "bob@x.example",
         text="Message-ID: <7@here.example>\r\n" + TEXT)
    assert read(p, "args").split("\n") == [
        "<7@here.example>", "127.0.0.1", "<>", "here.example", "ESMTP", "ab",
        ""]


def test_words_decide_between_later_and_never(server):
    p = begin(server, 'cat >/dev/null\ncase "$2" in\n'
              "no@*) echo 5.1.1 nobody of that name; exit 1 ;;\n"
              "err@*) echo 5.7.1 not here >&2; exit 75 ;;\n"
              "busy@*) echo come again; exit 75 ;;\nesac")
    name = send(p.port, "ann@here.example", "no@x.example", "err@x.example",
                "busy@x.example", "yes@x.example")
    p.wait_log(event="delivered", id=name, rcpt="yes@x.example")
    got = p.wait_log(event="failed", id=name, rcpt="no@x.example")
    assert (got["code"], got["reply"]) == ("550",
                                           "5.1.1 nobody of that name")
    got = p.wait_log(event="failed", id=name, rcpt="err@x.example")
    assert got["reply"] == "5.7.1 not here"
    got = p.wait_log(event="deferred", id=name, rcpt="busy@x.example")
    assert (got["code"], got["reply"]) == ("450", "4.3.0 come again")


def test_a_pattern_finds_the_reply_among_other_words_row_002_18(server):
    p = begin(server, 'cat >/dev/null\ncase "$2" in\n'
              "out@*) echo started; echo 'mda: error: 5.2.1 closed (7)' ;;\n"
              "err@*) echo started; echo 'x: error: come again (8)' >&2 ;;\n"
              # What would take for ever with a pattern without bounds.
              "long@*) head -c 4096 /dev/zero | tr '\\0' e ;;\n"
              "*) echo nothing of the kind ;;\nesac\nexit 75",
              more='error_pattern "error: (.*) .[0-9].$|(e+)+[XY]"')
    names = ["%s@x.example" % n for n in ("out", "err", "long", "none")]
    name = send(p.port, "ann@here.example", *names)
    for rcpt, event, code, reply in (
            (names[0], "failed", "550", "5.2.1 closed"),
            (names[1], "deferred", "450", "4.3.0 come again"),
            (names[2], "deferred", "450", "4.3.0 eee"),
            (names[3], "deferred", "450", "4.3.0 nothing of the kind")):
        got = p.wait_log(event=event, id=name, rcpt=rcpt)
        assert got["code"] == code and got["reply"].startswith(reply)


def test_a_recipient_never_becomes_an_option(server):
    p = begin(server, KEEP, "{sender} {recipient}")
    name = send(p.port, "ann@here.example", "-froot@x.example")
    got = p.wait_log(event="failed", id=name)
    assert got["code"] == "550" and got["reply"].startswith("5.1.3")


CALL = """cat >/dev/null
exec /usr/bin/python3 -c 'import socket
s = socket.create_connection(("127.0.0.1", %d))
s.sendall(b"called\\n")'
"""


def test_a_program_may_call_out_where_that_is_said(server):
    """Without, it is test_sandbox that shows each refusal."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        p = begin(server, CALL % listener.getsockname()[1],
                  more="network yes")
        name = send(p.port, "ann@here.example", "bob@x.example")
        with listener.accept()[0] as called:
            assert called.recv(100) == b"called\n"
        p.wait_log(event="delivered", id=name)
        p.configure(open(p.path).read().replace("network yes", "network no"))
        since = p.mark()
        p.signal(signal.SIGHUP)
        p.wait_log(since, event="reloaded")
        name = send(p.port, "ann@here.example", "bob@x.example")
        if SANITIZED and os.geteuid() == 0:
            return                      # there is no list of system calls
        got = p.wait_log(event="deferred", id=name)
        assert got["code"] == "450", got
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_time_ends_it_with_its_children(server):
    p = begin(server, "sleep 600 & echo $! > child.new; "
              "mv child.new child; wait", more="timeout 1s")
    name = send(p.port, "ann@here.example", "bob@x.example")
    child = int(read(p, "child"))
    got = p.wait_log(event="deferred", id=name)
    assert got["reply"] == "4.4.2 Delivery timed out"
    until(lambda: not os.path.exists("/proc/%d" % child), what="its death")


def test_no_more_run_at_once_than_they_may(server):
    p = begin(server, "cat >/dev/null; echo x >> begun; "
              "until [ -e go ]; do sleep 0.02; done", more="max_processes 3")
    with Client(p.port) as c:
        c.hello()
        for n in range(8):
            c.mail("ann@here.example", "u%d@x.example" % n)
    begun = os.path.join(p.room.work, "begun")
    until(lambda: os.path.exists(begun) and os.path.getsize(begun) == 6,
          what="three programs")
    p.wait_log(event="queued", count=8)
    assert os.path.getsize(begun) == 6
    open(os.path.join(p.room.work, "go"), "w").close()
    p.wait_log(event="removed", count=8)
    assert os.path.getsize(begun) == 16


def launcher(p):
    pid = p.pid("prog")
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return int(f.read().split()[0])


def test_without_its_launcher_the_relay_begins_anew(server):
    p = begin(server, KEEP)
    old = p.pid("prog")
    os.kill(launcher(p), 9)
    until(lambda: p.pids("prog") not in ([], [old]), what="a new relay")
    send(p.port, "ann@here.example", "bob@x.example")
    assert read(p, "bob@x.example")


def test_a_killed_relay_takes_its_program_along(server):
    p = begin(server, "[ -e mine ] && exit; "
              "echo $$ > mine.new; mv mine.new mine; sleep 600")
    send(p.port, "ann@here.example", "bob@x.example")
    mine = int(read(p, "mine"))
    nest = launcher(p)
    p.kill("prog")
    for pid in (mine, nest):
        until(lambda: not os.path.exists("/proc/%d" % pid), what="its death")


def test_a_program_that_is_not_there_is_found_at_the_check(server):
    server.configure(CONF % (2525, "", "args /nowhere/at/all"))
    got = server.check()
    assert got.returncode == 1 and "/nowhere/at/all" in got.stderr


# What programs do that were not written for us, and what becomes of the mail.
ODD = {
    "shut": ("exec <&-; exit 0", "delivered"),
    "deaf": ("exit 0", "delivered"),
    "daemon": ("cat >/dev/null; (setsid sleep 4 &) & exit 0", "delivered"),
    "double": ("cat >/dev/null; (setsid sh -c '(sleep 4) & exit') & wait; "
               "exit 0", "delivered"),
    "deafer": ("exec <&-; sleep 600", "deferred"),
    "stubborn": ("trap '' TERM INT HUP PIPE; sleep 600; sleep 600",
                 "deferred"),
    "chatty": ("yes", "deferred"),
    "chattier": ("yes & yes >&2; wait", "deferred"),
    "stopped": ("kill -STOP $$", "deferred"),
    "suicide": ("kill -9 0", "deferred"),
}


def test_odd_programs_hold_nobody_up(server):
    p = begin(server, 'case "$2" in\n%s*) cat >/dev/null ;;\nesac' % "".join(
        "%s@*) %s ;;\n" % (who, what) for who, (what, _) in ODD.items()),
        more="timeout 1s; max_processes 20")
    name = send(p.port, "ann@here.example",
                *[who + "@x.example" for who in ODD],
                text="Subject: x\r\n\r\n" + 3000 * ("x" * 98 + "\r\n"))
    for who, (_, event) in ODD.items():
        got = p.wait_log(event=event, id=name, rcpt=who + "@x.example")
        if who == "suicide":
            assert "died of signal 9" in got["reply"]
        elif event == "deferred":
            assert got["reply"] == "4.4.2 Delivery timed out"
    assert not p.find_log(event="failed")
    name = send(p.port, "ann@here.example", "yes@x.example")
    p.wait_log(event="removed", id=name)


@pytest.mark.heavy      # a stop's whole patience, 20 s
def test_a_stop_waits_no_longer_than_it_may_and_counts_none(server):
    """The second time it finds its mark and is done."""
    p = begin(server, "cat >/dev/null; [ -e mine ] && exit 0; "
              "trap '' TERM HUP INT; "
              "echo $$ > mine.new; mv mine.new mine; sleep 600")
    name = send(p.port, "ann@here.example", "bob@x.example")
    mine = int(read(p, "mine"))
    began = time.monotonic()
    p.stop(seconds=30)
    assert time.monotonic() - began < 23
    until(lambda: not os.path.exists("/proc/%d" % mine), what="its death")
    p.start()
    assert len(p.find_log(event="delivered", id=name)) <= 1
    until(lambda: p.find_log(event="delivered", id=name), what="the mail")


def test_a_reload_lets_programs_end(server):
    p = begin(server, "cat >/dev/null; echo x >> begun; "
              "until [ -e go ]; do sleep 0.02; done")
    names = [send(p.port, "ann@here.example", "bob@x.example")]
    begun = os.path.join(p.room.work, "begun")
    until(lambda: os.path.exists(begun), what="the program")
    old = p.pid("prog")
    with open(p.path, encoding="utf-8") as f:
        text = f.read()
    p.configure(text.replace("relay prog { type pipe;",
                             "relay prog { type pipe; max_processes 3;"))
    p.signal(signal.SIGHUP)
    until(lambda: len(p.pids("prog")) == 2 or p.pids("prog") != [old],
          what="another relay")
    names.append(send(p.port, "ann@here.example", "bob@x.example"))
    until(lambda: os.path.getsize(begun) == 4, what="its program")
    open(os.path.join(p.room.work, "go"), "w").close()
    for name in names:
        p.wait_log(event="removed", id=name)
    assert os.path.getsize(begun) == 4
    until(lambda: old not in p.pids("prog"), what="the old relay's end")


@pytest.mark.root
def test_as_root_it_runs_as_the_user_of_its_block(root_server):
    p = root_server
    os.chmod(p.room.work, 0o777)
    begin(p, '(id -un; grep -E "^(CapEff|NoNewPrivs|Seccomp):" '
          "/proc/self/status) > who.new; cat >/dev/null; mv who.new who",
          more="user _postern-mail")
    send(p.port, "ann@here.example", "bob@x.example")
    got = read(p, "who").split()
    assert got[0] == "_postern-mail"
    assert got[got.index("CapEff:") + 1].strip("0") == ""
    assert got[got.index("NoNewPrivs:") + 1] == "1"
    uid = str(pwd.getpwnam("_postern-mail").pw_uid)
    for pid in (p.pid("prog"), launcher(p)):
        assert status(pid)["Uid"].split("\t") == [uid] * 4
        assert int(status(pid)["CapEff"], 16) == 0
    ours = os.readlink("/proc/self/ns/net")
    assert os.readlink("/proc/%d/ns/net" % p.pid("prog")) != ours
    assert os.readlink("/proc/%d/ns/net" % launcher(p)) != ours


@pytest.mark.root
@pytest.mark.heavy      # sanitizers need system calls
def test_as_root_the_program_is_offline_for_good(root_server):
    p = root_server
    os.chmod(p.room.work, 0o777)
    script = """
import ctypes, os, socket
def refused(f):
    try:
        f()
    except OSError:
        return True
    return False
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    if getattr(libc, name)(*args) == -1:
        raise OSError(ctypes.get_errno(), name)
tests = {
    "inet": lambda: socket.socket(socket.AF_INET),
    "inet6": lambda: socket.socket(socket.AF_INET6),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "userns": lambda: call("unshare", 0x10000000),
    "ptrace": lambda: call("ptrace", 16, os.getppid(), 0, 0),
    "mount": lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
}
with open("open.new", "w") as f:
    f.write(" ".join(n for n, t in tests.items() if not refused(t)))
os.rename("open.new", "open")
"""
    path = os.path.join(p.room.work, "probe.py")
    with open(path, "w", encoding="utf-8") as f:
        f.write(script)
    os.chmod(path, 0o644)
    # Through a shell, so that it is a child of the program's as well.
    begin(p, "cat >/dev/null; /usr/bin/python3 probe.py",
          more="user _postern-mail")
    send(p.port, "ann@here.example", "bob@x.example")
    assert read(p, "open") == ""


@pytest.mark.root
@pytest.mark.heavy      # sanitizers need system calls
def test_as_root_the_program_cannot_get_at_the_relay(root_server):
    """Both have one user; what keeps them apart is not that."""
    p = root_server
    os.chmod(p.room.work, 0o777)
    script = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
numbers = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name
launcher = os.getppid()
with open("/proc/%d/stat" % launcher) as f:
    relay = int(f.read().rsplit(")", 1)[1].split()[1])

def call(name, *args):
    if libc.syscall(numbers(name.encode()), *args) == -1:
        raise OSError(ctypes.get_errno(), name)

def connect_to_a_name_of_no_file():
    s = socket.socket(socket.AF_UNIX)
    s.connect(chr(0) + "postern-test-outside")

room = ctypes.create_string_buffer(4096)
tests = {"abstract": connect_to_a_name_of_no_file}
for who, pid in (("relay", relay), ("launcher", launcher)):
    tests.update({
        who + " mem": lambda pid=pid: open("/proc/%d/mem" % pid, "rb"),
        who + " maps": lambda pid=pid: open("/proc/%d/maps" % pid).read(),
        who + " env": lambda pid=pid: open("/proc/%d/environ" % pid, "rb"),
        who + " fds": lambda pid=pid: os.listdir("/proc/%d/fd" % pid),
        who + " fd 3": lambda pid=pid: open("/proc/%d/fd/3" % pid),
        who + " root": lambda pid=pid: os.listdir("/proc/%d/root/" % pid),
        who + " limits": lambda pid=pid: call(
            "prlimit64", pid, 7, None, room),
        who + " kcmp": lambda pid=pid: call(
            "kcmp", pid, os.getpid(), 2, 0, 0),
        who + " peek": lambda pid=pid: call(
            "process_vm_readv", pid, None, 0, None, 0, 0),
        who + " ns": lambda pid=pid: call(
            "setns", os.pidfd_open(pid), 0x40000000),
        who + " steal": lambda pid=pid: call(
            "pidfd_getfd", os.pidfd_open(pid), 3, 0),
        who + " signal": lambda pid=pid: os.kill(pid, 0),
        who + " group": lambda pid=pid: os.kill(-pid, 0),
        who + " pidfd": lambda pid=pid: call(
            "pidfd_send_signal", os.pidfd_open(pid), 0, None, 0),
    })
for family in (2, 10, 16, 17, 21, 38, 40, 44):
    tests["family %d" % family] = (
        lambda family=family: socket.socket(family, socket.SOCK_RAW))
for name, args in {
        "io_uring_setup": (1, room), "userfaultfd": (1,),
        "keyctl": (0, -3, 1), "add_key": (b"user", b"x", b"y", 1, -3),
        "request_key": (b"user", b"x", None, -3),
        "bpf": (0, room, 64), "perf_event_open": (room, 0, -1, -1, 0),
        "clone3": (room, 64), "ptrace": (16, relay, 0, 0),
        "unshare": (0x10000000,), "clone": (0x10000011, 0, 0, 0, 0),
        "fsopen": (b"tmpfs", 0), "chroot": (b"/",),
        "open_tree": (-100, b"/", 1), "mount": (b"x", b"/mnt", b"tmpfs", 0)
        }.items():
    tests[name] = lambda name=name, args=args: call(name, *args)

def refused(f):
    try:
        f()
    except OSError:
        return True
    return False

with open("open.new", "w") as f:
    f.write(", ".join(n for n, t in tests.items() if not refused(t)))
os.rename("open.new", "open")
"""
    path = os.path.join(p.room.work, "probe.py")
    with open(path, "w", encoding="utf-8") as f:
        f.write(script)
    os.chmod(path, 0o644)
    with socket.socket(socket.AF_UNIX) as outside:
        outside.bind("\0postern-test-outside")
        outside.listen()
        begin(p, "cat >/dev/null; exec /usr/bin/python3 probe.py",
              more="user _postern-mail")
        send(p.port, "ann@here.example", "bob@x.example")
        assert read(p, "open") == ""


@pytest.mark.heavy      # sanitizers need system calls
def test_a_program_that_kills_all_it_can_ends_only_itself(server):
    """Nobody is root here: all have one user."""
    p = begin(server, "trap '' TERM; launcher=$PPID\n"
              "relay=$(cut -d ' ' -f 4 /proc/$PPID/stat)\n"
              "for who in $launcher $relay -$launcher -$relay; do\n"
              "    kill -s KILL -- $who\ndone\n" + KEEP)
    before = p.pid("prog"), launcher(p)
    since = p.mark()
    name = send(p.port, "ann@here.example", "bob@x.example")
    assert "Hello." in read(p, "bob@x.example")
    p.wait_log(event="removed", id=name)
    assert (p.pid("prog"), launcher(p)) == before
    assert not p.find_log(since=since, event="started")


@pytest.mark.root
def test_as_root_a_script_its_user_may_not_read_costs_only_time(root_server):
    p = root_server
    os.chmod(p.room.work, 0o777)
    path = os.path.join(p.room.work, "program")
    p.port = free_port()
    program(p, "cat >/dev/null")
    os.chmod(path, 0o711)
    p.configure(CONF % (p.port, "", "args %s; user _postern-mail" % path))
    p.start()
    name = send(p.port, "ann@here.example", "bob@x.example")
    got = p.wait_log(event="deferred", id=name)
    assert got["code"] == "450" and "ermission" in got["reply"]
    os.chmod(path, 0o755)
    p.wait_log(event="removed", id=name)
