"""sendmail: a message from standard input to the unix socket of an edge."""

import os
import pwd
import time

import pytest

from client import Client
from server import NOBODY, basic, free_port
from tool import LOCAL, run, sendmail

TEXT = "Subject: hello\n\nHello.\n"
EX_USAGE, EX_DATAERR, EX_NOUSER, EX_TEMPFAIL = 64, 65, 67, 75


def begin(server, hop, edge="", queue="", relay=""):
    server.port = free_port()
    text = basic(server.port, hop, queue=queue, relay=relay)
    server.configure(text + LOCAL.replace("queue main", "queue main; " + edge))
    return server.start()


@pytest.fixture
def postern(server, sink):
    return begin(server, sink.port)


def whoami():
    """The login that sendmail is run as."""
    return pwd.getpwuid(NOBODY if os.geteuid() == 0 else os.geteuid()).pw_name


def test_a_message_goes_to_the_recipients_of_the_command_line(postern, sink):
    got = sendmail(postern, "-f", "ann@here.example", "bob@there.example",
                   "Eve <eve@there.example>, carl@there.example", stdin=TEXT)
    assert (got.status, got.err) == (0, "")
    m = sink.wait()[0]
    assert m.sender == "ann@here.example"
    assert sorted(m.rcpts) == ["bob@there.example", "carl@there.example",
                               "eve@there.example"]
    assert m.body == b"Hello.\r\n"
    assert m.header("Subject") == ["hello"]
    assert len(m.header("Date")) == len(m.header("Message-ID")) == 1
    assert "ann@here.example" in m.header("From")[0]


def test_mail_of_cron_comes_in_from_whom_nobody_knows(server, sink):
    """A client of the same name would be refused: nobody could bounce."""
    p = begin(server, sink.port, relay="recipients ann@mx.test.example",
              queue="route to @mx.test.example relay out")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<root@mx.test.example>", 250)
        assert c.say("RCPT TO:<ann@mx.test.example>").startswith("550 5.1.8 ")
    got = sendmail(p, "-f", "root@mx.test.example", "ann@mx.test.example",
                   stdin=TEXT)
    assert (got.status, got.err) == (0, "")
    assert sink.wait()[0].sender == "root@mx.test.example"


def test_t_takes_recipients_of_the_header_and_hides_bcc(postern, sink):
    text = ("From: Ann <ann@here.example>\nTo: \"B, B\" <bob@there.example>,\n"
            "\tteam: carl@there.example, dan@there.example;\n"
            "Cc: eve@there.example (Eve)\nBcc: spy@there.example,\n"
            " fay@there.example\nDate: Sat, 21 Nov 2026 00:00:00 +0000\n"
            "Message-ID: <1@here.example>\n\nHello.\n")
    got = sendmail(postern, "-t", "-i", "gus@there.example", stdin=text)
    assert (got.status, got.err) == (0, "")
    m = sink.wait()[0]
    assert sorted(m.rcpts) == [n + "@there.example" for n in (
        "bob", "carl", "dan", "eve", "fay", "gus", "spy")]
    assert "spy" not in m.text and "fay" not in m.text
    assert m.header("Bcc") == []
    assert m.header("From") == ["Ann <ann@here.example>"]
    assert m.header("Message-ID") == ["<1@here.example>"]
    assert len(m.header("Date")) == 1


def test_the_sender_is_the_caller_unless_told_otherwise(postern, sink):
    env = {"NAME": "Ann D\u00f6rte"}
    got = sendmail(postern, "bob@there.example", stdin=TEXT, env=env)
    assert got.status == 0, got.err
    m = sink.wait()[0]
    assert m.sender.startswith(whoami() + "@")
    assert m.header("From")[0].startswith("=?utf-8?Q?")
    got = sendmail(postern, "-F", "A \"B\" C", "-r", "<>",
                   "bob@there.example", stdin=TEXT)
    assert got.status == 0, got.err
    m = sink.wait(2)[1]
    assert m.sender == ""
    assert m.header("From")[0].startswith('"A \\"B\\" C" <' + whoami())


def test_a_dot_ends_the_text_and_with_i_it_does_not(postern, sink):
    text = TEXT + ".\nmore\n..\n"
    sendmail(postern, "bob@there.example", stdin=text)
    sendmail(postern, "-i", "bob@there.example", stdin=text)
    sendmail(postern, "-oi", "bob@there.example", stdin=text)
    got = sorted(m.body for m in sink.wait(3))
    assert got == [b"Hello.\r\n"] + [b"Hello.\r\n.\r\nmore\r\n..\r\n"] * 2


