"""The shipped examples do what they say: conf/examples as they are, but for
addresses, ports and paths, and README's first steps, typed as they stand
there, with the programs as `make install` has put them."""

import atexit
import base64
import email
import functools
import os
import re
import shutil
import smtplib
import ssl
import subprocess
import tempfile

import pytest

from client import Client
from hostfiles import make_file
from measure import status
from names import Names
from peers import Authority, Dovecot
from server import (BUILD, NOBODY, OPTIONS, PATIENCE, SANITIZED, free_port,
                    programs, until)
from sinks import EXTENSIONS, Sink
from test_mx import common_port
from test_submission import make_certificate
from tool import ctl

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
ONE, TWO = "127.0.0.2", "127.0.0.3"
SOURCES = "127.0.0.77", "127.0.0.78"
USER, PASSWORD = "ann@example.org", "a password, not a word"
BARE = "From: <ann@example.org>\r\nSubject: hello\r\n\r\nHello.\r\n"


def test_what_dovecot_needs_is_its_own_syntax(room):
    with open(os.path.join(TOP, "conf/examples/mx-lmtp.conf"),
              encoding="utf-8") as f:
        lines = re.findall(r"^#\t(.*\n)", f.read(), re.M)
    path = os.path.join(room.work, "dovecot.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(lines)
    said = subprocess.run(["doveconf", "-c", path, "-n"], text=True,
                          capture_output=True, check=False)
    assert said.returncode == 0 and lines, said.stderr
    assert re.search(r"unix_listener lmtp \{\s+mode = 0666", said.stdout), said


def example(name, place, *changes, kept=True):
    """The text of an example, with other values in the place of some; each of
    the changes must be one.  kept: it has a queue that keeps its mail."""
    with open(os.path.join(TOP, "conf/examples", name + ".conf"),
              encoding="utf-8") as f:
        text = f.read()
    if "process {" not in text:
        text = "process { hostname mx1.example.org }\n" + text
    spool = ("type lmdb", "type lmdb; path %s/run/queue" % place)
    for old, new in (("process {", "process { run_dir %s/run;" % place),
                     *([spool] if kept else []), *changes):
        assert old in text, old
        text = text.replace(old, new)
    return text


class World:
    """What the submission server sees of the world: two domains with a host
    each, and the Dovecot of its own domain."""

    def __init__(self, room, sinks):
        self.hop = common_port()
        self.one = sinks(host=ONE, port=self.hop)
        self.two = sinks(host=TWO, port=self.hop)
        self.names = Names(room.work)
        self.names.zone("one.example", "@ IN MX 10 mx\nmx IN A %s" % ONE,
                        signed=True)
        self.names.zone("two.example", "@ IN MX 10 mx\nmx IN A %s" % TWO)
        self.names.start()
        self.dovecot = Dovecot(room.dir, {"ann": "x", "bob": "x"})
        self.starttls_port = free_port()

    def close(self):
        self.names.close()
        self.dovecot.close()

    def submission(self, place, port):
        """The example, with what it finds here."""
        return example(
            "submission", place,
            ("process {", "process { %s;" % self.names.resolver()),
            ('interface ""; port 465', "interface 127.0.0.1; port %d" % port),
            ('interface ""; port 587', "interface 127.0.0.1; port %d" %
             self.starttls_port),
            ("/etc/ssl/certs/mx.pem", place + "/mx.pem"),
            ("/etc/ssl/private/mx.key", place + "/mx.key"),
            ("/etc/postern/users", place + "/users"),
            ("type mx", "type mx; port %d" % self.hop),
            ("192.0.2.10 192.0.2.11", " ".join(SOURCES)),
            ("/run/dovecot/lmtp", self.dovecot.path))


@pytest.fixture
def world(request, sinks):
    p = request.getfixturevalue(
        "root_server" if request.node.get_closest_marker("root") else "server")
    w = World(p.room, sinks)
    yield w
    w.close()


def open_house(p, world):
    """The example's server, running, with one user."""
    p.port = free_port()
    make_certificate(p.room.work, "mx1.example.org")
    p.configure(world.submission(p.room.work, p.port))
    got = ctl(p, "user", "add", USER, stdin=PASSWORD + "\n",
              uid=0 if p.as_root else None)
    assert got.status == 0, got.err
    return p.start()


def log_in(p, password=PASSWORD):
    context = ssl.create_default_context(cafile=p.room.work + "/mx.pem")
    s = smtplib.SMTP_SSL("127.0.0.1", p.port, context=context,
                         timeout=PATIENCE)
    s.login(USER, password)
    return s


def has_what_was_missing(head, name):
    """Date, Message-ID and Received, put there once by the edge."""
    assert len(head.get_all("Date")) == 1
    assert head.get_all("Message-ID") == ["<%s@mx1.example.org>" % name]
    ours = [r for r in head.get_all("Received")
            if " with ESMTPSA id %s" % name in re.sub(r"\s+", " ", r)]
    assert len(ours) == 1 and "by mx1.example.org" in ours[0], ours


def goes_everywhere(p, world):
    """One message to three domains, two of them of the world."""
    with log_in(p) as s:
        assert s.sendmail(USER, ["bob@example.org", "x@one.example",
                                 "y@two.example", "z@one.example"],
                          BARE) == {}
    first, second = world.one.wait()[0], world.two.wait()[0]
    assert sorted(first.rcpts) == ["x@one.example", "z@one.example"]
    assert second.rcpts == ["y@two.example"]
    assert first.id == second.id
    p.wait_log(event="removed", id=first.id)
    boxed, = world.dovecot.mails("bob")
    for data in (first.data, second.data, boxed):
        has_what_was_missing(email.message_from_bytes(data), first.id)
    for sink in world.one, world.two:
        assert sink.commands[0] == "EHLO mx1.example.org"
        assert len(sink.messages) == 1
    assert {*world.one.clients, *world.two.clients} == set(SOURCES)


def swaks_is_served(p, world):
    """What it has put into the header itself is left alone."""
    before = len(world.one.messages)
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1:%d" % p.port, "--tls-on-connect",
         "--auth-user", USER, "--auth-password", PASSWORD, "--from", USER,
         "--to", "x@one.example,bob@example.org", "--header",
         "Message-Id: <1@here.example>"],
        capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    m = world.one.wait(before + 1)[before]
    assert len(m.header("Date")) == 1
    assert m.header("Message-ID") == ["<1@here.example>"]
    p.wait_log(event="removed", id=m.id)
    assert len(world.dovecot.mails("bob")) == 2


