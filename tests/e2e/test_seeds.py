"""What the documents of slimta say of it, row by row: tests/seeds.txt has the
rows, a test's name begins with its row's number, and `make seeds' prints what
became of each.  A row that is met otherwise is asserted the other way, and its
test says why."""

import json
import os
import re
import signal
import smtplib
import socket
import ssl
import threading

import pytest

import webs
from client import QUEUED, TEXT, Client
from names import Names
from peers import Authority
from server import NOBODY, PATIENCE, SANITIZED, Postern, Room, free_port, until
from sinks import Sink
from test_http import SEED, raw
from test_mx import HERE, THERE, THIRD, common_port
from test_submission import PLAIN, TlsClient, make_certificate, make_users
from tool import run

pytestmark = pytest.mark.heavy       # each of it has a test of its own besides

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CONF = """
process { hostname mx.test.example; run_dir run; %(resolver)s }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    banner "{fqdn} ESMTP Mail Gateway"
    tls { certfile mx.pem; keyfile mx.key }
    max_size 75M
    queue main
}
edge msa {
    type smtp
    listener { interface 127.0.0.1; port %(msa)d }
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; require_tls yes; lookup_credentials staff }
    queue main
}
edge free {
    type smtp
    listener { interface 127.0.0.1; port %(free)d }
    tls { certfile mx.pem; keyfile mx.key }
    rules { lookup_credentials staff; clients 127.0.0.1 }
    queue main
}
edge smtps {
    type smtp
    listener { interface 127.0.0.1; port %(smtps)d }
    tls_immediately yes
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; lookup_credentials staff }
    queue main
}
edge lua {
    type smtp
    listener { interface 127.0.0.1; port %(lua)d }
    tls { certfile mx.pem; keyfile mx.key }
    validators policy.lua
    queue main
}
edge luas {
    type smtp
    listener { interface 127.0.0.1; port %(luas)d }
    tls_immediately yes
    tls { certfile mx.pem; keyfile mx.key }
    validators policy.lua
    queue main
}
edge post {
    type http; dialect lua
    listener { interface 127.0.0.1; port %(post)d }
    queue main
}
edge pass {
    type smtp
    listener { interface 127.0.0.1; port %(through)d }
    relay hop
}
users staff { type file; path users }
queue main {
    type lmdb; path run/queue; relay world
    route to @static.example relay hop
    route to @one.example relay one
    route to @lmtp.example relay box
    route to @pipe.example relay prog
    route to @drop.example relay drop
    route to @lda.example relay lda
    route to @hole.example relay hole
    route to @web.example relay web
    policies {
        add_date_header yes; add_message_id_header yes
        add_received_header yes; recipient_domain_split yes
    }
    retry { delay 1; maximum_delay 1s }
}
relay world {
    type mx; port %(mxport)d; private_targets yes; tls { ca_certs roots }
    force_mx forced.example 127.0.0.3
}
relay hop {
    type static; host 127.0.0.1; port %(hop)d; ask_after 0
    source 127.0.0.9; ipv4_only yes
}
relay one {
    type static; host 127.0.0.1; port %(onehop)d; ask_after 0
    concurrent_connections 1
    tls { security verified; ca_certs roots }
}
relay box { type lmtp; host 127.0.0.1; port %(boxport)d; ask_after 0 }
relay prog {
    type pipe
    args "%(work)s/program" "{sender}" "{recipient}" "{message_id}"
    error_pattern "^because: (.*)"
}
relay drop { type maildrop; path "%(work)s/program"; extra_args filter }
relay lda { type dovecot; path "%(work)s/program"; timeout 10s }
relay hole { type blackhole }
relay web {
    type http; url http://127.0.0.1:%(web)d/messages/
    ehlo_as server.example.com; idle_timeout 10s
}
"""
LUA = """
smtp_edge:set_banner_message("220", hostname .. " ESMTP Mail Gateway by Lua")
for _, command in ipairs{"ehlo", "helo", "mail", "rcpt", "data", "rset"} do
    set_validator(command, function(session, reply, what)
        if session.ehlo_as == "no." .. command then
            reply.code = 550
            reply.message = ("<%%s> %%s %%s %%s %%s"):format(what,
                session.authed, session.from_ip, session.security,
                session.ehlo_as)
            reply.enhanced_status_code = "5.7.99"
        end
    end)
end
set_validator("STARTTLS", function(session, reply)
    reply.code = "454"
    reply.message = "not here"
end)
""".replace("%%", "%")
# What it was told, and its standard input; what it says and how it ends is
# the recipient's to choose, or the sender's.
PROGRAM = """#!/bin/sh
cd %s || exit 75
cat > in.$$
{ for a; do echo "$a"; done; cat in.$$; } > "new.$$"
rm in.$$
case "$*" in
*never@*) echo "maildrop: mailbox is gone" >&2; end=1 ;;
*later@*) echo "because: come again" >&2; end=75 ;;
*why@*) echo noise; echo "because: 5.2.1 no room here"; end=1 ;;
*) end=0 ;;
esac
mv new.$$ told.$$
exit ${end}
"""
MX_ZONE = """
@ IN MX 20 second
@ IN MX 10 first
first IN A 127.0.0.2
second IN A 127.0.0.3
"""


