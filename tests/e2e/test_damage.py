"""What a damaged disk does to 600 acknowledged messages: each round damages a
copy of one store, starts postern on it, and asks of every message where it is.
Nothing goes out altered, nothing is lost that is not named, nothing waits for
ever, nothing is started over and over."""

import hashlib
import json
import os
import random
import shutil
import signal
import time
from collections import Counter

import pytest

import tool
from client import Client
from server import NOBODY, PATIENCE, Postern, Room, basic, free_port, until
from sinks import Sink

SOAK = bool(os.environ.get("POSTERN_SOAK"))
SEED = os.environ.get("POSTERN_SEED")
COUNT = 600
PAGE = 4096
# How many rounds of each kind.
ROUNDS = {"flip": 200, "flips": 50, "cut": 20, "metas": 2} if SOAK else \
         {"flip": 3, "cut": 1, "metas": 1}
QUIET = 0.7                     # seconds without news: it has come to rest
LATER = 'retry { delay "3600"; maximum_delay 1h }'


def text_of(n):
    lines = ["Subject: %d" % n, "From: <ann@here.example>", ""]
    sizes = (0, 3, 20, 60, 150)
    lines += ["%05d %s" % (n, "x" * (n % 60 + 1))] * sizes[n % 5]
    if n % 50 == 7:             # more than a piece
        lines += ["%05d %s" % (i, "y" * 60) for i in range(1200)]
    return "\r\n".join(lines) + "\r\n"


def rcpts_of(n):
    return ["r%d-%d@there.example" % (n, i) for i in range(1 + n % 3 % 2)]


class Store:
    """A store of messages that nobody has taken, and what they are."""

    def __init__(self):
        self.room = Room(NOBODY if os.geteuid() == 0 else None)
        self.p = Postern(self.room)
        self.p.port = free_port()
        self.sink = Sink()
        nobody = free_port()
        self.dir = os.path.join(self.room.work, "run", "queue")
        self.p.configure(basic(self.p.port, nobody, queue=LATER))
        self.p.start()
        self.ids = {}
        with Client(self.p.port) as c:
            c.hello()
            for n in range(COUNT):
                self.ids[c.mail("ann@here.example", *rcpts_of(n),
                                text=text_of(n))] = n
        self.p.stop()
        with open(os.path.join(self.dir, "data.mdb"), "rb") as f:
            self.bytes = f.read()
        self.p.configure(basic(self.p.port, self.sink.port, queue=LATER))
        self.texts = {}

    def close(self):
        self.p.abandon()
        self.p.finish()
        self.sink.close()
        self.room.remove()


@pytest.fixture(scope="module")
def store():
    s = Store()
    yield s
    s.close()


def flip(data, rng, bits):
    for _ in range(bits):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def damage(kind, data, rng):
    if kind == "flip":
        flip(data, rng, 1)
    elif kind == "flips":
        flip(data, rng, 50)
    elif kind == "cut":
        del data[rng.randrange(PAGE, len(data)):]
    elif kind == "metas":
        data[:2 * PAGE] = rng.randbytes(2 * PAGE)


