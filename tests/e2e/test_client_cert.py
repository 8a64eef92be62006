"""A relay's own certificate, for next hops that ask for one: its key is in the
vault, which signs for it what a TLS client signs."""

import os
import re
import signal
import ssl

import pytest

import keyscan
from client import send
from peers import Authority, Dovecot, Postfix
from server import SANITIZED, free_port, until
from sinks import Sink

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

BLOCKS = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb; path run/queue
    %s
    retry { delay 1; maximum_delay 1s }
}
"""
OUT = ("relay %s { type %s; host 127.0.0.1; port %d; idle_timeout 0; %s\n"
       "    tls { security %s; %s } }\n")
VERSIONS = {"12": ssl.TLSVersion.TLSv1_2, "13": ssl.TLSVersion.TLSv1_3}


PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../man/postern.conf.5")


def example(**values):
    """That of the manual page, lines of it with other values."""
    with open(PAGE, encoding="utf-8") as f:
        text = f.read().split("# postern.conf: a smarthost client with a "
                              "certificate\n", 1)[1].split(".Ed\n", 1)[0]
    for old, new in {
            "path /run/postern/sendmail": "port %(edge)d",
            "type lmdb": "type lmdb; path run/queue; retry { delay 1 }",
            "host smtp.example.net": "host 127.0.0.1",
            "port 587": "port %(hop)d",
            "verified": "verified; ca_certs %(ca)s",
            "/etc/ssl/certs/mx.pem": "%(cert)s",
            "/etc/ssl/private/mx.key": "%(key)s"}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return "process { hostname mx.test.example; run_dir run }\n" + (
        text % values)


def asking(room, trusted, version=None, verify=ssl.CERT_REQUIRED):
    """The side of a next hop: its certificate, and whom it believes."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*Authority(room.dir, "hop").issue("DNS:hop.example"))
    if version:
        c.minimum_version = c.maximum_version = version
    if verify != ssl.CERT_NONE:
        c.load_verify_locations(trusted.cert)
        c.verify_mode = verify
    return c


class House:
    """A postern with a relay for each next hop: its name is the domain."""

    def __init__(self, server):
        self.p = server
        self.ca = Authority(server.room.dir, "ours")
        self.relays, self.sinks = "", {}
        server.port = free_port()

    def files(self, name, **more):
        """Words of a tls block for a new certificate of ours."""
        cert, key = self.ca.issue("DNS:" + name, **more)
        os.chmod(key, 0o600)
        if not self.p.as_root:
            owner = os.stat(self.p.room.work)
            os.chown(key, owner.st_uid, owner.st_gid)
        return "certfile %s; keyfile %s" % (cert, key)

    def add(self, name, context, words, security="required", kind="static",
            more=""):
        self.sinks[name] = s = Sink(tls=context, extensions=(
            "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS"))
        self.relays += OUT % (name, kind, s.port, more, security, words)
        return s

    def configure(self):
        routes = "\n    ".join("route to @%s.example relay %s" % (n, n)
                               for n in self.sinks)
        self.p.configure(BLOCKS % (self.p.port, routes) + self.relays)

    def start(self, *args):
        self.configure()
        return self.p.start(*args)

    def reload(self):
        since = self.p.mark()
        self.p.signal(signal.SIGHUP)
        self.p.wait_log(since=since, event="reloaded", by=self.p.process.pid)

    def send(self, name):
        return send(self.p.port, "ann@here.example", "bob@%s.example" % name)

    def close(self):
        for s in self.sinks.values():
            s.close()


@pytest.fixture
def house(server):
    h = House(server)
    yield h
    h.close()


def test_a_hop_that_asks_is_shown_it_under_each_version(house):
    """RSA and ECDSA, SMTP and LMTP, TLS 1.2 and 1.3; and one asks nothing."""
    for name, kind, type in (("rsa", "rsa:2048", "static"),
                             ("ec", "ec:P-256", "lmtp")):
        words = house.files(name, kind=kind)
        for digits, version in VERSIONS.items():
            house.add(name + digits, asking(house.p.room, house.ca, version),
                      words, kind=type)
    house.add("shy", asking(house.p.room, house.ca, verify=ssl.CERT_NONE),
              words)
    p = house.start("-d")
    for name, sink in house.sinks.items():
        got = p.wait_log(event="delivered", id=house.send(name))
        mail, = sink.wait(1)
        assert got["relay"] == name and mail.version.startswith("TLSv1.")
        if name == "shy":
            assert mail.cert is None
            continue
        assert mail.cert["subjectAltName"] == (("DNS", name[:-2]),)
    assert len(p.find_log(event="secured", asked="yes")) == 4
    assert len(p.find_log(event="secured", asked="no")) == 1
    assert p.find_log(event="tls_failed") == []


