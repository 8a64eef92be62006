"""Mail programs log in and send: swaks, curl, openssl, Python and nodemailer,
over STARTTLS and over TLS from the first byte; and what goes wrong on the way,
at the client's end and at the vault's."""

import base64
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

from client import Client, TEXT
from keyscan import memory_of
from server import NOBODY, PATIENCE, SANITIZED, free_port, until

# Long, so that no reply written over it in a buffer hides its end.
USER, PASSWORD = "ann@here.example", "correct horse, %s 1" % ("battery " * 20)
PLAIN = base64.b64encode(("\0%s\0%s" % (USER, PASSWORD)).encode()).decode()

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(port)d }
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; require_tls yes; lookup_credentials staff }
    queue main
}
edge ssl {
    type smtp
    listener { interface 127.0.0.1; port %(ssl_port)d }
    tls_immediately yes
    tls { certfile mx.pem; keyfile mx.key }
    rules { require_auth yes; lookup_credentials staff }
    queue main
}
edge open {
    type smtp
    listener { interface 127.0.0.1; port %(open_port)d }
    tls { certfile mx.pem; keyfile mx.key }
    queue main
}
edge local {
    type smtp
    listener { path run/submit }
    rules { require_auth yes }
    queue main
}
users staff { type file; path users }
queue main {
    type lmdb
    path run/queue
    relay out
    policies { add_date_header yes; add_message_id_header yes }
}
relay out { type static; host 127.0.0.1; port %(hop)d }
"""


def give(path, mode=0o600):
    os.chmod(path, mode)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def make_certificate(work, name, kind="rsa:2048", days=90):
    """A key and a certificate for it, signed by itself, as mx.key and mx.pem;
    its serial number."""
    key, pem = os.path.join(work, "mx.key"), os.path.join(work, "mx.pem")
    more = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []
    for path in (key, pem):
        if os.path.exists(path):
            os.unlink(path)
    subprocess.run(["openssl", "req", "-x509", "-newkey", kind, *more,
                    "-nodes", "-keyout", key, "-out", pem, "-days", str(days),
                    "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=DNS:%s,IP:127.0.0.1" % name],
                   check=True, capture_output=True)
    give(key)
    give(pem, 0o644)
    with open(pem, encoding="ascii") as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def make_users(work):
    path = os.path.join(work, "users")
    hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True,
                            capture_output=True, text=True).stdout.strip()
    with open(path, "w", encoding="utf-8") as f:
        f.write("# who may send\n%s:%s\n" % (USER, hashed))
    give(path)


def furnish(server, sink):
    """One postern with a door of each kind."""
    work = server.room.work
    server.der = make_certificate(work, "mx.test.example")
    make_users(work)
    server.port, server.ssl_port, server.open_port = (
        free_port(), free_port(), free_port())
    server.configure(CONF % dict(vars(server), hop=sink.port))
    server.pem = os.path.join(work, "mx.pem")
    return server.start("-d")


@pytest.fixture
def house(server, sink):
    return furnish(server, sink)


def believing(house):
    """TLS that believes this house's certificate and nothing else."""
    return ssl.create_default_context(cafile=house.pem)


class TlsClient(Client):
    """The same client, which can go over to TLS."""

    def secure(self, context):
        self.file.close()
        self.sock = context.wrap_socket(
            self.sock, server_hostname="mx.test.example")
        self.file = self.sock.makefile("rb")
        return self

    def starttls(self, context):
        self.hello()
        self.want("STARTTLS", 220)
        return self.secure(context)

    @property
    def der(self):
        return self.sock.getpeercert(binary_form=True)


def open_secure(house, login=True):
    c = TlsClient(house.port).starttls(believing(house))
    c.hello()
    if login:
        c.want("AUTH PLAIN " + PLAIN, 235)
    return c


def run(*args, given=None, env=None):
    done = subprocess.run(args, input=given, capture_output=True, text=True,
                          check=False, timeout=PATIENCE,
                          env=dict(os.environ, **(env or {})))
    return done


