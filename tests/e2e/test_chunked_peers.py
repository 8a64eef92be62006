"""Exim, Postfix and Dovecot at the other end of BDAT, of LMTP in, and of a
proxy: what passes through one comes to them by DATA and by BDAT."""

import os
import shutil

import pytest

from client import Client
from peers import Authority, Dovecot, Exim, Postfix
from server import NOBODY, Postern, Room, free_port, until
from sinks import EXTENSIONS, Sink
from test_bdat import BINARY, chunk, send_binary

pytestmark = [pytest.mark.root, pytest.mark.heavy]

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(smtp)d }
    binarymime yes
    queue main
}
edge local {
    type lmtp
    listener { interface 127.0.0.1; port %(lmtp)d }
    rules { only_recipients @there.example }
    queue main
}
edge kept { type smtp; listener { port %(kept)d }; queue kept }
edge exim { type smtp; listener { port %(by_exim)d }; relay exim }
edge postfix { type smtp; listener { port %(by_postfix)d }; relay postfix }
edge dovecot {
    type smtp; listener { port %(by_dovecot)d }
    binarymime yes; relay dovecot
}
queue main {
    type lmdb; path run/queue; relay out
    route to @dovecot.example relay dovecot
    retry { delay 1; maximum_delay 1s }
}
queue kept {
    type lmdb; path run/kept; relay exim2
    route to postfix@there.example relay postfix2
}
relay out { type static; host 127.0.0.1; port %(sink)d }
relay exim2 {
    type static; host 127.0.0.1; port %(exim)d; chunking yes
    idle_timeout 100ms
}
relay postfix2 {
    type static; host 127.0.0.1; port %(postfix)d; chunking yes
    idle_timeout 100ms
}
relay exim { type static; host 127.0.0.1; port %(exim)d; ask_after 100ms }
relay postfix {
    type static; host 127.0.0.1; port %(postfix)d; ask_after 100ms
}
relay dovecot {
    type static; host 127.0.0.1; port %(dovecot)d; ask_after 100ms
    credentials { username ann; password_file password }
}
"""
HEAD = b"Subject: one\r\n"
BODY = b".\r\n..dot\r\n" + (b"y" * 98 + b"\r\n") * 1000 + b".\r\n"
TEXT = HEAD + b"\r\n" + BODY
POSTFIX = """
relayhost =
default_transport = lmtp:[127.0.0.1]:%d
smtpd_sasl_auth_enable = no
mynetworks = 127.0.0.1
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
lmtp_tls_security_level = none
"""


class House:
    def __init__(self):
        self.room = Room(NOBODY)
        self.peers = []
        self.sink = self.open(Sink(extensions=(
            *EXTENSIONS, "CHUNKING", "BINARYMIME")))
        self.server = Postern(self.room)
        ports = {name: free_port() for name in (
            "smtp", "lmtp", "kept", "by_exim", "by_postfix", "by_dovecot")}
        self.__dict__.update(ports)
        room = self.room.dir
        self.exim = self.open(Exim(room, ports["smtp"], ports["lmtp"]))
        self.dovecot = self.open(Dovecot(room, {"ann": "wheel"},
                                         submission=self.sink.port))
        self.postfix = self.open(Postfix(
            room, self.sink.port, self.dovecot.auth,
            Authority(self.room.work).issue("IP:127.0.0.1"),
            more=POSTFIX % ports["lmtp"]))
        password = os.path.join(self.room.work, "password")
        with open(password, "w", encoding="ascii") as f:
            f.write("wheel\n")
        os.chmod(password, 0o600)
        shutil.chown(password, NOBODY, NOBODY)
        self.server.configure(CONF % dict(
            ports, sink=self.sink.port, exim=self.exim.port,
            postfix=self.postfix.port, dovecot=self.dovecot.submission))
        self.server.start()

    def open(self, peer):
        self.peers.append(peer)
        return peer

    def close(self):
        try:
            self.server.stop()
        finally:
            self.server.abandon()
            self.server.finish()
            for peer in reversed(self.peers):
                peer.close()
            self.room.remove()


@pytest.fixture
def house():
    h = House()
    yield h
    h.close()


def pass_both_ways(port, *rcpts):
    """One message by DATA and one by BDAT, through a proxy."""
    with Client(port) as c:
        c.hello()
        for by_bdat in False, True:
            c.want("MAIL FROM:<ann@there.example>", 250)
            for rcpt in rcpts:
                c.want("RCPT TO:<%s>" % rcpt, 250)
            if by_bdat:
                c.write(chunk(TEXT[:70001]) + chunk(TEXT[70001:], True))
                assert c.reply().startswith("250 2.0.0 70001 ")
            else:
                c.want("DATA", 354)
                c.write(TEXT.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            assert c.reply().startswith("250 ")


def come(house, count):
    """So many messages that have come to the sink."""
    try:
        got = house.sink.wait(count, 120)
    except AssertionError as e:
        raise AssertionError("\n".join((
            str(e), house.exim.log()[-2000:], house.postfix.log()[-2000:],
            house.server.tail()))) from e
    with house.sink.news:
        house.sink.messages.clear()
    return got


def arrived(house, count):
    """Messages that came back to us by LMTP, and went to the sink, whole."""
    got = come(house, count)
    mails = [m for m in got if m.sender == "ann@there.example"]
    for m in mails:
        assert m.data.endswith(b"\r\n\r\n" + BODY)
        assert " with LMTP id " in m.header("Received")[0]
        assert len(m.header("Received")) == 3       # ours, theirs, ours
    return mails, [m for m in got if m.sender == ""]


def postfix_takes_what_passes_and_delivers_it_by_lmtp(house):
    """One of three is refused by our LMTP edge, and that one bounces."""
    pass_both_ways(house.by_postfix, "a@there.example", "no@other.example",
                   "b@there.example")
    mails, bounces = arrived(house, 4)
    assert [m.rcpts for m in mails] == [["a@there.example",
                                         "b@there.example"]] * 2
    assert len(bounces) == 2
    for m in bounces:
        assert "no@other.example" in m.text and "5.7.1" in m.text
    until(lambda: house.postfix.log().count(" bdat=") >= 2,
          what="BDAT in its log")


def exim_takes_what_passes_and_delivers_it_by_lmtp(house):
    pass_both_ways(house.by_exim, "a@there.example", "no@other.example",
                   "b@there.example")
    mails, bounces = arrived(house, 4)
    assert [m.rcpts for m in mails] == [["a@there.example",
                                         "b@there.example"]] * 2
    assert len(bounces) == 2 and "no@other.example" in bounces[0].text
    came = [l for l in house.exim.log().splitlines()
            if " <= ann@there.example " in l]
    assert [" K " in l for l in came[-2:]] == [False, True], came


def both_take_what_was_kept_by_bdat(house):
    """Where `chunking' says so, and to the octet."""
    for user in "exim", "postfix":
        with Client(house.kept) as c:
            c.hello()
            c.want("MAIL FROM:<ann@there.example>", 250)
            c.want("RCPT TO:<%s@there.example>" % user, 250)
            c.want("DATA", 354)
            c.write(TEXT.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            assert c.reply().startswith("250 ")
    mails, bounces = arrived(house, 2)
    assert not bounces and sorted(sum((m.rcpts for m in mails), [])) == [
        "exim@there.example", "postfix@there.example"]
    came = [l for l in house.exim.log().splitlines()
            if " <= ann@there.example " in l]
    assert " K " in came[-1], came
    until(lambda: " bdat=1 " in house.postfix.log(), what="BDAT in its log")


def exim_sends_to_us_by_bdat(house):
    """As its log says: K is for CHUNKING."""
    house.exim.send("ann@here.example", "bob@smtp.example", text=TEXT)
    assert come(house, 1)[0].data.endswith(b"\r\n\r\n" + BODY)
    sent = until(lambda: [l for l in house.exim.log().splitlines()
                          if " => bob@smtp.example " in l])
    assert " K " in sent[0], sent


def dovecot_takes_binary_text_by_bdat_from_us_and_by_a_proxy(house):
    """It hands it on by BDAT as well, with line ends of its own."""
    def offered():
        with Client(house.by_dovecot) as c:
            return "BINARYMIME" in c.hello()
    until(offered, what="a hop that was heard")
    with Client(house.smtp) as c:
        name = send_binary(c, rcpt="bob@dovecot.example")
    house.server.wait_log(event="delivered", id=name)
    with Client(house.by_dovecot) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example> BODY=BINARYMIME", 250)
        c.want("RCPT TO:<bob@dovecot.example>", 250)
        c.write(chunk(BINARY, True))
        assert c.reply().startswith("250 ")
    for m in come(house, 2):
        assert m.data.replace(b"\r\n", b"\n").endswith(
            BINARY.replace(b"\r\n", b"\n"))
        assert "BODY=BINARYMIME" in m.params


def test_each_peer_speaks_bdat_and_lmtp_with_us(house):
    """One after the other, since each takes its time to start."""
    exim_sends_to_us_by_bdat(house)
    both_take_what_was_kept_by_bdat(house)
    exim_takes_what_passes_and_delivers_it_by_lmtp(house)
    postfix_takes_what_passes_and_delivers_it_by_lmtp(house)
    dovecot_takes_binary_text_by_bdat_from_us_and_by_a_proxy(house)
