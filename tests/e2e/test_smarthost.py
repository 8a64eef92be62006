"""Relay type static with TLS and a login; with Postfix's smtpd at the other
end where it is about what others do."""

import os
import re
import shutil
import signal

import pytest

import test_aliases
from client import Client, send
from peers import Authority, Dovecot, Postfix
from server import free_port, until
from sinks import EXTENSIONS, Sink
from tool import sendmail

SECRET = "s3kr1t-of-ann"
CODED = "AGFubgBzM2tyMXQtb2YtYW5u"      # PLAIN's base64 of it
BLOCKS = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb
    path run/queue
    relay out
    retry { delay 1; maximum_delay 1s }
}
relay out { type static; host %s; port %d; %s }
"""


def configure(server, host, port, more):
    server.port = free_port()
    server.configure(BLOCKS % (server.port, host, port, more))


def login(server, password=SECRET):
    path = os.path.join(server.room.work, "password")
    with open(path, "w", encoding="ascii") as f:
        f.write(password + "\nand a second line\n")
    os.chmod(path, 0o600)
    owner = os.stat(server.room.work)
    os.chown(path, owner.st_uid, owner.st_gid)
    return "credentials { username ann; password_file %s }" % path


def one(server):
    return send(server.port, "ann@here.example", "bob@there.example")


class House:
    """Postfix with its Dovecot for logins and a sink behind it."""

    def __init__(self, room):
        self.ca = Authority(room.work)
        self.sink = Sink()
        self.dovecot = Dovecot(room.dir, {"ann": SECRET})
        self.room = room
        self.postfix = None

    def open(self, *names, **more):
        self.postfix = Postfix(self.room.dir, self.sink.port,
                               self.dovecot.auth,
                               self.ca.issue(*names or ("IP:127.0.0.1",)),
                               **more)
        return self.postfix

    def close(self):
        if self.postfix:
            self.postfix.close()
        self.dovecot.close()
        self.sink.close()


@pytest.fixture
def house(room):
    h = House(room)
    yield h
    h.close()


def verified(house):
    return "tls { security verified; ca_certs %s }; " % house.ca.cert


@pytest.mark.root
def test_postfix_hears_what_is_asked_of_reports_and_answers(root_server,
                                                            house):
    """Its own next hop has no DSN: so it says "relayed", and we nothing."""
    postfix = house.open()
    configure(root_server, "127.0.0.1", postfix.port,
              verified(house) + login(root_server))
    p = root_server.start()
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example> RET=HDRS ENVID=Q+2B1", 250)
        c.want("RCPT TO:<bob@there.example> NOTIFY=SUCCESS "
               "ORCPT=rfc822;Bob+2Bx@Else.example", 250)
        c.want("DATA", 354)
        c.write("Subject: hello\r\n\r\nHello.\r\n")
        name = c.queued(c.say("."))
    p.wait_log(event="removed", id=name)
    report = next(m for m in house.sink.wait(2) if m.sender == "")
    assert report.rcpts == ["ann@here.example"]
    for field in ("Reporting-MTA: dns; hop.test.example",
                  "Original-Envelope-Id: Q+1", "Action: relayed",
                  "Original-Recipient: rfc822;Bob+x@Else.example"):
        assert field in report.text, report.text
    assert p.find_log(event="bounced") == []
    assert len(house.sink.quiet(0.5)) == 2


@pytest.mark.root
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("at_once", [False, True])
def test_postfix_takes_mail_after_tls_and_login(root_server, house, mechanism,
                                                at_once):
    postfix = house.open(mechanisms=mechanism.lower())
    configure(root_server, "127.0.0.1",
              postfix.tls_port if at_once else postfix.port,
              verified(house) + login(root_server) +
              ("; tls_immediately yes" if at_once else ""))
    p = root_server.start()
    for _ in range(3):
        name = one(p)
        got = p.wait_log(event="delivered", id=name)
        assert "queued as" in got["reply"]
    mails = house.sink.wait(3)
    received = mails[0].header("Received")[0]
    assert "ESMTPSA" in received and "Authenticated sender: ann" in received
    log = postfix.log()
    assert "sasl_method=%s, sasl_username=ann" % mechanism in log
    assert len(re.findall("TLS connection established", log)) == 1
    assert SECRET not in "\n".join(l.text for l in p.lines)


@pytest.mark.root
def test_a_name_is_verified_that_the_resolver_knows(server, house):
    postfix = house.open("DNS:localhost")
    configure(server, "localhost", postfix.port,
              verified(house) + login(server))
    p = server.start("-d")
    p.wait_log(event="delivered", id=one(p))
    assert p.find_log(event="secured", verified="yes")


@pytest.mark.root
@pytest.mark.parametrize("wrong", ["name", "root"])
def test_the_wrong_certificate_gets_neither_mail_nor_password(server, house,
                                                              wrong):
    postfix = house.open("DNS:else.example" if wrong == "name"
                         else "IP:127.0.0.1")
    ca = (house.ca if wrong == "name" else
          Authority(server.room.work, "other"))
    configure(server, "127.0.0.1", postfix.port,
              "tls { security verified; ca_certs %s }; " % ca.cert +
              login(server))
    p = server.start()
    name = one(p)
    got = p.wait_log(event="deferred", id=name, count=2)
    assert (got["code"], got["reply"]) == (
        "454", "4.7.5 Unable to verify certificates")
    assert p.find_log(event="tls_failed") != []
    assert "sasl_username" not in postfix.log()
    assert house.sink.messages == [] and p.find_log(event="failed") == []
    # It waits for the administrator.
    p.stop()
    configure(server, "127.0.0.1", postfix.port,
              "tls { security required }; " + login(server))
    p.start()
    p.wait_log(event="delivered", id=name)


@pytest.mark.root
def test_roots_may_be_a_directory_that_each_reload_reads(root_server, house):
    """As /etc/ssl/certs: others' roots, links that lead nowhere, a key."""
    postfix = house.open()
    roots = os.path.join(root_server.room.work, "roots")
    os.mkdir(roots)
    other = Authority(root_server.room.work, "other")
    shutil.copy(other.cert, os.path.join(roots, "other.pem"))
    shutil.copy(other.key, os.path.join(roots, "key.pem"))
    os.symlink("/nowhere", os.path.join(roots, "gone.crt"))
    configure(root_server, "127.0.0.1", postfix.port,
              "tls { security verified; ca_certs %s }; " % roots +
              login(root_server))
    p = root_server.start()
    name = one(p)
    p.wait_log(event="deferred", id=name, code="454")
    shutil.copy(house.ca.cert, os.path.join(roots, "0a1b2c3d.0"))
    p.signal(signal.SIGHUP)
    p.wait_log(event="delivered", id=name)


