"""Whole houses with real clients and servers: an MX before Dovecot's LMTP, a
submission server, and a host with a smarthost, which is Postfix; with UTF-8
senders, subjects and IDN domains both ways.  What is taken arrives or comes
back; what cannot be carried is refused."""

import os
import smtplib
import ssl
import subprocess
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest

from peers import Dovecot
from server import free_port, until
from sinks import EXTENSIONS
from test_smarthost import House, login, verified
from test_submission import NODE, PASSWORD, USER, make_certificate, make_users
from tool import ctl, sendmail

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

CONF = """
process { hostname mx.test.example; run_dir run }
users staff { type file; path users }
edge mx {
    type smtp
    listener { interface 127.0.0.1; port %(mx)d }
    queue inbound
}
edge submission {
    type smtp
    listener { interface 127.0.0.1; port %(submission)d }
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; require_tls yes; lookup_credentials staff }
    queue outbound
}
queue inbound {
    type lmdb; path run/inbound
    route to @here.example relay box
    route to @xn--bcher-kva.example relay box
    bounce_relay world
}
queue outbound { type lmdb; path run/outbound; relay world }
relay box { type lmtp; path %(box)s }
relay world {
    type mx
    force_mx there.example 127.0.0.1@%(hop)d
    force_mx here.example 127.0.0.1@%(hop)d
    force_mx xn--mnchen-3ya.example 127.0.0.1@%(hop)d
}
"""
SUBJECT = "Grüße aus Köln"
MUNICH = "münchen.example"


def no_such_user(verb, line, session):
    if verb == "RCPT" and "<no" in line:
        return "550 5.1.1 No such user"
    return None


class Scene:
    def __init__(self, server, sinks):
        work = server.room.work
        make_certificate(work, "mx.test.example", "ec")
        make_users(work)
        self.server = server
        self.world = sinks(answer=no_such_user, extensions=EXTENSIONS)
        self.dovecot = Dovecot(work, {"bob": "x"})
        self.mx, self.submission = free_port(), free_port()
        server.configure(CONF % {
            "mx": self.mx, "submission": self.submission,
            "box": self.dovecot.path, "hop": self.world.port})
        self.pem = os.path.join(work, "mx.pem")
        server.start()

    def run(self, *args):
        return subprocess.run(
            args, capture_output=True, text=True, check=False,
            timeout=60, env=dict(os.environ,
                                       NODE_PATH="/usr/share/nodejs"))

    def swaks(self, sender, rcpt):
        return self.run(
            "swaks", "--server", "127.0.0.1:%d" % self.mx, "--helo",
            "far.example", "--from", sender, "--to", rcpt, "--header",
            "Subject: " + SUBJECT, "--body", "Schöne Grüße")

    def inbox(self):
        return self.dovecot.mails("bob")

    def settle(self):
        """All that was taken has gone, bounces included."""
        p = self.server
        for event in ("queued", "bounced"):
            for line in p.find_log(event=event):
                p.wait_log(event="removed", id=line["id"])
        assert not p.find_log(event="discarded"), p.tail()


@pytest.fixture
def scene(server, sinks):
    s = Scene(server, sinks)
    yield s
    s.dovecot.close()


def letter(sender, rcpt):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, rcpt, SUBJECT
    m.set_content("Schöne Grüße\n", cte="8bit")
    return m


def test_an_mx_before_dovecot_loses_nothing(scene):
    done = scene.swaks("ann@xn--mnchen-3ya.example",
                       "bob@xn--bcher-kva.example")
    assert done.returncode == 0, done.stdout
    until(lambda: len(scene.inbox()) == 1, what="the first mail")
    assert ("Subject: " + SUBJECT).encode() in scene.inbox()[0]
    for sender, rcpt in (("jörg@" + MUNICH, "bob@here.example"),
                         ("ann@there.example", "jörg@here.example")):
        done = scene.swaks(sender, rcpt)
        assert done.returncode != 0 and " 5.6.7 " in done.stdout, done.stdout
    # Python converts no addresses: it looks for the offer first.
    with smtplib.SMTP("127.0.0.1", scene.mx) as c:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            c.send_message(letter("jörg@" + MUNICH, "bob@here.example"))
    with smtplib.SMTP("127.0.0.1", scene.mx) as c:
        c.send_message(letter("ann@there.example", "bob@here.example"))
    # Nobody of that name there: the sender is told, in an IDN domain too.
    done = scene.swaks("ann@xn--mnchen-3ya.example", "nobody@here.example")
    assert done.returncode == 0, done.stdout
    told = scene.world.wait()[0]
    assert told.rcpts == ["ann@xn--mnchen-3ya.example"]
    until(lambda: len(scene.inbox()) == 2, what="the second mail")
    scene.settle()


