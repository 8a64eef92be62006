"""The kill storm over all arrows of the picture: clients in the clear, under
TLS and logged in; next hops by SMTP, MX, LMTP and a program; and any process
may die, master too."""

import base64
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time

import pytest

import census
import tool
from client import Client
from dice import dice
from names import Names
from server import free_port, until
from sinks import Sink, Message
from test_kill import KILLS, SOAK, SOON, Load, judge

CONF = """
process {
    hostname mx.test.example; run_dir run
    %(resolver)s
}
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    workers 2
    queue main
    tls { certfile cert.pem; keyfile key.pem }
    rules { lookup_credentials staff }
}
users staff { type file; path users }
queue main {
    type lmdb; path run/queue
    route to @mx.example relay world
    route to @lmtp.example relay boxes
    route to @pipe.example relay prog
    relay out
    %(soon)s
}
relay out {
    type static; host localhost; port %(static)d
    ipv4_only yes; idle_timeout 1s
}
relay world { type mx; port %(mx)d; ipv4_only yes; idle_timeout 1s }
relay boxes { type lmtp; host 127.0.0.1; port %(lmtp)d; idle_timeout 1s }
relay prog { type pipe; args %(program)s; %(user)s }
"""
# A file is moved in place when it is whole.
PROGRAM = """#!/bin/sh
cd %s/kept || exit 75
file=$(mktemp new.XXXXXXXX) && cat > "$file" && mv "$file" "done${file#new}"
"""
DOMAINS = ("there.example", "mx.example", "lmtp.example", "pipe.example")
LOGIN = base64.b64encode(b"\0ann\0wheel").decode()


