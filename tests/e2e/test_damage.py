"""What a damaged disk does to 600 acknowledged messages: each round damages a
copy of one store, starts postern on it, and asks of every message where it is.
Nothing goes out altered, nothing is lost that is not named, nothing waits for
ever, nothing is started over and over."""

import hashlib
import itertools
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

import json_page
import tool
from client import Client
from dice import seed
from server import NOBODY, PATIENCE, Postern, Room, basic, free_port, until
from sinks import Sink

SOAK = bool(os.environ.get("POSTERN_SOAK"))
COUNT = 600
PAGE = 4096
# How many rounds of each kind.
ROUNDS = {"flip": 200, "flips": 50, "cut": 20, "metas": 2} if SOAK else \
         {"flip": 3, "metas": 1}
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


def number_of(message):
    return int((message.header("Subject") or ["-1"])[0])


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
        self.listen()
        self.texts = {}

    def listen(self):
        """On a port that is free now: it is not ours between two rounds."""
        self.p.port = free_port()
        self.p.configure(basic(self.p.port, self.sink.port, queue=LATER))

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

    def id_of(self, message):
        n = number_of(message)
        return next((i for i in self.ids if self.ids[i] == n), None)

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
    """A start on a damaged store, until it has come to rest.  Where that takes
    the queue down, its administrator does what the manual says, and starts
    again: what is not delivered then must lie beside the new store."""

    def __init__(self, store, data):
        self.store, self.p = store, store.p
        self.list_failed, self.checked = "", None
        self.loops, self.listed, self.written = False, [], set()
        self.no_store, self.again, self.goal = False, 0, COUNT
        self.salvaged = 0
        self.is_cut = len(data) < len(store.bytes)
        store.put(data)
        store.sink.messages.clear()
        self.first = self.p.mark()
        self.run()
        self.is_down = self.said("store may be damaged")
        if self.is_down:
            self.salvage()
        self.lines = self.p.lines[self.first:]
        self.judge()

    def run(self):
        self.begin()
        self.rest()
        self.listed = self.list()
        self.stop()
        starts = self.p.find_log(self.since, event="started", block="main")
        self.loops |= len(starts) > 3

    def begin(self):
        """Who took the port meanwhile has nothing to do with the damage."""
        for _ in range(5):
            self.store.listen()
            self.since = self.p.mark()
            self.p.start(ready=False)
            until(lambda: self.is_up() or self.p.process.poll() is not None,
                  what="a start:\n" + self.p.tail())
            if self.p.process.poll() is None:
                return
            self.p.process = None
            until(lambda: self.said("cannot start"))
            assert self.said("Address already in use"), self.p.tail()
        raise AssertionError("no start:\n" + self.p.tail())

    def is_up(self):
        return self.p.find_log(self.since, event="ready",
                               by=self.p.process.pid) or \
            self.said("store may be damaged")

    def salvage(self):
        settled = {(l["id"], l["rcpt"]) for l in self.p.find_log(
            self.since, event="delivered")}
        before = len(self.store.sink.messages)
        said = follow_manual(self.store)
        self.no_store = said.status == 2
        self.goal = 2 * COUNT   # what is there: nobody knows
        if self.no_store:
            return
        self.written = files_of(self.store)
        self.run()
        assert not self.said("store may be damaged"), self.p.tail()
        for m in self.store.sink.messages[before:]:
            name = self.store.id_of(m)
            self.salvaged += len(m.rcpts)
            self.again += sum((name, r) in settled for r in m.rcpts)

    def said(self, words):
        with self.p.news:
            return any(words in l.text for l in self.p.lines[self.since:])

    def rest(self):
        """All is delivered, or the queue is down, or nothing moves."""
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
        return len(self.store.sink.messages) >= self.goal

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
        self.p.excused = os.path.getsize(self.p.log)    # it may have died
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
            n = number_of(m)
            digest = hashlib.sha256(m.data).digest()
            self.altered += digest != self.store.texts.setdefault(n, digest)
            got.update((n, r) for r in m.rcpts)
        self.twice = sum(c - 1 for c in got.values())
        if not self.is_down:
            self.again = self.twice
        missing = [name for name, n in self.store.ids.items()
                   if any((n, r) not in got for r in rcpts_of(n))]
        self.missing = len(missing)
        held = {m["id"] for m in self.listed if any(
            r.get("status", "held") == "held" for r in m["recipients"])}
        self.held = len(held)
        if self.is_down:
            self.judge_salvaged(missing, held)
        else:
            self.judge_started(missing, held)

    def judge_started(self, missing, held):
        self.gone, self.lost, self.stuck = [], [], []
        logged = {l["id"] for l in self.lines if "id" in l and l.get("event")
                  in ("held", "quarantined", "trouble")}
        waiting = {m["id"] for m in self.listed} - held - logged
        for name in missing:
            if name in held or name in logged:
                continue
            if name in waiting:
                self.stuck.append(name)
            elif name not in self.check():
                self.lost.append(name)

    def judge_salvaged(self, missing, held):
        """Nobody can name a message with all of whose pages the file ends
        early; that it does is said."""
        waiting = {m["id"] for m in self.listed} - held
        missing = set(missing) - held - self.written
        self.stuck = sorted(missing & waiting)
        rest = sorted(missing - waiting)
        self.gone = rest if self.no_store or self.says_cut() else []
        self.lost = [] if self.gone else rest

    def says_cut(self):
        damaged = os.path.join(os.path.dirname(self.store.dir), "damaged")
        return self.is_cut and "page " in queue("check", damaged).out


