"""A relay of type local, as root: mail in the mailboxes of this host's users,
written as them, and read by the programs that users read mail with."""

import fcntl
import grp
import mailbox
import os
import pwd
import shlex
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Client, TEXT, send
from measure import status
from server import SANITIZED, free_port, until
from tool import ctl

pytestmark = pytest.mark.root

ANN, BOB = "pstt%dann" % os.getpid(), "pstt%dbob" % os.getpid()
CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb; path run/queue; relay users
    retry { delay 0.2; maximum_delay 1s }
}
relay users { type local; %s }
"""


@pytest.fixture(scope="module")
def people():
    """Two users with homes; each worker of a run has its own."""
    homes = "/var/tmp/postern-e2e-homes-%d" % os.getpid()
    os.mkdir(homes, 0o755)
    for name in (ANN, BOB):
        made = subprocess.run(["useradd", "-m", "-d", "%s/%s" % (homes, name),
                               "-s", "/bin/sh", name], check=False,
                              capture_output=True)
        assert made.returncode == 0, made.stderr
    yield {name: pwd.getpwnam(name) for name in (ANN, BOB)}
    for name in (ANN, BOB):
        subprocess.run(["userdel", "-f", "-r", name], check=False,
                       capture_output=True)
    subprocess.run(["rm", "-rf", homes], check=False)


@pytest.fixture
def local(root_server, people):
    """Begins a postern; its mail directory is as Debian's /var/mail."""
    p = root_server
    p.mail = os.path.join(p.room.work, "mail")
    os.mkdir(p.mail)
    os.chown(p.mail, 0, grp.getgrnam("mail").gr_gid)
    os.chmod(p.mail, 0o2775)

    def begin(path=None, more=""):
        p.port = free_port()
        p.configure(CONF % (p.port, 'path "%s"; %s' % (
            path or p.mail + "/{user}", more)))
        return p.start()
    yield begin
    p.stop()


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(c) for c in f.read().split()]


def box(p, name):
    return os.path.join(p.mail, name)


def messages(path):
    return [m for m in mailbox.mbox(path, create=False)]


def test_mail_comes_to_its_users_file_in_order(local, people):
    p = local()
    text = TEXT + "From here on\r\n>From there\r\nend\r\n"
    first = send(p.port, "cron@here.example", ANN + "@mx.test.example",
                 text="Subject: first\r\n\r\n" + text)
    p.wait_log(event="removed", id=first)
    name = send(p.port, "bob@here.example", ANN.upper() + "@other.example",
                BOB + "@x.example")
    p.wait_log(event="removed", id=name)
    got = messages(box(p, ANN))
    assert [m["Subject"] for m in got][:1] == ["first"] and len(got) == 2
    assert got[0].get_from().startswith("cron@here.example ")
    assert got[0]["Return-Path"] == "<cron@here.example>"
    assert got[0]["Delivered-To"] == ANN + "@mx.test.example"
    assert ">From here on\n>From there\nend\n" in got[0].get_payload()
    assert got[1]["Delivered-To"] == ANN.upper() + "@other.example"
    for who in (ANN, BOB):
        st = os.stat(box(p, who))
        assert st.st_uid == people[who].pw_uid
        assert st.st_gid == grp.getgrnam("mail").gr_gid
        assert st.st_mode & 0o777 == 0o600
    assert sorted(os.listdir(p.mail)) == [ANN, BOB]


def mutt(path, keys):
    """As ann, at a terminal: it locks the mailbox and writes it anew."""
    line = shlex.join([
        "setpriv", "--reuid", ANN, "--regid", ANN, "--init-groups", "mutt",
        "-F", "/dev/null", "-e", "set quit=yes move=no delete=yes", "-e",
        "push '%s'" % keys, "-f", path])
    with subprocess.Popen(
            ["script", "-qec", line, "/dev/null"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"HOME": "/tmp", "TERM": "vt100", "LANG": "C",
                 "PATH": os.environ["PATH"]}) as reader:
        said = reader.stdout.read()     # to its end, with stdin open
        assert reader.wait(60) == 0, said


def test_mutt_reads_and_rewrites_what_is_there(local):
    p = local()
    name = send(p.port, "cron@here.example", ANN + "@x.example",
                text="Subject: first\r\n\r\nhello\r\n")
    other = send(p.port, "cron@here.example", ANN + "@x.example",
                 text="Subject: second\r\n\r\nhello\r\n")
    for n in (name, other):
        p.wait_log(event="removed", id=n)
    mutt(box(p, ANN), "<delete-pattern>~sfirst<enter><sync-mailbox><quit>")
    assert [m["Subject"] for m in messages(box(p, ANN))] == ["second"]
    name = send(p.port, "cron@here.example", ANN + "@x.example",
                text="Subject: third\r\n\r\nhello\r\n")
    p.wait_log(event="removed", id=name)
    assert [m["Subject"] for m in messages(box(p, ANN))] == ["second",
                                                             "third"]


