"""sendmail -bs, and all else that callers of sendmail ask of it who do not
simply send: -bv, -bt, -q, mailq, rmail, options of Postfix's and Exim's."""

import os
import re
import smtplib
import socket
import subprocess

import pytest

from server import (NOBODY, Postern, Room, basic, free_port, programs, until)
from sinks import Sink
from tool import LOCAL, ctl, run, sendmail

TEXT = "Subject: x\n\nHello.\n"
CHECK_MAILQ = "/usr/lib/nagios/plugins/check_mailq"


class House:
    """One for all tests of this file."""

    def __init__(self, server):
        self.server, self.sink = server, Sink()
        self.dir = os.path.join(server.room.work, "drop")
        os.mkdir(self.dir)
        if os.geteuid() == 0:
            os.chown(self.dir, NOBODY, NOBODY)
        os.chmod(self.dir, 0o3733)
        server.port = free_port()
        server.configure(basic(server.port, self.sink.port,
                               relay="recipients @there.example") + LOCAL
                         + "edge drop { type drop; path drop; queue main }\n")
        server.start()

    def close(self):
        self.server.stop()
        self.sink.close()


@pytest.fixture(scope="module")
def shared():
    room = Room(NOBODY if os.geteuid() == 0 else None)
    house = House(Postern(room))
    yield house
    house.close()
    room.remove()


@pytest.fixture
def house(shared):
    with shared.sink.news:
        shared.sink.messages.clear()
    return shared


def talk(house, *lines, path=None, end="QUIT\r\n"):
    """All at once, as PIPELINING allows; the replies' first words."""
    got = sendmail(house.server if path is None else path, "-bs",
                   stdin="".join(l + "\r\n" for l in lines) + end)
    assert (got.status, got.err) == (0, "")
    return [l for l in got.out.splitlines() if l[3:4] != "-"], got.out


ENVELOPE = ("EHLO x", "MAIL FROM:<ann@here.example>",
            "RCPT TO:<bob@there.example>")
BODY = ("Subject: talk", "", "..two dots", "last", ".")


def test_a_client_of_smtp_sends_over_a_pipe(house):
    ours, its = socket.socketpair()
    who = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
    child = subprocess.Popen(
        [os.path.join(programs(), "postern-sendmail"), "-C",
         house.server.path, "-bs"], stdin=its, stdout=its, cwd="/", **who)
    its.close()
    client = smtplib.SMTP()
    client.sock, client.file, client._host = ours, None, "localhost"
    assert client.getreply()[0] == 220
    for n in 1, 2:
        client.sendmail("ann@here.example", ["bob@there.example"],
                        "Subject: n%d\n\n.dot\n..\nend\n" % n)
    client.quit()
    assert child.wait(20) == 0
    for m in house.sink.wait(2):
        assert m.sender == "ann@here.example"
        assert m.body == b".dot\r\n..\r\nend\r\n"
        assert m.header("Message-ID") and m.header("Date")


def test_each_command_has_its_reply_and_the_order_holds(house):
    replies, out = talk(
        house, "MAIL FROM:<a@here.example>", "HELO x", "RCPT TO:<b@c.example>",
        "DATA", "MAIL FROM:<a b>", "MAIL FROM:<a@here.example> RET=FULL",
        "EHLO x", "MAIL FROM:<a@here.example> FOO=1",
        "MAIL FROM:<a@here.example> SIZE=7 BODY=8BITMIME",
        "MAIL FROM:<a@here.example>", "DATA", "RCPT TO:<>", "NOOP", "VRFY x",
        "HELP", "AUTH PLAIN =", "STARTTLS", "", "x" * 3000, "RSET",
        "RCPT TO:<b@there.example>")
    assert [r[:3] for r in replies] == (
        "220 503 250 503 503 501 555 250 555 250 503 503 501 250 252 214 502 "
        "502 500 500 250 503 221").split(), out
    assert "250-PIPELINING" in out
    assert not house.sink.messages


