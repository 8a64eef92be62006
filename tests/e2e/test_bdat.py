"""BDAT: a text in chunks whose octets are counted (RFC 3030)."""

import os
import threading

import pytest

from client import Client, send
from measure import Watch
from server import until
from test_smuggle import REFUSED

SOAK = os.environ.get("POSTERN_SOAK") == "1"
MIB = 1 << 20
EVIL = b"MAIL FROM:<evil@evil.example>\r\n"
HEAD = b"Subject: one\r\n\r\n"


def chunk(data, last=False):
    return b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data


def ready(c, *rcpts):
    c.hello()
    c.want("MAIL FROM:<ann@here.example>", 250)
    for rcpt in rcpts or ("bob@there.example",):
        c.want("RCPT TO:<%s>" % rcpt, 250)


def codes(c, count):
    return " ".join(c.reply()[:3] for _ in range(count))


def test_chunks_make_one_message_and_go_on_with_their_dots(postern, sink):
    """BDT-03, 10, 13: whatever is cut, and where."""
    text = HEAD + b".\r\n..\r\n.x\r\nM\xc3\xbcsli\r\n" + b"y" * 990 + b"\r\n"
    with Client(postern.port) as c:
        ready(c)
        for at in range(0, 45, 9):
            c.write(chunk(text[at:at + 9]))
            assert c.reply() == "250 2.0.0 9 octets received"
        c.write(chunk(text[45:], True) + b"QUIT\r\n")
        c.queued(c.reply())
        assert codes(c, 1) == "221"
        assert c.at_end()
    assert sink.wait()[0].data.endswith(text)


def test_nothing_in_a_refused_chunk_is_a_command(postern, sink):
    """BDT-04, 05, 07."""
    with Client(postern.port) as c:
        c.hello()
        c.write(chunk(EVIL * 3000) + b"NOOP\r\n")
        assert codes(c, 2) == "503 250"
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.write(chunk(EVIL) + chunk(EVIL, True))
        assert codes(c, 2) == "503 503"
        ready(c)
        c.write(chunk(HEAD, True) + chunk(EVIL, True))
        c.queued(c.reply())
        assert codes(c, 1) == "503"
        c.want("QUIT", 221)
    assert [m.sender for m in sink.wait()] == ["ann@here.example"]
    postern.wait_log(event="removed")
    assert len(postern.find_log(event="queued")) == 1


@pytest.mark.parametrize("size", [
    b"18446744073709551616", b"-1", b"1e3", b"10 LASTX", b"4294967306 LAST"])
def test_a_size_that_is_none_ends_the_session(postern, size):
    """BDT-06."""
    with Client(postern.port) as c:
        ready(c)
        c.write(b"BDAT %s\r\n" % size + EVIL * 10)
        assert c.reply()[:3] in ("501", "552")
        assert c.at_end()
    assert postern.find_log(event="queued") == []


def test_bare_line_ends_are_as_wrong_as_with_data(postern, sink):
    """EOD-23: refused, and what follows the chunk is a command again."""
    with Client(postern.port) as c:
        c.hello()
        for row, bytes_ in sorted(REFUSED.items()):
            c.write(b"MAIL FROM:<ann@here.example>\r\n"
                    b"RCPT TO:<bob@there.example>\r\n" +
                    chunk(HEAD + b"x" + bytes_ + EVIL, True))
            assert codes(c, 3) == "250 250 550", row
    assert sink.quiet(0.3) == []


@pytest.mark.heavy
def test_a_load_of_small_chunks_is_answered_each(postern, sink):
    """BDT-11: they cost neither memory nor an answer."""
    count = 500000 if SOAK else 10000
    pid = postern.pid("edge", "in")
    with Client(postern.port) as c:
        ready(c)
        with Watch({pid: "edge"}) as watch:
            writer = threading.Thread(target=c.write, args=(
                chunk(HEAD) + b"BDAT 1\r\n\rBDAT 1\r\n\n" * count +
                b"BDAT 0 LAST\r\n",))
            writer.start()
            for _ in range(2 * count + 1):
                assert c.reply()[:3] == "250"
            writer.join()
        c.queued(c.reply())
    assert sink.wait()[0].body == b"\r\n" * count
    assert watch.growth[pid] <= MIB, watch.growth


BINARY = HEAD + b"\0\r.\r\n.\r\n\n.\nMAIL FROM:<x>\n\xff" + b"z" * 70000
WANTS = "MAIL FROM:<ann@here.example> BODY=BINARYMIME"


def send_binary(c, text=BINARY, rcpt="bob@there.example"):
    c.hello()
    c.want(WANTS, 250)
    c.want("RCPT TO:<%s>" % rcpt, 250)
    c.write(chunk(text[:1000]) + chunk(text[1000:], True))
    assert codes(c, 1) == "250"
    return c.queued(c.reply())


def test_binary_text_arrives_to_the_octet(start, sinks):
    """EOD-24, by two of our own and a large one in pieces."""
    sink = sinks(extensions=("PIPELINING", "SIZE", "8BITMIME", "CHUNKING",
                             "BINARYMIME"))
    p = start(sink.port, edge="binarymime yes")
    with Client(p.port) as c:
        send_binary(c)
    with Client(p.port) as c:
        send_binary(c)
    for m in sink.wait(2):
        assert m.data.endswith(BINARY)
        assert "BODY=BINARYMIME" in m.params
    assert "DATA" not in sink.commands


@pytest.mark.parametrize("offers", [("8BITMIME",), ("CHUNKING",),
                                    ("BINARYMIME",)])
def test_binary_text_never_gets_into_a_dialogue_of_data(start, sinks, offers):
    """OUT-01 to 13: to a hop without it comes back, its text left out."""
    sink = sinks(extensions=("PIPELINING", *offers))
    p = start(sink.port, edge="binarymime yes")
    with Client(p.port) as c:
        name = send_binary(c)
    line = p.wait_log(event="failed", id=name)
    assert "5.6.1" in line["reply"]
    bounce = sink.wait()[0]
    assert bounce.sender == "" and "5.6.1" in bounce.text
    assert b"\0" not in bounce.data and "Subject: one" in bounce.text
    data = bounce.data.replace(b"\r\n", b"")
    assert b"\r" not in data and b"\n" not in data


def test_a_hop_that_is_known_to_lack_it_is_told_before_the_text(start, sinks):
    """RFC 3030 3: 5.6.1 to RCPT, and nothing comes back."""
    sink = sinks(extensions=("PIPELINING", "8BITMIME", "CHUNKING"))
    p = start(sink.port, edge="binarymime yes")

    def known():
        with Client(p.port) as c:
            c.hello()
            c.want(WANTS, 250)
            return c.say("RCPT TO:<bob@there.example>").startswith("550 5.6.1")

    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait()                     # its EHLO was heard with it
    until(known, 20)
    send(p.port, "ann@here.example", "bob@there.example")
    assert [m.sender for m in sink.wait(2)] == ["ann@here.example"] * 2


def test_binary_is_a_parameter_where_it_is_offered(postern):
    with Client(postern.port) as c:
        assert "BINARYMIME" not in c.hello()
        c.want(WANTS, "501 5.5.4")
