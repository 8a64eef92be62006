"""Large messages, many sessions, a full disk, much mail."""

import os
import re
import resource
import subprocess
import time

import pytest

from client import TEXT, Client, send
from measure import Watch, own_memory
from server import NOBODY, PATIENCE, until
from sinks import Sink, SmtpSink, peer

SOAK = os.environ.get("POSTERN_SOAK") == "1"
SOON = "retry { delay 1; maximum_delay 1s }"
MIB = 1 << 20


@pytest.mark.heavy
def test_100_mb_pass_without_memory(start, sink):
    p = start(sink.port, edge="max_size 200M", relay="data_timeout 5m")
    send(p.port, "ann@here.example", "bob@there.example",
         text=TEXT + ("x" * 70 + "\r\n") * 2000)
    sink.wait()
    pids = dict(p.processes())
    pids[p.process.pid] = "master"
    block = (b"0123456789" * 99 + b"\r\n") * 66
    count = 100 * MIB // len(block)
    with Watch(pids) as watch, Client(p.port) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT)
        for _ in range(count):
            c.write(block)
        c.queued(c.say("."))
        got = sink.wait(2, 120)[1]
        p.wait_log(event="removed", count=2)
    assert len(got.data) > 100 * MIB * 0.99
    assert got.body == b"Hello.\r\n" + block * count
    for pid, grown in watch.growth.items():
        assert grown <= MIB, "%s grew by %d KiB" % (pids[pid], grown / 1024)


@pytest.mark.root
@pytest.mark.heavy
def test_10000_idle_sessions_leave_room_for_an_honest_client(start, sink):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(limits[1], 15000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    p = start(sink.port)
    send(p.port, "ann@here.example", "bob@there.example")
    edge = p.pid("edge", "in")
    before = own_memory(edge)
    held = []
    try:
        for i in range(10000):
            held.append(Client(p.port, source="127.0.1.%d" % (i % 200 + 1)))
        for c in held:
            c.write("EHLO here.example\r\n")
        for c in held:
            assert c.reply().startswith("250")
        each = (own_memory(edge) - before) / len(held)
        begun = time.monotonic()
        send(p.port, "honest@here.example", "bob@there.example")
        assert time.monotonic() - begun < 2
        assert each < 4096, each
    finally:
        for c in held:
            c.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert sink.wait(2)[1].sender == "honest@here.example"
    until(lambda: len(os.listdir("/proc/%d/fd" % edge)) < 100)


@pytest.mark.root
def test_a_full_disk_gives_452_and_loses_nothing(server, start, room):
    disk = os.path.join(room.work, "run")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100M,mode=755,uid=%d"
                    % NOBODY, "tmpfs", disk], check=True)
    try:
        fill(server, start)
    finally:
        server.abandon()
        subprocess.run(["umount", "-l", disk], check=True)


def fill(server, start):
    hop = Sink()
    port = hop.port
    hop.close()
    p = start(port, queue=SOON)
    text = TEXT + ("x" * 70 + "\r\n") * 7000
    taken, refused = [], 0
    while refused < 5 and len(taken) < 400:
        with Client(p.port) as c:
            c.hello()
            got = c.say("MAIL FROM:<ann@here.example> SIZE=%d" % len(text))
            if got.startswith("250"):
                c.want("RCPT TO:<bob@there.example>", 250)
                c.want("DATA", 354)
                c.write(text)
                got = c.say(".")
            if got.startswith("250"):
                taken.append(c.queued(got))
            else:
                assert got.startswith("452 4.3.1 "), got
                refused += 1
    assert taken and refused == 5, (len(taken), refused)
    p.wait_log(event="full")
    p.kill("queue", "main")                 # and a full disk can be started on
    hop = Sink(port=port)
    try:
        got = [m.id for m in hop.wait(len(taken), 60)]
        assert set(got) >= set(taken) and len(got) == len(set(got))
        until(lambda: resumed(p), 30, "intake after the disk is free again")
    finally:
        hop.close()


def resumed(p):
    try:
        return send(p.port, "ann@here.example", "bob@there.example")
    except (AssertionError, OSError):
        return None


@pytest.mark.heavy
def test_load_all_arrive_none_twice_queue_empty(start, room):
    count = 20000 if SOAK else 2000
    hop = SmtpSink(room.work)
    p = start(hop.port)
    path, env = peer("smtp-source")
    begun = time.monotonic()
    subprocess.run([path, "-s", "100", "-m", str(count), "-l", "4096", "-d",
                    "-f", "ann@here.example", "-t", "bob@there.example",
                    "127.0.0.1:%d" % p.port], env=env, check=True, timeout=300)
    taken = time.monotonic() - begun
    until(lambda: len(p.find_log(event="removed")) >= count, 120, "removal")
    print("\n%d messages: %.0f/s taken, %.0f/s relayed" % (
        count, count / taken, count / (time.monotonic() - begun)))
    ids = hop.ids()
    hop.close()
    assert len(ids) == len(set(ids)) == count
    assert {l["id"] for l in p.find_log(event="queued")} == set(ids)
    assert not p.find_log(event="deferred")


def test_1000_recipients_in_ten_messages_arrive_once_each(start, sink):
    p = start(sink.port)
    with Client(p.port) as c:
        c.hello()
        for i in range(10):
            c.mail("ann@here.example", *["u%d-%d@there.example" % (i, j)
                                         for j in range(100)])
    until(lambda: sum(len(m.rcpts) for m in sink.messages) >= 1000, PATIENCE)
    got = [r for m in sink.quiet(0.5) for r in m.rcpts]
    assert len(got) == len(set(got)) == 1000


def test_a_client_that_reads_no_replies_is_not_waited_for(postern, sink):
    with Client(postern.port) as c:
        c.hello()
        c.sock.settimeout(0.5)
        try:
            for _ in range(400):
                c.write("VRFY %s\r\n" % ("x" * 200) * 300)
        except OSError:
            pass                        # it stopped reading us: back pressure
        edge = postern.pid("edge", "in")
        assert own_memory(edge) < 40 * MIB
        send(postern.port, "ann@here.example", "bob@there.example")
    sink.wait()


def test_log_lines_hold_no_text_of_a_message(postern, sink):
    name = send(postern.port, "ann@here.example", "bob@there.example",
                text="Subject: secret word\r\n\r\nthe body word\r\n")
    postern.wait_log(event="removed", id=name)
    with open(postern.log, encoding="utf-8") as f:
        text = f.read()
    assert not re.search("secret word|body word", text)