class Hub:
    """One postern with a relay of each type, for all tests of this file."""

    def __init__(self, room):
        self.p = p = Postern(room)
        self.work = work = room.work
        self.names = Names(work)
        self.names.zone("mx.example", MX_ZONE)
        self.names.zone("fail.example", MX_ZONE.replace("0.0.2", "0.0.4"))
        self.names.start()
        self.ca = Authority(room.dir)
        os.mkdir(work + "/roots")
        for name in (self.ca.cert,):
            with open(name, "rb") as src, open(
                    work + "/roots/ca.pem", "wb") as dst:
                dst.write(src.read())
        cert, key = self.ca.issue("IP:127.0.0.1", "DNS:first.mx.example")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
        offers = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS")
        port = common_port()
        self.first = Sink(port=port, host=HERE, tls=tls, extensions=offers)
        self.second = Sink(port=port, host=THERE)
        self.hop, self.box = Sink(), Sink()
        self.broken = Sink(port=port, host=THIRD, answer=lambda verb, line,
                           session: "421 4.3.2 Not now")
        self.one = Sink(tls=tls, extensions=offers)
        self.web = webs.Web()
        with open(work + "/policy.lua", "w", encoding="ascii") as f:
            f.write(LUA)
        os.chmod(work + "/policy.lua", 0o644)
        self.sinks = [self.first, self.second, self.hop, self.box, self.one]
        make_certificate(work, "mx.test.example")
        make_users(work)
        with open(work + "/program", "w", encoding="ascii") as f:
            f.write(PROGRAM % work)
        os.chmod(work + "/program", 0o755)
        self.port, self.msa, self.smtps = free_port(), free_port(), free_port()
        self.through, self.free = free_port(), free_port()
        self.lua, self.luas = free_port(), free_port()
        self.post = free_port()
        p.configure(CONF % {
            "resolver": self.names.resolver(), "work": work, "port": self.port,
            "msa": self.msa, "smtps": self.smtps, "through": self.through,
            "free": self.free, "lua": self.lua, "luas": self.luas,
            "post": self.post, "web": self.web.port, "mxport": port,
            "hop": self.hop.port, "onehop": self.one.port,
            "boxport": self.box.port})
        try:
            p.start()
        except BaseException:
            p.abandon()
            self.names.close()
            raise

    def reset(self):
        for sink in self.sinks:
            sink.answer = lambda verb, line, session: None
            with sink.news:
                sink.messages.clear()
                sink.commands.clear()
                sink.clients.clear()
        self.web.head = self.web.end = lambda request: None
        with self.web.news:
            self.web.requests.clear()
        for name in self.files():
            os.unlink(name)

    def files(self):
        return [os.path.join(self.work, n) for n in os.listdir(self.work)
                if n.startswith("told.")]

    def told(self):
        """What the program was told, and its standard input."""
        name = until(self.files, what="the program")[0]
        with open(name, encoding="utf-8") as f:
            return f.read()

    def send(self, *rcpts, sender="ann@here.example", text=TEXT):
        with Client(self.port) as c:
            c.hello()
            return c.mail(sender, *rcpts, text=text)

    def outcome(self, event, *rcpts, **wanted):
        """The line of the log that tells what became of a message."""
        name = self.send(*rcpts, sender="")
        return self.p.wait_log(event=event, id=name, **wanted)

    def secure(self, port, starttls=True):
        context = ssl.create_default_context(cafile=self.work + "/mx.pem")
        if not starttls:
            c = TlsClient(port, greet=False).secure(context)
            c.greeting = c.reply()
            return c
        c = TlsClient(port)
        c.starttls(context)
        c.hello()
        return c

    def close(self):
        self.p.stop()
        self.p.finish()
        self.names.close()
        self.web.close()
        for sink in [*self.sinks, self.broken]:
            sink.close()


@pytest.fixture(scope="module")
def house():
    room = Room(NOBODY if os.geteuid() == 0 else None)
    hub = Hub(room)
    yield hub
    hub.close()
    room.remove()


@pytest.fixture
def hub(house):
    house.reset()
    return house


def option(block, name, kind):
    """What posternctl says of an option."""
    rows = [json.loads(l) for l in run(
        ["posternctl", "--json", "options", block, kind]).out.splitlines()]
    found = [r for r in rows if r["option"] == name and r["block"] == block]
    assert len(found) == 1, rows
    return found[0]


def words_of(block, name="type"):
    rows = [json.loads(l) for l in run(
        ["posternctl", "--json", "options", block]).out.splitlines()]
    return next(r["words"] for r in rows
                if r["option"] == name and r["block"] == block).split(" ")


@pytest.fixture
def check(server):
    """Does such a configuration hold?  What `postern -n' says."""
    def call(relay="", edge="", top="", queue=""):
        server.configure("""
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port 2525 }; %s }
queue main { type lmdb; path run/queue; %s }
%s
%s
""" % (edge, queue, relay or "relay out { type static; host 127.0.0.1 }", top))
        done = server.check()
        return done.stdout + done.stderr if done.returncode else ""
    return call


def page(name):
    with open(os.path.join(TOP, "man", name), encoding="utf-8") as f:
        return re.sub(r"\n\.\w\w ", " ", f.read())


# 000: relays, as the oldest manual has them


def test_000_01_relays_of_any_medium(hub):
    name = hub.send("a@static.example", "b@lmtp.example", "c@pipe.example",
                    "d@hole.example")
    for relay in ("hop", "box", "prog", "hole"):
        hub.p.wait_log(event="delivered", id=name, relay=relay)


def test_000_02_the_next_hop_and_the_mailbox(hub):
    name = hub.send("a@static.example", "b@lda.example")
    hub.p.wait_log(event="delivered", id=name, relay="hop")
    hub.p.wait_log(event="delivered", id=name, relay="lda")


def test_000_03_each_host_has_routing_logic(hub):
    def way(address):
        return run(["posternctl", "-f", hub.p.path, "--json", "route",
                    address]).lines[0]["relay"]
    assert way("x@static.example") == "hop"
    assert way("x@anywhere.example") == "world"


def test_000_04_mail_is_routed_by_mx(hub):
    name = hub.send("a@mx.example")
    assert hub.first.wait()[0].id == name


def test_000_05_hosts_inside_have_routes_of_their_own(hub):
    hub.send("a@lmtp.example")
    assert hub.box.wait()[0].rcpts == ["a@lmtp.example"]


def test_000_06_an_edge_hands_over_to_a_queue(hub):
    name = hub.send("a@hole.example")
    line = hub.p.wait_log(event="queued", id=name)
    assert line["by"] != str(hub.p.pid("edge", "in"))
    assert line["by"] == str(hub.p.pid("queue", "main"))


