"""Clients that mean harm, at the doors with TLS and logins: floods, floods of
what TLS itself allows, names that are tried out by the clock, and everything
at once."""

import base64
import contextlib
import os
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import threading
import time

import pytest

from client import Client
from measure import own_memory
from server import SANITIZED, until
from test_submission import (  # noqa: F401  (house is a fixture)
    house, open_secure)
from test_users import accounts, begin as begin_users, crypt, plain


def client_hello():
    """The first bytes of a handshake, as OpenSSL makes them."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_bio(into, out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def slowest(house, seconds=1.0):
    """The longest that another client waits, from connect to 250."""
    worst, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        with Client(house.open_port) as c:
            c.hello()
        worst = max(worst, time.monotonic() - begun)
        time.sleep(0.005)
    return worst


def test_a_handshake_in_the_same_segment_as_starttls_is_refused(house, sink):
    for behind in (client_hello(), client_hello()[:1], b"\x16", b"\r\n"):
        with Client(house.open_port) as c:
            c.hello()
            c.write(b"STARTTLS\r\n" + behind)
            assert c.reply().startswith("554 5.5.1")
            assert c.at_end()
    evil = b"MAIL FROM:<evil@evil.example>\r\n"
    for behind in (b"EHLO b.example\r\n", b"BDAT 0 LAST\r\n" + evil,
                   b"BDAT %d LAST\r\n" % len(evil) + evil):   # BDT-12
        with Client(house.open_port) as c:
            c.write(b"EHLO a.example\r\nSTARTTLS\r\n" + behind)
            assert c.reply().startswith("250")
            assert c.reply().startswith("554 5.5.1")
            assert c.at_end()


def test_what_precedes_the_handshake_in_the_clear_fails_it(house):
    """The 220 has been said; a man in the middle puts a command before the
    client's first record."""
    for before in (b"RSET\r\n", b"\r\n", b"MAIL FROM:<evil@x.example>\r\n"):
        with Client(house.open_port) as c:
            c.hello()
            c.want("STARTTLS", 220)
            c.write(before + client_hello())
            assert b"250" not in c.file.read()
    house.wait_log(event="tls_failed", count=3)


def test_key_updates_by_the_thousand_hold_nobody_up(house):
    with subprocess.Popen(
            ["openssl", "s_client", "-tls1_3", "-starttls", "smtp",
             "-connect", "127.0.0.1:%d" % house.open_port],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL) as p:
        house.wait_log(event="secured")
        done = threading.Event()

        def flood():
            try:
                while not done.is_set():
                    p.stdin.write(b"k\n" * 100)
                    p.stdin.flush()
            except OSError:
                pass
        t = threading.Thread(target=flood, daemon=True)
        t.start()
        try:
            assert slowest(house) < 0.5
        finally:
            done.set()
            p.kill()
            t.join()
            try:
                p.stdin.close()
            except OSError:
                pass


def stuck(house, count, begin=b""):
    """Sockets that began a handshake, and say no more."""
    socks = []
    for i in range(count):
        s = socket.create_connection(("127.0.0.1", house.open_port))
        s.sendall(b"EHLO x.example\r\n")
        while b"250 SIZE" not in s.recv(4096):
            pass
        s.sendall(b"STARTTLS\r\n")
        assert s.recv(100).startswith(b"220")
        s.sendall(begin)
        socks.append(s)
    return socks


def claim(size, sent):
    """The first bytes of a ClientHello that says it is so long."""
    body = (b"\x01" + struct.pack(">I", size)[1:] + b"\x03\x03" +
            bytes(size))[:sent]
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(part)) + part
                    for part in (body[i:i + 16000]
                                 for i in range(0, sent, 16000)))


