"""A store written by an earlier release, or an earlier format, is read."""

import glob
import lzma
import os
import re
import shutil
import threading

import pytest

import spool
from server import NOBODY, PATIENCE, free_port, until
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


def expected():
    """Who is left, and is it held?"""
    want = {rcpt: subject == "held"
            for subject, (_, rcpts, _) in spool.MAIL.items()
            for rcpt in rcpts}
    want[spool.BOUNCE] = False
    return want


@pytest.mark.parametrize("name", sorted(
    os.path.basename(p) for p in glob.glob(FIXTURES + "/spool-*.xz")))
def test_a_spool_of_an_earlier_build_is_delivered_whole(server, sink, ctl,
                                                        name):
    unpack(server, os.path.join(FIXTURES, name))
    # All of it is due, and old, sooner or later: nothing goes before the list.
    gate = threading.Event()
    sink.answer = lambda verb, line, session: gate.wait(PATIENCE) and None
    server.configure(spool.config(
        free_port(), sink.port, "retry { warn_after 0; lifetime 366d }"))
    server.start()
    rows = listed(ctl)
    got = {r["address"]: r for m in rows for r in m["recipients"]}
    assert {a: r["status"] == "held" for a, r in got.items()} == expected()
    assert all(spool.BUSY[4:] in r["reply"] for r in got.values())
    gate.set()
    until(lambda: not any(r["status"] == "active" for m in listed(ctl)
                          for r in m["recipients"]), what="what is due")
    for m in listed(ctl):
        if any(r["status"] == "deferred" for r in m["recipients"]):
            ctl("queue", "flush", m["id"])
    ctl("queue", "release", "--status", "held")
    server.wait_log(event="removed", count=len(rows))
    assert not server.find_log(event="quarantined")
    arrived = {}
    for m in sink.messages:
        for rcpt in m.rcpts:
            assert rcpt not in arrived
            arrived[rcpt] = m
    assert set(arrived) == set(got)
    for subject, (sender, rcpts, lines) in spool.MAIL.items():
        text = spool.text(subject, lines).encode()
        for rcpt in rcpts:
            m = arrived[rcpt]
            assert m.sender == sender
            assert RECEIVED.sub(b"", m.data, count=1) == text, subject
    report = arrived[spool.BOUNCE]
    assert report.sender == "" and b"Nobody here" in report.data
    assert b"Subject: never" in report.data
    assert server.find_log(event="removed", id=rows[0]["id"])
