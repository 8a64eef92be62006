"""LMTP in (RFC 2033): its clients are Python's, swaks, and a relay of ours."""

import os
import smtplib
import subprocess

from client import Client
from server import free_port

CONF = """
process { hostname mx.test.example; run_dir run }
edge local {
    type lmtp
    listener { interface 127.0.0.1; port %d }
    listener { path run/lmtp }
    rules { only_recipients @there.example }
    queue main
}
queue main {
    type lmdb; path run/main; relay out
    retry { delay 1; maximum_delay 1s }
}
relay out { type static; host 127.0.0.1; port %d }
edge front {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue front
}
queue front {
    type lmdb; path run/front; relay hop
    retry { delay 1; maximum_delay 1s }
}
relay hop { type lmtp; %s }
"""
TEXT = "Subject: hello\r\n\r\nHello.\r\n"


def begin(server, sink, by="host 127.0.0.1; port %d"):
    server.port, server.front = free_port(), free_port()
    if "%d" in by:
        by = by % server.port
    server.configure(CONF % (server.port, sink.port, server.front, by))
    return server.start()


def test_each_client_and_each_way_in(server, sink):
    begin(server, sink)
    path = os.path.join(server.room.work, "run/lmtp")
    with smtplib.LMTP("127.0.0.1", server.port) as c:
        for user in "ab":
            assert c.sendmail("ann@here.example", [user + "@there.example"],
                              TEXT) == {}
    with smtplib.LMTP(path) as c:
        assert c.sendmail("ann@here.example", ["c@there.example"], TEXT) == {}
    done = subprocess.run(
        ["swaks", "--socket", path, "--protocol", "LMTP", "--timeout", "20",
         "-f", "ann@here.example", "-t", "d@there.example,e@there.example"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    got = sink.wait(4)
    assert sorted(r for m in got for r in m.rcpts) == [
        c + "@there.example" for c in "abcde"]
    assert all(" with LMTP id " in m.header("Received")[0] for m in got)


def test_our_own_relay_hears_of_each_recipient(server, sink):
    """By a unix socket, one recipient refused at RCPT and two taken."""
    begin(server, sink, "path run/lmtp")
    with Client(server.front) as c:
        c.hello()
        name = c.mail("ann@here.example", "a@there.example",
                      "no@other.example", "b@there.example")
    server.wait_log(event="removed", id=name)
    assert sorted(l["rcpt"] for l in server.find_log(
        event="delivered", id=name)) == ["a@there.example",
                                         "b@there.example"]
    assert [l["rcpt"] for l in server.find_log(
        event="failed", id=name)] == ["no@other.example"]
    assert sink.wait()[0].rcpts == ["a@there.example", "b@there.example"]


def test_a_killed_queue_is_told_to_each(server, sink):
    """What was not acknowledged to a recipient is not ours."""
    begin(server, sink)
    with Client(server.port) as c:
        assert c.greeting == "220 mx.test.example LMTP postern"
        c.want("EHLO here.example", 500)
        c.want("LHLO here.example", 250)
        c.begin("ann@here.example", "a@there.example", "b@there.example")
        server.kill("queue", "main")
        c.write(TEXT + ".\r\n")
        said = [c.reply(), c.reply()]
        assert {s[:3] for s in said} in ({"250"}, {"451"}), said
        taken = said[0].startswith("250")
        c.want("RSET", 250)
    got = sink.wait() if taken else sink.quiet(0.3)
    assert [m.rcpts for m in got] == (
        [["a@there.example", "b@there.example"]] if taken else [])
