"""Relay type mx: a signed zone says who takes a domain's mail."""

import socket

import pytest

from client import send
from names import Names
from server import free_port, until
from sinks import SmtpSink

HERE, THERE, THIRD = "127.0.0.2", "127.0.0.3", "127.0.0.4"
CONF = """
process { hostname mx.test.example; run_dir run; %(resolver)s }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
    %(edge)s
}
queue main {
    type lmdb; path run/queue; relay out
    retry { delay 1; maximum_delay 1s; %(retry)s }
}
relay out { type mx; port %(hop)d; %(relay)s }
"""


def common_port():
    """A port that is free on all the addresses sinks have here."""
    while True:
        port = free_port()
        try:
            for host in HERE, THERE, THIRD:
                with socket.socket() as s:
                    s.bind((host, port))
            return port
        except OSError:
            continue


@pytest.fixture
def names(room):
    n = Names(room.work)
    yield n
    n.close()


@pytest.fixture
def hop():
    return common_port()


@pytest.fixture
def start(server, names, hop):
    def call(relay="", edge="", retry="", port=None):
        if names.process is None:
            names.start()
        server.port = port or free_port()
        server.configure(CONF % {
            "resolver": names.resolver(), "port": server.port, "hop": hop,
            "edge": edge, "relay": relay, "retry": retry})
        return server.start()
    return call


def mail(server, domain):
    return send(server.port, "ann@here.example", "bob@" + domain)


def test_a_signed_zone_leads_to_two_hosts_in_their_order(
        start, names, hop, room):
    names.zone("signed.example", """
@ IN MX 10 one
@ IN MX 20 two
one IN A %s
two IN A %s""" % (HERE, THERE), signed=True)
    first = SmtpSink(room.work, HERE, hop)
    second = SmtpSink(room.work, THERE, hop)
    try:
        p = start("idle_timeout 0")
        before = [mail(p, "signed.example") for _ in range(5)]
        until(lambda: set(before) <= set(first.ids()), what="the first host")
        assert second.ids() == []
        first.close()
        after = [mail(p, "signed.example") for _ in range(5)]
        until(lambda: set(after) <= set(second.ids()), what="the second host")
        for name in before + after:
            p.wait_log(event="removed", id=name)
        assert p.find_log(event="deferred") == []
    finally:
        first.close()
        second.close()


def test_equal_hosts_share_the_mail(start, names, hop, sinks):
    names.zone("d.example", "@ IN MX 5 a\n@ IN MX 5 b\na IN A %s\nb IN A %s"
               % (HERE, THERE))
    one, two = sinks(host=HERE, port=hop), sinks(host=THERE, port=hop)
    p = start()
    for _ in range(30):
        mail(p, "d.example")
    until(lambda: len(one.messages) + len(two.messages) == 30)
    assert one.messages and two.messages


@pytest.mark.parametrize("kind", ["key", "record"])
def test_a_bogus_zone_gets_nothing(start, names, hop, sinks, kind):
    sink = sinks(host=HERE, port=hop)
    records = "@ IN MX 10 mx\nmx IN A %s\nother IN A %s" % (THERE, HERE)
    if kind == "key":
        names.zone("bad.example", records.replace("mx", "to"), signed=True)
        names.change_anchors()
    else:
        names.zone("bad.example", records, signed=True,
                   forge=("10 mx.", "10 other."))
    names.zone("good.example", records.replace("MX 10 mx", "MX 10 other"),
               signed=True)
    p = start()
    good, bad = mail(p, "good.example"), mail(p, "bad.example")
    line = p.wait_log(event="deferred", id=bad)
    assert line["code"] == "451" and line["reply"].startswith("4.4.3"), line
    p.wait_log(event="removed", id=good)
    p.wait_log(event="deferred", id=bad, count=2)
    assert [m.rcpts for m in sink.messages] == [["bob@good.example"]]
    assert p.find_log(event="removed", id=bad) == []


