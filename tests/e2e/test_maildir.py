"""Delivery into Maildirs, and the names that must not get out of them."""

import os
import subprocess

import pytest

from client import TEXT, Client, send
from server import NOBODY, free_port, until

CONF = """process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main { type lmdb; path run/queue; relay box }
relay box { type maildir; path "run/mail/{domain}/{user}" }
"""


@pytest.fixture
def mailbox(server):
    server.port = free_port()
    server.configure(CONF % server.port)
    server.start()
    return server


def files(server, *path):
    top = os.path.join(server.room.work, "run/mail", *path)
    return sorted(os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs)


def test_a_message_lands_in_new(mailbox):
    name = send(mailbox.port, "ann@here.example", "bob@There.Example")
    mailbox.wait_log(event="delivered", id=name)
    found = files(mailbox)
    assert len(found) == 1
    assert found[0].startswith(os.path.join(
        mailbox.room.work, "run/mail/there.example/bob/new/"))
    with open(found[0], "rb") as f:
        text = f.read()
    assert text.startswith(b"Return-Path: <ann@here.example>\n")
    assert b"Delivered-To: bob@" in text
    assert text.endswith(TEXT.replace("\r\n", "\n").encode())
    box = os.path.dirname(os.path.dirname(found[0]))
    assert sorted(os.listdir(box)) == ["cur", "new", "tmp"]


def test_each_recipient_has_a_copy(mailbox):
    name = send(mailbox.port, "ann@here.example", "bob@there.example",
                "eve@there.example", "bob@far.example")
    mailbox.wait_log(event="removed", id=name)
    assert len(files(mailbox)) == 3


def test_details_and_case_lead_to_the_maildir_of_the_user(server):
    """A list with a byte order mark and CR LF, as an editor may leave it."""
    with open(os.path.join(server.room.work, "list"), "wb") as f:
        f.write(b"\xef\xbb\xbfBob@There.Example\r\n# eve\r\n")
    server.port = free_port()
    server.configure((CONF % server.port).replace(
        '{user}"', '{user}"; recipients %s; recipient_delimiter +; '
        "fold_case yes" % os.path.join(server.room.work, "list")))
    server.start()
    with Client(server.port) as c:
        c.hello()
        name = c.mail("ann@here.example", "BOB+Lists@there.example")
        server.wait_log(event="delivered", id=name)
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<eve+bob@there.example>", 550)
    found = files(server)
    assert len(found) == 1
    assert "/run/mail/there.example/bob/new/" in found[0]


DOVECOT = """base_dir = {dir}/run
state_dir = {dir}/run
log_path = /dev/stderr
mail_location = maildir:{box}
mail_plugins = quota
postmaster_address = postmaster@x.example
first_valid_uid = 1
stats_writer_socket_path =
plugin {{
    quota = maildir:User quota
    quota_rule = *:bytes={limit}
}}
"""


class Dovecot:
    """Its delivery agent and its tool, as who owns the Maildir, with a quota;
    no server."""

    def __init__(self, work, box, limit):
        self.dir = os.path.join(work, "dovecot")
        os.makedirs(self.dir + "/run")
        with open(self.dir + "/conf", "w", encoding="ascii") as f:
            f.write(DOVECOT.format(dir=self.dir, box=box, limit=limit))
        self.who = {}
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", self.dir],
                           check=True)
            self.who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def run(self, program, *args, data=b"", status=0):
        done = subprocess.run(
            [program, "-c", self.dir + "/conf", *args], input=data,
            capture_output=True, check=False, cwd=self.dir,
            env={"HOME": self.dir, "USER": "bob", "PATH": os.environ["PATH"]},
            **self.who)
        assert done.returncode == status, done.stderr
        return done.stdout.decode()

    def deliver(self, data, status=0):
        self.run("/usr/lib/dovecot/dovecot-lda", "-f", "eve@far.example",
                 data=data, status=status)

    def used(self):
        """Messages, as it has them."""
        for line in self.run("doveadm", "quota", "get").splitlines():
            if " MESSAGE " in line:
                return int(line.split()[3])
        raise AssertionError("no quota")