def test_a_no_for_good_comes_at_the_end_and_nothing_is_a_command_but_commands(
        house):
    """Whom the edge refuses, what has no end, what is too much: what is left
    of that text is read away."""
    more = ("MAIL FROM:<evil@here.example>", "RCPT TO:<evil@there.example>")
    replies, out = talk(
        house, *ENVELOPE, "RCPT TO:<eve@elsewhere.example>", "DATA", *BODY,
        "NOOP", *ENVELOPE[1:], "DATA", *("X%d: %s" % (n, 9000 * "x")
                                         for n in range(130)),
        "", *more, ".", "NOOP", *ENVELOPE[1:], "DATA", *BODY)
    assert [r[:3] for r in replies] == (
        "220 250 250 250 250 354 550 250 250 250 354 554 250 250 250 354 250 "
        "221").split(), out
    assert "eve@elsewhere.example: 550" in out
    assert "the header is too long" in out
    m = house.sink.wait()[0]
    assert m.body == b".two dots\r\nlast\r\n"
    talk(house, *ENVELOPE, "DATA", *BODY[:-1], end="")
    talk(house, *ENVELOPE, "DATA", *BODY[:-1])
    assert len(house.sink.messages) == 1


def test_while_postern_is_down_it_is_kept_and_told_as_taken(house):
    p = house.server
    p.stop()
    try:
        replies, _ = talk(house, *ENVELOPE, "DATA", *BODY)
        assert replies[-2].startswith("250 2.0.0 ")
        assert len(os.listdir(house.dir)) == 1
        os.chmod(house.dir, 0o3500)
        replies, out = talk(house, *ENVELOPE, "DATA", *BODY)
        assert replies[-2].startswith("451 4.3.0 "), out
        os.chmod(house.dir, 0o3733)
        got = sendmail(p, "-bv", "bob@there.example")
        assert got.status == 75 and "not running" in got.err
    finally:
        os.chmod(house.dir, 0o3733)
        p.start()
    assert house.sink.wait()[0].body == b".two dots\r\nlast\r\n"
    until(lambda: not os.listdir(house.dir))
    assert len(house.sink.messages) == 1


def test_bv_asks_and_sends_nothing_and_bt_says_where_it_would_go(house):
    p = house.server
    got = sendmail(p, "-bv", "bob@there.example", "eve@elsewhere.example")
    assert got.status == 67
    assert got.out.splitlines()[0] == "bob@there.example... deliverable"
    assert got.out.splitlines()[1].startswith("eve@elsewhere.example... 550 ")
    assert sendmail(p, "-bv", "bob@there.example").status == 0
    got = sendmail(p, "-bt", "bob@there.example")
    assert got.status == 0 and "out" in got.out
    got = sendmail(p, "-bt")
    assert got.status == 64 and "posternctl route" in got.err
    for mode in "-bd", "-bD":
        got = sendmail(p, mode, "-q15m")
        assert got.status == 64 and "systemctl start postern" in got.err
    assert not house.sink.messages


def hold(house, cnt):
    house.server.kill("relay", "out", signo=19)
    for _ in range(cnt):
        got = sendmail(house.server, "-f", "ann@here.example",
                       "bob@there.example", stdin=TEXT)
        assert got.status == 0, got.err


def test_q_and_mailq_and_who_reads_it(house, tmp_path):
    """check_mailq is the real one of monitoring-plugins."""
    p = house.server
    until(lambda: sendmail(p, "-bp").out == "Mail queue is empty\n")
    for args in ("-q",), ("-q15m",), ("-qf",), ("-qRthere.example",):
        got = sendmail(p, *args)
        assert (got.status, got.out, got.err) == (0, "", ""), args
    assert check_mailq(p, tmp_path)[0] == 0
    hold(house, 3)
    got = run(["postern-sendmail", "-C", p.path], name="mailq")
    lines = got.out.splitlines()
    assert re.match(r"-Queue ID- +--Size-- ----Arrival Time---- "
                    r"-Sender/Recipient-------$", lines[0])
    assert re.match(r"[0-9a-f-]{36}[ *!] +\d+ \w{3} \w{3} [ \d]\d "
                    r"\d\d:\d\d:\d\d +ann@here.example$", lines[1])
    assert lines[2].strip() == "bob@there.example"
    assert re.match(r"-- \d+ Kbytes in 3 Requests\.$", lines[-1])
    got = sendmail(p, "-q")
    assert (got.status, got.out, got.err) == (0, "", "")
    status, out = check_mailq(p, tmp_path)
    assert status == 1 and "mailq is 3" in out, out
    p.kill("relay", "out", signo=18)
    house.sink.wait(3)


