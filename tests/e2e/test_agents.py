"""Relays of types maildrop and dovecot: local delivery agents, real ones."""

import os
import re
import shutil
import subprocess

import pytest

from client import send
from peers import Dovecot
from server import free_port, until
from test_local import ANN, BOB, people     # noqa: F401 (a fixture)

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

PEERS = os.environ.get("POSTERN_PEERS", "build/peers")
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../man/postern.conf.5")
LDA = "/usr/lib/dovecot/dovecot-lda"
CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb; path run/queue; relay agent
    retry { delay 1; maximum_delay 1s }
}
relay agent { type %s; %s }
"""
FILTER = """
if (/^Subject: gone/)
{
    echo "words of the filter"
    echo "maildrop: nobody of that name"
    EXITCODE=67
    exit
}
if (/^Subject: busy/)
{
    EXITCODE=75
    exit
}
to "$HOME/Maildir"
"""


def begin(p, kind, more):
    p.port = free_port()
    p.configure(CONF % (p.port, kind, more))
    return p.start()


def script(p, name, text):
    path = os.path.join(p.room.work, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def mails(box):
    new = os.path.join(box, "new")
    for name in sorted(os.listdir(new)):
        with open(os.path.join(new, name), encoding="utf-8") as f:
            yield f.read()


def own(p, path):
    """What lies there belongs to whom the relay runs as."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody:nogroup", path], check=True)


def maildrop(p, text, words=" ./filter"):
    """The program that deps.sh has unpacked, its libraries and a filter
    beside it; the path of a script that runs it, and its Maildir."""
    work = p.room.work
    for src, dst in (("usr/bin/maildrop", "maildrop"),
                     ("usr/lib/libcourierauth.so.0", "libcourierauth.so.0")):
        shutil.copyfile(os.path.join(PEERS, src), os.path.join(work, dst))
    os.chmod(work + "/maildrop", 0o755)
    box = work + "/Maildir"
    for name in ("", "/tmp", "/new", "/cur"):
        os.mkdir(box + name)
    with open(work + "/filter", "w", encoding="utf-8") as f:
        f.write('HOME="%s"\n%s' % (work, text))
    os.chmod(work + "/filter", 0o600)
    own(p, box)
    own(p, work + "/filter")
    return script(p, "maildrop.sh", 'cd %s\nfor a; do echo "$a"; done >>'
                  ' Maildir/args\nLD_LIBRARY_PATH=. exec ./maildrop "$@"'
                  "%s\n" % (work, words)), box


def test_maildrop_sorts_by_its_filter_rows_000_22_to_28(server):
    p = server
    path, box = maildrop(p, FILTER)
    begin(p, "maildrop", "path %s" % path)
    name = send(p.port, "ann@here.example", "bob@x.example", "eve@x.example",
                text="Subject: hello\r\n\r\nHi.\r\n")
    p.wait_log(event="removed", id=name)
    assert len(p.find_log(event="delivered", id=name)) == 2
    text, = mails(box)          # a run for the message, not for each of them
    assert name in text and text.endswith("Subject: hello\n\nHi.\n")
    with open(box + "/args", encoding="utf-8") as f:
        assert f.read() == "-f\nann@here.example\n"
    # A bounce has no sender, and yet an argument of it.
    send(p.port, "", "bob@x.example", text="Subject: dsn\r\n\r\nHi.\r\n")
    until(lambda: len(list(mails(box))) == 2, what="the second message")
    name = send(p.port, "ann@here.example", "bob@x.example", "eve@x.example",
                text="Subject: gone\r\n\r\nHi.\r\n")
    for rcpt in ("bob@x.example", "eve@x.example"):
        got = p.wait_log(event="failed", id=name, rcpt=rcpt)
        assert got["code"] == "550"
        assert got["reply"] == "5.1.1 nobody of that name"
    name = send(p.port, "ann@here.example", "bob@x.example",
                text="Subject: busy\r\n\r\nHi.\r\n")
    got = p.wait_log(event="deferred", id=name)
    assert (got["code"], got["reply"][:5]) == ("450", "4.3.0")


