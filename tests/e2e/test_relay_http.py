"""Relay type http: mail goes on as the body of a request, kept and passed
through, to a server that follows a script and to nginx."""

import http.server
import os
import signal
import socket
import ssl
import subprocess
import threading
import wsgiref.simple_server

import pytest

import webs
from client import TEXT, Client, send
from peers import Authority
from server import NOBODY, Postern, Room, free_port, until
from tool import ctl

CONF = """
process { hostname mx.test.example; run_dir run }
edge in {
    type smtp
    listener { interface 127.0.0.1; port %(smtp)d }
    queue main
}
edge pass {
    type smtp
    listener { interface 127.0.0.1; port %(passing)d }
    relay web
}
queue main {
    type lmdb
    path run/queue
    relay web
    retry { delay 1; maximum_delay 1s }
}
relay web {
    type http
    url %(url)s
    %(more)s
}
"""
ANN, BOB = "ann@here.example", "bob@there.example"


class House:
    def __init__(self, server):
        self.server = server
        self.web = webs.Web()
        self.smtp, self.passing = free_port(), free_port()
        self.configure()
        server.start()

    def configure(self, more="", url=None):
        self.server.configure(CONF % dict(
            smtp=self.smtp, passing=self.passing, more=more, url=url or
            "http://127.0.0.1:%d/messages/?key=1" % self.web.port))

    def reload(self, more="", url=None):
        self.configure(more, url)
        self.again()

    def again(self):
        since = self.server.mark()
        self.server.signal(signal.SIGHUP)
        self.result("reloaded", since=since)

    def reset(self):
        self.web.head = self.web.end = lambda request: None
        self.web.pause = None
        ctl(self.server, "queue", "remove", "--all", "--yes")
        until(lambda: not ctl(self.server, "queue", "list", "--json").lines,
              what="what the test before left")
        with self.web.news:
            self.web.requests.clear()

    def send(self, *rcpts, **more):
        return send(self.smtp, ANN, *rcpts or (BOB,), **more)

    def result(self, event, **want):
        return self.server.wait_log(event=event, **want)


@pytest.fixture(scope="module")
def shared():
    room = Room(NOBODY if os.geteuid() == 0 else None)
    house = House(Postern(room))
    yield house
    house.server.stop()
    house.web.close()
    room.remove()


@pytest.fixture
def house(shared):
    shared.reset()
    return shared


def ours(house):
    """What Ann's mail came as: not a bounce of the test before."""
    return [r for r in list(house.web.requests) if r.sender == ANN]


def reply_of(house, *rcpts, text=TEXT):
    """What a client hears at the end of a mail that passes through."""
    with Client(house.passing) as c:
        c.hello()
        c.begin(ANN, *rcpts or (BOB,))
        c.write(text)
        return c.say(".")


def test_a_message_is_the_body_and_its_envelope_the_fields(house):
    house.send("bob@there.example", "carl@there.example")
    r = house.web.wait()[0]
    assert r.line == "POST /messages/?key=1 HTTP/1.1"
    assert r.get("Host") == "127.0.0.1:%d" % house.web.port
    assert r.get("Content-Type") == "message/rfc822"
    assert r.get("X-Ehlo") == "mx.test.example"
    assert r.sender == ANN
    assert r.rcpts == ["bob@there.example", "carl@there.example"]
    assert int(r.get("Content-Length")) == len(r.body)
    assert r.text.endswith(TEXT)


LATER, NEVER = ("4", "5")
JUDGED = [
    (webs.answer(200, "OK"), "250 2.0.0 OK"),
    (webs.answer(204, ""), "250 2.0.0 Ok"),
    (webs.answer(200, "2.6.0 Message queued as 4711"),
     "250 2.6.0 Message queued as 4711"),
    (webs.answer(200, "x", '250; message="2.6.0 Taken by the hop"'),
     "250 2.6.0 Taken by the hop"),
    (webs.answer(200, "x", '550; message="5.7.1 Yet it is not"'),
     "550 5.7.1 Yet it is not"),
    (webs.answer(500, "x", '250; message="2.0.0 Or is it"'),
     "451 4.5.0 The next hop sent a reply of the wrong kind"),
    (webs.answer(500, "x", '550; message="5.1.1 No \\"such\\" user"; '
                 'command="RCPT"'), '550 5.1.1 No "such" user'),
    (webs.answer(400, "x", '452; message="4.3.1 Full"'), "452 4.3.1 Full"),
    (webs.answer(404, "Not Found"), "550 5.0.0 Not Found"),
    (webs.answer(404, "Not Found", "550 without its semicolon"),
     "550 5.0.0 Not Found"),
    (webs.answer(429, "Too Many Requests"), "450 4.0.0 Too Many Requests"),
    (webs.answer(401, "Unauthorized"), "454 4.7.8 The login was refused"),
    (webs.answer(503, "Service Unavailable"),
     "450 4.0.0 Service Unavailable"),
    (webs.answer(302, "Found", more="Location: http://127.0.0.1:1/\r\n"),
     "450 4.0.0 Found"),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", "451 4.5.0 The next hop sent something "
     "that is not an HTTP response"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     "451 4.5.0 The next hop sent something that is not an HTTP response"),
    (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 30000,
     "451 4.5.0 The next hop sent something that is not an HTTP response"),
    (b"HTTP/1.1 102 Processing\r\n\r\n" * 100,
     "451 4.5.0 The next hop sent something that is not an HTTP response"),
    (webs.CUT, "451 4.4.2 Connection lost"),
]


