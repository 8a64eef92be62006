"""SMTPUTF8 is offered as far as all that the queue leads to can carry it: what
has its 250 does not come back for want of it, nor is lost with its bounce."""

import email
import email.policy

import pytest

from client import Client, send
from conftest import begin
from peers import Dovecot
from server import free_port, until
from sinks import EXTENSIONS, Sink
from test_digest import HOUR, age
from tool import ctl

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

ANN, BOB = "ann@here.example", "bob@there.example"
TEXT = "Subject: Grüße aus Köln\r\n\r\nSchöne Grüße\r\n"
ASCII = tuple(e for e in EXTENSIONS if e != "SMTPUTF8")
CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb; path run/queue; relay out
    route to @here.example relay out
    retry { delay 1; maximum_delay 1s }
    %s
}
relay out { %s }
%s
"""
MORE = "relay back { %s }"


def offers(p):
    """What EHLO offers, each word once."""
    with Client(p.port) as c:
        return {line[4:].split(" ")[0] for line in c.hello().split("\n")[1:]}


def is_offered(p):
    return "SMTPUTF8" in offers(p)


def learnt(p, sender=ANN):
    """A message has gone: whoever was behind it is known from here on."""
    p.wait_log(event="removed", id=send(p.port, sender, BOB))


def test_an_lmtp_hop_without_it_is_promised_nothing(server):
    """Dovecot: refused before 250 what would have come back after it."""
    dovecot = Dovecot(server.room.work, {"bob": "x"})
    try:
        server.port = free_port()
        server.configure(CONF % (server.port, "", "type lmtp; path %s; "
                                 "ask_after 100ms" % dovecot.path, ""))
        server.start()
        until(lambda: not is_offered(server), what="that it was asked")
        for _ in range(2):
            with Client(server.port) as c:
                c.hello()
                c.want("MAIL FROM:<jörg@here.example> SMTPUTF8", "555 5.6.7")
                c.want("MAIL FROM:<ann@here.example> SMTPUTF8", "555 5.6.7")
                c.want("MAIL FROM:<jörg@here.example>", "553 5.6.7")
                c.want("MAIL FROM:<ann@here.example>", 250)
                c.want("RCPT TO:<jörg@there.example>", "553 5.6.7")
            learnt(server)
        name = send(server.port, ANN, BOB, text=TEXT,
                    params=" BODY=8BITMIME")
        server.wait_log(event="removed", id=name)
        assert any("Subject: Grüße aus Köln".encode() in m
                   for m in dovecot.mails("bob"))
        assert not server.find_log(event="discarded")
        assert not server.find_log(event="failed")
    finally:
        dovecot.close()


def test_header_fields_in_utf8_go_by_lmtp_without_it(server):
    """Who asked for SMTPUTF8 with addresses in ASCII is served by a Dovecot
    that has never heard of it."""
    dovecot = Dovecot(server.room.work, {"bob": "x"})
    try:
        server.port = free_port()
        server.configure(CONF.replace(
            "queue main\n}", "queue main\n    smtputf8 yes\n}", 1)
            % (server.port, "", "type lmtp; path %s" % dovecot.path, ""))
        server.start()
        name = send(server.port, ANN, BOB, text=TEXT,
                    params=" SMTPUTF8 BODY=8BITMIME")
        server.wait_log(event="delivered", id=name)
        assert "Subject: Grüße aus Köln".encode() in dovecot.mails("bob")[0]
        name = send(server.port, ANN, "jörg@there.example",
                    params=" SMTPUTF8")
        assert server.wait_log(event="failed", id=name)["reply"].startswith(
            "5.6.7 ")
    finally:
        dovecot.close()


def test_what_a_hop_can_is_learnt_from_its_last_ehlo(server, sinks):
    port = free_port()
    sink = Sink(port=port)
    p = begin(server, port, queue="retry { delay 1; maximum_delay 1s }",
              relay="idle_timeout 100ms; ask_after 0")
    try:
        assert not is_offered(p)
        learnt(p)
        until(lambda: is_offered(p), what="an offer")
        name = send(p.port, "jörg@here.example", BOB, params=" SMTPUTF8")
        p.wait_log(event="delivered", id=name)
        with Client(p.port) as c:
            assert "SMTPUTF8" in c.hello()
            until(lambda: not sink.open, what="the end of a connection")
            sink.extensions = ASCII
            learnt(p)
            until(lambda: not is_offered(p), what="no offer")
            c.want("MAIL FROM:<jörg@here.example> SMTPUTF8", "451 4.6.7")
            c.hello()
            c.want("MAIL FROM:<jörg@here.example> SMTPUTF8", "555 5.6.7")
            c.want("MAIL FROM:<ann@here.example>", 250)
    finally:
        sink.close()


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_hop_that_takes_its_offer_back_keeps_a_bounce_waiting(
        server, sinks, comes_back):
    """Nothing else tells the sender; at the end of its time, the postmaster."""
    sink = sinks(answer=lambda verb, line, session:
                 "451 4.2.1 Later" if verb == "RCPT" and "bob@" in line and
                 sink.is_busy else None)
    sink.is_busy = False
    p = begin(server, sink.port, queue="retry { delay 0.2;"
              "maximum_delay 300ms; lifetime %ds }" % (60 if comes_back else 3),
              relay="idle_timeout 50ms", process="postmaster pm@here.example")
    learnt(p)
    until(lambda: is_offered(p), what="an offer")
    sink.is_busy = True
    name = send(p.port, "jörg@here.example", BOB, params=" SMTPUTF8")
    p.wait_log(event="deferred", id=name)
    sink.extensions = ASCII
    p.wait_log(event="failed", id=name)
    bounce = p.wait_log(event="bounced", of=name)["id"]
    said = p.wait_log(event="deferred", id=bounce)
    assert said["reply"].startswith("4.6.7 "), said.text
    assert said["rcpt"] == "jörg@here.example"
    assert "4.6.7 The next hop does not offer SMTPUTF8" in ctl(
        p, "queue", "show", bounce).out
    if comes_back:
        sink.extensions = EXTENSIONS
        p.wait_log(event="delivered", id=bounce)
        assert not p.find_log(event="discarded")
    else:
        p.wait_log(event="discarded", id=bounce)
        p.stop()
        age(p.room.work + "/run/queue", HOUR)
        p.start()
        digest = email.message_from_bytes(sink.wait(2)[1].data,
                                          policy=email.policy.default)
        assert "Recipient: <jörg@here.example>" in digest.get_content()


@pytest.mark.parametrize("who", ["relay", "queue"])
def test_what_was_learnt_outlives(server, sink, who):
    p = begin(server, sink.port)
    learnt(p)
    until(lambda: is_offered(p), what="an offer")
    mark = p.mark()
    p.kill(who)
    pid = p.wait_log(since=mark, event="started", role=who)["pid"]
    p.wait_log(since=mark, event="ready", by=pid)
    until(lambda: is_offered(p), what="the same offer")
    p.configure(p_text(p).replace(str(sink.port), str(free_port())))
    p.signal(1)
    until(lambda: not is_offered(p), what="no offer for a hop not known")


def p_text(p):
    with open(p.path, encoding="utf-8") as f:
        return f.read()


def test_it_is_offered_where_some_can_have_it_and_others_refused(server, sinks):
    """Each recipient whose next hop cannot carry it hears so before 250."""
    out, back = sinks(), sinks(extensions=ASCII)
    server.port = free_port()
    server.configure(CONF % (
        server.port, "bounce_relay back; route from <> relay back",
        "type static; host 127.0.0.1; port %d" % out.port,
        MORE % ("type static; host 127.0.0.1; port %d; ask_after 100ms"
                % back.port)))
    p = server.start()
    learnt(p)
    until(lambda: "SMTPUTF8 some (back: " in ctl(p, "status").out and
          "asked yet" not in ctl(p, "status").out, what="an answer of back")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@bücher.example> SMTPUTF8", 250)
        c.want("RCPT TO:<jörg@there.example>", 250)
        c.want("RSET", 250)
        c.want("MAIL FROM:<> SMTPUTF8", 250)
        c.want("RCPT TO:<jörg@there.example>", "553 5.6.7")
        c.want("RCPT TO:<bob@bücher.example>", 250)
        c.want("RSET", 250)
        c.want("MAIL FROM:<jörg@elsewhere.example> SMTPUTF8", 250)
        c.want("RCPT TO:<bob@there.example> NOTIFY=NEVER", 250)
        c.want("RCPT TO:<bob@there.example>", "553 5.6.7")
    back.extensions = EXTENSIONS
    p.kill("relay", "back")
    learnt(p, sender="")
    until(lambda: "SMTPUTF8 yes" in ctl(p, "status").out, what="all")
    send(p.port, "jörg@here.example", BOB, params=" SMTPUTF8")


def test_a_hop_is_asked_before_its_first_mail(server):
    """By a connection of its own, and again until it is there; until then a
    client is told to come again, and nothing is a lasting no."""
    port = free_port()
    p = begin(server, port, relay="ask_after 100ms")
    assert is_offered(p)
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<jörg@here.example> SMTPUTF8", 250)
        c.want("RCPT TO:<%s>" % BOB, "451 4.6.7")
        c.want("RSET", 250)
        c.want("MAIL FROM:<%s> SMTPUTF8" % ANN, 250)
        c.want("RCPT TO:<jörg@there.example>", "451 4.6.7")
    sink = Sink(port=port)
    try:
        until(lambda: "SMTPUTF8 yes" in ctl(p, "status").out, what="a yes")
        until(lambda: not sink.open, what="the end of the connection")
        assert [c.split()[0] for c in sink.commands] == ["EHLO", "QUIT"]
        name = send(p.port, "jörg@here.example", BOB, params=" SMTPUTF8")
        p.wait_log(event="delivered", id=name)
    finally:
        sink.close()


@pytest.mark.parametrize("word, has", [("yes", True), ("no", False)])
def test_the_administrator_may_decide(start, sink, word, has):
    p = start(sink.port, edge="smtputf8 " + word)
    assert is_offered(p) == has
    learnt(p)
    assert is_offered(p) == has


def test_what_has_no_single_hop_is_known_from_the_start(server):
    server.port = free_port()
    server.configure(CONF % (server.port, "", "type mx", ""))
    server.start()
    assert is_offered(server)
