"""What an administrator reads of mail that waits: why, and the mail itself;
and what he gives up before its time."""

import os
import re

import pytest

from client import send
from json_page import check
from server import basic, free_port, until
from tool import ctl

TWO = """
relay other { type static; host 127.0.0.1; port %d; ask_after 0 }
"""
LONG = "Subject: x\r\nX-Odd: \x1b[2J\r\n\r\n" + "one\r\n" + \
    ("y" * 70 + "\r\n") * 3000 + "end\r\n"


@pytest.fixture
def house(server, sinks):
    gone, back = sinks(), sinks()
    gone.close()
    server.back = back
    server.port = free_port()
    server.configure(basic(
        server.port, gone.port, queue="retry { delay 3600 }; "
        "route to @back.example relay other") + TWO % back.port)
    server.start()
    server.name = send(server.port, "ann@back.example", "bob@there.example",
                       text=LONG)
    server.wait_log(event="deferred", id=server.name)
    return server


def waiting(p):
    row, = [m for m in ctl(p, "queue", "list", "--json").lines
            if m["id"] == p.name]
    return row["recipients"][0]


def test_a_list_says_why_a_message_waits(house):
    p = house
    row = waiting(p)
    assert row["waits"] == "down" and row["down"] < row["probe"]
    short, whole = (ctl(p, "trace", name) for name in (p.name[:13], p.name))
    assert short.status == 0 and p.name in short.out, short.err
    assert short.out.splitlines()[:3] == whole.out.splitlines()[:3]
    got = ctl(p, "trace", "0000" + p.name[4:13])
    assert got.status == 1 and "no such message" in got.err
    shown = ctl(p, "queue", "show", p.name).out
    assert re.search(r"^        out is down for \d+s, and tried in \d+",
                     shown, re.M), shown
    assert ctl(p, "suspend", "relay", "out", "--reason",
               "they move").status == 0
    row = waiting(p)
    assert row["suspended_why"] == "they move" and row["suspended_by"]
    shown = ctl(p, "queue", "list", p.name).out
    assert re.search(r"^        suspended by \S+.*: they move$", shown,
                     re.M), shown
    assert ctl(p, "resume", "relay", "out").status == 0


def test_the_text_of_a_message_is_shown_as_far_as_is_asked(house):
    p = house
    whole = ctl(p, "queue", "cat", p.name[:13], "--whole")
    assert whole.status == 0, whole.err
    header, _, body = whole.out.partition("\n\n")
    assert "\nSubject: x\nX-Odd: \x1b[2J" in header and "\r" not in whole.out
    assert body == LONG.split("\r\n\r\n", 1)[1].replace("\r\n", "\n")
    assert ctl(p, "queue", "cat", p.name, "--header").out == header + "\n\n"
    mine = ctl(p, "queue", "cat", p.name).out
    # Whom the tests run posternctl as is not root.
    assert mine == header + "\n\n"
    if os.geteuid() == 0:
        assert ctl(p, "queue", "cat", p.name, uid=0).out == whole.out
    assert ctl(p, "queue", "cat", "01a22881-2197-7000-95cb-7e40a9c153af"
               ).status == 1
    for words in ((), ("--header", "--whole", p.name), ("two", "ids")):
        assert ctl(p, "queue", "cat", *words).status == 2


def test_a_message_expires_when_that_is_wanted(house):
    p = house
    got = ctl(p, "queue", "expire", p.name)
    assert got.status == 0 and got.out == "1 message expired.\n", got.err
    bounce = p.back.wait()[0]
    assert bounce.sender == "" and bounce.rcpts == ["ann@back.example"]
    assert "Action: failed" in bounce.text
    assert "Connection refused" in bounce.text
    p.wait_log(event="removed", id=p.name)
    until(lambda: ctl(p, "queue", "list", "--json").out == "")
    assert ctl(p, "queue", "expire", p.name).status == 1


def test_its_story_says_where_it_was_moved_and_by_whom(house):
    p = house
    assert ctl(p, "queue", "move", p.name, "--via", "other").status == 0
    p.back.wait()
    p.wait_log(event="removed", id=p.name)
    got = ctl(p, "trace", p.name)
    assert re.search(r"  moved +to relay other, by posternctl, 1 recipient\n"
                     r".*  delivered bob@there.example by relay other",
                     got.out), got.out
    row, = [r for r in ctl(p, "trace", p.name, "--json").lines
            if r["event"] == "moved"]
    assert (row["relay"], row["recipients"]) == ("other", 1)
    check("trace", row)
