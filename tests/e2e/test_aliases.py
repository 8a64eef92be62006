"""Who stands for whom, and as whom this host's mail is known elsewhere."""

import os
import re

from client import Client, send
from server import free_port
from sinks import EXTENSIONS, Sink
from tool import ctl, run, sendmail

CONF = """
process { hostname web1.here.example; run_dir run
    domains here.example }
edge in { type smtp; listener { interface 127.0.0.1; port %(port)d } }
edge local { type smtp; listener { path run/sendmail } }
queue main {
    type lmdb
    path run/queue
    aliases aliases
    recipient_delimiter +
    relay out
    policies { %(policies)s }
}
relay out { type static; host 127.0.0.1; port %(hop)d; %(relay)s }
"""

ALIASES = """# who reads what
root:   admin@else.example
postmaster: root
team:   :include:lists/team, root
"a b":  ann, \\ann
loop1:  loop2
loop2:  loop1
nobody-there: :include:lists/empty
sales@shop.example: ann
@shop.example: @here.example
"""


class House:
    def __init__(self, server, hop, policies="", relay=""):
        self.server = server
        server.port = free_port()
        self.write("aliases", ALIASES)
        self.write("lists/team", "ann\nbob@else.example  # and so on\n")
        self.write("lists/empty", "# nobody\n")
        server.configure(CONF % {"port": server.port, "hop": hop,
                                 "policies": policies, "relay": relay})

    def write(self, name, text):
        path = os.path.join(self.server.room.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.chmod(os.path.dirname(path), 0o755)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)

    def newaliases(self):
        return run(["postern-sendmail", "-C", self.server.path],
                   name="newaliases", uid=os.geteuid())

    def rcpt(self, *addresses):
        with Client(self.server.port) as c:
            c.hello()
            c.want("MAIL FROM:<x@far.example>", 250)
            return [c.say("RCPT TO:<%s>" % a) for a in addresses]


def test_mail_goes_to_whom_its_recipient_stands_for(server, sink):
    house = House(server, sink.port)
    p = server.start()
    send(p.port, "x@far.example", "team@here.example", "root+x@localhost",
         "sales@shop.example", "zoe+y@shop.example")
    got = sink.wait()[0]
    assert sorted(got.rcpts) == [
        "admin@else.example", "ann@here.example", "bob@else.example",
        "zoe+y@here.example"]
    assert got.sender == "x@far.example"

    codes = house.rcpt("loop1@here.example", "nobody-there@here.example",
                       "ann@here.example", "postmaster")
    assert [c[:9] for c in codes] == ["554 5.4.6", "550 5.1.1", "250 2.1.5",
                                      "250 2.1.5"]

    assert sendmail(p, "root", stdin="Subject: x\n\nhi\n").status == 0
    assert sink.wait(2)[1].rcpts == ["admin@else.example"]

    told = ctl(p, "alias", "team").out
    assert re.search(r"admin@else.example  by out\n +by alias of "
                     r"team@here.example, by alias of root@here.example\n",
                     told), told
    rows = ctl(p, "alias", "--json", "loop1@here.example")
    assert rows.status == 1 and rows.lines[0]["code"] == 554

    # What is wrong is told, and nothing changes; then what is right is taken.
    edges = p.pids("postern-edge")
    house.write("aliases", "root: boss@else.example\nx: |/bin/cat\n")
    got = house.newaliases()
    assert got.status == 1 and "aliases:2:4: no program is run" in got.err
    send(p.port, "x@far.example", "root@here.example")
    assert sink.wait(3)[2].rcpts == ["admin@else.example"]
    house.write("aliases", "root: boss@else.example\n")
    got = house.newaliases()
    assert got.status == 0, got.err
    send(p.port, "x@far.example", "root@here.example")
    assert sink.wait(4)[3].rcpts == ["boss@else.example"]
    assert p.pids("postern-edge") == edges


