"""What EHLO promises, the whole house keeps: every word of it against relays of
every type (local is in test_local.py), with one recipient who has his mail and
one who is refused later, so that the sender has a bounce.  It is kept, or
refused before 250."""

import base64
import os
import re
import ssl

import pytest

from client import Client, QUEUED
from peers import Dovecot
from server import free_port, until
from sinks import EXTENSIONS
from test_submission import PASSWORD, USER, make_certificate, make_users

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

HEAD = """
process { hostname mx.test.example; run_dir run }
users staff { type file; path users }
relay back { type static; host 127.0.0.1; port %d }
"""
HOUSE = """
edge %(kind)s {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    tls { certfile mx.pem; keyfile mx.key }
    binarymime yes
    rules { lookup_credentials staff; auth_without_tls yes }
    queue %(kind)s
}
queue %(kind)s {
    type lmdb; path run/%(kind)s
    route from <> relay back
    relay %(kind)s
    bounce_relay back
    retry { delay 1; maximum_delay 1s }
}
relay %(kind)s { %(words)s }
"""
HOP = "type static; host 127.0.0.1; port %d"
FEW = ("PIPELINING", "SIZE 2000")
ANN, JORG = "ann@here.example", "jörg@here.example"
GREETING = "Grüße aus Köln"
PROGRAM = """#!/bin/sh
cat >/dev/null
for last; do :; done
case "$last" in no@*|n*ö@*) exit 67;; esac
"""


def no_such_user(verb, line, session):
    if verb == "RCPT" and re.search("<n(o|ö)@", line):
        return "550 5.1.1 No such user"
    return None