def test_dovecot_and_we_keep_one_quota(server):
    """Each adds to what the other has written, and makes room for it."""
    server.port = free_port()
    server.configure((CONF % server.port).replace(
        "relay box }", "relay box; retry { delay 0.2; maximum_delay 1s } }")
        .replace('{user}"', '{user}"; quota 20K; recipient_delimiter +; '
                 "detail_folder create"))
    server.start()
    box = os.path.join(server.room.work, "run/mail/there.example/bob")
    big = "Subject: big\r\n\r\n" + 80 * ("x" * 78 + "\r\n")

    def post(rcpt="bob@there.example"):
        return send(server.port, "ann@here.example", rcpt, text=big)

    def size():
        with open(box + "/maildirsize", encoding="ascii") as f:
            return f.read().split("\n")[:-1]
    server.wait_log(event="delivered", id=post())
    assert size()[0] == "20480S" and len(size()) == 3
    dovecot = Dovecot(server.room.work, box, "20K")
    dovecot.deliver(big.replace("\r\n", "\n").encode())
    assert size()[0] == "20480S" and dovecot.used() == 2
    server.wait_log(event="delivered", id=post("bob+Lists@there.example"))
    assert dovecot.used() == 3 and len(size()) == 5
    assert sorted(os.listdir(box + "/.Lists")) == [
        "cur", "maildirfolder", "new", "tmp"]
    name = post()
    got = server.wait_log(event="deferred", id=name)
    assert got["reply"] == "4.2.2 Mailbox over quota", got
    dovecot.deliver(big.replace("\r\n", "\n").encode(), status=75)
    dovecot.run("doveadm", "expunge", "mailbox", "Lists", "all")
    assert size()[-1].startswith("-")
    server.wait_log(event="removed", id=name)
    assert dovecot.used() == 3
    # What it counts anew is what we have added up.
    before = [sum(int(line.split()[n]) for line in size()[1:])
              for n in (0, 1)]
    os.unlink(box + "/maildirsize")
    dovecot.run("doveadm", "quota", "recalc")
    assert [int(n) for n in size()[1].split()] == before


@pytest.mark.parametrize("rcpt", [
    '"../../../escape"@there.example', '"a/b"@there.example',
    ".hidden@there.example", '".."@there.example', '"/etc/x"@there.example',
    "x@[127.0.0.1]",
])
def test_a_name_that_is_a_path_is_refused(mailbox, rcpt):
    """Refused at RCPT, or bounced with 550 5.1.3; never written outside."""
    with Client(mailbox.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        if c.say("RCPT TO:<%s>" % rcpt).startswith("250"):
            c.want("DATA", 354)
            c.write(TEXT)
            name = c.queued(c.say("."))
            if rcpt != "x@[127.0.0.1]":
                told = mailbox.wait_log(event="failed", id=name)
                assert told["dsn"] == "5.1.3", told.text
            else:
                mailbox.wait_log(event="removed", id=name)
    for path in files(mailbox):
        assert "/run/mail/" in path and ".." not in path
    assert not until_found(mailbox, "escape")


def until_found(server, name):
    return [f for d, _, fs in os.walk(server.room.dir) for f in fs
            if f == name]


def test_a_symbolic_link_is_not_followed(mailbox):
    outside = os.path.join(mailbox.room.dir, "outside")
    os.mkdir(outside, 0o777)
    os.chmod(outside, 0o777)
    top = os.path.join(mailbox.room.work, "run/mail")
    until(lambda: os.path.isdir(top))
    os.symlink(outside, os.path.join(top, "there.example"))
    name = send(mailbox.port, "ann@here.example", "bob@there.example")
    until(lambda: mailbox.find_log(id=name, event="deferred") or
          mailbox.find_log(id=name, event="failed"))
    assert os.listdir(outside) == []


def test_a_large_message_is_whole(mailbox):
    body = b"x" * 70 + b"\r\n"
    name = send(mailbox.port, "ann@here.example", "bob@there.example",
                text=b"Subject: big\r\n\r\n" + body * 30000)
    mailbox.wait_log(event="delivered", id=name)
    with open(files(mailbox)[0], "rb") as f:
        got = f.read()
    assert got.endswith(body.replace(b"\r\n", b"\n") * 30000)