def test_a_list_has_its_owner_as_sender_and_hears_of_bounces(server, sinks):
    def answer(verb, line, session):
        if verb == "RCPT" and "<gone@" in line:
            return "550 5.1.1 No such user"
        return None
    sink = sinks(answer=answer)
    house = House(server, sink.port)
    house.write("aliases", "team: ann@else.example, gone@else.example\n"
                "owner-team: boss@else.example\n"
                "pair: ann@else.example, bob@else.example\n")
    p = server.start()
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<x@far.example> RET=FULL ENVID=Q1", 250)
        c.want("RCPT TO:<team@here.example> NOTIFY=SUCCESS,FAILURE "
               "ORCPT=rfc822;team@old.example", 250)
        c.want("RCPT TO:<zoe@else.example>", 250)
        c.want("DATA", 354)
        c.want("Subject: x\r\n\r\nhi\r\n.", 250)
    got = sink.wait(4)
    by = {(m.sender, tuple(m.rcpts)): m for m in got}
    assert ("x@far.example", ("zoe@else.example",)) in by
    assert ("owner-team@here.example", ("ann@else.example",)) in by
    failed = by["", ("boss@else.example",)].text
    assert "Action: failed" in failed and "gone@else.example" in failed
    assert "Q1" not in failed and "x@far.example" not in failed
    told = by["", ("x@far.example",)].text
    assert "Action: delivered" in told and "Envelope-Id: Q1" in told
    assert "team@old.example" in told and "gone" not in told

    # Several without an owner: who wrote hears that it is on its way.
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<x@far.example>", 250)
        c.want("RCPT TO:<pair@here.example> NOTIFY=SUCCESS", 250)
        c.want("DATA", 354)
        c.want("Subject: x\r\n\r\nhi\r\n.", 250)
    got = sink.wait(6)[4:]
    assert sorted(m.sender for m in got) == ["", "x@far.example"]
    told = [m for m in got if m.sender == ""][0]
    assert told.rcpts == ["x@far.example"]
    assert "Action: expanded" in told.text


def test_a_table_over_a_mebibyte_is_taken_and_taken_anew(server, sink):
    house = House(server, sink.port)
    rows = ["user%05d@shop.example: box%05d@else.example\n" % (i, i)
            for i in range(25000)]
    text = "".join(rows)
    assert len(text) > 1 << 20
    house.write("aliases", text)
    p = server.start()
    send(p.port, "x@far.example", "USER24999@shop.example")
    assert sink.wait()[0].rcpts == ["box24999@else.example"]
    house.write("aliases", text + "last: end@else.example\n")
    assert house.newaliases().status == 0
    send(p.port, "x@far.example", "last@here.example")
    assert sink.wait(2)[1].rcpts == ["end@else.example"]


def provider(account):
    """Takes mail of who has logged in, and of his own address alone."""
    def answer(verb, line, session):
        if verb == "AUTH":
            session["login"] = True
            return "235 2.7.0 Hello"
        if verb == "MAIL" and not session.get("login"):
            return "530 5.7.0 Authentication required"
        if verb == "MAIL" and "FROM:<%s>" % account not in line:
            return "553 5.7.1 Sender address rejected: not owned by user"
        if verb == "END":
            senders = session["message"].header("From")
            if len(senders) != 1 or account not in senders[0] or \
                    senders[0].count("@") != 1:
                return "550 5.7.1 The From field is not yours"
        return None
    return Sink(extensions=EXTENSIONS + ("AUTH PLAIN",), answer=answer)


CRON = """From: root (Cron Daemon)
To: root
Subject: Cron <root@web1> test -x /usr/sbin/anacron
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Auto-Submitted: auto-generated
X-Cron-Env: <LOGNAME=root>

it failed
"""

SMARTD = """From: root
To: root
Subject: SMART error (FailedOpenDevice) detected on host: web1
Message-ID: <1@web1>

This message was generated by the smartd daemon
"""

UPGRADES = """To: root
Subject: unattended-upgrades result for web1: SUCCESS
Auto-Submitted: auto-generated
From: root <root@web1.here.example>

All upgrades installed
"""


def test_what_this_host_has_to_say_passes_a_strict_provider(server):
    """root's alias and a sender map: cron's mail is taken by a provider who
    knows the account's own address and no other."""
    account = "web1@customer.example"
    hop = provider(account)
    secret = os.path.join(server.room.work, "password")
    House(server, hop.port, "sender_map local %s; sender_map "
          "@web1.here.example %s" % (account, account),
          "credentials { username web1; password_file %s }" % secret)
    with open(secret, "w", encoding="ascii") as f:
        f.write("s3cret\n")
    os.chmod(secret, 0o600)
    owner = os.stat(server.room.work)
    os.chown(secret, owner.st_uid, owner.st_gid)
    p = server.start()
    for args, text in (
            (("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"), CRON),
            (("-oi", "root"), SMARTD), (("-oi", "-t"), UPGRADES)):
        got = sendmail(p, *args, stdin=text)
        assert got.status == 0, got.err
    for m in hop.wait(3):
        assert (m.sender, m.rcpts) == (account, ["admin@else.example"])
        assert account in m.header("From")[0]
    cron = [m for m in hop.messages if b"it failed" in m.data][0]
    assert "Cron Daemon" in cron.header("From")[0]
    assert cron.header("To") == ["root@here.example"]
    assert p.find_log(event="failed") == []
    hop.close()
