"""posternctl trace: the story of a message, long after it has left, by its id,
by who it was from or to, and by its Message-ID."""

import json
import os
import subprocess

import pytest

from client import send
from server import OPTIONS, basic, free_port, programs
from tool import ctl

TEXT = ("From: ann@here.example\r\nSubject: hidden\r\n"
        "Message-ID: <%s>\r\n\r\nText\r\n")


@pytest.fixture(params=["lmdb", "memory"])
def house(request, server, sinks):
    """One that says yes to all but no@, and later to wait@."""
    def answer(verb, line, session):
        if verb == "RCPT" and "<no@" in line:
            return "550 5.1.1 No such user"
        if verb == "RCPT" and "<wait@" in line:
            return "450 4.2.0 Not now"
        return "250 2.0.0 Ok: queued as AB12" if verb == "END" else None
    sink = sinks(answer=answer)
    server.port = free_port()
    conf = basic(server.port, sink.port)
    if request.param == "memory":
        conf = conf.replace("type lmdb;", "type memory;")
    server.configure(conf)
    return server.start()


def events(p, *words):
    done = ctl(p, "trace", "--json", *words)
    assert done.status == 0, done.err
    return done.lines


def test_a_message_that_has_left_tells_all_of_it(house):
    name = send(house.port, "ann@here.example", "bob@there.example",
                text=TEXT % "1@here.example")
    house.wait_log(event="removed", id=name)
    for word in (name, "bob@there.example", "BOB@There.Example",
                 "ann@here.example", "<1@here.example>", "1@here.example"):
        rows = events(house, word)
        assert [r["event"] for r in rows] == ["received", "delivered"], word
        assert {r["id"] for r in rows} == {name}
    came, went = rows
    queued = house.wait_log(event="queued", id=name)
    assert came["from"] == "ann@here.example"
    assert came["message_id"] == "1@here.example"
    assert came["client"] == "127.0.0.1" and came["edge"] == "in"
    assert came["helo"] == queued["helo"] and came["protocol"] == "ESMTP"
    assert came["session"] == queued["session"]
    assert "queue" in came["checks"] and came["size"] == int(queued["size"])
    assert went["rcpt"] == "bob@there.example" and went["relay"] == "out"
    assert went["hop_id"] == "AB12" and went["code"] == 250
    assert went["tries"] == 1 and went["hop"].startswith("127.0.0.1")
    text = ctl(house, "trace", name).out
    assert "delivered bob@there.example by relay out" in text
    assert "hidden" not in text


def test_what_fails_leads_to_its_bounce_and_what_waits_says_so(house):
    name = send(house.port, "ann@here.example", "no@there.example",
                text=TEXT % "2@here.example")
    bounced = house.wait_log(event="bounced", of=name)
    rows = events(house, name)
    assert [r["event"] for r in rows if r.get("rcpt") ==
            "no@there.example"] == ["failed"]
    assert [r["bounce"] for r in rows if r["event"] == "bounced"] == \
        [bounced["id"]]
    name = send(house.port, "ann@here.example", "wait@there.example")
    house.wait_log(event="deferred", id=name)
    text = ctl(house, "trace", name).out
    assert "still queued:" in text and "wait@there.example" in text
    assert "450 4.2.0 Not now" in text
    assert ctl(house, "queue", "remove", name, "--yes").status == 0
    assert events(house, name)[-1]["event"] == "removed"


def test_the_beginning_of_an_id_is_enough_for_what_has_left(house):
    names = [send(house.port, "ann@here.example", "bob@there.example")
             for _ in range(2)]
    for name in names:
        house.wait_log(event="removed", id=name)
    for name in names:
        for word in (name[:-1], name[:-1].upper()):
            assert {r["id"] for r in events(house, word)} == {name}
        assert f"{name}  queue" in ctl(house, "trace", name[:-1]).out
    done = ctl(house, "trace", names[0][:4])
    assert done.status == 1 and "several" in done.err
    done = ctl(house, "trace", "0000" + names[0][4:13])
    assert done.status == 1 and "no such message" in done.err


def test_what_nobody_knows_and_what_is_too_old(house):
    send(house.port, "ann@here.example", "bob@there.example")
    done = ctl(house, "trace", "eve@there.example")
    assert done.status == 1 and "nothing is known" in done.err
    assert events(house, "bob@there.example", "--since", "1h")


def test_the_newest_come_and_a_limit_says_so(house):
    names = [send(house.port, "ann@here.example", "bob@there.example")
             for _ in range(4)]
    house.wait_log(event="removed", id=names[-1])
    done = ctl(house, "trace", "bob@there.example", "--limit", "2")
    assert names[2] in done.out and names[3] in done.out
    assert names[1] not in done.out and "older" in done.err


def test_it_is_followed_until_somebody_has_seen_enough(house):
    first = send(house.port, "ann@here.example", "bob@there.example")
    house.wait_log(event="removed", id=first)
    with subprocess.Popen(
            [os.path.join(programs(), "posternctl"), "-f", house.path,
             "trace", "--json", "--follow", "bob@there.example"],
            stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, **OPTIONS)) as tool:
        rows = [json.loads(tool.stdout.readline()) for _ in range(2)]
        second = send(house.port, "ann@here.example", "bob@there.example")
        rows += [json.loads(tool.stdout.readline()) for _ in range(2)]
        tool.kill()
    assert [(r["event"], r["id"]) for r in rows] == [
        ("received", first), ("delivered", first),
        ("received", second), ("delivered", second)]


def test_it_outlives_a_restart(server, sink):
    house = server
    house.port = free_port()
    house.configure(basic(house.port, sink.port))
    house.start()
    name = send(house.port, "ann@here.example", "bob@there.example",
                text=TEXT % "3@here.example")
    house.wait_log(event="removed", id=name)
    house.stop()
    house.start()
    assert [r["id"] for r in events(house, "3@here.example")] == [name] * 2
