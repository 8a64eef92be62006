"""Who lives below a master, with how many descriptors and how much memory; and
whom a storm has left behind."""

import os

from measure import own_memory
from server import until


def stat(pid):
    """Parent and state of a process."""
    with open("/proc/%d/stat" % pid) as f:
        rest = f.read().rpartition(")")[2].split()
    return int(rest[1]), rest[0]


def everybody():
    """pid -> (parent, state) of all that runs."""
    out = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                out[int(name)] = stat(int(name))
            except (OSError, IndexError):
                pass
    return out


def below(pid):
    """All that descend from a process."""
    people, out = everybody(), []
    new = [pid]
    while new:
        new = [p for p, (parent, _) in people.items() if parent in new]
        out += new
    return out


def zombies(pid):
    people = everybody()
    return [p for p in below(pid) if people.get(p, (0, ""))[1] == "Z"]


def strays(p):
    """Processes of this room that master has lost: their command line names
    the room, or their title is ours, and they descend from nobody."""
    out = []
    for pid, (parent, state) in everybody().items():
        if parent != 1 or state == "Z" or pid == p.process.pid:
            continue
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                line = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
            room = os.readlink("/proc/%d/cwd" % pid)
        except OSError:
            continue
        if p.room.dir in line or room.startswith(p.room.dir):
            out.append((pid, line))
    return out


def descriptors(p):
    """title -> how many each process has open; needs root."""
    out = {"master": len(os.listdir("/proc/%d/fd" % p.process.pid))}
    for pid, title in p.processes().items():
        out[title] = len(os.listdir("/proc/%d/fd" % pid))
    return out


def memory(p):
    """title -> bytes of its own."""
    out = {"master": own_memory(p.process.pid)}
    for pid, title in p.processes().items():
        try:
            out[title] = own_memory(pid)
        except (FileNotFoundError, ProcessLookupError, KeyError):
            continue            # one of an old generation has just ended
    return out


def titles(p):
    return sorted(p.processes().values())


def settled(p, *wanted, seconds=30):
    """Wait until each process has as many descriptors as in one of these; its
    connections that idle, and links that are being made, take a while."""
    now = {}

    def same():
        try:
            now.clear()
            now.update(descriptors(p))
        except OSError:
            return False
        return set(now) == set(wanted[0]) and all(
            any(w[title] == cnt for w in wanted)
            for title, cnt in now.items())
    try:
        until(same, seconds)
    except AssertionError:
        raise AssertionError("descriptors: was %s, is %s" % (
            wanted, now)) from None
