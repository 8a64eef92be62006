"""Routes: which relay a recipient is for, and who is refused at RCPT."""

import os
import signal
import subprocess

import pytest

from client import TEXT, Client, send
from server import NOBODY, free_port, until
from tool import ctl, sendmail

# What the sanitizers would see of it, unit tests show them.
pytestmark = pytest.mark.heavy

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    queue main
}
queue main {
    type lmdb
    path run/queue
    %(queue)s
}
relay out { type static; host 127.0.0.1; port %(out)d }
relay box { type static; host 127.0.0.1; port %(box)d; %(box_more)s }
"""

ROUTES = """
    route to @example.org @.example.org relay box
    route to team@example.com relay box
"""


def waiting(p):
    return [m["id"] for m in ctl(p, "queue", "list", "--json").lines]


class House:
    def __init__(self, server, sinks):
        self.server = server
        self.out, self.box = sinks(), sinks()
        server.port = free_port()

    def configure(self, queue, box_more=""):
        self.server.configure(CONF % {
            "port": self.server.port, "queue": queue, "box_more": box_more,
            "out": self.out.port, "box": self.box.port})

    def start(self, queue, box_more=""):
        self.configure(queue, box_more)
        self.server.start()
        return self.server

    def rcpt(self, address):
        with Client(self.server.port) as c:
            c.hello()
            c.want("MAIL FROM:<ann@here.example>", 250)
            return c.say("RCPT TO:<%s>" % address)


@pytest.fixture
def house(server, sinks):
    return House(server, sinks)


def test_each_recipient_goes_to_the_relay_of_its_route(house):
    p = house.start(ROUTES + "relay out")
    send(p.port, "ann@here.example", "bob@Example.ORG", "x@a.b.example.org",
         "team@example.com", "other@example.com", "y@far.example")
    box, out = house.box.wait()[0], house.out.wait()[0]
    assert sorted(box.rcpts) == ["bob@Example.ORG", "team@example.com",
                                 "x@a.b.example.org"]
    assert sorted(out.rcpts) == ["other@example.com", "y@far.example"]
    assert len(house.box.quiet()) == len(house.out.quiet()) == 1


def test_where_no_route_leads_rcpt_is_refused(house):
    house.start(ROUTES)
    assert house.rcpt("bob@example.org").startswith("250 ")
    assert house.rcpt("postmaster@example.com").startswith("250 ")
    assert house.rcpt("other@example.com").startswith("550 5.1.2 ")
    assert house.rcpt("x@far.example").startswith("550 5.1.2 ")


def test_swaks_hears_at_once_that_nobody_is_there(house):
    p = house.start(ROUTES + "relay out",
                    "recipients ann@example.org @sub.example.org")
    got = subprocess.run(
        ["swaks", "--server", "127.0.0.1:%d" % p.port, "--from",
         "eve@here.example", "--to", "nobody@example.org", "--helo", "x"],
        capture_output=True, text=True, check=False, timeout=60)
    assert got.returncode == 24, got.stdout       # no recipient was taken
    assert "<** 550 5.1.1 " in got.stdout, got.stdout
    assert house.rcpt("ANN@example.org").startswith("250 ")
    assert house.rcpt("any@SUB.example.org").startswith("250 ")
    assert house.rcpt("postmaster@example.org").startswith("250 ")
    assert house.rcpt("any@other.example.org").startswith("550 5.1.1 ")
    assert house.rcpt("any@far.example").startswith("250 ")
    send(p.port, "ann@here.example", "ann@example.org")
    house.box.wait()
    assert not p.find_log(event="bounced")
    assert not house.out.quiet()


def test_a_reload_changes_who_is_known(house):
    p = house.start("relay box", "recipients ann@example.org")
    assert house.rcpt("ann@example.org").startswith("250 ")
    assert house.rcpt("bob@example.org").startswith("550 5.1.1 ")
    house.configure("relay box", "recipients bob@example.org")
    p.signal(signal.SIGHUP)
    until(lambda: house.rcpt("bob@example.org").startswith("250 "))
    assert house.rcpt("ann@example.org").startswith("550 5.1.1 ")
    house.configure("relay box")
    p.signal(signal.SIGHUP)
    until(lambda: house.rcpt("any@far.example").startswith("250 "))


def test_thousands_of_recipients_come_from_a_file(house, room):
    path = room.work + "/recipients"
    with open(path, "w", encoding="utf-8") as f:
        f.write("# all of them\n")
        f.writelines("user%d@example.org\n" % i for i in range(50000))
    p = house.start("relay box", "recipients %s" % path)
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        for i in range(0, 50000, 2500):
            c.want("RCPT TO:<USER%d@example.org>" % i, 250)
            c.want("RCPT TO:<xuser%d@example.org>" % i, 550)
        c.want("DATA", 354)
        c.write(TEXT)
        c.queued(c.say("."))
    assert len(house.box.wait()[0].rcpts) == 20


def test_a_route_may_name_a_relay_that_was_there_unused(house):
    """Neither the queue nor the relay is started for it: they are linked."""
    p = house.start("relay out")
    send(p.port, "ann@here.example", "bob@example.org")
    assert house.out.wait()
    pids = p.pids("out") + p.pids("box") + p.pids("main")
    house.configure("route to @example.org relay box; relay out")
    p.signal(signal.SIGHUP)
    p.wait_log(event="reloaded")
    send(p.port, "ann@here.example", "bob@example.org")
    assert house.box.wait()[0].rcpts == ["bob@example.org"]
    assert pids == p.pids("out") + p.pids("box") + p.pids("main")


def test_policies_split_a_message(house):
    p = house.start("relay out; policies { recipient_domain_split yes }")
    send(p.port, "ann@here.example", "a@one.example", "b@two.example",
         "c@ONE.example")
    got = sorted(sorted(m.rcpts) for m in house.out.wait(2))
    assert got == [["a@one.example", "c@ONE.example"], ["b@two.example"]]
    house.configure("relay out; policies { recipient_split yes }")
    p.signal(signal.SIGHUP)
    until(lambda: p.find_log(event="reloaded"))
    house.out.messages.clear()
    send(p.port, "ann@here.example", "a@one.example", "c@one.example")
    got = sorted(m.rcpts for m in house.out.wait(2))
    assert got == [["a@one.example"], ["c@one.example"]]


def test_a_bounce_takes_the_route_of_its_recipient(house):
    p = house.start(ROUTES + "relay out")
    house.out.answer = lambda verb, line, session: (
        "550 5.1.1 Unknown" if verb == "RCPT" else None)
    send(p.port, "ann@example.org", "bob@far.example")
    got = house.box.wait()[0]
    assert got.sender == "" and got.rcpts == ["ann@example.org"]


def test_a_sender_whom_no_bounce_could_reach_is_told_at_once(house):
    """swaks hears it; whoever is to send all the same has a route."""
    p = house.start("""
        route to noreply@example.org discard
        route to @example.org relay box
        route to @old.example error "5.1.6 We have moved"
        relay out""", "recipients ann@example.org")

    def swaks(sender, *more):
        return subprocess.run(
            ["swaks", "--server", "127.0.0.1:%d" % p.port, "--from", sender,
             "--to", "x@far.example", "--helo", "x", *more],
            capture_output=True, text=True, check=False, timeout=60)
    got = swaks("eve@example.org")
    assert got.returncode == 24, got.stdout
    assert "<** 550 5.1.8 No bounce could reach the sender: No such " \
        "recipient at example.org" in got.stdout, got.stdout
    got = swaks("eve@old.example")
    assert "<** 550 5.1.8 " in got.stdout and "We have moved" in got.stdout
    for sender in ("ann@example.org", "noreply@example.org", "<>",
                   "eve@foreign.example"):
        assert swaks(sender).returncode == 0, sender
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<eve@example.org>", 250)
        c.want("RCPT TO:<x@far.example> NOTIFY=NEVER", 250)
        c.want("RCPT TO:<y@far.example> NOTIFY=SUCCESS,FAILURE", 550)
    assert len(house.out.wait(4)) == 4
    refused = p.wait_log(event="refused", code=550, **{"from":
                                                       "eve@example.org"})
    assert "No bounce could reach" in refused["reply"]


def test_a_bounce_to_who_has_left_is_let_go_and_told(house):
    """Neither kept for ever nor sent where he is not known."""
    p = house.start("relay box; retry { delay 1; maximum_delay 1s }",
                    "recipients bob@example.org eve@example.org")
    house.box.answer = lambda verb, line, session: (
        "450 4.2.0 Not now" if verb == "RCPT" else None)
    name = send(p.port, "eve@example.org", "bob@example.org")
    p.wait_log(event="deferred", id=name)
    house.configure("relay box; retry { delay 1; maximum_delay 1s }",
                    "recipients bob@example.org")
    p.signal(signal.SIGHUP)
    until(lambda: house.rcpt("eve@example.org").startswith("550 "))
    house.box.answer = lambda verb, line, session: (
        "550 5.7.1 Not today" if verb == "RCPT" else None)
    why = p.wait_log(event="discarded", id=name)["why"]
    assert "does not know that address" in why
    p.wait_log(event="removed", id=name)
    assert not p.find_log(event="bounced") and house.out.messages == []


def test_a_recipient_forgotten_between_rcpt_and_data_is_refused(house):
    """A 250 to RCPT that holds no more is taken back before it counts."""
    p = house.start("relay box", "recipients ann@example.org")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<eve@far.example>", 250)
        c.want("RCPT TO:<ann@example.org>", 250)
        house.configure("relay box", "recipients bob@example.org")
        p.signal(signal.SIGHUP)
        until(lambda: house.rcpt("bob@example.org").startswith("250 "))
        c.want("DATA", 354)
        c.write(TEXT)
        assert c.say(".").startswith("451 4.3.0 ")
        c.want("MAIL FROM:<eve@far.example>", 250)
        c.want("RCPT TO:<ann@example.org>", 550)
        c.want("RCPT TO:<bob@example.org>", 250)
    assert not p.find_log(event="queued")


HOUR = '; retry { delay "3600"; maximum_delay 1h }'


def without_box(p):
    """The configuration as it is, but for the relay `box' and its routes."""
    conf = open(p.path, encoding="utf-8").read()
    return conf[:conf.index("relay box {")].replace(ROUTES, "")


def test_mail_goes_by_todays_routes_when_its_relay_is_gone(house):
    """At once, and not when its next attempt is due."""
    p = house.start(ROUTES + "relay out" + HOUR)
    house.box.close()
    name = send(p.port, "ann@here.example", "bob@example.org",
                "team@example.com")
    p.wait_log(event="deferred", id=name, relay="box")
    p.configure(without_box(p))
    p.signal(signal.SIGHUP)
    got = house.out.wait()[0]
    assert sorted(got.rcpts) == ["bob@example.org", "team@example.com"]
    line = p.wait_log(event="rerouted", id=name)
    assert (line["relay"], line["of"]) == ("out", "box")
    p.wait_log(event="removed", id=name)
    assert len(house.out.quiet(0.5)) == 1


def test_mail_goes_by_the_routes_of_the_next_start(house):
    p = house.start(ROUTES + "relay out" + HOUR)
    house.box.close()
    name = send(p.port, "ann@here.example", "bob@example.org")
    p.wait_log(event="deferred", id=name, relay="box")
    p.stop()
    p.configure(without_box(p))
    p.start()
    assert house.out.wait()[0].id == name


def test_each_attempt_looks_at_the_routes(house, sinks):
    """The relay is still there; a delivery becomes as many as it must."""
    third = sinks()
    p = house.start("route to @a.example @b.example @c.example relay box\n"
                    "relay out; " + HOUR[2:])
    house.box.answer = lambda verb, line, session: (
        "451 4.2.0 Not now" if verb == "RCPT" else None)
    name = send(p.port, "ann@here.example", "x@a.example", "y@b.example",
                "z@c.example", "z@a.example")
    for _ in range(4):
        p.wait_log(event="deferred", id=name)
    conf = open(p.path, encoding="utf-8").read().replace(
        "route to @a.example @b.example @c.example relay box",
        "route to @b.example relay third; route to @c.example relay box")
    p.configure(conf + "relay third { type static; host 127.0.0.1; port %d }"
                % third.port)
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded")
    assert house.out.messages == [] and third.messages == []
    house.box.answer = lambda verb, line, session: None
    assert ctl(p, "queue", "flush", name).status == 0
    assert sorted(house.out.wait()[0].rcpts) == ["x@a.example",
                                                 "z@a.example"]
    assert third.wait()[0].rcpts == ["y@b.example"]
    assert house.box.wait()[0].rcpts == ["z@c.example"]
    p.wait_log(event="removed", id=name)
    assert [len(s.quiet(0.3)) for s in (house.out, third, house.box)] == [
        1, 1, 1]


def test_what_is_queued_is_refused_and_discarded_by_route_too(house):
    p = house.start(ROUTES + "relay out; route to @z.example relay box"
                    + HOUR)
    house.box.answer = lambda verb, line, session: (
        "451 4.2.0 Not now" if verb == "RCPT" else None)
    name = send(p.port, "ann@here.example", "old@example.org",
                "trap@example.org", "bob@example.org")
    for _ in range(3):
        p.wait_log(event="deferred", id=name)
    conf = open(p.path, encoding="utf-8").read()
    p.configure(conf.replace(
        ROUTES, 'route to old@example.org error "5.1.6 Moved to the moon"\n'
        "route to trap@example.org discard\n"))
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded")
    assert ctl(p, "queue", "flush", name).status == 0
    house.box.answer = lambda verb, line, session: None
    line = p.wait_log(event="failed", id=name)
    assert (line["rcpt"], line["reply"]) == ("old@example.org",
                                             "5.1.6 Moved to the moon")
    assert p.wait_log(event="discarded", id=name)["rcpt"] == "trap@example.org"
    got = house.out.wait(2)
    assert [m.rcpts for m in got if m.sender] == [["bob@example.org"]]
    bounce = [m for m in got if not m.sender][0]
    assert bounce.rcpts == ["ann@here.example"]
    assert "5.1.6 Moved to the moon" in bounce.text
    assert "trap@" not in bounce.text
    p.wait_log(event="removed", id=name)


@pytest.mark.parametrize("stays", [True, False])
def test_whom_a_route_puts_off_holds_up_no_neighbour(house, stays):
    """They were one delivery; whether the others' way is a new one or not."""
    p = house.start(ROUTES + "relay out" + HOUR)
    house.box.answer = lambda verb, line, session: (
        "451 4.2.0 Not now" if verb == "RCPT" else None)
    name = send(p.port, "ann@here.example", "old@example.org",
                "bob@example.org", "eve@example.org")
    for _ in range(3):
        p.wait_log(event="deferred", id=name)
    conf = open(p.path, encoding="utf-8").read()
    p.configure(conf.replace(
        ROUTES, 'route to old@example.org error "4.3.5 Not today"\n'
        + (ROUTES if stays else "")))
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded")
    house.box.answer = lambda verb, line, session: None
    assert ctl(p, "queue", "flush", name).status == 0
    got = (house.box if stays else house.out).wait()
    assert [sorted(m.rcpts) for m in got] == [
        ["bob@example.org", "eve@example.org"]]
    p.wait_log(since=since, event="deferred", id=name, rcpt="old@example.org",
               reply="4.3.5 Not today")
    left = ctl(p, "queue", "list", "--json").lines
    assert [r["address"] for r in left[0]["recipients"]
            if r["status"] != "delivered"] == ["old@example.org"]


def test_what_no_route_leads_anywhere_waits_until_one_does(house):
    """Mail behind it, with a way, does not wait for it."""
    p = house.start(ROUTES + "route to @far.example relay out" + HOUR)
    house.box.close()
    stuck = send(p.port, "ann@here.example", "bob@example.org")
    first = p.wait_log(event="deferred", id=stuck, relay="box")
    assert first["tries"] == "1"
    moved = send(p.port, "ann@here.example", "team@example.com")
    p.wait_log(event="deferred", id=moved, relay="box")
    conf = open(p.path, encoding="utf-8").read()
    p.configure(without_box(p).replace(
        "route to @far.example", "route to @far.example @example.com"))
    p.signal(signal.SIGHUP)
    why = p.wait_log(event="trouble", relay="box")["why"]
    assert "no longer configured" in why
    assert house.out.wait()[0].id == moved
    until(lambda: waiting(p) == [stuck], what="only the stuck one")
    p.configure(conf.replace("port %d; " % house.box.port,
                             "port %d; " % house.out.port))
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded")
    assert ctl(p, "queue", "flush", stuck).status == 0
    assert house.out.wait(2)[1].id == stuck


def test_a_route_refuses_with_its_own_words_or_takes_for_nobody(house):
    p = house.start('route to @old.example error "5.1.6 It has moved away"\n'
                    'route to @later.example error "4.3.5 Not yet"\n'
                    "route to trap@example.org discard\n" + ROUTES
                    + "relay out")
    assert house.rcpt("x@Old.example") == "550 5.1.6 It has moved away"
    assert house.rcpt("x@later.example") == "450 4.3.5 Not yet"
    name = send(p.port, "eve@here.example", "trap@example.org")
    line = p.wait_log(event="discarded", id=name)
    assert line["rcpt"] == "trap@example.org" and "route" in line["why"]
    name = send(p.port, "eve@here.example", "bob@example.org",
                "trap@example.org", "ann@example.org", "x@far.example")
    p.wait_log(event="discarded", id=name)
    assert house.box.wait()[0].rcpts == ["bob@example.org", "ann@example.org"]
    assert house.out.wait()[0].rcpts == ["x@far.example"]
    p.wait_log(event="removed", id=name)
    status = ctl(p, "status", "--json").lines
    queue = [l for l in status if l.get("role") == "queue"][0]
    assert queue["counters"]["discarded"] == 2
    assert queue["counters"]["messages"] == 0


def test_a_large_message_for_nobody_leaves_no_text(house):
    p = house.start("route to trap@example.org discard; relay out")
    before = ctl(p, "status", "--json").lines
    name = send(p.port, "eve@here.example", "trap@example.org",
                text="Subject: x\r\n\r\n" + "x" * 70 + "\r\n"
                + ("y" * 76 + "\r\n") * 4000)
    p.wait_log(event="discarded", id=name)
    assert waiting(p) == []
    assert before and not p.find_log(event="queued", id=name)


def test_routes_look_at_the_sender_and_the_login(house):
    """A user on a unix socket has logged in; the order of lines decides."""
    p = house
    p.configure("route from @boss.example relay box\n"
                "route to secret@far.example error \"5.7.1 Not for you\"\n"
                "route login * relay box; relay out")
    conf = open(p.server.path, encoding="utf-8").read()
    p.server.configure(conf + "edge local { type smtp; queue main\n"
                       "listener { path run/sendmail } }\n")
    p.server.start()
    port = p.server.port
    send(port, "ann@boss.example", "secret@far.example")
    assert p.box.wait()[0].rcpts == ["secret@far.example"]
    send(port, "ann@here.example", "x@far.example")
    assert p.out.wait()[0].rcpts == ["x@far.example"]
    got = sendmail(p.server, "-f", "ann@here.example", "y@far.example",
                   stdin="Subject: hi\n\nhello\n")
    assert got.status == 0, got.err
    assert p.box.wait(2)[1].rcpts == ["y@far.example"]
    assert p.rcpt("secret@far.example").startswith("550 5.7.1 Not for you")
    for options, rule, by, relay in (
            (["--from", "x@boss.example"], "@boss.example", "from", "box"),
            (["--login", "zoe"], "*", "login", "box"),
            (["--from", "<>"], "", None, "out")):
        row = ctl(p.server, "route", "y@far.example", "--json",
                  *options).lines[0]
        assert (row["rule"], row.get("by"), row["relay"]) == (rule, by, relay)


def test_patterns_of_a_route_come_from_a_file(house, room):
    path = room.work + "/domains"
    with open(path, "w", encoding="utf-8") as f:
        f.write("# ours\n@example.org\n  team@example.com # one\n")
        f.writelines("@number-%d.of.many.example\n" % i
                     for i in range(36000))
    assert os.path.getsize(path) > 1 << 20
    house.start("route to /%s @example.net relay box; relay out"
                % path.lstrip("/"))
    for rcpt, relay in (("a@example.org", "box"), ("team@example.com", "box"),
                        ("x@example.com", "out"), ("a@example.net", "box"),
                        ("a@number-35999.of.many.example", "box")):
        row = ctl(house.server, "route", rcpt, "--json").lines[0]
        assert row["relay"] == relay, rcpt


def test_a_bounce_to_a_stranger_makes_no_mailbox(house, room):
    """Nobody makes directories of foreign domains by being bounced to."""
    house.server.port = free_port()
    house.server.configure("""
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port %d }; queue main }
queue main { type lmdb; path run/queue; relay box; %%s }
relay box { type maildir; path "%s/mail/{domain}/{user}"
    recipients ann@example.org eve@example.org }
relay out { type static; host 127.0.0.1; port %d }
""" % (house.server.port, room.work, house.out.port) % "")
    os.makedirs(room.work + "/mail/example.org")
    with open(room.work + "/mail/example.org/ann", "w") as f:
        f.write("no directory\n")       # so mail to her fails for good
    os.chmod(room.work + "/mail", 0o777)
    if os.geteuid() == 0:
        for dir, _, files in os.walk(room.work + "/mail"):
            for path in [dir, *(os.path.join(dir, f) for f in files)]:
                os.chown(path, NOBODY, NOBODY)
    conf = open(house.server.path, encoding="utf-8").read().replace(
        "relay box;  }", 'relay box; retry { maximum 0 } }')
    house.server.configure(conf)
    p = house.server.start()
    name = send(p.port, "bob@foreign.example", "ann@example.org")
    why = p.wait_log(event="discarded", id=name)["why"]
    assert "no route to its sender" in why
    name = send(p.port, "eve@example.org", "ann@example.org")
    p.wait_log(event="bounced", of=name)
    until(lambda: os.path.isdir(room.work + "/mail/example.org/eve/new"))
    assert os.listdir(room.work + "/mail") == ["example.org"]
    p.configure(conf.replace("maximum 0 }", "maximum 0 }; bounce_relay out"))
    p.signal(signal.SIGHUP)
    p.wait_log(event="reloaded")
    send(p.port, "bob@foreign.example", "ann@example.org")
    got = house.out.wait()[0]
    assert (got.sender, got.rcpts) == ("", ["bob@foreign.example"])
    row = ctl(p, "route", "bob@foreign.example", "--bounce", "--json").lines
    assert row[0]["relay"] == "out"
    assert os.listdir(room.work + "/mail") == ["example.org"]


def test_posternctl_bounces_moves_and_reroutes(house):
    """Held or waiting, moved mail stays where it was moved to."""
    p = house.start(ROUTES + "relay out" + HOUR)
    house.box.answer = lambda verb, line, session: (
        "451 4.2.0 Not now" if verb == "RCPT" else None)
    ids = [send(p.port, "ann@here.example", "b%d@example.org" % i)
           for i in range(4)]
    for name in ids:
        p.wait_log(event="deferred", id=name)
    assert ctl(p, "queue", "move", ids[0]).status == 2
    got = ctl(p, "queue", "move", ids[0], "--via", "nowhere", "--json")
    assert got.status == 1 and got.lines[0]["status"] == "refused"
    assert ctl(p, "queue", "hold", ids[1]).status == 0
    assert ctl(p, "queue", "move", ids[0], ids[1], "--via", "out").status == 0
    assert house.out.wait()[0].id == ids[0]
    row = ctl(p, "queue", "list", ids[1], "--json").lines[0]["recipients"][0]
    assert (row["relay"], row["status"]) == ("out", "held")
    assert ctl(p, "queue", "reroute", ids[1]).status == 0
    row = ctl(p, "queue", "list", ids[1], "--json").lines[0]["recipients"][0]
    assert (row["relay"], row["status"]) == ("box", "held")
    assert ctl(p, "queue", "bounce", ids[1], ids[2], "--yes", "--text",
               "the list is closed").status == 0
    bounces = [m for m in house.out.wait(3) if not m.sender]
    assert [m.rcpts for m in bounces] == [["ann@here.example"]] * 2
    assert all("administrator: the list is closed" in m.text.replace(
        "\r\n ", " ") for m in bounces)
    until(lambda: waiting(p) == [ids[3]], what="only the last one")
    assert ctl(p, "queue", "bounce", "01020304").status == 1