@pytest.mark.heavy
@pytest.mark.root
def test_a_wrong_password_costs_only_time_and_is_told_nobody(server, house):
    postfix = house.open()
    configure(server, "127.0.0.1", postfix.port,
              verified(house) + login(server, "wr0ng-w0rd"))
    p = server.start("-d")
    name = one(p)
    got = p.wait_log(event="deferred", id=name, count=2)
    assert got["code"] == "535"
    assert p.find_log(event="failed") == []
    text = "\n".join(l.text for l in p.lines)
    assert "wr0ng" not in text and "AUTH" not in text
    p.stop()
    configure(server, "127.0.0.1", postfix.port,
              verified(house) + login(server))
    p.start()
    p.wait_log(event="delivered", id=name)


@pytest.mark.root
@pytest.mark.heavy      # slow to look through a sanitizer's memory
def test_only_the_relay_knows_the_password(root_server, house):
    postfix = house.open()
    configure(root_server, "127.0.0.1", postfix.port,
              verified(house) + login(root_server))
    p = root_server.start()
    p.wait_log(event="delivered", id=one(p))
    knows = [title for pid, title in p.processes().items()
             if holds(pid, SECRET.encode()) or holds(pid, CODED.encode())]
    assert len(knows) == 1 and "relay out" in knows[0], knows
    assert not holds(p.process.pid, SECRET.encode())


def holds(pid, what):
    """Does any memory of the process hold these bytes?"""
    with open("/proc/%d/maps" % pid, encoding="ascii") as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            first, last = (int(n, 16) for n in line.split()[0].split("-"))
            if ("r" not in line.split()[1] or "[v" in line or
                    last - first > 1 << 30):    # the queue's map
                continue
            try:
                mem.seek(first)
                if what in mem.read(last - first):
                    return True
            except (OSError, ValueError):
                continue
    return False


# Next hops that no good server would be.

def starttls(reply):
    """A sink that offers STARTTLS, replies so to it, and knows no TLS."""
    return Sink(extensions=EXTENSIONS + ("STARTTLS",),
                answer=lambda verb, line, session:
                reply if verb == "STARTTLS" else None)


@pytest.mark.parametrize("reply", ["220 Go on", "454 4.7.0 Not now",
                                   "502 5.5.1 What?"])
