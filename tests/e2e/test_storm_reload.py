"""Reloads under load: thirty of them, each with another certificate, another
users file, other routes and limits. Nothing is lost, nobody hears anything but
that the service goes on elsewhere, and only between two mails."""

import os
import signal
import ssl
import subprocess
import threading
import time

import pytest

import census
from client import Client
from hostfiles import make_key
from server import basic, free_port, until
from test_kill import SOAK
from test_storm_mixed import (DOMAINS, MixedLoad, drained, houses, judge,
                              storm, whole)

assert houses           # a fixture
RELOADS = 30 if SOAK else 9


class Strict(MixedLoad):
    """Clients with sessions of ten mails; only a 421 between two is fine."""

    def __init__(self, port):
        self.failed = []
        super().__init__(port, clients=6)

    def _run(self, n):
        count = 0
        while not self.stop.is_set():
            try:
                with Client(self.port) as c:
                    c.sock.settimeout(20)
                    c.hello()
                    for _ in range(10):
                        count += 1
                        self._send(c, "%d-%d" % (n, count))
                    c.want("QUIT", 221)
            except (AssertionError, OSError) as e:
                if not self._is_goodbye(e):
                    self.failed.append("%d-%d: %r" % (n, count, e))
            time.sleep(0.02)

    @staticmethod
    def _is_goodbye(e):
        return "421 4.3.2" in str(e)


class Lasting(threading.Thread):
    """A session under TLS that mails all the time and never ends."""

    def __init__(self, load):
        super().__init__(daemon=True)
        self.load, self.failed = load, None
        self.done = threading.Event()
        self.start()

    def run(self):
        n = 0
        try:
            with Client(self.load.port) as c:
                c.hello()
                while not self.done.is_set():
                    n += 1
                    self.load._send(c, "98-%d" % n)
                    self.done.wait(0.2)
        except (AssertionError, OSError) as e:
            self.failed = "mail %d: %r" % (n, e)

    def end(self):
        self.done.set()
        self.join()
        assert self.failed is None


class Changes:
    """The configuration, another at each turn."""

    def __init__(self, house):
        self.p = p = house.p
        self.lmtp, self.turn = house.sinks[2].port, 0
        with open(p.path, encoding="utf-8") as f:
            self.text = f.read()
        with open(os.path.join(p.room.work, "users"),
                  encoding="utf-8") as f:
            self.users = f.read()
        self.pairs = [make_key(p, "pair%d" % i, ("ec", "-pkeyopt",
                      "ec_paramgen_curve:P-256")) for i in range(3)]

    def _replace(self, name, text):
        path = os.path.join(self.p.room.work, name)
        with open(path + ".new", "wb") as f:
            f.write(text)
        own = os.stat(self.p.room.work)
        os.chown(path + ".new", own.st_uid, own.st_gid)
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)

    def next(self):
        """Write it; the max_size that goes with it."""
        self.turn += 1
        for name, path in zip(("cert.pem", "key.pem"),
                              self.pairs[self.turn % 3]):
            with open(path, "rb") as f:
                self._replace(name, f.read())
        self._replace("users", ("%suser%d:%s" % (
            self.users, self.turn, self.users.partition(":")[2])).encode())
        size = (1000 + self.turn) * 1024
        text = self.text.replace(
            "rules {", "max_size %d\n    rules {" % size)
        if self.turn % 2:       # a relay that comes and goes, with its mail
            text = text.replace(
                "route to @lmtp.example relay boxes",
                "route to @lmtp.example relay second").replace(
                "relay boxes {", "relay second {")
        if self.turn % 5 == 0:
            text = text.replace("workers 2", "workers 3")
        self.p.configure(text)
        return size

    def last(self):
        """As at first, so that all that waits finds its relay."""
        self.turn += 1 + self.turn % 2
        self.p.configure(self.text.replace(
            "route to @mx", "route to @second.example relay second\n"
            "    route to @mx") + "relay second { type lmtp; host "
                         "127.0.0.1; port %d }\n" % self.lmtp)



def told(p):
    """SIGHUP, until it is in force."""
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, seconds=40, event="reloaded", by=p.process.pid)


def serial(port):
    with Client(port) as c:
        c.hello()
        MixedLoad._secure(c, False)
        return ssl.DER_cert_to_PEM_cert(c.sock.getpeercert(True))


