"""Relay type lmtp, with Dovecot at the other end, over TCP and over a unix
socket."""

import pytest

from client import send
from peers import Authority, Dovecot
from server import free_port
from sinks import DROP, Sink

USERS = {"ann": "secret", "bob": "x", "full": "x"}
WAYS = ("tcp", "unix")
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
    relay box
    route to @here.example relay box
    retry { delay 1; maximum_delay 1s }
}
relay box { type lmtp; %s }
"""


def begin(server, where, *args):
    server.port = free_port()
    server.configure(BLOCKS % (server.port, where))
    return server.start(*args)


def where(dovecot, way):
    if way == "unix":
        return "path %s" % dovecot.path
    return "host 127.0.0.1; port %d" % dovecot.port


@pytest.fixture
def dovecots(room):
    made = []

    def make(**more):
        made.append(Dovecot(room.dir, USERS, small=("full",), **more))
        return made[-1]
    yield make
    for d in made:
        d.close()


@pytest.mark.parametrize("way", WAYS)
def test_dovecot_gets_the_mail(server, dovecots, way):
    dovecot = dovecots()
    p = begin(server, where(dovecot, way))
    text = "Subject: hello\r\n\r\n..dot\r\n...dots\r\nlast\r\n"
    name = send(p.port, "ann@here.example", "bob@there.example", text=text)
    got = p.wait_log(event="delivered", id=name)
    assert got["reply"].startswith("2.0.0 <bob@there.example>")
    assert (dovecot.path if way == "unix" else "127.0.0.1") in got["hop"]
    mail = dovecot.mails("bob")[0]
    assert mail.startswith(b"Return-Path: <ann@here.example>")
    assert mail.replace(b"\r\n", b"\n").endswith(
        b"\n\n.dot\n..dots\nlast\n")
    p.wait_log(event="removed", id=name)


@pytest.mark.parametrize("way", WAYS)
def test_each_recipient_has_its_own_fate(server, dovecots, way):
    dovecot = dovecots()
    p = begin(server, where(dovecot, way))
    name = send(p.port, "ann@here.example", "bob@there.example",
                "full@there.example", "nobody@there.example",
                "ann@there.example")
    p.wait_log(event="delivered", id=name, rcpt="bob@there.example")
    p.wait_log(event="delivered", id=name, rcpt="ann@there.example")
    got = p.wait_log(event="failed", id=name, rcpt="full@there.example")
    assert got["code"] == "552" and "uota" in got["reply"]
    got = p.wait_log(event="failed", id=name, rcpt="nobody@there.example")
    assert got["code"] == "550"
    p.wait_log(event="removed", id=name)
    assert len(dovecot.mails("bob")) == 1
    assert dovecot.mails("full") == []
    # the bounce, and the message itself
    p.wait_log(event="bounced", of=name)
    p.wait_log(event="removed", count=2)


@pytest.mark.parametrize("way", WAYS)
def test_a_dead_dovecot_costs_only_time(server, dovecots, way):
    dovecot = dovecots()
    p = begin(server, where(dovecot, way))
    dovecot.close()
    names = [send(p.port, "ann@here.example", "bob@there.example")
             for _ in range(5)]
    got = p.wait_log(event="deferred")
    assert got["code"] == "451" and got["reply"].startswith("4.4.1 ")
    dovecot.start()
    for name in names:
        p.wait_log(event="removed", id=name)
    assert len(dovecot.mails("bob")) == 5


def test_dovecot_is_verified(server, room, dovecots):
    ca = Authority(room.work)
    dovecot = dovecots(tls=ca.issue("IP:127.0.0.1"))
    p = begin(server, where(dovecot, "tcp") +
              "; tls { security verified; ca_certs %s }" % ca.cert, "-d")
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="delivered", id=name)
    assert p.find_log(event="secured", verified="yes")


def test_tls_on_a_unix_socket_is_had_where_it_is_asked(server, room, dovecots):
    ca = Authority(room.work)
    dovecot = dovecots(tls=ca.issue("DNS:localhost"))
    p = begin(server, where(dovecot, "unix") +
              "; tls { security verified; ca_certs %s }" % ca.cert, "-d")
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="delivered", id=name)
    assert p.find_log(event="secured", verified="yes")


def test_a_large_message_arrives_whole(server, dovecots):
    dovecot = dovecots()
    p = begin(server, where(dovecot, "unix"))
    body = "".join("%08d.\r\n.%d\r\n" % (i, i) for i in range(150000))
    name = send(p.port, "ann@here.example", "bob@there.example",
                text="Subject: big\r\n\r\n" +
                body.replace("\r\n.", "\r\n.."))
    p.wait_log(event="delivered", id=name)
    mail = dovecot.mails("bob")[0].replace(b"\r\n", b"\n")
    assert mail.split(b"\n\n", 1)[1] == body.replace("\r\n", "\n").encode()


def lmtp_answers(replies):
    """An LMTP server by hand: these replies to the text, once; then all are
    taken."""
    once = list(replies)

    def answer(verb, line, session):
        if verb == "LHLO":
            return "250-sink.example\n250 PIPELINING"
        if verb == "END":
            count = len(session["message"].rcpts)
            told = [once.pop(0) if once else "250 2.0.0 Ok"
                    for _ in range(count)]
            if DROP in told:
                session["cut"] = told[:told.index(DROP)]
                return "\n".join(session["cut"]) + "\n999 cut"
            return "\n".join(told)
        return None
    return answer


def test_replies_lost_half_way_are_for_the_others_only(server):
    """Two of four are answered, then comes nonsense: these two are decided,
    and only the other two are tried again."""
    sink = Sink(answer=lmtp_answers(["250 2.0.0 Ok", "550 5.2.1 Off", DROP,
                                     "x"]))
    tries = sink.commands
    p = begin(server, "host 127.0.0.1; port %d" % sink.port)
    name = send(p.port, "", "a@there.example", "b@there.example",
                "c@there.example", "d@there.example")
    p.wait_log(event="removed", id=name)
    assert [l["rcpt"][0] for l in p.find_log(event="delivered", id=name)
            ].count("a") == 1
    got = p.find_log(event="failed", id=name)
    assert [l["rcpt"] for l in got] == ["b@there.example"]
    later = {l["rcpt"] for l in p.find_log(event="deferred", id=name)}
    assert later == {"c@there.example", "d@there.example"}
    rcpts = [c for c in tries if c.startswith("RCPT")]
    assert [c[9] for c in rcpts[:4]] == ["a", "b", "c", "d"]
    assert sorted(c[9] for c in rcpts[4:]) == ["c", "d"]
    sink.close()


@pytest.mark.root
@pytest.mark.parametrize("way", WAYS)
def test_lmtp_from_within_the_sandbox(root_server, dovecots, way):
    dovecot = dovecots()
    p = begin(root_server, where(dovecot, way))
    for _ in range(3):
        name = send(p.port, "ann@here.example", "bob@there.example")
        p.wait_log(event="removed", id=name)
    assert len(dovecot.mails("bob")) == 3
    pid = p.pid("relay")
    p.kill("relay")
    name = send(p.port, "ann@here.example", "ann@there.example")
    p.wait_log(event="delivered", id=name)
    assert p.pid("relay") != pid
