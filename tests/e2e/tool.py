"""posternctl and sendmail as a person calls them."""

import json
import os
import subprocess

from server import NOBODY, OPTIONS, PATIENCE, programs

LOCAL = """
edge local { type smtp; listener { path run/sendmail }; queue main }
"""


class Ran:
    """What a program that has ended left behind."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def lines(self):
        return [json.loads(l) for l in self.out.splitlines()]


def run(args, stdin="", uid=None, cwd="/", env=None, name=None, groups=()):
    """Run one of our programs; as root, as `uid` (nobody, as postern), also a
    member of these groups."""
    who = {}
    if os.geteuid() == 0:
        uid = NOBODY if uid is None else uid
        who = {"user": uid, "group": uid, "extra_groups": groups}
    path = os.path.join(programs(), args[0])
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run([name or path, *args[1:]], executable=path,
                          input=data, capture_output=True, check=False,
                          timeout=PATIENCE, cwd=cwd,
                          env=dict(os.environ, **OPTIONS, **(env or {})),
                          **who)
    done.stdout = done.stdout.decode()
    done.stderr = done.stderr.decode()
    return Ran(done)


def ctl(postern, *args, **more):
    return run(["posternctl", "-f", postern.path, *args], **more)


def sendmail(postern, *args, **more):
    return run(["postern-sendmail", "-C", postern.path, *args], **more)
