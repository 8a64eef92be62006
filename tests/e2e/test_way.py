"""A message goes all the way: in by SMTP, onto disk, out by SMTP."""

import os
import re
import smtplib
import subprocess
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from client import QUEUED, TEXT, Client, send
from conftest import begin
from server import free_port, until

ISSUE = """process { hostname mx.example.org; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main { type lmdb; path run/queue; relay out }
relay out { type static; host 127.0.0.1; port %d }
"""


def test_the_first_configuration_runs_as_it_stands(server, sink):
    port = free_port()
    server.configure(ISSUE % (port, sink.port))
    server.start()
    name = send(port, "ann@here.example", "bob@there.example")
    got = sink.wait()[0]
    assert (got.sender, got.rcpts) == ("ann@here.example",
                                       ["bob@there.example"])
    assert got.id == name
    assert got.data.endswith(TEXT.encode())


def test_every_reply_is_worded_as_promised(postern):
    with Client(postern.port) as c:
        assert re.match(r"220 mx\.test\.example ESMTP", c.greeting)
        hello = c.hello("here.example").split("\n")
        assert hello[0] == "250-mx.test.example Hello here.example"
        assert {l[4:].split(" ")[0] for l in hello[1:]} == {
            "8BITMIME", "PIPELINING", "SIZE", "ENHANCEDSTATUSCODES", "DSN",
            "CHUNKING"}
        assert c.say("MAIL FROM:<ann@here.example>") == (
            "250 2.1.0 <ann@here.example> Ok")
        assert c.say("RCPT TO:<bob@there.example>") == (
            "250 2.1.5 <bob@there.example> Ok")
        assert c.say("DATA") == (
            "354 Start mail input; end with <CRLF>.<CRLF>")
        c.write(TEXT)
        assert QUEUED.match(c.say("."))
        assert c.say("QUIT") == "221 2.0.0 Bye"
        assert c.at_end()


def test_the_log_tells_the_story_of_a_message_by_its_id(postern, sink):
    name = send(postern.port, "ann@here.example", "bob@there.example")
    for event in ("queued", "delivered", "removed"):
        postern.wait_log(event=event, id=name)
    told = postern.find_log(id=name, event="delivered")[0]
    assert told["rcpt"] == "bob@there.example" and told["relay"] == "out"
    assert told["code"] == "250"


def test_swaks_is_served(postern, sink):
    got = subprocess.run(
        ["swaks", "--server", "127.0.0.1:%d" % postern.port, "--from",
         "ann@here.example", "--to", "bob@there.example", "--helo",
         "here.example", "--body", "from swaks"], capture_output=True,
        text=True, check=False, timeout=60)
    assert got.returncode == 0, got.stdout
    assert b"from swaks" in sink.wait()[0].data


def test_smtplib_is_served_with_8bit_and_utf8_addresses(start, sink):
    postern = start(sink.port, edge="smtputf8 yes")
    mail = EmailMessage()
    mail["Subject"] = "Grüße"
    mail.set_content("Schöne Grüße\n", cte="8bit")
    with smtplib.SMTP("127.0.0.1", postern.port) as c:
        c.ehlo("here.example")
        c.sendmail("ann@here.example", ["jörg@there.example"],
                   mail.as_bytes(policy=SMTP), mail_options=["SMTPUTF8",
                                                  "BODY=8BITMIME"])
    got = sink.wait()[0]
    assert got.rcpts == ["jörg@there.example"]
    assert "SMTPUTF8" in got.params and "BODY=8BITMIME" in got.params
    assert "Schöne Grüße".encode() in got.data


def test_received_is_added_on_top_with_the_id(postern, sink):
    name = send(postern.port, "ann@here.example", "bob@there.example")
    got = sink.wait()[0]
    assert got.text.startswith("Received: from here.example")
    top = got.header("Received")[0]
    assert "by mx.test.example" in top and name in top
    assert "127.0.0.1" in top


def test_more_than_a_hundred_received_is_a_loop(postern, sink):
    field = "Received: from a.example by b.example\r\n"
    with Client(postern.port) as c:
        c.hello()
        c.mail("ann@here.example", "bob@there.example",
               text=field * 99 + TEXT)
        c.begin("ann@here.example", "bob@there.example")
        c.write(field * 101 + TEXT)
        assert c.say(".").startswith("554 5.4.6 ")
    assert len(sink.wait()) == 1


