"""postern -n: what is wrong is told before the start, all of it, with place
and proposal."""

import errno
import glob
import os
import re
import shutil
import socket
import subprocess

import pytest

from deny import deny
from hostfiles import stand_in
from server import OPTIONS, PATIENCE, basic, free_port

TOP = os.path.join(os.path.dirname(__file__), "../..")
MISTAKES = """process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port 99999 }
    max_siz 50M
    max_size 50MBB
    queue mian
    timeout 5m
    timeout 6m
}
edge out {
    type smtp
    listener { interface ""; port 2525 }
    queue main
}
queue main { type lmbd; path run/queue; relay out }
relay out { type static; host 127.0.0.1; ipv4_only maybe }
"""


def errors(server, text):
    server.configure(text)
    got = server.check()
    assert got.returncode == 1, got
    return got.stderr


def test_a_good_file_checks_silently(server):
    server.configure(basic(2525, 2526))
    got = server.check()
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")


def test_all_mistakes_are_told_in_one_run(server):
    got = errors(server, MISTAKES)
    lines = [int(line) for line in re.findall(
        r"postern\.conf:(\d+):\d+: (?!the first is here)", got)]
    for line in (4, 5, 6, 7, 9, 16, 17):
        assert line in lines, "line %d: %s" % (line, got)
    assert lines == sorted(lines), got


@pytest.mark.parametrize("wrong, right", [
    ("max_siz 50M", "max_size"),
    ("queue mian", "main"),
    ("type lmbd", "lmdb"),
])
def test_an_error_shows_line_and_caret_and_proposes(server, wrong, right):
    got = errors(server, MISTAKES)
    at = got.index(wrong)
    line, caret, rest = got[at:].split("\n", 2)
    assert "^" in caret, got
    near = got[got.rindex("postern.conf:", 0, at):at] + rest.split(
        "postern.conf:")[0]
    assert right in near, got


def test_an_open_relay_is_an_error(server):
    text = basic(free_port(), 2526).replace("interface 127.0.0.1",
                                            'interface ""')
    got = errors(server, text)
    assert "open relay" in got, got
    server.configure(text.replace("queue main\n", """queue main
        rules { only_recipients @test.example }\n""", 1))
    assert server.check().returncode == 0, server.check().stderr


@pytest.mark.parametrize("text, word", [
    ("edge in {\n    type smtp\n", "opened here"),
    ('edge in { banner "never ends\n}\n', "quot"),
    ("", "edge"),
])
def test_a_broken_file_is_an_error_not_a_crash(server, text, word):
    assert word in errors(server, text).lower()


def test_a_file_that_is_missing_is_named(server):
    server.path = server.path + ".gone"
    got = server.check()
    assert got.returncode == 1 and "postern.conf.gone" in got.stderr


def test_start_with_a_bad_file_ends_with_the_errors(server):
    server.configure(MISTAKES)
    status, log = server.start(ready=False).ended()
    assert status == 78 and "did you mean `max_size'" in log, log


def test_include_reads_files_beside_the_including_one(server):
    whole = basic(2525, 2526)
    at = whole.index("queue main {")
    with open(os.path.join(server.room.work, "part-1.inc"), "w") as f:
        f.write(whole[at:])
    server.configure(whole[:at] + '\ninclude "part-*.inc"\n')
    got = server.check()
    assert got.returncode == 0, got.stderr


@pytest.mark.parametrize("name", sorted(
    os.path.basename(p) for p in glob.glob(TOP + "/conf/examples/*.conf")))
def test_an_example_checks_clean(server, name):
    with open(os.path.join(TOP, "conf/examples", name)) as f:
        server.configure(stand_in(server, f.read()))
    got = server.check()
    assert got.returncode == 0, got.stderr


def literal_blocks(page):
    """The literal displays of a manual page, as they are read."""
    text = subprocess.run(["mandoc", "-Tmarkdown", page], check=True,
                          capture_output=True, text=True).stdout
    for block in re.findall(r"(?:^\t.*\n|^\n(?=\t))+", text, re.M):
        yield "\n".join(l[1:] for l in block.split("\n")).strip("\n")


def test_the_examples_of_the_manual_check_clean(server):
    found = [b for b in literal_blocks(TOP + "/man/postern.conf.5")
             if b.startswith("# postern.conf")]
    assert found
    for text in found:
        server.configure(stand_in(server, text))
        got = server.check()
        assert got.returncode == 0, got.stderr


def test_the_shipped_configuration_checks_clean(server):
    server.path = shutil.copy(TOP + "/conf/postern.conf", server.room.work)
    got = server.check()
    assert got.returncode == 0, got.stderr


def say(server, call=None, flags=()):
    """What a start says that ends at once, where a call fails with EPERM."""
    done = subprocess.run(
        server.command(*flags, "-f", server.path), capture_output=True,
        text=True, check=False, timeout=PATIENCE, cwd=server.room.work,
        preexec_fn=deny(call, errno.EPERM) if call else None,
        env=dict(os.environ, **OPTIONS), **server._demote())
    return done.returncode, done.stderr


@pytest.mark.heavy      # seccomp is off there
def test_what_the_kernel_refuses_is_no_mistake_of_the_configuration(server):
    server.configure(basic(free_port(), 25))
    for call, words in (
            ("seccomp", "seccomp failed: Operation not permitted"),
            ("memfd_create", "hand over the plan: Operation not permitted"),
            ("flock", 'cannot take the lock" file=')):
        status, said = say(server, call)
        assert status == 1 and words in said, (status, said)
        assert "has mistakes" not in said and "Invalid" not in said, said
        assert "another postern" not in said, said


def test_a_port_in_use_is_told_with_its_line_and_who_has_it(server):
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", free_port()))
        holder.listen()
        port = holder.getsockname()[1]
        server.configure(basic(port, 25))
        status, said = say(server)
    assert status == 1
    assert "place=%s:5 " % server.path in said, said
    assert "a process of user %d listens there" % os.geteuid() in said, said
