"""A disk that takes nothing is not a full one: 451 at once, and all goes on by
itself when it takes something again."""

import os
import subprocess

import pytest

from client import Client, send
from server import basic, free_port, until
from tool import ctl

pytestmark = pytest.mark.root
WHY = "the disk cannot be written: its file system is read-only"


def lock(p, sign):
    """Nobody may write the file, whoever has it open; or all may again."""
    subprocess.run(["chattr", sign + "i", os.path.join(
        p.room.work, "run/queue/data.mdb")], check=True)


@pytest.fixture
def locked(root_server, sink):
    """A postern whose queue was shut under it."""
    p = root_server
    p.port = free_port()
    p.configure(basic(p.port, sink.port))
    p.start()
    send(p.port, "ann@here.example", "bob@there.example")
    sink.wait()
    p.wait_log(event="removed")
    lock(p, "+")
    yield p
    lock(p, "-")


def refuses_mail(p):
    """Soon: a queue that starts anew is greeted before it knows its store."""
    def is_refused():
        with Client(p.port) as c:
            c.hello()
            return c.say("MAIL FROM:<ann@here.example>").startswith(
                "451 4.3.0 ")
    until(is_refused, what="a refusal")


def test_a_disk_that_takes_nothing_is_451_and_recovers(locked, sink):
    p = locked
    with Client(p.port) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write("Subject: x\r\n\r\nx\r\n")
        c.want(".", "451 4.3.0 ")
    p.wait_log(event="trouble", why=WHY)
    refuses_mail(p)
    assert ("queue main takes no mail: its disk cannot be written" in
            ctl(p, "status", uid=0).out)
    since = p.mark()
    lock(p, "-")
    p.wait_log(since=since, event="resumed", seconds=5)
    send(p.port, "ann@here.example", "bob@there.example")
    assert len(sink.wait(2)) == 2
    assert p.find_log(event="full") == []


def test_a_store_that_cannot_be_opened_for_a_while_is_waited_for(locked, sink):
    p = locked
    p.kill("queue", "main")
    p.wait_log(event="trouble", count=2,
               why="the store cannot be opened: Operation not permitted")
    refuses_mail(p)
    since = p.mark()
    lock(p, "-")
    p.wait_log(since=since, event="ready", seconds=10)
    p.pid("queue", "main")
    send(p.port, "ann@here.example", "bob@there.example")
    assert len(sink.wait(2)) == 2
