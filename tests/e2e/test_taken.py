"""A relay or an edge that was taken over lies to the queue: mail of others goes
its way all the same.  tests/hostile has the programs."""

import hashlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from client import Client, send
from measure import Watch, own_memory
from server import BUILD, Postern, free_port, programs
from test_submission import make_certificate, open_secure
from test_users import CHEAP, accounts, login

SOAK = os.environ.get("POSTERN_SOAK") == "1"
CONF = """
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port %d }; queue main }
queue main {
    type lmdb; path run/queue; relay good
    route to @evil.example relay evil
    route to @here.example relay back
    retry { delay 1; maximum_delay 1s }
}
relay good { type static; host 127.0.0.1; port %d }
relay evil { type static; host 127.0.0.1; port %d }
relay back { type static; host 127.0.0.1; port %d }
"""


class Taken(Postern):
    """With a hostile program in place of the honest one."""

    program = "postern-relay"

    def command(self, *args):
        mine = os.path.join(self.room.dir, "programs")
        if not os.path.isdir(mine):
            shutil.copytree(programs(), mine)
            os.chmod(mine, 0o755)
            shutil.copy2(os.path.join(BUILD, "hostile", self.program),
                         mine)
        return [os.path.join(mine, "postern"), *args]


@pytest.fixture
def taken(room):
    p = Taken(room)
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()


def test_a_taken_relay_ends_no_delivery_of_another(taken, sinks):
    good, back = sinks(), sinks()
    shut = free_port()
    good.answer = lambda verb, line, session: \
        "451 4.2.1 Later" if verb == "RCPT" and not good.is_open else None
    good.is_open = False
    port = free_port()
    taken.configure(CONF % (port, good.port, shut, back.port))
    taken.start()
    name = send(port, "ann@here.example", "bob@good.example",
                "eve@evil.example")
    taken.wait_log(event="deferred", id=name)
    # It knows the message, and has all to say on a link to a new queue.
    since = taken.mark()
    taken.kill("queue")
    taken.wait_log(since=since, event="started", role="queue")
    taken.wait_log(since=since, event="denied", peer="relay evil")
    good.is_open = True
    message, = good.wait()
    assert message.rcpts == ["bob@good.example"]
    taken.wait_log(event="delivered", id=name, rcpt="bob@good.example")
    for line in taken.find_log(event="failed"):
        assert line["rcpt"] == "eve@evil.example", line.text


@pytest.mark.heavy
def test_a_taken_relay_cannot_fill_the_queue_with_results(taken, sinks):
    """10,000 of each delivery, in a kilobyte of words: of 20 in make soak."""
    good, shut = sinks(), free_port()
    port = free_port()
    taken.configure((CONF % (port, good.port, shut, good.port)).replace(
        "queue main }", "queue main; max_recipients 10000 }", 1))
    taken.start()
    queue = taken.pid("queue")
    rcpts = ["words-%d@evil.example" % i for i in range(10000)]
    for _ in range(20 if SOAK else 2):
        send(port, "ann@here.example", *rcpts)
    with Watch([queue]) as watch:
        send(port, "ann@here.example", "bob@good.example")
        good.wait()
    print("\nresults: %d MiB" % (watch.most[queue] >> 20))
    assert taken.pid("queue") == queue
    assert watch.most[queue] < 160 << 20
    taken.signal(signal.SIGTERM)        # told twice, it does not wait for it


