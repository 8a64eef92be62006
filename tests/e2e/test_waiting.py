"""Nobody waits for somebody else: a message a second, or more, to a healthy
place goes through while others are dead, slow, busy, or break off."""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Client
from names import Names
from server import free_port, until
from sinks import DROP, Sink

pytestmark = pytest.mark.alone
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


def test_a_newsletter_to_one_domain_is_not_ahead_of_the_shops_other_mail(
        start, sinks):
    """One sender, one next hop for all, that takes one message at a time."""
    news, is_open = 10000 if SOAK else 120, threading.Event()

    def answer(verb, line, session):
        if verb == "DATA":
            is_open.wait(300)
    sink = sinks(answer=answer)
    p = start(sink.port, relay="concurrent_connections 1")

    def send_news(part):
        with Client(p.port) as c:
            c.hello()
            for i in range(part, news, 6):
                c.mail("shop@here.example", "u%d@big.example" % i)
    with ThreadPoolExecutor() as pool:
        list(pool.map(send_news, range(6)))
    with Client(p.port) as c:
        c.hello()
        codes = {c.mail("shop@here.example", "ann@small%d.example" % i)
                 for i in range(3)}
    is_open.set()
    until(lambda: codes <= {m.id for m in list(sink.messages)}, 60, "codes")
    came = [m.id for m in list(sink.messages)]
    last = max(came.index(code) for code in codes)
    print("newsletter: %d of it came before the last code" % (last - 2))
    assert last < 60    # the relay has a window of twenty already


# Scenes: a house with one relay of type mx at default settings, a name server,
# a healthy domain that gets a message every so often, and a crowd.

HEALTHY = "127.0.0.2"
SCENE = """
process { hostname mx.test.example; run_dir run; %(resolver)s }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
}
queue main { type lmdb; path run/queue; relay out; %(queue)s }
relay out { type mx; port %(hop)d; tls { security off } }
"""


def common_port(hosts):
    """A port that is free on all these addresses."""
    while True:
        port = free_port()
        try:
            for host in hosts:
                with socket.socket() as s:
                    s.bind((host, port))
            return port
        except OSError:
            continue


class Mute:
    """Takes connections, or leaves them to the kernel, and never speaks;
    hands back how many came."""

    def __init__(self, host, port):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(512)
        self.sock.setblocking(False)
        self.held = []

    def count(self):
        while True:
            try:
                self.held.append(self.sock.accept()[0])
            except BlockingIOError:
                return len(self.held)

    def close(self):
        self.count()
        for s in self.held:
            s.close()
        self.sock.close()


class Scene:
    """The house, running; crowd() queues, watch() looks at the healthy one."""

    def __init__(self, server, names, sinks, zones, queue=""):
        self.port = common_port([HEALTHY, "127.0.0.3", "127.1.0.1"])
        names.zone("healthy.example", "@ IN MX 10 mx\nmx IN A " + HEALTHY)
        for name, records in zones.items():
            names.zone(name, records)
        names.start()
        self.sink = sinks(host=HEALTHY, port=self.port)
        server.port = free_port()
        server.configure(SCENE % {"resolver": names.resolver(),
                                  "port": server.port, "hop": self.port,
                                  "queue": queue})
        self.p = server.start()
        self.sent = {}

    def healthy(self, c):
        """One to the healthy domain."""
        name = c.mail("ann@here.example", "bob@healthy.example")
        self.sent[name] = time.monotonic()

    def crowd(self, rcpts):
        """Queue a message to each."""
        with Client(self.p.port) as c:
            c.hello()
            for rcpt in rcpts:
                c.mail("eve@there.example", rcpt)

    def watch(self, seconds, every=0.1):
        """The waits of messages to the healthy domain for so long."""
        end = time.monotonic() + seconds
        with Client(self.p.port) as c:
            c.hello()
            while time.monotonic() < end:
                self.healthy(c)
                time.sleep(every)
        until(lambda: len(set(self.sent) & {m.id for m in
              list(self.sink.messages)}) == len(self.sent), 90, "all")
        came = {m.id: m.when for m in self.sink.messages}
        return [came[name] - when for name, when in self.sent.items()]


def fine(scene, seconds, what, every=0.1):
    """It goes through at once; bounds of a loaded machine are wider for the
    median, and the same for the worst."""
    waits = scene.watch(seconds, every)
    print("%s: %d messages, p50 %.1f ms, max %.0f ms" % (
        what, len(waits), late(waits, 0.5) * 1000, max(waits) * 1000))
    # Other builds run beside make check; the bound itself is for make soak.
    assert max(waits) < (1 if SOAK else 3), sorted(waits)[-5:]
    assert late(waits, 0.5) < (0.02 if SOAK else 0.2), sorted(waits)


@pytest.fixture
def scene(server, names, sinks):
    return lambda zones, **more: Scene(server, names, sinks, zones, **more)


@pytest.fixture
def names(room):
    n = Names(room.dir)
    yield n
    n.close()


@pytest.fixture
def mute():
    made = []

    def make(host, port):
        made.append(Mute(host, port))
        return made[-1]
    yield make
    for m in made:
        m.close()


CROWD = "*.crowd IN MX 10 mx\nmx IN A 127.0.0.3"