def test_line_ends_of_any_kind_arrive_as_crlf(postern, sink):
    text = b"Subject: x\r\n\r\none\ntwo\r\nthree\rfour\r\n\xc3\xa4"
    got = sendmail(postern, "bob@there.example", stdin=text)
    assert got.status == 0, got.err
    m = sink.wait()[0]
    assert m.body == b"one\r\ntwo\r\nthree\r\nfour\r\n\xc3\xa4\r\n"


def test_no_header_at_all_is_fine(postern, sink):
    got = sendmail(postern, "bob@there.example", stdin="just text\n")
    assert got.status == 0, got.err
    assert sink.wait()[0].body == b"just text\r\n"


def test_a_large_message_arrives_whole(postern, sink):
    lines = ["line %d %s" % (n, "x" * 60) for n in range(40000)]
    got = sendmail(postern, "-i", "bob@there.example",
                   stdin=TEXT + "\n".join(lines) + "\n")
    assert got.status == 0, got.err
    want = "Hello.\r\n" + "\r\n".join(lines) + "\r\n"
    assert sink.wait(1, 60)[0].body == want.encode()


def test_what_other_mailers_know_is_ignored(postern, sink):
    got = sendmail(postern, "-B", "8BITMIME", "-N", "failure", "-R", "hdrs",
                   "-V", "id", "-O", "x=y", "-oem", "-odb", "-oi", "-om",
                   "-ep", "-G", "-bm", "-n", "-U", "-L", "tag", "-h", "3",
                   "--", "bob@there.example", stdin=TEXT)
    assert (got.status, got.err) == (0, "")
    sink.wait()


def test_wrong_use_is_told_and_sends_nothing(postern, sink):
    for args, text, status in (
            ([], TEXT, EX_USAGE), (["-t"], TEXT, EX_USAGE),
            (["-bd"], "", EX_USAGE), (["-bx"], "", EX_USAGE),
            (["-Z"], "", EX_USAGE), (["no address"], TEXT, EX_USAGE),
            (["-f", "a b", "bob@there.example"], TEXT, EX_USAGE),
            (["-t"], "To: a b c@x.example\n\nx\n", EX_DATAERR)):
        got = sendmail(postern, *args, stdin=text)
        assert got.status == status, (args, got.err)
        assert got.err
    assert sink.messages == []


def test_newaliases_checks_and_needs_no_server(server):
    text = ("process { run_dir run }\n" + LOCAL + "queue main { type lmdb; "
            "path run/q; relay out; aliases aliases }\n"
            "relay out { type blackhole }\n")
    server.configure(text)
    path = os.path.join(server.room.work, "aliases")
    for words, status in ("root: ann\n", 0), ("root: |/bin/x\n", 1):
        with open(path, "w") as f:
            f.write(words)
        os.chmod(path, 0o644)
        for more in {"name": "newaliases"}, {}:
            got = run(["postern-sendmail", "-C", server.path]
                      + ([] if more else ["-bi"]), **more)
            assert got.status == status, got.err
    assert "aliases:1:7: no program is run from here" in got.err


def test_who_is_away_is_a_failure_for_now(server):
    server.configure("process { run_dir run }\n" + LOCAL
                     + "queue main { type lmdb; path run/q; relay out }\n"
                     "relay out { type blackhole }\n")
    got = sendmail(server, "bob@there.example", stdin=TEXT)
    assert got.status == EX_TEMPFAIL and "not running" in got.err


def test_one_recipient_refused_and_nobody_gets_it(server, sink):
    p = begin(server, sink.port, relay="recipients @there.example")
    got = sendmail(p, "bob@there.example", "eve@elsewhere.example",
                   stdin=TEXT)
    assert got.status == EX_NOUSER, got.err
    assert "eve@elsewhere.example: 550" in got.err and "bob@" not in got.err
    assert sendmail(p, "bob@there.example", stdin=TEXT).status == 0
    assert sink.wait()[0].rcpts == ["bob@there.example"]
    assert len(sink.messages) == 1


def test_the_queue_knows_who_called(postern):
    postern.kill("relay", "out", signo=19)      # so that it stays
    got = sendmail(postern, "bob@there.example", stdin=TEXT)
    assert got.status == 0, got.err
    got = run(["posternctl", "-f", postern.path, "queue", "list", "--json"])
    uid = NOBODY if os.geteuid() == 0 else os.geteuid()
    assert got.lines[0]["login"] == "uid:%d" % uid
    assert got.lines[0]["client"] == "unix uid=%d" % uid
    got = run(["posternctl", "-f", postern.path, "queue", "list",
               "--login", "uid:%d" % uid])
    assert got.status == 0
    postern.kill("relay", "out", signo=18)