def arrived(sink, proto, count=1):
    """What came, and came by way of that protocol from a login."""
    m = sink.wait(count)[count - 1]
    assert " with %s id " % proto in m.header("Received")[0]
    return m


def test_python_logs_in_over_starttls(house, sink):
    with smtplib.SMTP("127.0.0.1", house.port, timeout=PATIENCE) as s:
        s.ehlo("here.example")
        assert not s.has_extn("auth")
        s._host = "mx.test.example"
        s.starttls(context=believing(house))
        s.ehlo("here.example")
        assert not s.has_extn("starttls")
        s.login(USER, PASSWORD)
        s.sendmail("ann@here.example", ["bob@there.example"], TEXT)
    m = arrived(sink, "ESMTPSA")
    assert m.header("Date")[0].endswith(" +0000")
    assert m.header("Message-ID") == ["<%s@mx.test.example>" % m.id]
    house.wait_log(event="secured", version="TLSv1.3")


def test_python_logs_in_over_tls_from_the_first_byte(house, sink):
    context = believing(house)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with smtplib.SMTP_SSL("127.0.0.1", house.ssl_port, timeout=PATIENCE,
                          context=context) as s:
        s.user, s.password = USER, PASSWORD
        s.ehlo("here.example")
        s.auth("LOGIN", s.auth_login)
        s.sendmail("ann@here.example", ["bob@there.example"], TEXT)
    arrived(sink, "ESMTPSA")
    house.wait_log(event="secured", version="TLSv1.2")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_logs_in(house, sink, mechanism):
    for port, how in ((house.port, "--tls"),
                      (house.ssl_port, "--tls-on-connect")):
        done = run("swaks", "--server", "127.0.0.1", "--port", str(port), how,
                   "--auth", mechanism, "--auth-user", USER,
                   "--auth-password", PASSWORD, "--from", "ann@here.example",
                   "--to", "bob@there.example", "--ehlo", "here.example")
        assert done.returncode == 0, done.stdout
    arrived(sink, "ESMTPSA", 2)


def test_swaks_is_refused_with_a_wrong_password(house, sink):
    begun = time.monotonic()
    done = run("swaks", "--server", "127.0.0.1", "--port", str(house.port),
               "--tls", "--auth", "PLAIN", "--auth-user", USER,
               "--auth-password", "wrong", "--from", "ann@here.example",
               "--to", "bob@there.example")
    assert done.returncode == 28, done.stdout
    house.wait_log(event="refused", command="AUTH", code=535, user=USER,
                   client="127.0.0.1")
    assert "535 5.7.8 " in done.stdout
    assert time.monotonic() - begun > 0.5
    assert not sink.messages
    with open(house.log, encoding="utf-8") as f:
        log = f.read()
    assert "wrong" not in log and PASSWORD not in log and PLAIN not in log


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_curl_logs_in(house, sink, scheme):
    port = house.port if scheme == "smtp" else house.ssl_port
    done = run("curl", "--silent", "--show-error", "--ssl-reqd", "--cacert",
               house.pem, "--connect-to", "::127.0.0.1:", "--user",
               USER + ":" + PASSWORD, "--mail-from", "ann@here.example",
               "--mail-rcpt", "bob@there.example", "--upload-file", "-",
               "%s://mx.test.example:%d/here.example" % (scheme, port),
               given=TEXT)
    assert done.returncode == 0, done.stderr
    arrived(sink, "ESMTPSA")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("first", [True, False])
def test_openssl_s_client_talks(house, sink, version, first):
    # Lines that begin with R or Q are its own commands; -quiet ends that.
    door = ["-connect", "127.0.0.1:%d" % (
        house.ssl_port if first else house.port)]
    if not first:
        door += ["-starttls", "smtp"]
    with subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-crlf", version, "-CAfile",
             house.pem, "-verify_return_error", *door],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True) as p:
        def say(line, code):
            p.stdin.write(line + "\n")
            p.stdin.flush()
            while True:
                got = p.stdout.readline()
                assert got, p.stderr.read()
                if re.match(r"%d " % code, got):
                    return
        say("EHLO here.example", 250)
        say("AUTH PLAIN " + PLAIN, 235)
        say("MAIL FROM:<ann@here.example>", 250)
        say("RCPT TO:<bob@there.example>", 250)
        say("DATA", 354)
        p.stdin.write("Subject: x\n\nhello\n")
        say(".", 250)
        say("QUIT", 221)
    arrived(sink, "ESMTPSA")


