"""The drop directory: sendmail keeps what postern is not there to take, and
postern takes it when it is back."""

import email
import os
import re
import resource
import socket
import subprocess
import threading
import time

import pytest

from json_page import check
from server import (NOBODY, PATIENCE, SANITIZED, basic, free_port, programs,
                    until)
from tool import LOCAL, ctl, sendmail

TEXT = "Subject: kept\n\nHello.\n"
EX_TEMPFAIL = 75
SOAK = bool(os.environ.get("POSTERN_SOAK"))
DROP = "edge drop { type drop; path drop; queue main }\n"


class House:
    """One postern for all tests of this file, with its drop directory."""

    def __init__(self, server, sink):
        self.server, self.sink = server, sink
        self.dir = os.path.join(server.room.work, "drop")
        os.mkdir(self.dir)
        os.chown(self.dir, *self.ids())
        os.chmod(self.dir, 0o3733)
        server.port = free_port()
        server.configure(basic(server.port, sink.port) + LOCAL + DROP)

    @staticmethod
    def ids():
        return (NOBODY, NOBODY) if os.geteuid() == 0 else (-1, -1)

    def names(self):
        return sorted(os.listdir(self.dir))

    def is_empty(self):
        return not self.names()


    def keep(self, *args, **more):
        """Send while postern is down, and say which file that made."""
        before = set(self.names())
        got = sendmail(self.server, *(args or ("bob@there.example",)),
                       **dict({"stdin": TEXT}, **more))
        assert (got.status, got.err) == (0, "")
        return [n for n in self.names() if n not in before]

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, content, uid=None):
        """A file as a caller could leave it who does not run sendmail."""
        with open(self.path(name), "wb") as f:
            f.write(content)
        os.chmod(f.name, 0o640)
        if os.geteuid() == 0:
            os.chown(f.name, NOBODY if uid is None else uid, NOBODY)

    def left(self, name):
        line = self.server.wait_log(event="left", file=name)
        assert os.path.lexists(self.path(name))
        return line["why"]


def form(text, sender="ann@here.example", rcpts=("bob@there.example",),
         length=None):
    return ("postern-drop 1\nfrom %s\n%stext %d\n" % (
        sender, "".join("rcpt %s\n" % r for r in rcpts),
        len(text) if length is None else length)).encode() + text


GOOD = form(b"Subject: good\r\n\r\nHello.\r\n")


@pytest.fixture
def house(server, sink):
    return House(server, sink)


def test_what_is_sent_while_postern_is_down_arrives_when_it_is_back(house):
    names = house.keep("-f", "ann@here.example", "bob@there.example",
                       "eve@there.example")
    assert len(names) == 1 and names[0].startswith("new.")
    assert os.stat(house.path(names[0])).st_mode & 0o7777 == 0o640
    house.server.start()
    m = house.sink.wait()[0]
    assert m.sender == "ann@here.example"
    assert m.rcpts == ["bob@there.example", "eve@there.example"]
    assert m.body == b"Hello.\r\n"
    until(house.is_empty, what="the file is removed")
    queued = house.server.wait_log(event="queued", edge="drop")
    uid = NOBODY if os.geteuid() == 0 else os.geteuid()
    assert queued["client"] == "unix uid=%d" % uid
    # And what comes while it runs, by somebody who found no edge.
    house.put("tmp.1", GOOD)
    os.rename(house.path("tmp.1"), house.path("new.1"))
    house.sink.wait(2)
    until(house.is_empty, what="that file too")


def test_a_domain_in_letters_goes_as_its_a_label_without_smtputf8(house):
    p = house.server
    p.configure(basic(p.port, house.sink.port) + LOCAL +
                DROP.replace("main", "main; smtputf8 no"))
    house.keep("-f", "ann@bücher.example", "bob@münchen.example")
    p.start()
    m = house.sink.wait()[0]
    assert m.sender == "ann@xn--bcher-kva.example"
    assert m.rcpts == ["bob@xn--mnchen-3ya.example"]