def test_000_07_a_message_for_several_relays(hub):
    name = hub.send("a@static.example", "b@lmtp.example")
    assert hub.hop.wait()[0].rcpts == ["a@static.example"]
    assert hub.box.wait()[0].rcpts == ["b@lmtp.example"]
    assert hub.box.messages[0].id == hub.hop.messages[0].id == name


def test_000_08_a_bus_has_two_ends_made_by_master(hub):
    """There is no bus to construct: an edge names its queue."""
    edge, queue = hub.p.pid("edge", "in"), hub.p.pid("queue", "main")
    assert edge != queue
    for pid in edge, queue:
        with open("/proc/%d/net/unix" % pid, encoding="ascii") as f:
            assert " 0005 " in f.read()       # SOCK_SEQPACKET


def test_000_09_the_relay_manager_is_the_queue(check):
    """There is none to construct: a queue names its relays, and they exist."""
    assert not check(queue="relay out")
    assert "nobody" in check(queue="relay nobody")


def test_000_10_relays_have_names(hub):
    for relay in ("world", "hop", "one", "box"):
        assert hub.p.pid("relay", relay)


def test_000_12_smtp_is_the_way_to_strangers(hub):
    name = hub.send("stranger@mx.example")
    assert hub.p.wait_log(event="delivered", id=name)["relay"] == "world"


def test_000_13_between_mtas_tls_and_no_login(hub, check):
    hub.send("a@mx.example")
    assert hub.first.wait()[0].version.startswith("TLS")
    assert not [c for c in hub.first.commands if c.startswith("AUTH")]
    assert "credentials" in check(
        relay="relay out { type mx; credentials { user a; password_file b } }")


def test_000_14_a_relay_without_options(check):
    assert not check(relay="relay out { type mx }",
                     edge="rules { clients 127.0.0.1 }")


def test_000_15_the_name_for_ehlo(start, sink):
    p = start(sink.port, relay="ehlo_as server.example.com")
    with Client(p.port) as c:
        c.hello()
        c.mail("", "bob@there.example")
    sink.wait()
    assert "EHLO server.example.com" in sink.commands


def test_000_16_it_can_be_held_to_ipv6(server, sink):
    p = server
    p.port = free_port()
    p.configure("""
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port %d } }
queue main { type lmdb; path run/queue; retry { maximum 0 } }
relay out { type mx; ipv6_only yes; force_mx there.example localhost@%d }
""" % (p.port, sink.port))
    p.start()
    with Client(p.port) as c:
        c.hello()
        name = c.mail("", "bob@there.example")
    p.wait_log(event="failed", id=name)
    assert not sink.messages and not sink.connections


def test_000_19_the_way_out_is_encrypted_and_checked(hub):
    hub.send("a@one.example")
    assert hub.one.wait()[0].version.startswith("TLS")


def test_000_20_security_is_turned_on(hub, check):
    hub.send("a@one.example")
    assert hub.one.wait()[0].version
    assert not check(relay="relay out { type static; host 127.0.0.1; "
                     "tls { security verified } }")
    assert not check(relay="relay out { type static; host 127.0.0.1; "
                     "tls_immediately yes }")


def test_000_21_trust_may_be_a_directory(hub):
    hub.send("a@one.example")
    assert hub.one.wait() and os.path.isdir(hub.work + "/roots")


def test_000_22_maildrop_delivers(hub):
    assert hub.outcome("delivered", "a@drop.example")["relay"] == "drop"


def test_000_23_maildrop_has_sixty_seconds():
    assert option("relay", "timeout", "maildrop")["default"] == "60s"


def test_000_24_it_is_started_as_maildrop_f_sender(hub):
    hub.send("a@drop.example", sender="eve@here.example")
    assert hub.told().startswith("-f\neve@here.example\nfilter\n")


def test_000_25_the_message_is_its_input(hub):
    name = hub.send("a@drop.example")
    told = hub.told()
    assert name in told and told.endswith("\n\nHello.\n")


def test_000_26_its_words_come_from_standard_error(hub):
    name = hub.send("a@drop.example", sender="never@here.example")
    line = hub.p.wait_log(event="failed", id=name)
    assert line["reply"] == "5.0.0 mailbox is gone"


def test_000_27_its_exit_status_decides(hub):
    name = hub.send("a@drop.example", sender="later@here.example")
    hub.p.wait_log(event="deferred", id=name)
    name = hub.send("a@drop.example", sender="never@here.example")
    hub.p.wait_log(event="failed", id=name)
    name = hub.send("a@drop.example", sender="other@here.example")
    hub.p.wait_log(event="delivered", id=name)


def test_000_28_a_filter_is_named_by_extra_args(hub):
    hub.send("a@drop.example")
    assert hub.told().split("\n")[2] == "filter"


# 001: relays of the python documents


def test_001_01_a_relay_attempts_the_next_destination(hub):
    line = hub.outcome("delivered", "a@static.example")
    assert line["relay"] == "hop" and "127.0.0.1" in line["hop"]


def test_001_02_done_later_and_never(hub):
    hub.hop.answer = lambda verb, line, session: {
        "<never@static.example>": "550 5.1.1 No",
        "<later@static.example>": "450 4.2.1 Wait"}.get(
            line.partition(":")[2]) if verb == "RCPT" else None
    name = hub.send("never@static.example", "later@static.example",
                    "done@static.example", sender="")
    for event, who in (("failed", "never"), ("deferred", "later"),
                       ("delivered", "done")):
        hub.p.wait_log(event=event, id=name, rcpt=who + "@static.example")


def test_001_03_a_smart_host_takes_all(check, start, sink):
    p = start(sink.port)
    with Client(p.port) as c:
        c.hello()
        c.mail("ann@here.example", "a@x.example", "b@y.example")
    assert sink.wait()[0].rcpts == ["a@x.example", "b@y.example"]