@pytest.mark.parametrize("text, kept", [
    ("Subject: x\r\n", None),
    ("just a line\r\n..\r\nand another\r\n", None),
    ("Subject: x\r\nnot a field\r\nX-A: b\r\n\r\nbody\r\n", None),
    ("From ann Sat Nov 28 10:00:00 2026\r\nX-A: b\r\n\r\nbody\r\n",
     "X-A: b\r\n\r\nbody\r\n"),
    ("", None),
])
def test_received_is_put_on_top_and_nothing_else_changes(
        postern, sink, text, kept):
    with Client(postern.port) as c:
        c.hello()
        c.mail("ann@here.example", "bob@there.example", text=text)
    top, rest = re.match(r"(Received: .*?\r\n)(?![ \t])(.*)",
                         sink.wait()[0].text, re.S).groups()
    assert top.endswith(" +0000\r\n")
    assert rest == (text.replace("..", ".") if kept is None else kept)


def test_postmaster_without_a_domain_is_accepted(postern, sink):
    send(postern.port, "ann@here.example", "postmaster")
    assert sink.wait()[0].rcpts == ["postmaster@mx.test.example"]


def test_dots_arrive_as_they_were(postern, sink):
    body = ".\r\n..\r\n...x\r\nx.\r\n.x\r\n"
    stuffed = "".join("." * l.startswith(".") + l + "\r\n"
                      for l in body.split("\r\n")[:-1])
    send(postern.port, "ann@here.example", "bob@there.example",
         text="Subject: dots\r\n\r\n" + stuffed)
    assert sink.wait()[0].body == body.encode()


@pytest.mark.parametrize("size", [0, 1, 4079, 4080, 4081, 65279, 65280, 65281,
                                  130560, 1000000])
def test_a_body_of_any_size_arrives_byte_for_byte(postern, sink, size):
    line = b"0123456789" * 7 + b"\r\n"
    body = (line * (size // len(line) + 1))[:max(size - 2, 0)]
    body = body.rstrip(b"\r\n") + b"\r\n"
    send(postern.port, "ann@here.example", "bob@there.example",
         text=b"Subject: big\r\n\r\n" + body)
    assert sink.wait()[0].body == body


def test_a_hundred_recipients_are_one_transaction(postern, sink):
    rcpts = ["user%d@there.example" % i for i in range(100)]
    send(postern.port, "ann@here.example", *rcpts)
    got = []
    until(lambda: len(sink.messages) > 0)
    for m in sink.quiet():
        got += m.rcpts
    assert sorted(got) == sorted(rcpts)


def test_pipelined_transactions_in_one_segment_all_arrive(postern, sink):
    """RFC 2920 3.1: DATA ends a group, and the text after its 354 begins the
    next one: the end of a message and the next transaction come together."""
    one = ("MAIL FROM:<ann@here.example>\r\nRCPT TO:<bob%d@there.example>\r\n"
           "DATA\r\n")
    with Client(postern.port) as c:
        c.hello()
        c.write(one % 0)
        for i in range(1, 6):
            assert [c.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
            c.write(TEXT + ".\r\n" + (one % i if i < 5 else "NOOP\r\n"))
            assert QUEUED.match(c.reply())
        assert c.reply()[:3] == "250"
    assert sorted(m.rcpts[0] for m in sink.wait(5)) == [
        "bob%d@there.example" % i for i in range(5)]


def test_the_connection_to_the_smarthost_is_used_again(postern, sink):
    for _ in range(10):
        send(postern.port, "ann@here.example", "bob@there.example")
        sink.wait(len(sink.messages) + 0)
    sink.wait(10)
    assert sink.connections <= 5


def test_blackhole_takes_all_and_keeps_nothing(server, sink):
    server.port = free_port()
    server.configure(ISSUE.replace(
        "type static; host 127.0.0.1; port %d", "type blackhole")
        % server.port)
    server.start()
    name = send(server.port, "ann@here.example", "bob@there.example")
    server.wait_log(event="delivered", id=name)
    server.wait_log(event="removed", id=name)


def test_a_queue_on_disk_is_only_its_owners(postern):
    queue = os.path.join(postern.room.work, "run/queue")
    assert os.stat(queue).st_mode & 0o777 == 0o700


def test_trace_prints_a_line_a_frame(server, sink):
    begin(server, sink.port, env={"POSTERN_TRACE": "bus"})
    name = send(server.port, "ann@here.example", "bob@there.example")
    server.wait_log(event="removed", id=name)
    server.stop()
    text = "\n".join(l.text for l in server.lines)
    for word in ("mail_open", "mail_commit", "mail_taken", "delivery_open",
                 "delivery_result", "delivery_settled"):
        assert re.search(r"\b%s\b" % word, text), word
    assert "Hello." not in text
