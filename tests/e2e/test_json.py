"""What posternctl prints with --json is what postern-json(7) says."""

import os

from client import Client, send
from hostfiles import make_file
from json_page import check, counters, sections
from server import free_port
from tool import ctl

CONF = """
process { hostname mx.test.example; run_dir run; domains here.example }
edge in { type smtp; listener { interface 127.0.0.1; port %d }; queue main
    rules { lookup_credentials staff; auth_without_tls yes } }
users staff { type file; path users }
queue main {
    type lmdb; path run/queue; aliases aliases
    route to @there.example relay out
    relay out
    retry { delay "3600" }
}
relay out { type static; host 127.0.0.1; port %d; ask_after 0 }
"""
# In other tests: it takes a store that is damaged, or a drop directory.
ELSEWHERE = {"queue quarantine", "Counters",
             "queue check, queue salvage: kind page",
             "queue check, queue salvage: kind message",
             "drop list", "dns", "drop retry, drop remove"}
EDITS = "queue flush, hold, release, remove, bounce, expire, move, " \
    "reroute"


def test_every_object_is_as_the_page_says(server, sinks):
    p = server
    p.port = free_port()
    hop = sinks(answer=lambda verb, line, session:
                "451 4.7.1 Later" if verb == "RCPT" and "wait" in line else
                "550 5.1.1 No such user" if verb == "RCPT" and "<no@" in line
                else None)
    make_file(p, "aliases", "root: bob@there.example\n", 0o644)
    make_file(p, "users", "ann:*\n")
    p.configure(CONF % (p.port, hop.port))
    p.start()
    seen = set()

    def show(title, *words, least=1, inner=(), status=0, **more):
        got = ctl(p, *words, "--json", **more)
        assert got.status == status, (words, got.out, got.err)
        rows = got.lines
        assert len(rows) >= least, (words, got.out)
        for row in rows:
            heading = title.get(row["kind"]) if isinstance(title, dict) \
                else title
            check(heading, row)
            seen.add(heading)
            for key, sub in inner:
                seen.add(sub)
                for each in row[key]:
                    check(sub, each)
        return rows

    waits = send(p.port, "ann@here.example", "wait@there.example",
                 "wait2@there.example")
    held = send(p.port, "", "wait3@there.example")
    gone = send(p.port, "ann@here.example", "no@there.example")
    with Client(p.port) as c:
        c.hello()
        expanded = c.mail("ann@far.example", "root@here.example",
                          text="Message-ID: <1@here.example>\r\n\r\nx\r\n")
    for name in waits, held:
        p.wait_log(event="deferred", id=name)
    p.wait_log(event="bounced", of=gone)
    p.wait_log(event="removed", id=expanded)

    kinds = {k: "status, kind " + k for k in
             ("server", "process", "listener", "queue")}
    show(kinds, "status", least=8)
    names = counters()
    for row in ctl(p, "status", "--json").lines:
        assert set(row.get("counters", ())) <= names, row
    show("check", "check")
    show("options", "options")
    show("reload", "reload")
    both = (("recipients", "queue list, queue show: recipients"),)
    for verb in "hold", "list", "show", "release", "flush", "reroute":
        if verb in ("list", "show"):
            rows = show("queue list, queue show", "queue", verb, "--all",
                        inner=both)
            assert any("held" in r for r in rows[1]["recipients"])
        else:
            show(EDITS, "queue", verb, held)
    show("suspend relay, suspend destination, resume", "suspend",
         "destination", "there.example", "--reason", "they move")
    show("suspend", "suspend")
    show("queue list, queue show", "queue", "list", inner=both)
    show("route", "route", "bob@there.example")
    show("suspend relay, suspend destination, resume", "resume",
         "destination", "there.example")
    show("route", "route", "bob@far.example")
    show("alias", "alias", "root")
    for name in waits, gone, expanded:
        show("trace", "trace", name, least=2)
    assert show("trace", "trace", "1@here.example")[0]["message_id"]
    show(EDITS, "queue", "bounce", held, "--yes", "--text", "no")
    show(EDITS, "queue", "remove", waits, "--yes")
    show("user add, passwd, remove", "user", "add", "bob", stdin="secret\n")
    show("user verify", "user", "verify", "bob", stdin="secret\n")
    show("user list", "user", "list", least=2)
    show("user add, passwd, remove", "user", "remove", "bob")
    p.stop()
    show({"total": "queue check, queue salvage: kind total"}, "queue",
         "check", os.path.join(p.room.work, "run/queue"))
    assert seen == set(sections()) - ELSEWHERE