def test_001_04_connections_are_used_again(hub):
    hub.send("a@static.example")
    hub.hop.wait(1)
    hub.send("b@static.example")
    hub.hop.wait(2)
    assert len(hub.hop.clients) <= 1


def test_001_05_and_bounded_in_number(hub):
    most = []
    hub.one.answer = lambda verb, line, session: most.append(
        len(hub.one.open))
    for i in range(6):
        hub.send("a%d@one.example" % i)
    hub.one.wait(6)
    assert max(most) == 1


def test_001_06_and_07_order_of_preference(hub):
    hub.send("a@mx.example")
    assert hub.first.wait()[0].rcpts == ["a@mx.example"]
    assert not hub.second.messages


def test_001_07_the_others_are_tried_after_it(hub):
    hub.send("a@fail.example")
    assert hub.second.wait()[0].rcpts == ["a@fail.example"]
    assert hub.broken.connections > 0


def test_001_08_mx_relaying_uses_port_25():
    assert option("relay", "port", "mx")["default"] == "25"


def test_001_09_answers_are_kept_until_their_ttl_ends(hub):
    hub.send("a@mx.example", sender="")
    hub.first.wait(1)
    os.kill(hub.names.process.pid, signal.SIGSTOP)
    try:
        hub.send("b@mx.example", sender="")
        hub.first.wait(2)
    finally:
        os.kill(hub.names.process.pid, signal.SIGCONT)


def test_001_10_each_destination_keeps_connections(hub):
    hub.send("a@mx.example")
    hub.first.wait(1)
    hub.send("b@mx.example")
    hub.first.wait(2)
    assert len(hub.first.clients) <= 1


def test_001_11_force_mx(hub):
    hub.send("a@forced.example")
    assert hub.second.wait()[0].rcpts == ["a@forced.example"]


def test_001_12_and_13_the_source_address_is_chosen(hub):
    assert option("relay", "source", "mx")["list"]
    hub.send("a@static.example")
    hub.hop.wait()
    assert set(hub.hop.clients) <= {"127.0.0.9"}


def test_001_13_the_source_is_where_a_connection_comes_from(start, sink):
    p = start(sink.port, relay="source 127.0.0.7 127.0.0.8")
    with Client(p.port) as c:
        c.hello()
        c.mail("", "bob@there.example")
    sink.wait()
    assert sink.clients[0] in ("127.0.0.7", "127.0.0.8")


def test_001_15_one_of_several_sources_is_taken(start, sink):
    p = start(sink.port, relay="source 127.0.0.7 127.0.0.8; idle_timeout 0")

    def seen():
        with Client(p.port) as c:
            c.hello()
            c.mail("", "bob@there.example")
        sink.wait(len(sink.messages) + 1 if not sink.messages else 1)
        return set(sink.clients) == {"127.0.0.7", "127.0.0.8"}
    until(seen, what="both addresses")


def test_001_16_a_connection_carries_many_messages(hub):
    for i in range(3):
        hub.send("a%d@static.example" % i)
        hub.hop.wait(i + 1)
    assert len(hub.hop.clients) <= 1


def test_001_17_lmtp_answers_for_each_recipient(hub):
    hub.box.answer = lambda verb, line, session: (
        ["250 2.0.0 Kept", "550 5.2.2 Full"] if verb == "END" else None)
    name = hub.send("a@lmtp.example", "b@lmtp.example", sender="")
    hub.p.wait_log(event="delivered", id=name, rcpt="a@lmtp.example")
    assert hub.p.wait_log(event="failed", id=name,
                          rcpt="b@lmtp.example")["code"] == "550"


def test_001_18_lmtp_is_configured_as_static_is(check):
    assert not check(relay="relay out { type lmtp }")
    for name in ("connect_timeout", "command_timeout", "idle_timeout"):
        a, b = (option("relay", name, kind) for kind in ("static", "lmtp"))
        assert a["default"] == b["default"]


def test_001_19_the_message_is_the_body_its_envelope_the_headers(hub):
    name = hub.send("a@web.example", "b@web.example")
    got = hub.web.wait()[0]
    assert got.get("X-Ehlo") == "server.example.com"
    assert got.sender == "ann@here.example"
    assert got.rcpts == ["a@web.example", "b@web.example"]
    assert name in got.text and got.text.endswith(TEXT)


@pytest.mark.parametrize("reply, event", [
    ('550; message="5.1.1 Nobody"', "failed"),
    ('450; message="4.2.1 Later"', "deferred")])
def test_001_20_x_smtp_reply_is_the_reply(hub, reply, event):
    hub.web.end = lambda r: webs.answer(503, "No", reply)
    line = hub.outcome(event, "a@web.example")
    assert line["code"] == reply[:3]
    assert line["reply"] == re.search('"(.*)"', reply).group(1)


def test_001_21_without_it_4xx_is_for_good_and_5xx_for_now(hub):
    hub.web.end = lambda r: webs.answer(404, "Not Found")
    assert hub.outcome("failed", "a@web.example")["code"] == "550"
    hub.web.end = lambda r: webs.answer(503, "Service Unavailable")
    assert hub.outcome("deferred", "a@web.example")["code"] == "450"


def test_001_22_it_has_a_url(hub, check):
    hub.send("a@web.example")
    assert hub.web.wait()[0].line == "POST /messages/ HTTP/1.1"
    assert not check(relay="relay out { type http; url "
                     "http://example.com:8025/messages/ }")


def test_001_23_pipe_streams_to_a_program(hub):
    name = hub.send("a@pipe.example")
    assert name in hub.told()


def test_001_24_its_time_limit_can_be_set(hub, check):
    assert option("relay", "timeout", "pipe")["default"] == "60s"
    assert not check(relay="relay out { type pipe; args /bin/cat; "
                     "timeout 10s; user nobody }")


def test_001_25_they_belong_to_postern_itself():
    assert {"pipe", "maildrop", "dovecot"} <= set(words_of("relay"))


