"""What a process uses: memory of its own, and signs of its sandbox."""

import threading
import time


def status(pid):
    """/proc/PID/status as a dict."""
    with open("/proc/%d/status" % pid) as f:
        return dict(l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)


def own_memory(pid):
    """Bytes of memory that is its own: private and dirty, file maps aside."""
    return int(status(pid)["RssAnon"].split()[0]) * 1024


class Watch:
    """Samples the memory of processes while a block runs; .growth has the
    most each grew, in bytes."""

    def __init__(self, pids):
        self.first = {pid: own_memory(pid) for pid in pids}
        self.most = dict(self.first)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _look(self):
        for pid in self.first:
            try:
                self.most[pid] = max(self.most[pid], own_memory(pid))
            except (OSError, KeyError):
                pass

    def _run(self):
        while not self.done.is_set():
            self._look()
            time.sleep(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.done.set()
        self.thread.join()
        self._look()
        self.growth = {pid: self.most[pid] - self.first[pid]
                       for pid in self.first}