def test_opportunistic_tls_that_fails_ends_in_the_clear(server, reply):
    sink = starttls(reply)
    configure(server, "127.0.0.1", sink.port, "")
    p = server.start()
    name = one(p)
    assert [m.id for m in sink.wait()] == [name]
    p.wait_log(event="delivered", id=name)
    assert len(p.find_log(event="downgraded")) == 1
    assert p.find_log(event="deferred") == [] and sink.connections == 2
    sink.close()


@pytest.mark.parametrize("reply", ["220 Go on", "454 4.7.0 Not now"])
def test_required_tls_that_fails_ends_nowhere(server, reply):
    sink = starttls(reply)
    configure(server, "127.0.0.1", sink.port, "tls { security required }")
    p = server.start()
    name = one(p)
    got = p.wait_log(event="deferred", id=name, count=2)
    assert got["code"] == "454" and got["reply"].startswith("4.7.0 ")
    assert sink.messages == [] and p.find_log(event="failed") == []
    sink.close()


def test_what_is_written_behind_starttls_is_never_taken_for_a_reply(server):
    sink = starttls("220 Go on\n250 sink.example")
    configure(server, "127.0.0.1", sink.port, "")
    p = server.start()
    got = p.wait_log(event="deferred", id=one(p))
    assert (got["code"], sink.messages) == ("454", [])
    assert p.find_log(event="downgraded") == []
    sink.close()


def test_a_sink_without_auth_gets_nothing_where_a_login_is_asked(server,
                                                                 sink):
    configure(server, "127.0.0.1", sink.port, login(server))
    p = server.start("-d")
    got = p.wait_log(event="deferred", id=one(p))
    assert got["reply"] == "4.7.0 No login method of the next hop fits"
    assert sink.messages == []
    assert SECRET not in "\n".join(l.text for l in p.lines)


def test_a_next_hop_that_echoes_the_password_does_not_make_it_known(server):
    def answer(verb, line, session):
        if verb == "AUTH":
            return "535 5.7.8 %s is not %s" % (line, SECRET)
        return None
    sink = Sink(extensions=EXTENSIONS + ("AUTH PLAIN",), answer=answer)
    configure(server, "127.0.0.1", sink.port, login(server))
    p = server.start("-d")
    got = p.wait_log(event="deferred", id=one(p))
    assert got["code"] == "535"
    until(lambda: sink.commands)
    assert any(CODED in line for line in sink.commands)
    text = "\n".join(l.text for l in p.lines)
    assert SECRET not in text and CODED not in text
    sink.close()


@pytest.mark.parametrize("text", ["", "\nsecond\n", "x" * 513 + "\n"])
def test_a_password_file_without_a_password_is_told_at_the_start(server, sink,
                                                                 text):
    configure(server, "127.0.0.1", sink.port, login(server))
    path = os.path.join(server.room.work, "password")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    p = server.start(ready=False)
    until(lambda: any("password" in l.text for l in p.lines),
          what="words about the password file")
    p.abandon()


@pytest.mark.root
def test_postfix_that_owns_a_login_one_sender_takes_this_hosts_mail(server,
                                                                   house):
    """reject_sender_login_mismatch: what cron, smartd and unattended-upgrades
    send comes from root, whom the provider does not know; with root's alias
    and a sender map it is the account's own."""
    account = "web1@customer.example"
    postfix = house.open(more=(
        "smtpd_sender_restrictions = reject_sender_login_mismatch\n"
        "smtpd_sender_login_maps = inline:{{%s=ann}}\n" % account))
    relay = verified(house) + login(server)
    policies = ("sender_map local %s; sender_map @web1.here.example %s" %
                (account, account))
    for given, event in (("", "failed"), (policies, "delivered")):
        test_aliases.House(server, postfix.port, given, relay)
        p = server.start()
        for args, text in (
                (("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"),
                 test_aliases.CRON),
                (("-oi", "root"), test_aliases.SMARTD),
                (("-oi", "-t"), test_aliases.UPGRADES)):
            assert sendmail(p, *args, stdin=text).status == 0
        got = p.wait_log(event=event, rcpt="admin@else.example", count=3)
        if not given:
            assert got["code"] == "553" and "not owned by user" in got["reply"]
        p.stop()
    # Those that were refused have come back to root, from nobody.
    got = until(lambda: [m for m in house.sink.messages if m.sender][2:] and
                house.sink.messages, what="three mails")
    for m in got:
        if m.sender:
            assert m.sender == account and account in m.header("From")[0]
