"""Processes come and go: stop, restart, reload, kill -9. Mail stays."""

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from client import Client, send
from measure import status
from server import Postern, basic, free_port, programs, until
from sinks import Sink
from tool import ctl

SOON = "retry { delay 1; maximum_delay 1s }"
BLOCKS = (("edge", "in"), ("queue", "main"), ("relay", "out"),
          ("resolver",), ("control",))


def test_one_process_a_block_named_so_in_ps(postern):
    assert len(postern.processes()) == len(BLOCKS), postern.processes()
    for words in BLOCKS:
        assert postern.pid(*words)


def test_workers_gives_an_edge_and_a_relay_several(start, sink):
    p = start(sink.port, edge="workers 2", relay="workers 3")
    assert len(p.pids("edge", "in")) == 2
    assert len(p.pids("relay", "out")) == 3
    for _ in range(30):
        send(p.port, "ann@here.example", "bob@there.example")
    sink.wait(30)


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_queued_mail_waits(start, sinks, signo):
    hop = free_port()
    p = start(hop, queue=SOON)
    names = {send(p.port, "ann@here.example", "bob@there.example")
             for _ in range(10)}
    children = list(p.processes())
    p.signal(signo)
    p.stop()
    assert not [c for c in children if os.path.exists("/proc/%d" % c)]
    sink = sinks(port=hop)
    p.start()
    assert {m.id for m in sink.wait(10, 30)} == names


def test_a_stop_under_traffic_loses_nothing_that_was_acknowledged(start,
                                                                  sink):
    p = start(sink.port, queue=SOON)
    taken = []

    def load():
        try:
            while True:
                taken.append(send(p.port, "a@here.example", "b@there.example"))
        except (AssertionError, OSError):
            pass
    threads = [threading.Thread(target=load) for _ in range(8)]
    for t in threads:
        t.start()
    until(lambda: len(taken) > 100)
    p.stop()
    for t in threads:
        t.join()
    p.start()
    got = [m.id for m in sink.wait(len(taken), 30)]
    assert set(got) >= set(taken) and len(got) == len(set(got))


@pytest.mark.parametrize("words", BLOCKS)
def test_what_dies_is_started_again_and_mail_flows(start, sink, words):
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait(1)
    old = p.kill(*words)
    until(lambda: p.pids(*words) not in ([], [old]))

    def again():
        try:
            return send(p.port, "ann@here.example", "bob@there.example")
        except (AssertionError, OSError):
            return None
    name = until(again)
    assert name in [m.id for m in sink.wait(2, 30)]


def test_while_the_queue_is_away_sessions_stay_and_hear_451(postern, sink):
    with Client(postern.port) as c:
        c.hello()
        old = postern.pid("queue", "main")
        os.kill(postern.process.pid, signal.SIGSTOP)    # nobody restarts it
        try:
            os.kill(old, signal.SIGKILL)
            got = until(lambda: [c.say("RSET"), c.say(
                "MAIL FROM:<ann@here.example>")][1].startswith("451 4.3.0 "))
        finally:
            os.kill(postern.process.pid, signal.SIGCONT)
        assert got
        until(lambda: mailed(c))
    sink.wait()


def mailed(c):
    """The id, or nothing when it was put off: the session goes on."""
    c.want("RSET", 250)
    try:
        return c.mail("ann@here.example", "bob@there.example")
    except AssertionError as e:
        assert "451 4.3.0" in str(e)
        return None


def test_a_relay_killed_in_a_delivery_costs_no_message(start, sinks):
    go = threading.Event()

    def answer(verb, line, session):
        if verb == "DATA" and not go.is_set():
            go.wait(20)
        return None
    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    names = {send(p.port, "ann@here.example", "bob@there.example")
             for _ in range(10)}
    until(lambda: "DATA" in sink.commands)
    p.kill("relay", "out")
    go.set()
    assert {m.id for m in sink.wait(10, 30)} == names
    assert len(sink.quiet(1.5)) == 10


def test_a_delivery_that_relays_die_of_is_held_until_it_is_released(start,
                                                                    sinks):
    """Two deaths beside others and four alone; a flush spares the waits."""
    go = threading.Event()

    def answer(verb, line, session):
        if verb == "DATA" and not go.is_set():
            go.wait(20)
        return None
    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example")
    for i in range(6):
        def is_under_way():
            ctl(p, "queue", "flush", name)
            return sink.commands.count("DATA") == i + 1
        until(is_under_way)
        p.kill("relay", "out")
    p.wait_log(event="held", id=name)
    go.set()
    assert sink.quiet(1.5) == []
    send(p.port, "ann@here.example", "bob@there.example")
    assert [m.id for m in sink.wait()] != [name]
    p.stop()
    p.start()
    assert len(sink.quiet(1)) == 1
    got = ctl(p, "queue", "release", name)
    assert got.status == 0, got.err
    assert name in [m.id for m in sink.wait(2)]


