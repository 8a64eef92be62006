"""Only CR LF . CR LF ends a message.  Whatever else a client sends there, no
second message may come out of it."""

import socket
import time

import pytest

from client import QUEUED, Client

SECOND = ("MAIL FROM:<smuggled@evil.example>\r\n"
          "RCPT TO:<bob@there.example>\r\nDATA\r\n"
          "Subject: smuggled\r\n\r\nsmuggled\r\n.\r\n")
REFUSED = {
    "EOD-02": b"\n.\n", "EOD-03": b"\n.\r\n", "EOD-04": b"\r\n.\n",
    "EOD-05": b"\r.\r", "EOD-06": b"\r.\n", "EOD-07": b"\n.\r",
    "EOD-08": b"\r.\r\n", "EOD-09": b"\r\n.\rtext", "EOD-10": b"\r\n\0.\r\n",
    "EOD-11": b"\r\n.\0\r\n", "EOD-12": b"\r\r\n.\r\r\n",
    "EOD-13": b"\r\n.\r\r\n",
}
BEGIN = b"Subject: one\r\n\r\nfirst line"


def ready(c):
    c.hello()
    c.begin("ann@here.example", "bob@there.example")


@pytest.mark.parametrize("row", sorted(REFUSED))
def test_a_wrong_end_is_refused_and_nothing_smuggled(postern, sink, row):
    with Client(postern.port) as c:
        ready(c)
        c.write(BEGIN + REFUSED[row] + SECOND.encode())
        assert c.reply().startswith("550 5.5.2 "), row
        assert c.at_end(), row
    with Client(postern.port) as c:
        c.hello()
        c.mail("honest@here.example", "bob@there.example")
    assert [m.sender for m in sink.wait()] == ["honest@here.example"]
    assert [m.sender for m in sink.quiet(0.3)] == ["honest@here.example"]
    assert len(postern.find_log(event="queued")) == 1


def test_the_right_end_is_one(postern, sink):
    """EOD-01, 14, 15, 16."""
    with Client(postern.port) as c:
        ready(c)
        c.write(BEGIN + b"\r\n..\r\n.x\r\n")
        c.queued(c.say("."))
        c.begin("ann@here.example", "bob@there.example")
        empty = c.say(".")
        assert empty[:3] in ("250", "554"), empty
    bodies = sorted(m.body for m in sink.wait(2 if empty[:3] == "250" else 1))
    assert bodies[-1] == b"first line\r\n.\r\nx\r\n"
    assert bodies[:-1] in ([], [b""])


def test_the_end_may_come_in_any_number_of_segments(postern, sink):
    """EOD-17."""
    text = BEGIN + b"\r\n.\r\n"
    with Client(postern.port) as c:
        c.hello()
        for cut in range(len(text) - 6, len(text)):
            c.begin("ann@here.example", "bob@there.example")
            c.write(text[:cut])
            time.sleep(0.05)
            c.write(text[cut:])
            assert QUEUED.match(c.reply())
        c.begin("ann@here.example", "bob@there.example")
        for i in range(len(text)):
            c.write(text[i:i + 1])
        assert QUEUED.match(c.reply())
    assert all(m.body == b"first line\r\n" for m in sink.wait(7))


def test_what_follows_the_end_in_the_segment_is_the_next_command(postern,
                                                                 sink):
    """EOD-18."""
    with Client(postern.port) as c:
        ready(c)
        c.write(BEGIN + b"\r\n.\r\nMAIL FROM:<ann@here.example>\r\n"
                b"RCPT TO:<eve@there.example>\r\nDATA\r\n")
        assert QUEUED.match(c.reply())
        assert [c.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
        c.write(BEGIN + b"\r\n")
        c.queued(c.say("."))
    assert sorted(m.rcpts[0] for m in sink.wait(2)) == [
        "bob@there.example", "eve@there.example"]


@pytest.mark.parametrize("row", ["EOD-02", "EOD-03", "EOD-04"])
def test_lf_alone_from_one_we_know_is_a_line_end_and_no_end(start, sink, row):
    p = start(sink.port,
              edge="rules { clients 127.0.0.0/8; bare_lf normalise }")
    with Client(p.port) as c:
        ready(c)
        c.write(BEGIN.replace(b"\r", b"") + REFUSED[row] + SECOND.encode())
        assert QUEUED.match(c.reply())
    got = sink.wait()
    assert [m.sender for m in got] == ["ann@here.example"]
    assert got[0].body.startswith(b"first line\r\n")
    assert got[0].body.endswith(b"\r\nsmuggled\r\n")
    assert [m.sender for m in sink.quiet(0.3)] == ["ann@here.example"]


@pytest.mark.parametrize("half", [b"\r\n.", b"\r\n.\r", b"\r\n", b""])
def test_a_connection_cut_before_the_end_queues_nothing(postern, sink, half):
    """EOD-22."""
    with Client(postern.port) as c:
        ready(c)
        c.write(BEGIN + half)
        c.sock.shutdown(socket.SHUT_WR)
        assert not QUEUED.match(c.reply())
    assert sink.quiet(0.3) == []
    assert postern.find_log(event="queued") == []


@pytest.mark.parametrize("text", [
    b"Subject: a\nb: c\r\n\r\nx\r\n", b"Subject: a\rb: c\r\n\r\nx\r\n"])
def test_a_bare_line_end_in_the_header_is_refused(postern, sink, text):
    """EOD-20."""
    with Client(postern.port) as c:
        ready(c)
        c.write(text)
        assert c.say(".").startswith("550 5.5.2 ")
    assert sink.quiet(0.3) == []


def test_a_bare_line_end_in_a_command_ends_the_session(postern):
    """LIN-04 to LIN-06."""
    for line in (b"EHLO here.example\n", b"NOOP\rRSET\r\n",
                 b"EHLO a\0b\r\n"):
        with Client(postern.port) as c:
            c.write(line)
            assert c.reply()[:3] in ("500", "501"), line
            c.write(b"QUIT\r\n")
            assert c.reply()[:3] in ("", "221"), line


def test_a_web_browser_gets_one_error_and_the_end(postern, sink):
    """LIN-17."""
    with Client(postern.port) as c:
        c.write(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"
                b"EHLO here.example\r\n" + SECOND.encode())
        assert c.reply().startswith("500")
        assert c.at_end()
    assert sink.quiet(0.3) == []