def test_who_is_nobody_here_is_told_at_once_and_root_waits(local):
    p = local(more="minimum_uid 2")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        for who in ("nobody-of-that-name@x.example", "daemon@x.example",
                    '"../root"@x.example'):
            assert "5.1.1" in c.want("RCPT TO:<%s>" % who, 550), who
        c.want("RCPT TO:<postmaster@x.example>", 250)
    name = send(p.port, "ann@here.example", "root@x.example")
    got = p.wait_log(event="deferred", id=name, rcpt="root@x.example")
    assert got["reply"].startswith("4.3.5 ") and "alias" in got["reply"]
    assert os.listdir(p.mail) == []


def test_while_users_cannot_be_looked_up_it_is_for_later(local):
    """A name service that hangs: nobody is refused for good, nor taken."""
    p = local()
    courier, = children(p.pid("users"))
    finder, = until(lambda: children(courier), what="the finder")
    os.kill(finder, signal.SIGSTOP)
    try:
        with Client(p.port) as c, ThreadPoolExecutor() as at_once:
            c.hello()
            c.want("MAIL FROM:<ann@here.example>", 250)
            asked = at_once.submit(ctl, p, "alias", ANN + "@x.example",
                                   uid=0)
            got = c.want("RCPT TO:<nobody-of-that-name@x.example>", 451)
            assert got.startswith("451 4.3.0 ")
            told = asked.result().out
            assert ANN + "@x.example  by users" in told, told
            assert "451 4.3.0 Whether these are users" in told, told
            os.kill(finder, signal.SIGCONT)
            c.want("RCPT TO:<%s@x.example>" % ANN, 250)
            c.want("RCPT TO:<nobody-of-that-name@x.example>", 550)
    finally:
        os.kill(finder, signal.SIGCONT)


def test_users_who_name_each_other_alone_are_told_so(local, people):
    p = local(more="forward_file yes")
    paths = [os.path.join(people[n].pw_dir, ".forward") for n in (ANN, BOB)]
    try:
        for path, who, other in zip(paths, (ANN, BOB), (BOB, ANN)):
            with open(path, "w", encoding="ascii") as f:
                f.write(other + "\n")
            os.chown(path, people[who].pw_uid, -1)
        with Client(p.port) as c:
            c.hello()
            c.want("MAIL FROM:<ann@here.example>", 250)
            c.want("RCPT TO:<%s@x.example>" % ANN, 554)
            with open(paths[1], "a", encoding="ascii") as f:
                f.write("\\" + BOB + "\n")
        name = send(p.port, "ann@here.example", ANN + "@x.example",
                    BOB + "@x.example")
        p.wait_log(event="removed", id=name)
        assert len(messages(box(p, BOB))) == 1
        assert sorted(os.listdir(p.mail)) == [BOB]
    finally:
        for path in paths:
            os.unlink(path)


def test_a_user_forwards_to_others_and_no_program_runs(local, people):
    p = local(more="forward_file yes")
    path = os.path.join(people[ANN].pw_dir, ".forward")
    with open(path, "w", encoding="ascii") as f:
        f.write("# away\n%s, \\%s\n" % (BOB, ANN))
    os.chown(path, people[ANN].pw_uid, -1)
    try:
        name = send(p.port, "cron@here.example", ANN + "@x.example")
        p.wait_log(event="removed", id=name)
        for who in (ANN, BOB):
            got, = messages(box(p, who))
            assert got["Return-Path"] == "<cron@here.example>"
        told = ctl(p, "alias", ANN + "@x.example", uid=0)
        for who in (ANN, BOB):
            assert who + "@x.example  by users\n        by user of " + \
                ANN + "@x.example\n" in told.out, told.out
        told = ctl(p, "alias", "nobody-of-that-name@x.example", uid=0)
        assert told.status == 1 and "550 5.1.1 No such user" in told.out
        with open(path, "w", encoding="ascii") as f:
            f.write('"|touch %s/ran"\n' % p.mail)
        name = send(p.port, "cron@here.example", ANN + "@x.example")
        p.wait_log(event="removed", id=name)
        assert len(messages(box(p, ANN))) == 2
        assert sorted(os.listdir(p.mail)) == [ANN, BOB]
        assert "not followed" in p.wait_log(event="trouble")["why"]
    finally:
        os.unlink(path)


