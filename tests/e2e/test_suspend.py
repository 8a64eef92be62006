"""What an administrator suspends waits, also what comes in; nothing else does;
and it goes on when he says so, whatever has died meanwhile."""

import json
import signal

import pytest

from client import send
from server import free_port, until
from tool import ctl

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
}
queue main {
    type lmdb
    path run/queue
    %(routes)s
    relay out
    %(queue)s
}
relay out { type static; host 127.0.0.1; port %(out)d }
%(box)s
"""

BOX = "relay box { type static; host 127.0.0.1; port %d }"
TO_BOX = "route to @box.example relay box"
SOON = 'retry { delay "1"; maximum_delay 1s }'


class House:
    def __init__(self, server, sinks):
        self.server = server
        self.out, self.box = sinks(), sinks()
        server.port = free_port()

    def configure(self, has_box=True, queue=SOON, routes=TO_BOX):
        self.server.configure(CONF % {
            "port": self.server.port, "out": self.out.port, "queue": queue,
            "routes": routes if has_box else "",
            "box": BOX % self.box.port if has_box else ""})

    def start(self, **more):
        self.configure(**more)
        self.server.start()
        return self

    def ctl(self, *args, status=0):
        got = ctl(self.server, *args)
        assert got.status == status, (args, got.out, got.err)
        return got

    def try_ctl(self, *args):
        """None where the queue is not there just now."""
        got = ctl(self.server, *args)
        return got if got.status == 0 else None

    def send(self, *rcpts):
        return send(self.server.port, "ann@here.example", *rcpts)

    def show(self, name):
        return json.loads(self.ctl("queue", "show", "--json", name).out)

    def suspended(self):
        return [(r["relay"], r["destination"])
                for r in self.ctl("suspend", "--json").lines]

    def waits(self, name):
        """All that is left of the message waits for a suspension."""
        left = self.show(name)["recipients"]
        return left and all("suspended" in r for r in left)


@pytest.fixture
def house(server, sinks):
    return House(server, sinks)


def test_a_suspended_relay_gets_nothing_and_the_others_all(house):
    house.start()
    assert house.ctl("suspend").out == "Nothing is suspended.\n"
    house.ctl("suspend", "relay", "box", "--reason", "they move house")
    name = house.send("bob@box.example", "carol@far.example")
    assert house.out.wait()[0].rcpts == ["carol@far.example"]
    until(lambda: house.waits(name))
    assert not house.box.quiet(0.5)
    kept, = house.show(name)["recipients"]
    assert (kept["address"], kept["attempts"]) == ("bob@box.example", 0)
    assert "suspended since 20" in house.ctl("queue", "list").out
    assert name in house.ctl("queue", "list", "--status", "suspended").out
    row, = house.ctl("suspend", "--json").lines
    assert (row["queue"], row["relay"], row["destination"], row["reason"],
            row["configured"]) == ("main", "box", "", "they move house", True)
    assert row["by"] and row["since"]
    assert "they move house" in house.ctl("suspend").out
    assert "posternctl suspend" in house.ctl("status", status=1).out
    house.server.wait_log(event="suspended", relay="box")
    house.ctl("resume", "relay", "box")
    assert house.box.wait()[0].rcpts == ["bob@box.example"]
    house.server.wait_log(event="unsuspended", relay="box")
    assert house.suspended() == []
    assert "posternctl suspend" not in house.ctl("status").out
    assert len(house.out.quiet(0.3)) == len(house.box.quiet(0.3)) == 1


def story(house, name):
    return [(r["event"], r.get("relay") or r.get("destination"))
            for r in house.ctl("trace", "--json", name).lines]


def test_the_story_of_a_message_has_what_was_suspended_meanwhile(house):
    house.start()
    house.ctl("suspend", "relay", "out")
    house.ctl("resume", "relay", "out")     # is over when the mail comes
    house.ctl("suspend", "relay", "box", "--reason", "they move house")
    house.ctl("suspend", "destination", "far.example")
    name = house.send("bob@box.example")
    other = house.send("carol@else.example")
    house.server.wait_log(event="removed", id=other)
    assert story(house, name) == [("suspended", "box"), ("received", None)]
    assert [e for e, _ in story(house, other)] == ["received", "delivered"]
    house.ctl("suspend", "destination", "box.example")
    house.ctl("resume", "relay", "box")
    house.server.stop()
    house.server.start()
    house.ctl("resume", "destination", "box.example")
    house.server.wait_log(event="removed", id=name)
    house.ctl("suspend", "relay", "box")    # when it has left
    assert story(house, name) == [
        ("suspended", "box"), ("received", None),
        ("suspended", "box.example"), ("resumed", "box"),
        ("resumed", "box.example"), ("delivered", "box")]
    first = house.ctl("trace", "--json", name).lines[0]
    assert first["by"] and first["reason"] == "they move house"
    text = house.ctl("trace", name[:-1]).out
    assert "  suspended relay box, by %s: they move house\n" % \
        first["by"] in text
    assert "  resumed   destination box.example, by " in text
    assert [e for e, _ in story(house, other)] == ["received", "delivered"]


def test_a_suspension_survives_every_restart(house):
    p = house.start().server
    house.ctl("suspend", "relay", "box")
    house.ctl("suspend", "destination", "Far.Example.")
    first = house.send("bob@box.example", "carol@FAR.example", "d@near.example")
    assert house.out.wait()[0].rcpts == ["d@near.example"]
    mark = p.mark()
    p.kill("queue")
    p.wait_log(since=mark, event="ready")
    assert house.suspended() == [("", "far.example"), ("box", "")]
    until(lambda: house.waits(first))
    p.abandon()                                 # kill -9, all of them
    p.start()
    second = house.send("bob@box.example", "eve@far.example")
    assert house.suspended() == [("", "far.example"), ("box", "")]
    until(lambda: house.waits(first) and house.waits(second))
    assert not house.box.quiet(0.5) and len(house.out.quiet(0.1)) == 1
    house.ctl("resume", "relay", "box")
    assert len(house.box.wait(2)) == 2
    house.ctl("resume", "destination", "FAR.example")
    assert sorted(m.rcpts[0] for m in house.out.wait(3)[1:]) == [
        "carol@FAR.example", "eve@far.example"]
    until(lambda: not house.ctl("queue", "list", "--json").lines)


def test_a_destination_waits_on_a_relay_that_others_use(house):
    house.start()
    before = house.send("x@far.example")
    assert house.out.wait()[0].rcpts == ["x@far.example"]
    house.ctl("suspend", "destination", "far.example", "--relay", "out")
    name = house.send("a@far.example", "b@near.example", "c@far.example")
    assert house.out.wait(2)[1].rcpts == ["b@near.example"]
    until(lambda: house.waits(name))
    assert [r["destination"] for r in house.show(name)["recipients"]] == [
        "far.example"] * 2
    got = house.ctl("queue", "flush", name)
    assert "posternctl suspend" in got.err
    assert len(house.out.quiet(0.5)) == 2
    house.ctl("resume", "destination", "far.example", status=1)
    house.ctl("resume", "destination", "far.example", "--relay", "out")
    assert sorted(house.out.wait(3)[2].rcpts) == ["a@far.example",
                                                  "c@far.example"]
    assert before != name and len(house.out.quiet(0.3)) == 3


def test_what_was_put_off_before_goes_at_once_when_it_is_resumed(house):
    house.box.answer = lambda verb, line, session: (
        "450 4.2.1 Busy" if verb == "RCPT" else None)
    p = house.start(queue='retry { delay "3600"; maximum_delay 1h }').server
    name = house.send("bob@box.example")
    p.wait_log(event="deferred", id=name)
    house.ctl("suspend", "relay", "box")
    house.box.answer = lambda verb, line, session: None
    house.ctl("resume", "relay", "box")
    assert house.box.wait(seconds=5)[0].rcpts == ["bob@box.example"]


def test_a_suspended_relay_that_is_gone_is_told_of_and_its_mail_goes(house):
    p = house.start().server
    house.ctl("suspend", "relay", "box")
    name = house.send("bob@box.example")
    until(lambda: house.waits(name))
    house.configure(has_box=False)
    p.signal(signal.SIGHUP)
    p.wait_log(event="trouble", relay="box",
               why="no route leads to a suspended relay any more")
    assert house.out.wait()[0].rcpts == ["bob@box.example"]
    row, = house.ctl("suspend", "--json").lines
    assert row["configured"] is False
    house.ctl("suspend", "relay", "box", status=1)
    house.ctl("resume", "relay", "box")
    assert house.suspended() == []


def test_what_waits_follows_the_routes_of_a_reload(house):
    p = house.start().server
    house.ctl("suspend", "relay", "box")
    names = [house.send("bob@box.example", "eve@box.example")
             for _ in range(3)]
    until(lambda: all(house.waits(n) for n in names))
    house.configure(routes=TO_BOX.replace("box.example", "x.example"))
    p.signal(signal.SIGHUP)
    assert len(house.out.wait(3)) == 3
    assert not p.find_log(event="trouble")
    assert house.suspended() == [("box", "")]
    assert not house.box.quiet(0.1)


def test_posternctl_says_what_cannot_be_suspended(house):
    house.start()
    assert "no route" in house.ctl("suspend", "relay", "x", status=1).err
    assert "no domain" in house.ctl("suspend", "destination", "a b",
                                    status=1).err
    assert "not suspended" in house.ctl("resume", "relay", "out",
                                        status=1).err
    for words in (["relay"], ["host", "x"], ["relay", "out", "--relay", "x"],
                  ["--reason", "x"], ["relay", "x" * 2000],
                  ["destination", "x" * 300],
                  ["relay", "out", "--reason", "x" * 2000]):
        house.ctl("suspend", *words, status=2)
    house.ctl("resume", status=2)
