"""Mail by HTTP: what clients of both generations of slimta say, and hear."""

import base64
import http.client
import os
import re
import socket
import subprocess

import pytest

from client import Client
from server import NOBODY, Postern, Room, free_port, until
from sinks import Sink
from test_submission import PASSWORD, USER, make_users

CONF = """
process { hostname mx.test.example; run_dir run }
edge python {
    type http
    listener { interface 127.0.0.1; port %(python)d }
    rules { only_recipients @there.example }
    max_size 1M
    queue main
}
edge lua {
    type http; dialect lua
    listener { interface 127.0.0.1; port %(lua)d }
    queue main
}
edge staff {
    type http; uri /mail$
    listener { interface 127.0.0.1; port %(staff)d }
    sender_header X-From; recipient_header X-To
    rules { lookup_credentials staff; require_auth yes; auth_without_tls yes }
    queue main
}
users staff { type file; path users }
queue main {
    type lmdb; path run/main; relay out
    retry { delay 1; maximum_delay 1s }
}
relay out { type static; host 127.0.0.1; port %(sink)d }
"""
TEXT = "Subject: hello\r\n\r\nHello.\r\n.\r\n..\r\n"
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SEED = ("POST /email HTTP/1.0\r\n"
        "X-Ehlo: client.example.com\r\n"
        "X-Sender: sender@client.example.com\r\n"
        "X-Recipient: recipient1@client.example.com\r\n"
        "X-Recipient: recipient2@client.example.com\r\n"
        "Content-Type: message/rfc822\r\n"
        "Content-Length: 150\r\n"
        "\r\n"
        "From: sender@client.example.com\n"
        "To: recipient1@client.example.com\n"
        "Cc: recipient2@client.example.com\n"
        "Subject: slimta testing\n"
        "\n"
        "HTTP message submission!\n")


def letters(text):
    return base64.b64encode(text.encode()).decode()


def fields(*rcpts, sender="ann@here.example", **more):
    return [("X-Envelope-Sender", letters(sender)),
            *(("X-Envelope-Recipient", letters(r)) for r in rcpts),
            *((k.replace("_", "-"), v) for k, v in more.items())]


class Http:
    """A connection, kept as long as the edge keeps it."""

    def __init__(self, port):
        self.con = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, heads, body=TEXT, path="/", method="POST", chunks=False):
        self.con.putrequest(method, path)
        for name, value in heads:
            self.con.putheader(name, value)
        if chunks:
            self.con.putheader("Transfer-Encoding", "chunked")
        else:
            body = body.encode() if isinstance(body, str) else body
            self.con.putheader("Content-Length", str(len(body)))
        self.con.endheaders()
        if chunks:
            for part in body:
                self.con.send(b"%x\r\n%s\r\n" % (len(part), part.encode()))
            self.con.send(b"0\r\n\r\n")
        else:
            self.con.send(body)
        answer = self.con.getresponse()
        answer.text = answer.read().decode()
        answer.reply = answer.getheader("X-Smtp-Reply", "")
        return answer


