"""A queue in memory: mail goes through it, and with the queue what waited."""

from client import send
from server import basic, free_port, until


def busy(verb, line, session):
    return "450 4.2.1 Busy" if verb == "RCPT" else None


def retried(port):
    """The edge may not have its new queue yet."""
    try:
        return send(port, "ann@here.example", "bob@there.example")
    except AssertionError:
        return None


def test_mail_goes_through_and_what_waits_is_lost_with_the_queue(server, sink):
    sink.answer = busy
    port = free_port()
    server.configure(basic(port, sink.port,
                           queue='retry { delay "1"; maximum_delay 1s }')
                     .replace("type lmdb", "type memory"))
    told = server.check()
    assert told.returncode == 0
    assert "is lost when it ends" in told.stderr + told.stdout
    server.start()
    server.wait_log(event="emptied")
    lost = send(port, "ann@here.example", "bob@there.example")
    server.wait_log(event="deferred", id=lost)
    server.kill("queue")
    server.wait_log(count=2, event="emptied")
    sink.answer = lambda verb, line, session: None
    name = until(lambda: retried(port))
    server.wait_log(event="removed", id=name)
    assert len(sink.quiet(2)) == 1
    assert not server.find_log(event="removed", id=lost)
