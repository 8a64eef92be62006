"""A spool to be read by every later build: what is put into it, and how it is
configured.  python3 spool.py NUMBER FILE makes one of that version of the
records, with the build that POSTERN_BUILD names; tests/fixtures/README tells of
those that are kept."""

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


# By the version that is the first to have it:
# subject: sender, recipients that are left, lines of the body
MAIL = {1: {
    "deferred": ("ann@here.example", ["busy1@there.example"], 3),
    "held": ("ann@here.example",
             ["busy2@there.example", "busy3@there.example"], 3),
    "big": ("bea@here.example",
            ["busy4@there.example", "busy5@other.example"], 12000),
    "partly": ("ann@here.example",
               ["busy6@there.example", "busy7@other.example",
                "busy8@other.example"], 3),
    "empty": ("", ["busy9@there.example"], 0),
}, 2: {
    "asked": ("ann@here.example", ["busy10@there.example"], 3),
    "moved": ("ann@here.example", ["busy11@there.example"], 3),
    "half": ("half@here.example", ["busy12@there.example"], 3),
}, 3: {
    "suspended": ("ann@here.example", ["busy13@away.example"], 3),
}, 4: {
    "said": ("ann@here.example", ["busy14@there.example"], 3),
}, 5: {
    "list": ("owner-team@mx.test.example", ["busy15@there.example"], 3),
}, 6: {
    "found": ("ann@here.example", ["busy16@there.example"], 3),
}, 7: {
    "kept": ("ann@here.example", ["busy17@there.example"], 3),
}}
HELD = ("held", "kept")
ALIASES = "team: busy15@there.example\nowner-team: ann@here.example\n"
ASKED = " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first@there.example"
FOR_ALL = " RET=HDRS ENVID=number-10"
# By version: who is told that another recipient of his mail failed
AWAY = "away.example"               # what is suspended
BOUNCES = {1: "busy@here.example", 2: "half@here.example"}


def mail(number):
    """All that is in a spool of that version."""
    return {subject: row for first, rows in MAIL.items() if first <= number
            for subject, row in rows.items()}


def answer(verb, line, session):
    if verb != "RCPT" or "<done" in line:
        return None
    return "550 5.1.1 Nobody here" if "<never" in line else BUSY


def edit(p, *args):
    subprocess.run([os.path.join(programs(), "posternctl"), "-f", p.path,
                    "queue", *args], check=True, cwd=p.room.work,
                   **p._demote())


def fill_1(p, port):
    for subject, (sender, rcpts, lines) in MAIL[1].items():
        more = ["done@there.example"] if subject == "partly" else []
        name = send(port, sender, *more, *rcpts, text=text(subject, lines))
        p.wait_log(event="deferred", id=name, count=len(rcpts))
        if subject == "held":
            edit(p, "hold", name)
    name = send(port, "ann@here.example", "done@other.example",
                text=text("history", 3))
    p.wait_log(event="removed", id=name)
    name = send(port, BOUNCES[1], "never@there.example", text=text("never", 3))
    line = p.wait_log(event="bounced")
    p.wait_log(event="deferred", id=line["id"])


def fill_2(p, port):
    """What is asked of reports, a report that waits for more, a relay that an
    administrator chose."""
    sender, rcpts, lines = MAIL[2]["asked"]
    with Client(port) as c:
        c.hello()
        c.want("MAIL FROM:<%s>%s" % (sender, FOR_ALL), 250)
        c.want("RCPT TO:<%s>%s" % (rcpts[0], ASKED), 250)
        c.want("DATA", 354)
        c.write(text("asked", lines))
        p.wait_log(event="deferred", id=c.queued(c.say(".")))
    sender, rcpts, lines = MAIL[2]["half"]
    name = send(port, sender, "never2@there.example", *rcpts,
                text=text("half", lines))
    p.wait_log(event="failed", id=name)
    p.wait_log(event="deferred", id=name)
    sender, rcpts, lines = MAIL[2]["moved"]
    name = send(port, sender, *rcpts, text=text("moved", lines))
    p.wait_log(event="deferred", id=name)
    edit(p, "move", name, "--via", "second")
    p.wait_log(event="deferred", id=name, relay="second")


def fill_3(p, port):
    """What waits for an administrator, and one of whom nobody was told."""
    subprocess.run([os.path.join(programs(), "posternctl"), "-f", p.path,
                    "suspend", "destination", AWAY, "--reason", "It moves"],
                   check=True, cwd=p.room.work, **p._demote())
    sender, rcpts, lines = MAIL[3]["suspended"]
    name = send(port, sender, *rcpts, text=text("suspended", lines))
    p.wait_log(event="queued", id=name)
    name = send(port, "", "never3@there.example", text=text("untold", 3))
    p.wait_log(event="discarded", id=name)


def fill_4(p, port):
    """What MAIL said of its text."""
    sender, rcpts, lines = MAIL[4]["said"]
    with Client(port) as c:
        c.hello()
        c.want("MAIL FROM:<%s> BODY=8BITMIME" % sender, 250)
        c.want("RCPT TO:<%s>" % rcpts[0], 250)
        c.want("DATA", 354)
        c.write(text("said", lines))
        p.wait_log(event="deferred", id=c.queued(c.say(".")))


def fill_5(p, port):
    """A list, whose owner is the sender for its members."""
    name = send(port, "ann@here.example", "team@mx.test.example",
                text=text("list", MAIL[5]["list"][2]))
    p.wait_log(event="deferred", id=name)


def fill_6(p, port):
    """What is looked for by its words, and went to another relay."""
    name = send(port, *MAIL[6]["found"][:1], *MAIL[6]["found"][1],
                text=text("found", MAIL[6]["found"][2]))
    p.wait_log(event="deferred", id=name)
    edit(p, "move", name, "--via", "second")
    p.wait_log(event="deferred", id=name, relay="second")


def fill_7(p, port):
    """What somebody holds, and it is known who."""
    name = send(port, *MAIL[7]["kept"][:1], *MAIL[7]["kept"][1],
                text=text("kept", MAIL[7]["kept"][2]))
    p.wait_log(event="deferred", id=name)
    edit(p, "hold", name)


def main(number, path):
    room = Room(NOBODY if os.geteuid() == 0 else None)
    sink = Sink(answer=answer)
    p = Postern(room)
    port = free_port()
    aliases = os.path.join(room.work, "aliases")
    with open(aliases, "w", encoding="utf-8") as f:
        f.write(ALIASES)
    p.configure(config(port, sink.port).replace(
        "relay first\n", "relay first\n    aliases %s\n" % aliases, 1))
    p.start()
    try:
        for first, fill in enumerate((fill_1, fill_2, fill_3, fill_4,
                                      fill_5, fill_6, fill_7), 1):
            if first <= number:
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
    main(int(sys.argv[1]), sys.argv[2])
