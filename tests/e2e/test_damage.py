"""What a damaged disk does to 600 acknowledged messages: each round damages a
copy of one store, starts postern on it, and asks of every message where it is.
Nothing goes out altered, nothing is lost that is not named, nothing waits for
ever, nothing is started over and over."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import tempfile
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
# A round that failed is kept as a directory; this names one to run again.
KEPT = os.environ.get("POSTERN_STORE")
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
        self.fill()
        self.p.stop()
        with open(os.path.join(self.dir, "data.mdb"), "rb") as f:
            self.bytes = f.read()
        self.p.configure(basic(self.p.port, self.sink.port, queue=LATER))
        self.texts = {}

    def fill(self):
        with Client(self.p.port) as c:
            c.hello()
            for n in range(COUNT):
                self.ids[c.mail("ann@here.example", *rcpts_of(n),
                                text=text_of(n))] = n

    def put(self, data):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir, 0o700)
        path = os.path.join(self.dir, "data.mdb")
        with open(path, "wb") as f:
            f.write(data)
        if os.geteuid() == 0:
            for p in (self.dir, path):
                os.chown(p, NOBODY, NOBODY)

    def keep(self, data):
        """The store of a round that failed, for POSTERN_STORE: the same seed
        damages another store, as ids and times are never the same."""
        path = tempfile.mkdtemp(prefix="postern-damage-")
        for name, what in (("whole.mdb", self.bytes), ("data.mdb", data)):
            with open(os.path.join(path, name), "wb") as f:
                f.write(what)
        with open(os.path.join(path, "ids.json"), "w",
                  encoding="ascii") as f:
            json.dump(self.ids, f)
        return path

    def take(self, path):
        """One that was kept instead of ours; what was damaged of it."""
        with open(os.path.join(path, "ids.json"), encoding="ascii") as f:
            self.ids = json.load(f)
        with open(os.path.join(path, "whole.mdb"), "rb") as f:
            self.bytes = f.read()
        with open(os.path.join(path, "data.mdb"), "rb") as f:
            return f.read()

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
        store.put(data)
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


def rounds(store, seed):
    """Each round's name and damaged bytes."""
    if KEPT:
        yield "kept", 0, store.take(KEPT)
        return
    for kind, cnt in ROUNDS.items():
        for i in range(cnt):
            data = bytearray(store.bytes)
            damage(kind, data, random.Random("%d %s %d" % (seed, kind, i)))
            yield kind, i, data


def test_a_damaged_store_storm_alters_and_loses_nothing(store):
    seed = int(SEED or random.randrange(1 << 32))
    print("seed: POSTERN_SEED=%d" % seed)
    todo = list(rounds(store, seed)) if KEPT else rounds(store, seed)
    baseline(store)
    total, bad = Counter(), []
    for kind, i, data in todo:
        r = Round(store, data)
        total.update({
            "rounds": 1, "altered": r.altered, "lost": len(r.lost),
            "stuck": len(r.stuck), "loops": r.loops,
            "down": r.is_down, "held": r.held, "twice": r.twice,
            "bounced": r.bounced,
            kind + " rounds": 1, kind + " lost": len(r.lost),
            kind + " stuck": len(r.stuck), kind + " altered": r.altered,
            kind + " down": r.is_down, kind + " held": r.held})
        if r.altered or r.lost or r.stuck or r.loops:
            bad.append("%s %d: altered %d, lost %d %s, stuck %d %s, "
                       "loops %s, POSTERN_STORE=%s\n%s" % (
                           kind, i, r.altered, len(r.lost), r.lost[:3],
                           len(r.stuck), r.stuck[:3], r.loops,
                           store.keep(data), r.told()))
            print(bad[-1], flush=True)
    print(dict(total))
    assert not bad, "\n".join(bad)


RECEIVED = re.compile(rb"Received: .*\r\n(?:[ \t].*\r\n)*")
MANUAL = os.path.join(os.path.dirname(__file__), "../../man/postern-salvage.8")


def queue(*args):
    return tool.run(["posternctl", "queue", *args])


def bytes_of(path):
    with open(os.path.join(path, "data.mdb"), "rb") as f:
        return f.read()


def manual():
    """The example's commands, as words."""
    with open(MANUAL, encoding="utf-8") as f:
        text = f.read()
    block = re.search(r"\.Bd -literal.*?\n(.*?)\.Ed", text, re.S).group(1)
    return [l.split() for l in block.splitlines()]


