"""Processes die while mail comes by BDAT, by LMTP and through proxies: what was
acknowledged is there, for each recipient that it was acknowledged for, and
nothing that arrives is half a message."""

import os
import signal
import threading
import time

import pytest

from client import Client
from dice import dice
from server import free_port, until
from sinks import EXTENSIONS, Sink
from test_bdat import chunk
from test_kill import SOAK

KILLS = 150 if SOAK else 14
CONF = """
process { hostname mx.test.example; run_dir run }
edge bdat {
    type smtp; listener { interface 127.0.0.1; port %(bdat)d }
    binarymime yes; queue main
}
edge lmtp {
    type lmtp; listener { interface 127.0.0.1; port %(lmtp)d }
    queue main
}
edge pass {
    type smtp; listener { interface 127.0.0.1; port %(pass)d }
    binarymime yes; relay hop
}
edge each {
    type lmtp; listener { interface 127.0.0.1; port %(each)d }
    relay boxes
}
queue main {
    type lmdb; path run/main; relay out
    retry { delay 1; maximum_delay 1s }
}
relay out { type static; host 127.0.0.1; port %(sink)d; idle_timeout 1s }
relay hop { type static; host 127.0.0.1; port %(hop)d; ask_after 100ms }
relay boxes { type lmtp; host 127.0.0.1; port %(boxes)d; ask_after 100ms }
"""
RCPTS = "a@there.example", "b@there.example"
BINARY = b"\0\r.\r\n.\r\n\n.\nMAIL FROM:<x>\n"


def text_of(token):
    """A text that says of itself where it begins and ends; each fifth is of
    several pieces, and what comes by BDAT of any octets."""
    way, number = token.split("-")
    large = int(number) % 5 == 0
    line = b"%s " % token.encode() * 9 + b"\r\n"
    return (b"X-Token: %s\r\n\r\n" % token.encode() +
            (BINARY if way == "binary" else b".\r\n") +
            line * (2500 if large else 9) + b"end of %s\r\n" % token.encode())


class Way(threading.Thread):
    """One client that sends by one way until it is told to stop."""

    def __init__(self, way, port, reached):
        super().__init__(daemon=True)
        self.way, self.port, self.reached = way, port, reached
        self.stop = threading.Event()
        self.taken = set()      # (token, recipient) that were acknowledged
        self.count = 0
        self.start()

    def run(self):
        c = None
        while not self.stop.is_set():
            self.count += 1
            try:
                if c is None:
                    c = Client(self.port)
                    c.sock.settimeout(30)
                    c.want(("LHLO" if self.way in ("lmtp", "each") else
                            "EHLO") + " here.example", 250)
                self._send(c, "%s-%d" % (self.way, self.count))
            except (AssertionError, OSError, ValueError):
                if c is not None:
                    c.close()
                c = None
                time.sleep(0.05)
        if c is not None:
            c.close()

    def _send(self, c, token):
        binary = " BODY=BINARYMIME" if self.way == "binary" else ""
        c.want("MAIL FROM:<ann@here.example>" + binary, 250)
        for rcpt in RCPTS:
            c.want("RCPT TO:<%s>" % rcpt, 250)
        text = text_of(token)
        if self.way in ("binary", "chunks", "lmtp"):
            cut = len(text) // 3
            c.write(chunk(text[:cut]))
            assert c.reply().startswith("250")
            c.write(chunk(text[cut:], True))
        else:
            c.want("DATA", 354)
            c.write(text.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        for rcpt in RCPTS if self.way in ("lmtp", "each") else (None,):
            if c.reply().startswith("250"):
                self.taken |= {(token, r) for r in RCPTS
                               if rcpt in (r, None)}


def token_of(m):
    found = m.header("X-Token")
    assert found, "not one of ours:\n" + m.text[:4000]
    return found[0]


def arrived(sink):
    with sink.news:
        messages = list(sink.messages)
    return {(token_of(m), r) for m in messages for r in m.rcpts}


def storm(p, kills):
    """Each process in its turn, in an order of chance."""
    chance, left, done = dice(), [], 0
    while done < kills:
        time.sleep(chance.uniform(0.05, 0.4))
        titles = p.processes()
        if not titles:          # the list is no snapshot
            continue
        done += 1
        left = [t for t in left if t in titles.values()] or sorted(
            titles.values())
        chance.shuffle(left)
        title = left.pop()
        for pid in [pid for pid, t in titles.items() if t == title]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    assert p.process.poll() is None, p.tail()


@pytest.mark.storm
@pytest.mark.heavy
def test_storm_on_bdat_lmtp_and_proxies_loses_and_halves_nothing(server):
    offered = (*EXTENSIONS, "CHUNKING", "BINARYMIME")
    sink, hop, boxes = (Sink(extensions=offered) for _ in range(3))
    ports = {name: free_port() for name in ("bdat", "lmtp", "pass", "each")}
    server.configure(CONF % dict(ports, sink=sink.port, hop=hop.port,
                                 boxes=boxes.port))
    server.start()
    ways = [Way("binary", ports["bdat"], sink), Way("lmtp", ports["lmtp"],
                                                    sink),
            Way("data", ports["pass"], hop), Way("chunks", ports["pass"], hop),
            Way("binary", ports["pass"], hop), Way("each", ports["each"],
                                                   boxes)]
    ways[4].count = 1000000     # its tokens are its own
    try:
        until(lambda: all(w.taken for w in ways), what="each way at work")
        storm(server, KILLS)
        marks = [len(w.taken) for w in ways]
        until(lambda: all(len(w.taken) > n for w, n in zip(ways, marks)),
              60, "each way at work again")
    finally:
        for w in ways:
            w.stop.set()
        for w in ways:
            w.join()
    for w in ways:      # a proxy has nothing left to do, a queue may
        until(lambda w=w: w.taken <= arrived(w.reached), 60,
              "what %s was told is taken: %s" % (
                  w.way, sorted(w.taken - arrived(w.reached))[:3]))
    for s in sink, hop, boxes:
        for m in s.quiet(0.5):
            token = token_of(m)
            assert m.data.endswith(text_of(token)), (token, len(m.data))
        s.close()
    print("\n%s acknowledged, %d kills" % (
        {w.way: len(w.taken) // 2 for w in ways}, KILLS))