def baseline(store):
    """What goes out of the store as it is."""
    r = Round(store, store.bytes)
    assert r.missing == 0 and not r.stuck, r.p.tail()
    assert len(store.texts) == COUNT


def rounds(store, drawn):
    """Each round's name and damaged bytes."""
    if KEPT:
        yield "kept", 0, store.take(KEPT)
        return
    for kind, cnt in ROUNDS.items():
        for i in range(cnt):
            data = bytearray(store.bytes)
            damage(kind, data, random.Random("%d %s %d" % (drawn, kind, i)))
            yield kind, i, data


def test_a_damaged_store_storm_alters_and_loses_nothing(store):
    drawn = seed()
    todo = list(rounds(store, drawn)) if KEPT else rounds(store, drawn)
    baseline(store)
    total, bad = Counter(), []
    for kind, i, data in todo:
        try:
            r = Round(store, data)
        except Exception:
            print("%s %d: POSTERN_STORE=%s" % (kind, i, store.keep(data)))
            raise
        total.update({
            "rounds": 1, "altered": r.altered, "lost": len(r.lost),
            "stuck": len(r.stuck), "loops": r.loops,
            "down": r.is_down, "held": r.held, "twice": r.twice,
            "bounced": r.bounced, "salvaged": r.salvaged,
            "again": r.again, "gone": len(r.gone),
            kind + " rounds": 1, kind + " lost": len(r.lost),
            kind + " stuck": len(r.stuck), kind + " altered": r.altered,
            kind + " down": r.is_down, kind + " held": r.held,
            kind + " written": len(r.written),
            kind + " no store": r.no_store, kind + " gone": len(r.gone)})
        if r.altered or r.lost or r.stuck or r.loops or r.again:
            bad.append("%s %d: altered %d, lost %d %s, stuck %d %s, "
                       "loops %s, again %d, POSTERN_STORE=%s\n%s" % (
                           kind, i, r.altered, len(r.lost), r.lost[:3],
                           len(r.stuck), r.stuck[:3], r.loops, r.again,
                           store.keep(data), r.told()))
            print(bad[-1], flush=True)
    print(dict(total))
    assert not bad, "\n".join(bad)


RECEIVED = re.compile(rb"Received: .*\r\n(?:[ \t].*\r\n)*")
MANUALS = [os.path.join(os.path.dirname(__file__), "../../man", page)
           for page in ("postern-salvage.8", "posternctl.8")]


def queue(*args):
    return tool.run(["posternctl", "queue", *args])


def state_of(path):
    """Of its file, which a damaged number may have made very long."""
    path = os.path.join(path, "data.mdb")
    with open(path, "rb") as f:
        return os.stat(path).st_size, hashlib.sha256(f.read(1 << 26)).digest()


def example_of(page):
    """The commands of the one that salvages, as words."""
    with open(page, encoding="utf-8") as f:
        blocks = re.findall(r"\.Bd -literal.*?\n(.*?)\.Ed", f.read(), re.S)
    block, = [b for b in blocks if "queue salvage" in b]
    return [l.split() for l in block.splitlines()]


def follow_manual(store, page=MANUALS[0]):
    """Run the example on our paths: what salvage said.  The old store is not
    changed, and the new one is whole, if there is any."""
    base = os.path.dirname(store.dir)
    damaged = os.path.join(base, "damaged")
    shutil.rmtree(damaged, ignore_errors=True)
    before, said = state_of(store.dir), None
    for words in example_of(page):
        words = [w.replace("/var/spool/postern/main", store.dir)
                 .replace("/var/spool/postern", base) for w in words]
        if words[0] == "mv":
            os.rename(*words[1:])
            continue
        assert words[:2] == ["posternctl", "queue"]
        got = tool.run(words)
        if "there is no store in it" in got.err:
            return got
        assert got.status in (0, 1), (words, got.out, got.err)
        if words[2] == "salvage":
            said = got
    assert state_of(damaged) == before
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
    drawn = seed()
    pages = itertools.cycle(MANUALS)
    for kind in ("metas", "cut", "flips"):
        data = bytearray(store.bytes)
        damage(kind, data, random.Random(drawn))
        salvage_round(store, kind, data, next(pages))


def salvage_round(store, kind, data, page):
    store.put(data)
    said = follow_manual(store, page)
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
    for row in said:
        json_page.check("queue check, queue salvage: kind " + row["kind"], row)
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
