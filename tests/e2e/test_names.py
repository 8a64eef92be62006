"""The smarthost by name: asked of the resolver, remembered for its TTL, and
every address tried."""

import ctypes
import signal
import socket
import struct
import threading

import pytest

from client import send
from server import basic, free_port, until


class Dns:
    """A name server that knows the addresses it was given, and counts."""

    def __init__(self, ttl, **addresses):
        self.ttl, self.addresses, self.asked = ttl, addresses, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, client = self.sock.recvfrom(4096)
            except OSError:
                return
            self.sock.sendto(self._answer(query), client)

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        end = at + 5
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        self.asked.append((".".join(labels), kind))
        known = self.addresses.get(labels[0]) if labels else []
        found = known if kind == 1 and known else []
        head = query[:2] + struct.pack(
            "!HHHHH", 0x8580 | (3 if known is None else 0), 1, len(found), 0,
            0)
        return head + query[12:end] + b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, self.ttl, 4) +
            socket.inet_aton(a) for a in found)

    def close(self):
        self.sock.close()


@pytest.fixture
def dns():
    d = Dns(300, hop=["127.0.0.1"], two=["127.0.0.9", "127.0.0.1"])
    yield d
    d.close()


def start(server, sink, host, dns=None):
    server.port = free_port()
    server.configure(basic(
        server.port, sink.port, queue="retry { delay 1; maximum_delay 1s }",
        process="resolver { stub test.example 127.0.0.1@%d }" % dns.port
        if dns else ""
    ).replace("host 127.0.0.1", "host " + host))
    return server.start()


def test_a_name_from_the_dns_is_resolved_and_remembered(server, sink, dns):
    p = start(server, sink, "hop.test.example", dns)
    for i in range(3):
        send(p.port, "ann@here.example", "bob@there.example")
        sink.wait(i + 1)
    assert dns.asked.count(("hop.test.example", 1)) == 1, dns.asked


def test_the_next_address_is_tried_in_the_same_attempt(server, sink, dns):
    p = start(server, sink, "two.test.example", dns)
    name = send(p.port, "ann@here.example", "bob@there.example")
    sink.wait()
    p.wait_log(event="removed", id=name)
    assert p.find_log(event="deferred") == []


def test_a_name_from_the_hosts_file_is_resolved(server, sink):
    p = start(server, sink, "localhost")
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait()


def test_a_name_that_does_not_exist_keeps_the_mail(server, sink, dns):
    p = start(server, sink, "gone.test.example", dns)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    assert p.find_log(event="failed") == []
    assert sink.messages == []


def test_a_source_of_one_family_leaves_out_the_others_hosts(server):
    """postern -n says so beforehand, and a line of the log when it happens."""
    server.port = free_port()
    server.configure(basic(server.port, free_port()).replace(
        "type static; host 127.0.0.1;", "type mx; source ::1;").replace(
            "; ask_after 0", ""))
    assert "hosts that have none of that family" in server.check().stderr
    server.start()
    name = send(server.port, "", "bob@[127.0.0.1]")
    assert server.wait_log(event="passed_over")["why"] == \
        "its name has no IPv6 address"
    assert server.wait_log(event="failed", id=name)["dsn"] == "5.4.4"


def test_a_resolver_that_dies_delays_only(server, sink, dns):
    p = start(server, sink, "hop.test.example", dns)
    old = p.kill("resolver")
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait()
    until(lambda: p.pids("resolver") not in ([], [old]))


def landlock():
    """The version of this kernel's, 0 where there is none."""
    version = ctypes.CDLL(None).syscall(444, None, 0, 1)
    return max(version, 0)


def test_a_server_on_another_port_is_asked_after_a_reload(server, sink, dns):
    p = start(server, sink, "hop.test.example", dns)
    other = Dns(300, hop=["127.0.0.1"])
    try:
        for server_now, is_new in ((dns, False), (other, landlock() >= 4)):
            old, since = p.pid("resolver"), p.mark()
            with open(p.path, encoding="utf-8") as f:
                text = f.read()
            p.configure(text.replace("@%d" % dns.port,
                                     "@%d" % server_now.port)
                        .replace("hostname mx", "hostname mx%d" % is_new))
            p.signal(signal.SIGHUP)
            p.wait_log(since=since, event="reloaded", by=p.process.pid)
            if is_new:
                p.wait_log(since=since, event="stopped", role="resolver")
            else:
                assert p.pid("resolver") == old
        send(p.port, "ann@here.example", "bob@there.example")
        sink.wait()
        until(lambda: other.asked, what="a question to the new server")
        assert not p.find_log(why="a process has died")
    finally:
        other.close()