def test_handshakes_that_stop_cost_little_and_hold_nobody_up(house, sink):
    edge = house.pid("edge", "open")
    before = own_memory(edge)
    hello = client_hello()
    socks = stuck(house, 100) + stuck(house, 100, hello[:20]) + \
        stuck(house, 100, hello) + stuck(house, 50, claim(16000, 8000))
    since = house.mark()
    socks += stuck(house, 50, claim(131000, 4)) + \
        stuck(house, 50, claim(131000, 60000))
    try:
        house.wait_log(since=since, event="tls_failed", count=100,
                       why="the ClientHello is too long")
        assert slowest(house) < 0.5
        with open_secure(house) as c:
            c.mail("ann@here.example", "bob@there.example")
        if not SANITIZED:
            assert own_memory(edge) - before < 350 * 70 * 1024
    finally:
        for s in socks:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            s.close()
    sink.wait(1)


@pytest.mark.heavy      # a sanitizer keeps what is freed
def test_memory_comes_back_after_a_flood_of_handshakes(house, sink):
    """Also after a second one, whose memory malloc has had back before."""
    edge = house.pid("edge", "open")
    hello = client_hello()
    before = own_memory(edge)
    for i in range(2):
        with contextlib.ExitStack() as stack:
            for s in stuck(house, 500, hello):
                stack.enter_context(s)
            flood = own_memory(edge)
        assert flood - before > 20 << 20
        until(lambda: own_memory(edge) - before < (flood - before) / 3,
              what="the end of the flood", seconds=15)
        print("before %d during %d after %d KiB" % tuple(
            n >> 10 for n in (before, flood, own_memory(edge))))
    with open_secure(house) as c:
        c.mail("ann@here.example", "bob@there.example")
    sink.wait(1)


@pytest.mark.heavy
def test_who_has_waited_longest_in_a_handshake_gives_way(house, sink):
    """600 that say no more: 500 stay, and all who go on are served."""
    since = house.mark()
    with contextlib.ExitStack() as stack:
        for s in stuck(house, 600, client_hello()):
            stack.enter_context(s)
        house.wait_log(since=since, event="closed", count=100,
                       why="too many handshakes")
        with open_secure(house) as c:
            c.mail("ann@here.example", "bob@there.example")
        assert len(house.find_log(since=since, event="closed",
                                  why="too many handshakes")) == 100
    sink.wait(1)


class Slow:
    """A client that begins a handshake, and goes on when it is told to."""

    def __init__(self, port):
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.tls = context.wrap_bio(self.into, self.out)
        self.sock = socket.create_connection(("127.0.0.1", port), 30)

    def hear(self):
        came = self.sock.recv(16384)
        assert came, "the connection was closed"
        self.into.write(came)

    def step(self):
        """Say what comes next; is that all of the handshake?"""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False
        finally:
            self.sock.sendall(self.out.read())

    def greeting(self):
        while True:
            try:
                return self.tls.read(4)
            except ssl.SSLWantReadError:
                self.hear()


def silent(house, stack, count):
    """So many have begun a handshake, and say nothing."""
    for _ in range(count):
        stack.enter_context(socket.create_connection(
            ("127.0.0.1", house.ssl_port)))
    assert shake(house, []) is None


def test_a_slow_handshake_outlives_a_thousand_silent_ones(house):
    since = house.mark()
    with contextlib.ExitStack() as stack:
        c = Slow(house.ssl_port)
        stack.enter_context(c.sock)
        silent(house, stack, 450)
        assert not c.step()
        c.hear()
        silent(house, stack, 450)
        while not c.step():
            c.hear()
        silent(house, stack, 100)
        assert c.greeting() == b"220 "
        house.wait_log(since=since, event="closed", count=500,
                       why="too many handshakes")


