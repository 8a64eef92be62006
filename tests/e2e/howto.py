"""postern-howto(7) as a table: what each recipe has one write and type."""

import functools
import os
import re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CONF = "/etc/postern/postern.conf"


def plain(text):
    """What a display of the page shows."""
    return (text.replace("\\&", "").replace("\\(dq", '"')
            .replace("\\e", "\\"))


class Recipe:
    """files: path and text, in their order; steps: what is typed, in order,
    a list of lines for each display; other: displays of other servers."""

    def __init__(self, part):
        self.files, self.steps, self.other = [], [], []
        for text in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", part,
                               re.M | re.S):
            text = plain(text)
            path = re.match(r"(?:#!.*\n)?# (/\S+|postern\.conf)\n", text)
            if path:
                name = path.group(1)
                self.files.append((CONF if name == "postern.conf" else name,
                                   text))
            elif re.match(r"[a-z(][\w.-]* ?[\w/$('-]", text) and not re.match(
                    r"(table|edge:)", text):
                self.steps.append(text.splitlines())
            else:
                self.other.append(text)


def page():
    with open(os.path.join(TOP, "man/postern-howto.7"), encoding="utf-8") as f:
        return f.read()


def day():
    """The tasks of a day: what and the command."""
    part = page().split("\n.Sh THE DAY OF AN ADMINISTRATOR\n")[1]
    return [(what, plain(line)) for what, line in re.findall(
        r"^\.It (.*)\n\.Dl (.*)$", part.split("\n.Sh ")[0], re.M)]


@functools.cache
def recipes():
    parts = re.split(r"^\.Ss (.*)$", page().split("\n.Sh THE DAY")[0],
                     flags=re.M)
    return {title: Recipe(part)
            for title, part in zip(parts[1::2], parts[2::2])}


if __name__ == "__main__":      # for debian/tests: the lines of a recipe
    import sys
    print("\n".join(sum(recipes()[sys.argv[1]].steps, [])))
