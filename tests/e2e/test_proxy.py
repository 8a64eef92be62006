"""Mail that passes through: a queue of type proxy, and `relay' in an edge."""

import os
import signal
import smtplib
import subprocess
import threading

import pytest

from client import TEXT, Client
from measure import Watch
from peers import Dovecot
from server import NOBODY, Postern, Room, free_port, until
from sinks import DROP, EXTENSIONS, Sink
from test_bdat import BINARY, HEAD, chunk
from test_smuggle import REFUSED
from test_users import accounts, crypt, plain
from tool import ctl, sendmail

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(smtp)d }
    binarymime yes
    relay hop
}
edge local {
    type lmtp
    listener { interface 127.0.0.1; port %(lmtp)d }
    binarymime yes
    queue mailboxes
}
edge boxes {
    type smtp
    listener { interface 127.0.0.1; port %(boxes)d }
    queue mailboxes
}
edge world {
    type smtp
    listener { interface 127.0.0.1; port %(world)d }
    queue world
}
queue mailboxes { type proxy; relay boxes }
queue world { type proxy; relay world }
relay hop { type static; host 127.0.0.1; port %(hop)d; ask_after 0 }
relay boxes { type lmtp; port %(boxhop)d; ask_after 0 }
relay world {
    type mx
    force_mx a.example 127.0.0.1@%(hop)d
    force_mx b.example 127.0.0.1@%(hop)d
}
"""

MIB = 1 << 20
OFFERED = (*EXTENSIONS, "DSN", "CHUNKING", "BINARYMIME")


class House:
    """One for all tests of this file: its hops answer as each test says."""

    def __init__(self, server):
        self.server = server
        self.hop = Sink(extensions=OFFERED)
        self.boxhop = Sink(extensions=OFFERED)
        self.smtp, self.lmtp = free_port(), free_port()
        self.boxes, self.world = free_port(), free_port()
        self.configure(self.hop)
        server.start()

    def configure(self, hop):
        self.server.configure(CONF % dict(
            smtp=self.smtp, lmtp=self.lmtp, boxes=self.boxes,
            world=self.world, hop=hop.port, boxhop=self.boxhop.port))

    def reset(self):
        for sink in self.hop, self.boxhop:
            sink.answer = lambda verb, line, session: None
            with sink.news:
                sink.messages.clear()
                sink.commands.clear()

    def close(self):
        self.server.stop()
        self.hop.close()
        self.boxhop.close()


@pytest.fixture(scope="module")
def shared():
    room = Room(NOBODY if os.geteuid() == 0 else None)
    house = House(Postern(room))
    yield house
    house.close()
    room.remove()


@pytest.fixture
def house(shared):
    shared.reset()
    return shared


def said(answers):
    """An answer function of verb to reply."""
    return lambda verb, line, session: answers.get(verb)


def test_each_reply_is_the_next_hops(house):
    house.hop.answer = lambda verb, line, session: (
        "550 5.1.1 Nobody here is called that"
        if verb == "RCPT" and "<no@" in line else
        {"RCPT": "250 2.1.5 He is one of us",
         "END": "250 2.0.0 Ok: queued as 4711"}.get(verb))
    with Client(house.smtp) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example> SIZE=400 BODY=8BITMIME", 250)
        assert c.say("RCPT TO:<no@there.example>") == \
            "550 5.1.1 Nobody here is called that"
        assert c.say("RCPT TO:<bob@there.example>") == \
            "250 2.1.5 He is one of us"
        c.want("DATA", 354)
        c.write(TEXT)
        assert c.say(".") == "250 2.0.0 Ok: queued as 4711"
    got = house.hop.wait()[0]
    assert got.rcpts == ["bob@there.example"]
    assert got.sender == "ann@here.example"
    assert got.params == "SIZE=400 BODY=8BITMIME"
    assert got.text.startswith("Received: from here.example")
    assert got.text.endswith(TEXT)


def test_a_large_text_is_whole(house):
    text = TEXT + "".join("%d %s\r\n" % (i, "x" * (i % 900))
                          for i in range(9000))
    with Client(house.smtp) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write(text)
        assert c.say(".") == "250 2.0.0 Taken"
    assert house.hop.wait()[0].text.endswith(text)


def test_nothing_is_read_ahead_of_a_hop_that_does_not_read(house):
    """What lies between client and hop is in sockets and two pieces each."""
    house.hop.pause = threading.Event()
    text = TEXT + ("x" * 998 + "\r\n") * 40000
    with Client(house.smtp) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            c.write(text)
    house.hop.pause.set()
    house.hop.pause = None


@pytest.mark.heavy      # measures memory
def test_a_text_of_20_mb_is_held_nowhere(house):
    """By DATA and by BDAT, both ways through all three processes."""
    known(house, house.smtp)
    block = (b"0123456789" * 99 + b"\r\n") * 66
    pids = dict(house.server.processes())
    for by_bdat in False, True:
        with Client(house.smtp) as c:       # buffers that stay are made
            c.hello()
            with Watch(pids) as watch:
                c.want("MAIL FROM:<ann@here.example>", 250)
                c.want("RCPT TO:<bob@there.example>", 250)
                if not by_bdat:
                    c.want("DATA", 354)
                c.write(chunk(HEAD) if by_bdat else HEAD)
                for _ in range(300):
                    c.write(chunk(block) if by_bdat else block)
                c.write(b"BDAT 0 LAST\r\n" if by_bdat else b".\r\n")
                for _ in range(301 if by_bdat else 0):
                    assert c.reply().startswith("250 ")
                assert c.reply() == "250 2.0.0 Taken"
        assert house.hop.wait(1 + by_bdat)[-1].body == block * 300
        for pid, grown in watch.growth.items():
            assert grown <= MIB, "%s grew by %d KiB" % (
                pids[pid], grown / 1024)


def test_the_text_is_refused_at_data_or_its_end_or_in_its_middle(house):
    with Client(house.smtp) as c:
        c.hello()
        house.hop.answer = said({"DATA": "554 5.7.1 Not from you"})
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<bob@there.example>", 250)
        assert c.say("DATA") == "554 5.7.1 Not from you"
        house.hop.answer = said({"END": "550 5.7.1 This is spam"})
        c.want("DATA", 354)
        c.write(TEXT)
        assert c.say(".") == "550 5.7.1 This is spam"
        house.hop.answer = said({"END": "452 No enhanced code"})
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT)
        assert c.say(".") == "452 4.0.0 No enhanced code"
        house.hop.answer = said({"MAIL": "553 5.7.1 No such sender"})
        assert c.say("MAIL FROM:<eve@here.example>") == \
            "553 5.7.1 No such sender"
        house.hop.answer = said({})
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT)
        assert c.say(".") == "250 2.0.0 Taken"
    assert len(house.hop.wait()) == 1


def known(house, port, greeting="EHLO"):
    """What is offered there, once the hop has been heard."""
    def offered():
        with Client(port) as c:
            got = c.say(greeting + " here.example").split("\n")[1:]
        return "250-DSN" in got and [l[4:] for l in got]
    if not offered():
        with Client(port) as c:
            c.want(greeting + " here.example", 250)
            c.want("MAIL FROM:<ann@here.example>", 250)
    return until(offered, what="DSN offered")


def test_what_is_offered_is_what_the_hop_offers(house):
    """Nothing of it before that is known, and not what another offers."""
    p, plain = house.server, Sink(extensions=("SIZE 9000",))
    own = "SIZE %d" % (50 << 20)
    mine = {"DSN", "SMTPUTF8", "BINARYMIME"}
    usual = {"8BITMIME"}            # until a hop is known to lack it

    def offered(c):
        return {l[4:] for l in c.say("EHLO here.example").split("\n")[1:]}

    def has_forgotten():
        with Client(house.smtp) as c:
            return not mine & offered(c)

    try:
        assert mine | usual <= {*known(house, house.smtp)}
        house.configure(plain)
        with Client(house.smtp) as c:
            assert mine <= offered(c)
            assert ctl(p, "reload").status == 0
        until(has_forgotten, what="an edge that was told")
        with Client(house.smtp) as c:
            assert usual | {own} <= offered(c)
            c.want("MAIL FROM:<ann@here.example> BODY=8BITMIME", "550 5.6.3")
            got = until(lambda: "SIZE 9000" in offered(c) and offered(c))
            assert not usual & got, got
            c.want("MAIL FROM:<ann@here.example> BODY=8BITMIME", "555 5.6.3")
            c.want("MAIL FROM:<ann@here.example> RET=HDRS", "555 5.5.4")
            c.want("MAIL FROM:<ann@here.example> BODY=BINARYMIME", 501)
            c.want("MAIL FROM:<ann@here.example>", 250)
            c.want("RCPT TO:<bob@there.example> NOTIFY=NEVER", "555 5.5.4")
            c.want("RCPT TO:<bob@there.example>", 250)
            got = until(lambda: "SIZE 9000" in offered(c) and offered(c))
            assert not mine & got, got
            c.want("MAIL FROM:<ann@here.example> SIZE=9001", "552 5.3.4")
    finally:
        house.configure(house.hop)
        assert ctl(p, "reload").status == 0
        plain.close()


def test_binary_text_passes_chunk_by_chunk(house):
    """In pieces of 64 KB, by SMTP and by LMTP, to the octet."""
    for port, hop, hello in ((house.smtp, house.hop, "EHLO"),
                             (house.lmtp, house.boxhop, "LHLO")):
        known(house, port, hello)
        with hop.news:
            hop.commands.clear()
        with Client(port) as c:
            c.want(hello + " here.example", 250)
            c.want("MAIL FROM:<ann@here.example> BODY=BINARYMIME", 250)
            c.want("RCPT TO:<bob@there.example>", 250)
            c.write(chunk(BINARY[:1000]) + chunk(BINARY[1000:] * 3, True))
            assert c.reply().startswith("250 2.0.0 1000 ")
            assert c.reply() == "250 2.0.0 Taken"
        got = hop.wait()[0]
        assert got.data.endswith(BINARY + BINARY[1000:] * 2)
        assert got.params == "BODY=BINARYMIME"
        chunks = [l for l in hop.commands if l.startswith("BDAT")]
        assert len(chunks) >= 4 and chunks[-1].endswith(" LAST"), chunks
        assert not any(l.endswith(" LAST") for l in chunks[:-1]), chunks
        assert "DATA" not in hop.commands


def test_bdat_goes_by_bdat_where_the_hop_has_it_and_else_by_data(house):
    """EOD-23, BDT-10 and 13 through a proxy: of a text that is not binary no
    wrong line end reaches the hop, by either of the two, and dots stay."""
    text = HEAD + b".\r\n..\r\n.x\r\n" + b"y" * 990 + b"\r\n"
    plain = Sink(extensions=EXTENSIONS)
    try:
        for hop in house.hop, plain:
            house.configure(hop)
            assert ctl(house.server, "reload").status == 0
            with Client(house.smtp) as c:
                c.hello()
                for row, bytes_ in sorted(REFUSED.items()):
                    c.want("MAIL FROM:<ann@here.example>", 250)
                    c.want("RCPT TO:<bob@there.example>", 250)
                    c.write(chunk(HEAD + b"x" + bytes_ + b"MAIL FROM:<x@y>\r\n",
                                  True))
                    assert c.reply()[:3] == "550", row
                c.want("MAIL FROM:<ann@here.example>", 250)
                c.want("RCPT TO:<bob@there.example>", 250)
                c.write(chunk(text[:19]) + chunk(text[19:20]) +
                        chunk(text[20:], True))
                assert [c.reply()[:3] for _ in range(3)] == ["250"] * 3
            got, = hop.wait()
            assert got.data.endswith(text)
            assert ("DATA" in hop.commands) == (hop is plain)
            assert any(l.startswith("BDAT") for l in hop.commands) == (
                hop is not plain)
    finally:
        house.configure(house.hop)
        assert ctl(house.server, "reload").status == 0
        plain.close()


def test_a_refused_chunk_is_the_end_of_its_text(house):
    """The connection is good for the next one."""
    known(house, house.smtp)
    house.hop.answer = said({"BDAT": "552 5.3.4 Too much for me"})
    before = house.hop.connections
    with Client(house.smtp) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example> BODY=BINARYMIME", 250)
        c.want("RCPT TO:<bob@there.example>", 250)
        c.write(chunk(BINARY * 3, True))
        assert c.reply() == "552 5.3.4 Too much for me"
        house.hop.answer = said({})
        c.want("MAIL FROM:<ann@here.example> BODY=BINARYMIME", 250)
        c.want("RCPT TO:<bob@there.example>", 250)
        c.write(chunk(BINARY, True))
        assert c.reply() == "250 2.0.0 Taken"
    assert house.hop.wait()[0].data.endswith(BINARY)
    assert house.hop.connections <= before + 1
    assert len([l for l in house.hop.commands if " LAST" in l]) == 1


def test_parameters_pass_where_the_hop_has_them(house):
    known(house, house.smtp)
    with house.hop.news:        # a MAIL of its own was needed for that
        house.hop.commands.clear()
    with Client(house.smtp) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example> RET=HDRS ENVID=x1", 250)
        c.want("RCPT TO:<bob@there.example> NOTIFY=SUCCESS "
               "ORCPT=rfc822;bob@there.example", 250)
        c.want("RSET", 250)
        said_of = [l for l in house.hop.commands if "FROM" in l or "TO" in l]
    assert said_of == [
        "MAIL FROM:<ann@here.example> RET=HDRS ENVID=x1",
        "RCPT TO:<bob@there.example> NOTIFY=SUCCESS "
        "ORCPT=rfc822;bob@there.example"]


def test_lmtp_hears_of_each_recipient(house):
    house.boxhop.answer = lambda verb, line, session: (
        "550 5.1.1 No mailbox" if verb == "RCPT" and "<no@" in line else
        ["250 2.0.0 a has it", "452 4.2.2 b is full", "250 2.0.0 c has it"]
        if verb == "END" else None)
    with Client(house.lmtp) as c:
        c.want("LHLO here.example", 250)
        c.want("MAIL FROM:<ann@here.example>", 250)
        for who in "a", "no", "b", "c":
            c.want("RCPT TO:<%s@there.example>" % who,
                   550 if who == "no" else 250)
        c.want("DATA", 354)
        c.write(TEXT)
        assert [c.say("."), c.reply(), c.reply()] == [
            "250 2.0.0 a has it", "452 4.2.2 b is full",
            "250 2.0.0 c has it"]
        c.want("NOOP", 250)


def test_an_smtp_client_gives_lmtp_one_recipient_at_a_time(house):
    house.boxhop.answer = lambda verb, line, session: (
        "452 4.2.2 Full" if verb == "END" and
        session["message"].rcpts == ["b@there.example"] else None)
    with Client(house.boxes) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<a@there.example>", 250)
        assert c.say("RCPT TO:<b@there.example>").startswith("452 4.5.3 ")
        c.want("DATA", 354)
        c.write(TEXT)
        assert c.say(".") == "250 2.0.0 Taken"
        c.begin("ann@here.example", "b@there.example")
        c.write(TEXT)
        assert c.say(".") == "452 4.2.2 Full"
    assert [m.rcpts for m in house.boxhop.wait()] == [["a@there.example"]]


def test_domains_with_hosts_of_their_own_go_one_at_a_time(house):
    house.hop.answer = lambda verb, line, session: (
        "550 5.7.1 Not you" if verb == "MAIL" and "eve" in line else None)
    with Client(house.world) as c:
        c.hello()
        c.want("MAIL FROM:<eve@here.example>", 250)
        assert c.say("RCPT TO:<x@a.example>") == "550 5.7.1 Not you"
        c.want("RSET", 250)
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<x@a.example>", 250)
        c.want("RCPT TO:<y@a.example>", 250)
        assert c.say("RCPT TO:<x@b.example>").startswith("452 4.5.3 ")
        c.want("DATA", 354)
        c.write(TEXT)
        assert c.say(".") == "250 2.0.0 Taken"
        c.want("MAIL FROM:<ann@here.example>", 250)
        assert c.say("RCPT TO:<x@unknown.invalid>")[:3] in ("451", "550")
    assert [m.rcpts for m in house.hop.wait()] == [
        ["x@a.example", "y@a.example"]]


def test_a_hop_that_goes_is_told_at_the_next_command(house):
    def drop_at(at):
        return lambda verb, line, session: DROP if verb == at else None
    with Client(house.smtp) as c:
        c.hello()
        for at in "RCPT", "DATA", "END":
            house.hop.answer = drop_at(at)
            c.want("MAIL FROM:<ann@here.example>", 250)
            got = c.say("RCPT TO:<bob@there.example>")
            if at != "RCPT":
                got = c.say("DATA")
            if at == "END":
                assert got.startswith("354")
                c.write(TEXT)
                got = c.say(".")
            assert got == "451 4.4.2 Connection lost", at
            c.want("RSET", 250)
        house.hop.answer = said({"RCPT": "421 4.3.2 Going down"})
        c.want("MAIL FROM:<ann@here.example>", 250)
        assert c.say("RCPT TO:<bob@there.example>") == "451 4.3.2 Going down"


def test_a_client_that_goes_within_the_text_leaves_no_message(house):
    with Client(house.smtp) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT + "x" * 998 + "\r\n")
    with Client(house.smtp) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write("Subject: second\r\n\r\n")
        assert c.say(".") == "250 2.0.0 Taken"
    assert [m.header("Subject") for m in house.hop.quiet(0.3)] == [["second"]]


def test_a_killed_process_acknowledges_nothing(house):
    """At each place, each of the three: 451, 421 or the end, and a message is
    at the hop if and only if it was acknowledged."""
    for at in "RCPT", "DATA", "text":
        for who in ("edge", "in"), ("proxy", "in"), ("relay", "hop"):
            with Client(house.smtp) as c:
                c.hello()
                c.want("MAIL FROM:<ann@here.example>", 250)
                c.want("RCPT TO:<bob@there.example>", 250)
                if at != "RCPT":
                    c.want("DATA", 354)
                if at == "text":
                    c.write(TEXT)
                mark = house.server.mark()
                house.server.kill(*who)
                house.server.wait_log(since=mark, event="ready")
                try:
                    got = (c.say("DATA") if at == "RCPT" else
                           c.say(".") if at == "text" else
                           (c.write(TEXT), c.say("."))[1])
                except OSError:
                    got = ""
            assert got[:3] in ("", "451", "421", "354"), (at, who, got)
    until(lambda: accepted(house), what="a house that takes mail again")
    assert len(house.hop.quiet(0.3)) == 1


def test_an_administrator_hears_what_there_is_to_say(house):
    """Where mail goes, what passes now, and that nothing is kept."""
    p = house.server
    with Client(house.smtp) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        rows = {(l["role"], l["block"]): l
                for l in ctl(p, "status", "--json").lines
                if l["kind"] == "process"}
        assert rows["proxy", "in"]["state"] == "ready"
        queue, = (l for l in ctl(p, "status", "--json").lines
                  if l["kind"] == "queue" and l["queue"] == "in")
        assert (queue["active"], queue["messages"]) == (1, 0)
        assert "  1 passing  " in ctl(p, "status").out
        for words in ("list",), ("list", "--queue", "in"):
            got = ctl(p, "queue", *words, "--json")
            assert (got.status, got.lines) == (0, []), got.err
        c.write(TEXT)
        c.want(".", 250)
    routes = ctl(p, "route", "x@a.example", "--json").lines
    assert {(r["queue"], r["relay"], r["destination"]) for r in routes} == {
        ("in", "hop", "hop"), ("mailboxes", "boxes", "boxes"),
        ("world", "world", "a.example")}
    for words in (("hold", "--all"), ("flush", "--all")):
        assert ctl(p, "queue", *words).status == 1, words


def test_a_reload_leaves_what_is_under_way(house):
    """Its end goes to the hop where it began; who comes then has the other."""
    p, other = house.server, Sink(extensions=OFFERED)
    try:
        with Client(house.smtp) as c:
            c.hello()
            c.begin("ann@here.example", "bob@there.example")
            c.write(TEXT)
            house.configure(other)
            got = ctl(p, "reload")
            assert got.status == 0, got.err
            with Client(house.smtp) as d:
                d.hello()
                d.begin("ben@here.example", "bob@there.example")
                d.write(TEXT)
                d.want(".", 250)
            c.want(".", 250)
        assert [m.sender for m in house.hop.wait()] == ["ann@here.example"]
        assert [m.sender for m in other.wait()] == ["ben@here.example"]
    finally:
        house.configure(house.hop)
        assert ctl(p, "reload").status == 0
        other.close()


def test_a_stop_breaks_off_what_is_not_whole(house):
    """421 or 451, or the end, and no half message is at the hop; but whose
    text is there whole hears what became of it."""
    p, go_on, ended = house.server, threading.Event(), []

    def answer(verb, line, session):
        if verb == "END":
            ended.append(session["message"].sender)
            go_on.wait(60)

    house.hop.answer = answer
    whole, half, asked, idle = [Client(house.smtp) for _ in range(4)]
    try:
        for c in whole, half, asked:
            c.hello()
        half.begin("half@here.example", "bob@there.example")
        half.write(TEXT)
        asked.want("MAIL FROM:<asked@here.example>", 250)
        whole.begin("whole@here.example", "bob@there.example")
        whole.write(TEXT + ".\r\n")
        until(lambda: ended, what="its text")
        mark, proxy = p.mark(), p.pid("proxy", "in")
        p.signal(signal.SIGTERM)
        assert idle.reply().startswith("421 ")
        go_on.set()
        assert whole.reply().startswith("250 ")
        p.signal(signal.SIGTERM)        # and wait for nobody any more
        for c in half, asked:
            try:
                assert c.reply()[:3] in ("421", "451", "")
            except OSError:     # whoever is too slow for that is ended
                pass
        p.stop()
        p.wait_log(since=mark, event="stopped", by=proxy)
        assert [m.sender for m in house.hop.quiet(0.3)] == [
            "whole@here.example"]
    finally:
        go_on.set()
        for c in whole, half, asked, idle:
            c.close()
        if p.process is None:
            p.start()


def accepted(house):
    """One message that is taken; after a restart of all that may need time."""
    try:
        with Client(house.smtp) as c:
            c.hello()
            c.begin("ann@here.example", "bob@there.example")
            c.write(TEXT)
            return c.say(".").startswith("250")
    except (AssertionError, OSError):
        return False


KINDS = """
process { hostname mx.test.example; run_dir run }
edge submission {
    type smtp
    listener { interface 127.0.0.1; port %d }
    rules { lookup_credentials staff; require_auth yes; auth_without_tls yes }
    relay hop
}
edge local { type smtp; listener { path run/sendmail }; relay hop }
edge drop { type drop; path drop; relay hop }
users staff { type file; path users }
relay hop { type static; host 127.0.0.1; port %d }
"""


def test_each_kind_of_edge_may_have_a_proxy_behind_it(server, sink):
    """With a login, from sendmail(1), and from what that kept meanwhile."""
    port, drop = free_port(), os.path.join(server.room.work, "drop")
    server.configure(KINDS % (port, sink.port))
    accounts(server, "ann:" + crypt("wheel", "sha512", 1000))
    os.mkdir(drop)
    if os.geteuid() == 0:
        os.chown(drop, NOBODY, NOBODY)
    os.chmod(drop, 0o3733)
    kept = sendmail(server, "-f", "kept@here.example", "bob@there.example",
                    stdin=TEXT)
    assert (kept.status, len(os.listdir(drop))) == (0, 1), kept.err
    server.start()
    server.wait_log(event="picked")
    assert os.listdir(drop) == []
    sent = sendmail(server, "-f", "sent@here.example", "bob@there.example",
                    stdin=TEXT)
    assert sent.status == 0, sent.err
    with Client(port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 530)
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT)
        c.want(".", 250)
    assert [m.sender for m in sink.wait(3)] == [
        "kept@here.example", "sent@here.example", "ann@here.example"]


BOX = """
process { hostname mx.test.example; run_dir run }
edge in { type lmtp; listener { port %d }; relay boxes }
edge one { type smtp; listener { port %d }; relay boxes }
relay boxes { type lmtp; port %d; ask_after 0 }
"""


def test_dovecot_answers_for_each_mailbox(server, room):
    """swaks speaks LMTP to us, Dovecot is behind: one of two has no room."""
    dovecot = Dovecot(room.dir, {"ann": "x", "ben": "x"}, small=("ben",))
    try:
        lmtp, smtp = free_port(), free_port()
        server.configure(BOX % (lmtp, smtp, dovecot.port))
        server.start()
        done = subprocess.run(
            ["swaks", "-s", "127.0.0.1", "-p", str(lmtp), "--protocol",
             "LMTP", "--timeout", "60", "-f", "eve@here.example", "-t",
             "ann@box.example,ben@box.example"], capture_output=True,
            text=True, check=False)
        said = [l[4:] for l in done.stdout.splitlines()
                if l.startswith(("<-  ", "<** "))]
        at = next(i for i, l in enumerate(said) if l.startswith("354"))
        assert said[at + 1].startswith("250 2.0.0 <ann@box.example> "), said
        assert said[at + 2].startswith("552 5.2.2 <ben@box.example> "), said
        with smtplib.SMTP("127.0.0.1", smtp) as c:
            assert c.sendmail("eve@here.example", ["ann@box.example"],
                              TEXT) == {}
            with pytest.raises(smtplib.SMTPDataError) as e:
                c.sendmail("eve@here.example", ["ben@box.example"], TEXT)
            assert e.value.smtp_code == 552
    finally:
        dovecot.close()