def test_a_queue_killed_in_a_delivery_hears_the_result_later(start, sinks):
    """No second copy: the relay keeps its result until it is settled."""
    go = threading.Event()

    def answer(verb, line, session):
        if verb == "END":
            go.wait(20)
        return None
    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example")
    until(lambda: "DATA" in sink.commands)
    old = p.kill("queue", "main")
    until(lambda: p.pids("queue", "main") not in ([], [old]))
    go.set()
    p.wait_log(event="removed", id=name)
    assert [m.id for m in sink.quiet(2)] == [name]


def test_reload_under_traffic_fails_nothing(start, sink):
    p = start(sink.port, queue=SOON)
    stop = threading.Event()
    failed, taken = [], []

    def load():
        while not stop.is_set():
            try:
                with Client(p.port) as c:
                    c.hello()
                    taken.append(c.mail("a@here.example", "b@there.example"))
            except (AssertionError, OSError) as e:
                if "421" not in str(e):         # told to come again: fine
                    failed.append(repr(e))
    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    for i in range(4):
        since = p.mark()
        p.configure(basic(p.port, sink.port, queue=SOON,
                          edge="max_size %dK" % (100 + i)))
        p.signal(signal.SIGHUP)
        p.wait_log(since=since, event="reloaded")
    stop.set()
    for t in threads:
        t.join()
    with Client(p.port) as c:
        assert "SIZE %d" % (103 * 1024) in c.hello()
    assert failed == []
    got = [m.id for m in sink.wait(len(taken), 30)]
    assert sorted(got) == sorted(taken)


def test_a_bad_reload_changes_nothing(postern, sink):
    since = postern.mark()
    postern.configure("edge broken {")
    postern.signal(signal.SIGHUP)
    until(lambda: any("postern.conf:1" in l.text
                      for l in postern.lines[since:]))
    send(postern.port, "ann@here.example", "bob@there.example")
    sink.wait()
    assert postern.find_log(since, event="reloaded") == []


def test_a_reload_that_would_lose_a_queue_with_mail_is_refused(start):
    hop = free_port()
    p = start(hop)
    send(p.port, "ann@here.example", "bob@there.example")
    queue = p.pid("queue", "main")
    since = p.mark()
    p.configure(basic(p.port, hop).replace("run/queue", "run/other"))
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="trouble", by=p.process.pid)
    assert p.pid("queue", "main") == queue
    assert p.find_log(since, event="reloaded") == []


def test_a_reload_can_add_an_edge_and_a_relay(postern, sink):
    port, other = free_port(), Sink()
    text = basic(postern.port, sink.port) + basic(port, other.port).replace(
        "edge in", "edge second").replace("queue main\n", "queue two\n"
        ).replace("queue main {", "queue two {").replace(
        "relay out", "relay away").replace("run/queue", "run/two")
    text = "\n".join(l for i, l in enumerate(text.split("\n"))
                     if not (l.startswith("process") and i > 2))
    postern.configure(text)
    postern.signal(signal.SIGHUP)
    postern.wait_log(event="reloaded")
    send(postern.port, "ann@here.example", "bob@there.example")
    send(port, "ann@here.example", "bob@there.example")
    assert len(sink.wait()) == len(other.wait()) == 1
    other.close()


def test_when_master_is_killed_all_end(postern):
    children = list(postern.processes())
    assert len(children) == len(BLOCKS)
    postern.process.kill()
    postern.process.wait()
    postern.process = None
    until(lambda: not [c for c in children if os.path.exists("/proc/%d" % c)],
          30, "the children's end")


def test_two_masters_cannot_share_a_run_dir(postern, room):
    with open(postern.path) as f:
        text = f.read().replace("port %d" % postern.port,
                                "port %d" % free_port(), 1)
    second = Postern(room)
    second.path += ".second"
    second.configure(text)
    status, log = second.start(ready=False).ended()
    second.finish()
    assert status == 1, log


def test_a_port_in_use_is_named_at_start(server, sink):
    server.configure(basic(sink.port, 2526))
    status, log = server.start(ready=False).ended()
    assert status == 1 and str(sink.port) in log, log