def test_what_the_edge_does_not_take_now_is_kept_and_a_no_is_not(house):
    p = house.server
    p.configure(basic(p.port, house.sink.port,
                      relay="recipients @there.example")
                + LOCAL.replace("queue main", "max_sessions 1; queue main")
                + DROP)
    p.start()
    got = sendmail(p, "eve@elsewhere.example", stdin=TEXT)
    assert got.status == 67 and "550" in got.err
    with socket.socket(socket.AF_UNIX) as taken:
        taken.connect(os.path.join(p.room.work, "run/sendmail"))
        assert taken.recv(100).startswith(b"220 ")
        got = sendmail(p, "-v", "bob@there.example", stdin=TEXT)
    assert got.status == 0 and "421 4.3.2" in got.out, got.out + got.err
    house.sink.wait()
    assert p.wait_log(event="queued")["edge"] == "drop"
    assert len(p.find_log(event="queued")) == 1


ANSWERS = (     # what the server says, and what then becomes of the message
    (("451 4.3.0 not now",), True), (("220 x", "421 4.3.2 bye"), True),
    (("220 x", "250 x", "451 4.3.0 not now"), True),
    (("220 x", "250 x", "250 x", "450 4.2.0 not now"), True),
    (("220 x", "250 x", "250 x", "250 x", "354 x", "452 4.3.1 full"), True),
    (("220 x", "250 x", "250 x", "250 x", "354 x"), True),
    (("nonsense",), True),
    (("220 x", "250 x", "250 x", "550 5.1.1 nobody"), False),
    (("220 x", "250 x", "250 x", "250 x", "354 x", "554 5.6.0 no"), False),
    (("220 x", "250 x", "250 x", "250 x", "354 x", "250 2.0.0 kept"), None))


@pytest.mark.parametrize("replies, is_kept", ANSWERS)
def test_each_no_for_now_is_kept_wherever_it_comes(house, replies, is_kept):
    run_dir = os.path.join(house.server.room.work, "run")
    os.mkdir(run_dir, 0o755)
    path = os.path.join(run_dir, "sendmail")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen()
        server = threading.Thread(target=answer, args=(listener, replies))
        server.start()
        got = sendmail(house.server, "bob@there.example", stdin=TEXT)
        server.join()
    assert len(house.names()) == (1 if is_kept else 0), got.err
    assert (got.status == 0) == (is_kept is not False)


def answer(listener, replies):
    """One session with these replies, the last one before the end."""
    client, _ = listener.accept()
    with client, client.makefile("rwb") as f:
        for reply in replies:
            f.write(reply.encode() + b"\r\n")
            f.flush()
            line = f.readline()
            while reply.startswith("354") and line not in (b".\r\n", b""):
                line = f.readline()


def test_without_a_configuration_that_can_be_read_it_is_kept(house):
    """The path is then the packaged one, which this host does not have."""
    with open(house.server.path, "a") as f:
        f.write("nonsense {\n")
    got = sendmail(house.server, "bob@there.example", stdin=TEXT)
    assert got.status == EX_TEMPFAIL
    assert "/var/lib/postern/drop" in got.err


def test_who_is_many_is_several_files_and_all_get_it(house):
    names = ["u%d@there.example" % n for n in range(250)]
    assert len(house.keep(*names)) == 3
    house.server.start()
    got = [r for m in house.sink.wait(3) for r in m.rcpts]
    assert sorted(got) == sorted(names)
    until(house.is_empty, what="the files are removed")


def test_nothing_half_is_left_where_there_is_no_room(house):
    """The text alone fits, with its header it does not."""
    def narrow():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
    args = [os.path.join(programs(), "postern-sendmail"), "-C",
            house.server.path, "bob@there.example"]
    who = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
    done = subprocess.run(args, input=TEXT.encode() + 19800 * b"x",
                          capture_output=True, preexec_fn=narrow, cwd="/",
                          timeout=PATIENCE, check=False, **who)
    assert done.returncode == EX_TEMPFAIL, done.stderr
    assert b"File too large" in done.stderr
    assert house.is_empty()


