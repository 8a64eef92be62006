"""A relay that was taken over lies to the queue: mail of other relays goes its
way all the same.  tests/hostile has the program."""

import os
import shutil

import pytest

from client import send
from server import BUILD, Postern, free_port, programs

CONF = """
process { hostname mx.test.example; run_dir run }
edge in { type smtp; listener { interface 127.0.0.1; port %d }; queue main }
queue main {
    type lmdb; path run/queue; relay good
    route to @evil.example relay evil
    route to @here.example relay back
    retry { delay 1; maximum_delay 1s }
}
relay good { type static; host 127.0.0.1; port %d }
relay evil { type static; host 127.0.0.1; port %d }
relay back { type static; host 127.0.0.1; port %d }
"""


class Taken(Postern):
    """With the hostile relay in place of the honest one."""

    def command(self, *args):
        mine = os.path.join(self.room.dir, "programs")
        if not os.path.isdir(mine):
            shutil.copytree(programs(), mine)
            os.chmod(mine, 0o755)
            shutil.copy2(os.path.join(BUILD, "hostile", "postern-relay"),
                         mine)
        return [os.path.join(mine, "postern"), *args]


@pytest.fixture
def taken(room):
    p = Taken(room)
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()


def test_a_taken_relay_ends_no_delivery_of_another(taken, sinks):
    good, back = sinks(), sinks()
    shut = free_port()
    good.answer = lambda verb, line, session: \
        "451 4.2.1 Later" if verb == "RCPT" and not good.is_open else None
    good.is_open = False
    port = free_port()
    taken.configure(CONF % (port, good.port, shut, back.port))
    taken.start()
    name = send(port, "ann@here.example", "bob@good.example",
                "eve@evil.example")
    taken.wait_log(event="deferred", id=name)
    # It knows the message, and has all to say on a link to a new queue.
    since = taken.mark()
    taken.kill("queue")
    taken.wait_log(since=since, event="started", role="queue")
    taken.wait_log(since=since, event="denied", peer="relay evil")
    good.is_open = True
    message, = good.wait()
    assert message.rcpts == ["bob@good.example"]
    taken.wait_log(event="delivered", id=name, rcpt="bob@good.example")
    for line in taken.find_log(event="failed"):
        assert line["rcpt"] == "eve@evil.example", line.text
