"""Nobody waits for somebody else: a message a second, or more, to a healthy
place goes through while others are dead, slow, busy, or break off."""

import os
import time

from client import Client
from server import until
from sinks import DROP

SOAK = bool(os.environ.get("POSTERN_SOAK"))
TEXT = "Subject: %s\r\nFrom: <ann@here.example>\r\n\r\nHello.\r\n"


def late(times, share):
    """The wait that this share of them did not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def poison(verb):
    """Breaks off at this step of each message whose subject says so."""
    def answer(got, line, session):
        if got == "MAIL":
            session["poison"] = "poison@" in line
        if got == "END" and "poison" in session["message"].header("Subject"):
            session["poison"] = True
        return verb if got == "END" and session["poison"] else None
    return answer


def flow(p, sink, cnt, pause, bad):
    """cnt good messages, every pause seconds, with the bad ones before them
    and among them; how long each good one took."""
    sent = {}
    with Client(p.port) as c:
        c.hello()
        for i in range(cnt + bad):
            is_bad = i < bad // 2 or (i % 3 == 0 and i < 2 * bad)
            name = c.mail("ann@here.example", "bob@there.example",
                          text=TEXT % ("poison" if is_bad else "good"))
            if not is_bad:
                sent[name] = time.monotonic()
                time.sleep(pause)
    until(lambda: len({m.id for m in sink.messages} & set(sent)) == len(sent),
          60, "all good ones")
    came = {m.id: m.when for m in sink.messages}
    return [came[name] - when for name, when in sent.items()]


def test_messages_that_break_the_text_off_hold_up_no_other(start, sinks):
    sink = sinks(answer=poison(DROP))
    p = start(sink.port)
    waits = flow(p, sink, 100, 0.02, 30)
    assert late(waits, 0.99) < 2, waits
    assert not [m for m in sink.messages if "poison" in m.header("Subject")]


def test_a_421_to_the_text_is_about_that_message(start, sinks):
    sink = sinks(answer=poison("421 4.3.0 This one I cannot stomach"))
    p = start(sink.port, relay="concurrent_connections 2")
    waits = flow(p, sink, 60, 0.02, 12)
    assert late(waits, 0.99) < 2, waits
