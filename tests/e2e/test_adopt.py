"""Whose a queue's directory is: what is taken over, what is told, and what
mends it."""

import os
import shutil
import tempfile

import pytest

from client import send
from server import basic, free_port
from tool import ctl

pytestmark = [pytest.mark.root, pytest.mark.heavy]
STRANGER = 42424


def own_all(path, uid):
    for where, _, files in os.walk(path):
        for name in ["", *files]:
            os.chown(os.path.join(where, name), uid, uid)


def begin(p, path, hop, **more):
    p.port = free_port()
    p.configure(basic(p.port, hop).replace("path run/queue", "path " + path))
    return p.start(**more)


def test_a_store_of_a_stranger_is_told_and_mended(root_server, sink):
    p, store = root_server, root_server.room.work + "/run/queue"
    begin(p, store, 9)
    name = send(p.port, "ann@here.example", "bob@there.example")
    assert "its queue runs" in ctl(p, "queue", "adopt", store, uid=0).err
    p.stop()
    ours = os.stat(store).st_uid
    own_all(store, STRANGER)
    begin(p, store, sink.port, ready=False)
    line = p.wait_log(event="trouble", file=store)
    assert "belongs to user %d " % STRANGER in line["why"], line.text
    assert "belong to user %d," % ours in line["why"], line.text
    assert "posternctl queue adopt" in line["why"]
    p.stop()
    denied = ctl(p, "queue", "adopt", store)
    assert denied.status != 0 and "for root" in denied.err
    done = ctl(p, "queue", "adopt", store, uid=0)
    assert done.status == 0, done.err
    assert {os.stat(os.path.join(store, f)).st_uid
            for f in os.listdir(store)} == {ours}
    begin(p, store, sink.port)
    assert ctl(p, "queue", "flush", "--all", "--yes", uid=0).status == 0
    assert sink.wait()[0].id == name


def test_what_is_no_store_is_not_given_away(root_server):
    p, place = root_server, root_server.room.work + "/store"
    os.mkdir(place)
    assert "no store" in ctl(p, "queue", "adopt", place, uid=0).err
    with open(place + "/data.mdb", "w", encoding="ascii"):
        pass
    os.link(place + "/data.mdb", place + "/other")
    os.chown(place, STRANGER, STRANGER)
    done = ctl(p, "queue", "adopt", place, uid=0)
    assert done.status != 0 and "not a file that a queue" in done.err
    assert os.stat(place).st_uid == STRANGER
    assert os.stat(place + "/other").st_uid == 0


@pytest.mark.parametrize("mode, where, good", [
    (0o755, "/var/lib", True), (0o700, "/var/lib", True),
    (0o775, "/var/lib", False), (0o755, "/tmp", False)])
def test_an_empty_directory_of_root_is_taken_in_its_place_only(
        root_server, sink, mode, where, good):
    p = root_server
    place = tempfile.mkdtemp(prefix="postern-test-", dir=where)
    try:
        os.chmod(place, mode)
        begin(p, place, sink.port, ready=good)
        if good:
            p.wait_log(event="adopted", block="main", file=place)
            assert os.stat(place).st_uid != 0
            assert os.stat(place).st_mode & 0o7777 == 0o700
        else:
            p.wait_log(event="trouble", file=place)
            assert os.stat(place).st_uid == 0
        p.stop()
    finally:
        shutil.rmtree(place)
