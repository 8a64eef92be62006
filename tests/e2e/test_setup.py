"""posternctl setup asks, and what it writes is good and keeps what was."""

import os
import subprocess

import pytest

from hostfiles import make_key
from server import OPTIONS, PATIENCE, programs
from tool import ctl

# A room with an /etc of its own.
ROOM = """
cp /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf "$1" &&
mount --make-rprivate / && mount --bind "$1" /etc && shift && exec "$@"
"""


def answer(p, kind, *lines):
    return ctl(p, "setup", *kind, stdin="".join(l + "\n" for l in lines))


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_a_client_is_asked_until_it_is_right(server):
    p = server
    p.configure("what was here\n")
    said = answer(p, (), "7", "client", "nodot", "host.here.example",
                  "smtp.hop.example", "99999", "465", "two words",
                  "ann@hop.example", "nobody", "-", "a {secret}; # word")
    assert said.status == 0, said.err
    assert "1  client: " in said.out and "4  local: " in said.out
    for wrong in ("a full name has a dot", "a number from 1 to 65535",
                  "no blanks", "an address is user@domain"):
        assert said.out.count(wrong) == 1, said.out
    assert text(p.path + ".old") == "what was here\n"
    assert not os.path.exists(p.path + ".new")
    secret = os.path.join(p.room.work, "smarthost.password")
    assert text(secret) == "a {secret}; # word\n"
    assert os.stat(secret).st_mode & 0o777 == 0o600
    conf = text(p.path)
    for line in ("hostname host.here.example", "host smtp.hop.example",
                 "port 465", "tls_immediately yes",
                 "username ann@hop.example", "password_file " + secret):
        assert "\t%s\n" % line in conf, conf
    assert ".example.net" not in conf and conf.startswith("# postern.conf - ")
    assert ctl(p, "check").status == 0


def test_every_kind_makes_a_good_configuration(server):
    p = server
    work = p.room.work
    make_key(p, "mx")
    cert = (work + "/mx.crt", work + "/mx.key")
    for kind, lines in (
            ("submission", ("there.example", *cert, work + "/users",
                            "/run/lmtp")),
            ("mx", ("there.example", *cert, work + "/known", "/run/lmtp")),
            ("local", ("-",))):
        said = answer(p, (kind,), "mx.there.example", *lines)
        assert said.status == 0, (kind, said.out, said.err)
        assert ctl(p, "check").status == 0
        conf = text(p.path)
        assert "hostname mx.there.example\n" in conf, conf
        assert conf.count("process {") == 1, conf
        assert kind == "local" or "example.org" not in conf, conf
    assert text(work + "/known") == (
        "# one address a line\npostmaster@there.example\n")
    assert os.stat(work + "/users").st_mode & 0o777 == 0o600


def test_what_is_not_good_or_not_whole_changes_nothing(server):
    p = server
    p.configure("what was here\n")
    said = answer(p, ("mx",), "mx.there.example", "there.example",
                  "/no/such.pem", "/no/such.key",
                  p.room.work + "/known", "/run/lmtp")
    assert said.status == 1 and "/no/such.pem" in said.err, said.err
    assert text(p.path) == "what was here\n"
    said = answer(p, ("client",), "mx.there.example", "smtp.hop.example")
    assert said.status == 1 and "nothing is written" in said.err
    assert text(p.path) == "what was here\n"
    assert ctl(p, "setup", "rubbish").status == 2


@pytest.mark.root
@pytest.mark.parametrize("before,after", [
    (None, "root: ann@hop.example\n"),
    ("postmaster: root", "postmaster: root\nroot: ann@hop.example\n"),
    ("Root : bob\n", "Root : bob\n")])
def test_root_gets_an_alias_unless_there_is_one(room, before, after):
    etc = room.work + "/etc"
    os.mkdir(etc)
    if before is not None:
        with open(etc + "/aliases", "w", encoding="utf-8") as f:
            f.write(before)
    tool = os.path.join(programs(), "posternctl")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", ROOM, "sh", etc, tool, "-f",
         room.work + "/conf", "setup", "local"], text=True, check=False,
        input="host.here.example\nann@hop.example\n", capture_output=True,
        timeout=PATIENCE, env=dict(os.environ, **OPTIONS))
    assert done.returncode == 0, done.stderr
    assert text(etc + "/aliases") == after
    assert ("stays so" in done.stdout) == (before == after)
