"""The programs under test: start them in a directory of their own, watch
their log, find and kill their processes."""

import atexit
import functools
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

BUILD = os.environ.get("POSTERN_BUILD", "build")
SANITIZED = os.path.basename(BUILD) == "san"
NOBODY = 65534
# Leaks are for unit tests to find: from inside a sandbox nobody can look.
OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0",
           "UBSAN_OPTIONS": "print_stacktrace=1"}
PATIENCE = 60 if SANITIZED else 20      # seconds any one thing may take
PAIR = re.compile(r'([a-z_]+)=("(?:\\.|[^"\\])*"|\S*)')
REPORT = re.compile(r"Sanitizer|runtime error:|stack smashing|Assertion|"
                    r"has died\" signal=(?!9$)|event=trouble dropped=")


# Workers of one run take ports of ranges of their own, all below those that the
# kernel gives to clients; where in it they begin is each run's own.
RUN = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
PORTS = itertools.cycle(11000 + 4000 * RUN + (os.getppid() * 97 + i) % 4000
                        for i in range(4000))


def free_port():
    while True:
        port = next(PORTS)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def until(condition, seconds=None, what="condition"):
    """Poll until condition() is true, and return what it gave."""
    end = time.monotonic() + (seconds or PATIENCE)
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError("waited in vain: %s" % what)
        time.sleep(0.02)


class Line(dict):
    """A line of the log: its keys and values, the pid that wrote it as `by`,
    and the whole text."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        start = text.find("event=")
        who = re.search(r"\[(\d+)\]: event=", text)
        if who:
            self["by"] = who.group(1)
        if start >= 0:
            for key, value in PAIR.findall(text[start:]):
                if value.startswith('"'):
                    value = re.sub(r"\\(.)", r"\1", value[1:-1])
                self[key] = value

    def has(self, wanted):
        return all(self.get(k) == str(v) for k, v in wanted.items())


def basic(port, hop, process="", edge="", queue="", relay=""):
    """The configuration of most tests: one edge, one queue, one smarthost, who
    is not asked what it offers, for many count its connections."""
    if "ask_after" not in relay:
        relay += "; ask_after 0"
    return """
