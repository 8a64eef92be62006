"""posternctl asks postern-control, which asks queues and master."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess

import pytest

from client import Client, send
from conftest import begin
from server import (NOBODY, OPTIONS, PATIENCE, basic, free_port, programs,
                    until)
from tool import LOCAL, ctl, run

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")

HOSTS = ("a.example", "b.example", "c.example")


@pytest.fixture
def waiting(server, sinks):
    """A postern whose next hop takes nothing for now: mail waits in it."""
    hop = sinks(answer=lambda verb, line, session:
                "451 4.7.1 Later" if verb == "RCPT" else None)
    begin(server, hop.port)
    server.ids = [send(server.port, "ann@here.example", "bob@" + h)
                  for h in HOSTS]
    for name in server.ids:
        server.wait_log(event="deferred", id=name)
    return server


def listed(p, *selection):
    """The messages, as JSON says."""
    got = ctl(p, "queue", "list", "--json", *selection)
    return got.lines


def test_status_shows_every_process_listener_and_queue(waiting):
    p = waiting
    got = ctl(p, "status", "--json")
    assert got.status == 0, got.err
    processes = {(l["role"], l["block"]): l for l in got.lines
                 if l["kind"] == "process"}
    assert set(processes) >= {("edge", "in"), ("queue", "main"),
                              ("relay", "out"), ("resolver", "resolver"),
                              ("control", "control")}
    for row in processes.values():
        assert row["pid"] in p.processes() and row["state"] == "ready"
    assert processes["edge", "in"]["counters"]["taken"] == 3
    assert processes["relay", "out"]["counters"]["deferred"] >= 3
    queue = [l for l in got.lines if l["kind"] == "queue"][0]
    assert (queue["queue"], queue["messages"], queue["full"]) == (
        "main", 3, False)
    where = [l["where"] for l in got.lines if l["kind"] == "listener"
             and l["block"] == "in"]
    assert where == ["127.0.0.1:%d" % p.port]
    screen = ctl(p, "status").out
    for word in ("edge", "in", "127.0.0.1:%d" % p.port, "3 messages",
                 "3 taken"):
        assert word in screen


def test_list_tells_what_became_of_each_recipient(waiting):
    rows = {m["id"]: m for m in listed(waiting)}
    assert sorted(rows) == sorted(waiting.ids)
    m = rows[waiting.ids[1]]
    assert (m["queue"], m["from"], m["edge"]) == ("main", "ann@here.example",
                                                  "in")
    rcpt = m["recipients"][0]
    assert rcpt["address"] == "bob@b.example"
    assert rcpt["status"] == "deferred" and rcpt["relay"] == "out"
    assert rcpt["attempts"] >= 1 and rcpt["code"] // 100 == 4
    text = ctl(waiting, "queue", "show", waiting.ids[1]).out
    for word in (waiting.ids[1], "ann@here.example", "bob@b.example",
                 "by out"):
        assert word in text


def test_the_selection_language_selects(waiting):
    p = waiting
    one = [p.ids[0]]
    for selection, want in (
            (["--to", "bob@a.example"], one), (["--to", "@A.example"], one),
            (["--from", "@here.example"], p.ids), (["--from", "<>"], []),
            (["--queue", "main"], p.ids), (["--relay", "out"], p.ids),
            (["--status", "deferred"], p.ids), (["--status", "held"], []),
            (["--code", "4*"], p.ids), (["--code", "5*"], []),
            (["--newer", "1h"], p.ids), (["--older", "1h"], []),
            (["--size", "+10"], p.ids), (["--size", "+1M"], []),
            (["--all"], p.ids), ([p.ids[2]], [p.ids[2]]),
            (["--to", "@a.example", "--code", "5*"], [])):
        got = sorted(m["id"] for m in listed(p, *selection))
        assert got == sorted(want), selection
    assert len(listed(p, "--limit", "2")) == 2
    assert ctl(p, "queue", "list", "--status", "held").status == 1
    assert ctl(p, "queue", "list", "--queue", "none").status == 1
    assert ctl(p, "queue", "list", p.ids[0][:8] + "0000").status == 1


def test_hold_release_flush_and_remove_do_so(server, sinks):
    port = free_port()
    p = begin(server, port)
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="deferred", id=name)
    assert ctl(p, "queue", "hold", name).status == 0
    assert listed(p)[0]["recipients"][0]["status"] == "held"
    sink = sinks(port=port)
    assert ctl(p, "queue", "flush", "--to", "@nowhere").status == 1
    assert ctl(p, "queue", "release", name).status == 0
    assert ctl(p, "queue", "flush", name).status in (0, 1)
    assert sink.wait()[0].id == name
    until(lambda: listed(p) == [], what="an empty queue")
    assert ctl(p, "queue", "list").status == 0


def test_removing_several_needs_a_yes(waiting):
    p = waiting
    got = ctl(p, "queue", "remove", "--all")
    assert got.status == 2 and "--yes" in got.err
    got = ctl(p, "queue", "remove", "--all", "--dry-run")
    assert got.status == 0 and all(name in got.out for name in p.ids)
    assert len(listed(p)) == 3
    assert ctl(p, "queue", "remove").status == 2
    assert ctl(p, "queue", "remove", p.ids[0]).status == 0
    got = ctl(p, "queue", "remove", "--all", "--yes", "--json")
    assert [(l["status"], l["action"]) for l in got.lines] == [
        ("done", "remove")] * 2
    assert listed(p) == []
    assert ctl(p, "queue", "remove", p.ids[1]).status == 1


def test_a_prefix_that_fits_several_is_no_name(waiting):
    p = waiting
    shared = os.path.commonprefix(p.ids)[:8]
    for words in (["list"], ["show"], ["list", "--json"], ["hold"],
                  ["list", "--limit", "1"], ["remove", "--yes"]):
        got = ctl(p, "queue", *words, shared)
        assert got.status == 1 and got.out == "", words
        assert "the ids of 3 messages begin with this" in got.err
    assert len(listed(p)) == 3


def test_a_prefix_that_fits_one_reads_that_one(waiting):
    p = waiting
    name = p.ids[1]
    length = next(n for n in range(4, 37) if sum(
        i[:n] == name[:n] for i in p.ids) == 1)
    assert [m["id"] for m in listed(p, name[:length])] == [name]
    got = ctl(p, "queue", "list", "--json", name[:length], "ffff-ffff")
    assert [m["id"] for m in got.lines] == [name]
    assert got.status == 1 and "ffff-ffff: no such message" in got.err


@pytest.mark.parametrize("verb", ["hold", "flush", "remove"])
def test_an_id_said_twice_is_handled_once(waiting, verb):
    p = waiting
    name = p.ids[0]
    for ids in ([name, name], [name, name.upper(), name[:35]]):
        got = ctl(p, "queue", verb, "--dry-run", "--json", *ids)
        assert [l["id"] for l in got.lines] == [name]
    got = ctl(p, "queue", verb, name, name, name.upper())
    assert got.status == 0 and got.out.startswith("1 message "), got.err
    got = ctl(p, "queue", "list", "--json", p.ids[1], p.ids[1])
    assert [m["id"] for m in got.lines] == [p.ids[1]]


def test_a_long_list_comes_whole_and_in_order(server):
    p = begin(server, free_port())
    names = []
    with Client(p.port) as c:
        c.hello()
        for _ in range(600):
            names.append(c.mail("ann@here.example", "bob@there.example"))
    assert [m["id"] for m in listed(p)] == names
    got = ctl(p, "queue", "remove", "--all", "--yes")
    assert got.status == 0 and "600 messages removed" in got.out
    assert listed(p) == []


def test_a_reader_that_pauses_gets_the_whole_list(server):
    """While a pager waits, control may hang up: the rest is asked anew."""
    p = begin(server, free_port())
    with Client(p.port) as c:
        c.hello()
        names = [c.mail("ann@here.example", "bob@there.example")
                 for _ in range(600)]
    who = {"user": NOBODY} if os.geteuid() == 0 else {}
    tool = subprocess.Popen(
        [os.path.join(programs(), "posternctl"), "-f", p.path, "queue", "list",
         "--json"], stdout=subprocess.PIPE, env=dict(os.environ, **OPTIONS),
        **who)
    first = tool.stdout.readline()
    since = p.mark()
    p.kill("control")
    p.wait_log(since=since, event="ready")
    rest = tool.stdout.read()
    assert tool.wait(PATIENCE) == 0
    assert [json.loads(l)["id"] for l in (first + rest).splitlines()] == names


def test_route_says_where_mail_would_go(waiting):
    got = ctl(waiting, "route", "bob@there.example", "--json")
    assert got.status == 0
    row = got.lines[0]
    assert (row["queue"], row["relay"], row["code"]) == ("main", "out", 250)
    assert ctl(waiting, "route", "no address").status == 2


def test_reload_takes_a_good_configuration_and_refuses_a_bad_one(waiting):
    p = waiting
    with open(p.path, encoding="utf-8") as f:
        text = f.read()
    second = free_port()
    p.configure(text + """