EDGES = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp; listener { interface 127.0.0.1; port %d }; queue main
    tls { certfile mx.pem; keyfile mx.key }
    rules { lookup_credentials staff; auth_without_tls yes }
}
edge evil {
    type smtp; listener { interface 127.0.0.1; port %d }; queue main
    tls { certfile evil.pem; keyfile evil.key }
    rules { lookup_credentials staff; auth_without_tls yes }
}
users staff { type file; path users }
queue main {
    type lmdb; path run/queue; relay out
    retry { delay 1; maximum_delay 1s }
}
relay out { type static; host 127.0.0.1; port %d }
"""


def key_id(pem):
    """By what a key is known in the vault: the digest of its public half."""
    public = subprocess.run(["openssl", "x509", "-in", pem, "-noout",
                             "-pubkey"], check=True, capture_output=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=public.stdout, check=True, capture_output=True)
    return hashlib.sha256(der.stdout).hexdigest()


class House:
    """Two edges before one queue; a client can make one of them lie."""

    def __init__(self, p, sink):
        self.p, self.sink = p, sink
        self.port, self.evil = free_port(), free_port()
        p.program = "postern-edge"
        work = p.room.work
        make_certificate(work, "mx.test.example")
        self.own = key_id(os.path.join(work, "mx.pem"))
        for kind in ("pem", "key"):
            os.rename(os.path.join(work, "mx." + kind),
                      os.path.join(work, "evil." + kind))
        make_certificate(work, "mx.test.example")
        self.pem = os.path.join(work, "mx.pem")
        self.others = key_id(self.pem)
        accounts(p, "ann:" + CHEAP)
        p.configure(EDGES % (self.port, self.evil, sink.port))
        p.start()
        self.asked = [p.pid(role) for role in ("queue", "keys", "users")]
        self.sent = 0

    def lie(self, word):
        """Whatever becomes of the one who asks for it."""
        try:
            with Client(self.evil) as c:
                c.hello("evil-%s.example" % word)
                c.write("MAIL FROM:<eve@evil.example>\r\n"
                        "RCPT TO:<bob@there.example>\r\nDATA\r\n")
                for _ in range(3):
                    c.reply()
        except (AssertionError, OSError):
            pass

    def goes_on(self):
        """The other edge is at work, by the same queue."""
        send(self.port, "ann@here.example", "bob@there.example")
        self.sent += 1
        self.sink.wait(self.sent)
        assert [self.p.pid(role) for role in
                ("queue", "keys", "users")] == self.asked

    def is_back(self, since):
        """The one that lied has made room for an honest one."""
        new = self.p.wait_log(since=since, event="started", block="evil")
        self.p.wait_log(since=since, event="ready", by=new["pid"])
        send(self.evil, "ann@here.example", "bob@there.example")
        self.sent += 1
        self.goes_on()
        assert {m.sender for m in self.sink.messages} == {"ann@here.example"}


@pytest.fixture
def house(taken, sink):
    return House(taken, sink)


@pytest.mark.parametrize("word", ["others", "twice", "length", "nobody"])
def test_a_taken_edge_that_breaks_the_rules_is_cut_off(house, word):
    since = house.p.mark()
    house.lie(word)
    house.p.wait_log(since=since, event="unlinked", peer="edge evil")
    house.goes_on()
    house.is_back(since)


@pytest.mark.parametrize("words", [["orders", "head"], ["relay", "fields"],
                                   ["resolver", "endpoints"], ["half"]])
def test_a_taken_edge_gives_no_orders(house, words):
    for word in words:
        since = house.p.mark()
        house.lie(word)
        house.goes_on()
        house.is_back(since)


def test_a_taken_edge_has_nothing_signed_that_is_not_its_own(house):
    for key, why in ((house.others, "no key of this edge"),
                     (house.own, "not what a TLS server signs")):
        since = house.p.mark()
        until = time.monotonic() + 20
        while not house.p.find_log(since, event="denied", why=why):
            # A second's ceiling may have been used up by the lie before.
            assert time.monotonic() < until, why
            at = house.p.mark()
            house.lie("sign.%s.%s" % (key[:32], key[32:]))
            house.p.wait_log(since=at, event="denied", peer="edge evil")
        house.goes_on()
        with open_secure(house, False) as c:
            c.mail("ann@here.example", "bob@there.example")
        house.sent += 1


@pytest.mark.heavy
def test_who_guesses_by_a_taken_edge_keeps_nobody_out(house):
    for _ in range(3):
        house.lie("guesses")
        for _ in range(4):
            assert login(house.port, "ann", "wheel").startswith("235")
    house.goes_on()


@pytest.mark.heavy
@pytest.mark.parametrize("word, times, most", [
    ("streams", 90, 400 << 20), ("asks", 20, 64 << 20),
    ("names", 20, 100 << 20)])
def test_a_taken_edge_cannot_fill_the_queue(house, word, times, most):
    for _ in range(times):
        house.lie(word)
    house.goes_on()
    grown = own_memory(house.p.pid("queue"))
    print("\n%s: %d MiB" % (word, grown >> 20))
    assert grown < most
    since = house.p.mark()
    house.p.kill("edge", "evil")
    house.goes_on()
    house.is_back(since)
