"""What hostile or broken neighbours do on every side: clients, next hops, an
administrator in a hurry, processes that stand still."""

import os
import re
import signal
import socket
import struct
import threading
import time

import pytest

from client import TEXT, Client, send
from server import NOBODY, Postern, Room, basic, free_port, until
from sinks import DROP, Sink

SOON = 'retry { delay "0.2"; maximum_delay 300ms }'
WHOLE = ("EHLO here.example\r\nMAIL FROM:<ann@here.example>\r\n"
         "RCPT TO:<bob@there.example>\r\nDATA\r\n" + TEXT + ".\r\nQUIT\r\n")
ONE_EACH = ["250", "250", "250", "354", "250", "221"]

# Addresses that have opened relays elsewhere: none may be let out.
FOREIGN = [
    "v@other.example", "v%other.example@test.example",
    "v%other.example@[127.0.0.1]", "v%other.example",
    '"v@other.example"@test.example', '"v@other.example"',
    '"v%other.example"@test.example', "v@other.example@test.example",
    "v@test.example@other.example", "@test.example:v@other.example",
    "@[127.0.0.1]:v@other.example", "other.example!v@test.example",
    "test.example!v@other.example", "other.example!v", "v@[127.0.0.1]",
    "v@[IPv6:::1]", "v@localhost", "v@127.0.0.1", "v@0x7f.1",
    "v@test.example.", "v@test.example\t", "v@other.example.test.example",
    "v:other.example@test.example", "v;other@test.example",
    "v\\,x@test.example", "|cmd@test.example", "/etc/passwd@test.example",
    ":include:/etc/passwd@test.example",
    "v@test.example> ORCPT=x <x@test.example", "v@te\u0455t.example"]


class Load:
    """Clients that send one message after the other over long sessions."""

    def __init__(self, port, sessions=4):
        self.port, self.taken, self.failed = port, [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._session, daemon=True)
                        for _ in range(sessions)]
        for t in self.threads:
            t.start()

    def _session(self):
        while not self.over.is_set():
            try:
                with Client(self.port) as c:
                    c.hello()
                    for _ in range(20):
                        self.taken.append(c.mail("ann@here.example",
                                                 "bob@there.example"))
                        if self.over.is_set():
                            break
            except (AssertionError, OSError) as e:
                self.failed.append(repr(e))

    def end(self, sink):
        """Stop; nothing may have failed, got lost or come twice."""
        self.over.set()
        for t in self.threads:
            t.join()
        assert self.failed == []
        got = [m.id for m in sink.wait(len(self.taken), 60)]
        assert sorted(got) == sorted(self.taken)


def codes(client, count):
    return [client.reply()[:3] for _ in range(count)]


def test_no_other_way_of_writing_it_makes_a_relay(start, sink):
    p = start(sink.port,
              edge="smtputf8 yes; max_errors 1000; "
                   "rules { only_recipients @test.example }")
    with Client(p.port) as c:
        c.hello()
        for sender in ("ann@there.example", "", "ann@test.example",
                       "ann@localhost", "ann@[127.0.0.1]"):
            c.want("MAIL FROM:<%s> SMTPUTF8" % sender, 250)
            for rcpt in FOREIGN:
                assert c.say("RCPT TO:<%s>" % rcpt)[:1] == "5", rcpt
            c.want("DATA", 554)
            c.want("RSET", 250)


def test_10000_pipelined_recipients_are_answered_in_order(start, sink):
    p = start(sink.port, edge="max_recipients 200")
    said = ["MAIL FROM:<ann@here.example>",
            *("RCPT TO:<r%d@there.example>" % i for i in range(10000)),
            "DATA"]
    with Client(p.port) as c:
        c.hello()
        writer = threading.Thread(target=c.write,
                                  args=("\r\n".join(said) + "\r\n",))
        writer.start()
        time.sleep(0.3)         # let replies pile up unread
        assert codes(c, 10002) == (["250"] * 201 + ["452"] * 9800 + ["354"])
        writer.join()
        c.write(TEXT)
        c.queued(c.say("."))
    got = sink.wait(2)
    assert sum(len(m.rcpts) for m in got) == 200


def test_a_client_that_says_all_and_half_closes_hears_all(postern, sink):
    with Client(postern.port) as c:
        c.write(WHOLE)
        c.sock.shutdown(socket.SHUT_WR)
        assert codes(c, 6) == ONE_EACH
        assert c.at_end()
    sink.wait(1)


@pytest.mark.root       # to count what a locked-in process has open
def test_connections_that_come_and_go_leave_nothing(postern, sink):
    edge = postern.pid("edge", "in")
    before = len(os.listdir("/proc/%d/fd" % edge))
    for i in range(2000):
        s = socket.create_connection(("127.0.0.1", postern.port))
        if i % 3 == 0:          # a reset instead of an end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
        if i % 4 == 0:
            s.send(WHOLE[:100 + i % 60].encode())
        s.close()
    send(postern.port, "ann@here.example", "bob@there.example")
    sink.wait(1)
    until(lambda: len(os.listdir("/proc/%d/fd" % edge)) <= before,
          what="sockets closed")
    assert postern.pid("edge", "in") == edge


