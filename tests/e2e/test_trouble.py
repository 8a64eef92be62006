"""A store that kills its queue, and files that fail a start: the house stays
up, the loop ends or is said once, and what was mended works again."""

import os
import shutil
import signal
import time

import pytest

from client import Client, send
from server import basic, free_port, until
from tool import ctl

OTHER = """
edge two { type smtp; listener { interface 127.0.0.1; port %d }; queue other }
queue other { type lmdb; path run/other; relay out }
"""
PAGE = 4096


def spoil(data, how):
    """The first pages of the file carry the two roots and what they lead to."""
    with open(data, "r+b") as f:
        if how == "metas":
            f.write(b"\xa5" * (2 * PAGE))
        else:
            f.truncate(2 * PAGE if how == "short" else 0)


@pytest.fixture
def house(server, sink):
    """Two queues; what the first keeps is at .data, its copy at .copy."""
    server.port, server.other = free_port(), free_port()
    server.configure(basic(server.port, sink.port) + OTHER % server.other)
    server.start()
    send(server.port, "ann@here.example", "bob@there.example")
    sink.wait()
    server.dir = os.path.join(server.room.work, "run/queue")
    server.data = os.path.join(server.dir, "data.mdb")
    server.stop()
    shutil.copy2(server.data, server.room.work + "/copy")
    if os.geteuid() == 0:
        st = os.stat(server.data)
        os.chown(server.room.work + "/copy", st.st_uid, st.st_gid)
    yield server
    if server.process is not None:      # deaths are what we are about
        server.signal(signal.SIGTERM)
        server.ended()


def is_named(p, since, seconds=5):
    line = p.wait_log(since=since, seconds=seconds, event="trouble",
                      role="queue", block="main",
                      why="the store may be damaged: run posternctl queue "
                      "check " + p.dir)
    return line


def refuses(port):
    with Client(port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", "451 4.3.0 ")


def attention(p):
    row, = [l for l in ctl(p, "status", "--json").lines
            if l["kind"] == "process" and l["block"] == "main"]
    assert "  ! queue main is down: " + row["why"] in ctl(p, "status").out
    return row


@pytest.mark.parametrize("how", ["metas", "short", "nothing"])
def test_a_store_that_ends_every_start_is_named_and_left(house, sink, how):
    p = house
    spoil(p.data, how)
    since = p.mark()
    p.start()
    is_named(p, since)
    assert len(p.find_log(since=since, event="started", block="main")) == 2
    assert p.pids("queue", "main") == []
    refuses(p.port)
    send(p.other, "ann@here.example", "bob@there.example")
    sink.wait(2)
    row = attention(p)
    assert row["state"] == "down" and p.dir in row["why"]
    time.sleep(0.6)                     # a loop would have gone on by now
    assert len(p.find_log(since=since, event="started", block="main")) == 2
    begun = time.monotonic()
    p.signal(signal.SIGTERM)
    assert p.ended()[0] == 0 and time.monotonic() - begun < 3


def test_a_store_that_was_mended_is_taken_by_a_reload(house, sink):
    p = house
    spoil(p.data, "metas")
    p.start()
    is_named(p, 0)
    since = p.mark()
    got = ctl(p, "reload", uid=0)
    assert got.status != 0 and "status" in got.err, got.err
    is_named(p, since)                  # still it is not, and nothing hangs
    os.rename(p.room.work + "/copy", p.data)
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded")
    assert p.pid("queue", "main")
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait(2)
    assert "queue main is down" not in ctl(p, "status").out


def later_at_some_step(c):
    """Its slow walks may have met the end of the file before we came."""
    for line in ("MAIL FROM:<ann@here.example>", "RCPT TO:<bob@there.example>",
                 "DATA", "Subject: x\r\n\r\nx\r\n."):
        got = c.say(line)
        if got[0] == "4":
            break
        assert got[0] in "23" and line[-1] != ".", got
    assert got.startswith("451 4."), got


def test_a_file_cut_short_under_a_running_queue_ends_no_house(house, sink):
    p = house
    p.start()
    since = p.mark()
    spoil(p.data, "short")
    with Client(p.port) as c:           # what is written is read first
        c.hello()
        later_at_some_step(c)
    is_named(p, since)
    refuses(p.port)
    send(p.other, "ann@here.example", "bob@there.example")
    sink.wait(2)
    p.signal(signal.SIGTERM)
    assert p.ended()[0] == 0


def test_a_house_stops_at_once_while_a_queue_is_away(house, sinks):
    """Its relay has a result to tell, and nobody who will ever hear it."""
    p = house
    slow = sinks(answer=lambda verb, line, session:
                 time.sleep(1) if verb == "END" else None)
    p.configure(basic(p.port, slow.port) + OTHER % p.other)
    p.start()
    send(p.port, "ann@here.example", "bob@there.example")
    until(lambda: "DATA" in [c.split()[0] for c in slow.commands],
          what="the delivery")
    since = p.mark()
    spoil(p.data, "metas")
    p.kill("queue", "main")
    is_named(p, since)
    begun = time.monotonic()
    p.signal(signal.SIGTERM)
    assert p.ended()[0] == 0 and time.monotonic() - begun < 5
