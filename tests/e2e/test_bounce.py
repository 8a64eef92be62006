"""Reports to senders, as mail programs and programs for bounces read them."""

import email
import email.policy
import os
import re
import subprocess

import pytest

from client import TEXT, send
from server import basic, free_port, until

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
SOON = "retry { delay 1; maximum_delay 1s }"
PARSER = """
use Mail::DeliveryStatus::BounceParser;
local $/; my $b = Mail::DeliveryStatus::BounceParser->new(<STDIN>);
print $b->is_bounce ? "bounce" : "none", "\\n";
print join(" ", $_->get("email"), $_->get("smtp_code") // "-",
    $_->get("std_reason")), "\\n" for $b->reports;
"""


def refuse(reply, words="RCPT"):
    """Bounces pass, and what is not theirs does not."""
    def answer(verb, line, session):
        if verb == "MAIL":
            session["null"] = "<>" in line
        if verb == words and not session.get("null"):
            return reply
        return None
    return answer


def parts(message):
    """The three parts: words, groups of fields, what is returned."""
    whole = email.message_from_bytes(message.data, policy=email.policy.default)
    assert whole.get_content_type() == "multipart/report"
    assert whole.get_param("report-type") == "delivery-status"
    assert not whole.defects
    words, fields, returned = whole.get_payload()
    assert not any(p.defects for p in (words, fields, returned))
    return words.get_content(), fields, returned


@pytest.mark.parametrize("policy, rcpts", [
    ("recipient_domain_split", ["bob@d%d.example" % i for i in range(300)]),
    ("recipient_split", ["bob%d@there.example" % i for i in range(120)])])
def test_one_message_that_fails_300_times_is_one_bounce(start, sinks, policy,
                                                        rcpts):
    sink = sinks(answer=refuse("550 5.1.1 No such user"))
    p = start(sink.port, queue=SOON + " policies { %s yes }" % policy,
              edge="max_recipients 300")
    name = send(p.port, "ann@here.example", *rcpts)
    bounce = sink.wait()[0]
    words, fields, returned = parts(bounce)
    groups = fields.get_payload()
    assert sorted(g["Final-Recipient"] for g in groups[1:]) == sorted(
        "rfc822; " + r for r in rcpts)
    assert groups[0]["Reporting-MTA"] == "dns; mx.test.example"
    p.wait_log(event="removed", id=name)
    assert len(sink.quiet(0.5)) == 1
    assert len(p.find_log(event="bounced", of=name)) == 1


def test_programs_read_who_said_what(start, sinks):
    sink = sinks(answer=refuse("552 5.2.2 Over quota"))
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example")
    bounce = sink.wait()[0]
    words, fields, returned = parts(bounce)
    group = fields.get_payload()[1]
    assert group["Action"] == "failed" and group["Status"] == "5.2.2"
    assert group["Remote-MTA"] == "dns; [127.0.0.1]"
    assert group["Diagnostic-Code"] == "smtp; 552 5.2.2 Over quota"
    assert email.utils.parsedate_to_datetime(group["Last-Attempt-Date"])
    assert "mailbox is full" in " ".join(words.split())
    assert "552 5.2.2 Over quota" in words and "Subject: hello" in words
    assert returned.get_content_type() == "text/rfc822-headers"
    got = subprocess.run(["perl", "-e", PARSER], input=bounce.data,
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    assert got.split("\n")[:2] == [
        "bounce", "bob@there.example 552 over_quota"], got


def test_what_the_relay_found_out_was_not_said_by_smtp(start, sinks):
    sink = sinks(extensions=("PIPELINING", "8BITMIME"))
    p = start(sink.port, queue=SOON, edge="smtputf8 yes")
    send(p.port, "ann@here.example", "b\xe9b@there.example",
         params=" SMTPUTF8")
    words, fields, returned = parts(sink.wait()[0])
    assert fields.get_content_type() == "message/global-delivery-status"
    assert returned.get_content_type() == "message/global-headers"
    text = sink.messages[0].text
    assert "\r\nFinal-Recipient: utf-8; b\xe9b@there.example\r\n" in text
    assert "\r\nDiagnostic-Code: x-postern; 5.6.7 " in text
    assert "\r\nRemote-MTA:" not in text


def test_what_nobody_can_be_told_ends(start, sinks):
    sink = sinks(answer=lambda verb, line, session:
                 "550 5.1.1 Nobody" if verb == "RCPT" else None)
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example")
    p.wait_log(event="discarded")
    until(lambda: len(p.find_log(event="removed")) == 2)
    assert sink.messages == []


def test_a_house_tells_in_words_of_its_own(start, sinks):
    """The shipped example, as it is."""
    sink = sinks(answer=refuse("550 5.1.1 No such user"))
    p = start(sink.port, queue=SOON +
              " bounce_template %s/conf/examples/report-de.txt" % TOP)
    send(p.port, "ann@here.example", "bob@there.example")
    bounce = sink.wait()[0]
    words, fields, returned = parts(bounce)
    whole = email.message_from_bytes(bounce.data, policy=email.policy.default)
    assert whole["Subject"] == "Ihre Nachricht konnte nicht zugestellt werden"
    words = " ".join(words.split())
    assert "den unten genannten Empf\xe4ngern nicht zugestellt" in words
    assert "Diese Adresse gibt es nicht" in words and "Betreff: hello" in words
    assert "deliver" not in words


def test_a_mistake_in_the_words_is_shown_where_it_stands(server, sink):
    path = os.path.join(server.room.work, "words.txt")
    with open(path, "w") as f:
        f.write("[failed]\nSubject: Oh\nDear {sendr}: {recipients}\n")
    server.configure(basic(free_port(), sink.port,
                           queue="bounce_template words.txt"))
    got = server.check()
    assert got.returncode != 0
    assert "words.txt:3:6: there is no such placeholder" in got.stderr
    assert "Dear {sendr}: {recipients}\n" in got.stderr
    assert re.search(r"^ +\| +\^|^ +\^", got.stderr, re.M), got.stderr