def test_who_is_refused_later_is_told_to_the_sender(house):
    p = house.server
    p.configure(basic(p.port, house.sink.port,
                      relay="recipients @there.example") + LOCAL + DROP)
    house.keep("-f", "ann@there.example", "bob@there.example",
               "eve@elsewhere.example", "fay@elsewhere.example")
    house.keep("-f", "", "eve@elsewhere.example")
    p.start()
    messages = {m.rcpts[0]: m for m in house.sink.wait(2)}
    assert messages["bob@there.example"].sender == "ann@there.example"
    told = messages["ann@there.example"]
    assert told.sender == ""
    for name in "eve", "fay":
        assert ("Final-Recipient: rfc822; %s@elsewhere.example" % name
                in told.text)
    assert told.text.count("Action: failed") == 2
    assert "Subject: kept" in told.text and "Hello." not in told.text
    report = email.message_from_string(told.text)
    assert report.get_content_type() == "multipart/report"
    assert [part.get_content_type() for part in report.get_payload()] == [
        "text/plain", "message/delivery-status", "text/rfc822-headers"]
    # Nobody can be told of the other: it stays.
    line = p.wait_log(event="left")
    assert line["why"].startswith("550")
    assert house.names() == [line["file"]]


def odd_files(house):
    """Each is left, for a reason that has these words."""
    work, path = house.server.room.work, house.path
    house.put("new.text", b"Subject: x\n\nx\n")
    house.put("new.empty-name", form(b"x\r\n", rcpts=("",)))
    house.put("new.newer", b"postern-drop 2\nwhat may come\n")
    house.put("new.behind", GOOD + b"and more")
    house.put("new.bare", form(b"Subject: x\r\n\r\na\nb\r\n"))
    house.put("new.tail", form(b"", rcpts=("bob@there.example",), length=-1))
    house.put("other", GOOD)
    house.put("new.second", GOOD)
    os.link(path("new.second"), os.path.join(work, "first"))
    with open(os.path.join(work, "target"), "wb") as f:
        f.write(GOOD)
    os.symlink(os.path.join(work, "target"), path("new.link"))
    os.symlink("/nowhere", path("new.dangling"))
    os.mkfifo(path("new.fifo"))
    os.mkdir(path("new.directory"))
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path("new.socket"))
    house.put("new.sparse", GOOD)
    os.truncate(path("new.sparse"), 1 << 40)
    house.put("new.closed", GOOD)
    os.chmod(path("new.closed"), 0)
    house.put("new." + 251 * "x", b"x")
    house.put("new.\nevent=ready \x1b[31m", b"x")
    house.put("new.early", form(b"x\r\n", length=400))
    os.utime(path("new.early"), (0, 0))
    return {
        "new.text": "form", "new.empty-name": "form", "new.newer": "newer",
        "new.behind": "behind", "new.bare": "bare", "new.tail": "form",
        "other": "name", "new.second": "second name",
        "new.link": "regular", "new.dangling": "regular",
        "new.fifo": "regular", "new.directory": "regular",
        "new.socket": "regular", "new.sparse": "behind",
        "new.closed": "cannot be opened", "new." + 251 * "x": "form",
        "new.early": "too early"}


def test_what_is_odd_is_left_and_told_once_and_holds_up_nobody(house):
    wanted = odd_files(house)
    house.put("new.good", GOOD)
    house.server.start()
    house.sink.wait()
    for name, why in wanted.items():
        assert why in house.left(name), name
    until(lambda: "new.good" not in house.names())
    house.put("tmp.2", GOOD)                # and another round
    os.rename(house.path("tmp.2"), house.path("new.2"))
    house.sink.wait(2)
    p = house.server
    assert len(p.find_log(event="left")) == len(wanted) + 1
    assert not any(l.text.startswith("event=ready") for l in p.lines)
    state = [l for l in ctl(p, "status", "--json").lines
             if l.get("block") == "drop"][0]
    until(lambda: pickup(p)["odd"] == len(wanted) + 1)
    assert state["counters"]["picked"] >= 1
    assert len(house.sink.messages) == 2


