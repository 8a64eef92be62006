"""Logins: passwords are checked in a process of their own, against a file that
it was handed."""

import base64
import os
import subprocess
import threading
import time

import pytest

from client import Client
from keyscan import memory_of
from measure import status
from server import SANITIZED, free_port, until

SOAK = os.environ.get("POSTERN_SOAK") == "1"
SESSIONS, LOGINS = (60, 60) if SOAK else (2, 4)

CONF = """
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


def crypt(password, method, rounds):
    """A hash as mkpasswd(1) of Debian's whois makes it, by perl's crypt."""
    salt = {"yescrypt": "$y$j%sT$F5Jx5fExrKuPp53xLKQ..1$" % rounds,
            "sha512": "$6$rounds=%s$wheelbarrow$" % rounds}[method]
    got = subprocess.run(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])",
                          password, salt], capture_output=True, text=True,
                         check=True).stdout
    assert got.startswith(salt[:3]) and len(got) > 40, got
    return got


def accounts(p, *lines):
    """The users file, replaced as a whole."""
    path = os.path.join(p.room.work, "users")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write("".join(l + "\n" for l in lines))
    os.chmod(path + ".new", 0o600)
    own = os.stat(p.room.work)
    os.chown(path + ".new", own.st_uid, own.st_gid)
    os.rename(path + ".new", path)


def plain(user, password):
    return base64.b64encode(b"\0%s\0%s" % (user.encode(),
                                           password.encode())).decode()


def login(port, user, password):
    """The reply to AUTH."""
    with Client(port) as c:
        c.hello()
        return c.say("AUTH PLAIN " + plain(user, password))


CHEAP = crypt("wheel", "sha512", 1000)


def begin(p, sink, *lines):
    p.port = free_port()
    accounts(p, *lines)
    p.configure(CONF % (p.port, sink.port))
    return p.start()


def test_the_right_password_opens_the_door(server, sink):
    p = begin(server, sink, "ann:" + CHEAP, "bob:" + crypt(
        "barrow", "yescrypt", "9"), "# eve:" + CHEAP, "dan:!" + CHEAP)
    assert login(p.port, "ann", "wheel").startswith("235 2.7.0")
    assert login(p.port, "bob", "barrow").startswith("235 2.7.0")
    for user, password in (("ann", "barrow"), ("bob", "wheel"),
                           ("eve", "wheel"), ("dan", "wheel"),
                           ("nobody", "wheel"), ("ann", CHEAP)):
        assert login(p.port, user, password).startswith("535 5.7.8"), user


def test_accounts_as_others_write_them_and_hashes_that_cannot_run(server,
                                                                  sink):
    dear = "$y$jXT$F5Jx5fExrKuPp53xLKQ..1$" + 43 * "a"
    p = begin(server, sink, "\ufeffAnn@Here.Example:{SHA512-CRYPT}" + CHEAP,
              "dear:" + dear, "odd:{SSHA}dGVzdA==", "no account")
    assert login(p.port, "Ann@here.EXAMPLE", "wheel").startswith("235 2.7.0")
    assert login(p.port, "dear", "wheel").startswith("454 4.7.0")
    assert login(p.port, "odd", "wheel").startswith("535 5.7.8")
    assert p.wait_log(event="logged_in", user="Ann@here.example")
    p.wait_log(event="trouble", count=2)
    why = " ".join(l["why"] for l in p.find_log(event="trouble"))
    assert "line 4" in why and "memory" in why, why


def test_who_is_logged_in_may_send_and_nobody_else(server, sink):
    p = begin(server, sink, "ann:" + CHEAP)
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", "530 5.7.0")
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)
        c.mail("ann@here.example", "bob@there.example")
    assert " with ESMTPA " in sink.wait()[0].header("Received")[0]


@pytest.mark.heavy      # crypt(3) computes for seconds
def test_a_dear_hash_holds_up_neither_the_edge_nor_other_logins(server, sink):
    # Some seconds each, and there are as many at once as there are threads.
    p = begin(server, sink, "ann:" + CHEAP, "slow:" + crypt(
        "wheel", "sha512", 4000000))
    done = []
    threads = [threading.Thread(target=lambda: done.append(
        login(p.port, "slow", "wheel"))) for _ in range(4)]
    for t in threads:
        t.start()
    users = p.pid("users")
    until(lambda: sum(f.split()[2] == "R" for f in (
        open("/proc/%d/task/%s/stat" % (users, t)).read()
        for t in os.listdir("/proc/%d/task" % users))) >= 1,
        what="a hash under way")
    with Client(p.port) as c:
        c.hello()
        c.want("NOOP", 250)
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)
        assert done == []
    for t in threads:
        t.join()
    assert len(done) == 4


def guess(port, source, stop):
    """Wrong passwords from one address until told to stop."""
    n = 0
    while not stop.is_set():
        try:
            with Client(port, source=source) as c:
                c.hello()
                for _ in range(3):
                    n += 1
                    c.say("AUTH PLAIN " + plain("u%d" % n if n % 2 else "ann",
                                                "%s %d" % (source, n)))
        except OSError:
            stop.wait(0.1)


@pytest.mark.heavy
def test_a_storm_of_guesses_keeps_nobody_out(server, sink):
    """16 addresses; 60 sessions each in the long form."""
    p = begin(server, sink, "ann:" + crypt("barrow", "yescrypt", "9"))
    stop, took = threading.Event(), []
    crowd = [threading.Thread(target=guess, args=(
        p.port, "127.0.%d.%d" % (a % 4, 10 + a), stop), daemon=True)
        for a in range(16) for _ in range(SESSIONS)]
    for t in crowd:
        t.start()
    until(lambda: len(p.find_log(event="refused", command="AUTH")) >= 16,
          what="a crowd that guesses")
    for n in range(LOGINS):
        began = time.monotonic()
        with Client(p.port, source="127.0.9.%d" % (n + 1)) as c:
            c.hello()
            got = c.say("AUTH PLAIN " + plain("ann", "barrow"))
        took.append(time.monotonic() - began)
        assert got.startswith("235 "), (n, got)
    stop.set()
    took.sort()
    print("honest logins: p50 %.2f s, p95 %.2f s, worst %.2f s" % (
        took[len(took) // 2], took[len(took) * 95 // 100], took[-1]))
    if SOAK:
        assert took[len(took) * 95 // 100] < 2


def test_without_the_users_process_logins_wait(server, sink):
    p = begin(server, sink, "ann:" + CHEAP)
    users = p.pid("users")
    os.kill(users, 19)          # SIGSTOP: it does not answer
    with Client(p.port) as c:
        c.hello()
        c.write("AUTH PLAIN %s\r\n" % plain("ann", "wheel"))
        os.kill(users, 9)
        assert c.reply().startswith("454 4.7.0")
        c.want("NOOP", 250)
        until(lambda: c.say("AUTH PLAIN " + plain("ann", "wheel"))[:3] ==
              "235", what="a users process again")


def test_a_reload_takes_a_new_file(server, sink):
    p = begin(server, sink, "ann:" + CHEAP)
    users = p.pid("users")
    accounts(p, "eve:" + CHEAP)
    assert login(p.port, "eve", "wheel").startswith("535")
    since = p.mark()
    p.signal(1)
    p.wait_log(since=since, event="reloaded", by=p.process.pid)
    assert login(p.port, "eve", "wheel").startswith("235")
    assert login(p.port, "ann", "wheel").startswith("535")
    assert p.pid("users") == users


@pytest.mark.root
def test_as_root_hashes_are_seen_by_one_user_alone(root_server, sink):
    p = begin(root_server, sink, "ann:" + CHEAP)
    assert login(p.port, "ann", "wheel").startswith("235")
    edge, users = p.pid("edge"), p.pid("users")
    assert status(edge)["Uid"] != status(users)["Uid"]

    def holds(pid):
        return any(CHEAP.encode() in part
                   for part in memory_of(pid, SANITIZED))
    assert holds(users)
    assert not holds(edge)
