"""The Debian packages: what lintian and systemd say of them, and what runs out
of them.  They are packed from the programs under test; `make deb` builds."""

import fcntl
import functools
import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from server import BUILD, PATIENCE, until

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
EXPOSURE = 3.3      # systemd-analyze security; less is better


def run(*command, cwd=TOP, env=None):
    done = subprocess.run(command, cwd=cwd, env=env, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def figure(text):
    """For the line of figures at the end of make check."""
    if os.environ.get("POSTERN_FIGURES"):
        with open(os.environ["POSTERN_FIGURES"], "a", encoding="ascii") as f:
            f.write(text + "\n")


def newest(*paths):
    """The time of the last change to a file in one of these."""
    return max(os.stat(os.path.join(where, f)).st_mtime
               for path in paths
               for where, _, files in os.walk(os.path.join(TOP, path))
               for f in files)


@functools.cache
def packages():
    """A directory with the packages, made by the first worker that asks."""
    place = "%s/packed-%d" % (BUILD, os.geteuid())
    with open(place + ".lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        debs = glob.glob(place + "/*.deb")
        changed = max([newest("debian", "system", "man", "conf")] + [
            os.stat(p).st_mtime for p in glob.glob(BUILD + "/postern*")
            if os.path.isfile(p)])
        if len(debs) != 2 or min(map(os.path.getmtime, debs)) <= changed:
            run("debian/make.sh", place, BUILD)
            for deb in glob.glob(place + "/*.deb"):
                run("dpkg-deb", "-x", deb, place + "/root")
    return place


def unpacked():
    """A directory in the place of the root, with both packages in it."""
    return packages() + "/root"


def rows(path, word):
    """What stands between the brackets of each row of a table."""
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    found = re.findall(r"^%s\((.*?)\)$" % word, text, re.M | re.S)
    assert len(found) > 5
    return found


@pytest.mark.heavy
def test_lintian_has_nothing_to_say():
    changes, = glob.glob(packages() + "/*.changes")
    said = run("lintian", "--allow-root", "-I", "--pedantic", "--fail-on",
               "error,warning,info,pedantic", changes)
    assert said == ""
    figure("lintian --pedantic 0")
    figure("packages %d KiB" % (sum(map(os.path.getsize, glob.glob(
        packages() + "/*.deb"))) / 1024))


@pytest.mark.heavy
def test_the_packages_depend_on_what_they_are():
    debs = {os.path.basename(d).split("_")[0]: d
            for d in glob.glob(packages() + "/*.deb")}
    assert set(debs) == {"postern", "postern-mta"}
    mta = run("dpkg-deb", "-f", debs["postern-mta"])
    for field in "Provides", "Conflicts", "Replaces":
        assert field + ": mail-transport-agent\n" in mta
    alone = run("dpkg-deb", "-f", debs["postern"])
    depends = run("dpkg-deb", "-f", debs["postern"], "Depends")
    figure("%d dependencies" % len(depends.split(",")))
    assert "mail-transport-agent" not in alone
    kept = set(run("dpkg-deb", "-I", debs["postern"], "conffiles").split())
    assert kept == {"/etc/postern/postern.conf"}
    for name in "sendmail", "mailq", "newaliases", "rmail":
        path, = glob.glob(unpacked() + "/usr/*bin/" + name)
        assert os.path.isfile(path), "a link that leads nowhere"
    for page in "sendmail", "mailq", "newaliases", "rmail":
        assert os.path.isfile("%s/usr/share/man/man1/%s.1.gz" % (
            unpacked(), page))


@pytest.mark.heavy
def test_each_user_of_the_list_of_roles_is_made():
    wanted = {f for r in rows("common/sys/roles.def", "ROLE")
              for f in re.findall(r'"(_[a-z-]+)"', r)}
    with open(unpacked() + "/usr/lib/sysusers.d/postern.conf",
              encoding="ascii") as f:
        made = set(re.findall(r"^u (\S+) ", f.read(), re.M))
    assert made == wanted
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(root + "/etc")
        run("systemd-sysusers", "--root", root,
            unpacked() + "/usr/lib/sysusers.d/postern.conf")
        with open(root + "/etc/passwd", encoding="ascii") as f:
            assert wanted <= {line.split(":")[0] for line in f}


@pytest.mark.heavy
def test_the_units_are_hardened_and_name_what_is_there():
    units = glob.glob(unpacked() + "/lib/systemd/system/*.service")
    assert len(units) == 2
    for unit in units:
        with open(unit, encoding="ascii") as f:
            text = f.read()
        for program in re.findall(r"^Exec\w+=(/\S+)", text, re.M):
            assert os.access(unpacked() + program, os.X_OK), program
        # Programs and pages are not in this host's root, and so unknown.
        said = [line for line in subprocess.run(
            ["systemd-analyze", "verify", unit], capture_output=True,
            text=True, check=False).stderr.splitlines()
            if os.path.basename(unit) + ":" in line.split(" ")[0] and
            re.search(r":\d+:", line)]
        assert said == []
        told = run("systemd-analyze", "security", "--offline=true",
                   "--no-pager", "--threshold=%d" % (EXPOSURE * 10), unit)
        level = float(re.search(r"exposure level for \S+ ([\d.]+)",
                                told).group(1))
        assert level <= EXPOSURE, told
        figure("exposure of %s %.1f" % (os.path.basename(unit), level))
        # And nothing that the unit does not give a reason for.
        against = re.findall(r"^\u2717 (\S+) .* ([\d.]+)\s*$", told, re.M)
        given = re.findall(r"^#\t(\S+)\s+([\d.]+)  \S", text, re.M)
        assert sorted(against) == sorted(given)


@pytest.mark.heavy
def test_a_shell_completes_every_command():
    path = unpacked() + "/usr/share/bash-completion/completions/posternctl"
    for r in rows("ctl/tool/commands.def", "COMMAND"):
        verb, second = re.match(r'"([^"]*)",\s*"([^"]*)"', r).groups()
        words = ["posternctl", verb] + ([second] if second else [])
        said = run("bash", "-c", ". %s; COMP_WORDS=(%s); COMP_CWORD=%d; "
                   "_posternctl; echo ${COMPREPLY[@]}" % (
                       path, " ".join(words), len(words) - 1))
        assert words[-1] in said.split(), (words, said)


def files_below(root):
    return {os.path.join(where, f)[len(root):]
            for where, _, files in os.walk(root) for f in files}


@pytest.mark.heavy
def test_the_packages_of_fedora_have_the_same_files():
    with tempfile.TemporaryDirectory() as place:
        made = run("rpm/make.sh", place, BUILD).split()
        assert [os.path.basename(m).rsplit("-", 2)[0] for m in made] == [
            "postern-mta", "postern"]
        told = {m: run("rpm", "--dbpath", place, "-qpl", m).split()
                for m in made}
        mta = run("rpm", "--dbpath", place, "-qp", "--provides", made[0])
        scripts = run("rpm", "--dbpath", place, "-qp", "--scripts", made[1])
        kept = run("rpm", "--dbpath", place, "-qpc", made[1])
    assert kept.split() == ["/etc/postern/postern.conf"]
    assert "server(smtp)\n" in mta
    assert "/usr/sbin/sendmail" in told[made[0]]
    assert "/usr/sbin/sendmail" not in told[made[1]]
    # Its users are there before the directories that are theirs.
    assert scripts.index("systemd-sysusers postern.conf") < scripts.index(
        "systemd-tmpfiles --create postern.conf")
    # Only their places differ, and who compresses what.
    names = {f.replace("/vendor-completions/", "/site-functions/")
             .replace("/usr/share/doc/postern-mta/", "/usr/share/doc/postern/")
             .removeprefix("/usr").removesuffix(".gz")
             for f in files_below(unpacked())
             if not re.search("/lintian/|/(changelog|copyright)", f)}
    ours = {f.removeprefix("/usr").removesuffix(".gz")
            for m in made for f in told[m]}
    assert names - ours == set()


# What is unpacked, started by root where nothing else is.

ROOM = """
mount --make-rprivate / && mount -t tmpfs none /run &&
mount -t tmpfs none /var/lib && mount -t tmpfs -o mode=2775,gid=8 none \
    /var/mail && mount --bind "$1/passwd" /etc/passwd &&
mount --bind "$1/group" /etc/group && ip link set lo up && shift && exec "$@"
"""


class Installed:
    """The programs of the packages, with a network, /run and /var/lib of their
    own, and with the users of the list or without them."""

    def __init__(self, place, with_users):
        self.usr = unpacked() + "/usr/"
        self.conf = unpacked() + "/etc/postern/postern.conf"
        self.log = place + "/log"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(place + "/notify")
        self.socket.settimeout(PATIENCE)
        os.mkdir(place + "/etc")
        for name in "passwd", "group":
            shutil.copy("/etc/" + name, place + "/etc")
            with open(place + "/etc/" + name, "r+", encoding="utf-8") as f:
                lines = [l for l in f if not l.startswith("_postern-")]
                f.seek(0)
                f.truncate()
                f.writelines(lines)
        if with_users:
            run("systemd-sysusers", "--root", place,
                self.usr + "lib/sysusers.d/postern.conf")
        with open(self.log, "wb") as log:
            journal = os.stat(self.log)
            self.process = subprocess.Popen(
                ["unshare", "-mn", "sh", "-c", ROOM, "sh", place + "/etc",
                 self.usr + "sbin/postern", "-f", self.conf],
                stderr=log, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                 "NOTIFY_SOCKET": place + "/notify",
                                 "JOURNAL_STREAM": "%d:%d" % (
                                     journal.st_dev, journal.st_ino)})

    def told(self, word):
        """Wait until the service manager is told so, and return that."""
        while True:
            said = self.socket.recv(4096).decode()
            if word in said:
                return said

    def run(self, program, *args, stdin=""):
        flag = "-f" if program.endswith("ctl") else "-C"
        done = subprocess.run(
            ["nsenter", "-t", str(self.process.pid), "-m", "-n",
             self.usr + program, flag, self.conf, *args], input=stdin,
            text=True, capture_output=True, check=False, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def text(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        self.socket.close()


@pytest.fixture
def begin():
    opened = []
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)

        def call(with_users=True):
            opened.append(Installed(place, with_users))
            return opened[0]
        yield call
        for house in opened:
            house.close()


@pytest.mark.root
@pytest.mark.heavy
def test_mail_is_taken_and_kept_as_shipped(begin):
    house = begin()
    house.told("READY=1")
    house.run("sbin/sendmail", "ann@example.org", stdin="Subject: x\n\nx\n")
    with_port = house.run("sbin/posternctl", "status")
    assert "127.0.0.1:25" in with_port, with_port
    assert "ann@example.org" in house.run("bin/mailq")
    house.told("STATUS=1 queued, ")
    # What is for a user of this host is in his mailbox.
    house.run("sbin/sendmail", "daemon", stdin="Subject: y\n\ny\n")
    path = "/proc/%d/root/var/mail/daemon" % house.process.pid
    until(lambda: os.path.exists(path) and os.path.getsize(path) > 0,
          what="the mail")
    with open(path, encoding="utf-8") as f:
        assert "\nSubject: y\n" in f.read()
    assert os.stat(path).st_uid == 1
    house.process.terminate()
    assert house.process.wait(PATIENCE) == 0
    house.told("STOPPING=1")
    lines = house.text().splitlines()
    assert all(re.match("<[346]>", l) for l in lines), house.text()
    assert {l[:3] for l in lines if "event=" in l} == {"<6>"}


@pytest.mark.root
@pytest.mark.heavy
def test_without_its_users_it_names_the_command_that_makes_them(begin):
    house = begin(with_users=False)
    assert house.process.wait(PATIENCE) == 78, house.text()
    assert "this host has no user `_postern-" in house.text()
    command = re.search(r"`(systemd-sysusers \S+)' makes",
                        house.text()).group(1)
    assert os.path.isfile(command.split()[1])
