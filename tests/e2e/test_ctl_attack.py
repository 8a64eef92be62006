"""posternctl, control and a queue when things go wrong between them."""

import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from client import Client, send
from conftest import begin
from server import NOBODY, OPTIONS, PATIENCE, free_port, programs, until
from tool import ctl

HERE = os.path.dirname(os.path.abspath(__file__))


def numbers():
    """The types of messages of the bus, by name."""
    path = os.path.join(HERE, "../../common/bus/messages.def")
    with open(path, encoding="utf-8") as f:
        names = re.findall(r"^MSG\((\w+)", f.read(), re.M)
    return {name: n for n, name in enumerate(names)}


class Tool:
    """A posternctl that says what it likes: it greets as it was greeted."""

    def __init__(self, p):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(os.path.join(p.room.work, "run/control"))
        self.greeting = self.sock.recv(65536)
        self.sock.send(self.greeting)

    def say(self, kind, request, queue, more=b""):
        body = struct.pack("<QH", request, len(queue)) + queue + more
        self.sock.send(struct.pack("<HHI", kind, 0, len(body)) + body)


def fill(p, cnt):
    """Mail that waits: there is no next hop."""
    with Client(p.port) as c:
        c.hello()
        return [c.mail("ann@here.example", "bob@there.example")
                for _ in range(cnt)]


def statuses(p):
    got = ctl(p, "queue", "list", "--json")
    assert got.status == 0, got.err
    return [m["recipients"][0]["status"] for m in got.lines]


class Edit(threading.Thread):
    """posternctl queue ... beside the test."""

    def __init__(self, p, *args):
        super().__init__()
        self.command, self.got = (p, "queue", *args), None
        self.start()

    def run(self):
        self.got = ctl(*self.command)

    def result(self):
        self.join()
        return self.got


def test_tools_that_ask_and_leave_cost_control_nothing(server):
    p = begin(server, free_port())
    fill(p, 3)
    kinds = numbers()
    pid = p.pid("control")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for kind, more in (("queue_ask", b""), ("show_ask", bytes(16)),
                           ("edit_ask", bytes(21))):
            t = Tool(p)
            for n in range(64):
                t.say(kinds[kind], n, b"main", more)
            t.sock.close()
    assert p.pid("control") == pid
    assert not p.find_log(event="unlinked")
    until(lambda: ctl(p, "queue", "list").status == 0, what="a list")


def test_tools_that_do_not_read_hold_up_neither_others_nor_mail(server):
    p = begin(server, free_port())
    fill(p, 300)
    kind = numbers()["list_ask"]
    tools = [Tool(p) for _ in range(10)]
    for t in tools:
        t.sock.setblocking(False)
        try:
            for n in range(60):
                t.say(kind, n, b"main", bytes(16) + struct.pack("<I", 256))
        except OSError:
            pass
    assert ctl(p, "status").status == 0
    assert len(statuses(p)) == 300
    send(p.port, "ann@here.example", "bob@there.example")
    for t in tools:
        t.sock.close()
    assert not p.find_log(event="unlinked")


def test_control_killed_in_the_middle_of_edits_costs_none(server):
    p = begin(server, free_port())
    fill(p, 1500)
    edit = Edit(p, "hold", "--all")
    for _ in range(2):
        until(lambda: p.find_log(event="held"), what="the first")
        since = p.mark()
        p.kill("control")
        p.wait_log(since=since, event="ready")
    got = edit.result()
    assert got.status == 0, got.err
    assert "1500 messages held" in got.out
    assert statuses(p) == ["held"] * 1500


def test_a_queue_killed_in_the_middle_of_edits_is_told(server):
    p = begin(server, free_port())
    names = fill(p, 1500)
    edit = Edit(p, "remove", "--all", "--yes", "--json")
    until(lambda: p.find_log(event="removed"), what="the first")
    since = p.mark()
    p.kill("queue", "main")
    got = edit.result()
    p.wait_log(since=since, event="ready")
    done = {l["id"] for l in got.lines if l["status"] == "done"}
    assert len(got.lines) == 1500
    assert got.status == (0 if len(done) == 1500 else 1)
    until(lambda: ctl(p, "queue", "list").status == 0, what="a list")
    left = {m["id"] for m in ctl(p, "queue", "list", "--json").lines}
    assert not left & done          # what was said to be removed is
    assert left | done <= set(names)
    got = ctl(p, "queue", "remove", "--all", "--yes")
    assert got.status == (0 if left else 1)
    assert ctl(p, "queue", "list", "--json").lines == []
    assert p.stop() is None
    p.start()
    assert ctl(p, "queue", "list", "--json").lines == []


def test_what_is_held_stays_so_through_a_stop_and_a_kill(server, sinks):
    port = free_port()
    p = begin(server, port)
    names = fill(p, 20)
    assert ctl(p, "queue", "hold", "--all").status == 0
    p.stop()
    sink = sinks(port=port)
    p.start()
    since = p.mark()
    p.kill("queue", "main")
    p.wait_log(since=since, event="ready")
    assert until(lambda: statuses(p), what="the list") == ["held"] * 20
    assert ctl(p, "queue", "flush", "--all").status == 0    # moves none
    assert statuses(p) == ["held"] * 20 and sink.messages == []
    assert ctl(p, "queue", "release", "--all").status == 0
    assert sorted(m.id for m in sink.wait(20)) == sorted(names)
    assert len(sink.messages) == 20


