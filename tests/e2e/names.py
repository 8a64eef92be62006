"""A name server of the tests' own: NSD on a free port of 127.0.0.1, with zones
that ldns signs."""

import glob
import os
import shutil
import socket
import subprocess
import time

from server import free_port, until
from sinks import peer

CONF = """
server:
    ip-address: 127.0.0.1@%(port)d
    port: %(port)d
    username: ""
    chroot: ""
    zonesdir: "%(dir)s"
    pidfile: ""
    database: ""
    zonelistfile: "%(dir)s/list"
    xfrdfile: ""
    xfrdir: "%(dir)s"
    logfile: "%(dir)s/log"
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""
ZONE = """$ORIGIN %s.
$TTL 300
@ IN SOA ns hostmaster 1 3600 900 604800 60
@ IN NS ns
ns IN A 127.0.0.1
%s
"""
# A header and a question for the root's SOA; any answer will do.
QUESTION = b"\0\1\0\0\0\1\0\0\0\0\0\0" b"\0" b"\0\6\0\1"


class Names:
    """zone() adds zones, start() serves them; address is "127.0.0.1@port"."""

    def __init__(self, dir):
        self.dir = os.path.join(dir, "names")
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.address = "127.0.0.1@%d" % self.port
        self.zones, self.process = [], None
        self.anchors = os.path.join(self.dir, "anchors")
        with open(self.anchors, "w", encoding="ascii") as f:
            f.write("; what we trust\n")
        os.chmod(self.anchors, 0o644)

    def _run(self, *command):
        return subprocess.run(command, cwd=self.dir, check=True, text=True,
                              capture_output=True).stdout.strip()

    def zone(self, name, records, signed=False, forge=None):
        """Serve these records below the name.  forge is a pair of texts, one
        of which takes the other's place when all is signed."""
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(ZONE % (name, records))
        if signed:
            key = self._run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", name)
            self._run("ldns-signzone", "-o", name, name, key)
            os.rename(path + ".signed", path)
            for ds in glob.glob(os.path.join(self.dir, key + ".ds")):
                with open(ds, encoding="ascii") as f, \
                        open(self.anchors, "a", encoding="ascii") as out:
                    out.write(f.read() + "\n")
        if forge:
            with open(path, encoding="ascii") as f:
                text = f.read()
            assert forge[0] in text
            with open(path, "w", encoding="ascii") as f:
                f.write(text.replace(*forge))
        self.zones.append(name)

    def change_anchors(self, change=lambda digest: digest[::-1]):
        """Have other digests there than those of the keys; done twice they
        are right again."""
        with open(self.anchors, encoding="ascii") as f:
            lines = f.read().splitlines()
        with open(self.anchors, "w", encoding="ascii") as f:
            for line in lines:
                head, _, digest = line.rpartition(" ")
                if "\tDS\t" in head:
                    line = head + " " + change(digest)
                f.write(line + "\n")

    def start(self):
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(CONF % {"port": self.port, "dir": self.dir})
            for name in self.zones:
                f.write("zone:\n    name: %s\n    zonefile: %s\n"
                        % (name, name))
        program = shutil.which("nsd") or peer("nsd")[0]
        self.process = subprocess.Popen([program, "-d", "-c", conf],
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until(self._answers, what="nsd")
        return self

    def _answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.connect(("127.0.0.1", self.port))
                s.send(QUESTION)
                return len(s.recv(512)) >= 12
            except OSError:
                time.sleep(0.05)
                return False

    def resolver(self):
        """The block for `process { }'."""
        return "resolver { %s trust_anchor %s }" % (
            "".join("stub %s %s; " % (name, self.address)
                    for name in self.zones), self.anchors)

    def close(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