def test_the_filter_of_the_manual_page_does_what_it_says(server):
    p = server
    with open(PAGE, encoding="utf-8") as f:
        text = f.read().split("nobody else may be able to write:\n", 1)[1]
    text = text.split(".Bd -literal -offset indent\n", 1)[1]
    path, box = maildrop(p, text.split(".Ed\n", 1)[0])
    begin(p, "maildrop", "path %s" % path)
    name = send(p.port, "ann@here.example", "bob@x.example",
                text="Subject: please unsubscribe me\r\n\r\nHi.\r\n")
    got = p.wait_log(event="failed", id=name)
    assert got["reply"] == "5.7.0 write to the list's owner"
    name = send(p.port, "ann@here.example", "bob@x.example")
    p.wait_log(event="delivered", id=name)
    assert any(name in m for m in mails(box))


def test_a_filter_that_is_named_hears_of_each_recipient(server):
    """As the manual page has it: extra_args with {recipient}."""
    p = server
    with open(PAGE, encoding="utf-8") as f:
        text = f.read().split(".Pa /etc/postern/filter :\n", 1)[1]
    text = text.split(".Bd -literal -offset indent\n", 1)[1]
    path, box = maildrop(p, text.split(".Ed\n", 1)[0].replace(
        "/var/vmail", p.room.work), words="")
    for who in ("ann", "bob"):
        for sub in ("", "/.Junk"):
            for name in ("", "/tmp", "/new", "/cur"):
                os.mkdir("%s/%s@example.org%s%s" % (p.room.work, who, sub,
                                                    name))
        own(p, "%s/%s@example.org" % (p.room.work, who))
    begin(p, "maildrop", "path %s; extra_args %s/filter; extra_args "
          '"{recipient}"' % (path, p.room.work))
    name = send(p.port, "eve@here.example", "ann@example.org",
                "bob@example.org", text="X-Spam-Flag: YES\r\n\r\nHi.\r\n")
    for who, where in (("ann", "/.Junk"), ("bob", "")):
        rcpt = who + "@example.org"
        p.wait_log(event="delivered", id=name, rcpt=rcpt)
        text, = mails("%s/%s%s" % (p.room.work, rcpt, where))
        assert name in text
    with open(box + "/args", encoding="utf-8") as f:
        assert f.read() == "".join(
            "-f\neve@here.example\n%s/filter\n%s@example.org\n" % (
                p.room.work, who) for who in ("ann", "bob"))


@pytest.mark.root
def test_each_user_has_a_filter_in_his_home(root_server, people):   # noqa: F811
    """A relay for each of them: maildrop is whose it is, and nobody else."""
    p = root_server
    path, _ = maildrop(p, "", words="")
    with open(PAGE, encoding="utf-8") as f:
        page = f.read().split("# postern.conf: users with filters\n", 1)[1]
    page = page.split(".Ed\n", 1)[0]
    for name, who in (("ann", ANN), ("bob", BOB)):
        page = re.sub(r"\b%s\b" % name, who, page)
    page = page.replace("type maildrop", "type maildrop; path " + path)
    p.port = free_port()
    p.configure("process { hostname mx.test.example; run_dir run }\n" +
                page.replace('interface ""; port 25',
                             "interface 127.0.0.1; port %d" % p.port)
                .replace("type lmdb", "type lmdb; path run/queue"))
    for who, verdict in ((ANN, 'to "Mail/sorted/"'),
                         (BOB, "EXITCODE=67\nexit")):
        home = people[who].pw_dir
        subprocess.run(["install", "-d", "-o", who, "-m", "700"] + [
            "%s/Mail%s" % (home, sub) for sub in (
                "", "/sorted", "/sorted/tmp", "/sorted/new", "/sorted/cur")],
            check=True)
        with open(home + "/.mailfilter", "w", encoding="utf-8") as f:
            f.write('`id -un >whoami`\n%s\n' % verdict)
        os.chmod(f.name, 0o600)
        shutil.chown(f.name, who)
    p.start()
    name = send(p.port, "eve@far.example", ANN + "@example.org",
                BOB + "@example.org")
    p.wait_log(event="delivered", id=name, rcpt=ANN + "@example.org")
    got = p.wait_log(event="failed", id=name, rcpt=BOB + "@example.org")
    assert got["dsn"] == "5.1.1"
    text, = mails(people[ANN].pw_dir + "/Mail/sorted")
    assert name in text
    for who in (ANN, BOB):
        with open(people[who].pw_dir + "/whoami", encoding="utf-8") as f:
            assert f.read() == who + "\n"


