"""What cannot be read of a store, as an administrator meets it: seen, shown,
tried again, removed; and delivered by itself once it can be read again."""

import json
import os

import pytest

import json_page
import tool
from client import Client
from server import NOBODY, Postern, Room, basic, free_port
from sinks import Sink

LATER = 'retry { delay "3600"; maximum_delay 1h }'


class House:
    """A postern whose store is damaged while it does not run."""

    def __init__(self):
        self.room = Room(NOBODY if os.geteuid() == 0 else None)
        self.p = Postern(self.room)
        self.port = free_port()
        self.sink = Sink()
        self.file = os.path.join(self.room.work, "run", "queue", "data.mdb")
        self.p.configure(basic(self.port, free_port(), queue=LATER))
        self.p.start()

    def put(self, *mails):
        with Client(self.port) as c:
            c.hello()
            ids = [c.mail(sender, *rcpts, text="Subject: x\r\n\r\n%s\r\n" %
                          sender) for sender, *rcpts in mails]
        for name in ids:
            self.p.wait_log(event="deferred", id=name)
        return ids

    def change(self, old, new):
        """Every copy of these bytes, of rows and of what is left of them."""
        self.p.stop()
        with open(self.file, "r+b") as f:
            data = f.read()
            assert old in data and len(old) == len(new)
            f.seek(0)
            f.write(data.replace(old, new))
        self.p.configure(basic(self.port, self.sink.port, queue=LATER))
        self.since = self.p.mark()
        self.p.start()

    def wait(self, **what):
        return self.p.wait_log(self.since, **what)

    def ctl(self, *args):
        return tool.ctl(self.p, "queue", *args)

    def attention(self):
        got = tool.ctl(self.p, "status")
        assert got.status in (0, 2), got.err
        return "posternctl queue quarantine" in got.out

    def rows(self):
        rows = self.ctl("quarantine", "--json").lines
        for r in rows:
            json_page.check("queue quarantine", r)
        return {(r["id"], r["table"], r["why"]) for r in rows}

    def close(self):
        self.p.abandon()
        self.p.finish()
        self.sink.close()
        self.room.remove()


@pytest.fixture
def house():
    h = House()
    yield h
    h.close()


def test_a_damaged_row_is_seen_shown_retried_and_comes_back_by_itself(house):
    one, two = house.put(("ann@here.example", "victim@there.example",
                          "whole@there.example"),
                         ("bea@here.example", "other@there.example"))
    assert not house.attention()
    assert house.ctl("quarantine").out == "Nothing is in quarantine.\n"
    house.change(b"victim@there", b"victil@there")
    house.ctl("flush", "--all", "--yes")
    house.wait(event="quarantined", id=one, table="recipient")
    house.wait(event="held", id=one)
    house.wait(event="removed", id=two)
    assert house.rows() == {(one, "recipient", "damaged")}
    assert house.attention()
    shown = house.ctl("quarantine", "show", one[:18])
    assert "recipient" in shown.out and "ann@here.example" in shown.out
    got = house.ctl("quarantine", "retry", "--all")
    assert got.status == 1 and "damaged" in got.err
    assert house.rows() == {(one, "recipient", "damaged")}
    house.change(b"victil@there", b"victim@there")
    house.wait(event="released", id=one)
    house.wait(event="removed", id=one)
    assert not house.attention() and not house.rows()
    got = sorted(r for m in house.sink.messages for r in m.rcpts)
    assert got == ["other@there.example", "victim@there.example",
                   "whole@there.example"]


def test_a_damaged_message_is_removed_with_all_that_is_of_it(house):
    one, two = house.put(("cleo@here.example", "first@there.example"),
                         ("dora@here.example", "second@there.example"))
    house.change(b"cleo@here", b"clep@here")
    house.ctl("flush", "--all", "--yes")
    house.wait(event="held", id=one)
    house.wait(event="removed", id=two)
    assert house.rows() == {(one, "message", "damaged")}
    assert house.ctl("quarantine", "remove", "ffff").status == 1
    assert house.ctl("quarantine", "remove").status == 2
    got = house.ctl("quarantine", "remove", one, "--quiet")
    assert got.status == 0, got.err
    assert "Neither sender nor recipients are told" in got.out
    line = house.wait(event="removed", id=one)
    assert "its sender is not told" in line["why"]
    assert not house.attention() and not house.rows()
    queue = [json.loads(l) for l in tool.ctl(house.p, "status",
                                             "--json").out.splitlines()]
    queue = [q for q in queue if q["kind"] == "queue"][0]
    assert (queue["messages"], queue["deliveries"], queue["held"],
            queue["quarantined"], queue["lost"]) == (0, 0, 0, 0, False)


def test_the_sender_of_what_is_removed_is_told(house):
    one, two = house.put(("fay@here.example", "third@there.example",
                          "fourth@there.example"),
                         ("gus@here.example", "fifth@there.example"))
    house.change(b"third@there", b"thirf@there")
    house.ctl("flush", "--all", "--yes")
    house.wait(event="held", id=one)
    house.wait(event="removed", id=two)
    got = house.ctl("quarantine", "remove", one, "--text", "The disk died")
    assert got.status == 0, got.err
    assert "1 of the senders is told" in got.out
    line = house.wait(event="failed", id=one)
    assert "its sender is told" in line["why"]
    bounced = house.wait(event="bounced", of=one)
    assert bounced["rcpt"] == "fay@here.example"
    house.wait(event="removed", id=one)
    house.wait(event="removed", id=bounced["id"])
    assert not house.attention() and not house.rows()
    bounce, = [m for m in house.sink.messages if not m.sender]
    assert bounce.rcpts == ["fay@here.example"]
    assert b"The disk died" in bounce.data
    assert b"third@" not in bounce.data and b"fourth@" not in bounce.data
