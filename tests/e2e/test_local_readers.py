"""A relay of type local, as root, beside the programs that users read mail
with: Dovecot's imap and bsd-mailx look at a mailbox, and change it, while mail
comes into it."""

import grp
import os
import re
import subprocess

import pytest

from client import Client
from test_local import ANN, box, local, messages, people  # fixtures too

pytestmark = [pytest.mark.root, pytest.mark.heavy]

TOTAL = 30
DOVECOT = """
protocols = imap
base_dir = %(dir)s/run
state_dir = %(dir)s/state
log_path = %(dir)s/log
ssl = no
stats_writer_socket_path =
mail_location = %(where)s
mbox_lock_timeout = 60s
"""


class Imap:
    """Dovecot's imap for one user, as its login would start it."""

    def __init__(self, p, who, where):
        self.dir = os.path.join(p.room.work, "dovecot")
        for name in ("", "run", "state"):
            os.makedirs(os.path.join(self.dir, name), exist_ok=True)
            os.chown(os.path.join(self.dir, name), who.pw_uid, who.pw_gid)
        with open(self.dir + "/conf", "w", encoding="ascii") as f:
            f.write(DOVECOT % {"dir": self.dir, "where": where})
        self.no = 0
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", who.pw_name, "--regid", str(who.pw_gid),
             "--groups", str(grp.getgrnam("mail").gr_gid),
             "/usr/lib/dovecot/imap", "-c", self.dir + "/conf"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={"HOME": who.pw_dir, "USER":
                                         who.pw_name, "PATH": "/bin"})
        hello = self.process.stdout.readline()
        assert b"PREAUTH" in hello, (hello, self.process.stderr.read())

    def say(self, command):
        """What it answers, to its OK."""
        self.no += 1
        tag = b"a%d " % self.no
        self.process.stdin.write(tag + command.encode() + b"\r\n")
        self.process.stdin.flush()
        got = b""
        while True:
            line = self.process.stdout.readline()
            assert line, (command, got)
            if line.startswith(tag):
                assert line.startswith(tag + b"OK"), line
                return got.decode()
            got += line

    def subjects(self):
        return [int(n) for n in re.findall(
            r"Subject: (\d+)", self.say("FETCH 1:* BODY.PEEK[HEADER.FIELDS "
                                        "(SUBJECT)]"))]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait(30)


def post(c, n):
    c.mail("ann@here.example", ANN + "@x.example",
           text="Subject: %d\r\n\r\nFrom me: %s\r\n" % (n, "x" * 70))


def read_meanwhile(p, imap, c):
    """A mail is seen whole or not at all, flags are written between, and some
    are removed; the others are all there in the end."""
    gone = []
    imap.say("SELECT INBOX")
    for n in range(1, TOTAL):
        post(c, n)
        seen = imap.subjects()
        assert seen and len(set(seen)) == len(seen)
        assert "x" * 70 + "\r\n" in imap.say(
            "FETCH %d BODY[TEXT]" % len(seen))
        if n % 7 == 0:
            imap.say("STORE 1 +FLAGS (\\Deleted)")
            gone.append(seen[0])
            imap.say("EXPUNGE")
        imap.say("NOOP")
    p.wait_log(event="removed", count=TOTAL)
    imap.say("NOOP")
    want = [n for n in range(TOTAL) if n not in gone]
    assert sorted(imap.subjects()) == want
    return want


def run(p, who, where):
    with Client(p.port) as c:
        c.hello()
        post(c, 0)
        p.wait_log(event="removed")
        imap = Imap(p, who, where)
        try:
            return read_meanwhile(p, imap, c)
        finally:
            imap.close()


def test_dovecot_reads_and_writes_a_file_that_mail_comes_into(local, people):
    p = local(more="workers 2; timeout 60s")
    who = people[ANN]
    path = box(p, ANN)
    want = run(p, who, "mbox:%s/imap:INBOX=%s" % (who.pw_dir, path))
    got = messages(path)
    assert sorted(int(m["Subject"]) for m in got) == want
    for m in got:
        assert m.get_payload() == ">From me: " + "x" * 70 + "\n"
    assert os.listdir(p.mail) == [ANN]
    mailx(path, len(want))


def mailx(path, cnt):
    """bsd-mailx lists all of it, and removes the first as the user."""
    tree = os.environ.get("POSTERN_PEERS", "build/peers")
    done = subprocess.run(
        ["setpriv", "--reuid", ANN, "--regid", ANN, "--groups",
         str(grp.getgrnam("mail").gr_gid), os.path.realpath(tree) +
         "/usr/bin/bsd-mailx", "-n", "-N", "-f", path],
        input=b"set screen=100\nfrom *\ndelete 1\nquit\n", timeout=60,
        capture_output=True, check=False, env={"PATH": "/bin", "HOME": "/"})
    listed = re.findall(rb"^.{0,3}\s*\d+ ann@here.example",
                        done.stdout, re.M)
    assert len(listed) == cnt, done
    assert len(messages(path)) == cnt - 1, done


def test_dovecot_reads_and_writes_a_maildir_that_mail_comes_into(local,
                                                                 people):
    p = local(path="~/Maildir/", more="workers 2; timeout 60s")
    who = people[ANN]
    run(p, who, "maildir:%s/Maildir" % who.pw_dir)