def test_a_domain_that_takes_no_mail_bounces_at_once(start, names, hop, sinks):
    names.zone("null.example", "@ IN MX 0 .\n@ IN A %s" % HERE)
    names.zone("here.example", "@ IN MX 10 mx\nmx IN A %s" % THERE)
    never, back = sinks(host=HERE, port=hop), sinks(host=THERE, port=hop)
    p = start()
    name = mail(p, "null.example")
    line = p.wait_log(event="failed", id=name)
    assert line["code"] == "556" and line["reply"].startswith("5.1.10"), line
    bounce = back.wait()[0]
    assert bounce.sender == "" and bounce.rcpts == ["ann@here.example"]
    assert "Status: 5.1.10" in bounce.text
    assert never.connections == 0


def test_without_mx_the_address_counts(start, names, hop, sinks):
    names.zone("plain.example", "@ IN A %s" % HERE, signed=True)
    sink = sinks(host=HERE, port=hop)
    p = start()
    mail(p, "plain.example")
    sink.wait()


def test_an_alias_is_followed(start, names, hop, sinks):
    names.zone("d.example", "alias IN CNAME real\nreal IN MX 10 mx\n"
               "mx IN A %s" % HERE, signed=True)
    sink = sinks(host=HERE, port=hop)
    p = start()
    mail(p, "alias.d.example")
    assert sink.wait()[0].rcpts == ["bob@alias.d.example"]


def test_a_domain_that_does_not_exist_fails_for_good(start, names):
    names.zone("d.example", "", signed=True)
    p = start()
    for domain in "gone.d.example", "d.example":
        name = mail(p, domain)
        line = p.wait_log(event="failed", id=name)
        assert line["code"] == "550", line
        assert line["reply"].startswith("5.1.2"), line


@pytest.mark.heavy      # waits for 20 s of its own
def test_a_name_server_that_is_away_keeps_the_mail(start, names, hop, sinks):
    names.zone("d.example", "@ IN MX 10 mx\nmx IN A %s" % HERE)
    sink = sinks(host=HERE, port=hop)
    p = start()
    names.close()
    name = mail(p, "d.example")
    line = p.wait_log(event="deferred", id=name, seconds=60)
    assert line["reply"].startswith("4.4.3"), line
    names.start()
    sink.wait(seconds=60)


def test_an_address_literal_is_connected_to(start, names, hop, sinks):
    names.zone("d.example", "")
    sink = sinks(host=HERE, port=hop)
    p = start()
    mail(p, "[%s]" % HERE)
    assert sink.wait()[0].rcpts == ["bob@[%s]" % HERE]


def test_a_forced_host_takes_the_place_of_the_dns(start, names, hop, sinks):
    names.zone("d.example", "@ IN MX 0 .\n@ IN A %s\nx IN A %s"
               % (HERE, THERE))
    sink, other = sinks(host=THERE, port=hop), sinks()
    p = start("force_mx d.example x.d.example; "
              "force_mx gone.example 127.0.0.1@%d" % other.port)
    mail(p, "d.example")
    mail(p, "GONE.example")
    sink.wait()
    other.wait()


def test_connections_come_from_the_source(start, names, hop, sinks):
    names.zone("d.example", "@ IN A %s" % HERE)
    sink = sinks(host=HERE, port=hop)
    p = start("source 127.0.0.77 127.0.0.78; idle_timeout 0")
    for i in range(4):
        mail(p, "d.example")
        sink.wait(i + 1)
    assert set(sink.clients) == {"127.0.0.77", "127.0.0.78"}


def test_a_source_that_is_not_here_is_said_plainly(start, names, hop, sinks):
    names.zone("d.example", "@ IN A %s" % HERE)
    sink = sinks(host=HERE, port=hop)
    p = start("source 192.0.2.77")
    name = mail(p, "d.example")
    line = p.wait_log(event="deferred", id=name)
    assert "192.0.2.77" in line["reply"], line
    assert sink.connections == 0


@pytest.mark.parametrize("by", ["name", "edge", "address", "literal"])
def test_mail_that_would_come_back_to_us_fails(start, names, hop, by):
    target = {"name": "mx.test.example.", "edge": "front.test.example."}
    names.zone("loop.example", "@ IN MX 10 %s\n@ IN MX 20 other\n"
               "us IN A 127.0.0.1\nother IN A %s"
               % (target.get(by, "us"), HERE))
    p = start(edge="hostname front.test.example", port=hop)
    name = mail(p, "[127.0.0.1]" if by == "literal" else "loop.example")
    line = p.wait_log(event="failed", id=name)
    assert line["code"] == "554" and line["reply"].startswith("5.4.6"), line