edge more { type smtp; listener { interface 127.0.0.1; port %d }; queue main }
""" % second)
    got = ctl(p, "reload")
    assert got.status == 0, got.err
    send(second, "ann@here.example", "bob@there.example")
    p.configure(text + "frob\n")
    got = ctl(p, "reload")
    assert got.status == 1 and "frob" in got.err
    assert "was not changed" in got.err
    send(second, "ann@here.example", "bob@there.example")
    assert ctl(p, "check").status == 1
    p.configure(text)
    assert ctl(p, "check").status == 0
    good = ctl(p, "check", "--json", p.path)
    assert good.lines[0]["good"] is True


def test_options_are_told_out_of_the_list_that_the_parser_is_made_from(server):
    def named(*args):
        return {(l.get("within"), l["block"], l["option"])
                for l in ctl(server, "options", "--json", *args).lines}

    every = named()
    with open(os.path.join(TOP, "conf/options.def"), encoding="utf-8") as f:
        rows = re.findall(r"^(?:OPTION\(\w+, (\w+)|AGAIN\(\w+, \w+, (\w+)),",
                          f.read(), re.M)
    assert {a or b for a, b in rows} == {name for _, _, name in every}
    assert named("relay", "mx") < named("relay") < every
    assert (None, "relay", "force_mx") in named("relay", "mx")
    assert (None, "relay", "host") not in named("relay", "mx")
    assert ("edge", "listener", "interface") in named("edge")
    assert named("connect_timeout") == {(None, "relay", "connect_timeout")}
    timeout = ctl(server, "options", "--json", "connect_timeout").lines[0]
    assert timeout["default"] == "30s" and not timeout["needed"]
    shown = ctl(server, "options", "concurrent_connections").out
    assert "concurrent_connections  (5)" in shown
    got = ctl(server, "options", "frob")
    assert got.status == 1 and '"frob"' in got.err


def test_who_is_not_running_is_said_so(server):
    server.configure("process { run_dir run }\n")
    got = ctl(server, "status")
    assert got.status == 3 and "not running" in got.err
    assert ctl(server, "frob").status == 2
    assert ctl(server, "status", "--all").status == 2
    assert ctl(server, "queue", "list", "--size", "10").status == 2


def test_control_killed_comes_back_and_mail_does_not_notice(waiting):
    p = waiting
    for _ in range(3):
        since = p.mark()
        pid = p.kill("control", signo=signal.SIGKILL)
        send(p.port, "ann@here.example", "bob@there.example")
        until(lambda: p.pids("control") and p.pid("control") != pid,
              what="control")
        p.wait_log(since=since, event="ready")
        until(lambda: ctl(p, "status").status == 1, what="status")
    row = [l for l in ctl(p, "status", "--json").lines
           if l.get("role") == "edge"][0]
    assert row["counters"]["taken"] == 6


def test_a_queue_that_hangs_is_told_and_holds_up_nothing(waiting):
    p = waiting
    pid = p.pid("queue", "main")
    os.kill(pid, signal.SIGSTOP)
    try:
        got = ctl(p, "status")
        assert got.status == 2, got.err
        assert re.search(r"queue +main +does not answer", got.out)
        row = [l for l in ctl(p, "status", "--json").lines
               if l["kind"] == "queue"][0]
        assert row["away"] is True
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "3 messages" in ctl(p, "status").out


def test_nonsense_on_its_socket_is_survived(waiting):
    p = waiting
    pid = p.pid("control")
    path = os.path.join(p.room.work, "run/control")
    for junk in (b"x", b"\0" * 8, b"\xff" * 65000, b"\1\0\0\0\4\0\0\0abcd"):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(path)
        s.send(junk)
        s.settimeout(10)
        while s.recv(65536):
            pass
        s.close()
    assert p.pid("control") == pid
    assert ctl(p, "status").status == 0
    assert not p.find_log(event="unlinked")


GROUPS = """mount --make-rprivate / && mount --bind %s /etc/group &&
exec "$@" """
ALL, READ, OTHER = 54321, 54322, 54323


@pytest.mark.root
def test_root_and_members_of_two_groups_may_ask(users, root_server, sink):
    p = root_server
    path = os.path.join(p.room.work, "group")
    shutil.copy("/etc/group", path)
    with open(path, "a", encoding="utf-8") as f:
        f.write("postern-admin:x:%d:\npostern-read:x:%d:\n" % (ALL, READ))
    plain = p.command
    p.command = lambda *args: ["unshare", "-m", "sh", "-c", GROUPS % path,
                               "sh", *plain(*args)]
    begin(p, sink.port, relay="", process="")
    asking, changing = (
        ["status"], ["status", "--check"], ["suspend"],
        ["route", "ann@x.example"]), (
        ["reload"], ["suspend", "relay", "out"], ["resume", "relay", "out"])
    for words in asking + changing:
        for groups, may in (((OTHER,), False), ((OTHER, ALL), True),
                            ((OTHER, READ), words in asking)):
            got = ctl(p, *words, uid=12345, groups=groups)
            if may:
                assert got.status == 0, (words, groups, got.err)
            elif words == ["status", "--check"]:
                assert got.status == 2 and "CRITICAL" in got.out
            else:
                assert got.status == 4, (words, groups, got.err)
                assert "not allowed: that is for root and the group " \
                    "postern-admin" in got.err
    assert p.wait_log(event="suspended", relay="out")["why"] == "by uid 12345"
    name = send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="removed", id=name)
    assert ctl(p, "trace", name, uid=12345, groups=[READ]).status == 0
    for words in (["queue", "remove", "--all", "--yes"], ["trace", name]):
        assert ctl(p, *words, uid=12345).status == 4


# Files of users need no postern.

def user(path, *args, password="secret\n"):
    return run(["posternctl", "user", args[0], "--file", path, *args[1:]],
               stdin=password)


def test_user_writes_a_file_only_its_owner_reads(room):
    path = os.path.join(room.work, "users")
    assert user(path, "add", "ann@here.example").status == 0
    got = os.stat(path)
    assert stat.S_IMODE(got.st_mode) == 0o600
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert text.startswith("ann@here.example:$y$")
    assert user(path, "verify", "ann@here.example").status == 0
    bad = user(path, "verify", "ann@here.example", password="Secret\n")
    assert bad.status == 1
    assert user(path, "verify", "eve").status == 1
    assert user(path, "add", "ann@here.example").status == 1
    with open(path, encoding="utf-8") as f:
        assert f.read() == text
    assert user(path, "passwd", "ann@here.example",
                password="other\n").status == 0
    assert user(path, "verify", "ann@here.example").status == 1
    assert user(path, "passwd", "eve").status == 1
    assert user(path, "add", "b:b").status == 2
    assert user(path, "add", "bob", password="").status == 1
    assert user(path, "remove", "ann@here.example").status == 0
    assert user(path, "remove", "ann@here.example").status == 1
    assert os.listdir(room.work) == ["users"]


def test_what_an_administrator_wrote_in_the_file_stays(room):
    path = os.path.join(room.work, "users")
    text = "# ours\n\nbob:*:Bob, left\nann:x:note\n"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    link = os.path.join(room.work, "link")
    os.symlink("users", link)
    assert user(link, "passwd", "ann").status == 0
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert lines[:3] == text.splitlines()[:3]
    assert lines[3].startswith("ann:$y$") and lines[3].endswith(":note")
    assert os.path.islink(link)
    got = run(["posternctl", "user", "list", "--file", path, "--json"])
    assert got.lines == [{"login": "bob", "locked": True},
                         {"login": "ann", "locked": False}]


def test_a_list_of_users_names_hashes_that_cannot_run(room):
    path = os.path.join(room.work, "users")
    with open(path, "w", encoding="utf-8") as f:
        f.write("dear:$y$jXT$F5Jx5fExrKuPp53xLKQ..1$%s\n"
                "odd:{SSHA}dGVzdA==\nmd5:{MD5-CRYPT}$1$x$%s\n" % (
                    43 * "a", 22 * "a"))
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    got = run(["posternctl", "user", "list", "--file", path])
    assert got.out == ("dear  (its hash takes more memory than there is)\n"
                       "odd  (not a hash of crypt(3))\nmd5\n")


def test_two_who_change_the_file_at_once_lose_nothing(room):
    from concurrent.futures import ThreadPoolExecutor
    path = os.path.join(room.work, "users")
    names = ["user%d" % n for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda n: user(path, "add", n).status, names))
    assert got == [0] * len(names)
    with open(path, encoding="utf-8") as f:
        assert sorted(l.split(":")[0] for l in f) == sorted(names)


def test_mailq_is_the_list(server):
    p = server
    p.port = free_port()
    p.configure(basic(p.port, free_port()) + LOCAL)
    p.start()
    name = send(p.port, "ann@here.example", "bob@there.example")
    got = run(["postern-sendmail", "-C", p.path], name="/usr/bin/mailq")
    assert got.status == 0 and name in got.out
    got = run(["postern-sendmail", "-C", p.path, "-bp"])
    assert name in got.out
    p.wait_log(event="deferred", id=name)
    since = p.mark()
    got = run(["postern-sendmail", "-C", p.path, "-q"])
    assert got.status == 0
    p.wait_log(since=since, event="deferred", id=name)


LOGINS = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
    rules { lookup_credentials staff; require_auth yes; auth_without_tls yes }
}
users staff { type file; path users }
queue main { type lmdb; path run/queue; relay out }
relay out { type static; host 127.0.0.1; port %d }
"""


