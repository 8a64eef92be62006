"""Who may send what: rules, limits and the order of the dialogue."""

import pytest

from client import TEXT, Client, send
from server import until


def test_only_recipients_lets_nothing_else_in(start, sink):
    p = start(sink.port, edge="rules { only_recipients "
              "bob@here.example @there.example }")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        for rcpt in ("bob@here.example", "any@there.example",
                     "any@THERE.example", "postmaster"):
            c.want("RCPT TO:<%s>" % rcpt, 250)
        for rcpt in ("eve@here.example", "x@sub.there.example",
                     "x%there.example@far.example", "x@far.example",
                     '"x@there.example"@far.example', "x@notthere.example"):
            got = c.say("RCPT TO:<%s>" % rcpt)
            assert got[:1] == "5", "%s: %s" % (rcpt, got)
        assert c.say("RCPT TO:<eve@here.example>") == (
            "550 5.7.1 Recipient <eve@here.example> Not allowed")


def test_clients_refuses_other_networks(start, sink):
    p = start(sink.port, edge="rules { clients 127.0.0.2/32 }")
    with Client(p.port, source="127.0.0.1") as c:
        assert c.greeting.startswith("554 "), c.greeting
        assert c.say("EHLO here.example")[:1] in ("5", "")
    with Client(p.port, source="127.0.0.2") as c:
        assert c.greeting.startswith("220 ")
        c.hello()
        c.mail("ann@here.example", "bob@there.example")
    sink.wait()


def test_a_message_over_max_size_is_refused_and_the_session_lives(start,
                                                                  sink):
    p = start(sink.port, edge="max_size 64K")
    with Client(p.port) as c:
        assert "SIZE 65536" in c.hello()
        got = c.say("MAIL FROM:<ann@here.example> SIZE=65537")
        assert got.startswith("552 5.3.4 ")
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT + ("x" * 70 + "\r\n") * 1000)
        assert c.say(".").startswith("552 5.3.4 ")
        c.mail("ann@here.example", "bob@there.example")
    assert len(sink.wait()) == 1


def test_a_header_over_its_limit_is_refused(start, sink):
    p = start(sink.port, edge="max_header_size 8K")
    with Client(p.port) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write(("X-Pad: " + "x" * 60 + "\r\n") * 200 + TEXT)
        assert c.say(".").startswith("552 5.3.4 ")
        c.mail("ann@here.example", "bob@there.example")
    sink.wait()


def test_recipients_over_the_limit_are_put_off_and_the_rest_stays(start,
                                                                  sink):
    p = start(sink.port, edge="max_recipients 100")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        for i in range(100):
            c.want("RCPT TO:<u%d@there.example>" % i, 250)
        assert c.say("RCPT TO:<over@there.example>").startswith("452 4.5.3 ")
        c.want("DATA", 354)
        c.write(TEXT)
        c.queued(c.say("."))


@pytest.mark.parametrize("lines, code", [
    (["MAIL FROM:<a@b.example>"], "503"),
    (["EHLO x.example", "RCPT TO:<a@b.example>"], "503"),
    (["EHLO x.example", "DATA"], "503"),
    (["EHLO x.example", "MAIL FROM:<a@b.example>",
      "MAIL FROM:<a@b.example>"], "503"),
    (["EHLO x.example", "MAIL FROM:<a@b.example>", "DATA"], "503"),
    (["EHLO x.example", "MAIL FROM:a@b.example>"], "501"),
    (["EHLO http://x.example/", "MAIL FROM: a@b.example"], "250"),
    (["EHLO x.example", "MAIL FROM:<a@b.example> FOO=1"], "555"),
    (["EHLO x.example", "MAIL FROM:<a@b.example> SIZE=1 SIZE=2"], "501"),
    (["EHLO x.example", "MAIL FROM:<a@b.example>", "EHLO x.example",
      "RCPT TO:<a@b.example>"], "503"),
    (["XYZZY"], "500"),
    (["EHLO x.example", "VRFY bob"], "252"),
    (["EHLO x.example", "EXPN list"], "502"),
    (["HELP"], "214"), (["NOOP x"], "250"), (["RSET "], "250"),
    (["EHLO x.example", "MAIL FROM:<jörg@b.example>"], "553"),
])
def test_the_dialogue_keeps_its_order(postern, lines, code):
    with Client(postern.port) as c:
        for line in lines[:-1]:
            c.want(line, 250)
        got = c.say(lines[-1])
        assert got.startswith(code) or (
            code in ("553", "555") and got.startswith("501")), got


def test_endless_errors_end_the_session(start, sink):
    p = start(sink.port, edge="max_errors 5")
    with Client(p.port) as c:
        c.hello()
        got = [c.say("XYZZY")[:3] for _ in range(5)]
        while got[-1] not in ("421", "") and len(got) < 8:
            got.append(c.say("XYZZY")[:3])
        assert "421" in got, got
        assert c.at_end()


def test_a_silent_client_is_told_and_closed(start, sink):
    p = start(sink.port, edge="timeout 1s")
    with Client(p.port) as c:
        c.hello()
        assert c.reply().startswith("421 4.4.2 ")
        assert c.at_end()


def test_a_line_without_end_is_refused_with_flat_memory(postern):
    with Client(postern.port) as c:
        c.hello()
        try:
            for _ in range(200):
                c.write(b"x" * 65536)
        except OSError:
            pass                        # closed on us: that is right, too
        else:
            assert c.reply()[:3] in ("500", "")


def test_sessions_over_the_limit_hear_so_at_once(start, sink):
    p = start(sink.port, edge="max_sessions 5")
    held = [Client(p.port) for _ in range(5)]
    with Client(p.port) as c:
        assert c.greeting.startswith("421 4.3.2 "), c.greeting
    for c in held:
        c.close()

    def is_taken():                     # once the edge has seen them go
        try:
            return send(p.port, "ann@here.example", "bob@there.example")
        except (AssertionError, OSError):
            return None
    until(is_taken, what="room for one more")