def test_domains_of_one_host_share_its_connections(start, names, hop, sinks):
    for i in range(5):
        names.zone("d%d.example" % i, "@ IN MX 10 mx.d0.example.\n" +
                   ("mx IN A %s" % HERE if i == 0 else ""))
    sink = sinks(host=HERE, port=hop)
    p = start("concurrent_connections 1")
    for _ in range(4):
        for i in range(5):
            mail(p, "d%d.example" % i)
    sink.wait(20)
    assert sink.connections == 1
    assert {m.rcpts[0] for m in sink.messages} == {
        "bob@d%d.example" % i for i in range(5)}


def test_one_message_to_two_domains_takes_two_ways(start, names, hop, sinks):
    names.zone("a.example", "@ IN A %s" % HERE)
    names.zone("b.example", "@ IN A %s" % THERE)
    one, two = sinks(host=HERE, port=hop), sinks(host=THERE, port=hop)
    p = start()
    send(p.port, "ann@here.example", "x@a.example", "y@B.example",
         "z@a.example")
    assert one.wait()[0].rcpts == ["x@a.example", "z@a.example"]
    assert two.wait()[0].rcpts == ["y@B.example"]


def test_anchors_that_are_none_stop_the_start(server, names):
    names.zone("d.example", "")
    with open(names.anchors, "a", encoding="ascii") as f:
        f.write("d.example. IN A 192.0.2.1\n")
    server.port = free_port()
    server.configure(CONF % {"resolver": names.resolver(), "edge": "",
                             "port": server.port, "hop": 25, "relay": "",
                             "retry": ""})
    server.start(ready=False)
    line = server.wait_log(event="trouble", file=names.anchors)
    assert "line 2" in line["why"], line
    server.abandon()


def test_new_anchors_are_taken_with_a_reload(start, names, hop, sinks):
    names.zone("d.example", "@ IN MX 10 mx\nmx IN A %s" % HERE, signed=True)
    names.change_anchors()
    sink = sinks(host=HERE, port=hop)
    p = start()
    name = mail(p, "d.example")
    p.wait_log(event="deferred", id=name)
    names.change_anchors()
    p.signal(1)
    sink.wait()


@pytest.mark.root
def test_in_the_whole_sandbox_the_way_is_the_same(
        root_server, names, hop, sinks):
    names.zone("d.example", "@ IN MX 10 one\n@ IN MX 20 two\n"
               "one IN A %s\ntwo IN A %s" % (THERE, HERE), signed=True)
    sink = sinks(host=HERE, port=hop)
    names.start()
    p = root_server
    p.port = free_port()
    p.configure(CONF % {
        "resolver": names.resolver(), "port": p.port, "hop": hop, "edge": "",
        "relay": "source 127.0.0.77", "retry": ""})
    p.start()
    mail(p, "d.example")
    sink.wait()
    assert sink.clients == ["127.0.0.77"]
    p.signal(1)
    mail(p, "d.example")
    sink.wait(2)


def test_nobody_has_us_connect_to_our_neighbours(start, names, hop, sinks):
    names.zone("mx.example", "@ IN MX 10 a\n@ IN MX 20 localhost.\n"
               "a IN A %s\na IN AAAA ::ffff:%s" % (HERE, HERE))
    names.zone("own.example", "@ IN A %s" % HERE)
    near = sinks(host=HERE, port=hop)
    p = start("private_targets no; force_mx ours.example %s" % HERE)
    for domain in "mx.example", "own.example", "[%s]" % HERE, "localhost":
        line = p.wait_log(event="failed", id=mail(p, domain))
        assert line["reply"].startswith("5.4.4"), line
    assert {"private" in line["why"]
            for line in p.find_log(event="passed_over")} == {True}
    assert near.connections == 0
    mail(p, "ours.example")
    assert near.wait()[0].rcpts == ["bob@ours.example"]
