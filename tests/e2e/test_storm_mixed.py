"""The kill storm over all arrows of the picture: clients in the clear, under
TLS and logged in; next hops by SMTP, MX, LMTP and a program; and any process
but master may die."""

import base64
import os
import random
import ssl
import subprocess
import time

import pytest

from client import Client
from names import Names
from server import free_port
from sinks import Sink, Message
from test_kill import KILLS, SOON, Load, judge

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
relay out { type static; host localhost; ipv4_only yes; port %(static)d }
relay world { type mx; port %(mx)d; ipv4_only yes }
relay boxes { type lmtp; host 127.0.0.1; port %(lmtp)d }
relay prog { type pipe; args %(program)s }
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


def configure(p, sinks, names):
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
    names.zone("mx.example", "@ IN MX 10 host\nhost IN A 127.0.0.1")
    names.start()
    p.port = free_port()
    p.configure(CONF % {
        "resolver": names.resolver(), "port": p.port, "soon": SOON,
        "static": sinks[0].port, "mx": sinks[1].port, "lmtp": sinks[2].port,
        "program": os.path.join(p.room.work, "program")})


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


def storm(p, kills):
    """Kill anybody; (time, role), where a launcher counts as its relay."""
    dead, dice = [], random.Random()
    while len(dead) < kills:
        time.sleep(dice.uniform(0.05, 0.8))
        titles = p.processes()
        pid = dice.choice(sorted(titles) + launchers(p))
        title = titles.get(pid, "relay")
        role = "relay" if "relay" in title or "pipe" in title else title
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
        dead.append((time.monotonic(), role))
    return dead


def drained(all, load, end):
    """Wait until every acknowledged message is somewhere."""
    while True:
        missing = set(load.taken.values()) - {m.id for m in all.messages}
        if not missing:
            return
        assert time.monotonic() < end, (
            "%d of %d acknowledged are missing, as %s" % (
                len(missing), len(load.taken), sorted(missing)[:3]))
        time.sleep(0.5)


@pytest.mark.heavy
def test_storm_over_all_arrows_loses_nothing(server, room):
    sinks = [Sink(), Sink(), Sink()]
    names = Names(room.work)
    try:
        configure(server, sinks, names)
        server.start()
        load = MixedLoad(server.port)
        time.sleep(2)
        dead = storm(server, KILLS)
        last = time.monotonic()
        load.end()
        everywhere = Everywhere(sinks, os.path.join(room.work, "kept"))
        drained(everywhere, load, last + 60)
        took = time.monotonic() - last
        judge(everywhere, load, dead)
        for token, count in (("0-", 1), ("1-", 1), ("2-", 1)):
            assert any(t.startswith(token) for t in load.taken), token
        for sink in sinks:
            assert sink.messages
        print("\n%d acknowledged, %d sent, %d arrived, %d kills, drained "
              "%.1f s after the last" % (
                  len(load.taken), sum(load.tries.values()),
                  len(everywhere.messages), len(dead), took))
    finally:
        names.close()
        for sink in sinks:
            sink.close()