def test_a_writer_that_takes_its_time_holds_up_nobody(postern, sink):
    import subprocess
    from server import programs
    path = os.path.join(programs(), "postern-sendmail")
    who = {"user": NOBODY} if os.geteuid() == 0 else {}
    slow = subprocess.Popen([path, "-C", postern.path, "bob@there.example"],
                            stdin=subprocess.PIPE, **who)
    slow.stdin.write(b"Subject: slow\n\none\n")
    slow.stdin.flush()
    time.sleep(0.5)
    got = run(["posternctl", "-f", postern.path, "status", "--json"])
    edge = [l for l in got.lines if l.get("block") == "local"
            and l["kind"] == "process"][0]
    assert edge["counters"]["sessions"] == 0
    slow.stdin.write(b"two\n")
    slow.stdin.close()
    assert slow.wait(20) == 0
    assert sink.wait()[0].body == b"one\r\ntwo\r\n"


def test_a_configuration_may_be_named_from_where_one_stands(postern, sink):
    got = run(["postern-sendmail", "-C", "postern.conf", "bob@there.example"],
              stdin=TEXT, cwd=postern.room.work)
    assert got.status == 0, got.err
    sink.wait()


def test_more_recipients_than_the_edge_takes_at_a_time_all_get_it(server,
                                                                   sink):
    p = begin(server, sink.port, edge="max_recipients 100")
    names = ["u%d@there.example" % n for n in range(450)]
    text = "To: " + ",\n ".join(names) + "\n\nHello.\n"
    got = sendmail(p, "-t", stdin=text)
    assert (got.status, got.err) == (0, "")
    messages = sink.wait(5)
    assert sorted(r for m in messages for r in m.rcpts) == sorted(names)
    assert {m.body for m in messages} == {b"Hello.\r\n"}


def test_one_refused_among_very_many_and_nobody_gets_it(server, sink):
    p = begin(server, sink.port, edge="max_recipients 100",
              relay="recipients @there.example")
    names = ["u%d@there.example" % n for n in range(250)]
    names.append("eve@elsewhere.example")
    got = sendmail(p, *names, stdin=TEXT)
    assert got.status == EX_NOUSER
    assert got.err.count("550") == 1 and "eve@" in got.err
    assert not p.find_log(event="queued")


def test_lines_no_edge_takes_are_cut_and_folded(server, sink):
    p = begin(server, sink.port, relay="eightbit send")
    text = ("Subject: " + "word " * 3000 + "\nX-Long: " + "x" * 12000
            + "\n\n" + "\u00e4" * 6000 + "\n" + "y" * 9000 + "\n")
    got = sendmail(p, "bob@there.example", stdin=text)
    assert (got.status, got.err) == (0, "")
    m = sink.wait()[0]
    *cut, whole, last = m.body.split(b"\r\n")
    assert (whole, last) == (b"y" * 9000, b"")
    assert b"".join(cut).decode() == "\u00e4" * 6000
    head = m.data.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    assert max(map(len, head + cut)) <= 998
    for line in cut:
        line.decode()                   # no character is cut in two
    assert m.header("X-Long")[0].replace(" ", "") == "x" * 12000
    assert " ".join(m.header("Subject")[0].split()) == ("word " * 3000).strip()


def test_a_complaint_does_not_play_with_the_terminal(postern):
    for bad in (b"\x1b[31mred bad", b"\xe4", b"\xc2\x9b31m", b"a\x08b"):
        got = sendmail(postern, "-t", stdin=b"To: " + bad
                       + b"@x.example\n\nx\n")
        assert got.status == EX_DATAERR
        assert got.err.rstrip("\n").isprintable(), got.err


@pytest.mark.root
def test_any_user_may_send_and_no_set_id_bit_helps(root_server, users, sink):
    p = begin(root_server, sink.port)
    got = sendmail(p, "bob@there.example", stdin=TEXT, uid=23456)
    assert got.status == 0, got.err
    assert sink.wait()[0].sender.startswith("uid23456@")


def test_n_r_and_v_ask_for_reports(server, sinks):
    hop = sinks(extensions=("PIPELINING", "DSN"))
    p = begin(server, hop.port)
    got = sendmail(p, "-f", "ann@here.example", "-N", "failure, delay",
                   "-R", "hdrs", "-V", "order 7+1", "bob@there.example",
                   stdin=TEXT)
    assert (got.status, got.err) == (0, "")
    hop.wait()
    assert hop.commands[1].endswith(" RET=HDRS ENVID=order+207+2B1")
    assert hop.commands[2] == ("RCPT TO:<bob@there.example> "
                               "NOTIFY=FAILURE,DELAY")
    for wrong in (("-N", "soon"), ("-N", "never,delay"), ("-R", "all"),
                  ("-V", "a\nb"), ("-V", 101 * "x")):
        got = sendmail(p, *wrong, "bob@there.example", stdin=TEXT)
        assert got.status == EX_USAGE and wrong[0] in got.err