def test_a_hop_that_refuses_it_or_misses_one_says_why(house):
    other = Authority(house.p.room.dir, "stranger")
    words = house.files("me.example")
    for name, version in VERSIONS.items():
        house.add("no" + name, asking(house.p.room, other, version), words)
        house.add("none" + name, asking(house.p.room, other, version), "")
        house.add("clear" + name, asking(house.p.room, other, version), words,
                  security="opportunistic")
    p = house.start()
    for name in VERSIONS:
        for relay, text in (
                ("no", "4.7.0 The next hop refused our certificate"),
                ("none", "4.7.0 The next hop requires a certificate of ours")):
            got = p.wait_log(event="deferred", id=house.send(relay + name))
            assert (got["code"], got["reply"]) == ("454", text)
            assert house.sinks[relay + name].messages == []
        port = ":%d" % house.sinks["no" + name].port
        failed = [l["why"] for l in p.find_log(event="tls_failed")
                  if l["hop"].endswith(port)]
        assert failed and "unknown ca" in failed[0], p.tail()
        # Opportunistic as ever: the mail goes, and the log has it.
        p.wait_log(event="delivered", id=house.send("clear" + name))
        mail, = house.sinks["clear" + name].wait(1)
        assert mail.version is None
    assert len(p.find_log(event="downgraded")) == 2


def test_no_kill_of_the_vault_loses_mail_or_brings_it_into_the_clear(house):
    """Opportunistic: a handshake that our own house breaks must not be what a
    next hop that cannot do TLS is."""
    sink = house.add("out", asking(house.p.room, house.ca),
                     house.files("me.example"), security="opportunistic")
    p = house.start()
    names = [house.send("out")]
    for _ in range(3):
        p.kill("keys")
        names += [house.send("out") for _ in range(4)]
    for name in names:
        p.wait_log(event="delivered", id=name)
    mails = sink.wait(len(names))
    assert {m.id for m in mails} == set(names)
    assert all(m.version and m.cert for m in mails)
    assert p.find_log(event="downgraded") == []


def test_a_renewed_certificate_is_shown_after_a_reload(house):
    sink = house.add("out", asking(house.p.room, house.ca),
                     house.files("me.example"))
    p = house.start()
    seen = []
    for kind in ("ec:P-384", "rsa:2048", None):
        p.wait_log(event="delivered", id=house.send("out"))
        seen.append(sink.wait(len(seen) + 1)[-1].cert["serialNumber"])
        if kind:
            house.files("me.example", kind=kind)    # the same two files
            house.reload()
    assert len(set(seen)) == 3
    assert p.find_log(event="denied") == []


def test_the_first_key_of_a_house_comes_and_goes_by_a_reload(house):
    sink = house.add("out", asking(house.p.room, house.ca,
                                   verify=ssl.CERT_OPTIONAL), "WORDS")
    words, relays = house.files("me.example"), house.relays
    for no, put in enumerate(("", words, "", words)):
        house.relays = relays.replace("WORDS", put)
        if no == 0:
            p = house.start()
        else:
            house.configure()
            house.reload()
        p.wait_log(event="delivered", id=house.send("out"))
        assert (sink.wait(no + 1)[no].cert is not None) == (put == words)
    assert p.find_log(event="deferred") == []


@pytest.mark.root
@pytest.mark.heavy      # slow to look through a sanitizer's memory
def test_postfix_lets_the_relay_in_by_its_certificate(root_server):
    """smtpd_tls_req_ccert, and relaying for who has one; no login.  The key is
    the vault's alone."""
    p, room = root_server, root_server.room
    house = House(p)
    dovecot = Dovecot(room.dir, {})
    sink = Sink()
    hop = Authority(room.dir, "hop")
    postfix = Postfix(
        room.dir, sink.port, dovecot.auth, hop.issue("IP:127.0.0.1"),
        level="encrypt", more="""
smtpd_tls_req_ccert = yes
smtpd_tls_CAfile = %s
smtpd_relay_restrictions = permit_tls_all_clientcerts, reject
smtpd_recipient_restrictions = permit_tls_all_clientcerts, reject
""" % house.ca.cert)
    try:
        words = house.files("me.example", usage="clientAuth", kind="rsa:2048")
        cert, key = re.findall(r"file ([^;]+)", words)
        p.configure(example(edge=p.port, hop=postfix.port, ca=hop.cert,
                            cert=cert, key=key))
        p.start()
        name = send(p.port, "ann@here.example", "bob@there.example")
        p.wait_log(event="delivered", id=name)
        sink.wait(1)
        assert "Trusted TLS connection established from" in postfix.log()
        for word in ("relay", "keys"):
            found, _ = keyscan.parts_in(p.pid(word), key, SANITIZED)
            assert (found != set()) == (word == "keys"), word
        # Without it the same Postfix takes nothing.
        p.stop()
        p.configure(BLOCKS % (p.port, "relay out") + OUT % (
            "out", "static", postfix.port, "", "verified",
            "ca_certs " + hop.cert))
        p.start()
        name = send(p.port, "ann@here.example", "bob@there.example")
        got = p.wait_log(event="deferred", id=name)
        assert got["code"] == "421", got.text
        assert "No client certificate presented" in got["reply"]
    finally:
        postfix.close()
        dovecot.close()
        sink.close()
