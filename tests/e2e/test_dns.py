"""posternctl dns says what of a domain's records is there, missing or wrong."""

import base64
import hashlib
import os
import subprocess

import pytest

from json_page import check
from names import Names
from tool import run

GOOD = """
@ IN MX 10 mx
mx IN A 203.0.113.5
_25._tcp.mx IN TLSA 3 1 1 %s
mta-sts IN A 203.0.113.8
@ IN TXT "v=spf1 mx" " -all"
@ IN TXT "something else"
_dmarc IN TXT "v=DMARC1; p=reject"
s1._domainkey IN TXT "v=DKIM1; k=ed25519; p=AAAA"
old._domainkey IN TXT "v=DKIM1; p="
_mta-sts IN TXT "v=STSv1; id=1"
_smtp._tls IN TXT "v=TLSRPTv1; rua=mailto:a@good.example"
"""
ODD = """
@ IN MX 10 mx
@ IN MX 20 gone
mx IN A 203.0.113.6
_25._tcp.mx IN TLSA 1 1 1 %s
@ IN TXT "v=spf1 +all"
_mta-sts IN TXT "v=STSv1; id=1"
_dmarc IN TXT "v=DMARC1; p=none"
_dmarc IN TXT "v=DMARC1; p=reject"
""" % ("ab" * 32)
BACK = """
5 IN PTR mx.good.example.
6 IN PTR mx.good.example.
"""


def certificate(room, host):
    """Of that host: its file, and the SHA-256 of its public key."""
    path = os.path.join(room.work, host + ".pem")
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
               "-subj", "/CN=" + host, "-addext", "subjectAltName=DNS:" + host,
               "-out", path]
    subprocess.run(openssl, check=True, capture_output=True)
    pem = subprocess.run(["openssl", "x509", "-in", path, "-noout",
                          "-pubkey"], check=True, capture_output=True).stdout
    key = base64.b64decode("".join(pem.decode().splitlines()[1:-1]))
    return path, hashlib.sha256(key).hexdigest()


@pytest.fixture
def dns(room):
    names = Names(room.work)
    room.path, room.hash = certificate(room, "mx.good.example")
    names.zone("good.example", GOOD % room.hash)
    names.zone("odd.example", ODD)
    names.zone("none.example", "mx IN A 203.0.113.7")
    names.zone("113.0.203.in-addr.arpa", BACK)
    names.start()

    def ask(*words):
        return run(["posternctl", "dns", "--server", names.address, *words])
    yield ask
    names.close()


def test_what_is_there_missing_and_wrong_is_told(dns):
    got = dns("good.example", "--selector", "s1")
    assert got.status == 0, got.out + got.err
    assert "To add" not in got.out
    for line in ("  MX       good.example  10 mx.good.example\n",
                 "  A        mx.good.example  203.0.113.5\n",
                 "  PTR      203.0.113.5  mx.good.example\n",
                 "  TLSA     _25._tcp.mx.good.example\n",
                 "  SPF      good.example  v=spf1 mx -all\n",
                 "  DMARC    _dmarc.good.example  v=DMARC1; p=reject\n",
                 "  DKIM     s1._domainkey.good.example  v=DKIM1;",
                 "  MTA-STS  _mta-sts.good.example  v=STSv1; id=1\n",
                 "  MTA-STS  mta-sts.good.example  its /.well-known/"
                 "mta-sts.txt is to say version: STSv1, mode: enforce, "
                 "mx: mx.good.example, max_age: 604800\n",
                 "  TLS-RPT  _smtp._tls.good.example  v=TLSRPTv1;"):
        assert line in got.out, (line, got.out)
    got = dns("good.example", "--selector", "s1,old,no", "--json")
    assert got.status == 1
    for row in got.lines:
        check("dns", row)
    keys = {r["name"]: r for r in got.lines if r.get("record") == "DKIM"}
    assert [keys[s + "._domainkey.good.example"]["state"]
            for s in ("s1", "old", "no")] == ["good", "wrong", "missing"]

    got = dns("odd.example")
    assert got.status == 1
    for line in ("! PTR      203.0.113.6  mx.good.example: that name does not "
                 "have this address\n",
                 "! A        gone.odd.example  is missing\n",
                 "! TLSA     _25._tcp.mx.odd.example: its usage",
                 "! SPF      odd.example  v=spf1 +all: it lets everybody send",
                 "! DMARC    _dmarc.odd.example  v=DMARC1; p=",
                 ": there are several, and none counts\n",
                 "! MTA-STS  mta-sts.odd.example  is missing: no web server",
                 "- TLS-RPT  _smtp._tls.odd.example  is missing\n",
                 "\nTo add:\n"):
        assert line in got.out, (line, got.out)


def test_the_records_to_add_make_it_good(dns):
    got = dns("None.Example.", "--json")
    assert got.status == 1
    for row in got.lines:
        check("dns", row)
    adds = [r["add"] for r in got.lines if "add" in r]
    assert adds == [
        "none.example. 3600 IN MX 10 mx.none.example.",
        "7.113.0.203.in-addr.arpa. 3600 IN PTR mx.none.example.",
        'none.example. 3600 IN TXT "v=spf1 mx -all"',
        '_dmarc.none.example. 3600 IN TXT "v=DMARC1; p=none; '
        'rua=mailto:postmaster@none.example"',
        '_smtp._tls.none.example. 3600 IN TXT "v=TLSRPTv1; '
        'rua=mailto:postmaster@none.example"']
    for words in ((), ("a..b",), ("a.example", "--server", "nonsense")):
        assert run(["posternctl", "dns", *words]).status == 2


CONF = """
edge in {
    type smtp
    listener { interface 127.0.0.1; port 2525 }
    tls { certfile %s; keyfile %s }
    hostname mx.good.example
    queue main
}
queue main { type memory; relay out }
relay out { type blackhole }
"""


def test_tlsa_is_compared_with_the_certificate_there_is(dns, room):
    good = "  TLSA     _25._tcp.mx.good.example\n"
    assert good in dns("good.example", "--certificate", room.path).out
    other, digest = certificate(room, "other.example")
    got = dns("good.example", "--certificate", other)
    assert got.status == 1
    assert "! TLSA     _25._tcp.mx.good.example: none is of the certificate " \
        "that is configured\n" in got.out
    add = "_25._tcp.mx.good.example. 3600 IN TLSA 3 1 1 %s\n" % digest
    assert add in got.out
    got = dns("none.example", "--certificate", other)
    assert "of use only in a signed zone: 3 1 1 %s\n" % digest in got.out
    conf = os.path.join(room.work, "dns.conf")
    for path, said in ((room.path, good), (other, good)):
        with open(conf, "w", encoding="ascii") as f:
            f.write(CONF % (path, path))
        assert said in dns("good.example", "-f", conf).out
    renewed, digest = certificate(room, "mx.good.example")
    with open(conf, "w", encoding="ascii") as f:
        f.write(CONF % (renewed, renewed))
    assert digest in dns("good.example", "-f", conf).out
    got = dns("good.example", "--certificate", conf)
    assert got.status == 2 and "no certificate" in got.err
