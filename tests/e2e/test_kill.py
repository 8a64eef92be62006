"""The kill storm: processes die at random under load. Every message that was
acknowledged arrives. A message arrives twice only when a relay died between
the next hop's reply and our commit (same id), or when the client never read
its 250 and sent again (another id)."""

import os
import threading
import time

import pytest

from client import Client
from dice import dice

SOAK = os.environ.get("POSTERN_SOAK") == "1"
KILLS = 100 if SOAK else 15
CLIENTS = 8
SOON = "retry { delay 1; maximum_delay 1s }"


class Load:
    """Clients that note each 250 and send again where they got none."""

    def __init__(self, port, clients=CLIENTS):
        self.port = port
        self.stop = threading.Event()
        self.taken = {}         # token -> id it was acknowledged with
        self.tries = {}         # token -> how often it was sent
        self.threads = [threading.Thread(target=self._run, args=(n,),
                                         daemon=True)
                        for n in range(clients)]
        for t in self.threads:
            t.start()

    def _run(self, n):
        count, c = 0, None
        while not self.stop.is_set():
            count += 1
            token = "%d-%d" % (n, count)
            while token not in self.taken:
                try:
                    if c is None:
                        c = Client(self.port)
                        c.sock.settimeout(20)
                        c.hello()
                    self._send(c, token)
                except (AssertionError, OSError):
                    if c is not None:
                        c.close()
                    c = None
                    time.sleep(0.05)
        if c is not None:
            c.close()

    def _send(self, c, token):
        c.write("MAIL FROM:<ann@here.example>\r\n"
                "RCPT TO:<bob@there.example>\r\nDATA\r\n")
        got = [c.reply()[:3] for _ in range(3)]
        if got != ["250", "250", "354"]:
            raise OSError(str(got))
        self.tries[token] = self.tries.get(token, 0) + 1
        c.write("X-Token: %s\r\n\r\n%s\r\n.\r\n" % (token, "x" * 990))
        self.taken[token] = c.queued(c.reply())

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def storm(p, kills):
    """Kill at random; (time, role) of each relay's death."""
    dead = []
    chance = dice()
    done = 0
    while done < kills:
        time.sleep(chance.uniform(0.05, 0.8))
        role = chance.choice(("edge", "queue", "relay"))
        pids = p.pids(role)
        if not pids:
            continue
        os.kill(chance.choice(pids), 9)
        dead.append((time.monotonic(), role))
        done += 1
    return dead


@pytest.mark.storm
@pytest.mark.heavy
def test_storm_loses_nothing_and_doubles_only_what_it_may(start, sink):
    p = start(sink.port, edge="workers 2", relay="workers 2", queue=SOON)
    load = Load(p.port)
    time.sleep(1)
    dead = storm(p, KILLS)
    last = time.monotonic()
    load.end()
    drained(sink, load, last + 60)
    judge(sink, load, dead)
    print("\n%d acknowledged, %d sent, %d arrived, %d kills" % (
        len(load.taken), sum(load.tries.values()), len(sink.messages),
        len(dead)))


def drained(sink, load, end):
    """Wait until every acknowledged message is here."""
    missing, seen = set(load.taken.values()), 0
    while True:
        with sink.news:
            new = sink.messages[seen:]
        seen += len(new)
        missing -= {m.id for m in new}
        if not missing:
            return
        left = end - time.monotonic()
        assert left > 0, "%d of %d acknowledged are missing, as %s" % (
            len(missing), len(load.taken), sorted(missing)[:3])
        with sink.news:
            if len(sink.messages) == seen:
                sink.news.wait(min(left, 1))


def judge(sink, load, dead):
    relays = [when for when, role in dead if role == "relay"]
    copies, ids = {}, {}
    for m in sink.quiet(2):
        copies.setdefault(m.id, []).append(m)
        ids.setdefault(m.header("X-Token")[0], set()).add(m.id)
    for name, same in copies.items():
        for first, again in zip(same, same[1:]):
            assert any(first.when - 1 < when < again.when
                       for when in relays), (
                "%s came twice and no relay died in between" % name)
        assert len(same) <= 3, "%s came %d times" % (name, len(same))
    for token, names in ids.items():
        assert len(names) <= load.tries.get(token, 0), (
            "%s was sent %d times and came as %s" % (
                token, load.tries.get(token, 0), names))