def test_a_detail_is_no_part_of_the_user(local):
    p = local(more="recipient_delimiter +")
    name = send(p.port, "ann@here.example", ANN + "+lists@x.example")
    p.wait_log(event="removed", id=name)
    assert messages(box(p, ANN))[0]["Delivered-To"] == ANN + "+lists@x.example"


def test_a_maildir_in_the_home(local, people):
    p = local("~/Maildir/")
    name = send(p.port, "ann@here.example", ANN + "@x.example")
    p.wait_log(event="removed", id=name)
    path = os.path.join(people[ANN].pw_dir, "Maildir")
    try:
        got, = mailbox.Maildir(path, create=False)
        assert got["Delivered-To"] == ANN + "@x.example"
        for where, _, files in os.walk(path):
            for f in (where, *(os.path.join(where, f) for f in files)):
                st = os.stat(f)
                assert (st.st_uid, st.st_gid) == (people[ANN].pw_uid,
                                                  people[ANN].pw_gid), f
                assert st.st_mode & 0o077 == 0, f
    finally:
        subprocess.run(["rm", "-rf", path], check=True)


def test_a_home_that_is_not_there_is_waited_for(local, people):
    p = local("~/Maildir/")
    home = people[ANN].pw_dir
    os.rename(home, home + ".away")
    try:
        name = send(p.port, "ann@here.example", ANN + "@x.example")
        got = p.wait_log(event="deferred", id=name)
        assert got["reply"].startswith("4.2.0 The home directory")
    finally:
        os.rename(home + ".away", home)
    p.wait_log(event="delivered", id=name)
    subprocess.run(["rm", "-rf", home + "/Maildir"], check=True)


def test_a_link_of_ones_own_leads_to_nobody_elses(local, people):
    """Neither in the home nor where mailboxes are, and whoever made it."""
    p = local("~/mbox")
    victim = os.path.join(p.mail, "victim")
    with open(victim, "w", encoding="ascii") as f:
        f.write("mine\n")
    os.chown(victim, people[BOB].pw_uid, grp.getgrnam("mail").gr_gid)
    os.chmod(victim, 0o660)
    link = os.path.join(people[ANN].pw_dir, "mbox")
    os.symlink(victim, link)
    try:
        name = send(p.port, "ann@here.example", ANN + "@x.example")
        got = p.wait_log(event="deferred", id=name)
        assert got["reply"] == "4.2.0 The mailbox cannot be written"
        with open(victim, encoding="ascii") as f:
            assert f.read() == "mine\n"
    finally:
        os.unlink(link)
    p.wait_log(event="delivered", id=name)
    os.unlink(link)


@pytest.mark.parametrize("kind", ["fcntl", "dot"])
def test_who_holds_a_lock_is_not_written_over(local, people, kind):
    p = local(more="timeout 4s")
    path = box(p, ANN)
    with open(path, "w", encoding="ascii") as f:
        os.chown(path, people[ANN].pw_uid, -1)
        os.chmod(path, 0o600)
        if kind == "fcntl":
            fcntl.lockf(f, fcntl.LOCK_EX)
        else:
            open(path + ".lock", "x", encoding="ascii").close()
        name = send(p.port, "ann@here.example", ANN + "@x.example")
        p.wait_log(event="deferred", id=name,
                   reply="4.2.0 The mailbox is locked")
        assert os.path.getsize(path) == 0
        if kind == "dot":
            os.unlink(path + ".lock")
    p.wait_log(event="delivered", id=name)
    assert len(messages(path)) == 1


def test_many_at_once_make_one_sound_mailbox(local):
    """Of several workers, each with its own courier, and a reader who locks."""
    p = local(more="workers 2; timeout 30s")
    total = 40
    with Client(p.port) as c:
        c.hello()
        for n in range(total):
            c.mail("ann@here.example", ANN + "@x.example",
                   text="Subject: %d\r\n\r\n%s" % (n, "x" * 70 + "\r\n"))
    path = box(p, ANN)
    until(lambda: os.path.exists(path), what="the mailbox")
    while len(p.find_log(event="removed")) < total:
        m = mailbox.mbox(path, create=False)
        try:
            m.lock()        # fcntl and dot, as others do
            for one in m:
                assert one.get_payload() == "x" * 70 + "\n"
        except mailbox.ExternalClashError:
            pass
        finally:
            m.close()
    got = messages(path)
    assert sorted(int(m["Subject"]) for m in got) == list(range(total))
    assert os.listdir(p.mail) == [ANN]