def check_mailq(p, tmp_path):
    """As a plugin of Nagios calls it: by a path of its own module utils."""
    mailq = tmp_path / "mailq"
    mailq.write_text("#!/bin/bash\nexec -a mailq %s/postern-sendmail -C %s\n"
                     % (programs(), p.path))
    mailq.chmod(0o755)
    lib = tmp_path / "lib"
    lib.mkdir(exist_ok=True)
    with open(os.path.dirname(CHECK_MAILQ) + "/utils.pm") as f:
        text = re.sub(r'(\$PATH_TO_MAILQ *= *)"[^"]*"',
                      r'\1"%s"' % mailq, f.read())
    (lib / "utils.pm").write_text(text)
    with open(CHECK_MAILQ) as f:
        plugin = re.sub(r"^use lib .*$", "use lib '%s';" % lib, f.read(),
                        flags=re.M)
    (tmp_path / "check_mailq").write_text(plugin)
    done = subprocess.run(["perl", str(tmp_path / "check_mailq"), "-M",
                           "postfix", "-w", "2", "-c", "5"],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_rmail_takes_the_sender_of_the_first_lines(house):
    def rmail(text, *args):
        # Its options are its own, so the configuration is a link's.
        return run(["postern-sendmail", *args], stdin=text, name="rmail")
    for wrong in "Subject: x\n\nx\n", "", "From \nTo: x\n\nx\n":
        got = rmail(wrong, "bob@there.example")
        assert got.status == 65 and got.err.startswith("rmail: "), wrong
    # It finds no configuration here, and says which sender it read.
    got = rmail("From ann Sat Nov 21 07:00:00 2026 remote from a b\n\nx\n")
    assert got.status == 64 and "who is to get it" in got.err


OPTIONS = """
-Am -Ac -B 8BITMIME -B7BIT -bm -C CONF -F name -f a@here.example -G -h 3
-i -L label -m -N never -n -o7 -o8 -oAfile -oi -om -oem -oee -oep -oeq -oew
-odb -odi -odq -odf -O x=y -p proto:host -R hdrs -r a@here.example -s -U
-V envid -X log -x -E -d -d5 -d+all -D A=b -oo -oitrue -oB -os -or5m
-oMr smtp -oMs host -oMa 192.0.2.1 -z text -bnq -ti -tv
"""


def test_options_of_postfix_and_exim_are_taken(house):
    """One by one, each before a recipient: none swallows him."""
    seen = 0
    for option in re.split(r"\s-(?=\S)", OPTIONS)[1:]:
        args = ("-" + option).replace("CONF", house.server.path).split()
        got = sendmail(house.server, *args, "bob@there.example",
                       stdin="To: bob@there.example\n\nx\n")
        assert (got.status, got.err) == (0, ""), option
        seen += 1
    assert seen > 50
    for m in house.sink.wait(seen):
        assert m.rcpts == ["bob@there.example"]


def test_line_ends_of_every_kind_are_one_line_end(house):
    text = b"Subject: x\r\r\n\r\r\none\r\r\ntwo\r\nthree\nfour\rfive\r\r\r\nsix"
    got = sendmail(house.server, "bob@there.example", stdin=text)
    assert got.status == 0, got.err
    assert house.sink.wait()[0].body == (
        b"one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\n")