# 002: relays in the configuration


def test_002_01_relays_may_stand_last(check):
    assert not check()


def test_002_02_their_names_are_free(check):
    assert not check(relay="relay any-Name_7 { type static; host 127.0.0.1 }")


def test_002_03_each_has_a_type(check):
    assert "type" in check(relay="relay out { host 127.0.0.1 }")
    assert "carrier" in check(relay="relay out { type carrier }")


def test_002_05_mx_by_dns_static_to_one_host(hub):
    hub.send("a@mx.example")
    hub.send("a@static.example")
    assert hub.first.wait() and hub.hop.wait()


@pytest.mark.parametrize("kind", ["mx", "static"])
def test_002_06_connect_timeout(kind):
    assert option("relay", "connect_timeout", kind)["default"] == "30s"


@pytest.mark.parametrize("kind", ["mx", "static"])
def test_002_07_command_timeout(kind):
    assert option("relay", "command_timeout", kind)["default"] == "30s"


@pytest.mark.parametrize("kind", ["mx", "static"])
def test_002_08_data_timeout(kind):
    """That of the text is 60 s.  The last answer has 10 minutes of its own, as
    RFC 5321 wants it, for giving up there makes a second copy."""
    assert option("relay", "data_timeout", kind)["default"] == "60s"
    assert option("relay", "data_done_timeout", kind)["default"] == "10m"


@pytest.mark.parametrize("kind", ["mx", "static"])
def test_002_09_idle_timeout(kind):
    assert option("relay", "idle_timeout", kind)["default"] == "10s"


@pytest.mark.parametrize("kind", ["mx", "static"])
def test_002_10_concurrent_connections(kind):
    assert option("relay", "concurrent_connections", kind)["default"] == "5"


def test_002_11_ehlo_as_is_a_name(check):
    for name in ("192.0.2.1", "localhost", "localhost.localdomain"):
        assert "ehlo_as" in check(relay="relay out { type static; host "
                                  "127.0.0.1; ehlo_as %s }" % name), name
    assert option("relay", "ehlo_as", "mx")["without"]


def test_002_12_tls_is_a_block(check):
    """TLS is taken where it is offered, even without it."""
    assert not check(relay="relay out { type static; host 127.0.0.1; "
                     "tls { security verified } }")
    assert option("tls", "security", "mx")["default"] == "opportunistic"


def test_002_13_static_needs_a_host(check):
    assert "host" in check(relay="relay out { type static }")


def test_002_14_static_has_a_port():
    assert option("relay", "port", "static")["default"] == "25"


def test_002_15_lmtp_is_at_localhost():
    assert option("relay", "host", "lmtp")["default"] == "localhost"
    assert option("relay", "port", "lmtp")["default"] == "24"


def test_002_16_pipe_gives_the_message_on_standard_input(hub):
    hub.send("a@pipe.example")
    assert hub.told().endswith("\n\nHello.\n")


def test_002_17_args_have_macros(hub):
    name = hub.send("a@pipe.example")
    told = hub.told().split("\n")
    assert told[:2] == ["ann@here.example", "a@pipe.example"]
    assert name in told[2]


def test_002_18_error_pattern_finds_the_words(hub):
    name = hub.send("why@pipe.example", sender="")
    line = hub.p.wait_log(event="failed", id=name)
    assert line["reply"] == "5.2.1 no room here"


def test_002_19_maildrop_has_a_path(hub):
    assert "PATH" in option("relay", "path", "maildrop")["without"]
    assert hub.outcome("delivered", "a@drop.example")["relay"] == "drop"


def test_002_20_dovecot_has_a_path(hub):
    assert "PATH" in option("relay", "path", "dovecot")["without"]
    name = hub.send("a@lda.example")
    assert hub.p.wait_log(event="delivered", id=name)["relay"] == "lda"
    assert hub.told().startswith("-f\nann@here.example\n-d\na@lda.example\n")


def test_002_21_status_and_headers_decide(hub):
    assert hub.outcome("delivered", "a@web.example")["relay"] == "web"
    hub.web.end = lambda r: webs.answer(400, "Bad Request")
    hub.outcome("failed", "a@web.example")


def test_002_22_http_has_a_url(check):
    """Its scheme counts, unless the tls block says otherwise."""
    assert option("relay", "url", "http")["needed"]
    assert "url" in check(relay="relay out { type http }")


def test_002_23_http_ehlo_as():
    assert option("relay", "ehlo_as", "http")["without"].startswith(
        "the hostname")


def test_002_24_http_timeout():
    assert option("relay", "timeout", "http")["default"] == "60s"


def test_002_25_http_idle_timeout(hub):
    """Connections are kept for ten seconds unless it is said otherwise."""
    assert option("relay", "idle_timeout", "http")["default"] == "10s"
    name = hub.send("a@web.example")
    hub.p.wait_log(event="delivered", id=name)
    hub.send("b@web.example")
    first, second = hub.web.wait(2)
    assert first.number == second.number


def test_002_26_http_tls(check):
    for more in ("", "; tls { security required }"):
        assert not check(relay="relay out { type http; url "
                         "https://127.0.0.1/m%s }" % more)


def test_002_27_blackhole_delivers_nothing_anywhere(hub):
    assert hub.outcome("delivered", "a@hole.example")["relay"] == "hole"
    assert not any(s.messages for s in hub.sinks)


# 003: edges


def test_003_01_it_is_called_an_edge(hub):
    assert hub.p.pid("edge", "in")


def test_003_02_it_makes_an_envelope(hub):
    hub.send("a@static.example", "b@static.example")
    got = hub.hop.wait()[0]
    assert (got.sender, got.rcpts) == ("ann@here.example", [
        "a@static.example", "b@static.example"])


def test_003_03_and_asks_a_queue(check):
    assert "nobody" in check(edge="queue nobody")


