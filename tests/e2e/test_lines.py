"""Files of lines, as editors and hands leave them, at start and at a reload."""

import os
import signal

from client import Client
from server import free_port
from sinks import Sink
from test_lmtp import BLOCKS

REFUSED = "not reloaded: all stays as it was"


def reload(p, event, **wanted):
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event=event, **wanted)
    return since


def test_a_list_for_lmtp_is_read_with_care_and_its_mistakes_are_shown(server):
    """A detail leads to the user that is listed, and goes on to the server."""
    path = os.path.join(server.room.work, "list")
    sink = Sink()

    def write(data):
        with open(path, "wb") as f:
            f.write(data)

    def codes(*rcpts):
        with Client(server.port) as c:
            c.hello()
            c.want("MAIL FROM:<ann@far.example>", 250)
            return [c.say("RCPT TO:<%s>" % r)[:3] for r in rcpts]
    try:
        write(b"\xef\xbb\xbfBob@There.Example\r\n\r\n  # eve\r\n"
              b"ann@there.example")
        server.port = free_port()
        server.configure(BLOCKS % (
            server.port, "host 127.0.0.1; port %d; recipients %s; "
            "recipient_delimiter +" % (sink.port, path)))
        p = server.start()
        assert codes("bob+lists@there.example", "ann@there.example",
                     "eve@there.example") == ["250", "250", "550"]
        with Client(p.port) as c:
            c.hello()
            c.mail("ann@far.example", "bob+Lists@there.example")
        assert sink.wait()[0].rcpts == ["bob+Lists@there.example"]
        write(b"\xef\xbb\xbfbob@there.example\r\neve\r\n")
        since = reload(p, "trouble", why=REFUSED)
        said = p.tail(40)
        assert "list:2:1: `eve' is not" in said and "^~~" in said, said
        assert p.find_log(since=since, event="reloaded") == []
        assert codes("ann@there.example") == ["250"]
        write(b"eve@there.example\r\n")
        reload(p, "reloaded")
        assert codes("eve+x@there.example", "ann@there.example") == [
            "250", "550"]
    finally:
        sink.close()