class House:
    """An edge, a queue and a relay of each kind; all bounces go to `back`."""

    def __init__(self, server, sinks):
        self.server, self.ports = server, {}
        self.dovecot = Dovecot(server.room.work, {"yes": "x"})
        self.back = sinks()
        self.sinks = {
            "mx": sinks(answer=no_such_user, extensions=(
                *EXTENSIONS, "DSN", "CHUNKING", "BINARYMIME")),
            "full": sinks(answer=no_such_user,
                          extensions=(*EXTENSIONS, "DSN")),
            "few": sinks(answer=no_such_user, extensions=FEW),
            "lmtp": sinks(answer=no_such_user)}
        hop = {k: s.port for k, s in self.sinks.items()}
        self.kinds = {
            "mx": "type mx; force_mx there.example 127.0.0.1@%d" % hop["mx"],
            "full": HOP % hop["full"],
            "few": HOP % hop["few"],
            "lmtp": (HOP % hop["lmtp"]).replace("static", "lmtp"),
            "dovecot": "type lmtp; path %s" % self.dovecot.path,
            "prog": 'type pipe; args %s "{recipient}"' % self.program(),
            "sort": 'type maildrop; path %s; extra_args "{recipient}"' %
                    self.program(),
            "agent": "type dovecot; path %s" % self.program(),
            "box": 'type maildir; path "run/mail/{user}"',
            "hole": "type blackhole"}
        self.start()

    def program(self):
        path = os.path.join(self.server.room.work, "program")
        with open(path, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(path, 0o755)
        return path

    def start(self):
        make_certificate(self.server.room.work, "mx.test.example", "ec")
        make_users(self.server.room.work)
        text = HEAD % self.back.port
        for kind, words in self.kinds.items():
            self.ports[kind] = free_port()
            text += HOUSE % {"kind": kind, "port": self.ports[kind],
                             "words": words}
        self.server.configure(text)
        self.server.start()
        self.learn()

    def learn(self):
        """Each next hop has been asked what it can."""
        names = []
        for kind, port in self.ports.items():
            with Client(port) as c:
                c.hello()
                names += [c.mail("", "ann@here.example"),
                          c.mail(ANN, "yes@there.example")]
        for name in names:
            self.server.wait_log(event="removed", id=name)

    def offers(self, kind):
        """The words of EHLO, with what stands behind each."""
        with Client(self.ports[kind]) as c:
            lines = c.hello().split("\n")[1:]
        return dict((line[4:] + " ").split(" ", 1) for line in lines)

    def close(self):
        self.dovecot.close()


class Cell(Client):
    """A word of EHLO tried with one kind of relay."""

    is_ascii_only = is_text_only = False

    def deliver(self, text="Subject: x\r\n\r\nx\r\n", sender=ANN, params="",
                rcpt="", who=("yes", "no")):
        self.want("MAIL FROM:<%s>%s" % (sender, params), 250)
        for user in who:
            self.want("RCPT TO:<%s@there.example>%s" % (user, rcpt), 250)
        self.want("DATA", 354)
        self.write(text)
        return self.queued(self.say("."))


def try_8bitmime(c, offer):
    return c.deliver("Subject: x\r\n\r\nKöln\r\n", params=" BODY=8BITMIME")


def try_smtputf8(c, offer):
    if c.is_ascii_only:
        c.want("MAIL FROM:<%s> SMTPUTF8" % JORG, 250)
        c.want("RCPT TO:<yes@there.example>", "553 5.6.7")
        return None
    return c.deliver("Subject: %s\r\n\r\nKöln\r\n" % GREETING, JORG,
                     " SMTPUTF8 BODY=8BITMIME", who=("yes", "nö"))


def try_dsn(c, offer):
    return c.deliver(params=" RET=HDRS ENVID=promise",
                     rcpt=" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@a.example")


def try_size(c, offer):
    c.want("MAIL FROM:<%s> SIZE=%d" % (ANN, int(offer) + 1), 552)
    text = "Subject: x\r\n\r\n" + "0123456789\r\n" * 300
    return c.deliver(text, params=" SIZE=%d" % len(text))


def try_pipelining(c, offer):
    c.write("MAIL FROM:<%s>\r\nRCPT TO:<yes@there.example>\r\n"
            "RCPT TO:<no@there.example>\r\nDATA\r\n" % ANN)
    assert [c.reply()[:3] for _ in range(4)] == ["250"] * 3 + ["354"]
    c.write("Subject: x\r\n\r\nx\r\n.\r\nNOOP\r\n")
    name = QUEUED.match(c.reply()).group(1)
    assert c.reply()[:3] == "250"
    return name


def try_enhancedstatuscodes(c, offer):
    for line in ("RSET", "MAIL FROM:<x", "NOOP", "NONSENSE", "RCPT TO:<a@b>"):
        assert re.match(r"(\d)\d\d \1\.\d+\.\d+ ", c.say(line)), line
    return c.deliver()


def try_starttls(c, offer):
    c.want("STARTTLS", 220)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    c.file.close()
    c.sock = context.wrap_socket(c.sock)
    c.file = c.sock.makefile("rb")
    c.hello()
    return c.deliver()


def try_auth(c, offer):
    assert "PLAIN" in offer.split()
    c.want("AUTH PLAIN " + base64.b64encode(
        ("\0%s\0%s" % (USER, PASSWORD)).encode()).decode(), 235)
    return c.deliver()


def try_chunking(c, offer):
    c.write("MAIL FROM:<%s>\r\nRCPT TO:<yes@there.example>\r\n"
            "RCPT TO:<no@there.example>\r\n"
            "BDAT 14\r\nSubject: x\r\n\r\nBDAT 8 LAST\r\n.\r\nKöln" % ANN)
    assert [c.reply()[:3] for _ in range(4)] == ["250"] * 4
    return c.queued(c.reply())


def try_binarymime(c, offer):
    text = b"Subject: x\r\n\r\n\0\r.\n.\r\n.\r\nMAIL\xff"
    c.want("MAIL FROM:<%s> BODY=BINARYMIME" % ANN, 250)
    for user in ("yes", "no"):
        c.want("RCPT TO:<%s@there.example>" % user,
               "550 5.6.1 " if c.is_text_only else 250)
    if c.is_text_only:
        return None
    c.want("DATA", 503)
    c.write(b"BDAT %d LAST\r\n" % len(text) + text)
    return c.queued(c.reply())


WORDS = {"BINARYMIME": try_binarymime,
         "8BITMIME": try_8bitmime, "SMTPUTF8": try_smtputf8, "DSN": try_dsn,
         "SIZE": try_size, "PIPELINING": try_pipelining,
         "ENHANCEDSTATUSCODES": try_enhancedstatuscodes,
         "CHUNKING": try_chunking, "STARTTLS": try_starttls, "AUTH": try_auth}
# Have no SMTPUTF8: it is offered for the sake of `back', and they refuse it.
ASCII_ONLY = {"few", "dovecot"}
REFUSES_NOBODY = {"box", "hole"}
TEXT_ONLY = {"full", "few", "lmtp", "dovecot", "prog", "sort", "agent",
             "box"}
# What a next hop lacks, and its sender is told: a size is no promise that all
# the world takes so much.
MAY_BOUNCE = {("few", "SIZE")}


def run_cells(house):
    """By kind and word, the id that its message was queued under."""
    names = {}
    for kind, port in house.ports.items():
        until(lambda: "SMTPUTF8" in house.offers(kind), what=kind)
        offered = house.offers(kind)
        assert set(offered) <= set(WORDS), "a word without a test"
        for word, offer in offered.items():
            with Cell(port) as c:
                c.hello()
                c.is_ascii_only = kind in ASCII_ONLY
                c.is_text_only = kind in TEXT_ONLY
                name = WORDS[word](c, offer.strip())
                if name is not None:
                    names[kind, word] = name
    return names


def told(p, name, event):
    return {line["rcpt"][:1] for line in p.find_log(id=name, event=event)}


def test_each_word_is_kept_by_each_relay_and_no_bounce_is_lost(server, sinks):
    house = House(server, sinks)
    try:
        names = run_cells(house)
        for name in names.values():
            server.wait_log(event="removed", id=name)
        for (kind, word), name in names.items():
            done, failed = (told(server, name, e)
                            for e in ("delivered", "failed"))
            if (kind, word) in MAY_BOUNCE:
                assert "n" in failed and "y" in done | failed, (kind, word)
            elif kind in REFUSES_NOBODY:
                assert (done, failed) == ({"y", "n"}, set()), (kind, word)
            else:
                assert (done, failed) == ({"y"}, {"n"}), (kind, word)
            if failed:
                assert server.find_log(event="bounced", of=name), (kind, word)
        for line in server.find_log(event="bounced"):
            server.wait_log(event="delivered", id=line["id"])
        assert not server.find_log(event="discarded")
        for kind in ("mx", "full"):
            assert any("NOTIFY=SUCCESS,FAILURE" in c
                       for c in house.sinks[kind].commands)
        for kind in ("mx", "full", "lmtp"):
            assert any(GREETING in m.text and m.sender == JORG
                       for m in house.sinks[kind].messages)
    finally:
        house.close()