def test_each_answer_is_judged_and_its_words_survive(house):
    got = []
    for said, _ in JUDGED:
        house.web.end = lambda request, said=said: said
        got.append(reply_of(house))
    assert got == [want for _, want in JUDGED]


def test_what_is_taken_while_the_connection_breaks_is_not_sent_twice_at_once(
        house):
    """The whole request was written: whether it was processed nobody knows, so
    the queue tries it again, and not this connection's next."""
    cut = [webs.CUT]
    house.web.end = lambda request: cut.pop() if cut else None
    since = house.server.mark()
    house.send()
    house.web.wait(2)
    house.result("deferred", since=since)
    house.result("delivered", since=since)


def test_connections_are_kept_and_one_that_was_closed_costs_nobody(house):
    since = house.server.mark()
    before = house.web.connections
    for count in 1, 2:
        house.send()
        house.web.wait(count)
        house.result("delivered", since=since, count=count)
    assert len({r.number for r in house.web.requests}) == 1
    house.web.cut()
    house.send()
    house.web.wait(3)
    house.result("delivered", since=since, count=3)
    assert house.web.connections <= before + 2
    assert not house.server.find_log(since, event="deferred")


def test_who_answers_before_the_body_is_not_sent_the_rest(house):
    house.web.head = lambda request: webs.answer(413, "Too big for us")
    text = TEXT + ("x" * 70 + "\r\n") * 200000
    since = house.server.mark()
    house.send(text=text)
    line = house.result("failed", since=since)
    assert line["code"] == "552"
    assert line["reply"] == "5.3.4 Too big for us"
    assert house.web.requests[0].get("Expect") == "100-continue"


def test_a_refusal_is_charged_to_whom_it_concerns(house):
    def judge(request):
        if "no@there.example" in request.rcpts:
            return webs.answer(500, "x", '550; message="5.1.1 Nobody"')
        return None
    house.web.end = judge
    since = house.server.mark()
    house.send("bob@there.example", "no@there.example", "carl@there.example")
    for name in "bob", "carl":
        house.result("delivered", since=since, rcpt=name + "@there.example")
    # A bounce of the test before may fail as well.
    house.result("failed", since=since, rcpt="no@there.example")
    rcpts = [r.rcpts for r in ours(house)]
    assert [len(r) for r in rcpts] == [3, 1, 1, 1]


def test_a_large_text_that_passes_through_goes_in_chunks_and_is_whole(house):
    lines = "".join("%d %s\r\n" % (i, "x" * (i % 900)) for i in range(3000))
    house.web.end = lambda request: webs.answer(
        200, "x", '250; message="2.0.0 %d"' % len(request.body))
    got = reply_of(house, text=TEXT + lines)
    r = ours(house)[0]
    assert r.get("Transfer-Encoding") == "chunked"
    assert r.text.endswith(TEXT + lines)
    assert got == "250 2.0.0 %d" % len(r.body)
    reply_of(house)
    small = ours(house)[1]
    assert int(small.get("Content-Length")) == len(small.body)


def test_a_client_that_leaves_leaves_no_message(house):
    with Client(house.passing) as c:
        c.hello()
        c.begin(ANN, BOB)
        c.write(TEXT + ("x" * 70 + "\r\n") * 5000)
    assert reply_of(house).startswith("250")
    assert len(house.web.requests) == 1


def test_a_relay_that_dies_in_the_middle_begins_anew(house):
    house.web.pause = threading.Event()
    heads = []
    house.web.head = heads.append
    text = TEXT + ("x" * 70 + "\r\n") * 5000
    house.send(text=text)
    until(lambda: heads)
    house.server.kill("relay", "web")
    house.web.pause.set()
    r = house.web.wait()[0]
    assert r.text.endswith(text)
    assert len(house.web.requests) == 1