def test_a_submission_server_carries_utf8_into_the_world(scene):
    done = scene.run("node", "-e", NODE.replace(
        "bob@there.example", "bob@" + MUNICH), str(scene.submission), "no",
        scene.pem, USER, PASSWORD)
    assert done.returncode == 0, done.stderr
    assert scene.world.wait()[0].rcpts == ["bob@xn--mnchen-3ya.example"]
    with smtplib.SMTP("127.0.0.1", scene.submission) as c:
        c.starttls(context=ssl._create_unverified_context())
        c.login(USER, PASSWORD)
        c.send_message(letter("jörg@here.example", "bob@there.example"))
        c.send_message(letter("jörg@here.example", "nobody@there.example"))
        c.send_message(letter("jörg@here.example", "ann@MÜNCHEN.example"))
    got = sorted(scene.world.wait(4), key=lambda m: m.rcpts)
    assert got[0].rcpts[0].startswith("ann@") and "SMTPUTF8" in got[0].params
    got = {m.rcpts[0]: m for m in got[1:]}
    there = got["bob@there.example"]
    assert there.sender == "jörg@here.example" and "SMTPUTF8" in there.params
    assert "Subject: " + SUBJECT in there.text
    assert got["jörg@here.example"].sender == ""
    scene.settle()


CLIENT = """
process { hostname web1.here.example; run_dir run }
edge local {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    listener { path run/sendmail }
    queue outbound
}
queue outbound { type lmdb; path run/outbound; relay provider }
relay provider {
    type static; host 127.0.0.1; port %(hop)d; ask_after 100ms
    %(words)s
}
"""
PROVIDER = """
smtputf8_enable = %s
smtpd_recipient_restrictions = check_recipient_access inline:{
    nobody@there.example=REJECT}, permit_sasl_authenticated, reject
"""


def send_by_python(port, sender, rcpt):
    with smtplib.SMTP("127.0.0.1", port) as c:
        c.send_message(letter(sender, rcpt))


@pytest.mark.root
@pytest.mark.parametrize("offers", ["yes", "no"])
def test_a_host_with_a_smarthost_loses_nothing(root_server, room, offers):
    p, house, port = root_server, House(room), free_port()
    try:
        hop = house.open(more=PROVIDER % offers)
        p.configure(CLIENT % {"port": port, "hop": hop.port, "words":
                              verified(house) + login(p)})
        p.start()
        until(lambda: "SMTPUTF8 %s" % offers in ctl(p, "status", uid=0).out,
              what="an answer of the provider")
        got = sendmail(p, "-t", "-f", "ann@here.example", stdin="From: Ann "
                       "<ann@here.example>\nTo: bob@%s\nSubject: %s\n\n"
                       "Schöne Grüße\n" % (MUNICH, SUBJECT))
        assert got.status == 0, got.err
        send_by_python(port, "ann@here.example", "bob@there.example")
        send_by_python(port, "ann@here.example", "nobody@there.example")
        if offers == "yes":
            send_by_python(port, "jörg@here.example", "eve@there.example")
            send_by_python(port, "jörg@here.example", "nobody@there.example")
        else:
            with pytest.raises(smtplib.SMTPNotSupportedError):
                send_by_python(port, "jörg@here.example", "eve@there.example")
        mails = house.sink.wait(5 if offers == "yes" else 3)
        got = {m.rcpts[0]: m for m in mails if m.sender}
        there = got.pop("bob@" + (MUNICH if offers == "yes" else
                                  "xn--mnchen-3ya.example"))
        subject = there.header("Subject")[0]
        assert str(make_header(decode_header(subject))) == SUBJECT
        for m in got.values():
            assert "Schöne Grüße" in m.text
        assert "bob@there.example" in got
        told = [m.rcpts[0] for m in mails if m.sender == ""]
        assert sorted(told) == ["ann@here.example", "jörg@here.example"][
            :2 if offers == "yes" else 1]
        for event in ("queued", "bounced"):
            for line in p.find_log(event=event):
                p.wait_log(event="removed", id=line["id"])
        assert not p.find_log(event="discarded"), p.tail()
    finally:
        house.close()
