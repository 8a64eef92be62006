"""posternctl status says how the house is: by its exit status, and for Nagios
and Prometheus; top shows it, and the service manager is told."""

import os
import pty
import re
import select
import socket
import subprocess

import pytest

from client import send
from server import NOBODY, OPTIONS, PATIENCE, basic, free_port, programs, until
from test_submission import make_certificate
from tool import ctl


@pytest.fixture
def house(server, sink):
    server.port = free_port()
    server.configure(basic(server.port, sink.port))
    return server.start()


def test_it_is_good_and_then_it_is_not(house):
    assert ctl(house, "status").status == 0
    done = ctl(house, "status", "--check")
    assert done.status == 0
    assert re.match(r"POSTERN OK - 0 queued, 0 destinations down \| "
                    r"queued=0;;;0 oldest=0s;;;0 down=0 held=0\n$", done.out)
    house.kill("relay", "out")
    house.wait_log(event="started", role="relay", count=2)
    until(lambda: ctl(house, "status").status == 1, what="attention")
    assert "was started 2 times" in ctl(house, "status").out
    assert ctl(house, "status", "--check").out.startswith("POSTERN WARNING")
    house.stop()
    done = ctl(house, "status", "--check")
    assert done.status == 2 and done.out.startswith("POSTERN CRITICAL")
    assert ctl(house, "status").status == 3


def test_thresholds_are_of_count_and_age(server, sinks):
    gone = sinks()
    gone.close()
    server.port = free_port()
    server.configure(basic(server.port, gone.port))
    house = server.start()
    send(house.port, "ann@here.example", "bob@there.example")
    house.wait_log(event="deferred")
    assert ctl(house, "status").status == 0     # that may be their trouble
    for words, status in ((("--count", "1,2"), 1), (("--count", "0,1"), 2),
                          (("--count", "2"), 0), (("--age", "1d,2d"), 0)):
        done = ctl(house, "status", "--check", *words)
        assert done.status == status, (words, done.out)
    assert "queued=1;1;2;0" in ctl(house, "status", "--check", "--count",
                                   "1,2").out
    until(lambda: ctl(house, "status", "--check", "--age", "1s,1d").status
          == 1, what="it is a second old")
    until(lambda: " 1 destination down" in
          ctl(house, "status", "--check").out, what="it is down")
    for words in (("--count", "many"), ("--age", "1,2,3"), ("--age", "x")):
        done = ctl(house, "status", "--check", *words)
        assert done.status == 2 and done.err.startswith("posternctl: --")


def test_prometheus_can_read_it(house):
    name = send(house.port, "ann@here.example", "bob@there.example")
    house.wait_log(event="removed", id=name)
    done = ctl(house, "status", "--prometheus")
    assert done.status == 0
    value = {}
    kinds = {}
    for line in done.out.splitlines():
        if line.startswith("# TYPE "):
            _, _, of, kind = line.split()
            assert of not in kinds, line
            kinds[of] = kind
        elif not line.startswith("#"):
            of, number = line.rsplit(" ", 1)
            assert of not in value and of.split("{")[0] in kinds, line
            value[of] = float(number)
    assert value['postern_process_up{role="queue",block="main",worker="0"}']
    assert value['postern_taken_total{role="edge",block="in",worker="0"}'] == 1
    assert value['postern_queue_messages{queue="main"}'] == 0
    assert value['postern_queue_disk_size_bytes{queue="main"}'] > \
        value['postern_queue_disk_free_bytes{queue="main"}']
    assert kinds["postern_taken_total"] == "counter"
    assert kinds["postern_sessions"] == "gauge"


def test_a_certificate_that_ends_soon_or_is_for_another_host_is_told(server,
                                                                     sink):
    port = free_port()
    make_certificate(server.room.work, "other.example", days=10)
    server.configure(basic(port, sink.port,
                           edge="tls { certfile mx.pem; keyfile mx.key }"))
    said = server.check().stderr
    assert re.search("warning: this certificate ends in (9|10) days", said)
    assert "warning: this certificate is not for mx.test.example" in said
    house = server.start()
    done = ctl(house, "status")
    assert done.status == 1
    assert re.search("  certificate (9|10) days", done.out)
    assert re.search("edge in shows a certificate that ends in (9|10) days",
                     done.out)
    assert "edge in shows a certificate that is not for its" in done.out
    make_certificate(server.room.work, "mx.test.example")
    assert ctl(house, "reload").status == 0
    until(lambda: ctl(house, "status").status == 0, what="a good certificate")
    assert re.search("certificate (89|90) days", ctl(house, "status").out)


def test_top_is_one_screen_and_on_a_terminal_goes_on(house):
    done = ctl(house, "top")
    assert done.status == 0 and done.out.count("postern  up ") == 1
    assert "  a second: " in done.out and "\x1b" not in done.out
    mine, theirs = pty.openpty()
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if \
        os.geteuid() == 0 else {}
    top = subprocess.Popen([os.path.join(programs(), "posternctl"), "-f",
                            house.path, "top"], stdout=theirs,
                           env=dict(os.environ, **OPTIONS), **who)
    os.close(theirs)
    said = b""
    try:
        while said.count(b"\x1b[H\x1b[Jpostern  up ") < 2:
            assert select.select([mine], [], [], PATIENCE)[0], said
            said += os.read(mine, 4096)
    finally:
        top.terminate()
        top.wait(PATIENCE)
        os.close(mine)


def test_the_service_manager_is_told_how_it_is(server, sinks, room):
    gone = sinks()
    gone.close()
    path = os.path.join(room.work, "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    os.chmod(path, 0o777)
    server.port = free_port()
    server.configure(basic(server.port, gone.port))
    server.start(env={"NOTIFY_SOCKET": path})
    send(server.port, "ann@here.example", "bob@there.example")
    manager.settimeout(PATIENCE)
    said = b""
    while not re.match(rb"STATUS=1 queued, oldest \d+ min, 1 destination "
                       rb"down, \d clients", said):
        said = manager.recv(4096)
    manager.close()