class MixedLoad(Load):
    """A third of the clients each: in the clear, TLS, TLS with a login."""

    def _send(self, c, token):
        n, count = (int(x) for x in token.split("-"))
        if n % 3 > 0 and not isinstance(c.sock, ssl.SSLSocket):
            self._secure(c, n % 3 == 2)
        c.write("MAIL FROM:<ann@here.example>\r\n"
                "RCPT TO:<bob@%s>\r\nDATA\r\n" % DOMAINS[count % 4])
        got = [c.reply()[:3] for _ in range(3)]
        if got != ["250", "250", "354"]:
            raise OSError(str(got))
        self.tries[token] = self.tries.get(token, 0) + 1
        size = 990 if count % 50 else 200000
        c.write("X-Token: %s\r\n\r\n%s.\r\n" % (
            token, ("x" * 98 + "\r\n") * (size // 100)))
        self.taken[token] = c.queued(c.reply())

    @staticmethod
    def _secure(c, with_login):
        c.want("STARTTLS", 220)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        c.file.close()
        c.sock = context.wrap_socket(c.sock)
        c.file = c.sock.makefile("rb")
        c.hello()
        if with_login:
            c.want("AUTH PLAIN " + LOGIN, 235)


class Everywhere:
    """All that has arrived, wherever."""

    def __init__(self, sinks, kept):
        self.sinks, self.kept = sinks, kept
        self.seen = {}

    @property
    def messages(self):
        out = [m for s in self.sinks for m in list(s.messages)]
        for name in os.listdir(self.kept):
            if name.startswith("done") and name not in self.seen:
                path = os.path.join(self.kept, name)
                with open(path, "rb") as f:
                    data = f.read().replace(b"\n", b"\r\n")
                when = (os.stat(path).st_mtime - time.time() +
                        time.monotonic())
                self.seen[name] = Message("", "", [], data, when)
        return out + list(self.seen.values())

    def quiet(self, seconds):
        cnt = -1
        while len(self.messages) != cnt:
            cnt = len(self.messages)
            time.sleep(seconds)
        return sorted(self.messages, key=lambda m: m.when)


def configure(p, sinks, names, user=None):
    """user: whose the program of the pipe is, where we are root."""
    for command in (
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=mx.test.example", "-keyout", "key.pem", "-out",
             "cert.pem"],
            ["perl", "-e", 'print "ann:", crypt("wheel", '
             '"\\$6\\$rounds=1000\\$barrow\\$"), "\\n"']):
        out = subprocess.run(command, cwd=p.room.work, check=True,
                             capture_output=True).stdout
    own = os.stat(p.room.work)
    files = {"users": (out, 0o600), "program": (
        (PROGRAM % p.room.work).encode(), 0o755)}
    for name, (text, mode) in files.items():
        with open(os.path.join(p.room.work, name), "wb") as f:
            f.write(text)
        os.chmod(os.path.join(p.room.work, name), mode)
    os.mkdir(os.path.join(p.room.work, "kept"))
    for name in ("users", "program", "kept", "key.pem", "cert.pem"):
        os.chown(os.path.join(p.room.work, name), own.st_uid, own.st_gid)
    if user:
        shutil.chown(os.path.join(p.room.work, "kept"), user)
    names.zone("mx.example", "@ IN MX 10 host\nhost IN A 127.0.0.1")
    names.start()
    p.port = free_port()
    p.configure(CONF % {
        "resolver": names.resolver(), "port": p.port, "soon": SOON,
        "static": sinks[0].port, "mx": sinks[1].port, "lmtp": sinks[2].port,
        "program": os.path.join(p.room.work, "program"),
        "user": "user " + user if user else ""})


def ctl(p, *words):
    """posternctl, as whoever runs this postern."""
    return tool.ctl(p, *words, uid=0 if p.as_root else None)


def launchers(p):
    """The children of master's children."""
    out = []
    for pid in p.processes():
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                out += [int(x) for x in f.read().split()]
        except OSError:
            pass
    return out


def kill_master(p):
    """All end with it, and it is started again as systemd would."""
    os.kill(p.process.pid, signal.SIGKILL)
    when = time.monotonic()
    p.process.wait()
    until(lambda: not census.strays(p), what="nobody without a master")
    p.start()
    return when, "relay"        # for they die as well


def storm(p, kills, master_each=0):
    """Kill anybody; (time, role), where a launcher counts as its relay.
    Every master_each-th death is master's; 0: none is."""
    dead, chance = [], dice()
    while len(dead) < kills:
        time.sleep(chance.uniform(0.05, 0.8))
        if master_each and len(dead) % master_each == master_each - 1:
            dead.append(kill_master(p))
            continue
        titles = p.processes()
        all = sorted(titles) + launchers(p)
        assert p.process.poll() is None, p.tail()
        if not all:             # the list is no snapshot
            continue
        pid = chance.choice(all)
        title = titles.get(pid, "relay")
        role = "relay" if "relay" in title or "pipe" in title else title
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
        dead.append((time.monotonic(), role))
    return dead


def drained(house, load, end):
    """Wait until every acknowledged message is somewhere."""
    while True:
        missing = set(load.taken.values()) - {
            m.id for m in house.everywhere.messages}
        if not missing:
            return
        assert time.monotonic() < end, (
            "%d of %d acknowledged are missing, as\n%s" % (
                len(missing), len(load.taken),
                story(house.p, sorted(missing)[0])))
        time.sleep(0.5)


def story(p, name):
    """All that is known of a message."""
    with p.news:
        lines = [l.text for l in p.lines if name in l.text]
    return "\n".join(lines + [ctl(p, "queue", "show", name).out])


class House:
    """A postern with all its arrows, and where they lead."""

    def __init__(self, p, user=None):
        self.p = p
        self.sinks = [Sink(), Sink(), Sink()]
        self.names = Names(p.room.work)
        self.tries = {}         # of mails that are in no load
        configure(p, self.sinks, self.names, user)
        self.everywhere = Everywhere(self.sinks, os.path.join(
            p.room.work, "kept"))
        p.start()

    def warm(self):
        """Use everything once: descriptors by title, before and after.  The
        resolver opens some when it is first asked, as one that has been
        started again may not have been."""
        fresh = census.descriptors(self.p)
        mail_everywhere(self)
        time.sleep(3)           # idle_timeout, and the end of our sessions
        return fresh, census.descriptors(self.p)

    def close(self):
        self.names.close()
        for sink in self.sinks:
            sink.close()


@pytest.fixture
def houses():
    made = []

    def make(p, user=None):
        made.append(House(p, user))
        return made[-1]
    yield make
    for h in made:
        h.close()


class Asker(threading.Thread):
    """An administrator who asks all the time. No answer is fine while control
    or a queue is away, and waiting for ever is not."""

    def __init__(self, p):
        super().__init__()
        self.p, self.answers, self.slow = p, 0, []
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.is_set():
            for words in (["status"], ["queue", "list", "--limit", "20"],
                          ["route", "bob@mx.example"]):
                begun = time.monotonic()
                try:
                    self.answers += ctl(self.p, *words).status == 0
                except subprocess.TimeoutExpired:
                    self.slow.append((words, time.monotonic() - begun))
            self.done.wait(0.3)

    def end(self):
        self.done.set()
        self.join()
        assert self.slow == []
        assert self.answers


def mail_everywhere(house):
    """To all next hops, by all edges, and nothing is put off."""
    load = MixedLoad(house.p.port, clients=0)
    for n in range(24):
        with Client(house.p.port) as c:
            c.hello()
            load._send(c, "%d-%d" % (90 + n, n))
    house.tries.update(load.tries)
    drained(house, load, time.monotonic() + 20)


def whole(house, before):
    """All processes are there and no other, each with all its links."""
    p = house.p
    until(lambda: census.titles(p) == before, what="all processes")
    until(lambda: ctl(p, "status").status in (0, 1), what="an answer")
    until(lambda: not census.zombies(p.process.pid), what="no zombies")
    until(lambda: not census.strays(p), 30, "nobody without a master")
    mail_everywhere(house)
    until(lambda: ctl(p, "queue", "list", "--json").out == "",
          what="an empty queue")


def storm_over(house, kills, master_each=9):
    """The storm, and all that must be true afterwards."""
    before = census.titles(house.p)
    load, asker = MixedLoad(house.p.port), Asker(house.p)
    time.sleep(2)
    dead = storm(house.p, kills, master_each)
    last = time.monotonic()
    load.end()
    drained(house, load, last + 60)
    took = time.monotonic() - last
    asker.end()
    load.tries.update(house.tries)
    judge(house.everywhere, load, dead)
    for token in ("0-", "1-", "2-"):
        assert any(t.startswith(token) for t in load.taken), token
    for sink in house.sinks:
        assert sink.messages
    print("\n%d acknowledged, %d sent, %d arrived, %d kills, drained "
          "%.1f s after the last" % (
              len(load.taken), sum(load.tries.values()),
              len(house.everywhere.messages), len(dead), took))
    whole(house, before)


@pytest.mark.storm
@pytest.mark.heavy
def test_storm_over_all_arrows_loses_nothing(server, houses):
    storm_over(houses(server), KILLS)


@pytest.mark.root
@pytest.mark.heavy
def test_storm_with_the_whole_sandbox_loses_nothing(root_server, houses):
    house = houses(root_server, "_postern-mail")
    idle = house.warm()
    storm_over(house, KILLS if SOAK else 10, 7)
    census.settled(root_server, *idle)


def deaths(p, words, rounds):
    """Kill all that have one of these words in their title, again and again;
    each is back before the next round."""
    for _ in range(rounds):
        old = {pid: t for pid, t in p.processes().items()
               if any(w in t for w in words)}
        assert old
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not set(old) & set(p.processes()) and sorted(
            t for t in p.processes().values()
            if any(w in t for w in words)) == sorted(old.values()),
            what="all of them again")
        time.sleep(0.2)


@pytest.mark.root
@pytest.mark.heavy
@pytest.mark.parametrize("mortal, others", [
    (("edge", "relay", "pipe"),
     ("master", "queue", "keys", "users", "resolver", "control")),
    (("queue", "keys", "users", "resolver", "control"),
     ("master", "edge", "relay", "pipe"))])
def test_storm_deaths_cost_others_no_memory_and_no_descriptors(
        server, houses, mortal, others):
    house = houses(server)
    idle = house.warm()
    load = MixedLoad(server.port)
    deaths(server, mortal, 3 if SOAK else 2)
    load.end()
    drained(house, load, time.monotonic() + 60)
    mail_everywhere(house)
    census.settled(server, *idle)
    before = census.memory(server)
    load = MixedLoad(server.port)
    deaths(server, mortal, 8 if SOAK else 4)
    load.end()
    drained(house, load, time.monotonic() + 60)
    mail_everywhere(house)
    census.settled(server, *idle)
    after = census.memory(server)
    grown = {t: after[t] - before[t] for t in after
             if any(w in t for w in others)}
    print("\n%s" % grown)
    assert max(grown.values()) < 1 << 20, grown