class Round:
    """One start on a damaged store, until it has come to rest."""

    def __init__(self, store, data):
        self.store, self.p = store, store.p
        self.list_failed = ""
        self.put(data)
        store.sink.messages.clear()
        self.since = self.p.mark()
        self.p.start(ready=False)
        self.rest()
        self.listed = self.list()
        self.status = self.stop()
        self.lines = self.p.lines[self.since:]
        self.is_down = self.said("store may be damaged")
        self.named = set()
        self.checked = None
        self.judge()

    def put(self, data):
        shutil.rmtree(self.store.dir)
        os.mkdir(self.store.dir, 0o700)
        path = os.path.join(self.store.dir, "data.mdb")
        with open(path, "wb") as f:
            f.write(data)
        if os.geteuid() == 0:
            for p in (self.store.dir, path):
                os.chown(p, NOBODY, NOBODY)

    def said(self, words):
        with self.p.news:
            return any(words in l.text for l in self.p.lines[self.since:])

    def rest(self):
        """All is delivered, or the queue is down, or nothing moves."""
        try:
            until(lambda: self.p.find_log(self.since, event="ready",
                                          by=self.p.process.pid) or
                  self.said("store may be damaged"), what="a start")
        except AssertionError:
            raise AssertionError("no start:\n" + self.p.tail())
        for patience in (QUIET, QUIET, PATIENCE / 2):
            self.quiet(patience)
            if self.done() or self.said("store may be damaged"):
                return
            if patience == QUIET and self.waiting():
                tool.ctl(self.p, "queue", "flush", "--all", "--yes")

    def waiting(self):
        return [m["id"] for m in self.list() if any(
            r.get("status", "held") != "held" for r in m["recipients"])]

    def done(self):
        return len(self.store.sink.messages) >= COUNT

    def quiet(self, patience):
        """Until nothing has come for so long, or nothing is to come."""
        end = time.monotonic() + 30
        last, since = -1, time.monotonic()
        while time.monotonic() < end and not self.done():
            cnt = len(self.store.sink.messages)
            if cnt != last:
                last, since = cnt, time.monotonic()
            if time.monotonic() - since > patience and not self.starting():
                return
            if time.monotonic() - since > QUIET and not self.waiting():
                return
            time.sleep(0.02)

    def starting(self):
        """A queue that has died is about to be started again."""
        return not self.p.pids("queue") and \
            not self.said("store may be damaged")

    def list(self):
        if self.done() or self.said("store may be damaged"):
            return []
        got = tool.ctl(self.p, "queue", "list", "--json")
        self.list_failed = got.err if got.status else ""
        return [json.loads(l) for l in got.out.splitlines()]

    def stop(self):
        self.p.signal(signal.SIGTERM)
        status = self.p.process.wait(30)
        self.p.process = None
        return status

    def told(self):
        """What the log says beside the usual."""
        usual = ("delivered", "removed", "started", "stopped", "ready",
                 "sandboxed", "quarantined", "held")
        return "\n".join([self.list_failed] + [
            l.text for l in self.lines
            if l.get("event") not in usual][:12])

    def check(self):
        if self.checked is None:
            got = tool.run(["posternctl", "queue", "check", "--json",
                            self.store.dir])
            self.checked = {l["id"] for l in map(
                json.loads, got.out.splitlines()) if l["kind"] == "message"}
        return self.checked

    def judge(self):
        self.altered, self.bounced, got = 0, 0, Counter()
        for m in self.store.sink.messages:
            if not m.sender:
                self.bounced += 1
                continue
            n = int((m.header("Subject") or ["-1"])[0])
            digest = hashlib.sha256(m.data).digest()
            self.altered += digest != self.store.texts.setdefault(n, digest)
            got.update((n, r) for r in m.rcpts)
        self.twice = sum(c - 1 for c in got.values())
        missing = {name: [r for r in rcpts_of(n) if (n, r) not in got]
                   for name, n in self.store.ids.items()}
        missing = {name: r for name, r in missing.items() if r}
        held = {m["id"] for m in self.listed if any(
            r.get("status", "held") == "held" for r in m["recipients"])}
        logged = {l["id"] for l in self.lines if "id" in l and l.get("event")
                  in ("held", "quarantined", "trouble")}
        waiting = {m["id"] for m in self.listed} - held - logged
        self.held = len(held)
        self.lost, self.stuck = [], []
        for name in missing:
            if self.is_down or name in held or name in logged:
                continue
            if name in waiting:
                self.stuck.append(name)
            elif name not in self.check():
                self.lost.append(name)
        starts = [l for l in self.lines if l.get("event") == "started" and
                  l.get("block") == "main"]
        self.loops = len(starts) > 3
        self.missing = len(missing)


def baseline(store):
    """What goes out of the store as it is."""
    r = Round(store, store.bytes)
    assert r.missing == 0 and not r.stuck, r.p.tail()
    assert len(store.texts) == COUNT


def test_a_damaged_store_storm_alters_and_loses_nothing(store):
    seed = int(SEED or random.randrange(1 << 32))
    print("seed: POSTERN_SEED=%d" % seed)
    baseline(store)
    total, bad = Counter(), []
    for kind, rounds in ROUNDS.items():
        for i in range(rounds):
            rng = random.Random("%d %s %d" % (seed, kind, i))
            data = bytearray(store.bytes)
            damage(kind, data, rng)
            r = Round(store, data)
            total.update({
                "rounds": 1, "altered": r.altered, "lost": len(r.lost),
                "stuck": len(r.stuck), "loops": r.loops,
                "down": r.is_down, "held": r.held, "twice": r.twice,
                "bounced": r.bounced,
                kind + " down": r.is_down, kind + " held": r.held})
            if r.altered or r.lost or r.stuck or r.loops:
                bad.append("%s %d: altered %d, lost %d %s, stuck %d %s, "
                           "loops %s\n%s" % (
                               kind, i, r.altered, len(r.lost), r.lost[:3],
                               len(r.stuck), r.stuck[:3], r.loops,
                               r.told()))
    print(dict(total))
    assert not bad, "\n".join(bad)