NODE = """
const mailer = require('nodemailer');
const [port, secure, ca, user, pass] = process.argv.slice(1);
mailer.createTransport({ host: '127.0.0.1', port, secure: secure === 'yes',
    requireTLS: true, name: 'here.example', auth: { user, pass },
    tls: { ca: require('fs').readFileSync(ca),
           servername: 'mx.test.example' } })
  .sendMail({ from: 'ann@here.example', to: 'bob@there.example',
      subject: 'Grüße', text: 'Hello.' })
  .then(r => console.log(r.response))
  .catch(e => { console.error(e.message); process.exit(1); });
"""


@pytest.mark.parametrize("secure", ["yes", "no"])
def test_nodemailer_logs_in(house, sink, secure):
    port = house.ssl_port if secure == "yes" else house.port
    where = {"NODE_PATH": "/usr/share/nodejs"}
    done = run("node", "-e", NODE, str(port), secure, house.pem, USER,
               PASSWORD, env=where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("250 2.6.0 ")
    arrived(sink, "ESMTPSA")
    done = run("node", "-e", NODE, str(port), secure, house.pem, USER,
               "wrong", env=where)
    assert done.returncode == 1
    assert "535 5.7.8" in done.stderr


def test_in_the_clear_no_password_is_taken(house):
    with Client(house.port) as c:
        assert "AUTH" not in c.hello()
        c.want("AUTH PLAIN " + PLAIN, "530 5.7.0 Must issue a STARTTLS")
        c.want("MAIL FROM:<ann@here.example>", "530 5.7.0 Must issue")
        c.want("NOOP", 250)


def test_without_a_login_nothing_is_sent(house):
    with open_secure(house, login=False) as c:
        c.want("MAIL FROM:<ann@here.example>", "530 5.7.0 Authentication")


def test_what_is_injected_behind_starttls_is_not_carried_out(house, sink):
    mail = ("EHLO evil.example\r\nMAIL FROM:<evil@x.example>\r\n"
            "RCPT TO:<bob@there.example>\r\nDATA\r\n\r\n.\r\n")
    with Client(house.open_port) as c:
        c.hello()
        c.write("STARTTLS\r\n" + mail)
        assert c.reply().startswith("554 5.5.1")
        assert c.at_end()
    with Client(house.open_port) as c:
        c.hello()
        c.want("STARTTLS", 220)
        c.write(mail)
        assert b"250" not in c.file.read()
    house.wait_log(event="tls_failed")
    with TlsClient(house.open_port).starttls(believing(house)) as c:
        c.want("MAIL FROM:<ann@here.example>", 503)
    assert not sink.messages


def test_a_text_cut_off_under_tls_is_not_queued(house, sink):
    with open_secure(house) as c:
        c.begin("ann@here.example", "bob@there.example")
        c.write(TEXT)
    with open_secure(house) as c:
        c.mail("ann@here.example", "bob@there.example")
    sink.wait(1)
    time.sleep(0.3)
    assert len(sink.messages) == 1


def test_the_unix_socket_knows_who_writes(house, sink):
    path = os.path.join(house.room.work, "run", "submit")
    c = TlsClient.__new__(TlsClient)
    c.sock = socket.socket(socket.AF_UNIX)
    c.sock.connect(path)
    c.file = c.sock.makefile("rb")
    assert c.reply().startswith("220 ")
    with c:
        c.hello("localhost")
        c.mail("ann@here.example", "bob@there.example")
    m = sink.wait(1)[0]
    assert m.header("Received")[0].startswith(
        "from localhost (uid %d) by mx.test.example with ESMTP id "
        % os.geteuid())


def test_without_the_keys_only_new_handshakes_fail(house, sink):
    with open_secure(house) as secure, Client(house.open_port) as plain:
        plain.hello()
        old = house.pid("keys")
        os.kill(old, signal.SIGSTOP)
        c = TlsClient(house.open_port)
        c.hello()
        c.want("STARTTLS", 220)
        context = believing(house)
        c.sock.settimeout(0.5)
        with pytest.raises((ssl.SSLError, OSError)):
            c.secure(context)
        if not plain.say("NOOP").startswith("250"):
            raise AssertionError
        secure.mail("ann@here.example", "bob@there.example")
        plain.mail("ann@here.example", "bob@there.example")
        os.kill(old, signal.SIGKILL)
        until(lambda: [p for p in house.pids("keys") if p != old])
        secure.mail("ann@here.example", "bob@there.example")

        def shakes():
            try:
                with open_secure(house) as again:
                    again.mail("ann@here.example", "bob@there.example")
                return True
            except OSError:
                return False
        until(shakes, what="a handshake")
    sink.wait(4)


def test_without_the_users_a_login_waits_for_better_times(house):
    with open_secure(house) as inside, open_secure(house, False) as c:
        old = house.pid("users", "staff")
        os.kill(old, signal.SIGSTOP)
        c.write("AUTH PLAIN %s\r\n" % PLAIN)
        time.sleep(0.2)
        os.kill(old, signal.SIGKILL)
        assert c.reply().startswith("454 4.7.0")
        inside.want("NOOP", 250)
        until(lambda: c.say("AUTH PLAIN " + PLAIN).startswith("235"))


def test_a_slow_client_does_not_hold_up_others(house):
    idle = [TlsClient(house.ssl_port, greet=False) for _ in range(20)]
    with open_secure(house) as c:
        c.want("NOOP", 250)
    for i in idle:
        i.close()


def test_a_new_certificate_is_for_new_sessions(house, sink):
    with open_secure(house) as old:
        assert old.der == house.der
        was, since = house.der, house.mark()
        house.der = make_certificate(house.room.work, "mx.test.example", "ec")
        house.signal(signal.SIGHUP)
        house.wait_log(since=since, event="reloaded")

        def is_new():
            try:
                with open_secure(house) as c:
                    return c.der == house.der
            except OSError:
                return False
        until(is_new, what="the new certificate")
        assert old.der == was
        old.mail("ann@here.example", "bob@there.example")
    sink.wait(1)


@pytest.mark.root
def test_in_the_whole_sandbox_a_login_works_too(root_server, sink):
    house = furnish(root_server, sink)
    with open_secure(house) as c:
        house.wait_log(event="logged_in", user=USER, client="127.0.0.1")
        c.mail("ann@here.example", "bob@there.example")
    arrived(sink, "ESMTPSA")


def traces(pid, words, with_shadow=False):
    """Which of these words lie in the memory of a process?"""
    memory = b"\0".join(memory_of(pid, with_shadow))
    return [w for w in words if w in memory]


@pytest.mark.root
@pytest.mark.heavy      # slow to look through a sanitizer's memory
def test_no_password_stays_in_the_memory_of_the_edge(root_server, sink):
    house = furnish(root_server, sink)
    coded = base64.b64encode(PASSWORD.encode())
    secret = [PASSWORD.encode()[-16:], coded[-16:], PLAIN.encode()[-16:]]
    edge = house.pid("edge", "in")
    with open_secure(house) as a, open_secure(house, login=False) as b:
        assert traces(edge, secret, SANITIZED) == []
        b.want("AUTH LOGIN", 334)
        b.want(base64.b64encode(USER.encode()).decode(), 334)
        b.want(coded.decode(), 235)
        assert traces(edge, secret, SANITIZED) == []
        # What is said after a login is not wiped, and so can be found.
        a.want("NOOP a-word-that-may-stay", 250)
        assert traces(edge, [b"a-word-that-may-stay"], SANITIZED)