def starttls_is_served(p, world):
    """On the other port, and nothing before it."""
    context = ssl.create_default_context(cafile=p.room.work + "/mx.pem")
    with smtplib.SMTP("localhost", world.starttls_port,
                      timeout=PATIENCE) as s:
        s.ehlo("here.example")
        assert not s.has_extn("auth")
        assert s.mail(USER)[0] == 530
        context.check_hostname = False
        s.starttls(context=context)
        s.login(USER, PASSWORD)
        assert s.mail(USER)[0] == 250


def strangers_are_not(p):
    with pytest.raises(smtplib.SMTPAuthenticationError) as why:
        log_in(p, "wrong")
    assert why.value.smtp_code == 535
    context = ssl.create_default_context(cafile=p.room.work + "/mx.pem")
    with smtplib.SMTP_SSL("127.0.0.1", p.port, context=context,
                          timeout=PATIENCE) as s:
        s.ehlo("here.example")
        assert s.mail(USER)[0] == 530


def test_the_submission_example_runs_as_an_ordinary_user(server, world):
    p = open_house(server, world)
    starttls_is_served(p, world)
    goes_everywhere(p, world)
    swaks_is_served(p, world)
    strangers_are_not(p)


@pytest.mark.root
def test_the_submission_example_runs_in_the_whole_sandbox(root_server, world):
    p = open_house(root_server, world)
    assert p.find_log(event="trouble") == []
    uids = {title: status(pid)["Uid"].split("\t")[0]
            for pid, title in p.processes().items()}
    assert "0" not in uids.values(), uids
    goes_everywhere(p, world)
    swaks_is_served(p, world)
    strangers_are_not(p)


NO_NAMESPACES = """
echo 0 >/proc/sys/user/max_user_namespaces &&
! unshare --user true 2>/dev/null && exec "$@"
"""