@pytest.mark.storm
@pytest.mark.heavy
def test_storm_of_reloads_drops_nobody_and_loses_nothing(server, houses):
    house = houses(server)
    changes = Changes(house)
    load = Strict(server.port)
    lasting = Lasting(load)
    time.sleep(1)
    for i in range(RELOADS):
        size = changes.next()
        told(server)
        with Client(server.port) as c:
            assert "SIZE %d" % size in c.hello()
        with open(os.path.join(server.room.work, "cert.pem"),
                  encoding="ascii") as f:
            assert serial(server.port) == f.read()
        if i == 4:
            early = census.memory(server)["master"]
        time.sleep(0.2)
    late = census.memory(server)["master"]
    load.end()
    lasting.end()
    assert load.failed == []
    changes.last()
    told(server)
    drained(house, load, time.monotonic() + 60)
    judge(house.everywhere, load, [])
    assert late - early < 512 << 10, (early, late)
    print("\n%d acknowledged in %d reloads, master grew by %d" % (
        len(load.taken), RELOADS, late - early))
    until(lambda: len(server.processes()) == len(set(
        census.titles(server))), 30, "the end of all old generations")


class Reloader(threading.Thread):
    """Reloads all the time, whether they are carried out or not."""

    def __init__(self, changes):
        super().__init__(daemon=True)
        self.changes, self.done = changes, threading.Event()
        self.start()

    def run(self):
        while not self.done.is_set():
            self.changes.next()
            self.changes.p.signal(signal.SIGHUP)
            self.done.wait(0.7)

    def end(self):
        """As at first, once all is calm."""
        self.done.set()
        self.join()
        self.changes.last()
        p = self.changes.p
        for _ in range(5):      # one may find the check killed, or be late
            try:
                told(p)
                return
            except AssertionError:
                continue
        raise AssertionError("it reloads no more\n" + p.tail())


@pytest.mark.storm
@pytest.mark.heavy
def test_storm_of_reloads_and_kills_loses_nothing(server, houses):
    house = houses(server)
    before = census.titles(server)
    load, reloader = MixedLoad(server.port), Reloader(Changes(house))
    time.sleep(1)
    dead = storm(server, 50 if SOAK else 10)
    last = time.monotonic()
    reloader.end()
    load.end()
    drained(house, load, last + 60)
    judge(house.everywhere, load, dead)
    print("\n%d acknowledged, %d sent, %d arrived, %d kills, %d reloads" % (
        len(load.taken), sum(load.tries.values()),
        len(house.everywhere.messages), len(dead),
        len(server.find_log(event="reloaded", by=server.process.pid))))
    server.configure(reloader.changes.text)
    told(server)
    whole(house, before)


def test_a_removed_port_refuses_while_old_sessions_go_on(server, sink):
    server.port, other = free_port(), free_port()
    text = basic(server.port, sink.port)
    server.configure(text.replace("listener {", "listener { interface "
                                  "127.0.0.1; port %d }\n listener {"
                                  % other, 1))
    server.start()
    with Client(other) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        server.configure(text)
        told(server)

        def is_refused():
            try:
                Client(other, greet=False).close()
            except ConnectionRefusedError:
                return True
        until(is_refused, 5, "a port that nobody listens on")
        c.write("Subject: goes on\r\n\r\n")
        c.queued(c.say("."))
    sink.wait(1)


def test_fewer_workers_leave_no_client_waiting(start, sink):
    p = start(sink.port, edge="workers 4")
    old = [Client(p.port) for _ in range(40)]
    for c in old:               # in the middle of a mail: they go on
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
    p.configure(basic(p.port, sink.port, edge="workers 1"))
    told(p)
    for _ in range(60):
        with Client(p.port, greet=False) as c:
            c.sock.settimeout(5)
            assert c.reply().startswith("220 ")
    for c in old:
        c.write("Subject: goes on\r\n\r\n")
        c.queued(c.say("."))
        c.close()
    sink.wait(40)


def test_a_reload_is_over_when_all_have_taken_their_part(server, houses):
    houses(server)
    with open(os.path.join(server.room.work, "users"), "a",
              encoding="ascii") as f:
        f.write("# another line\n")
    users, since = server.pid("users"), server.mark()
    os.kill(users, signal.SIGSTOP)
    server.signal(signal.SIGHUP)
    time.sleep(1)
    assert not server.find_log(since, event="reloaded")
    os.kill(users, signal.SIGCONT)
    server.wait_log(since=since, event="reloaded", by=server.process.pid)
    assert server.pid("users") == users


def pages(pid):
    """Counter pages that a process has in memory."""
    with open("/proc/%d/maps" % pid, encoding="utf-8") as f:
        return sum("counters" in line for line in f)


@pytest.mark.root
def test_control_forgets_the_counters_of_whom_it_outlives(start, sink):
    p = start(sink.port)
    control = p.pid("control")
    until(lambda: pages(control) >= len(p.processes()), what="its pages")
    first = pages(control)
    for i in range(5):
        p.configure(basic(p.port, sink.port, edge="max_size %dK" % (
            100 + i), relay="idle_timeout %ds" % (1 + i)))
        told(p)
    until(lambda: len(p.processes()) == 5, what="the end of all old ones")
    until(lambda: pages(control) == first, 5, "no page more than before")
    assert p.pid("control") == control
