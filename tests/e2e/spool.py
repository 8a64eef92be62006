"""A spool to be read by every later build: what is put into it, and how it is
configured.  python3 spool.py FILE makes one, with the build that POSTERN_BUILD
names; tests/fixtures/README tells of those that are kept."""

import json
import lzma
import os
import subprocess
import sys

from client import Client, send
from server import NOBODY, Postern, Room, free_port, programs
from sinks import Sink

LATER = 'retry { delay "3600"; maximum_delay 1h }'
BUSY = "450 4.2.1 Busy just now"


def config(port, hop, retry=LATER):
    return """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
}
queue main {
    type lmdb
    path run/queue
    route to @other.example relay second
    relay first
    %s
}
relay first { type static; host 127.0.0.1; port %d }
relay second { type static; host 127.0.0.1; port %d }
""" % (port, retry, hop, hop)


def text(subject, lines):
    """Whole lines, none of which begins with a dot."""
    return "Date: Sat, 28 Nov 2026 10:00:00 +0000\r\n" \
        "Message-ID: <%s@here.example>\r\nSubject: %s\r\n\r\n%s" % (
            subject, subject, "".join("line %06d of %s\r\n" % (i, subject)
                                      for i in range(lines)))


# subject: sender, recipients that are left, lines of the body
MAIL = {
    "deferred": ("ann@here.example", ["busy1@there.example"], 3),
    "held": ("ann@here.example",
             ["busy2@there.example", "busy3@there.example"], 3),
    "big": ("bea@here.example",
            ["busy4@there.example", "busy5@other.example"], 12000),
    "partly": ("ann@here.example",
               ["busy6@there.example", "busy7@other.example",
                "busy8@other.example"], 3),
    "empty": ("", ["busy9@there.example"], 0),
}
BOUNCE = "busy@here.example"        # who is told that never@ failed


def answer(verb, line, session):
    if verb != "RCPT" or "<done" in line:
        return None
    return "550 5.1.1 Nobody here" if "<never" in line else BUSY


def fill(p, port):
    for subject, (sender, rcpts, lines) in MAIL.items():
        more = ["done@there.example"] if subject == "partly" else []
        name = send(port, sender, *more, *rcpts, text=text(subject, lines))
        p.wait_log(event="deferred", id=name, count=len(rcpts))
        if subject == "held":
            subprocess.run([os.path.join(programs(), "posternctl"), "-f",
                            p.path, "queue", "hold", name], check=True,
                           cwd=p.room.work, **p._demote())
    name = send(port, "ann@here.example", "done@other.example",
                text=text("history", 3))
    p.wait_log(event="removed", id=name)
    name = send(port, BOUNCE, "never@there.example", text=text("never", 3))
    line = p.wait_log(event="bounced")
    p.wait_log(event="deferred", id=line["id"])


def main(path):
    room = Room(NOBODY if os.geteuid() == 0 else None)
    sink = Sink(answer=answer)
    p = Postern(room)
    port = free_port()
    p.configure(config(port, sink.port))
    p.start()
    try:
        fill(p, port)
        with Client(port) as c:         # an upload that is cut off
            c.hello()
            c.begin("ann@here.example", "busy@there.example")
            c.write(text("loose", 10000))
            p.kill("queue")
    finally:
        p.abandon()
        sink.close()
    with open(os.path.join(room.work, "run/queue/data.mdb"), "rb") as f:
        spool = f.read()
    with lzma.open(path, "wb", preset=9) as f:
        f.write(spool)
    print(json.dumps({"bytes": len(spool), "packed": os.path.getsize(path)}))
    room.remove()


if __name__ == "__main__":
    main(sys.argv[1])