def demonstrate(place, *prefix):
    """What make run does, on another port and elsewhere."""
    port = free_port()
    shutil.copytree(os.path.join(TOP, "conf"), place + "/conf")
    for name in ("demo.conf", "demo.sh"):
        path = os.path.join(place, "conf/examples", name)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert "2525" in text
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("2525", str(port)))
    done = subprocess.run(
        [*prefix, "conf/examples/demo.sh", programs()], cwd=place, text=True,
        env=dict(os.environ, ONCE="1", **OPTIONS), capture_output=True,
        check=False, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("event=removed", "Subject: A message goes all the way",
                 "1 delivered", "\nStopped;"):
        assert word in done.stdout, done.stdout
    return done.stdout


def test_the_demonstration_shows_a_message_all_its_way(room):
    place = os.path.join(room.work, "tree")
    demonstrate(place)
    assert os.listdir(place + "/run/mail/example.org/demo/new")


@pytest.mark.root
@pytest.mark.heavy      # copies the programs
def test_the_demonstration_goes_elsewhere_from_a_closed_home(room):
    """As root's is, on a host where nobody can make a user namespace."""
    home = os.path.join(room.work, "home")
    os.mkdir(home, 0o700)
    holder = subprocess.Popen(["unshare", "--user", "sleep", "300"])
    try:
        ours, theirs = ("/proc/%s/ns/user" % pid
                        for pid in (os.getpid(), holder.pid))
        until(lambda: os.readlink(ours) != os.readlink(theirs))
        for ids in ("uid", "gid"):
            with open("/proc/%d/%s_map" % (holder.pid, ids), "w",
                      encoding="ascii") as f:
                f.write("0 0 65536\n")
        told = demonstrate(
            home + "/tree", "nsenter", "--user", "--target", str(holder.pid),
            "-S", "0", "-G", "0", "sh", "-c", NO_NAMESPACES, "sh")
    finally:
        holder.kill()
        holder.wait()
    away = re.search("postern runs in (/.*)\\.\n", told).group(1)
    assert os.listdir(away + "/run/mail/example.org/demo/new")
    shutil.rmtree(away)


# What make install has made.

@functools.cache
def installed():
    """A directory in the place of the root, with all that is installed."""
    place = tempfile.mkdtemp(prefix="postern-root-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.chmod(place, 0o755)
    install(place)
    return place


def install(place):
    env = {k: v for k, v in os.environ.items() if not k.startswith("M")}
    # All has been built: not even a clock that jumped builds it again.
    return subprocess.run(
        ["make", "-s", "-o", "all", "install", "BUILD=" + BUILD,
         "SAN=" + ("1" if SANITIZED else ""), "DESTDIR=" + place], cwd=TOP,
        env=env, check=True, capture_output=True, text=True).stdout


@pytest.mark.heavy      # copies files
def test_make_install_leaves_what_others_own(room):
    place = os.path.join(room.dir, "root")
    os.makedirs(place + "/usr/sbin")
    os.makedirs(place + "/etc/postern")
    others = ("usr/sbin/sendmail", "etc/postern/postern.conf")
    for path in others:
        with open(os.path.join(place, path), "w", encoding="ascii") as f:
            f.write("of somebody else\n")
    for _ in range(2):          # an upgrade is an installation too
        said = install(place)
        assert said.count("somebody else's") == 1, said
        for path in others:
            with open(os.path.join(place, path), encoding="ascii") as f:
                assert f.read() == "of somebody else\n"
        assert os.readlink(place + "/usr/bin/mailq") == (
            "../lib/postern/postern-sendmail")


def test_every_program_and_page_is_installed():
    place = installed() + "/usr/"
    programs = {n for n in os.listdir(BUILD)
                if re.fullmatch(r"postern(-[a-z]+|ctl)?", n)}
    assert set(os.listdir(place + "lib/postern")) == programs
    for link in ("sbin/postern", "sbin/posternctl", "sbin/sendmail",
                 "bin/mailq", "bin/newaliases", "share/man/man1/sendmail.1",
                 "share/man/man1/mailq.1", "share/man/man8/postern.8",
                 "share/man/man8/posternctl.8",
                 "share/man/man5/postern.conf.5",
                 "share/doc/postern/examples/submission.conf"):
        assert os.path.isfile(place + link), link
    for page in os.listdir(os.path.join(TOP, "man")):
        assert os.path.isfile("%sshare/man/man%s/%s" % (
            place, page[-1], page)), page


# README's first steps.

def steps(title):
    """The commands of a part of README's first steps, one a line."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        text = f.read()
    part = re.search(r"^### %s.*?(?=^##)" % re.escape(title), text,
                     re.M | re.S).group(0)
    found = re.findall(r"^    (\S.*)$", part, re.M)
    assert len(found) > 4 and "postern &" in found, found
    return found


FUNCTIONS = """
set -e
postern() { "%(sbin)s/postern" -f "%(conf)s" "$@"; }
posternctl() { "%(sbin)s/posternctl" -f "%(conf)s" "$@"; }
sendmail() { "%(sbin)s/sendmail" -C "%(conf)s" "$@"; }
mailq() { "%(bin)s/mailq" -C "%(conf)s"; }
"""


class Typist:
    """Types commands, where /etc/postern and the like are elsewhere."""

    def __init__(self, server, text, *changes):
        self.server = server
        self.work = server.room.work
        self.etc = os.path.join(self.work, "etc")
        self.conf = server.path = os.path.join(self.etc, "postern.conf")
        usr = installed() + "/usr/"
        server.command = lambda *args: [usr + "sbin/postern", *args]
        os.mkdir(self.etc)
        owner = os.stat(self.work)
        os.chown(self.etc, owner.st_uid, owner.st_gid)
        self.functions = FUNCTIONS % {
            "sbin": usr + "sbin", "bin": usr + "bin", "conf": self.conf}
        self.text = make_file(server, "example.conf", text, 0o644)
        self.changes = changes

    def type(self, line):
        """Run it, and return what it printed; postern is started."""
        if line == "postern &":
            self.server.start()
            return ""
        line = re.sub(r"conf/examples/\S+", self.text, line)
        for old, new in (("/etc/postern", self.etc), *self.changes):
            line = line.replace(old, new)
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        done = subprocess.run(
            ["bash", "-c", self.functions + line], text=True,
            input=PASSWORD + "\n", capture_output=True, check=False,
            cwd=self.work, timeout=PATIENCE,
            env=dict(os.environ, **OPTIONS),
            **(who if os.geteuid() == 0 else {}))
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    def all(self, title):
        """Type them all: command -> what it printed."""
        return {line: self.type(line) for line in steps(title)}


def test_the_first_steps_of_a_submission_server(server, world):
    port = free_port()
    make_certificate(server.room.work, "mx1.example.org")
    place = server.room.work
    t = Typist(server, world.submission(place, port).replace(
        place + "/users", place + "/etc/users"),
        ("mx1.example.org:465", "127.0.0.1:%d" % port))
    said = t.all("Submission")
    server.wait_log(event="removed")
    assert len(world.dovecot.mails("ann")) == 1
    assert re.search("edge +submission", said["posternctl status"])


def test_the_first_steps_of_an_mx(server, room):
    dovecot = Dovecot(room.dir, {"ann": "x"})
    port = free_port()
    try:
        make_certificate(room.work, "mx.example.org")
        place = room.work
        t = Typist(server, example(
            "mx-lmtp", place,
            ('interface ""; port 25', "interface 127.0.0.1; port %d" % port),
            ("/etc/ssl/certs/mx.pem", place + "/mx.pem"),
            ("/etc/ssl/private/mx.key", place + "/mx.key"),
            ("/etc/postern/recipients", place + "/etc/recipients"),
            ("path /run/dovecot/lmtp", "path " + dovecot.path)),
            ("mx.example.org", "127.0.0.1:%d" % port))
        said = t.all("MX before Dovecot")
        server.wait_log(event="removed")
        assert len(dovecot.mails("ann")) == 1
        assert "dovecot" in said["posternctl route ann@example.org"]
        with Client(port) as c:
            c.hello()
            c.want("MAIL FROM:<eve@there.example>", 250)
            c.want("RCPT TO:<eve@example.org>", "550 5.1.1")
            c.want("RCPT TO:<eve@there.example>", "550 5.1.2")
    finally:
        dovecot.close()


def test_the_proxy_example_keeps_nothing(server, room, sink):
    """What the server behind says is what the world hears."""
    port, place = free_port(), room.work
    make_certificate(place, "mx.example.org")
    sink.answer = lambda verb, line, session: (
        "550 5.1.1 Nobody here is called that"
        if verb == "RCPT" and "<eve@" in line else
        "250 2.0.0 It is mine" if verb == "END" else None)
    server.configure(example(
        "proxy", place,
        ('interface ""; port 25', "interface 127.0.0.1; port %d" % port),
        ("/etc/ssl/certs/mx.pem", place + "/mx.pem"),
        ("/etc/ssl/private/mx.key", place + "/mx.key"),
        ("host 192.0.2.25", "host 127.0.0.1; port %d" % sink.port),
        kept=False))
    server.start()
    with Client(port) as c:
        assert "STARTTLS" in c.hello()
        c.want("MAIL FROM:<eve@there.example>", 250)
        c.want("RCPT TO:<bob@there.example>", 550)
        assert c.say("RCPT TO:<eve@example.org>") == (
            "550 5.1.1 Nobody here is called that")
        c.want("RCPT TO:<ann@example.org>", 250)
        c.want("DATA", 354)
        c.write(BARE)
        assert c.say(".") == "250 2.0.0 It is mine"
    assert sink.wait()[0].rcpts == ["ann@example.org"]
    assert os.listdir(place + "/run") and not [
        n for _, _, names in os.walk(place) for n in names if "mdb" in n]


class Provider(Sink):
    """A server that takes mail after STARTTLS and a login."""

    def __init__(self, tls):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*tls)
        super().__init__(extensions=(*EXTENSIONS, "AUTH PLAIN"), host=ONE,
                         answer=lambda verb, line, session:
                         "235 2.7.0 Yes" if verb == "AUTH" else None)

    def _dialogue(self, conn, f, s):
        conn.sendall(b"220 smtp.example.net ESMTP\r\n")
        f.readline()
        conn.sendall(b"250-smtp.example.net\r\n250 STARTTLS\r\n")
        assert f.readline() == b"STARTTLS\r\n"
        conn.sendall(b"220 2.0.0 Go on\r\n")
        with self.context.wrap_socket(conn, server_side=True) as inside, \
                inside.makefile("rb") as g:
            super()._dialogue(inside, g, s)

    def _reply(self, conn, verb, line, session, usual):
        if verb == "CONNECT":       # has been said before TLS
            return 220
        return super()._reply(conn, verb, line, session, usual)


def test_the_first_steps_of_a_host_with_a_provider(server, room):
    names = Names(room.work)
    ca = Authority(room.work)
    provider = Provider(ca.issue("DNS:smtp.example.net"))
    place, port = room.work, free_port()
    try:
        names.zone("example.net", "smtp IN A " + ONE)
        names.start()
        t = Typist(server, example(
            "smarthost", place,
            ("process {", "process { %s;" % names.resolver()),
            ("path /run/postern/sendmail", "path %s/run/sendmail" % place),
            ("interface 127.0.0.1", "interface 127.0.0.1; port %d" % port),
            ("interface ::1", "interface 127.0.0.6; port %d" % port),
            ("port 587", "port %d" % provider.port),
            ("verified", "verified; ca_certs " + ca.cert),
            ("/etc/postern/smarthost", place + "/etc/smarthost")))
        said = t.all("A host with a provider")
        m = provider.wait()[0]
        assert m.rcpts == ["ann@example.org"]
        assert len(m.header("Date")) == len(m.header("Message-ID")) == 1
        login = base64.b64encode(
            ("\0host@example.net\0" + PASSWORD).encode()).decode()
        assert "AUTH PLAIN " + login in provider.commands
        assert "smarthost" in said["posternctl status"]
        got = os.stat(place + "/etc/smarthost.password")
        assert got.st_mode & 0o777 == 0o600
    finally:
        provider.close()
        names.close()
