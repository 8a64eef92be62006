"""postern-json(7) as a table, and whether an object is as it says."""

import functools
import os
import re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
TYPES = {"text": str, "number": int, "flag": bool, "time": str, "list": list,
         "object": dict}


def page_parts():
    with open(os.path.join(TOP, "man/postern-json.7"), encoding="utf-8") as f:
        text = f.read().split("\n.Sh OBJECTS\n")[1].split("\n.Sh ")[0]
    return re.split(r"^\.Ss (.*)$", text, flags=re.M)


def counters():
    """The names that the page has of these."""
    return set(re.findall(r"^\.It Li (\S+)$", page_parts()[-1], re.M))


@functools.cache
def sections():
    """Heading -> field -> its type, and whether it is always there."""
    parts = page_parts()
    return {title: {name: (sort, not some) for name, sort, some in re.findall(
                r"^\.It Li (\S+) Pq (\w+)(, not always)?$", part, re.M)}
            for title, part in zip(parts[1::2], parts[2::2])}


def check(title, row):
    """Every field that is there is in the page, with its type, and every one
    that the page says is always there is there."""
    page = sections()[title]
    assert page, title
    for name, value in row.items():
        assert name in page, "%s has a field %s: %s" % (title, name, row)
        sort = page[name][0]
        assert isinstance(value, TYPES[sort]) and (
            sort == "flag") == isinstance(value, bool), (title, name, value)
        assert sort != "time" or re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), (title, value)
    missing = [n for n, (_, always) in page.items() if always and n not in row]
    assert not missing, "%s lacks %s: %s" % (title, missing, row)
