"""What the next hop says decides: done, later, never."""

import threading

import pytest

from client import TEXT, Client, send
from server import PATIENCE, free_port, until
from sinks import DROP, EXTENSIONS, Sink

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

SOON = "retry { delay 1; maximum_delay 1s }"


def once(verb, reply):
    """Answers so the first time, then as usual."""
    told = []

    def answer(got, line, session):
        if got == verb and not told:
            told.append(line)
            return reply
        return None
    return answer


@pytest.mark.parametrize("verb, reply", [
    ("CONNECT", "421 4.3.2 Not now"),
    ("CONNECT", "554 5.3.2 Not today"),
    ("MAIL", "451 4.3.0 Trouble"),
    ("RCPT", "450 4.2.1 Busy"),
    ("DATA", "451 4.3.0 Trouble"),
    ("END", "452 4.3.1 Full"),
    ("MAIL", "421 4.3.2 Going down"),
    ("CONNECT", DROP), ("EHLO", DROP), ("MAIL", DROP), ("RCPT", DROP),
    ("DATA", DROP), ("END", DROP),
    ("MAIL", "250-broken\n999 what"),
])
def test_a_passing_failure_costs_only_time(start, sinks, verb, reply):
    sink = sinks(answer=once(verb, reply))
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example")
    got = sink.wait()
    assert [m.id for m in got] == [name]
    p.wait_log(event="removed", id=name)
    assert p.find_log(event="failed") == []
    assert [m.id for m in sink.quiet(1.5)] == [name]


def test_a_dead_smarthost_gets_all_when_it_returns(start):
    port = free_port()
    p = start(port, queue=SOON)
    names = {send(p.port, "ann@here.example", "bob@there.example")
             for _ in range(20)}
    p.wait_log(event="deferred")
    sink = Sink(port=port)
    try:
        assert {m.id for m in sink.wait(20, 30)} == names
    finally:
        sink.close()


def test_a_dead_smarthost_costs_one_probe_not_a_try_per_message(start):
    tries = []

    def answer(verb, line, session):
        if verb == "CONNECT":
            tries.append(line)
            return "421 4.3.2 Not now"
        return None
    sink = Sink(answer=answer)
    p = start(sink.port, queue="retry { delay 2; maximum_delay 2s }")
    for _ in range(200):
        send(p.port, "ann@here.example", "bob@there.example")
    assert len(tries) < 60, len(tries)
    sink.close()


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "END"])
def test_a_lasting_failure_comes_back_as_a_bounce(start, sinks, verb):
    def answer(got, line, session):
        if got == "MAIL":
            session["null"] = "<>" in line
        if got == verb and not session.get("null"):
            return "550 5.1.1 No such user here"
        return None
    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example")
    got = sink.wait()[0]
    assert (got.sender, got.rcpts) == ("", ["ann@here.example"])
    assert "multipart/report" in got.header("Content-Type")[0]
    assert "delivery-status" in got.text
    assert "bob@there.example" in got.text
    assert "No such user here" in got.text
    assert "Subject: hello" in got.text and "Hello." not in got.text
    p.wait_log(event="failed", id=name)
    p.wait_log(event="bounced", of=name)
    assert len(sink.quiet(0.5)) == 1


def test_a_bounce_that_bounces_ends(start, sinks):
    sink = sinks(answer=lambda verb, line, session:
                 "550 5.1.1 Nobody" if verb == "RCPT" else None)
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="discarded")
    until(lambda: len(p.find_log(event="removed")) == 2)
    assert sink.messages == []


def test_each_recipient_has_its_own_result(start, sinks):
    busy = []

    def answer(verb, line, session):
        if verb == "RCPT" and "never@" in line:
            return "550 5.1.1 No such user"
        if verb == "RCPT" and "later@" in line and not busy:
            busy.append(line)
            return "450 4.2.1 Busy"
        return None
    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "done@there.example",
                "never@there.example", "later@there.example")
    p.wait_log(event="removed", id=name)
    got = [(m.sender, m.rcpts) for m in sink.wait(3)]
    assert sorted(got) == [("", ["ann@here.example"]),
                           ("ann@here.example", ["done@there.example"]),
                           ("ann@here.example", ["later@there.example"])]
    for rcpt, event in (("done", "delivered"), ("never", "failed"),
                        ("later", "deferred"), ("later", "delivered")):
        assert p.find_log(event=event, id=name, rcpt=rcpt + "@there.example")


def without(*names):
    return [e for e in EXTENSIONS if e.split(" ")[0] not in names]


