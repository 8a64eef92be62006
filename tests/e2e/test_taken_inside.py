"""A resolver or a queue that was taken over lies to relays and edges, a relay
to the vault: refused, and mail of others goes its way.  tests/hostile has the
programs."""

import os
import signal

from client import Client, send
from measure import Watch
from server import free_port, until
from test_submission import make_certificate
from test_taken import SOAK, key_id, taken  # noqa: F401 (a fixture)
from tool import ctl

BOB = "bob@there.example"
LATER = "retry { delay 0.2; maximum_delay 300ms }"


class House:
    """goes_on() is mail that those who lie have no hand in."""

    def __init__(self, p, program, conf, **values):
        self.p, self.port = p, free_port()
        p.program = program
        p.configure(conf % dict(values, port=self.port))
        p.start()

    def goes_on(self):
        name = send(self.port, "ann@here.example", BOB)
        self.p.wait_log(event="delivered", id=name)
        return name

    def lie(self, word):
        send(self.port, "ann@here.example", "eve@evil-%s-%d.example" % (
            word, self.p.pid("resolver")))

    def lies(self, event, *words, **wanted):
        """It is noticed as such, and all works as before."""
        since = self.p.mark()
        self.lie(*words)
        self.p.wait_log(since=since, event=event, **wanted)
        self.goes_on()


ASKS = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp; listener { interface 127.0.0.1; port %(port)d }; queue main
}
queue main { type lmdb; path run/queue; relay out; """ + LATER + """ }
relay out { type mx; port %(hop)d; connect_timeout 1s }
"""


def test_a_taken_resolver_that_breaks_the_rules_is_cut_off(taken, sink):
    house = House(taken, "postern-resolver", ASKS, hop=sink.port)
    others = [taken.pid("queue", "main"), taken.pid("edge", "in")]
    house.goes_on()
    for word in ("numbers", "records", "name", "status", "orders", "head"):
        house.lies("unlinked", word, peer="resolver resolver")
    assert others == [taken.pid("queue", "main"), taken.pid("edge", "in")]


def test_what_a_resolver_may_say_costs_its_own_mail_alone(taken, sink):
    house = House(taken, "postern-resolver", ASKS, hop=sink.port)
    relay = taken.pid("relay", "out")
    with Watch([relay]) as watch:
        house.lies("failed", "twice")
        house.lies("deferred", "many")
    assert taken.pid("relay", "out") == relay
    assert watch.growth[relay] < 16 << 20


TWO = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp; listener { interface 127.0.0.1; port %(port)d }; queue main
}
edge evil {
    type smtp; listener { interface 127.0.0.1; port %(evil)d }; queue evil
}
queue main { type lmdb; path run/queue; relay out; """ + LATER + """ }
queue evil { type lmdb; path run/evil; relay out; """ + LATER + """ }
relay out { type static; host 127.0.0.1; port %(hop)d }
"""


class Queues(House):
    """Two queues before one relay, and one of them lies when it has mail for
    evil-WORD@."""

    def __init__(self, p, hop):
        self.evil = free_port()
        super().__init__(p, "postern-queue", TWO, evil=self.evil, hop=hop)

    def lie(self, word, more=""):
        try:
            send(self.evil, "eve@here.example",
                 "evil-%s-%d%s@there.example" % (
                     word, self.p.pid("queue", "evil"), more))
        except (AssertionError, OSError):
            pass                # its edge has ended before it said goodbye


def test_a_taken_queue_that_breaks_the_rules_loses_its_link(taken, sink):
    house = Queues(taken, sink.port)
    main = taken.pid("queue", "main")
    house.goes_on()
    for word in ("counts", "twice", "text"):
        house.lies("unlinked", word, peer="queue evil")
    assert taken.pid("queue", "main") == main


def test_a_taken_queue_ends_no_delivery_of_another(taken, sinks):
    """Nor gives it text, though it knows its name."""
    sink = sinks(answer=lambda verb, line, session:
                 "451 4.2.1 Later" if "bob@" in line and sink.is_busy else
                 None)
    sink.is_busy = True
    house = Queues(taken, sink.port)
    name = send(house.port, "ann@here.example", BOB)
    taken.wait_log(event="deferred", id=name)
    house.lie("others", "-" + name)
    sink.is_busy = False
    taken.wait_log(event="delivered", id=name)
    got = [m for m in sink.wait(2) if m.rcpts == [BOB]]
    assert len(got) == 1 and "Mine" not in got[0].text


