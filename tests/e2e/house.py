"""A host of its own: another root with the host's programs and a small /etc,
a network with nothing but loopback, and postern installed below /opt.
Commands run in it as an administrator types them, so no path and no port is
elsewhere."""

import ctypes
import os
import re
import shutil
import subprocess
import threading

from peers import Authority
from server import OPTIONS, PATIENCE, REPORT, Room, until
from test_example import installed

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CLONE_NEWNET = 0x40000000
BOX = """
r=$1; cd $r && mount --make-rprivate / && mount --bind $r $r && cd $r || exit 1
for d in bin sbin lib lib32 lib64 libx32; do
    if [ -L /$d ]; then cp -P /$d $d
    elif [ -d /$d ]; then mkdir $d && mount --bind /$d $d; fi || exit 1
done
mount --rbind /usr usr && mount --rbind /dev dev && mount --rbind /proc proc &&
mount --bind "$2" opt &&
mount -t tmpfs -o mode=755 tmpfs run && mount -t tmpfs -o mode=1777 tmpfs tmp &&
ip link set lo up && pivot_root . old && umount -l old &&
mkdir /run/here && exec sleep 1000000
"""
# As systemd does it with postern.service, and with Dovecot's.
SYSTEMCTL = """#!/bin/sh
stop() {
    [ -s "$1" ] && pid=$(cat "$1") && kill $pid && while kill -0 $pid
    do sleep .05; done
} 2>/dev/null
case "$1 $2" in
none*) ;;
*" dovecot") mkdir -p /run/dovecot; stop /run/dovecot/master.pid
    dovecot </dev/null >/var/log/dovecot 2>&1 ;;
"reload postern") exec posternctl reload ;;
"stop postern") stop /run/postern/lock || : ;;
"start postern") setsid postern </dev/null >/dev/null 2>>/var/log/started &
    for i in $(seq 600); do
        said=$(posternctl status --json 2>/dev/null)
        case $said in
        *'"state":"starting"'*) ;;
        *'"role":"edge"'*) exit 0 ;;
        esac
        sleep .1
    done; exit 1 ;;
*) exit 1 ;;
esac
"""
HOSTS = """127.0.0.1 localhost
127.0.0.1 mx.example.org web1.example.org
127.0.0.2 smtp.example.net
"""
PEOPLE = ("ann", "bob", "vmail")


class House:
    """root is its root as we see it.  postern is started by systemctl."""

    def __init__(self):
        self.room = Room(None)
        self.root = os.path.join(self.room.dir, "root")
        for d in ("proc dev usr opt run tmp old root etc/ssl/certs "
                  "etc/ssl/private etc/postern "
                  "var/lib/postern var/lib/logrotate var/log home/ann home/bob "
                  "var/vmail").split():
            os.makedirs(os.path.join(self.root, d))
        os.makedirs(self.root + "/var/mail")
        os.chmod(self.root + "/var/mail", 0o2775)
        self._people()
        self.ca = Authority(self.room.dir)
        self.certify("/etc/ssl/certs/mx.pem", "/etc/ssl/private/mx.key")
        shutil.copy(self.ca.cert, self.root +
                    "/etc/ssl/certs/ca-certificates.crt")
        self.write("/etc/hosts", HOSTS)
        self.write("/etc/mailname", "example.org\n")
        self.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                   "shadow: files\nhosts: files\n")
        for name in ("ld.so.cache", "ld.so.conf", "logrotate.conf"):
            shutil.copy("/etc/" + name, self.root + "/etc")
        for name in ("dovecot", "alternatives", "pam.d", "ld.so.conf.d"):
            shutil.copytree("/etc/" + name, self.root + "/etc/" + name,
                            symlinks=True)
        self.certify("/etc/dovecot/private/dovecot.pem",
                     "/etc/dovecot/private/dovecot.key")
        self.write("/usr-local/systemctl", SYSTEMCTL, 0o755)
        self._open()

    def _people(self):
        for name in "passwd", "group":
            with open("/etc/" + name, encoding="utf-8") as f:
                lines = [l for l in f if not re.match(
                    r"(_postern-\w+|%s):" % "|".join(PEOPLE), l)]
            self.write("/etc/" + name, "".join(lines))
        units = os.path.join(self.room.dir, "users.conf")
        with open(TOP + "/system/sysusers.conf", encoding="ascii") as f:
            text = f.read()
        with open(units, "w", encoding="ascii") as f:
            f.write(text + "".join(
                'u %s %d "" /home/%s /bin/sh\n' % (n, 2000 + i, n)
                for i, n in enumerate(PEOPLE)))
        subprocess.run(["systemd-sysusers", "--root", self.root, units],
                       check=True, capture_output=True)
        for i, name in enumerate(PEOPLE[:2]):
            os.chown(self.root + "/home/" + name, 2000 + i, 2000 + i)
        os.chown(self.root + "/var/vmail", 2002, 2002)
        shutil.chown(self.root + "/var/mail", "root", "mail")

    def _open(self):
        self.holder = subprocess.Popen(
            ["unshare", "-m", "-n", "bash", "-c", BOX, "box", self.root,
             installed()], stdin=subprocess.DEVNULL)
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "-r",
                      "-w", "env", "PATH=/usr-local:/opt/usr/sbin:/opt/usr/bin:"
                      "/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
        until(lambda: subprocess.run(
            [*self.enter, "test", "-d", "/run/here"], check=False,
            capture_output=True).returncode == 0, what="the house")

    def certify(self, cert, key, name="mx.example.org"):
        """A new certificate for a name, and its key, at these paths."""
        for path, made, mode in zip((cert, key), self.ca.issue("DNS:" + name),
                                    (0o644, 0o600)):
            with open(made, encoding="ascii") as f:
                self.write(path, f.read(), mode)

    def write(self, path, text, mode=0o644):
        """A file of the house; path is as seen from within."""
        at = self.root + path
        os.makedirs(os.path.dirname(at), exist_ok=True)
        with open(at, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(at, mode)

    def read(self, path):
        try:
            with open(self.root + path, encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def type(self, line, stdin="", status=None):
        """Run a line of the shell to its end, and return what it said.  That
        of status is what it found."""
        good = (0, 1, 2) if line.startswith("posternctl status") else (0,)
        done = subprocess.run(
            [*self.enter, "bash", "-c", line], text=True, input=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            timeout=2 * PATIENCE, env=dict(os.environ, **OPTIONS))
        assert done.returncode in (good if status is None else (status,)), (
            line, done.stdout, self.read("/var/log/started")[-3000:])
        return done.stdout

    def within(self, call):
        """What it returns, run in a thread that is in the house's network:
        the sockets that it makes are there."""
        got = []

        def run():
            with open("/proc/%d/ns/net" % self.holder.pid, "rb") as ns:
                if ctypes.CDLL(None, use_errno=True).setns(
                        ns.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            got.append(call())
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return got[0]

    def close(self):
        """End what runs in it, and look for what went wrong."""
        for pid in "/run/postern/lock", "/run/dovecot/master.pid":
            subprocess.run([*self.enter, "sh", "-c", ". /usr-local/systemctl; "
                            "stop " + pid, "sh", "none", ""], check=False,
                           timeout=2 * PATIENCE, capture_output=True)
        self.holder.kill()
        self.holder.wait()
        log = self.read("/var/log/started")
        self.room.remove()
        reports = [l for l in log.splitlines() if REPORT.search(l)]
        assert not reports, reports[0] + "\n" + log[-3000:]
