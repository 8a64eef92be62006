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