def shake(house, protocols):
    """What is chosen of these."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(protocols)
    with socket.create_connection(("127.0.0.1", house.ssl_port)) as s, \
            context.wrap_socket(s) as t:
        assert t.recv(4) == b"220 "
        return t.selected_alpn_protocol()


def test_a_client_that_wants_another_protocol_is_refused(house):
    assert shake(house, []) is None
    assert shake(house, ["smtp"]) == "smtp"
    assert shake(house, ["h2", "esmtp"]) == "esmtp"
    for others in (["h2"], ["http/1.1", "imap"], ["SMTP"], ["smtps"]):
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            shake(house, others)


def test_names_of_any_kind_get_the_one_certificate(house):
    for name in ("unknown.example", "a" * 63 + ".example",
                 ".".join(["a" * 60] * 4)):
        done = subprocess.run(
            ["openssl", "s_client", "-connect",
             "127.0.0.1:%d" % house.ssl_port, "-servername", name],
            input=b"QUIT\n", capture_output=True, check=False, timeout=20)
        assert b"CN = mx.test.example" in done.stdout, done.stderr


def test_no_early_data_and_no_ticket(house, tmp_path):
    ticket = str(tmp_path / "session")
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_3", "-connect",
         "127.0.0.1:%d" % house.ssl_port, "-sess_out", ticket],
        input=b"QUIT\n", capture_output=True, check=False, timeout=20)
    assert b"Verification" in done.stdout
    assert not os.path.exists(ticket)


@pytest.mark.parametrize("method, rounds", [("sha512", 400000),
                                            ("yescrypt", "9")])
@pytest.mark.alone
def test_the_clock_does_not_tell_who_has_an_account(server, sink, method,
                                                    rounds):
    """Each on a session of its own, from networks that have not failed, so
    that the delay is the same."""
    tries = 6 if SANITIZED else 14
    stored = crypt("wheel", method, rounds)
    p = begin_users(server, sink, *("user%d:%s" % (i, stored)
                                    for i in range(50)))
    took = {"known": [], "unknown": []}
    for i in range(tries):
        for kind, name in (("known", "user%d" % i),
                           ("unknown", "resu%d" % i)):
            with Client(p.port, source="127.0.%d.1" % (i + 1)) as c:
                c.hello()
                begun = time.monotonic()
                c.want("AUTH PLAIN " + plain(name, "x"), 535)
                took[kind].append(time.monotonic() - begun)
    known = statistics.median(took["known"]) - 0.5
    unknown = statistics.median(took["unknown"]) - 0.5
    assert abs(known - unknown) < 0.015 + known * 0.3, (known, unknown)


def test_who_gives_up_while_the_vault_thinks_is_forgotten(server, sink):
    """A client that asks and leaves, again and again, in another's name."""
    slow = crypt("wheel", "sha512", 1000000)
    p = begin_users(server, sink, "ann:" + slow, "bob:" + crypt(
        "wheel", "sha512", 1000))
    for i in range(40):
        c = Client(p.port)
        c.write("EHLO x.example\r\nAUTH PLAIN %s\r\n" % plain("ann", "x"))
        assert c.reply().startswith("250")
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
        c.close()
    with Client(p.port) as c:
        c.hello()
        c.want("NOOP", 250)
        c.want("AUTH PLAIN " + plain("bob", "wheel"), 235)


def ask_slowly(p):
    """A client whose password is being checked, for a second or so."""
    c = Client(p.port)
    c.hello()
    c.write("AUTH PLAIN %s\r\n" % plain("ann", "wheel"))
    users = p.pid("users")
    until(lambda: any(open("/proc/%d/task/%s/stat" % (users, t)).read()
                      .split()[2] == "R"
                      for t in os.listdir("/proc/%d/task" % users)),
          what="a hash under way")
    return c


def test_a_reload_in_the_midst_of_a_slow_check(server, sink):
    p = begin_users(server, sink, "ann:" + crypt("wheel", "sha512", 2000000))
    with ask_slowly(p) as c:
        accounts(p, "eve:" + crypt("wheel", "sha512", 1000))
        since = p.mark()
        p.signal(signal.SIGHUP)
        p.wait_log(since=since, event="reloaded", by=p.process.pid)
        assert c.reply().startswith("235")
    with Client(p.port) as c:
        c.hello()
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 535)


def test_a_stop_in_the_midst_of_a_slow_check(server, sink):
    p = begin_users(server, sink, "ann:" + crypt("wheel", "sha512", 2000000))
    with ask_slowly(p):
        begun = time.monotonic()
        p.stop()
        assert time.monotonic() - begun < 15


