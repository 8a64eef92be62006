"""A relay that dies with deliveries under way: chance holds nobody for good,
and of all that were under way only who kills it each time is held."""

import os
import threading

import pytest

import tool
from client import Client
from server import PATIENCE, until

SOAK = os.environ.get("POSTERN_SOAK") == "1"
SOON = "retry { delay 1; maximum_delay 1s }"
COUNT = 100


class Hop:
    """What the next hop answers: nothing, while it is shut; and a sender named
    poison kills the relay that says it."""

    def __init__(self):
        self.open = threading.Event()
        self.open.set()
        self.news = threading.Condition()
        self.postern, self.begun, self.deaths = None, 0, 0

    def answer(self, verb, line, session):
        if verb != "MAIL":
            return
        if "poison" in line:
            self.postern.kill("relay")
        with self.news:
            self.deaths += "poison" in line
            self.begun += 1
        self.open.wait()

    def wait_begun(self, count):
        """So many more have come here, since the last call."""
        until(lambda: self.begun >= count, what="%d under way" % count)
        with self.news:
            self.begun = 0


def put(p, *senders):
    with Client(p.port) as c:
        c.hello()
        return [c.mail(s + "@here.example", "bob@there.example",
                       text="Subject: x\r\n\r\nx\r\n") for s in senders]


@pytest.fixture
def hop(start, sink):
    """It has taken so many that so many may be under way at once."""
    h = Hop()
    sink.answer = h.answer
    h.postern = start(sink.port, queue=SOON,
                      relay="concurrent_connections %d" % (2 * COUNT))
    put(h.postern, *["early"] * COUNT)
    h.postern.wait_log(event="removed", count=COUNT)
    h.wait_begun(COUNT)
    sink.messages.clear()
    h.since = h.postern.mark()
    yield h
    h.open.set()


def test_three_deaths_in_a_row_hold_nobody(hop, sink):
    p = hop.postern
    hop.open.clear()
    names = put(p, *["ann"] * COUNT)
    for under_way in (COUNT, COUNT, 1):
        hop.wait_begun(under_way)
        p.kill("relay")
    hop.open.set()
    p.wait_log(since=hop.since, event="removed", count=COUNT)
    assert not p.find_log(event="held")
    assert sorted(m.id for m in sink.messages) == sorted(names)


def test_a_storm_of_deaths_holds_only_who_is_guilty(hop, sink):
    """At full length until it is held, which takes most of a minute."""
    p = hop.postern
    names = put(p, "poison", *["ann"] * COUNT)
    p.wait_log(since=hop.since, event="removed", count=COUNT)
    until(lambda: hop.deaths >= 3, what="three deaths")
    # A death between the hop's reply and our commit may send one again.
    assert {m.id for m in sink.messages} == set(names[1:])
    if not SOAK:
        return
    line = p.wait_log(since=hop.since, seconds=60 + PATIENCE, event="held")
    assert line["id"] == names[0] and hop.deaths == 6
    listed = tool.ctl(p, "queue", "list", "--json").lines
    assert [m["id"] for m in listed] == names[:1]
    assert listed[0]["recipients"][0]["held"] == "deaths"
    assert "until" in listed[0]["recipients"][0]
    assert "held for deaths of its relay" in tool.ctl(p, "queue", "list").out
