"""What nobody could be told of, and the postmaster who is told that."""

import ctypes
import email
import email.policy
import signal
import struct

from client import send
from server import basic, free_port, until
from tool import ctl

HOUR = 3600
SOON = "retry { delay 1; maximum_delay 1s }"
TO_US = "postmaster pm@here.example"


class Val(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]


def age(path, seconds):
    """The rows of table discard become older: a queue that is down waits."""
    lib = ctypes.CDLL("liblmdb.so.0")
    env, txn, cursor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    dbi, key, val = ctypes.c_uint(), Val(), Val()

    def call(name, *args):
        code = getattr(lib, name)(*args)
        assert code in (0, -30798), (name, code)        # MDB_NOTFOUND
        return code == 0

    call("mdb_env_create", ctypes.byref(env))
    call("mdb_env_set_maxdbs", env, ctypes.c_uint(32))
    call("mdb_env_open", env, path.encode(), ctypes.c_uint(0), 0o600)
    call("mdb_txn_begin", env, None, ctypes.c_uint(0), ctypes.byref(txn))
    call("mdb_dbi_open", txn, b"discard", ctypes.c_uint(0), ctypes.byref(dbi))
    call("mdb_cursor_open", txn, dbi, ctypes.byref(cursor))
    rows = []
    while call("mdb_cursor_get", cursor, ctypes.byref(key), ctypes.byref(val),
               8):                                      # MDB_NEXT
        rows.append((ctypes.string_at(key.data, key.size),
                     ctypes.string_at(val.data, val.size)))
        call("mdb_cursor_del", cursor, ctypes.c_uint(0))
    lib.mdb_cursor_close.restype = None
    lib.mdb_cursor_close(cursor)
    for k, v in rows:
        at = struct.unpack(">Q", k[:8])[0] - seconds * 1000
        k = struct.pack(">Q", at) + k[8:]
        call("mdb_put", txn, dbi, ctypes.byref(Val(len(k), ctypes.cast(
            ctypes.c_char_p(k), ctypes.c_void_p))), ctypes.byref(Val(
                len(v), ctypes.cast(ctypes.c_char_p(v), ctypes.c_void_p))), 0)
    call("mdb_txn_commit", txn)
    lib.mdb_env_close.restype = None
    lib.mdb_env_close(env)
    return len(rows)


def refuse(verb, line, session):
    """Nobody but the postmaster is here."""
    return "550 5.1.1 Nobody" if verb == "RCPT" and "<pm@" not in line else \
        None


def untold(p):
    queue = next(l for l in ctl(p, "status", "--json").lines
                 if l.get("role") == "queue")
    return queue["counters"]["untold"]


def test_the_postmaster_hears_once_of_all_that_was_discarded(server, sinks):
    """Also of what was lost before he was named, and across restarts."""
    sink = sinks(answer=refuse)
    p, port = server, free_port()
    p.configure(basic(port, sink.port, queue=SOON))
    p.start()
    send(port, "ann@here.example", "bob@there.example")
    send(port, "", "eve@there.example")
    p.wait_log(event="discarded", count=2)
    until(lambda: untold(p) == 2)
    assert "  2 failed and nobody told" in ctl(p, "status").out
    p.stop()
    assert age(p.room.work + "/run/queue", HOUR) == 2
    p.start()
    assert not sink.quiet(0.3)
    p.configure(basic(port, sink.port, process=TO_US, queue=SOON))
    p.signal(signal.SIGHUP)
    digest = sink.wait()[0]
    assert (digest.sender, digest.rcpts) == ("", ["pm@here.example"])
    whole = email.message_from_bytes(digest.data, policy=email.policy.default)
    assert not whole.defects and whole["Date"].datetime
    assert whole["Auto-Submitted"] == "auto-generated"
    assert whole["To"] == "pm@here.example"
    assert whole["Subject"].startswith("2 recipients failed")
    text = whole.get_content()
    assert "mx.test.example, queue main" in text
    for rcpt in ("ann@here.example", "eve@there.example"):
        assert "Recipient: <%s>" % rcpt in text
    assert text.count("Error:     550 5.1.1 Nobody") == 2
    assert text.count("Sender:    <>") == 2
    line = p.wait_log(event="digested", rcpt="pm@here.example")
    assert line["count"] == "2"
    p.wait_log(event="removed", id=line["id"])
    p.stop()
    assert age(p.room.work + "/run/queue", HOUR) == 0
    p.start()
    assert len(sink.quiet(0.3)) == 1


def test_a_postmaster_who_cannot_be_reached_is_warned_of(server, sink):
    server.configure(basic(free_port(), sink.port, process=TO_US,
                           relay="recipients @there.example"))
    got = server.check()
    assert got.returncode == 0
    assert "queue main has no way to the postmaster" in got.stderr
    assert "pm@here.example" in got.stderr
