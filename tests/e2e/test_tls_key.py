"""The private key is in the vault and nowhere else; what happens when the
vault is away, and when the certificate changes."""

import os
import signal
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

import keyscan
from server import PATIENCE, SANITIZED, basic, free_port, until

TLS = "tls { certfile %s; keyfile %s }"


class Files:
    """Certificate and key where a server looks for them."""

    def __init__(self, room, owner=None):
        self.cert = os.path.join(room.work, "cert.pem")
        self.key = os.path.join(room.work, "key.pem")
        self.owner = owner

    def make(self, kind):
        keyscan.make_pair(kind, self.cert, self.key)
        os.chmod(self.key, 0o600)
        if self.owner is not None:
            os.chown(self.key, self.owner, self.owner)
        return self

    def words(self):
        return TLS % (self.cert, self.key)


def begin(server, sink, kind, **blocks):
    owner = os.stat(server.room.work).st_uid
    server.files = Files(server.room, owner).make(kind)
    server.port = free_port()
    edge = server.files.words() + blocks.pop("edge", "")
    server.configure(basic(server.port, sink.port, edge=edge, **blocks))
    return server.start()


def trusting(p):
    return ssl.create_default_context(cafile=p.files.cert)


def session(p):
    s = smtplib.SMTP("127.0.0.1", p.port, timeout=PATIENCE)
    s.ehlo("here.example")
    return s


def encrypted(p):
    s = session(p)
    s._host = "mx.test.example"         # the name that is verified
    s.starttls(context=trusting(p))
    s.ehlo("here.example")
    return s


def mail(s):
    s.sendmail("ann@here.example", ["bob@there.example"],
               "Subject: hello\r\n\r\nHello.\r\n")


def serial(p):
    """Of the certificate that is served now."""
    s = session(p)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    s.starttls(context=context)
    got = s.sock.getpeercert(True)
    s.close()
    return got


# The scan.

@pytest.mark.root
@pytest.mark.heavy      # slow to look through a sanitizer's memory
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_no_part_of_the_key_is_in_the_edge(root_server, sink, kind):
    p = begin(root_server, sink, kind)
    open_ones = [encrypted(p) for _ in range(5)]
    mail(open_ones[0])
    stop = time.monotonic() + 2
    while time.monotonic() < stop:
        encrypted(p).close()
    for word in ("edge", "relay", "resolver"):
        found, looked = keyscan.parts_in(p.pid(word), p.files.key, SANITIZED)
        assert found == set(), word
        assert looked > 1 << 20
    # Whoever signs has it: the scan can find what there is.
    found, _ = keyscan.parts_in(p.pid("keys"), p.files.key, SANITIZED)
    assert found != set()
    for s in open_ones:
        mail(s)
        s.quit()
    sink.wait(6)


@pytest.mark.root
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_the_scan_finds_the_key_in_a_server_that_holds_it(room, kind):
    files = Files(room).make(kind)
    port = free_port()
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert",
         files.cert, "-key", files.key, "-quiet"], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        context = ssl.create_default_context(cafile=files.cert)

        def greet():
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as s:
                    context.wrap_socket(s,
                                        server_hostname="mx.test.example")
                return True
            except ConnectionRefusedError:
                return False
        until(greet, what="s_server")
        found, _ = keyscan.parts_in(server.pid, files.key)
        names = set(keyscan.secrets(files.key))
        # Each of its numbers, in one order of bytes or the other.
        assert {n.removesuffix(" reversed") for n in found} >= names - {
            "privateExponent"}
    finally:
        server.kill()
        server.wait()


@pytest.mark.root
def test_the_keys_process_is_locked_in(root_server, sink):
    p = begin(root_server, sink, "p256")
    pid = p.pid("keys")
    with open("/proc/%d/status" % pid) as f:
        status = dict(l.rstrip("\n").split(":\t", 1) for l in f)
    assert status["Seccomp"] == ("0" if SANITIZED else "2")
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0
    with open("/proc/%d/net/dev" % pid) as f:
        assert [l.split(":")[0].strip() for l in f if ":" in l] == ["lo"]
    assert os.listdir("/proc/%d/root" % pid) == []
    encrypted(p).quit()