def test_a_quota_or_a_full_disk_leaves_the_mailbox_as_it_was(local, people):
    p = local()
    small = os.path.join(p.room.work, "small")
    os.mkdir(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777",
                    "none", small], check=True)
    try:
        p.stop()
        p.configure(CONF % (p.port, 'path "%s/{user}"' % small))
        p.start()
        name = send(p.port, "ann@here.example", ANN + "@x.example")
        p.wait_log(event="removed", id=name)
        size = os.path.getsize(os.path.join(small, ANN))
        big = send(p.port, "ann@here.example", ANN + "@x.example",
                   text="Subject: x\r\n\r\n" + 2000 * ("x" * 70 + "\r\n"))
        got = p.wait_log(event="deferred", id=big)
        assert got["code"] == "452"
        assert got["reply"] == "4.3.1 No space left for mail"
        p.stop()
        assert os.path.getsize(os.path.join(small, ANN)) == size
        assert os.listdir(small) == [ANN]
        p.start()
    finally:
        p.stop()
        subprocess.run(["umount", small], check=True)


def test_each_of_its_processes_has_its_rights_and_no_more(local):
    p = local()
    relay = p.pid("users")
    courier, = until(lambda: children(relay), what="the courier")
    finder, = until(lambda: children(courier), what="the finder")
    uid = str(pwd.getpwnam("_postern-local").pw_uid)
    name = send(p.port, "ann@here.example", ANN + "@x.example")
    p.wait_log(event="removed", id=name)     # all have settled
    for pid, caps in ((relay, 0), (courier, 0xc0), (finder, 0)):
        got = status(pid)
        assert got["Uid"].split("\t") == [uid] * 4
        assert "0" not in got["Gid"].split("\t")
        assert got["Groups"].strip() == ""
        assert int(got["CapPrm"], 16) == int(got["CapEff"], 16) == caps
        for empty in ("CapInh", "CapBnd", "CapAmb"):
            assert int(got[empty], 16) == 0
        assert got["NoNewPrivs"] == "1"
        net = os.readlink("/proc/%d/ns/net" % pid)
        assert net != os.readlink("/proc/self/ns/net")
        if not SANITIZED:
            assert got["Seccomp"] == "2"


def send_unless_later(p, rcpt, text):
    """While the relay is away nobody is refused for good."""
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        got = c.say("RCPT TO:<%s>" % rcpt)
        if not got.startswith("250"):
            assert got.startswith("451 4.3.0 "), got
            return None
        c.want("DATA", 354)
        return c.want(text + ".", 250).split()[-1]


def test_a_relay_that_dies_leaves_no_half_and_loses_nothing(local):
    p = local()
    text = "Subject: x\r\n\r\n" + 60000 * ("x" * 98 + "\r\n")
    names = []
    for _ in range(3):
        names.append(until(lambda: send_unless_later(p, ANN + "@x.example",
                                                     text),
                           what="the relay is there again"))
        os.kill(p.pid("users"), signal.SIGKILL)
    for name in names:
        p.wait_log(event="removed", id=name)
    for m in messages(box(p, ANN)):
        assert len(m.get_payload()) == 60000 * 99
    until(lambda: os.listdir(p.mail) == [ANN], what="no lock")


def test_what_ehlo_promises_is_kept_for_users(local, people):
    """As test_promises.py has it for the other types.  Who is no user here is
    refused before 250, so there is a report of success and no bounce."""
    p = local()
    text = "Subject: Grüße\r\n\r\nKöln\r\n"
    with Client(p.port) as c:
        offered = {line[4:].split(" ")[0] for line in
                   c.hello().split("\n")[1:]}
        assert offered == {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8",
                           "ENHANCEDSTATUSCODES", "CHUNKING", "DSN"}
        c.want("MAIL FROM:<jörg@here.example> SMTPUTF8 BODY=8BITMIME", 250)
        c.want("RCPT TO:<%s@mx.test.example> NOTIFY=NEVER" % ANN, 250)
        c.want("RCPT TO:<nö@mx.test.example> NOTIFY=NEVER", "550 5.1.1")
        c.write("BDAT %d LAST\r\n%s" % (len(text.encode()), text))
        names = [c.queued(c.reply())]
        c.want("MAIL FROM:<%s@mx.test.example> SIZE=20 RET=HDRS ENVID=1"
               % BOB, 250)
        c.want("RCPT TO:<%s@mx.test.example> NOTIFY=SUCCESS" % ANN, 250)
        c.want("DATA", 354)
        c.write(text)
        names.append(c.queued(c.say(".")))
    for name in names:
        p.wait_log(event="removed", id=name)
    report = p.wait_log(event="bounced", of=names[1])["id"]
    p.wait_log(event="delivered", id=report)
    with open(box(p, ANN), encoding="utf-8") as f:
        kept = f.read()
    assert kept.count("Subject: Grüße\n\nKöln\n") == 2
    assert "Return-Path: <jörg@here.example>\n" in kept
    told, = messages(box(p, BOB))
    assert "Action: delivered" in told.as_string()
    assert not p.find_log(event="discarded")
