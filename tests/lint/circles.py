#!/usr/bin/env python3
"""circles.py - files of a room that call each other in a circle.

A file calls another one when it names a function or a table of it, as the
objects of the build say.  What is handed down in a table of calls, or as a
callback, is no call of the lower file: that is how a circle is cut.

  circles.py        the circles, a line each: room, how many files, their names
  circles.py -v     and by which names each file of them hangs on the others
  circles.py -c     compare with the block ```circles of ARCHITECTURE.md
"""
import glob
import os
import re
import subprocess
import sys

ROOMS = ("common", "conf", "master", "edge", "queue", "relay", "resolver",
         "vault", "ctl")
OBJECTS = "build/o"
UNSEEN = re.compile(r"crc_|seccomp_|signer_")   # one of several, by the host


def built(room):
    """The objects of a room's files, by file; and those that are not fresh."""
    objects, stale = {}, []
    for path in glob.glob(room + "/**/*.c", recursive=True):
        name = f"{OBJECTS}/{path[:-2]}.o"
        if os.path.exists(name) and \
                os.path.getmtime(name) >= os.path.getmtime(path):
            objects[name] = path[:-2]
        elif not UNSEEN.match(os.path.basename(path)):
            stale.append(path)
    return objects, stale


def graph(objects):
    """Who calls whom: {file: {other: names}}."""
    owner, wants = {}, {}
    out = subprocess.run(["nm", "-A", "-P", *objects], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        name, symbol, kind = line.replace(": ", " ", 1).split()[:3]
        if kind == "U":
            wants.setdefault(objects[name], set()).add(symbol)
        elif kind in "TDBRC":
            owner[symbol] = objects[name]
    calls = {path: {} for path in objects.values()}
    for path, symbols in wants.items():
        for symbol in symbols:
            if symbol in owner:
                calls[path].setdefault(owner[symbol], set()).add(symbol)
    return calls


def circles(calls):
    """The strongly connected parts of more than one file (Tarjan)."""
    seen, low, stack, found = {}, {}, [], []

    def visit(v):
        seen[v] = low[v] = len(seen)
        stack.append(v)
        for w in sorted(calls[v]):
            if w not in seen:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], seen[w])
        if low[v] == seen[v]:
            part = [stack.pop()]
            while part[-1] != v:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for v in sorted(calls):
        if v not in seen:
            visit(v)
    return sorted(found, key=lambda part: (-len(part), part))


def compare(lines):
    """Whatever differs from the book; growing and shrinking alike."""
    with open("ARCHITECTURE.md", encoding="utf-8") as f:
        book = re.search(r"```circles\n(.*?)```", f.read(), re.S)
    named = re.sub(r"\n +", " ", book.group(1)).splitlines() if book else []
    for line in sorted(set(lines) - set(named)):
        print("ARCHITECTURE.md: does not name this circle:", line)
    for line in sorted(set(named) - set(lines)):
        print("ARCHITECTURE.md: there is no such circle any more:", line)
    return set(lines) != set(named)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.setrecursionlimit(10000)
    lines, missing = [], []
    for room in ROOMS:
        objects, stale = built(room)
        missing += stale
        calls = graph(objects) if objects else {}
        for part in circles(calls):
            lines.append(" ".join([room, str(len(part)),
                                   *sorted(map(os.path.basename, part))]))
            if "-c" not in sys.argv[1:]:
                print(lines[-1])
            for v in part if "-v" in sys.argv[1:] else ():
                for w in sorted(set(calls[v]) & set(part)):
                    print(f"\t{v} -> {w}:", *sorted(calls[v][w]))
    if missing:
        print(f"not built, or since changed: {len(missing)} files, as",
              missing[0], "- make first")
        # Only a whole check insists: it has built everything.
        return 1 if os.environ.get("COUNTS") else 0
    return int(compare(lines)) if "-c" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