def test_a_queue_or_relay_that_stands_still_only_delays(start, sink):
    p = start(sink.port, queue=SOON)
    for words in (("queue", "main"), ("relay", "out")):
        load = Load(p.port)
        time.sleep(0.2)
        pid = p.kill(*words, signo=signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.2)
        load.end(sink)
        sink.messages.clear()
        assert p.pid(*words) == pid


def test_a_storm_of_reloads_fails_no_transaction(start, sink):
    p = start(sink.port, queue=SOON)
    load = Load(p.port)
    for i in range(20):
        p.configure(basic(p.port, sink.port, queue=SOON,
                          edge="max_size %dK" % (100 + i // 2)))
        p.signal(signal.SIGHUP)
        time.sleep(0.05)
    load.end(sink)


def test_told_again_while_a_reload_waits_the_later_file_counts(postern, sink):
    queue = postern.kill("queue", "main", signo=signal.SIGSTOP)
    before = postern.mark()
    good = basic(postern.port, sink.port, edge="max_size 111K")
    postern.configure(good.replace("queue main", "queue other"))
    postern.signal(signal.SIGHUP)   # waits for the old queue, in vain
    time.sleep(0.3)
    postern.configure(good)
    postern.signal(signal.SIGHUP)
    postern.wait_log(since=before, event="reloaded")
    os.kill(queue, signal.SIGCONT)
    with Client(postern.port) as c:
        assert "SIZE %d" % (111 * 1024) in c.hello()


def test_no_second_queue_works_on_the_same_mail(postern, sink):
    room = Room(NOBODY if os.geteuid() == 0 else None)
    other = Postern(room)
    try:
        other.configure(
            basic(free_port(), sink.port).replace(
                "path run/queue",
                "path %s/run/queue" % postern.room.work))
        other.start(ready=False)
        said = other.wait_log(event="trouble")
        assert "store cannot be opened" in said["why"]
    finally:
        other.abandon()
        other.finish()
        room.remove()
    send(postern.port, "ann@here.example", "bob@there.example")
    sink.wait(1)


class Rude(Sink):
    """One that hangs up behind what is no reply at all."""

    def _serve(self, conn, number):
        try:
            super()._serve(conn, number)
        except ValueError:
            pass


GARBAGE = ["", "x", "25", "999 no", "250-a\n251 b", "100 x", "600 x", "250ok",
           "22 \0\x01", "250 " + "a" * 2000, "4" * 70000, "421 bye"]


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA",
                                  "END"])
def test_a_next_hop_that_talks_garbage_costs_only_time(start, step):
    case = {}

    def answer(verb, line, session):
        if verb == step and case.get("say") is not None:
            garbage, case["say"] = case["say"], None
            return garbage or DROP
        return None
    sink = Rude(answer=answer)
    p = start(sink.port, queue=SOON, relay="idle_timeout 50ms;"
              "connect_timeout 1s; command_timeout 1s; data_timeout 1s")
    relay = p.pid("relay", "out")
    for garbage in GARBAGE:
        case["say"] = garbage
        name = send(p.port, "", "bob@there.example")
        p.wait_log(event="removed", id=name)
        assert p.find_log(event="delivered", id=name), garbage
        assert not p.find_log(event="failed", id=name), garbage
    assert p.pid("relay", "out") == relay
    sink.close()


def test_1000_recipients_of_one_message_end_each_their_way(start, sinks):
    put_off = set()

    def answer(verb, line, session):
        found = re.search(r"<r(\d+)@", line)
        if verb != "RCPT" or not found:
            return None
        number = int(found.group(1))
        if number % 3 == 1 and number not in put_off:
            put_off.add(number)
            return "451 4.2.1 Later"
        return "550 5.1.1 Never" if number % 3 == 2 else None
    sink = sinks(answer=answer)
    p = start(sink.port, queue=SOON)
    with Client(p.port) as c:
        c.hello()
        name = c.mail("ann@here.example", *("r%d@there.example" % i
                                            for i in range(1000)))
    p.wait_log(event="removed", id=name)
    until(lambda: any(m.sender == "" for m in sink.messages), what="bounce")
    got = [r for m in sink.messages if m.sender for r in m.rcpts]
    assert sorted(got) == sorted("r%d@there.example" % i
                                 for i in range(1000) if i % 3 != 2)
    bounces = [m for m in sink.messages if not m.sender]
    assert [m.rcpts for m in bounces] == [["ann@here.example"]]
    assert bounces[0].text.count("Action: failed") == 333