def follow_manual(store):
    """Run the example on our paths: what salvage said, and where the old
    store is now.  It is not changed, and the new one is whole."""
    base = os.path.dirname(store.dir)
    damaged = os.path.join(base, "damaged")
    shutil.rmtree(damaged, ignore_errors=True)
    before, said = bytes_of(store.dir), None
    for words in manual():
        words = [w.replace("/var/spool/postern/main", store.dir)
                 .replace("/var/spool/postern", base) for w in words]
        if words[0] == "mv":
            os.rename(*words[1:])
            continue
        assert words[:2] == ["posternctl", "queue"]
        got = tool.run(words)
        assert got.status in (0, 1), (words, got.out, got.err)
        if words[2] == "salvage":
            said = got
    assert bytes_of(damaged) == before
    assert queue("check", store.dir).status == 0
    return said


def files_of(store):
    """The ids of which something is missing."""
    try:
        names = os.listdir(os.path.join(store.dir, "incomplete"))
    except FileNotFoundError:
        return set()
    return {n[:-4] for n in names if n.endswith(".txt")}


def go_on(store, count):
    """Start on the new store: it delivers each of its messages once, as it
    came.  Who has got which."""
    since = store.p.mark()
    store.sink.messages.clear()
    store.p.start()
    try:
        tool.ctl(store.p, "queue", "flush", "--all", "--yes")
        if count:
            store.p.wait_log(since=since, event="removed", count=count)
        assert not tool.ctl(store.p, "queue", "list", "--json").out
    finally:
        store.p.stop()
    got = Counter()
    for m in store.sink.messages:
        n = int(m.header("Subject")[0])
        assert RECEIVED.sub(b"", m.data, count=1) == text_of(n).encode()
        got.update((n, r) for r in m.rcpts)
    assert not got or max(got.values()) == 1
    return {(n, r) for n, r in got}


def test_a_salvaged_store_delivers_each_whole_message_once(store):
    seed = int(SEED or random.randrange(1 << 32))
    print("seed: POSTERN_SEED=%d" % seed)
    for kind in ("metas", "cut", "flips"):
        data = bytearray(store.bytes)
        damage(kind, data, random.Random(seed))
        salvage_round(store, kind, data)


def salvage_round(store, kind, data):
    store.put(data)
    said = follow_manual(store)
    whole, part = map(int, re.search(
        r"(\d+) messages are whole in .*, (\d+) in part", said.out).groups())
    print(kind, said.out.splitlines()[-2:])
    got = go_on(store, whole + part)
    files = files_of(store)
    assert said.status == (1 if files else 0)
    complete = {name for name, n in store.ids.items()
                if all((n, r) in got for r in rcpts_of(n))}
    assert len(complete - files) == whole
    gone = set(store.ids) - complete - files
    if kind == "metas":
        assert len(got) == sum(len(rcpts_of(n)) for n in range(COUNT))
        assert not files and not gone
    elif gone:                  # with all of their pages
        old = os.path.join(os.path.dirname(store.dir), "damaged")
        assert "page " in queue("check", old).out, gone


def test_what_is_incomplete_is_written_to_files(store):
    data = bytearray(store.bytes)
    at = data.index(b"00004 " + b"x" * 5)      # in the text of number 4
    data[at] ^= 1
    store.put(data)
    name = next(i for i, n in store.ids.items() if n == 4)
    got = queue("check", "--json", store.dir)
    said = [json.loads(l) for l in got.out.splitlines()]
    assert got.status == 1
    assert [l["id"] for l in said if l["kind"] == "message"] == [name]
    assert said[-1]["kind"] == "total" and said[-1]["damaged"] == 1
    new = os.path.join(os.path.dirname(store.dir), "new")
    got = queue("salvage", store.dir, new)
    assert got.status == 1 and "text is not whole" in got.out, got.out
    with open(os.path.join(new, "incomplete", name + ".txt"),
              encoding="ascii") as f:
        assert "not queued: " + rcpts_of(4)[0] in f.read()
    with open(os.path.join(new, "incomplete", name + ".eml"), "rb") as f:
        assert b"Subject: 4\r\n" in f.read()
    assert queue("check", new).status == 0
    shutil.rmtree(new)


def test_a_store_in_use_is_left_alone(store):
    store.put(store.bytes)
    store.p.start()
    try:
        got = queue("check", store.dir)
    finally:
        store.p.stop()
    assert got.status == 2 and "a queue has it open" in got.err
    assert queue("check", os.path.dirname(store.dir)).status == 2