process { hostname mx.test.example; run_dir run; %s }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %d }
    queue main
    %s
}
queue main { type lmdb; path run/queue; relay out; %s }
relay out { type static; host 127.0.0.1; port %d; %s }
""" % (process, port, edge, queue, hop, relay)


@functools.cache
def programs():
    """A directory with copies, so that whoever we run as can reach them."""
    copy = tempfile.mkdtemp(prefix="postern-bin-")
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    os.chmod(copy, 0o755)
    for name in os.listdir(BUILD):
        if re.fullmatch(r"postern(-[a-z]+|ctl)?", name):
            shutil.copy2(os.path.join(BUILD, name), copy)
    return copy


class Room:
    """A directory for one test; work/ in it belongs to whoever we run as."""

    def __init__(self, owner):
        self.dir = tempfile.mkdtemp(prefix="postern-e2e-")
        os.chmod(self.dir, 0o755)
        self.work = os.path.join(self.dir, "work")
        os.mkdir(self.work)
        if owner is not None:
            os.chown(self.work, owner, owner)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Postern:
    """A running postern.  As root we become nobody first, unless the test
    wants the whole of root's sandbox (as_root)."""

    LOG_MODE = "ab"

    def __init__(self, room, as_root=False):
        self.room = room
        self.as_root = as_root
        self.path = os.path.join(room.work, "postern.conf")
        self.log = os.path.join(room.dir, "log")
        self.process = None
        self.reader = None
        self.closing = False
        self.excused = 0        # bytes of the log that stop() does not judge
        self.lines = []
        self.news = threading.Condition()

    def configure(self, text):
        # The hosts of the tests' zones are all on loopback.
        if "private_targets" not in text:
            text = text.replace("type mx", "type mx; private_targets yes")
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path, 0o644)

    def _demote(self):
        if os.geteuid() == 0 and not self.as_root:
            return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        return {}

    def command(self, *args):
        return [os.path.join(programs(), "postern"), *args]

    def check(self, *args):
        """Run postern -n to its end."""
        return subprocess.run(self.command("-n", "-f", self.path, *args),
                              capture_output=True, text=True, check=False,
                              timeout=PATIENCE, cwd=self.room.work,
                              **self._demote())

    def start(self, *args, ready=True, env=None, close_fds=True):
        # A file, because lines that would block in a pipe are dropped.
        since = self.mark()
        with open(self.log, self.LOG_MODE) as log:
            os.chmod(self.log, 0o666)
            self.process = subprocess.Popen(
                self.command("-f", self.path, *args), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, cwd="/",
                close_fds=close_fds,
                env=dict(os.environ, **OPTIONS, **(env or {})),
                **self._demote())
        if self.reader is None:
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()
        if ready:
            self.wait_ready(since)
        return self

    def _read(self):
        with open(self.log, "rb") as f:
            rest = b""
            while True:
                got = f.read()
                if not got:
                    if self.closing:
                        return
                    time.sleep(0.01)
                    continue
                *whole, rest = (rest + got).split(b"\n")
                with self.news:
                    self.lines += [Line(raw.decode("utf-8", "replace"))
                                   for raw in whole]
                    self.news.notify_all()

    def finish(self):
        """No more starts: read the log to its end."""
        self.closing = True
        if self.reader is not None:
            self.reader.join()
            self.reader = None

    def wait_ready(self, since=0):
        """Wait until master says that all is ready."""
        return self.wait_log(since=since, event="ready", by=self.process.pid)

    def mark(self):
        with self.news:
            return len(self.lines)

    def find_log(self, since=0, **wanted):
        with self.news:
            return [l for l in self.lines[since:] if l.has(wanted)]

    def wait_log(self, since=0, seconds=None, count=1, **wanted):
        """The count-th line (from 1) after `since` that has these values."""
        end = time.monotonic() + (seconds or PATIENCE)
        with self.news:
            at = since
            while True:
                while at < len(self.lines):
                    if self.lines[at].has(wanted):
                        count -= 1
                        if count == 0:
                            return self.lines[at]
                    at += 1
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise AssertionError("no line with %s; the last ones:\n%s"
                                         % (wanted, self.tail()))

    def tail(self, n=30):
        return "\n".join(l.text for l in self.lines[-n:])

    def processes(self):
        """pid -> title of master's living children."""
        pid = self.process.pid
        out = {}
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                children = f.read().split()
        except OSError:
            return out
        for child in children:
            try:
                with open("/proc/%s/cmdline" % child, "rb") as f:
                    title = f.read().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
            if title:
                out[int(child)] = title
        return out

    def pids(self, *words):
        """Children whose title has all these words."""
        return sorted(pid for pid, title in self.processes().items()
                      if all(re.search(r"\b%s\b" % re.escape(w), title)
                             for w in words))

    def pid(self, *words):
        found = until(lambda: self.pids(*words), what="process %s" % (words,))
        assert len(found) == 1, self.processes()
        return found[0]

    def kill(self, *words, signo=signal.SIGKILL):
        pid = self.pid(*words)
        os.kill(pid, signo)
        return pid

    def signal(self, signo):
        os.kill(self.process.pid, signo)

    def stop(self, status=0, seconds=None):
        """End it as an administrator would, and look for what went wrong."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            got = self.process.wait(seconds or PATIENCE)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise AssertionError("does not stop; last lines:\n" + self.tail())
        self.process = None
        with open(self.log, encoding="utf-8", errors="replace") as f:
            f.seek(self.excused)
            reports = [l for l in f if REPORT.search(l)]
        assert not reports, "%s\n%s" % (reports[0], self.tail(60))
        assert got == status, "status %d; last lines:\n%s" % (got, self.tail())

    def ended(self):
        """The exit status of one that ends by itself, with all of its log."""
        status = self.process.wait(PATIENCE)
        self.process = None
        with open(self.log, encoding="utf-8") as f:
            return status, f.read()

    def abandon(self):
        """Kill what is left, after a test that failed."""
        if self.process is None:
            return
        children = list(self.processes())
        self.process.kill()
        self.process.wait()
        self.process = None
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