def test_what_is_being_delivered_is_not_removed(server, sinks):
    gate = threading.Event()

    def answer(verb, line, session):
        if verb == "END":
            gate.wait(PATIENCE)
    sink = sinks(answer=answer)
    p = begin(server, sink.port)
    name = send(p.port, "ann@here.example", "bob@there.example")
    until(lambda: statuses(p) == ["active"], what="an attempt")
    got = ctl(p, "queue", "remove", name)
    assert got.status == 1 and name + ": busy" in got.err
    assert ctl(p, "queue", "hold", name).status == 1
    gate.set()
    p.wait_log(event="delivered", id=name)
    assert [m.id for m in sink.messages] == [name]
    assert not p.find_log(event="held", id=name)


def test_a_reply_with_anything_in_it_is_valid_json_and_no_escape(server,
                                                                sinks):
    nasty = '450 4.7.1 \x1b[31m "q" \\ \x07 \u202e \u009b2J \x7f\t\u00e4'
    sink = sinks(answer=lambda verb, line, s:
                 nasty if verb == "RCPT" else None)
    p = begin(server, sink.port, edge="smtputf8 yes")
    with Client(p.port) as c:
        c.hello()
        name = c.mail("\u00e4@here.example", '"a\\"b \\\\"@there.example',
                      "\u202e@there.example", params=" SMTPUTF8")
    p.wait_log(event="deferred", id=name)
    row = ctl(p, "queue", "list", "--json", "--code", "4.7.*").lines[0]
    assert [r["address"] for r in row["recipients"]] == [
        '"a\\"b \\\\"@there.example', "\u202e@there.example"]
    assert "\u202e" in row["recipients"][0]["reply"]
    for args in (["list"], ["show", name]):
        text = ctl(p, "queue", *args).out
        assert '"q" \\' in text and "\u00e4@here.example" in text
        assert text.replace("\n", "").isprintable(), text


def test_a_posternctl_of_another_build_says_so_and_goes_on(server):
    """As after an upgrade, before postern is started anew."""
    p = begin(server, free_port())
    build = re.search(rb"[0-9a-f]{16}", Tool(p).greeting).group(0)
    with open(os.path.join(programs(), "posternctl"), "rb") as f:
        other = f.read().replace(build, b"x" + build[1:])
    path = os.path.join(p.room.work, "other")
    with open(path, "wb") as f:
        f.write(other)
    os.chmod(path, 0o755)
    who = {"user": NOBODY} if os.geteuid() == 0 else {}
    for _ in range(5):
        got = subprocess.run([path, "-f", p.path, "status"], check=False,
                             capture_output=True, text=True,
                             timeout=PATIENCE, **who)
        assert got.returncode == 0 and "restart to take the new" in got.stderr
        assert "edge" in got.stdout and "127.0.0.1:%d" % p.port in got.stdout
    assert ctl(p, "status").status == 0


def test_reloads_wanted_at_once_are_all_answered(server):
    p = begin(server, free_port())
    wishes = [threading.Thread(target=lambda: got.append(ctl(p, "reload")))
              for _ in range(4)]
    got = []
    for n, t in enumerate(wishes):
        t.start()
        if n % 2:
            p.signal(signal.SIGHUP)
    for t in wishes:
        t.join()
    assert [g.status for g in got] == [0] * 4, [g.err for g in got]
    send(p.port, "ann@here.example", "bob@there.example")


@pytest.mark.parametrize("wish", ["add", "passwd", "verify"])
def test_a_password_is_seen_nowhere(server, wish):
    """Neither in the arguments, nor in the environment, nor in a log."""
    p = begin(server, free_port())
    path = os.path.join(p.room.work, "users")
    if wish != "add":
        assert ctl(p, "user", "add", "--file", path, "ann",
                   stdin="first\n").status == 0
    who = {"user": NOBODY} if os.geteuid() == 0 else {}
    tool = subprocess.Popen(
        [os.path.join(programs(), "posternctl"), "-f", p.path, "user", wish,
         "--file", path, "ann"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(os.environ, **OPTIONS), **who)
    tool.stdin.write(b"open-sesame")
    tool.stdin.flush()
    time.sleep(0.3)
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (tool.pid, name), "rb") as f:
            assert b"open-sesame" not in f.read()
    out = tool.communicate(b"\n")[0]
    assert b"open-sesame" not in out
    with open(path, "rb") as f:
        assert b"open-sesame" not in f.read()
    p.stop()
    with open(p.log, "rb") as f:
        assert b"open-sesame" not in f.read()


def test_a_killed_writer_leaves_the_old_file_and_no_lock(server):
    server.configure("process { run_dir run }\n")
    path = os.path.join(server.room.work, "users")
    add = lambda name: ctl(server, "user", "add", "--file", path, name,
                           stdin="secret\n")
    assert add("ann").status == 0
    with open(path, "rb") as f:
        old = f.read()
    who = {"user": NOBODY} if os.geteuid() == 0 else {}
    for n in range(12):
        tool = subprocess.Popen(
            [os.path.join(programs(), "posternctl"), "-f", server.path,
             "user", "remove", "--file", path, "ann"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **who)
        time.sleep(0.0004 * n)
        tool.send_signal(signal.SIGKILL)
        tool.wait(PATIENCE)
        with open(path, "rb") as f:
            assert f.read() in (old, b"")
        got = add("ann")
        assert got.status in (0, 1), got.err
        with open(path, "rb") as f:
            old = f.read()
        assert old.startswith(b"ann:$y$")
    assert ctl(server, "user", "remove", "--file", path, "ann").status == 0
    assert set(os.listdir(server.room.work)) <= {"users", "postern.conf"}
