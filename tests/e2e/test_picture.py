"""ARCHITECTURE.md shows what `make picture' prints."""

import os
import re
import subprocess

from server import BUILD

HERE = os.path.dirname(os.path.abspath(__file__))


def test_the_book_has_the_picture_of_the_code():
    got = subprocess.run([os.path.join(BUILD, "picture")], check=True,
                         capture_output=True, text=True).stdout
    with open(os.path.join(HERE, "../../ARCHITECTURE.md")) as f:
        book = re.search(r"```picture\n(.*?)```", f.read(), re.S).group(1)
    trim = lambda text: [l.rstrip() for l in text.strip().split("\n")]
    assert trim(book) == trim(got)
