"""concurrent_connections is a host's: over all workers of a relay, whatever
names lead to it, and over a reload."""

import os
import signal
import socket
import threading
import time

import pytest

from client import send
from names import Names
from server import free_port, until
from sinks import Sink

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

HOST = "127.0.0.2"
CONF = """
process { hostname mx.test.example; run_dir run; %(resolver)s }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
}
queue main {
    type lmdb; path run/queue; relay out
    retry { delay 1; maximum_delay 1s }
}
relay out {
    type mx; port %(hop)d; workers 4; tls { security off }
    concurrent_connections %(limit)d; %(relay)s
}
"""
NAMES = ["d%d.example" % i for i in range(16)]
ESTABLISHED = 1


class Counter:
    """A sink that asks the kernel at each connection how many there are."""

    def __init__(self, sinks, port, answer=lambda verb, line, session: None):
        self.most, self.inner = 0, answer
        self.sink = sinks(host=HOST, port=port, answer=self.answer)

    def answer(self, verb, line, session):
        if verb == "CONNECT":
            with self.sink.news:
                self.most = max(self.most, self.now())
        return self.inner(verb, line, session)

    def now(self):
        return sum(self.is_open(conn) for conn in list(self.sink.open))

    @staticmethod
    def is_open(conn):
        try:
            return conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO,
                                   1)[0] == ESTABLISHED
        except OSError:
            return False


@pytest.fixture
def names(room):
    n = Names(room.work)
    for i, name in enumerate(NAMES):
        n.zone(name, "@ IN MX 10 mx%d\nmx%d IN A %s" % (i % 8, i % 8, HOST))
    yield n
    n.close()


@pytest.fixture
def hop():
    while True:
        port = free_port()
        try:
            with socket.socket() as s:
                s.bind((HOST, port))
            return port
        except OSError:
            continue


def configure(p, names, hop, limit, relay=""):
    p.configure(CONF % {"resolver": names.resolver(), "port": p.port,
                        "hop": hop, "limit": limit, "relay": relay})


@pytest.fixture
def start(server, names, hop):
    def call(limit, relay=""):
        names.start()
        server.port = free_port()
        configure(server, names, hop, limit, relay)
        return server.start()
    return call


def mail(p, cnt=1):
    for _ in range(cnt):
        for name in NAMES:
            send(p.port, "ann@here.example", "bob@" + name)


@pytest.mark.parametrize("limit", [1, 3])
def test_all_workers_together_keep_to_the_limit_of_a_host(
        start, hop, sinks, limit):
    slow = lambda verb, line, session: time.sleep(
        0.02) if verb == "END" else None
    counter = Counter(sinks, hop, slow)
    p = start(limit)
    mail(p)
    counter.sink.wait(16)
    assert 1 <= counter.most <= limit
    assert {m.rcpts[0] for m in counter.sink.messages} == {
        "bob@" + name for name in NAMES}


def test_a_worker_that_dies_gives_its_place_back(start, hop, sinks):
    """The one place is with a worker that hangs; the others get it."""
    hung = threading.Event()

    def hang(verb, line, session):
        if verb == "END" and session["number"] == 1:
            hung.set()
            time.sleep(2)
            return "450 4.3.0 Too late"
    counter = Counter(sinks, hop, hang)
    p = start(1)
    mail(p)
    assert hung.wait(30)
    busy = next(pid for pid in p.pids("relay", "out")
                if holds_connection(pid, hop))
    os.kill(busy, signal.SIGKILL)
    counter.sink.wait(16)
    assert counter.most == 1


def holds_connection(pid, port):
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            inodes.add(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except OSError:
            pass
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    return any(int(row[2].split(":")[1], 16) == port and
               "socket:[%s]" % row[9] in inodes for row in rows)


def test_a_reload_does_not_double_the_connections(
        start, names, hop, sinks):
    began = threading.Event()

    def linger(verb, line, session):
        if verb == "END":
            began.set()
            time.sleep(0.03)
    counter = Counter(sinks, hop, linger)
    p = start(1)
    mail(p)
    assert began.wait(30)
    since = p.mark()
    configure(p, names, hop, 1, "idle_timeout 9s")
    p.signal(1)
    p.wait_log(since=since, event="reloaded")
    mail(p)
    counter.sink.wait(32)
    assert counter.most == 1


def test_a_domain_waits_its_turn_and_no_longer(start, hop, sinks):
    """One domain's mail never ends; the others' wait is bounded."""
    ends = threading.Event()
    counter = Counter(sinks, hop, lambda verb, line, session: time.sleep(
        0.01) if verb == "END" else None)
    p = start(1)

    def flood():
        while not ends.is_set():
            send(p.port, "ann@here.example", "bob@d0.example")
    flooder = threading.Thread(target=flood)
    flooder.start()
    try:
        counter.sink.wait(5)
        for name in NAMES[1:4]:
            send(p.port, "ann@here.example", "bob@" + name)
        want = {"bob@" + name for name in NAMES[1:4]}
        until(lambda: want <= {m.rcpts[0] for m in
                               list(counter.sink.messages)}, 20, "the others")
    finally:
        ends.set()
        flooder.join()
    assert counter.most == 1
