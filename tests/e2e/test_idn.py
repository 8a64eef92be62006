"""A domain in letters of any script and case, and its A-label, are one."""

import ssl

import pytest

from client import TEXT, Client, send
from names import Names
from peers import Authority
from server import basic, free_port
from sinks import EXTENSIONS

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

CONF = """
process { hostname mx.test.example; run_dir run; %(resolver)s }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
    smtputf8 yes
    rules { only_recipients @%(route)s @%(force)s @%(dns)s }
}
queue main {
    type lmdb; path run/queue
    route to @%(route)s relay box
    route from ann@%(route)s error "5.7.1 Not from there"
    relay out
    retry { delay 1; maximum_delay 1s }
}
relay box {
    type static; host mail.%(dns)s; port %(box)d
    recipients ann@%(route)s
}
relay out { type mx; port %(mx)d; force_mx %(force)s 127.0.0.1@%(forced)d }
"""

# U-label, A-label; what comes in is spelled in all these ways.
ROUTE = "grün.example", "xn--grn-ioa.example"
FORCE = "почта.example", "xn--80a1acny.example"
DNS = "bücher.example", "xn--bcher-kva.example"


def ways(domain):
    u_label, a_label = domain
    return [u_label, u_label.upper(), a_label, a_label.title(),
            u_label.replace("ü", "u\u0308")]


def spelled(how):
    return {"route": how(ROUTE), "force": how(FORCE), "dns": how(DNS)}


@pytest.fixture
def names(room):
    n = Names(room.work)
    yield n
    n.close()


@pytest.fixture
def house(server, names, sinks):
    names.zone(DNS[1], "@ IN MX 10 mail\nmail IN A 127.0.0.1")
    names.start()
    server.box, server.forced, server.mx = sinks(), sinks(), sinks()
    server.port = free_port()

    def start(how):
        server.configure(CONF % {
            "resolver": names.resolver(), "port": server.port,
            "box": server.box.port, "forced": server.forced.port,
            "mx": server.mx.port, **spelled(how)})
        return server.start()
    return start


def arrived(sink, count):
    return sorted(rcpt for m in sink.wait(count) for rcpt in m.rcpts)


@pytest.mark.parametrize("how", [
    lambda domain: domain[0].upper() + ".", lambda domain: domain[1].title()],
    ids=["u-labels", "a-labels"])
def test_one_domain_however_it_is_written_here_or_there(house, how):
    p = house(how)
    sent = {domain: [] for domain in (ROUTE, FORCE, DNS)}
    with Client(p.port) as c:
        c.hello()
        for domain in sent:
            for way in ways(domain):
                sent[domain].append("ann@" + way)
                c.mail("bob@here.example", "ann@" + way, params=" SMTPUTF8")
        for way in ways(ROUTE):
            c.want("MAIL FROM:<bob@here.example> SMTPUTF8", 250)
            c.want("RCPT TO:<eve@%s>" % way, "550 5.1.1")
            c.want("RSET", 250)
            c.want("MAIL FROM:<ann@%s> SMTPUTF8" % way, 250)
            c.want("RCPT TO:<ann@%s>" % DNS[0], "550 5.7.1 Not from there")
            c.want("RCPT TO:<ann@%s>" % ROUTE[1], 250)
            c.want("RSET", 250)
        c.want("MAIL FROM:<bob@here.example> SMTPUTF8", 250)
        for other in ("grun.example", "xn--grn-ioaa.example", "x." + ROUTE[0]):
            c.want("RCPT TO:<ann@%s>" % other, "550 5.7.1")
    for domain, sink in zip(sent, (p.box, p.forced, p.mx)):
        assert arrived(sink, len(sent[domain])) == sorted(sent[domain])


def test_one_copy_for_one_mailbox_however_its_domain_is_written(house):
    p = house(lambda domain: domain[0])
    with Client(p.port) as c:
        c.hello()
        c.mail("bob@here.example", *["ann@" + w for w in ways(DNS)],
               params=" SMTPUTF8")
        c.mail("bob@here.example", "Ann@" + DNS[1])
    got = p.mx.wait(2)
    assert sorted(m.rcpts for m in got) == [
        ["Ann@" + DNS[1]], ["ann@" + DNS[0]]]


def test_what_is_no_u_label_costs_its_command_and_no_more(house):
    p = house(lambda domain: domain[1])
    with Client(p.port) as c:
        c.hello()
        for bad in ("\U0001f4a9", "\u2100", "a\uff20b", "ü-", "-ü", "ü..a",
                    "\u0663a", "ü" * 64):
            c.want("MAIL FROM:<bob@%s.example> SMTPUTF8" % bad, 501)
        c.want("MAIL FROM:<bob@here.example> SMTPUTF8", 250)
        for bad in ("\U0001f4a9.example", "\u2100.example", DNS[0] + "."):
            c.want("RCPT TO:<ann@%s>" % bad, 501)
        c.want("RCPT TO:<ann@%s>" % DNS[0], 250)
        c.want("DATA", 354)
        c.write(TEXT)
        c.queued(c.say("."))
    assert arrived(p.mx, 1) == ["ann@" + DNS[0]]


def test_a_certificate_for_the_a_label_is_that_of_the_host(server, names,
                                                           sinks):
    names.zone(DNS[1], "@ IN A 127.0.0.1")
    names.start()
    ca = Authority(server.room.work)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ca.issue("DNS:" + DNS[1]))
    sink = sinks(tls=context, extensions=(*EXTENSIONS, "STARTTLS"))
    server.port = free_port()
    server.configure(basic(
        server.port, sink.port, process=names.resolver(), relay="tls { "
        "security verified; ca_certs %s }" % ca.cert).replace(
            "host 127.0.0.1", "host %s." % DNS[0].title()))
    server.start()
    name = send(server.port, "ann@here.example", "bob@there.example")
    server.wait_log(event="delivered", id=name)
    assert sink.messages[0].version