def test_003_04_the_answer_means_that_the_queue_has_it(hub):
    hub.hop.answer = lambda verb, line, session: "450 4.2.1 Wait" \
        if verb == "MAIL" else None
    name = hub.send("a@static.example", sender="")
    assert hub.p.wait_log(event="deferred", id=name)
    listed = run(["posternctl", "-f", hub.p.path, "--json", "queue", "list",
                  name])
    assert listed.lines[0]["id"] == name


def test_003_05_an_edge_may_be_a_proxy(hub):
    hub.hop.answer = lambda verb, line, session: "250 2.0.0 as 4711" \
        if verb == "END" else None
    with Client(hub.through) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT)
        assert c.say(".") == "250 2.0.0 as 4711"


def test_003_06_smtp_as_in_rfc_5321(hub):
    with smtplib.SMTP("127.0.0.1", hub.port) as c:
        assert c.sendmail("ann@here.example", ["a@static.example"], TEXT) == {}
        assert c.noop()[0] == 250 and c.rset()[0] == 250
        assert c.verify("ann")[0] == 252


def test_003_07_and_19_banner(hub):
    with Client(hub.port) as c:
        assert c.greeting == "220 mx.test.example ESMTP Mail Gateway"


def test_003_08_ehlo(hub):
    with Client(hub.port) as c:
        said = c.hello("client.example").split("\n")
    assert said[0] == "250-mx.test.example Hello client.example"
    assert {"8BITMIME", "PIPELINING", "STARTTLS", "ENHANCEDSTATUSCODES"} <= {
        l[4:] for l in said[1:]}


def test_003_09_to_13_the_dialogue(hub):
    with Client(hub.port) as c:
        c.hello()
        assert c.say("MAIL FROM:<a@here.example>") == \
            "250 2.1.0 <a@here.example> Ok"


def test_003_10_rcpt(hub):
    with Client(hub.port) as c:
        c.hello()
        c.want("MAIL FROM:<a@here.example>", 250)
        assert c.say("RCPT TO:<b@hole.example>") == \
            "250 2.1.5 <b@hole.example> Ok"


def test_003_11_data(hub):
    with Client(hub.port) as c:
        c.hello()
        c.want("MAIL FROM:<a@here.example>", 250)
        c.want("RCPT TO:<b@hole.example>", 250)
        assert c.say("DATA") == \
            "354 Start mail input; end with <CRLF>.<CRLF>"


def test_003_12_end_of_data(hub):
    with Client(hub.port) as c:
        c.hello()
        c.begin("a@here.example", "b@hole.example")
        c.write(TEXT)
        assert QUEUED.match(c.say("."))


def test_003_13_quit(hub):
    with Client(hub.port) as c:
        assert c.say("QUIT") == "221 2.0.0 Bye"


@pytest.mark.parametrize("command, line", [
    ("ehlo", "EHLO no.ehlo"), ("helo", "HELO no.helo"),
    ("mail", "MAIL FROM:<a@here.example>"),
    ("rcpt", "RCPT TO:<b@hole.example>"), ("data", "DATA"),
    ("rset", "RSET")])
def test_003_14_every_command_may_be_refused(hub, command, line):
    before = ["MAIL FROM:<a@here.example>", "RCPT TO:<b@hole.example>"]
    with Client(hub.lua) as c:
        if command not in ("ehlo", "helo"):
            c.hello("no." + command)
        for each in before[:{"rcpt": 1, "data": 2}.get(command, 0)]:
            c.want(each, 250)
        assert c.say(line).startswith("550 5.7.99 ")


def test_003_15_clients_are_refused_by_their_address(hub):
    with Client(hub.free, source="127.0.0.66") as c:
        assert c.greeting.startswith("554 5.7.1 ")


def test_003_16_the_socket(hub):
    assert option("listener", "port", "smtp")["without"].startswith("25")
    with Client(hub.port), Client(hub.port):
        pass


def test_003_17_an_edge_has_listeners_and_a_queue(check):
    assert not check(edge="listener { interface 127.0.0.2; port 2525 }; "
                     "queue main")


def test_003_18_the_banners_code_and_text(hub):
    with Client(hub.lua) as c:
        assert c.greeting == "220 mx.test.example ESMTP Mail Gateway by Lua"


def test_003_19_the_banner_begins_with_the_name_and_esmtp():
    assert option("edge", "banner", "smtp")["without"].startswith(
        "{fqdn} ESMTP")


def test_003_20_the_largest_message(hub):
    with Client(hub.port) as c:
        assert "SIZE 78643200" in c.hello()
        assert c.say("MAIL FROM:<a@here.example> SIZE=78643201").startswith(
            "552 5.3.4 ")


def test_003_21_silence_ends_a_session(server, sink):
    p = server
    p.port = free_port()
    p.configure("""
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port %d }; timeout 1s }
queue main { type lmdb; path run/queue }
relay out { type static; host 127.0.0.1; port %d }
""" % (p.port, sink.port))
    p.start()
    with Client(p.port) as c:
        assert c.reply().startswith("421 4.4.2 ")
        assert c.at_end()


def test_003_22_tls_both_ways(hub):
    with hub.secure(hub.port) as a, hub.secure(hub.smtps, False) as b:
        assert a.sock.version() and b.sock.version()


def test_003_23_certificate_and_key_may_be_one_file(check, server):
    make_certificate(server.room.work, "mx.test.example")
    work = server.room.work
    with open(work + "/mx.key", encoding="ascii") as k, open(
            work + "/mx.pem", "a", encoding="ascii") as f:
        f.write(k.read())
    os.chmod(work + "/mx.pem", 0o600)
    assert not check(edge="tls { certfile mx.pem; keyfile mx.pem }")


def test_003_24_starttls_is_offered(hub):
    with Client(hub.port) as c:
        assert "STARTTLS" in c.hello()


def test_003_25_or_the_session_begins_with_it(hub):
    with hub.secure(hub.smtps, False) as c:
        assert c.greeting.startswith("220 ")
        assert "STARTTLS" not in c.hello()


