"""What the tests are handed: a postern with its smarthost, ready to talk to."""

import os
import pwd
import subprocess

import pytest

from server import NOBODY, Postern, Room, basic, free_port
from sinks import Sink, SmtpSink

USERS = ("_postern-edge", "_postern-drop", "_postern-queue", "_postern-relay",
         "_postern-dns", "_postern-vault", "_postern-auth", "_postern-ctl",
         "_postern-local", "_postern-mail", "_postern-prog")


def pytest_collection_modifyitems(items):
    """Tests as root that cannot be root say so, and fail."""
    for item in items:
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.usefixtures("must_be_root"))


@pytest.fixture
def must_be_root():
    pytest.fail("needs root: neither root nor a working sudo -n here")


@pytest.fixture
def room():
    r = Room(NOBODY if os.geteuid() == 0 else None)
    yield r
    r.remove()


@pytest.fixture
def server(room):
    """A postern, not yet configured and not started."""
    p = Postern(room)
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()


@pytest.fixture
def sinks():
    """Makes sinks that end with the test."""
    made = []

    def make(**args):
        made.append(Sink(**args))
        return made[-1]
    yield make
    for s in made:
        s.close()


@pytest.fixture
def sink(sinks):
    return sinks()


@pytest.fixture
def smtp_sink(room):
    s = SmtpSink(room.work)
    yield s
    s.close()


@pytest.fixture
def postern(server, sink):
    """The usual one, running: server.port takes mail, sink gets it."""
    return begin(server, sink.port)


def begin(server, hop, *args, env=None, **blocks):
    """Configure and start the usual postern on a free port."""
    server.port = free_port()
    server.configure(basic(server.port, hop, **blocks))
    return server.start(*args, env=env)


@pytest.fixture
def start(server):
    def call(hop, *args, **blocks):
        return begin(server, hop, *args, **blocks)
    return call


def is_known(name):
    try:
        return pwd.getpwnam(name) is not None
    except KeyError:
        return False


MISSING = []        # before the run; of the process that has all workers


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        MISSING.extend(n for n in USERS if not is_known(n))


def pytest_sessionfinish(session):
    """Not by a worker: others may still need them."""
    if os.geteuid() == 0:
        for name in MISSING:
            if is_known(name):
                subprocess.run(["userdel", name], check=False,
                               capture_output=True)


@pytest.fixture(scope="session")
def users():
    """The users of an installed postern, made where they are missing and
    removed after the run."""
    for name in USERS:
        if not is_known(name):
            made = subprocess.run(
                ["useradd", "-r", "-M", "-d", "/nonexistent", "-s",
                 "/usr/sbin/nologin", name], check=False)
            assert made.returncode in (0, 9), made      # 9: another was faster
    return USERS


@pytest.fixture
def root_server(users):
    """A postern that keeps root's rights, with the whole sandbox."""
    room = Room(None)
    p = Postern(room, as_root=True)
    yield p
    try:
        p.stop()
    finally:
        p.abandon()
        p.finish()
        room.remove()
