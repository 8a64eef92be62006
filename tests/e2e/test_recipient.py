"""Relays whose programs run as the recipient, a user of this host: maildrop,
procmail and dovecot-lda, real ones, with the files of their users."""
# ruff: noqa: F811

import mailbox
import os
import shutil
import subprocess

import pytest

from client import Client, send
from measure import status
from server import Postern, Room, free_port, until
from tool import ctl
from test_agents import LDA, PEERS, mails, maildrop, script
from test_local import ANN, BOB, children
from test_local import people                   # noqa: F401 (a fixture)

pytestmark = pytest.mark.root

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb; path run/queue
    retry { delay 0.3; maximum_delay 1s }
    route to @drop.example relay drop
    route to @proc.example relay proc
    route to @dove.example relay dove
    route to @late.example relay late
    relay prog
}
relay drop { type maildrop; user recipient; path %s; recipient_delimiter + }
relay proc { type pipe; user recipient; args %s -t -f "{sender}" }
relay dove { type dovecot; user recipient; path %s }
relay late { type pipe; user recipient; timeout 1s; args %s }
relay prog { type pipe; user recipient; minimum_uid 2; args %s "{recipient}" }
"""
DOVECOT = """
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
mail_location = maildir:~/Maildir
protocol lda {{
    mail_plugins = sieve
    postmaster_address = postmaster@x.example
}}
plugin {{
    sieve = ~/.dovecot.sieve
}}
"""
SIEVE = """require ["fileinto", "mailbox"];
if header :contains "Subject" "list" { fileinto :create "Lists"; }
"""
WHO = """exec >"$HOME/who.new" 2>&1
echo "$(id -un) $(id -G) $HOME $USER $LOGNAME $SHELL $PWD $1"
grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp|Groups):' /proc/self/status
setpriv --reuid 1 true || echo "stays"
cat
mv "$HOME/who.new" "$HOME/who"
"""
LATE = """trap '' TERM
sleep 600 & echo $! $$ >"$HOME/late.new"
mv "$HOME/late.new" "$HOME/late"
wait
"""


def put(people, who, name, text, mode=0o600):
    """A file in a user's home, his own."""
    path = os.path.join(people[who].pw_dir, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    shutil.chown(path, who, people[who].pw_gid)
    return path


def read(people, who, name):
    path = os.path.join(people[who].pw_dir, name)
    until(lambda: os.path.exists(path), what=path)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    os.unlink(path)
    return text


@pytest.fixture(scope="module")
def house(users, people):
    """One postern with a relay for each program."""
    room = Room(None)
    p = Postern(room, as_root=True)
    work = p.room.work
    os.chmod(work, 0o755)
    drop, _ = maildrop(p, "", words="")
    script(p, "maildrop.sh", 'LD_LIBRARY_PATH=%s exec %s/maildrop "$@"\n' %
           (work, work))
    shutil.copy(os.path.join(PEERS, "usr/bin/procmail"), work)
    os.chmod(work + "/procmail", 0o755)
    conf = work + "/dovecot.conf"
    with open(conf, "w", encoding="ascii") as f:
        f.write(DOVECOT.format(dir=work))
    os.mkdir(work + "/run")
    open(work + "/log", "w").close()
    os.chmod(work + "/log", 0o666)
    lda = script(p, "lda", 'exec %s -c %s "$@"\n' % (LDA, conf))
    p.port = free_port()
    p.configure(CONF % (p.port, drop, work + "/procmail", lda,
                        script(p, "late", LATE), script(p, "who", WHO)))
    p.start()
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()
        room.remove()


def test_a_program_is_the_recipient_and_has_his_home(house, people):
    p = house
    name = send(p.port, "eve@far.example", ANN.upper() + "@x.example",
                BOB + "@x.example")
    p.wait_log(event="removed", id=name)
    for who, rcpt in ((ANN, ANN.upper() + "@x.example"),
                      (BOB, BOB + "@x.example")):
        got = read(people, who, "who").split("\n")
        pw = people[who]
        assert got[0].split() == [
            who, str(pw.pw_gid), pw.pw_dir, who, who, "/bin/sh", pw.pw_dir,
            rcpt]
        facts = dict(line.split(":", 1) for line in got[1:7])
        for cap in ("CapEff", "CapPrm", "CapBnd"):
            assert facts[cap].strip("\t0") == "", facts
        assert facts["NoNewPrivs"] == "\t1" and facts["Groups"].strip() == ""
        assert "stays" in got and got[-2] == "Hello."
    relay, = p.pids("prog")
    runner, = children(relay)
    local = status(relay)["Uid"].split("\t")[0]
    for pid, caps in ((relay, 0), (runner, 0xc0)):
        assert status(pid)["Uid"].split("\t") == [local] * 4 and local != "0"
        assert int(status(pid)["CapEff"], 16) == caps
        assert int(status(pid)["CapBnd"], 16) == 0
    for pid in (relay, runner):
        assert os.readlink("/proc/%d/ns/net" % pid) != os.readlink(
            "/proc/self/ns/net")


def test_who_is_nobody_is_told_at_once_and_root_waits(house):
    p = house
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        for who in ("nobody-of-that-name@x.example", "daemon@x.example",
                    '"../root"@x.example', "nobody-here@drop.example"):
            assert "5.1.1" in c.want("RCPT TO:<%s>" % who, 550), who
        c.want("RCPT TO:<%s@x.example>" % ANN, 250)
    name = send(p.port, "ann@here.example", "root@x.example")
    got = p.wait_log(event="deferred", id=name, rcpt="root@x.example")
    assert got["reply"].startswith("4.3.5 ") and "alias" in got["reply"]


def test_a_home_that_is_away_or_anothers_is_waited_for(house, people):
    p, home = house, people[ANN].pw_dir
    os.rename(home, home + ".away")
    try:
        name = send(p.port, "eve@far.example", ANN + "@x.example")
        got = p.wait_log(event="deferred", id=name)
        assert got["reply"].startswith("4.2.0 The home directory cannot")
    finally:
        os.rename(home + ".away", home)
    p.wait_log(event="removed", id=name)
    assert read(people, ANN, "who").startswith(ANN + " ")
    for spoil, mend in (
            (lambda: os.chmod(home, 0o777), lambda: os.chmod(home, 0o700)),
            (lambda: shutil.chown(home, BOB), lambda: shutil.chown(home, ANN))):
        os.chmod(home, 0o711)
        spoil()
        try:
            name = send(p.port, "eve@far.example", ANN + "@x.example")
            got = p.wait_log(event="deferred", id=name)
            assert got["reply"].startswith("4.2.0 "), got
            assert not os.path.exists(home + "/who")
        finally:
            mend()
        p.wait_log(event="removed", id=name)
        assert read(people, ANN, "who").startswith(ANN + " ")
    assert any("others may write to it" in t["why"]
               for t in p.find_log(event="trouble") if "why" in t)


def test_maildrop_goes_by_each_ones_filter(house, people):
    p = house
    for who, verdict in ((ANN, 'to "Mail/sorted/"'),
                         (BOB, 'echo "maildrop: not at home"\nEXITCODE=67\n'
                               "exit")):
        home = people[who].pw_dir
        subprocess.run(["install", "-d", "-o", who, "-m", "700"] + [
            "%s/Mail%s" % (home, sub) for sub in (
                "", "/sorted", "/sorted/tmp", "/sorted/new", "/sorted/cur")],
            check=True)
        put(people, who, ".mailfilter", '`id -un >whoami`\n%s\n' % verdict)
    name = send(p.port, "eve@far.example", ANN + "+x@drop.example",
                BOB + "@drop.example")
    p.wait_log(event="delivered", id=name, rcpt=ANN + "+x@drop.example")
    got = p.wait_log(event="failed", id=name, rcpt=BOB + "@drop.example")
    assert (got["code"], got["reply"]) == ("550", "5.1.1 not at home")
    text, = mails(people[ANN].pw_dir + "/Mail/sorted")
    assert name in text
    for who in (ANN, BOB):
        assert read(people, who, "whoami") == who + "\n"


def test_procmail_goes_by_each_ones_recipes(house, people):
    p = house
    put(people, ANN, ".procmailrc", "MAILDIR=$HOME\nDEFAULT=$HOME/inbox\n"
        ":0\n* ^Subject:.*gone\n{\n EXITCODE=67\n :0\n /dev/null\n}\n"
        ":0 c\n| cat >$HOME/piped\n")
    name = send(p.port, "eve@far.example", ANN + "@proc.example")
    p.wait_log(event="removed", id=name)
    assert name in read(people, ANN, "piped")
    got, = mailbox.mbox(people[ANN].pw_dir + "/inbox", create=False)
    assert got.get_from().startswith("eve@far.example ")
    st = os.stat(people[ANN].pw_dir + "/inbox")
    assert (st.st_uid, st.st_mode & 0o777) == (people[ANN].pw_uid, 0o600)
    name = send(p.port, "eve@far.example", ANN + "@proc.example",
                text="Subject: gone\r\n\r\nHi.\r\n")
    got = p.wait_log(event="failed", id=name)
    assert got["dsn"] == "5.1.1"


def test_dovecot_lda_sieves_as_each_one(house, people):
    p = house
    put(people, ANN, ".dovecot.sieve", SIEVE)
    first = send(p.port, "eve@far.example", ANN + "@dove.example",
                 BOB + "@dove.example")
    name = send(p.port, "eve@far.example", ANN + "@dove.example",
                text="Subject: the list\r\n\r\nHi.\r\n")
    for n in (first, name):
        p.wait_log(event="removed", id=n)
        assert not p.find_log(event="failed", id=n), open(
            p.room.work + "/log", encoding="utf-8").read()
    for who, sub, n in ((ANN, "", first), (BOB, "", first),
                        (ANN, "/.Lists", name)):
        box = people[who].pw_dir + "/Maildir" + sub
        text, = mails(box)
        assert n in text
        st = os.stat(box)
        assert (st.st_uid, st.st_gid) == (people[who].pw_uid,
                                          people[who].pw_gid)


def test_time_ends_the_programs_of_a_user_with_their_group(house, people):
    p = house
    name = send(p.port, "eve@far.example", BOB + "@late.example")
    pids = [int(n) for n in read(people, BOB, "late").split()]
    got = p.wait_log(event="deferred", id=name)
    assert got["reply"] == "4.4.2 Delivery timed out"
    for pid in pids:
        until(lambda: not os.path.exists("/proc/%d" % pid), what="its death")
    assert ctl(p, "queue", "remove", name, uid=0).status == 0