def pickup(p):
    return [l for l in ctl(p, "status", "--json").lines
            if l.get("block") == "drop"][0]["counters"]


def test_a_file_that_grows_is_taken_when_it_is_whole(house):
    house.put("new.slow", GOOD[:-5])
    house.put("tmp.young", GOOD)
    house.put("tmp.old", GOOD)
    os.utime(house.path("tmp.old"), (0, 0))
    house.put("new.good", GOOD)
    house.server.start()
    house.sink.wait()
    until(lambda: house.names() == ["new.slow", "tmp.young"])
    with open(house.path("new.slow"), "ab") as f:
        f.write(GOOD[-5:])
    os.rename(house.path("tmp.young"), house.path("new.young"))
    house.sink.wait(3)
    until(house.is_empty, what="all are removed")
    assert not house.server.find_log(event="left")


def test_what_is_changed_while_it_is_read_goes_later_and_whole(house):
    p = house.server.start()
    p.kill("queue", "main", signo=19)
    text = b"Subject: x\r\n\r\n" + 20000 * (60 * b"x" + b"\r\n")
    house.put("tmp.1", form(text))
    os.rename(house.path("tmp.1"), house.path("new.1"))
    until(lambda: pickup_reads(p))
    os.utime(house.path("new.1"))
    p.kill("queue", "main", signo=18)
    why = p.wait_log(event="postponed", file="new.1")["why"]
    assert "changed while it was read" in why
    house.put("tmp.2", GOOD)
    os.rename(house.path("tmp.2"), house.path("new.2"))
    house.sink.wait(2)
    until(house.is_empty, what="both are removed")
    assert sorted(len(m.body) for m in house.sink.messages) == [8, 62 * 20000]


def pickup_reads(p):
    """Does it hold a file of the directory open?"""
    fds = "/proc/%d/fd" % p.pid("pickup", "drop")
    return any("/new." in os.readlink(os.path.join(fds, n))
               for n in os.listdir(fds))


def refuse_never(verb, line, session):
    return "450 4.2.0 not now" if verb == "RCPT" and "never@" in line else None


def test_what_is_never_taken_is_told_to_its_sender_or_left(house):
    """Each try but the first is brought on by the death of who answers."""
    p, sink = house.server, house.sink
    sink.answer = refuse_never
    p.configure(basic(p.port, sink.port) + LOCAL + "edge drop { type drop; "
                "path drop; lifetime 1s; relay out }\n")
    house.put("new.told", form(b"Subject: told\r\n\r\nHello.\r\n",
                               rcpts=("never@there.example",
                                      "bob@there.example")))
    house.put("new.untold", form(b"x\r\n", "", ("never@there.example",)))
    p.start()
    line = p.wait_log(event="postponed", file="new.told")
    assert line["next"] == "60" and line["why"][:2] == "45"
    while not p.find_log(event="left"):
        since = p.mark()
        p.kill("proxy", "drop")
        until(lambda: p.find_log(since, event="left") or
              p.find_log(since, event="postponed", file="new.untold"))
    messages = {m.rcpts[0]: m for m in sink.wait(2)}
    assert messages["bob@there.example"].sender == "ann@here.example"
    told = messages["ann@here.example"].text
    assert "Final-Recipient: rfc822; never@there.example" in told
    assert "Status: 5.4.7" in told and "450 4.2.0 not now" in told
    assert told.count("Action: failed") == 1
    assert "5.4.7 Tried for too long" in house.left("new.untold")
    until(lambda: house.names() == ["new.untold"])
    until(lambda: "1 file of the drop directory: posternctl drop list"
          in ctl(p, "status").out)
    # Whoever touches it has it tried again, for as long as before.
    since = p.mark()
    assert ctl(p, "drop", "retry", "new.untold").status == 0
    line = p.wait_log(since, event="postponed", file="new.untold")
    assert line["next"] == "60"


