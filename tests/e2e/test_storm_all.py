"""The kill storm over all ways in at once: DATA, BDAT, LMTP, a proxy, sendmail
with the drop directory, to a next hop and to mailboxes of this host, as root.
Any process may die, master too."""

import calendar
import grp
import mailbox
import os
import pwd
import re
import shutil
import subprocess
import threading
import time

import pytest

from client import Client
from server import free_port
from sinks import EXTENSIONS, Sink
from test_kill import SOAK, SOON
from test_local import ANN, people  # noqa: F401, a fixture
from test_storm_mixed import storm
from tool import LOCAL, sendmail

KILLS = int(os.environ.get("POSTERN_KILLS") or 100)
CLIENTS = 2             # of each way
CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp; workers 2
    listener { interface 127.0.0.1; port %(smtp)d }
    queue main
}
edge mda {
    type lmtp
    listener { interface 127.0.0.1; port %(lmtp)d }
    queue main
}
edge through {
    type smtp
    listener { interface 127.0.0.1; port %(proxy)d }
    relay hop
}
edge drop { type drop; path drop; queue main }
queue main {
    type lmdb; path run/queue
    route to @users.example relay users
    relay out
    %(soon)s
}
relay out { type static; host 127.0.0.1; port %(out)d; idle_timeout 1s }
relay hop { type static; host 127.0.0.1; port %(hop)d; idle_timeout 1s }
relay users { type local; path "%(mail)s/{user}" }
""" + LOCAL
THERE, HERE = "bob@there.example", ANN + "@users.example"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Arrived:
    """A copy of a message, where it came to."""

    def __init__(self, place, token, name, when):
        self.place, self.token = place, token
        self.name, self.when = name, when


class Way:
    """Clients that note what was acknowledged, and send again what was not."""

    def __init__(self, house):
        self.house, self.name = house, type(self).__name__.lower()
        self.stop = threading.Event()
        self.taken = {}         # token -> where it has to arrive
        self.tries = {}         # token -> how often it was sent
        self.threads = [threading.Thread(target=self._run, args=(n,),
                                         daemon=True)
                        for n in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def _run(self, n):
        count, c = 0, None
        while not self.stop.is_set():
            count += 1
            token = "%s-%d-%d" % (self.name, n, count)
            while token not in self.taken:
                try:
                    c = c or self.open()
                    self.taken[token] = self.send(c, token, count)
                except (AssertionError, OSError,
                        subprocess.TimeoutExpired):
                    if c is not None:
                        c.close()
                    c = None
                    time.sleep(0.05)
        if c is not None:
            c.close()

    def tried(self, token):
        self.tries[token] = self.tries.get(token, 0) + 1

    def open(self):
        c = Client(self.house.ports[self.port])
        c.sock.settimeout(20)
        c.hello()
        return c

    @staticmethod
    def text(token, count):
        lines = 2500 if count % 40 == 0 else 10
        return "X-Token: %s\r\n\r\n%s" % (token,
                                         ("x" * 78 + "\r\n") * lines)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


class Data(Way):
    port = "smtp"

    def send(self, c, token, count):
        rcpt = HERE if count % 3 == 0 else THERE
        c.begin("ann@here.example", rcpt)
        self.tried(token)
        c.write(self.text(token, count) + ".\r\n")
        c.queued(c.reply())
        return {"box" if rcpt == HERE else "out"}


class Bdat(Way):
    port = "smtp"

    def send(self, c, token, count):
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<%s>" % THERE, 250)
        text = self.text(token, count).encode()
        self.tried(token)
        for part, last in ((text[:100], ""), (text[100:], " LAST")):
            c.write(b"BDAT %d%s\r\n" % (len(part), last.encode()) + part)
            reply = c.reply()
            assert reply.startswith("250 "), reply
        c.queued(reply)
        return {"out"}


class Lmtp(Way):
    port = "lmtp"

    def open(self):
        c = Client(self.house.ports["lmtp"])
        c.sock.settimeout(20)
        c.want("LHLO here.example", 250)
        return c

    def send(self, c, token, count):
        c.begin("ann@here.example", THERE, HERE)
        self.tried(token)
        c.write(self.text(token, count) + ".\r\n")
        replies = [c.reply(), c.reply()]        # one for each recipient
        assert all(r.startswith("250 ") for r in replies), replies
        return {"out", "box"}


class Proxy(Way):
    port = "proxy"

    def send(self, c, token, count):
        c.begin("ann@here.example", THERE)
        self.tried(token)
        c.write(self.text(token, count) + ".\r\n")
        reply = c.reply()
        assert reply.startswith("250 "), reply
        return {"hop"}


class Nobody:
    """sendmail opens a connection of its own."""

    def close(self):
        pass


class Sendmail(Way):
    def open(self):
        return Nobody()

    def send(self, c, token, count):
        self.tried(token)
        got = sendmail(self.house.p, "-f", "ann@here.example",
                       HERE if count % 2 else THERE,
                       stdin=self.text(token, count).replace("\r", ""))
        assert got.status == 0, got.err
        time.sleep(0.05)
        return {"box" if count % 2 else "out"}


WAYS = (Data, Bdat, Lmtp, Proxy, Sendmail)


class House:
    def __init__(self, p):
        self.p = p
        self.out = Sink()
        self.hop = Sink(extensions=(*EXTENSIONS, "CHUNKING"))
        self.mail = os.path.join(p.room.work, "mail")
        os.mkdir(self.mail)
        os.chown(self.mail, 0, grp.getgrnam("mail").gr_gid)
        os.chmod(self.mail, 0o2775)
        drop = os.path.join(p.room.work, "drop")
        os.mkdir(drop)
        owner = pwd.getpwnam("_postern-drop")
        os.chown(drop, owner.pw_uid, owner.pw_gid)
        os.chmod(drop, 0o3733)
        self.ports = {w: free_port() for w in ("smtp", "lmtp", "proxy")}
        p.configure(CONF % dict(
            self.ports, soon=SOON, out=self.out.port, hop=self.hop.port,
            mail=self.mail))
        p.start()

    def close(self):
        self.out.close()
        self.hop.close()

    def arrived(self):
        """All copies, those of a place in the order they came."""
        out = []
        for place, sink in (("out", self.out), ("hop", self.hop)):
            for m in list(sink.messages):
                token = m.header("X-Token")
                if token:
                    out.append(Arrived(place, token[0], m.id, m.when))
        path = os.path.join(self.mail, ANN)
        if os.path.exists(path):
            shutil.copyfile(path, path + ".seen")
            off = time.monotonic() - time.time()
            for m in mailbox.mbox(path + ".seen", create=False):
                when = calendar.timegm(time.strptime(m.get_from()[-24:]))
                out.append(Arrived("box", m["X-Token"], ID.search(
                    m["Received"]).group(0), when + off))
            os.unlink(path + ".seen")
        return out


@pytest.fixture
def house(root_server, people):  # noqa: F811
    h = House(root_server)
    yield h
    h.close()


def missing(house, ways):
    there = {(a.place, a.token) for a in house.arrived()}
    return sorted((place, token) for w in ways
                  for token, places in dict(w.taken).items()
                  for place in places if (place, token) not in there)


def judge(house, ways, dead):
    """What came twice may have: a relay died in between, or its client was
    not told of the first."""
    relays = [when for when, role in dead
              if role == "relay" or "relay" in role or "local" in role]
    copies, names = {}, {}
    for a in house.arrived():
        if a.place != "hop":
            copies.setdefault((a.place, a.name), []).append(a.when)
        names.setdefault((a.place, a.token), []).append(a.name)
    doubled = 0
    for what, whens in copies.items():
        for first, again in zip(whens, whens[1:]):
            doubled += 1
            assert any(first - 2 < when < again + 1 for when in relays), (
                "%s came twice and no relay died in between" % (what,))
    tries = {token: cnt for w in ways if not isinstance(w, Sendmail)
             for token, cnt in w.tries.items()}
    for (place, token), got in names.items():
        if token in tries:      # what sendmail leaves is its own to resend
            cnt = len(got) if place == "hop" else len(set(got))
            assert cnt <= tries[token], "%s was sent %d times, came %d" % (
                token, tries[token], cnt)
    return doubled


if SOAK:
    @pytest.mark.root
    @pytest.mark.storm
    @pytest.mark.heavy
    def test_storm_over_all_ways_in_loses_nothing(house):
        ways = [way(house) for way in WAYS]
        time.sleep(2)
        dead = storm(house.p, KILLS, master_each=9)
        last = time.monotonic()
        for w in ways:
            w.end()
        while missing(house, ways):
            assert time.monotonic() < last + 180, missing(house, ways)[:5]
            time.sleep(0.5)
        took = time.monotonic() - last
        time.sleep(3)           # a second copy would follow soon
        doubled = judge(house, ways, dead)
        print("\n%d kills, %d of master; drained %.1f s after the last; "
              "%d copies more than one" % (
                  len(dead), len(dead) // 9, took, doubled))
        for w in ways:
            print("%s: %d acknowledged, %d sent" % (
                w.name, len(w.taken), sum(w.tries.values())))
            assert w.taken
