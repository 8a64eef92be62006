"""What `make picture' prints, ARCHITECTURE.md and postern-relay(8) show."""

import os
import re
import subprocess

from server import BUILD

HERE = os.path.dirname(os.path.abspath(__file__))
REPLY = re.compile(r"^(DONE|LATER|NEVER) +\w+ +(\d{3} .*)\n +(.*)\n", re.M)


def picture():
    return subprocess.run([os.path.join(BUILD, "picture")], check=True,
                          capture_output=True, text=True).stdout


def page(path):
    with open(os.path.join(HERE, "../..", path)) as f:
        return f.read()


def test_the_book_has_the_picture_of_the_code():
    got = REPLY.sub("", picture())
    book = re.search(r"```picture\n(.*?)```", page("ARCHITECTURE.md"),
                     re.S).group(1)
    trim = lambda text: [l.rstrip() for l in text.strip().split("\n")]
    assert trim(book) == trim(got)


def test_the_page_has_each_reply_of_a_relays_own_and_why():
    rows = REPLY.findall(picture())
    assert {c for c, _, _ in rows} == {"DONE", "LATER", "NEVER"}
    lists = re.findall(r"tried again:\n(.*?)\n\.El.*?told:\n(.*?)\n\.El",
                       page("man/postern-relay.8"), re.S)
    shown = [(said.replace("\\&", ""), " ".join(why.split("\n")))
             for part in lists[0]
             for said, why in re.findall(
                 r"^\.It (.*)\n((?:[^.].*\n?)+)", part + "\n", re.M)]
    assert [(s, w.strip()) for s, w in shown] == [
        (text, why) for kind in ("LATER", "NEVER")
        for c, text, why in rows if c == kind]
