"""What an administrator does to a message that waits, and how it survives."""

import json
import os
import subprocess
import threading
import time

import pytest

from client import send
from server import PATIENCE, programs, until
from test_kill import SOAK, Load, drained, judge, storm

LATER = 'retry { delay "3600"; maximum_delay 1h }'
SOON = 'retry { delay "1"; maximum_delay 1s }'


@pytest.fixture
def ctl(server):
    def call(*args, status=0):
        got = subprocess.run(
            [os.path.join(programs(), "posternctl"), "-f", server.path,
             *args], capture_output=True, text=True, check=False,
            timeout=PATIENCE, cwd=server.room.work, **server._demote())
        assert got.returncode == status, (args, got)
        return got.stdout
    return call


def listed(ctl, *args):
    return [json.loads(line) for line in ctl(
        "queue", "list", "--json", *args).splitlines()]


def busy(verb, line, session):
    return "450 4.2.1 Busy" if verb == "RCPT" else None


def test_a_held_message_waits_and_a_released_one_goes(start, sink, ctl):
    sink.answer = busy
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    ctl("queue", "hold", name)
    p.wait_log(event="held", id=name)
    sink.answer = lambda verb, line, session: None
    assert not sink.quiet(2.5)
    ctl("queue", "release", name)
    assert sink.wait()[0].rcpts == ["bob@there.example"]
    p.wait_log(event="released", id=name)
    p.wait_log(event="removed", id=name)
    assert len(sink.quiet()) == 1


def test_a_hold_survives_the_queue_and_the_server(start, sink, ctl):
    sink.answer = busy
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    ctl("queue", "hold", name)
    sink.answer = lambda verb, line, session: None
    p.kill("queue")
    assert not sink.quiet(2)
    p.stop()
    p.start()
    assert not sink.quiet(2)
    assert until(lambda: listed(ctl))
    row, = listed(ctl)[0]["recipients"]
    who = row["held_by"]
    assert f"held by {who}, until it is released" in ctl("queue", "list")
    assert p.wait_log(event="held", id=name)["by"] == who
    ctl("queue", "release", name)
    assert len(sink.wait()) == 1
    assert [r.get("by") for r in map(json.loads, ctl(
        "trace", "--json", name).splitlines())
        if r["event"] in ("held", "released")] == [who, who]


def test_a_flush_does_not_wait_for_the_hour(start, sink, ctl):
    sink.answer = busy
    p = start(sink.port, queue=LATER)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    sink.answer = lambda verb, line, session: None
    ctl("queue", "flush", name)
    assert len(sink.wait(seconds=5)) == 1


def test_a_flush_tries_a_destination_that_is_down(start, sinks, ctl):
    gone = sinks()
    gone.close()
    p = start(gone.port, queue=LATER)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    back = sinks(port=gone.port)
    ctl("queue", "flush", name)
    assert len(back.wait(seconds=5)) == 1


def test_what_is_removed_is_neither_sent_nor_bounced(start, sink, ctl):
    sink.answer = busy
    p = start(sink.port, queue=LATER)
    names = [send(p.port, "ann@here.example", "bob@there.example")
             for _ in range(5)]
    for name in names:
        p.wait_log(event="deferred", id=name)
    ctl("queue", "remove", "--yes", *names[:3])
    for name in names[:3]:
        p.wait_log(event="removed", id=name)
    assert len(listed(ctl)) == 2
    sink.answer = lambda verb, line, session: None
    ctl("queue", "flush", "--all")
    assert sorted(m.id for m in sink.wait(2)) == sorted(names[3:])
    assert len(sink.quiet()) == 2
    assert not p.find_log(event="bounced")
    assert listed(ctl) == []


def test_a_list_says_who_where_and_why(start, sink, ctl):
    sink.answer = busy
    p = start(sink.port, queue=LATER)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    line = ctl("queue", "list", "--json")
    for word in (name, "ann@here.example", "bob@there.example", "Busy"):
        assert word in line
    assert "bob@there.example" in ctl("queue", "show", name)


def test_route_says_which_relay_gets_an_address(start, sink, ctl):
    start(sink.port, queue="route to @there.example relay out")
    got = ctl("route", "Bob@There.example")
    assert "out" in got and "@there.example" in got


@pytest.mark.storm
@pytest.mark.heavy
def test_edits_in_a_kill_storm_lose_nothing(start, sink, ctl):
    sink.answer = lambda verb, line, session: (
        busy(verb, line, session) if time.monotonic() % 3 < 1 else None)
    p = start(sink.port, relay="workers 2", queue=SOON)
    load, stop = Load(p.port), threading.Event()

    def edit():
        while not stop.is_set():
            for verb in ("hold", "flush", "release"):
                subprocess.run(
                    [os.path.join(programs(), "posternctl"), "-f", p.path,
                     "queue", verb, "--all", "--limit", "40"],
                    capture_output=True, check=False, timeout=60,
                    cwd=p.room.work, **p._demote())

    editor = threading.Thread(target=edit, daemon=True)
    editor.start()
    time.sleep(1)
    dead = storm(p, 12 if SOAK else 5)
    load.end()
    stop.set()
    editor.join()
    sink.answer = lambda verb, line, session: None
    last = time.monotonic()
    while time.monotonic() < last + 20:
        got = subprocess.run(
            [os.path.join(programs(), "posternctl"), "-f", p.path, "queue",
             "release", "--all", "--status", "held"], capture_output=True,
            check=False, timeout=60, cwd=p.room.work, **p._demote())
        if got.returncode == 0 and not listed(ctl, "--status", "held"):
            break
    drained(sink, load, last + 60)
    judge(sink, load, dead)
    assert p.find_log(event="held") and p.find_log(event="released")
