"""More recipients than one transaction takes: what is said of one of them is
said of no other."""

import pytest

from client import Client, send
from server import basic, free_port

SOON = "retry { delay 1; maximum_delay 1s }"


def names(count):
    return ["r%03d@there.example" % i for i in range(count)]


def second(verb, reply):
    """Says so to the second of its kind, and as usual to all others."""
    seen = []

    def answer(got, line, session):
        if got == verb and session.get("mail", "").find("<>") < 0:
            seen.append(got)
            if len(seen) == 2:
                return reply
        return None
    return answer


@pytest.mark.parametrize("relay, verb", [
    ("static", "DATA"), ("static", "END"), ("lmtp", "DATA")])
def test_a_refused_transaction_bounces_its_own_recipients_only(
        server, sinks, relay, verb):
    sink = sinks(answer=second(verb, "554 5.7.1 Not these"))
    server.port = free_port()
    server.configure(basic(server.port, sink.port, queue=SOON +
                           "; route to @here.example relay out").replace(
        "type static", "type " + relay))
    p = server.start()
    name = send(p.port, "ann@here.example", *names(230))
    p.wait_log(event="delivered", id=name, count=130)
    failed = p.wait_log(event="failed", id=name, count=100)
    p.wait_log(event="removed", id=name)
    assert len(p.find_log(event="failed", id=name)) == 100
    assert {l["rcpt"] for l in p.find_log(event="failed", id=name)} == set(
        names(200)[100:])
    assert failed["reply"] == "5.7.1 Not these"
    mails = sink.wait(3)
    assert sorted(len(m.rcpts) for m in mails) == [1, 30, 100]
    bounce, = [m for m in mails if m.sender == ""]
    assert "r100@" in bounce.text and "r199@" in bounce.text
    assert "r099@" not in bounce.text and "r200@" not in bounce.text


def test_recipients_that_spoil_their_transaction_keep_no_other_waiting(
        start, sinks):
    """Two of them, so the first attempt believes it of all."""
    def answer(verb, line, session):
        if verb == "END" and session["mail"].find("<>") < 0 and {
                names(330)[3], names(330)[120]} & set(session["message"].rcpts):
            return "451 4.3.0 Trouble with one of you"
        return None

    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    name = send(p.port, "ann@here.example", *names(330))
    p.wait_log(event="delivered", id=name, count=230)
    got = [r for m in sink.wait(3) for r in m.rcpts]
    assert len(got) == len(set(got))


def test_a_recipient_who_is_named_twice_gets_it_once(start, sinks):
    """The client hears yes each time; a local part in other letters may be
    somebody else."""
    sink = sinks()
    p = start(sink.port)
    with Client(p.port) as c:
        c.hello()
        name = c.mail("ann@here.example", "bob@there.example",
                      "bob@There.Example", "Bob@there.example",
                      "bob@there.example", *names(150), *names(150))
    queued = p.wait_log(event="queued", id=name)
    p.wait_log(event="removed", id=name)
    assert queued["rcpts"] == "152"
    assert sorted(r for m in sink.wait(2) for r in m.rcpts) == sorted(
        ["bob@there.example", "Bob@there.example", *names(150)])