def test_003_26_immediate_tls_is_not_for_port_25(check, server):
    make_certificate(server.room.work, "mx.test.example")
    said = check(edge="type smtp", top="""
edge bad { type smtp; tls_immediately yes
    listener { interface 127.0.0.1; port 25 }
    tls { certfile mx.pem; keyfile mx.key } }""")
    assert "465" in page("postern.conf.5") and said


def test_003_27_login_by_auth(hub):
    with hub.secure(hub.msa) as c:
        assert c.say("AUTH PLAIN " + PLAIN) == \
            "235 2.7.0 Authentication successful"


def test_003_28_auth_is_offered_where_somebody_may_log_in(hub):
    with hub.secure(hub.msa) as c, hub.secure(hub.port) as other:
        assert "AUTH " in c.hello() and "AUTH " not in other.hello()


def test_003_30_the_secret_of_a_login_is_looked_up(hub):
    with hub.secure(hub.msa) as c:
        assert c.say("AUTH PLAIN AG5vYm9keQBub3BhcyE=").startswith(
            "535 5.7.8 ")


def test_003_31_validators_change_the_reply(hub):
    with Client(hub.lua) as c:
        c.hello("no.mail")
        c.want("MAIL FROM:<a@here.example>", 550)
    with Client(hub.lua) as c:
        c.hello("yes.mail")
        c.want("MAIL FROM:<a@here.example>", 250)


def test_003_33_they_see_the_session(hub):
    with Client(hub.lua) as c:
        c.hello("no.mail")
        assert c.say("MAIL FROM:<a@here.example>").endswith(
            " false 127.0.0.1 none no.mail")


def test_003_34_they_set_three_things(hub):
    with Client(hub.lua) as c:
        c.hello("no.mail")
        assert c.say("MAIL FROM:<a@here.example>").startswith(
            "550 5.7.99 <a@here.example> ")


def test_003_35_they_are_passed_the_argument(hub):
    with Client(hub.lua) as c:
        assert "<no.ehlo>" in c.say("EHLO no.ehlo")
    with Client(hub.lua) as c:
        c.hello("no.rcpt")
        c.want("MAIL FROM:<a@here.example>", 250)
        assert "<b@hole.example>" in c.say("RCPT TO:<b@hole.example>")


def test_003_36_with_immediate_tls_that_reply_is_ignored(hub):
    with Client(hub.lua) as c:
        c.hello()
        assert c.say("STARTTLS").startswith("454 ")
    with hub.secure(hub.luas, False) as c:
        assert c.greeting.startswith("220 ")


def test_003_32_mail_only_with_login_and_tls(hub):
    """With the words that RFC 3207 and RFC 4954 have for it."""
    with Client(hub.msa) as c:
        c.hello()
        assert c.say("MAIL FROM:<a@here.example>").startswith("530 5.7.0 ")
    with hub.secure(hub.msa) as c:
        assert c.say("MAIL FROM:<a@here.example>").startswith("530 5.7.0 ")
        c.want("AUTH PLAIN " + PLAIN, 235)
        c.want("MAIL FROM:<ann@here.example>", 250)


def posted(hub):
    return raw(hub.post, SEED.replace("client.example.com\r\nX-Recipient",
                                      "hole.example\r\nX-Recipient"))


def test_003_37_the_envelope_is_in_headers(hub):
    raw(hub.post, SEED.replace("1@client.example.com\r", "1@static.example\r")
        .replace("2@client.example.com\r", "2@static.example\r"))
    got = hub.hop.wait()[0]
    assert got.sender == "sender@client.example.com"
    assert got.rcpts == ["recipient1@static.example",
                         "recipient2@static.example"]
    assert "from client.example.com" in got.header("Received")[0]


def test_003_38_encryption_and_login_can_be_had(check, server):
    """The old edge had neither."""
    make_certificate(server.room.work, "mx.test.example")
    make_users(server.room.work)
    assert not check(top="""
edge web { type http; listener { interface 127.0.0.1; port 8025 }
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; lookup_credentials staff } }
users staff { type file; path users }""")


def test_003_39_its_port_is_8025():
    assert "8025" in option("listener", "port", "http")["without"]


def test_003_40_the_request_of_the_manual_is_taken(hub):
    assert posted(hub).startswith("HTTP/1.0 200 ")


def test_003_41_the_answer_has_the_id(hub):
    head, body = posted(hub).split("\r\n\r\n")
    assert re.match("HTTP/1.0 200 Message queued as %s\r\n" % body, head)
    assert "Content-Length: 36" in head and len(body) == 36


def test_003_42_many_at_once(hub):
    clients = [Client(hub.port) for _ in range(40)]
    for i, c in enumerate(clients):
        c.hello()
        c.begin("ann@here.example", "a%d@hole.example" % i)
    for c in clients:
        c.write(TEXT)
        assert QUEUED.match(c.say("."))
        c.close()


def test_003_43_other_edges_are_types_of_their_own():
    """ZeroMQ is none of them; what is added is a row of kinds.def."""
    assert {"smtp", "lmtp", "drop"} <= set(words_of("edge"))


# 004: the submission server


def test_004_01_edge_queue_and_relay_name_each_other(check):
    assert not check(edge="queue main", queue="relay out")


def test_004_02_mx_with_a_certificate_of_ours(check, server):
    make_certificate(server.room.work, "mx.test.example")
    assert not check(relay="relay out { type mx; tls { certfile mx.pem; "
                     "keyfile mx.key } }")


def test_004_03_its_timeouts(check):
    assert not check(relay="relay out { type mx; connect_timeout 20s; "
                     "command_timeout 10s; data_timeout 20s; idle_timeout "
                     "30s }")