def bounce_of(p, sink, name):
    got = sink.wait()[0]
    assert got.sender == ""
    return p.wait_log(event="failed", id=name)


def test_8bit_text_is_refused_where_eightbit_says_so(start, sinks):
    sink = sinks(extensions=without("8BITMIME", "SMTPUTF8"))
    p = start(sink.port, queue=SOON, relay="eightbit refuse")
    name = send(p.port, "ann@here.example", "bob@there.example",
                text="Subject: x\r\n\r\nSchöne Grüße\r\n".encode(),
                params=" BODY=8BITMIME")
    assert bounce_of(p, sink, name)["dsn"] == "5.6.3"


def test_ascii_text_is_never_refused_for_8bitmime(start, sinks):
    sink = sinks(extensions=without("8BITMIME", "SMTPUTF8"))
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example",
                params=" BODY=8BITMIME")
    got = sink.wait()[0]
    assert got.id == name and "BODY" not in got.params


def test_8bit_text_goes_as_it_is_where_eightbit_says_send(start, sinks):
    sink = sinks(extensions=without("8BITMIME", "SMTPUTF8"))
    p = start(sink.port, queue=SOON, relay="eightbit send")
    text = "Subject: x\r\n\r\nSchöne Grüße\r\n".encode()
    send(p.port, "ann@here.example", "bob@there.example", text=text,
         params=" BODY=8BITMIME")
    got = sink.wait()[0]
    assert got.data.endswith(text) and "BODY" not in got.params


def test_an_address_in_utf8_is_not_sent_to_a_hop_without_smtputf8(start,
                                                                  sinks):
    sink = sinks(extensions=without("SMTPUTF8"))
    p = start(sink.port, edge="smtputf8 yes", queue=SOON)
    name = send(p.port, "ann@here.example", "jörg@there.example",
                params=" SMTPUTF8")
    assert bounce_of(p, sink, name)["dsn"] == "5.6.7"


def test_a_hop_without_any_extension_is_served(start, sinks):
    sink = sinks(extensions=(), answer=lambda verb, line, session:
                 "502 5.5.1 What?" if verb == "EHLO" else None)
    p = start(sink.port)
    name = send(p.port, "ann@here.example", "bob@there.example",
                "eve@there.example")
    assert sink.wait()[0].id == name
    assert any(c.startswith("HELO ") for c in sink.commands)
    assert not any("SIZE=" in c or "BODY=" in c for c in sink.commands)


def test_a_message_too_big_for_the_next_hop_is_not_tried(start, sinks):
    sink = sinks(extensions=("SIZE 1000", "PIPELINING", "8BITMIME"))
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", "bob@there.example",
                text=TEXT + ("x" * 70 + "\r\n") * 100)
    told = p.wait_log(event="failed", id=name)
    assert told["dsn"].startswith("5.3.4"), told.text


def test_all_refused_before_a_354_sends_no_text(start, sinks):
    """A hop that says 354 although it refused every recipient."""
    def answer(verb, line, session):
        if verb == "MAIL":
            session["null"] = "<>" in line
        if verb == "RCPT" and not session.get("null"):
            return "550 5.1.1 Nobody"
        if verb == "DATA":
            return "354 Go on"
        return None
    sink = sinks(answer=answer)
    p = start(sink.port)
    send(p.port, "ann@here.example", "bob@there.example")
    until(lambda: any(m.sender == "" and m.rcpts for m in sink.messages))
    assert all(m.data == b"" for m in sink.messages if not m.rcpts)


def test_retry_maximum_0_never_tries_again(start, sinks):
    sink = sinks(answer=once("RCPT", "450 4.2.1 Busy"))
    p = start(sink.port, queue="retry { delay 1; maximum 0 }")
    name = send(p.port, "ann@here.example", "bob@there.example")
    assert sink.wait()[0].sender == ""
    p.wait_log(event="failed", id=name)


def test_mail_older_than_its_lifetime_fails(start):
    p = start(free_port(), queue="retry { delay 1; maximum_delay 1s; "
              "lifetime 2s }")
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    p.wait_log(event="failed", id=name)
    p.wait_log(event="bounced", of=name)


def test_a_slow_hop_does_not_hold_up_the_edge(start, sinks):
    go = threading.Event()

    def answer(verb, line, session):
        if verb == "END":
            go.wait(PATIENCE)
        return None
    sink = sinks(answer=answer)
    p = start(sink.port)
    with Client(p.port) as c:
        c.hello()
        for _ in range(50):
            c.mail("ann@here.example", "bob@there.example")
    assert sink.messages == []
    go.set()
    sink.wait(50)
