"""A store written by an earlier release, or an earlier format, is read."""

import glob
import json
import lzma
import os
import re
import shutil
import threading

import pytest

import spool
from server import NOBODY, PATIENCE, free_port, until
from sinks import EXTENSIONS
from test_hold import ctl, listed  # noqa: F401: a fixture

FIXTURES = os.path.join(os.path.dirname(__file__), "../fixtures")
RECEIVED = re.compile(rb"Received: .*\r\n(?:[ \t].*\r\n)*")


def unpack(server, path):
    work = os.path.join(server.room.work, "run/queue")
    os.makedirs(work)
    with lzma.open(path) as packed, \
            open(os.path.join(work, "data.mdb"), "wb") as f:
        shutil.copyfileobj(packed, f)
    if os.geteuid() == 0:
        for d in (os.path.dirname(work), work, work + "/data.mdb"):
            os.chown(d, NOBODY, NOBODY)


def expected(number):
    """Who is left, and is it held?"""
    want = {rcpt: subject in spool.HELD
            for subject, (_, rcpts, _) in spool.mail(number).items()
            for rcpt in rcpts}
    want[spool.BOUNCES[1]] = False
    return want


def is_kept(server, sink):
    """What the second version of the records has."""
    assert any(c.startswith("MAIL FROM:<ann@here.example>") and
               c.endswith(spool.FOR_ALL) for c in sink.commands)
    assert "RCPT TO:<busy10@there.example>" + spool.ASKED in sink.commands
    moved = next(m for m in sink.messages
                 if m.rcpts == ["busy11@there.example"])
    assert [line["relay"] for line in
            server.find_log(event="delivered", id=moved.id)] == ["second"]


def traced(ctl, address):
    return [json.loads(line)["event"] for line in
            ctl("trace", "--json", address).splitlines()]


@pytest.mark.parametrize("name", sorted(
    os.path.basename(p) for p in glob.glob(FIXTURES + "/spool-*.xz")))
def test_a_spool_of_an_earlier_build_is_delivered_whole(server, sinks, ctl,
                                                        name):
    number = int(re.search("[0-9]+", name).group(0))
    unpack(server, os.path.join(FIXTURES, name))
    sink = sinks(extensions=(*EXTENSIONS, "DSN"))
    # All of it is due, and old, sooner or later: nothing goes before the list.
    gate = threading.Event()
    sink.answer = lambda verb, line, session: gate.wait(PATIENCE) and None
    server.configure(spool.config(
        free_port(), sink.port, "retry { warn_after 0; lifetime 366d }"))
    server.start()
    later = spool.BOUNCES.get(2)        # made when the minute is over: by now
    rows = [m for m in listed(ctl) if m["recipients"][0]["address"] != later]
    got = {r["address"]: r for m in rows for r in m["recipients"]}
    assert {a: r["status"] == "held"
            for a, r in got.items()} == expected(number)
    away = [r for a, r in got.items() if a.endswith("@" + spool.AWAY)]
    assert ["suspended" in r for r in away] == [True] * (number >= 3)
    assert all(spool.BUSY[4:] in r["reply"]
               for r in got.values() if r not in away)
    if away:
        assert "It moves" in ctl("suspend")
        ctl("resume", "destination", spool.AWAY)
    if number >= 5:         # that build made rows by which it is found
        begun = traced(ctl, "busy1@there.example")
        assert begun[:2] == ["received", "deferred"]
    if number >= 6:         # behind what it gathered
        told = traced(ctl, "found@here.example")
        assert told[0] == "received" and "moved" in told
    if number >= 7:
        assert "held_by" in got["busy17@there.example"]
        assert "suspended" in traced(ctl, "busy13@away.example")
    gate.set()
    until(lambda: not any(r["status"] == "active" for m in listed(ctl)
                          for r in m["recipients"]), what="what is due")
    for m in listed(ctl):
        if any(r["status"] == "deferred" for r in m["recipients"]):
            ctl("queue", "flush", m["id"])
    ctl("queue", "release", "--status", "held")
    reports = [r for n, r in spool.BOUNCES.items() if n <= number]
    server.wait_log(event="removed", count=len(rows) + len(reports) - 1)
    assert not server.find_log(event="quarantined")
    arrived = {}
    for m in sink.messages:
        for rcpt in m.rcpts:
            assert rcpt not in arrived
            arrived[rcpt] = m
    assert set(arrived) == set(got) | set(reports)
    for subject, (sender, rcpts, lines) in spool.mail(number).items():
        text = spool.text(subject, lines).encode()
        for rcpt in rcpts:
            m = arrived[rcpt]
            assert m.sender == sender
            assert RECEIVED.sub(b"", m.data, count=1) == text, subject
    for rcpt, subject in zip(reports, ("never", "half")):
        report = arrived[rcpt]
        assert report.sender == "" and b"Nobody here" in report.data
        assert b"Subject: " + subject.encode() in report.data
    if number >= 2:
        is_kept(server, sink)
    assert server.find_log(event="removed", id=rows[0]["id"])
    if number >= 5:
        assert traced(ctl, "busy1@there.example") == [*begun, "delivered"]