def test_load_behind_one_slow_hoster_holds_up_nobody_else(scene, sinks):
    """One ordinary hoster of many domains, 50 ms for each command."""
    cnt, domains = (4000, 2000) if SOAK else (700, 700)
    s = scene({"big.example": CROWD})

    def answer(verb, line, session):
        time.sleep(0.05)
    hoster = sinks(host="127.0.0.3", port=s.port, answer=answer)
    s.crowd("u@d%d.crowd.big.example" % (i % domains) for i in range(cnt))
    fine(s, 20 if SOAK else 3, "slow hoster")
    hoster.wait(cnt if SOAK else 30, 600)
    assert hoster.connections <= 20


def test_load_behind_a_mute_host_holds_up_nobody_else(scene, mute):
    s = scene({"big.example": CROWD})
    host = mute("127.0.0.3", s.port)
    s.crowd("u@d%d.crowd.big.example" % i
            for i in range(1000 if SOAK else 600))
    fine(s, 40 if SOAK else 3, "mute host")
    assert host.count() <= 10


def test_load_of_one_message_to_many_names_holds_up_nobody_else(scene, mute):
    s = scene({"big.example": CROWD})
    host = mute("127.0.0.3", s.port)
    cnt = 1000 if SOAK else 600
    with Client(s.p.port) as c:
        c.hello()
        c.mail("eve@there.example", *("u@d%d.crowd.big.example" % i
                                      for i in range(cnt)))
    fine(s, 40 if SOAK else 3, "one message")
    assert host.count() <= 10


def test_load_for_hanging_hosts_of_their_own_holds_up_nobody(scene, mute):
    cnt = 2000 if SOAK else 700
    addresses = ["127.1.%d.%d" % (i // 200, i % 200 + 1) for i in range(cnt)]
    s = scene({"big.example": "\n".join(
        "d%d IN MX 10 mx%d\nmx%d IN A %s" % (i, i, i, a)
        for i, a in enumerate(addresses))})
    for a in addresses:
        mute(a, s.port)
    s.crowd("u@d%d.big.example" % i for i in range(cnt))
    fine(s, 60 if SOAK else 4, "hanging hosts")


def test_load_for_a_domain_that_hangs_behind_the_text_is_its_own(scene,
                                                                 sinks):
    """It has taken so many that it is trusted with more."""
    s = scene({"big.example": "@ IN MX 10 mx\nmx IN A 127.0.0.3"})
    hangs, over = threading.Event(), threading.Event()

    def answer(verb, line, session):
        if verb == "DATA" and hangs.is_set():
            over.wait(100)
    sink = sinks(host="127.0.0.3", port=s.port, answer=answer)
    s.crowd("u%d@big.example" % i for i in range(600))
    sink.wait(600)
    hangs.set()
    s.crowd("u%d@big.example" % i for i in range(4000 if SOAK else 600))
    fine(s, 60 if SOAK else 3, "hanging text")
    over.set()


def test_load_of_domains_behind_a_dead_host_probes_as_one(scene, server):
    """Each of them has a name of its own for the host."""
    s = scene({"big.example": "\n".join(
        "d%d IN MX 10 mx%d\nmx%d IN A 127.0.0.3" % (i, i, i)
        for i in range(100))})
    tries = []

    def answer(verb, line, session):
        if verb == "CONNECT":
            tries.append(time.monotonic())
            return "421 4.3.2 Not now"
        return None
    dead = Sink(host="127.0.0.3", port=s.port, answer=answer)
    s.crowd("u@d%d.big.example" % (i % 100)
            for i in range(1000 if SOAK else 300))
    fine(s, 90 if SOAK else 5, "dead host")
    print("dead host: %d connections" % len(tries))
    assert len(tries) <= (14 if SOAK else 9), tries
    assert len(server.find_log(event="deferred")) <= 20
    dead.close()


def test_load_of_a_backlog_for_the_dead_waits_behind_what_is_new(
        scene, server):
    """After a restart nothing is known of any destination.  At full length it
    is a million deliveries."""
    domains, each = (100000, 10) if SOAK else (400, 3)
    s = scene({"big.example": "\n".join(
        "d%d IN A 127.%d.%d.%d" % (i, 2 + i // 62500, i // 250 % 250,
                                   i % 250 + 1)
        for i in range(domains))})
    with Client(s.p.port) as c:
        c.hello()
        for no in range(each):
            for at in range(0, domains, 100):
                c.mail("eve@there.example", *(
                    "u%d@d%d.big.example" % (no, i)
                    for i in range(at, min(at + 100, domains))))
    server.stop(seconds=120)
    began = time.monotonic()
    s.p = server.start()
    print("restart: ready after %.1f s" % (time.monotonic() - began))
    fine(s, 30 if SOAK else 4, "restart")


if SOAK:    # what expires is looked for twice a minute
    def test_load_of_what_expires_holds_up_nobody_else(scene, sinks, server):
        """All for one dead host, at once; each sender hears of it."""
        cnt, each = 40000, 10000
        s = scene({"big.example": "@ IN MX 10 mx\nmx IN A 127.0.0.4",
                   "there.example": "@ IN A 127.0.0.3"},
                  queue="retry { lifetime 1m }")
        told = sinks(host="127.0.0.3", port=s.port)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda part: s.crowd(
                "u%d@big.example" % i for i in range(part, part + each)),
                range(0, cnt, each)))
        fine(s, 120, "expiry")
        until(lambda: len(told.messages) >= cnt, 120, "their bounces")
        assert len(server.find_log(event="failed")) == cnt
