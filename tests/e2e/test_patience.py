"""A next hop that takes its time gets each message once."""

import time

from client import send
from server import free_port

CONF = """
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port %d }; queue main }
queue main {
    type lmdb; path run/queue; relay out
    route to @one.example relay one
    retry { delay 0.2; maximum_delay 1s }
}
relay one {
    type static; host 127.0.0.1; port %d; idle_timeout 0; data_timeout 300ms
    %s
}
relay out {
    type mx; command_timeout 300ms; idle_timeout 0
    %s
}
"""
LATE = 0.9              # seconds: over each of the timeouts


def late_at(late):
    """A reply to one verb comes late, each time."""
    def answer(verb, line, session):
        if verb == late:
            time.sleep(LATE)
    return answer


def test_a_reply_that_comes_late_to_the_text_makes_no_second_copy(
        server, sinks):
    hop = sinks(answer=late_at("END"))
    port = free_port()
    server.configure(CONF % (port, hop.port, "", ""))
    server.start()
    name = send(port, "ann@here.example", "bob@one.example")
    server.wait_log(event="removed", id=name)
    assert len(hop.quiet(LATE)) == 1
    assert server.find_log(event="deferred") == []


def test_who_is_slow_at_any_stage_gets_its_mail_at_a_second_attempt(
        server, sinks):
    slow = {verb: sinks(answer=late_at(verb)) for verb in
            ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA")}
    one = sinks(answer=late_at("RCPT"), extensions=())
    port = free_port()
    forced = "\n    ".join(
        "force_mx %s.example 127.0.0.1@%d" % (verb.lower(), hop.port)
        for verb, hop in slow.items())
    server.configure(CONF % (port, one.port, "command_timeout 300ms", forced))
    server.start()
    slow["one"] = one
    for verb in slow:
        name = send(port, "ann@here.example", "bob@%s.example" % verb.lower())
        slow[verb].name = name
    for verb, hop in slow.items():
        server.wait_log(event="removed", id=hop.name)
        tries = server.find_log(event="deferred", id=hop.name)
        assert tries, verb      # the first waits no longer than it is told
        assert len(hop.messages) == 1