def test_004_04_tls_where_offered_and_slow_is_later(start, sinks):
    stopped = threading.Event()
    slow = sinks(answer=lambda verb, line, session: stopped.wait(PATIENCE)
                 and None if verb == "MAIL" else None)
    p = start(slow.port, relay="command_timeout 1s",
              queue="retry { maximum 0 }")
    with Client(p.port) as c:
        c.hello()
        name = c.mail("", "bob@there.example")
    assert p.wait_log(event="failed", id=name)["code"].startswith("4")
    stopped.set()


def test_004_05_the_simplest_store_is_memory():
    assert "memory" in words_of("queue")


def test_004_06_a_queue_has_a_store_and_a_relay(check):
    assert not check(queue="relay out")


def test_004_07_date_message_id_and_received(hub):
    hub.send("a@static.example", text="Subject: x\r\n\r\n")
    got = hub.hop.wait()[0]
    names = [l.split(":")[0] for l in re.sub(
        r"\r\n[ \t]+", " ", got.text).split("\r\n") if ":" in l]
    assert names[0] == "Received"
    assert {"Date", "Message-ID"} <= set(names)


def test_004_08_policies_stand_in_the_queue(check):
    assert not check(queue="policies { add_date_header yes }")


def test_004_09_each_recipient_goes_to_his_own_domain(hub):
    hub.send("a@mx.example", "b@forced.example")
    assert hub.first.wait()[0].rcpts == ["a@mx.example"]
    assert hub.second.wait()[0].rcpts == ["b@forced.example"]


def test_004_10_forward_is_there_and_scanning_elsewhere():
    """A submission server scans nothing by itself."""
    rows = run(["posternctl", "--json", "options", "policies"]).lines
    assert "forward" in {r["option"] for r in rows}


def test_004_11_by_smtp_by_http_or_from_files(hub):
    assert {"smtp", "http", "drop"} <= set(words_of("edge"))
    assert " 200 " in posted(hub)


def test_004_12_ports_587_and_465(check, server):
    make_certificate(server.room.work, "mx.test.example")
    make_users(server.room.work)
    assert not check(top="""
edge submission { type smtp; listener { interface 127.0.0.1; port 587 }
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; lookup_credentials staff } }
edge submissions { type smtp; listener { interface 127.0.0.1; port 465 }
    tls_immediately yes; tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; lookup_credentials staff } }
users staff { type file; path users }""")


def test_004_13_an_empty_interface_is_all_addresses(check):
    assert not check(edge="rules { only_recipients @here.example }; "
                     'listener { interface ""; port 2526 }')


def test_004_14_an_open_relay_is_an_error(check):
    said = check(edge='listener { interface ""; port 2526 }',
                 relay="relay out { type mx }")
    assert "open relay" in said or "anybody" in said


def test_004_15_a_password_is_verified(hub):
    with hub.secure(hub.smtps, False) as c:
        c.hello()
        c.want("AUTH PLAIN " + PLAIN, 235)


def test_004_17_auth_does_not_require_a_login(hub):
    with hub.secure(hub.free) as c:
        assert "AUTH " in c.hello()
        c.want("MAIL FROM:<a@here.example>", 250)


def test_004_18_mail_without_a_login(hub):
    """It is 530 5.7.0, which tells a client that a login would help (RFC 4954,
    section 6); 550 5.7.1 tells it nothing."""
    with hub.secure(hub.msa) as c:
        assert c.say("MAIL FROM:<a@here.example>").startswith("530 5.7.0 ")


def test_004_19_until_a_login_mail_is_refused(hub):
    with hub.secure(hub.msa) as c:
        c.want("MAIL FROM:<ann@here.example>", 5)
        c.want("RCPT TO:<a@hole.example>", 503)
        c.want("AUTH PLAIN " + PLAIN, 235)
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<a@hole.example>", 250)


def test_004_20_two_edges_at_once(hub):
    with hub.secure(hub.msa) as a, hub.secure(hub.smtps, False) as b:
        a.want("AUTH PLAIN " + PLAIN, 235)
        b.hello()
        b.want("AUTH PLAIN " + PLAIN, 235)


def test_004_21_no_daemon_is_made(hub):
    """The service manager starts it in the foreground and has its log from
    standard error; nothing reads from our standard input."""
    assert hub.p.process.poll() is None
    for pid in (hub.p.process.pid, hub.p.pid("edge", "in")):
        assert os.readlink("/proc/%d/fd/2" % pid) == hub.p.log
        assert os.readlink("/proc/%d/fd/0" % pid) == "/dev/null"


def test_004_22_rights_are_given_up(hub):
    """Each process but master locks itself in for good, as root or not; which
    users they become as root is test_root's to show."""
    for block in ("edge", "in"), ("queue", "main"), ("relay", "world"):
        with open("/proc/%d/status" % hub.p.pid(*block),
                  encoding="ascii") as f:
            status = dict(re.findall(r"(\w+):\t(\w+)", f.read()))
        assert status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0
        assert status["Seccomp"] == ("0" if SANITIZED else "2")


def test_004_23_the_ports_are_open_before_anything_says_ready(hub):
    """Master binds and passes the sockets on; nothing sleeps for it."""
    assert hub.p.find_log(event="ready", by=hub.p.process.pid)
    with socket.create_connection(("127.0.0.1", hub.port)):
        pass


def test_004_24_an_interrupt_ends_it_cleanly(start, sink):
    p = start(sink.port)
    p.signal(signal.SIGINT)
    assert p.process.wait(60) == 0
    p.process = None


def test_the_page_for_users_of_slimta_names_what_there_is():
    """Each name of ours in it is a block or an option."""
    rows = [json.loads(l) for l in run(
        ["posternctl", "--json", "options"]).out.splitlines()]
    ours = {r[k] for r in rows for k in ("block", "within", "option")
            if k in r}
    with open(os.path.join(TOP, "man/postern-slimta.7"),
              encoding="utf-8") as f:
        named = re.findall(r"^\.Ic (\S+)", f.read(), re.M)
    assert named and set(named) <= ours, set(named) - ours