# The vault is away.

def test_a_killed_vault_costs_new_handshakes_only(server, sink):
    p = begin(server, sink, "p256")
    before, plain = encrypted(p), session(p)
    for _ in range(5):
        since = p.mark()
        p.kill("keys")
        mail(before)
        mail(plain)
        p.wait_log(since=since, event="ready", seconds=PATIENCE)

        def works():
            try:
                encrypted(p).quit()
                return True
            except (OSError, smtplib.SMTPException):
                return False
        until(works, what="a handshake after the kill")
    before.quit()
    plain.quit()
    sink.wait(10)


def test_a_stopped_vault_holds_up_handshakes_only(server, sink):
    p = begin(server, sink, "rsa")
    before, plain = encrypted(p), session(p)
    pid = p.kill("keys", signo=signal.SIGSTOP)
    try:
        waiting = session(p)
        waiting.putcmd("STARTTLS")
        assert waiting.getreply()[0] == 220
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        waiting.sock.settimeout(PATIENCE)
        begun = time.monotonic()
        if not SANITIZED:               # those wait with everybody
            half = session(p)
            half.putcmd("STARTTLS")
            assert half.getreply()[0] == 220
            raw = context.wrap_socket(half.sock,
                                      do_handshake_on_connect=False)
            raw.setblocking(False)
            with pytest.raises(ssl.SSLWantReadError):
                raw.do_handshake()
            time.sleep(0.2)
            mail(plain)
            mail(before)
            assert time.monotonic() - begun < 4
            raw.close()                 # left in the middle
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(waiting.sock)
        assert time.monotonic() - begun < 12
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    mail(plain)
    mail(before)

    def works():
        try:
            encrypted(p).quit()
            return True
        except (OSError, smtplib.SMTPException):
            return False
    until(works, what="a handshake afterwards")
    sink.wait(2 if SANITIZED else 4)


def hello():
    """The first bytes of a TLS client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="mx.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def test_clients_that_leave_in_the_middle_harm_no_edge(server, sink):
    p = begin(server, sink, "p256", edge="tls_immediately yes; ")
    edge, vault = p.pid("edge"), p.pid("keys")
    first = hello()
    for stopped in (True, False):
        if stopped:
            os.kill(vault, signal.SIGSTOP)
        try:
            for i in range(10 if SANITIZED and stopped else 300):
                with socket.create_connection(("127.0.0.1", p.port)) as s:
                    s.sendall(first)
                    if i % 5 == 0:
                        time.sleep(0.005)
        finally:
            if stopped:
                os.kill(vault, signal.SIGCONT)
    context = trusting(p)

    def works():
        try:
            with socket.create_connection(("127.0.0.1", p.port),
                                          PATIENCE) as s:
                with context.wrap_socket(
                        s, server_hostname="mx.test.example") as t:
                    return t.recv(3) == b"220"
        except OSError:
            return False
    until(works, seconds=PATIENCE * 3, what="a handshake afterwards")
    assert p.pid("edge") == edge


# Reload.

def test_reload_takes_a_new_certificate_and_drops_no_session(server, sink):
    p = begin(server, sink, "rsa")
    before, first = encrypted(p), serial(p)
    keyscan.make_pair("p256", p.files.cert, p.files.key)
    os.chmod(p.files.key, 0o600)
    p.signal(signal.SIGHUP)
    until(lambda: serial(p) != first, what="the new certificate")
    mail(before)
    after = encrypted(p)
    mail(after)
    assert serial(p) != first
    before.quit()
    after.quit()
    sink.wait(2)


def test_reload_with_another_s_key_leaves_all_as_it_was(server, sink):
    p = begin(server, sink, "p256")
    first = serial(p)
    other = p.files.cert + ".other"
    keyscan.make_pair("p256", other, p.files.key)
    os.chmod(p.files.key, 0o600)
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="trouble")
    assert serial(p) == first