def test_a_kill_between_commit_and_removal_sends_nothing_twice(house):
    """The directory allows no removal for a while."""
    p = house.server
    house.put("new.1", GOOD)
    os.chmod(house.dir, 0o3555)
    p.start()
    p.wait_log(event="picked")
    for count in 2, 3:
        p.kill("pickup", "drop")
        p.wait_log(event="picked", count=count)
    assert house.names() == ["new.1"]
    os.chmod(house.dir, 0o3733)
    p.kill("pickup", "drop")
    until(house.is_empty, what="the file is removed")
    house.put("tmp.2", GOOD)
    os.rename(house.path("tmp.2"), house.path("new.2"))
    house.sink.wait(2)
    until(house.is_empty, what="the other is removed")
    p.wait_log(event="picked", count=5)
    assert len(p.find_log(event="queued")) == 2
    assert len(house.sink.messages) == 2


def test_what_lies_there_is_listed_and_removed_also_while_postern_is_down(
        house):
    p = house.server
    got = ctl(p, "drop", "list")
    assert (got.status, got.out) == (0, house.dir + " holds nothing.\n")
    (name,) = house.keep("-f", "ann@here.example", "bob@there.example",
                         "eve@there.example")
    house.put("new.odd", b"x")
    house.put("tmp.1", b"x")
    listed = {l["file"]: l for l in ctl(p, "drop", "list", "--json").lines}
    for row in listed.values():
        check("drop list", row)
    assert (listed[name]["from"], listed[name]["rcpts"]) == (
        "ann@here.example", 2)
    assert {f: l["state"] for f, l in listed.items()} == {
        name: "waiting", "new.odd": "odd", "tmp.1": "writing"}
    out = ctl(p, "drop", "list", name, "new.odd").out.splitlines()
    assert "ann@here.example  2 recipients" in out[0]
    assert out[1].endswith("left: it is not of the form that sendmail(1) "
                           "writes")
    got = ctl(p, "drop", "retry", "--all", "--json").lines + ctl(
        p, "drop", "remove", "new.odd", "tmp.1", "--json").lines
    assert len(got) == 5
    for row in got:
        check("drop retry, drop remove", row)
    assert house.names() == [name]
    for wrong in "../x", "..", "":
        assert ctl(p, "drop", "remove", wrong).status == 2
    assert ctl(p, "drop", "remove", "new.gone").status == 1
    p.start()
    house.sink.wait()


def memory(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def test_a_load_of_many_files_is_picked_up_in_bounded_memory(house):
    """A hundred thousand, in make check two thousand.  Of two users where there
    are several; half of them odd."""
    p, cnt = house.server, 100000 if SOAK else 2000
    for n in range(cnt):
        house.put("new.%d" % n, GOOD if n % 2 else b"nonsense\n",
                  uid=NOBODY if n < cnt - 100 else 1)
    p.start()
    most, end = 0, time.monotonic() + 600
    while pickup(p)["picked"] < cnt // 2:
        assert time.monotonic() < end, pickup(p)
        most = max(most, memory(p.pid("pickup", "drop")))
        time.sleep(0.5)
    until(lambda: len(house.names()) == cnt // 2)
    until(lambda: pickup(p)["odd"] == cnt // 2, 60)
    assert most < (200 << 10 if SANITIZED else 32 << 10), most
    house.put("tmp.2", GOOD)
    os.rename(house.path("tmp.2"), house.path("new.last"))
    until(lambda: "new.last" not in house.names())
    told = [l["file"] for l in p.find_log(event="left") if "file" in l]
    assert len(set(told)) == len(told) < cnt // 2
