"""logwatch, the real one, reads our log by the service that comes with us."""

import os
import re
import shutil
import subprocess

import pytest

from client import Client, send
from server import basic, free_port
from tool import ctl

pytestmark = pytest.mark.heavy
PEERS = os.environ.get("POSTERN_PEERS", "build/peers")
OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../conf/logwatch")


def logwatch(where, log, detail):
    """It with all its files in a directory of its own, and our three where
    its administrator would put them."""
    base = str(where / "base")
    if not os.path.exists(base):
        shutil.copytree(PEERS + "/usr/share/logwatch", base)
        with open(PEERS + "/usr/sbin/logwatch", encoding="utf-8") as f:
            text = f.read()
        text, cnt = re.subn(r'(?m)^my \$BaseDir = .*$',
                            'my $BaseDir = "%s";' % base, text)
        text, more = re.subn(r'(?m)^my \$ConfigDir = .*$',
                             'my $ConfigDir = "%s/none";' % base, text)
        assert (cnt, more) == (1, 1)
        (where / "logwatch").write_text(text)
        conf = base + "/default.conf"
        shutil.copy(OURS + "/postern", base + "/scripts/services/postern")
        with open(OURS + "/services.conf", encoding="utf-8") as f:
            text = re.sub(r"(?m)^\*JournalCtl.*\n", "", f.read())
        with open(conf + "/services/postern.conf", "w") as f:
            f.write(text.replace("LogFile = NONE", "LogFile = postern"))
        shutil.copy(OURS + "/logfiles.conf", conf + "/logfiles/postern.conf")
        os.mkdir(base + "/tmp")
    shutil.copy(log, base + "/postern.log")
    os.chmod(base + "/postern.log", 0o644)
    done = subprocess.run(
        ["perl", "-I", base + "/lib", str(where / "logwatch"), "--service",
         "postern", "--range", "all", "--output", "stdout", "--logdir", base,
         "--detail", detail], text=True, capture_output=True, check=False,
        env=dict(os.environ, TMPDIR=base + "/tmp"))
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def test_logwatch_counts_what_happened(server, sinks, tmp_path):
    hop = sinks(answer=lambda verb, line, session:
                "550 5.1.1 No such user" if verb == "RCPT" and "<no@" in line
                else "451 4.7.1 Later" if verb == "RCPT" and "<wait@" in line
                else None)
    p = server
    p.port = free_port()
    p.configure(basic(p.port, hop.port,
                      relay="recipients @there.example",
                      queue="retry { delay 3600 }"))
    p.start()
    for name in "bob", "eve", "no", "wait":
        send(p.port, "ann@here.example", name + "@there.example")
    with Client(p.port) as c:
        c.hello()
        c.want("MAIL FROM:<ann@here.example>", 250)
        c.want("RCPT TO:<x@elsewhere.example>", 550)
    for event in "deferred", "failed", "refused":
        p.wait_log(event=event)
    p.wait_log(event="delivered", count=2)
    assert ctl(p, "queue", "hold", "--all").status == 0
    p.wait_log(event="held")
    said = logwatch(tmp_path, p.log, "high")
    for line in (r"4  messages queued \(\d+ bytes\)",
                 r"1  tries deferred", r"1  recipients failed",
                 r"1  refused at the door",
                 r"1  no@there.example: 550 .*No such user",
                 r"1  out: 451 .*Later", r"\d  out$",
                 r"1  127.0.0.1: 550 "):
        assert re.search(r"(?m)^ *" + line, said), (line, said)
    assert "TROUBLE" not in said and "Attention" in said
