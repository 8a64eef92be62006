"""Delivery reports as the sender asked for them: RFC 3461."""

import os
import re

import pytest

from client import Client, send
from server import free_port, until
from sinks import EXTENSIONS

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
}
queue main {
    type lmdb; path run/queue
    route to @dsn.example relay dsn
    route to @plain.example relay plain
    route to @lmtp.example relay lmtp
    route to @box.example relay box
    route to @prog.example relay prog
    route to @busy.example relay busy
    relay back
    retry { delay 1; maximum_delay 1s; %(retry)s }
}
relay back { type static; host 127.0.0.1; port %(back)d }
relay dsn { type static; host 127.0.0.1; port %(dsn)d }
relay plain { type static; host 127.0.0.1; port %(plain)d }
relay lmtp { type lmtp; host 127.0.0.1; port %(lmtp)d }
relay busy { type static; host 127.0.0.1; port %(busy)d }
relay box { type maildir; path "run/mail/{domain}/{user}" }
relay prog { type pipe; args /usr/bin/head -c 0 }
"""


def no_such_user(verb, line, session):
    if verb == "RCPT" and "no@" in line:
        return "550 5.1.1 No such user"
    return None


def busy(verb, line, session):
    return "450 4.2.1 Busy" if verb == "RCPT" else None


class House:
    """A queue with a relay of each kind, and the sink reports go to."""

    def __init__(self, server, sinks, retry=""):
        self.server = server
        self.back = sinks()
        self.dsn = sinks(answer=no_such_user, extensions=(*EXTENSIONS, "DSN"))
        self.plain = sinks(answer=no_such_user)
        self.lmtp = sinks(answer=no_such_user)
        self.busy = sinks(answer=busy)
        server.port = free_port()
        server.configure(CONF % dict(
            port=server.port, retry=retry,
            **{n: getattr(self, n).port
               for n in ("back", "dsn", "plain", "lmtp", "busy")}))
        server.start()

    def send(self, rcpt, notify="", envid="", sender="ann@here.example",
             more=""):
        with Client(self.server.port) as c:
            c.hello()
            c.want("MAIL FROM:<%s>%s" % (sender, " ENVID=" + envid if envid
                                         else ""), 250)
            c.want("RCPT TO:<%s>%s%s" % (rcpt, " NOTIFY=" + notify if notify
                                         else "", more), 250)
            c.want("DATA", 354)
            c.write("Subject: hello\r\n\r\nHello.\r\n")
            return c.queued(c.say("."))

    def reports(self):
        """Of each message, by its envelope id: the actions reported."""
        got = {}
        for m in self.back.messages:
            name = re.search("(?m)^Original-Envelope-Id: (.*)\r$", m.text)
            got.setdefault(name and name.group(1), []).extend(
                re.findall("(?m)^Action: (.*)\r$", m.text))
        return got


NOTIFIES = ("", "NEVER", "SUCCESS", "FAILURE", "DELAY", "SUCCESS,FAILURE")
KINDS = {"dsn": None, "plain": "relayed", "lmtp": "delivered",
         "box": "delivered", "prog": "delivered"}


def test_each_notify_gets_the_report_that_is_due_from_each_relay(
        server, sinks):
    house = House(server, sinks)
    names, due = [], {}
    for kind, success in KINDS.items():
        users = ("ok", "no") if kind in ("dsn", "plain", "lmtp") else ("ok",)
        for user in users:
            for notify in NOTIFIES:
                envid = "%s.%s.%s" % (kind, user, notify.replace(",", "."))
                names.append(house.send("%s@%s.example" % (user, kind),
                                        notify, envid))
                if user == "ok" and "SUCCESS" in notify and success:
                    due[envid] = [success]
                if user == "no" and (not notify or "FAILURE" in notify):
                    due[envid] = ["failed"]
    for name in names:
        server.wait_log(event="removed", id=name)
    house.back.wait(len(due))
    house.back.quiet(0.5)
    assert house.reports() == due
    for m in house.back.messages:
        assert (m.sender, m.rcpts) == ("", ["ann@here.example"])


def test_a_hop_with_dsn_hears_what_the_sender_asked_and_no_other(
        server, sinks):
    house = House(server, sinks)
    for kind in ("dsn", "plain", "lmtp"):
        with Client(server.port) as c:
            c.hello()
            c.want("MAIL FROM:<ann@here.example> RET=HDRS ENVID=Q+2B1+20x",
                   250)
            c.want("RCPT TO:<ok@%s.example> NOTIFY=DELAY,FAILURE "
                   "ORCPT=rfc822;Bob+2Bx@Else.example" % kind, 250)
            c.want("DATA", 354)
            c.write("Subject: hello\r\n\r\nHello.\r\n")
            server.wait_log(event="removed", id=c.queued(c.say(".")))
    said = [l for l in house.dsn.commands if l[:4] in ("MAIL", "RCPT")]
    assert said[0].endswith(" RET=HDRS ENVID=Q+2B1+20x")
    assert said[1] == ("RCPT TO:<ok@dsn.example> NOTIFY=FAILURE,DELAY "
                       "ORCPT=rfc822;Bob+2Bx@Else.example")
    for hop in (house.plain, house.lmtp):
        for word in ("RET=", "ENVID=", "NOTIFY=", "ORCPT="):
            assert not [l for l in hop.commands if word in l]


def test_a_delay_is_told_once_to_those_who_want_it(server, sinks):
    house = House(server, sinks, "warn_after 1s; lifetime 1h")
    names = {n: house.send("bob@busy.example", n, "x" + n.replace(",", "."))
             for n in ("", "NEVER", "FAILURE", "DELAY")}
    house.send("bob@busy.example", "DELAY", "null", sender="")
    house.back.wait(2)
    for name in names.values():
        server.wait_log(event="deferred", id=name, count=4)
    house.back.quiet(0.5)
    assert house.reports() == {"x": ["delayed"], "xDELAY": ["delayed"]}
    for m in house.back.messages:
        assert "Will-Retry-Until: " in m.text
        assert "450 4.2.1 Busy" in m.text


def test_what_was_asked_survives_a_kill_and_so_does_that_it_was_told(
        server, sinks):
    house = House(server, sinks, "warn_after 1s; lifetime 1h")
    house.plain.close()
    name = house.send("ok@plain.example", "SUCCESS,DELAY", "kept",
                      more=" ORCPT=rfc822;Bob@Else.example")
    house.back.wait(1)
    server.kill("queue", "main")
    mark = server.mark()
    server.wait_log(event="ready", since=mark)
    server.wait_log(event="deferred", id=name, since=mark)
    sinks(port=house.plain.port)
    house.back.wait(2)
    house.back.quiet(0.5)
    assert house.reports() == {"kept": ["delayed", "relayed"]}
    for m in house.back.messages:
        assert "Original-Recipient: rfc822; Bob@Else.example\r\n" in m.text


def test_wrong_parameters_are_refused_and_helo_has_none(server, sinks):
    house = House(server, sinks)
    with Client(server.port) as c:
        assert "DSN" in c.hello()
        for wrong in ("RET=ALL", "ENVID=a+zz", "ENVID=" + 101 * "x",
                      "RET=FULL RET=FULL"):
            c.want("MAIL FROM:<ann@here.example> " + wrong, 501)
        c.want("MAIL FROM:<ann@here.example>", 250)
        for wrong in ("NOTIFY=NEVER,DELAY", "NOTIFY=SOON", "ORCPT=bob",
                      "ORCPT=rfc822;" + 494 * "x", "NOTIFY=DELAY NOTIFY=DELAY",
                      "ORCPT=utf-8;\u00e4@x"):
            c.want("RCPT TO:<ok@plain.example> " + wrong, 501)
        c.want("RSET", 250)
        c.want("HELO here.example", 250)
        c.want("MAIL FROM:<ann@here.example> RET=FULL", 555)
    assert house.back.messages == []