def test_a_taken_queue_cannot_fill_a_relay(taken, sink):
    house = Queues(taken, sink.port)
    relay = taken.pid("relay", "out")
    with Watch([relay]) as watch:
        since = taken.mark()
        house.lie("giants")
        taken.wait_log(since=since, event="trouble", why="a queue's "
                       "deliveries take more memory than they may: some are "
                       "tried later")
        house.goes_on()
    assert taken.pid("relay", "out") == relay
    assert watch.growth[relay] < 64 << 20


def test_a_taken_queue_and_its_next_hop_cannot_fill_a_relay(taken, sinks):
    """2,000 results that nobody settles, each in as many words as can be; in
    make soak as many as would take half a gigabyte."""
    words = "\n".join("450%s4.2.0 %s" % (c, 500 * "w") for c in "--- ")
    sink = sinks(answer=lambda verb, line, session:
                 words if "<words-" in line else None)
    house = Queues(taken, sink.port)
    relay = taken.pid("relay", "out")
    times = 250 if SOAK else 1
    with Watch([relay]) as watch:
        for n in range(1, times + 1):
            house.lie("league")
            until(lambda: sink.commands.count(
                "RCPT TO:<words-199@there.example>") >= 10 * n, 120,
                "2,000 more words")
            house.goes_on()
    grown = watch.growth[relay]
    print("\n%d results: %d MiB" % (times * 2000, grown >> 20))
    assert taken.pid("relay", "out") == relay
    assert grown < (320 << 20 if SOAK else 32 << 20)
    taken.signal(signal.SIGTERM)        # told twice, it does not wait for it


def end_of(client):
    """The reply to the end of the text; none where the process has ended."""
    try:
        client.write(".\r\n")
        return client.reply()
    except (AssertionError, OSError):
        return ""


def test_a_taken_queue_makes_its_edge_say_no_250(taken, sink):
    house = Queues(taken, sink.port)
    for word in ("grant", "taken", "credit"):
        with Client(house.evil) as c:
            c.hello()
            c.want("MAIL FROM:<eve@here.example>", 250)
            c.want("RCPT TO:<bob@there.example>", 250)
            c.want("DATA", 354)
            c.write("Subject: x\r\n\r\n" + 2000 * ("x" * 70 + "\r\n"))
            since = taken.mark()
            house.lies("unlinked", word, peer="queue evil")
            assert not end_of(c).startswith("2")
            c.close()
        if word != "credit":    # then they rest from each other
            new = taken.wait_log(since=since, event="started", role="edge",
                                 block="evil")
            taken.wait_log(since=since, event="ready", by=new["pid"])


KEYED = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp; listener { interface 127.0.0.1; port %(port)d }; queue main
    tls { certfile mx.pem; keyfile mx.key }
}
queue main {
    type lmdb; path run/queue; relay out; route to @evil.example relay evil
    """ + LATER + """
}
relay out { type static; host 127.0.0.1; port %(hop)d }
relay evil {
    type static; host 127.0.0.1; port %(hop)d
    tls { certfile evil.pem; keyfile evil.key }
}
"""


def test_a_taken_relay_has_nothing_signed_that_is_not_its_own(taken, sink):
    work = taken.room.work
    make_certificate(work, "mx.test.example")
    own = key_id(os.path.join(work, "mx.pem"))
    for kind in ("pem", "key"):
        os.rename(os.path.join(work, "mx." + kind),
                  os.path.join(work, "evil." + kind))
    make_certificate(work, "mx.test.example")
    others = key_id(os.path.join(work, "mx.pem"))
    house = House(taken, "postern-relay", KEYED, hop=sink.port)
    keys = taken.pid("keys")

    def denied(key, why):
        """Others cut it off, at times before it has asked the vault."""
        evil = taken.pid("relay", "evil")
        name = send(house.port, "ann@here.example",
                    "sign-%s-%d@evil.example" % (key, evil))
        until(lambda: taken.pids("relay", "evil") not in ([], [evil]),
              what="another life")
        until(lambda: ctl(taken, "queue", "remove", name, uid=0 if
                          taken.as_root else None).status == 0)
        return taken.find_log(event="denied", peer="relay evil", why=why)

    until(lambda: denied(others, "no key of this relay"), what="a denial")
    until(lambda: denied(own, "not what a TLS client signs"),
          what="a denial")
    house.goes_on()
    assert taken.pid("keys") == keys