class Plain(http.server.BaseHTTPRequestHandler):
    """The server of Python's library, as an application would use it."""

    protocol_version = "HTTP/1.1"
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.headers.get_all("X-Envelope-Recipient"), body))
        self.send_response(200, "Taken")
        self.send_header("X-Smtp-Reply", '250; message="2.6.0 By Python"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_python_http_server_takes_it(house):
    Plain.got.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        house.reload(url="http://localhost:%d/" % server.server_port)
        assert reply_of(house, BOB, "carl@there.example") == \
            "250 2.6.0 By Python"
        since = house.server.mark()
        house.send(text=TEXT + ("x" * 70 + "\r\n") * 5000)
        house.result("delivered", since=since)
        assert len(Plain.got[0][0]) == 2
        assert Plain.got[1][1].endswith(b"x\r\n")
        assert len(Plain.got[1][1]) > 360000
    finally:
        server.shutdown()
        server.server_close()


NGINX = """
daemon off; worker_processes 1; pid %(dir)s/pid; error_log %(dir)s/log;
%(user)s
events { }
http {
    access_log off; client_max_body_size 1m; keepalive_timeout 75;
    client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy;
    fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u;
    scgi_temp_path %(dir)s/s;
    server {
        listen 127.0.0.1:%(port)d;
        location / { proxy_pass http://127.0.0.1:%(behind)d; }
    }
}
"""


def nginx_program():
    peers = os.environ.get("POSTERN_PEERS", "build/peers")
    for path in "/usr/sbin/nginx", os.path.realpath(peers) + \
            "/usr/sbin/nginx":
        if os.path.exists(path):
            return path
    raise AssertionError("there is no nginx: tests/deps.sh test")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


def test_nginx_before_a_wsgi_application_takes_it(house):
    """Chunks too, which nginx makes a length of; what is over its limit it
    refuses itself."""
    got = []

    def app(env, start):
        got.append(env["wsgi.input"].read(int(env["CONTENT_LENGTH"])))
        start("204 No Content", [(
            "X-Smtp-Reply", '250; message="2.6.0 %d"' % len(got[-1]))])
        return []

    behind = wsgiref.simple_server.make_server("127.0.0.1", 0, app,
                                               handler_class=Quiet)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    room = os.path.join(house.server.room.dir, "nginx")
    os.mkdir(room)
    port = free_port()
    with open(room + "/conf", "w", encoding="ascii") as f:
        f.write(NGINX % dict(
            dir=room, port=port, behind=behind.server_port,
            user="user root;" if os.geteuid() == 0 else ""))
    nginx = subprocess.Popen(
        [nginx_program(), "-c", room + "/conf",
         "-e", room + "/log"])
    try:
        house.reload(url="http://127.0.0.1:%d/mail" % port)
        until(lambda: listens(port), what="nginx")
        text = TEXT + ("x" * 70 + "\r\n") * 5000
        said = reply_of(house, text=text)
        assert said == "250 2.6.0 %d" % len(got[0])
        assert got[0].decode().endswith(text)
        since = house.server.mark()
        house.send()
        house.result("delivered", since=since)
        house.send(text=TEXT + ("x" * 70 + "\r\n") * 20000)
        line = house.result("failed", since=since)
        assert line["reply"].startswith("5.3.4 "), line
    finally:
        nginx.terminate()
        nginx.wait()
        behind.shutdown()
        behind.server_close()


def test_the_other_dialect_in_clear_and_with_a_login(house):
    path = os.path.join(house.server.room.work, "password")
    with open(path, "w", encoding="ascii") as f:
        f.write("s3kr1t\n")
    os.chmod(path, 0o600)
    owner = os.stat(house.server.room.work)
    os.chown(path, owner.st_uid, owner.st_gid)
    house.reload("dialect lua; chunked no; idle_timeout 0; ehlo_as me.example;"
                 " credentials { username ann; password_file %s }" % path)
    since = house.server.mark()
    house.send()
    r = house.web.wait()[0]
    assert (r.sender, r.rcpts) == (ANN, [BOB])
    assert r.get("X-Ehlo") == "me.example"
    assert r.get("Authorization") == "Basic YW5uOnMza3IxdA=="
    assert r.get("Connection") == "close"
    house.result("delivered", since=since)
    text = TEXT + ("x" * 70 + "\r\n") * 5000
    assert reply_of(house, text=text) == "552 5.3.4 The message is too big " \
        "to be handed on while it arrives"
    house.web.end = lambda request: webs.answer(
        500, "x", '550; message="5.7.8 not s3kr1t"')
    assert "s3kr1t" not in reply_of(house)


def test_a_unix_socket_and_tls_whose_certificate_must_hold(house):
    work = house.server.room.work
    ca = Authority(house.server.room.dir)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*ca.issue("DNS:web.example"))
    web = webs.Web(tls, os.path.join(work, "web.sock"))
    os.chmod(os.path.join(work, "web.sock"), 0o777)
    try:
        more = "path %s/web.sock; tls { security verified; ca_certs %s }" \
            % (work, ca.cert)
        house.reload(more)
        with Client(house.passing) as c:
            c.hello()
            assert c.say("MAIL FROM:<%s>" % ANN) == \
                "454 4.7.5 Unable to verify certificates"
        house.reload(more, "https://web.example/")
        assert reply_of(house) == "250 2.0.0 No Content"
        assert web.requests[0].get("Host") == "web.example"
    finally:
        web.close()