def raw(port, said):
    """What a client hears that sends these bytes, up to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        s.sendall(said if isinstance(said, bytes) else said.encode())
        heard = b""
        while True:
            part = s.recv(65536)
            if not part:
                return heard.decode()
            heard += part


class House:
    """One for all tests of this file."""

    def __init__(self, server):
        self.server, self.sink = server, Sink()
        make_users(server.room.work)
        self.python, self.lua = free_port(), free_port()
        self.staff, self.out = free_port(), free_port()
        server.configure(CONF % {**vars(self), "sink": self.sink.port})
        server.start()

    def by_id(self, name):
        return until(lambda: [m for m in self.sink.messages
                              if m.id == name], what=name)[0]

    def close(self):
        self.server.stop()
        self.sink.close()


@pytest.fixture(scope="module")
def shared():
    room = Room(NOBODY if os.geteuid() == 0 else None)
    house = House(Postern(room))
    yield house
    house.close()
    room.remove()


@pytest.fixture
def house(shared):
    with shared.sink.news:
        shared.sink.messages.clear()
    return shared


def test_the_session_of_the_seed_to_the_byte(house):
    heard = raw(house.lua, SEED)
    found = re.fullmatch(
        "HTTP/1.0 200 Message queued as (%s)\r\n"
        "Content-Length: 36\r\n\r\n(%s)" % (ID, ID), heard)
    assert found and found[1] == found[2], heard
    got = house.sink.wait()[0]
    assert got.id == found[1]
    assert got.sender == "sender@client.example.com"
    assert got.rcpts == ["recipient1@client.example.com",
                         "recipient2@client.example.com"]
    assert got.text.startswith(
        "Received: from client.example.com ("), got.text
    assert "with HTTP id" in got.text.replace("\r\n\t", " "), got.text
    assert got.text.endswith(SEED[-150:].replace("\n", "\r\n"))


@pytest.mark.parametrize("said, heard", [
    (("/email", "/mail"), "404 Not Found"),
    (("POST", "GET"), "501 Not Implemented"),
    (("message/rfc822", "text/plain"), "406 Not Acceptable"),
    (("X-Sender: sender@client.example.com\r\n", ""),
     "400 Missing X-Sender header"),
    (("X-Recipient", "X-Other"), "400 Missing X-Recipient header"),
    (("X-Sender: sender@", "X-Sender: s> SIZE=1 <@"),
     "400 Bad address syntax"),
    (("HTTP/1.0", "HTTP/1.2"), "505 not HTTP/1.0 or HTTP/1.1"),
])
def test_what_is_wrong_is_said_in_the_first_line(house, said, heard):
    assert raw(house.lua, SEED.replace(*said)).split("\r\n")[0] in (
        "HTTP/1.0 " + heard, "HTTP/1.1 " + heard)


def test_a_sender_stands_in_from_where_the_lua_edge_finds_none(house):
    said = SEED.replace("\nFrom: sender@client.example.com\n", "\n")
    said = said.replace("Length: 150", "Length: 118")
    assert raw(house.lua, said).startswith("HTTP/1.0 200 Message queued as ")
    assert house.sink.wait()[0].header("From") == [
        "sender@client.example.com"]


def test_a_message_that_was_taken_is_kept_and_has_no_body(house):
    http = Http(house.python)
    parts = ["Subject: a\r\n\r", "\nb\r\n", ".\r\n",
             *["c" * 900 + "\r\n"] * 99, "d"]
    for body, chunks in ((TEXT, False), (parts, True)):
        got = http.post(fields("a@there.example", "b@there.example",
                               X_Ehlo="here.example"), body, chunks=chunks)
        assert (got.status, got.reason, got.text) == (204, "No Content", "")
        found = re.fullmatch(
            '250; message="2.6.0 Message queued as (%s)"' % ID, got.reply)
        assert found, got.reply
        mail = house.by_id(found[1])
        assert mail.rcpts == ["a@there.example", "b@there.example"]
        assert mail.sender == "ann@here.example"
        assert mail.text.startswith("Received: from here.example")
        want = "".join(body) + ("" if body == TEXT else "\r\n")
        assert mail.text.endswith("\r\n" + want), len(mail.text)


def test_recipients_may_share_a_field(house):
    both = ", ".join(letters(n + "@there.example") for n in "ab") + ";" + \
        letters("c@there.example")
    got = Http(house.python).post(
        [("X-Envelope-Recipient", both), ("Content-Type", "message/rfc822")])
    assert got.status == 204
    mail = house.sink.wait()[0]
    assert mail.rcpts == [n + "@there.example" for n in "abc"]
    assert mail.sender == ""
    assert mail.text.startswith("Received: from [127.0.0.1] ")


@pytest.mark.parametrize("head, status, reply", [
    (fields("a@elsewhere.example"), 403,
     '550; message="5.7.1 Recipient <a@elsewhere.example> Not allowed"; '
     'command="RCPT"'),
    (fields("a@there.example", "a@elsewhere.example"), 403,
     '550; message="5.7.1 Recipient <a@elsewhere.example> Not allowed"; '
     'command="RCPT"'),
    (fields(), 400, '554; message="5.5.1 No valid recipients given"; '
     'command="DATA"'),
    (fields("a b"), 400, '501; message="5.1.3 Bad address syntax"; '
     'command="RCPT"'),
    (fields("a@there.example", sender="a@b>\r\nRCPT TO:<c@d"), 400,
     '501; message="5.1.7 Bad address syntax"; command="MAIL"'),
    ([("X-Envelope-Recipient", "not base64")], 400,
     '501; message="5.5.4 A field that is not base64"; command="RCPT"'),
    (fields("a@there.example", X_Ehlo="two words"), 400,
     '501; message="5.5.4 Bad name of the client"; command="EHLO"'),
    (fields("a@there.example", Content_Type="text/plain"), 415, ""),
])
def test_a_refusal_is_of_all_and_the_connection_stays(house, head, status,
                                                      reply):
    http = Http(house.python)
    got = http.post(head)
    assert (got.status, got.reply) == (status, reply)
    assert http.con.sock is not None
    assert http.post(fields("a@there.example")).status == 204
    assert house.sink.wait()[0].rcpts == ["a@there.example"]


def test_other_methods_are_not_allowed(house):
    for method in "GET", "PUT", "HEAD":
        got = Http(house.python).post([], "", method=method)
        assert (got.status, got.getheader("Allow")) == (405, "POST")


def test_a_large_message_is_refused_before_it_comes(house):
    size = 1 << 21
    got = raw(house.python, "POST / HTTP/1.1\r\nHost: a\r\n"
              "X-Envelope-Recipient: %s\r\nContent-Length: %d\r\n"
              "Expect: 100-continue\r\n\r\n"
              % (letters("a@there.example"), size))
    assert got.startswith("HTTP/1.1 413 Content Too Large\r\n"), got
    assert 'X-Smtp-Reply: 552; message="5.3.4 ' in got, got
    assert "\r\nConnection: close\r\n" in got
    got = Http(house.python).post(
        fields("a@there.example"), ["y" * 5000 + "\r\n"] * 300, chunks=True)
    assert got.status == 413, got.status


def test_line_ends_are_made_whole_and_others_refused(house):
    http = Http(house.python)
    got = http.post(fields("a@there.example"),
                    "Subject: x\n\n.\nb\r\n.\n.\r\nlast")
    assert got.status == 204
    assert house.sink.wait()[0].text.endswith(
        "Subject: x\r\n\r\n.\r\nb\r\n.\r\n.\r\nlast\r\n")
    for body in "Subject: x\r\n\r\na\rb\r\n", "Subject: x\r\n\r\na\0b\r\n":
        got = http.post(fields("a@there.example"), body)
        assert (got.status, got.reply) == (
            500, '550; message="5.5.2 Bare CR, bare LF or NUL not allowed"; '
            'command="DATA"')


def test_eight_bits_and_names_in_utf8(house):
    """Until it is known what the next hop offers, it is 503."""
    def answer():
        got = Http(house.python).post(
            fields("j\xf6rg@there.example", sender="\xe4nn@here.example"),
            "Subject: \xfc\r\n\r\n\xdf\r\n".encode())
        return got if got.status != 503 else None
    got = until(answer, what="what the next hop offers")
    assert got.status == 204, got.reply
    assert "SMTPUTF8" in house.sink.wait()[0].params


def test_a_login_holds_for_its_request_alone(house):
    http = Http(house.staff)
    head = [("X-From", letters("ann@here.example")),
            ("X-To", letters("bob@there.example"))]
    login = letters("%s:%s" % (USER, PASSWORD))

    def post(*more, path="/mail"):
        return http.post([*head, *more], path=path)
    got = post()
    assert got.status == 401
    assert got.getheader("WWW-Authenticate") == \
        'Basic realm="mx.test.example"'
    assert post(("Authorization", "Basic " + login)).status == 204
    assert "with HTTPA id" in house.sink.wait()[0].text.replace("\r\n\t", " ")
    assert post().status == 401
    assert post(("Authorization", "Bearer " + login)).status == 204
    got = post(("Authorization", "Basic " + letters(USER + ":wrong")))
    assert (got.status, got.reply) == (401, '535; message="5.7.8 '
        'Authentication credentials invalid"; command="AUTH"')
    assert post(("Authorization", "Digest x")).status == 401
    assert post(path="/mailbox").status == 404


SMUGGLED = "POST / HTTP/1.1\r\nHost: a\r\nX-Envelope-Recipient: %s\r\n" \
    "Content-Length: 13\r\n\r\nSubject: b\r\n\r" % letters("b@there.example")


@pytest.mark.parametrize("framing", [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "Content-Length : 5\r\n\r\n", "Content-Length: +0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "X: y\nContent-Length: 5\r\n\r\n",
])
def test_nothing_is_read_behind_what_could_be_two_things(house, framing):
    heard = raw(house.python, "POST / HTTP/1.1\r\nHost: a\r\n"
                "X-Envelope-Recipient: %s\r\n" % letters("a@there.example") +
                framing + SMUGGLED)
    assert heard.startswith("HTTP/1.1 400 Bad Request\r\n"), heard
    assert heard.count("HTTP/1.1 ") == 1, heard


def test_curl_sends_a_file_as_the_manual_has_it(house):
    name = os.path.join(house.server.room.work, "mail.eml")
    with open(name, "w", encoding="ascii") as f:
        f.write("Subject: by curl\n\nHello.\n" + "x" * 70 + "\n" * 2000)
    done = subprocess.run(
        ["curl", "-sS", "-w", "%{http_code}", "--data-binary", "@" + name,
         "-H", "Content-Type: message/rfc822", "-H", "Expect: 100-continue",
         *(w for h in fields("a@there.example") for w in ("-H", "%s: %s" % h)),
         "http://127.0.0.1:%d/" % house.python],
        capture_output=True, text=True, check=True)
    assert done.stdout == "204", done
    assert house.sink.wait()[0].header("Subject") == ["by curl"]


PASSING = """
process { hostname mx.test.example; run_dir run }
edge web {
    type http
    listener { interface 127.0.0.1; port %(web)d }
    relay hop
}
edge smtp {
    type smtp
    listener { interface 127.0.0.1; port %(smtp)d }
    relay web
}
relay web { type http; url http://127.0.0.1:%(web)d/ }
relay hop { type static; host 127.0.0.1; port %(hop)d; ask_after 0 }
"""


@pytest.fixture(scope="module")
def passing():
    room = Room(NOBODY if os.geteuid() == 0 else None)
    p = Postern(room)
    p.hop = Sink(extensions=("PIPELINING", "8BITMIME"))
    p.web, p.smtp = free_port(), free_port()
    p.configure(PASSING % {"web": p.web, "smtp": p.smtp, "hop": p.hop.port})
    p.start()
    yield p
    p.stop()
    p.finish()
    p.hop.close()
    room.remove()


LINES = "".join("%d %s\r\n" % (i, "x" * (i % 900)) for i in range(600))


@pytest.mark.parametrize("text", [TEXT, TEXT + LINES, "Subject: x\r\n\r\n"],
                         ids=["short", "long", "bare"])
@pytest.mark.parametrize("chunks", [False, True])
def test_what_passes_through_is_answered_by_the_next_hop(passing, text,
                                                         chunks):
    passing.hop.answer = lambda verb, line, session: \
        "250 2.0.0 Kept as 4711" if verb == "END" else None
    passing.hop.messages.clear()
    parts = [text[i:i + 5000] for i in range(0, len(text), 5000)]
    got = Http(passing.web).post(fields("bob@there.example"),
                                 parts if chunks else text, chunks=chunks)
    assert (got.status, got.reply) == (
        204, '250; message="2.0.0 Kept as 4711"'), got.text
    assert passing.hop.wait()[0].data.endswith(text.encode())


@pytest.mark.parametrize("verb, words", [
    ("MAIL", "550 5.7.1 Not you"), ("RCPT", "550 5.1.1 Nobody"),
    ("DATA", "451 4.3.0 Not now"), ("END", "554 5.6.0 No such thing")])
@pytest.mark.parametrize("chunks", [False, True])
def test_a_refusal_of_the_next_hop_comes_in_its_words(passing, verb, words,
                                                      chunks):
    passing.hop.answer = lambda got, line, session: \
        words if got == verb else None
    got = Http(passing.web).post(fields("bob@there.example"),
                                 [TEXT] if chunks else TEXT, chunks=chunks)
    assert got.reply.startswith('%s; message="%s"' % (words[:3], words[4:]))


@pytest.mark.parametrize("verb, words", [
    (None, "250 2.0.0 Kept as 4711"), ("RCPT", "550 5.1.1 Nobody"),
    ("END", "554 5.6.0 No such thing"), ("END", "451 4.3.0 Not now")])
@pytest.mark.parametrize("text", [TEXT, TEXT + LINES], ids=["short", "long"])
def test_by_smtp_and_http_and_smtp_the_words_stay(passing, verb, words, text):
    passing.hop.answer = lambda got, line, session: \
        words if got == (verb or "END") else None
    with Client(passing.smtp) as c:
        c.hello()
        c.begin("ann@here.example", "bob@there.example")
        c.write(text.replace("\r\n.", "\r\n.."))
        assert c.say(".") == words
