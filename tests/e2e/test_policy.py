"""What the DNS says of a client, and what an edge makes of it."""

import pytest

from client import Client
from names import Names
from server import free_port

BACK = """
2.0.0 IN PTR liar.policy.example.
2.0.0 IN PTR known.policy.example.
3.0.0 IN PTR liar.policy.example.
"""
POLICY = """
known IN A 127.0.0.2
liar IN A 127.0.0.99
@ IN TXT "v=spf1 include:_spf.policy.example" " exp=why.%{d} -all"
_spf IN TXT "v=spf1 a:known.policy.example ~all"
why IN TXT "%{i} is none of ours"
"""
LISTS = """
2.0.0.127.bl IN A 127.0.0.2
2.0.0.127.bl IN TXT "see http://bl.policy.example/127.0.0.2"
3.0.0.127.bl IN A 127.255.255.254
3.0.0.127.odd IN A 203.0.113.1
"""
EDGE = """
listener { interface 0.0.0.0; port %d }
banner "{fqdn} ESMTP for {client_host}"
rules { clients 127.0.0.0/8 }
"""


@pytest.fixture
def dns(room):
    names = Names(room.work)
    names.zone("127.in-addr.arpa", BACK)
    names.zone("policy.example", POLICY)
    names.zone("lists.example", LISTS)
    names.start()
    yield names
    names.close()


def test_a_client_is_called_what_its_name_confirms(start, sink, dns):
    p = start(sink.port, process=dns.resolver(), edge=EDGE % free_port())
    for count, (source, shown, traced) in enumerate((
            ("127.0.0.2", "known.policy.example",
             "(known.policy.example [127.0.0.2])"),
            ("127.0.0.3", "[127.0.0.3]", "([127.0.0.3])"),
            ("127.0.0.1", "localhost", "(localhost [127.0.0.1])")), 1):
        with Client(p.port, source=source) as c:
            assert c.greeting.endswith(" ESMTP for " + shown), c.greeting
            c.hello()
            c.mail("ann@here.example", "bob@there.example")
        got = sink.wait(count)[-1]
        assert got.text.startswith(
            "Received: from here.example %s\r\n" % traced), got.text


def test_who_is_on_a_list_reaches_the_postmaster_alone(start, sink, dns):
    p = start(sink.port, process=dns.resolver(), edge="""
        rules { clients 127.0.0.0/8
            dnsbl bl.lists.example odd.lists.example gone.lists.example }""")
    with Client(p.port, source="127.0.0.2") as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        assert c.say("RCPT TO:<bob@there.example>") == (
            "554 5.7.1 Client [127.0.0.2] is listed by bl.lists.example: "
            "see http://bl.policy.example/127.0.0.2")
        c.want("RCPT TO:<postmaster>", 250)
    p.wait_log(event="refused", code="554", client="127.0.0.2")
    with Client(p.port, source="127.0.0.3") as c:
        c.hello()
        c.mail("ann@here.example", "bob@there.example")
    sink.wait()


def test_a_sender_whose_domain_says_no_is_refused(start, sink, dns):
    p = start(sink.port, process=dns.resolver(),
              edge="rules { clients 127.0.0.0/8; reject_spf fail }")
    with Client(p.port, source="127.0.0.9") as c:
        c.hello()
        assert c.say("MAIL FROM:<ann@policy.example>") == (
            "550 5.7.23 SPF fail: [127.0.0.9] for policy.example: "
            "127.0.0.9 is none of ours")
    with Client(p.port, source="127.0.0.2") as c:
        c.hello()
        c.mail("ann@policy.example", "bob@there.example")
    assert sink.wait()[0].text.startswith("Received-SPF: pass\r\n")


def test_a_proxy_says_whose_connection_it_passes_on(start, sink):
    p = start(sink.port, edge="""
        proxy_protocol 127.0.0.1/32
        rules { clients 127.0.0.0/8 192.0.2.0/24; deny_clients 192.0.2.9 }""")
    two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\4\0\0\x19"
    for count, header in enumerate((
            b"PROXY TCP4 192.0.2.1 127.0.0.1 1024 25\r\n", two), 1):
        with Client(p.port, greet=False) as c:
            c.write(header + b"EHLO here.example\r\n")
            assert c.reply().startswith("220 ")
            assert c.reply().endswith("SIZE 52428800")
            c.mail("ann@here.example", "bob@there.example")
        assert "([192.0.2.1])" in sink.wait(count)[-1].text
    with Client(p.port, greet=False) as c:
        c.write(b"PROXY TCP4 192.0.2.9 127.0.0.1 1024 25\r\n")
        assert c.reply().startswith("554 ")
    with Client(p.port, greet=False) as c:
        c.write(b"EHLO here.example\r\n")
        assert c.at_end()
    p.wait_log(event="refused", why="no PROXY header")
    with Client(p.port, source="127.0.0.2") as c:
        assert c.greeting.startswith("220 ")