def test_maildrop_ends_with_its_time(server):
    path = script(server, "maildrop", "exec sleep 600\n")
    p = begin(server, "maildrop", "path %s; timeout 1s" % path)
    name = send(p.port, "ann@here.example", "bob@x.example", "eve@x.example")
    for rcpt in ("bob@x.example", "eve@x.example"):
        got = p.wait_log(event="deferred", id=name, rcpt=rcpt)
        assert got["reply"] == "4.4.2 Delivery timed out"


def test_agents_are_found_in_path_when_checked_rows_002_19_20(server):
    p = server
    p.port = free_port()
    for kind, name in (("maildrop", "maildrop"), ("dovecot", "dovecot-lda")):
        script(p, name, "exit 0\n")
        os.makedirs(p.room.work + "/bin", exist_ok=True)
        shutil.move(os.path.join(p.room.work, name), p.room.work + "/bin")
        p.configure(CONF % (p.port, kind, ""))
        p.start(env={"PATH": "bin:/nowhere:%s/bin:/usr/bin" % p.room.work})
        sent = send(p.port, "ann@here.example", "bob@x.example")
        got = p.wait_log(event="delivered", id=sent)
        assert got["hop"] == "%s/bin/%s" % (p.room.work, name)
        p.stop()


def test_extra_words_follow_those_of_dovecot(server):
    p = server
    hub = Dovecot(p.room.dir, {"ann": "x"})
    try:
        path = script(p, "lda", "exec %s -c %s/conf -o auth_socket_path=%s/"
                      'lda-userdb "$@"\n' % (LDA, hub.dir, hub.dir))
        begin(p, "dovecot", "path %s; extra_args -m Lists -o "
              "lda_mailbox_autocreate=yes" % path)
        name = send(p.port, "ann@here.example", "ann@x.example")
        p.wait_log(event="delivered", id=name)
        text, = mails(hub.dir + "/mail/ann/.Lists")
        assert name in text
    finally:
        hub.close()


def test_dovecot_delivers_to_those_it_knows_rows_002_20(server):
    p = server
    hub = Dovecot(p.room.dir, {"ann": "x", "bob": "x"})
    try:
        path = script(p, "lda", 'echo "$*" >>%s/mail/args\n'
                      "exec %s -c %s/conf -o auth_socket_path=%s/lda-userdb "
                      '"$@"\n' % (hub.dir, LDA, hub.dir, hub.dir))
        begin(p, "dovecot", "path %s" % path)
        name = send(p.port, "ann@here.example", "ann@x.example",
                    "bob@x.example", "eve@x.example")
        for who in ("ann", "bob"):
            p.wait_log(event="delivered", id=name, rcpt=who + "@x.example")
            text, = hub.mails(who)
            assert name.encode() in text and b"Hello." in text
        got = p.wait_log(event="failed", id=name, rcpt="eve@x.example")
        assert got["code"] == "550" and got["reply"].startswith("5.1.1 ")
        name = send(p.port, "", "bob@x.example")
        p.wait_log(event="delivered", id=name)
        with open(hub.dir + "/mail/args", encoding="utf-8") as f:
            assert f.read() == "".join("-f %s -d %s@x.example\n" % (
                sender, who) for sender, who in (
                    ("ann@here.example", "ann"), ("ann@here.example", "bob"),
                    ("ann@here.example", "eve"), ("", "bob")))
    finally:
        hub.close()