def test_a_file_of_users_that_is_too_large_leaves_the_old_in_force(server,
                                                                   sink):
    p = begin_users(server, sink, "ann:" + crypt("wheel", "sha512", 1000))
    with open(os.path.join(p.room.work, "users"), "ab") as f:
        f.truncate(65 << 20)
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="trouble",
               why="the users file is larger than 64 MiB")
    with Client(p.port) as c:
        c.hello()
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)


def test_the_file_of_users_may_be_strange(server, sink):
    good = crypt("wheel", "sha512", 1000)
    p = begin_users(server, sink, "", ":", "::", ":" + good, "ann", "ann:",
                    "# bob:" + good, "\ufeffcat:" + good, "dan:*", "eve:!",
                    "x" * 5000 + ":" + good, "fay:" + good + "\r",
                    "gus:" + good + ":Gus: of there", "hal:" + "$6$" * 300,
                    "ida:$9$unheard$of", "fay:" + crypt(
                        "second", "sha512", 1000), "jan : " + good)
    with open(os.path.join(p.room.work, "users"), "ab") as f:
        f.write(b"\0\0\xff:\n" + b"last:" + good.encode())
    since = p.mark()
    p.signal(signal.SIGHUP)
    p.wait_log(since=since, event="reloaded", by=p.process.pid)
    for user, password, code in (
            ("fay", "wheel", 235), ("gus", "wheel", 235),
            ("last", "wheel", 235), ("fay", "second", 535),
            ("ann", "", 535), ("dan", "*", 535), ("bob", "wheel", 535),
            ("ida", "$9$unheard$of", 535), ("hal", "wheel", 535)):
        with Client(p.port) as c:
            c.hello()
            c.want("AUTH PLAIN " + plain(user, password), code)


def test_a_password_with_a_nul_is_no_shorter_one(server, sink):
    p = begin_users(server, sink, "ann:" + crypt("wheel", "sha512", 1000))
    with Client(p.port) as c:
        c.hello()
        c.want("AUTH LOGIN", 334)
        c.want(base64.b64encode(b"ann"), 334)
        c.want(base64.b64encode(b"wheel\0barrow"), 535)
        c.want("AUTH PLAIN " + plain("ann", "wheel"), 235)


class Busy:
    """A client over TLS with a login that sends and sends; ids of what it was
    told is queued."""

    def __init__(self, house):
        self.house, self.ids, self.shakes = house, [], 0
        self.is_over = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_over:
            try:
                with open_secure(self.house) as c:
                    self.shakes += 1
                    self.ids.append(c.mail("ann@here.example",
                                           "bob@there.example"))
            except (OSError, AssertionError, ValueError):
                time.sleep(0.02)

    def join(self):
        self.is_over = True
        self.thread.join()


@pytest.mark.storm
def test_everything_at_once_and_nothing_acknowledged_is_lost(house, sink):
    """Clients that leave in every state, reloads, and the deaths of all that
    the edge asks, while others send."""
    hello = client_hello()
    busy = [Busy(house) for _ in range(3)]
    end = time.monotonic() + (20 if SANITIZED else 8)
    turn = 0
    while time.monotonic() < end:
        turn += 1
        victim = (("keys",), ("users", "staff"), ("queue", "main"))[turn % 3]
        socks = []
        try:
            socks = stuck(house, 5, hello)
            if turn % 4 == 0:
                house.signal(signal.SIGHUP)
            if turn % 2 == 0:
                house.kill(*victim)
        except (OSError, AssertionError, IndexError):
            pass
        time.sleep(0.15)
        for s in socks:
            s.close()
    for b in busy:
        b.join()
    ids = {i for b in busy for i in b.ids}
    assert len(ids) >= 5
    until(lambda: ids <= {m.id for m in list(sink.messages)}, 60,
          "all that was acknowledged")
    last = Busy(house)
    until(lambda: last.ids, 60, "a message after it all")
    last.join()