@pytest.mark.heavy      # sanitizers need system calls
def test_each_process_is_locked_in(postern):
    for pid, title in postern.processes().items():
        got = status(pid)
        assert got["Seccomp"] == "2", title
        assert got["NoNewPrivs"] == "1", title
        assert int(got["CapEff"], 16) == 0, title


def test_a_program_started_by_hand_says_so(server):
    for name in ("edge", "queue", "relay", "resolver"):
        got = subprocess.run([server.command()[0] + "-" + name],
                             capture_output=True, text=True, timeout=20,
                             check=False)
        assert got.returncode == 2 and got.stderr, name


# A caller that ignores and blocks all it can, and becomes what it is told.
DEAF = """
import os, signal, sys
for signo in signal.valid_signals():
    try:
        signal.signal(signo, signal.SIG_IGN)
    except OSError:
        pass
signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""


class BornDeaf(Postern):
    def command(self, *args):
        return [sys.executable, "-c", DEAF, *super().command(*args)]


def signals(pid, field):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        mask, = [l.split()[1] for l in f if l.startswith(field + ":")]
    return {n for n in signal.Signals if int(mask, 16) >> (n - 1) & 1}


@pytest.fixture
def born_deaf(room):
    p = BornDeaf(room)
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()


def test_signals_that_the_caller_ignores_and_blocks_are_heard(born_deaf, sink):
    p, port = born_deaf, free_port()
    p.configure(basic(port, sink.port))
    p.start()
    send(port, "ann@here.example", "bob@there.example")
    sink.wait()
    # A death is noticed, a reload done, and nobody below is deaf either.
    since = p.mark()
    p.kill("relay")
    p.wait_log(since=since, event="started", role="relay")
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded", by=p.process.pid)
    for pid in p.processes():
        deaf = signals(pid, "SigIgn") | signals(pid, "SigBlk")
        assert not deaf & {signal.SIGCHLD, signal.SIGTERM, signal.SIGSEGV,
                           signal.SIGALRM}, deaf
    checked = subprocess.run(
        [sys.executable, "-c", DEAF, os.path.join(programs(), "posternctl"),
         "-f", p.path, "check"], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    p.stop()


class Shell(Postern):
    """Started with 2<>log: whoever has that descriptor can do as he likes."""
    LOG_MODE = "r+b"


@pytest.fixture
def shell(room):
    p = Shell(room)
    with open(p.log, "wb") as log:
        log.write(b"a line of yesterday's\n")
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()


def log_flags(p, pid):
    """Flags of each descriptor by which a process has the log."""
    out = {}
    for fd in os.listdir("/proc/%d/fd" % pid):
        if os.readlink("/proc/%d/fd/%s" % (pid, fd)) == p.log:
            with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
                out[int(fd)] = int(re.search(r"flags:\s*(\d+)",
                                             f.read()).group(1), 8)
    return out


def test_a_log_file_is_added_to_by_all_and_cut_by_its_owner(shell, sink):
    p, port = shell, free_port()
    p.configure(basic(port, sink.port))
    p.start()
    for pid in (p.process.pid, *p.processes()):
        (fd, flags), = log_flags(p, pid).items()
        assert fd == 2 and flags & os.O_APPEND
        assert flags & os.O_ACCMODE == os.O_WRONLY
    with open(p.log, "rb") as log:
        text = log.read()
    assert text.startswith(b"a line of yesterday's\n") and b"\0" not in text
    # Rotation by copy and cut: what comes next stands at the beginning.
    os.truncate(p.log, 0)
    send(port, "ann@here.example", "bob@there.example")
    sink.wait()
    with open(p.log, "rb") as log:
        until(lambda: b"event=delivered" in os.pread(log.fileno(), 65536, 0),
              what="the delivery's line")
        assert re.match(rb"\d{4}-\d\d-\d\dT", log.read(64))


def test_what_is_in_the_way_of_a_start_is_named(postern):
    """Another postern by its process, a taken port by who listens there."""
    p, path = postern, postern.room.work + "/second.conf"

    def start(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run(p.command("-f", path), capture_output=True,
                              text=True, check=False, **p._demote())
        assert done.returncode == 1, done
        return done.stderr

    said = start(basic(free_port(), 1))
    assert ('why="another postern runs here, process %d"' % p.process.pid in
            said), said
    said = start(basic(p.port, 1).replace("run_dir run;", "run_dir two;"))
    uid = os.stat("/proc/%d" % p.process.pid).st_uid
    assert 'why="cannot take an address and port" block=in' in said, said
    assert ("a process of user %d listens there; ss -ltnp sport = :%d says "
            "which" % (uid, p.port) in said), said
