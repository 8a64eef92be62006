"""The log answers who sent a mail, which recipient was refused, and under
which name the next hop has it: postern-log(7)."""

import re

from client import Client
from test_users import CHEAP, begin, plain

HEX = re.compile(r"[0-9a-f]{16}$")


def test_a_refusal_names_its_recipient_its_sender_and_who_said_it(server,
                                                                  sink):
    p = begin(server, sink, "ann:" + CHEAP)
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", "530 5.7.0")
        c.want("RCPT TO:<bob@there.example>", "503 5.5.1")
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<no@@there.example> NOTIFY=NEVER", "501 5.1.3")
        c.want("RCPT TO:<bob@there.example>", 250)
        c.want("RCPT TO:<eve@there.example>", 250)
        c.want("DATA now", "501 5.5.4")
        c.want("MAIL FROM:<>", "503 5.5.1")
    p.wait_log(event="refused", command="MAIL", code=503)
    lines = p.find_log(event="refused")
    assert len({l["session"] for l in lines}) == 1
    assert all(HEX.match(l["session"]) and l["helo"] for l in lines)
    said = [(l["command"], l["code"], l.get("from"), l.get("rcpt"))
            for l in lines]
    ann, bob = "ann@here.example", "bob@there.example"
    # Of several recipients the last stands in the dictionary of a line.
    assert said == [("MAIL", "530", ann, None), ("RCPT", "503", None, bob),
                    ("RCPT", "501", ann, "no@@there.example"),
                    ("DATA", "501", ann, "eve@there.example"),
                    ("MAIL", "503", ann, "eve@there.example")], said
    assert "rcpts=2 rcpt=bob@there.example rcpt=eve@there.example" in \
        lines[3].text


def test_one_mail_can_be_followed_from_the_login_to_the_next_hop(server,
                                                                 sinks):
    sink = sinks(answer=lambda verb, line, session:
                 "250 2.0.0 Ok: queued as AB12" if verb == "END" else None)
    p = begin(server, sink, "ann:" + CHEAP)
    with Client(p.port) as c:
        c.hello("laptop.here.example")
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)
        c.mail("ann@here.example", "bob@there.example",
               text="Subject: the secret\r\n"
               "Message-ID:\r\n <1.2@here.example>\r\n"
               "\r\nand its body\r\n")
    done = p.wait_log(event="delivered", rcpt="bob@there.example")
    login = p.wait_log(event="logged_in", user="ann")
    queued = p.wait_log(event="queued")
    assert login["session"] == queued["session"]
    assert login["helo"] == queued["helo"] == "laptop.here.example"
    assert queued["user"] == "ann"
    assert queued["message_id"] == "1.2@here.example"
    assert done["id"] == queued["id"]
    assert done["from"] == queued["from"] == "ann@here.example"
    assert done["hop_id"] == "AB12", done.text
    text = p.tail(1000)
    assert "secret" not in text and "and its body" not in text


def test_two_sessions_are_told_apart(server, sink):
    p = begin(server, sink, "ann:" + CHEAP)
    for _ in range(2):
        with Client(p.port) as c:
            c.hello()
            c.want("VRFY", "501")
    p.wait_log(event="refused", count=2)
    assert len({l["session"] for l in p.find_log(event="refused")}) == 2
