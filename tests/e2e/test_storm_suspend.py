"""Relays and destinations are suspended and resumed at random under load, while
the queue and the relays are killed: nothing is handed to what is suspended,
nothing that was acknowledged is lost, all goes when it may."""

import json
import os
import time

import pytest

from dice import dice
from server import until
from test_kill import SOAK, Load
from test_suspend import House

ROUNDS = 40 if SOAK else 3
DOMAINS = ("box.example", "far.example", "near.example")
THINGS = ((("relay", "box"), "box.example"),
          (("destination", "box.example"), "box.example"),
          (("destination", "far.example"), "far.example"),
          (("destination", "Near.Example.", "--relay", "out"),
           "near.example"))


class Spread(Load):
    """Each client's mails go to one domain after the other."""

    def _send(self, c, token):
        domain = DOMAINS[int(token.partition("-")[2]) % len(DOMAINS)]
        c.write("MAIL FROM:<ann@here.example>\r\n"
                "RCPT TO:<bob@%s>\r\nDATA\r\n" % domain)
        got = [c.reply()[:3] for _ in range(3)]
        if got != ["250", "250", "354"]:
            raise OSError(str(got))
        self.tries[token] = self.tries.get(token, 0) + 1
        c.write("X-Token: %s\r\n\r\nx\r\n.\r\n" % token)
        self.taken[token] = c.queued(c.reply())
        time.sleep(0.02)


def arrived(house):
    return [m for s in (house.out, house.box) for m in list(s.messages)]


def count(house, domain):
    return sum(m.rcpts[0].endswith("@" + domain) for m in arrived(house))


def said(house, *words):
    """Said until the queue is there to hear it; then it is so, or was."""
    until(lambda: house.try_ctl(*words))


def at_rest(house, domain):
    """Nothing of it is in a relay's hands any more."""
    got = house.try_ctl("queue", "list", "--json", "--to", "@" + domain)
    return got and not any(
        r["status"] == "active" for line in got.out.splitlines()
        for r in json.loads(line)["recipients"])


@pytest.mark.storm
@pytest.mark.heavy
def test_storm_hands_nothing_to_what_is_suspended(server, sinks):
    chance = dice()
    house = House(server, sinks).start()
    load = Spread(server.port, clients=4)
    for _ in range(ROUNDS):
        words, domain = chance.choice(THINGS)
        said(house, "suspend", *words, "--reason", "storm")
        until(lambda: at_rest(house, domain))
        before = count(house, domain)
        for _ in range(chance.randrange(3 if SOAK else 2)):
            pids = server.pids(chance.choice(("queue", "relay")))
            if pids:
                os.kill(chance.choice(pids), 9)
            time.sleep(chance.uniform(0.1, 0.4))
        assert count(house, domain) == before, words
        said(house, "resume", *words)
    load.end()
    until(lambda: set(load.taken.values()) <= {m.id for m in arrived(house)},
          60, "the last of them")
    assert house.suspended() == []