def login(port, name, password):
    plain = base64.b64encode(("\0%s\0%s" % (name, password)).encode())
    with Client(port) as c:
        c.hello()
        return c.say("AUTH PLAIN " + plain.decode())[:3]


def test_another_password_counts_at_once(server):
    p = server
    p.port = free_port()
    p.configure(LOGINS % (p.port, free_port()))
    got = ctl(p, "user", "add", "ann", stdin="first\n")
    assert got.status == 0 and "not running" in got.out, got.err
    p.start()
    assert login(p.port, "ann", "first") == "235"
    pid = p.pid("users")
    got = ctl(p, "user", "passwd", "ann", stdin="second\n")
    assert (got.status, got.err) == (0, "") and "not running" not in got.out
    assert login(p.port, "ann", "second") == "235"
    assert login(p.port, "ann", "first") == "535"
    assert p.pid("users") == pid
    assert ctl(p, "user", "add", "bob", stdin="third\n").status == 0
    assert login(p.port, "bob", "third") == "235"
    assert ctl(p, "user", "remove", "ann").status == 0
    assert login(p.port, "ann", "second") == "535"
    assert ctl(p, "user", "list", "--users", "none").status == 2
    assert ctl(p, "user", "list", "--users", "staff").out == "bob\n"
    # A block that the next reload brings has its first user before it.
    with open(p.path, "a", encoding="utf-8") as f:
        f.write("users new { type file; path new }\n")
    got = ctl(p, "user", "add", "--users", "new", "eve", stdin="first\n")
    assert got.status == 0 and "new is not in force yet" in got.out, got.err


@pytest.mark.root
def test_as_root_the_file_is_roots_and_its_process_reads_it(users,
                                                            root_server):
    p = root_server
    p.port = free_port()
    p.configure(LOGINS % (p.port, free_port()))
    assert ctl(p, "user", "add", "ann", stdin="first\n", uid=0).status == 0
    got = os.stat(os.path.join(p.room.work, "users"))
    assert (got.st_uid, stat.S_IMODE(got.st_mode)) == (0, 0o600)
    p.start()
    assert login(p.port, "ann", "first") == "235"
    got = ctl(p, "user", "passwd", "ann", stdin="second\n", uid=0)
    assert got.status == 0, got.err
    assert login(p.port, "ann", "second") == "235"
    assert ctl(p, "user", "verify", "ann", stdin="second\n").status == 4
    status = ctl(p, "status", "--json", uid=0)
    row = [l for l in status.lines if l.get("role") == "edge"][0]
    assert row["counters"]["logins"] == 2
