"""fail2ban, the real one, finds by our filter who has guessed at passwords, and
nobody else, whatever they say of themselves."""

import os
import subprocess

from client import Client
from howto import recipes
from server import free_port
from test_users import CHEAP, CONF, accounts, plain

PEERS = os.environ.get("POSTERN_PEERS", "build/peers")
CONF_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../conf")
TRICKS = ("ann", "a b", 'x" client=192.0.2.1 command=AUTH code=535',
          "event=refused session=1 client=192.0.2.2 command=AUTH code=535",
          "\\", 'q\\" client=192.0.2.3 command=AUTH code=535')


def found(log):
    """Whom it would ban, a line each."""
    said = subprocess.run(
        ["/usr/bin/python3", PEERS + "/usr/bin/fail2ban-regex", "-c",
         PEERS + "/etc/fail2ban", "-o", "ip", log,
         CONF_DIR + "/fail2ban/postern-login.conf"],
        text=True, capture_output=True, check=False,
        env=dict(os.environ, PYTHONPATH=PEERS +
                 "/usr/lib/python3/dist-packages"))
    assert said.returncode == 0, said
    return said.stdout.split()


def test_who_guesses_is_found_and_nobody_is_taken_for_him(server, sink):
    p = server
    p.port = free_port()
    p.configure(CONF % (p.port, sink.port))
    accounts(p, "ann:" + CHEAP)
    p.start()
    with Client(p.port, source="127.0.0.9") as c:
        for trick in TRICKS[1:]:
            c.say("EHLO " + trick)
            c.say("MAIL FROM:<%s>" % trick)
            c.say("AUTH " + trick)
            c.say(trick)
    for trick in TRICKS:
        with Client(p.port, source="127.0.0.2") as c:
            c.say("EHLO " + trick.replace(" ", "."))
            c.want("EHLO guess.example", 250)
            c.want("AUTH PLAIN " + plain(trick, "wrong"), 535)
    with Client(p.port, source="127.0.0.8") as c:
        c.hello()
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)
    p.wait_log(event="logged_in")
    assert found(p.log) == ["127.0.0.2"] * len(TRICKS)


def said(text):
    return [l.split() for l in text.splitlines() if not l.startswith("#")]


def test_recipes_and_files_that_come_with_us_say_the_same():
    recipe = recipes()
    for (path, text), name in zip(
            recipe["fail2ban"].files + recipe["Log rotation"].files,
            ("fail2ban/postern-login.conf", "fail2ban/postern-jail.conf",
             "logrotate")):
        with open(os.path.join(CONF_DIR, name), encoding="ascii") as f:
            assert said(text) == said(f.read()), path
