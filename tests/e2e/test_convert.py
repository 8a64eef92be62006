"""Text that a next hop does not take as it is goes there converted: decoded it
is what was sent, and all that needs no conversion is as it was."""

import email
import email.policy
import base64
import hashlib
import os
import quopri
import random
import re
import signal
import threading

import pytest

from client import send
from server import until
from sinks import EXTENSIONS

# What the sanitizers would see of it, unit tests and the fuzzer show them.
pytestmark = pytest.mark.heavy

SOON = "retry { delay 1; maximum_delay 1s }"
SOAK = os.environ.get("POSTERN_SOAK") == "1"
SEVEN = [e for e in EXTENSIONS if e not in ("8BITMIME", "SMTPUTF8")]


def parts_of(data):
    """What a reader gets of each part: type, file name, content."""
    m = email.message_from_bytes(data, policy=email.policy.default)
    return [(p.get_content_type(), p.get_filename(),
             p.get_payload(decode=True).replace(b"\r\n", b"\n")
             if not p.is_multipart() else None,
             str(p["subject"])) for p in m.walk()]


def is_seven(data):
    return max(data) < 128 and max(map(len, data.split(b"\r\n"))) <= 998


def body(text, *fields):
    return ("\r\n".join(fields + ("", "")).encode() + text)


UTF8 = "Schöne Grüße — надежда\r\n".encode()
HTML = ("<html><p>%s</p></html>" % ("ä" * 3000)).encode() + b"\r\n"
NESTED = body(UTF8, "From: Jörg <j@x.example>", "Subject: Grüße",
              "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8")
MIXED = (
    "Subject: Übergröße\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"=_a\"\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\nvor=dem\r\n--=_a\r\n"
    "Content-Type: multipart/alternative; boundary=\"=_a-b\"\r\n\r\n"
    "--=_a-b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n").encode() + \
    UTF8 + (
    b"\r\n--=_a-b\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n") + HTML + (
    "\r\n--=_a-b--\r\n--=_a\r\nContent-Type: application/octet-stream\r\n"
    "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;"
    " filename=\"Prüfung 1.bin\"\r\n\r\nAAECAwQF\r\n--=_a\r\n"
    "Content-Type: text/plain\r\n\r\nplain = as  it is \r\n--=_a\r\n"
    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
).encode() + NESTED + b"\r\n--=_a--\r\n"

CASES = {
    "no MIME": body(UTF8, "Subject: Grüße"),
    "latin": body("Grüße\r\n".encode("latin-1"), "Subject: x",
                  "MIME-Version: 1.0",
                  "Content-Type: text/plain; charset=iso-8859-1",
                  "Content-Transfer-Encoding: 8bit"),
    "html": body(HTML, "Subject: x", "MIME-Version: 1.0",
                 "Content-Type: text/html; charset=utf-8"),
    "mixed": MIXED,
    "long": body(b"a" * 5000 + b"\r\nb\r\n", "Subject: x"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_sent_is_what_is_read(start, sinks, name):
    sink = sinks(extensions=SEVEN)
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example", text=CASES[name],
         params=" BODY=8BITMIME")
    got = sink.wait()[0]
    assert is_seven(got.data) and "BODY" not in got.params
    assert parts_of(got.data) == parts_of(CASES[name])
    p.wait_log(event="converted", id=got.id)


def test_only_what_needs_it_is_altered(start, sinks):
    sink = sinks(extensions=SEVEN)
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example", text=MIXED)
    got = sink.wait()[0].data
    for same in (b"\r\n\r\nvor=dem\r\n--=_a\r\n", b"\r\n\r\nAAECAwQF\r\n",
                 b"\r\n\r\nplain = as  it is \r\n--=_a\r\n"):
        assert same in got, same


def test_long_lines_alone_are_converted_for_a_hop_with_8bitmime(start, sinks):
    sink = sinks()
    p = start(sink.port, queue=SOON)
    text = MIXED.replace(b"plain = ", b"p" * 2000)
    send(p.port, "ann@here.example", "bob@there.example", text=text)
    got = sink.wait()[0]
    assert UTF8 in got.data and "BODY=8BITMIME" in got.params
    assert max(map(len, got.data.split(b"\r\n"))) <= 998
    assert parts_of(got.data) == parts_of(text)


def test_signed_text_is_refused_with_8_bits_and_sent_with_long_lines(start,
                                                                    sinks):
    sink = sinks(extensions=SEVEN)
    p = start(sink.port, queue=SOON)
    signed = (b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; "
              b"boundary=s\r\n\r\n--s\r\n\r\n%s\r\n--s--\r\n")
    send(p.port, "ann@here.example", "bob@there.example",
         text=signed % (b"l" * 3000))
    assert b"l" * 3000 in sink.wait()[0].data
    name = send(p.port, "ann@here.example", "bob@there.example",
                text=signed % UTF8)
    assert p.wait_log(event="failed", id=name)["dsn"] == "5.6.3"


def test_a_header_in_utf8_goes_to_a_hop_without_smtputf8(start, sinks):
    """The body stays as it is where 8BITMIME is offered."""
    sink = sinks(extensions=[e for e in EXTENSIONS if e != "SMTPUTF8"])
    p = start(sink.port, queue=SOON, edge="smtputf8 yes")
    text = body(UTF8, "From: Jörg Ö <ann@bücher.example>", "Subject: Grüße",
                "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8; name=\"ß.txt\"",
                "Content-Transfer-Encoding: 8bit")
    send(p.port, "ann@here.example", "bob@Bücher.example", text=text,
         params=" SMTPUTF8 BODY=8BITMIME")
    got = sink.wait()[0]
    head, rest = got.data.split(b"\r\n\r\n", 1)
    assert max(head) < 128 and rest == UTF8 and "SMTPUTF8" not in got.params
    assert got.rcpts == ["bob@xn--bcher-kva.example"]
    assert b"<ann@xn--bcher-kva.example>" in head
    got = email.message_from_bytes(got.data, policy=email.policy.default)
    assert got["subject"] == "Grüße" and got.get_filename() == "ß.txt"
    assert got["from"].addresses[0].display_name == "Jörg Ö"
    for sender, text in (("ann@here.example", body(UTF8, "Sender: <ö@x.de>")),
                         ("jörg@here.example", body(b"x\r\n"))):
        name = send(p.port, sender, "bob@there.example", text=text,
                    params=" SMTPUTF8 BODY=8BITMIME")
        assert p.wait_log(event="failed", id=name)["dsn"] == "5.6.7"


def peak_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))


def decoded(got):
    head, body = got.split(b"\r\n\r\n", 1)
    if b"quoted-printable" in head:
        return quopri.decodestring(body)
    return base64.b64decode(body)


def test_load_of_a_large_text_takes_no_more_memory(start, sinks):
    """It is never held: 50 MB in make soak, a few here."""
    sink = sinks(extensions=SEVEN)
    p = start(sink.port, queue=SOON)
    send(p.port, "ann@here.example", "bob@there.example",
         text=body(UTF8, "Subject: x"))
    sink.wait()
    relay = p.pid("relay")
    before = peak_kb(relay)
    line = ("größer als надежда " * 20 + "\r\n").encode()
    text = line * ((50 if SOAK else 3) * 1000000 // len(line))
    send(p.port, "ann@here.example", "bob@there.example",
         text=body(text, "Subject: y"))
    got = sink.wait(2, seconds=300)[1].data
    assert is_seven(got)
    assert hashlib.sha256(decoded(got)).digest() == \
        hashlib.sha256(text).digest()
    print("peak %d KiB, %d before" % (peak_kb(relay), before))
    assert peak_kb(relay) < before + 2048
    assert p.pid("relay") == relay


def unread(port):
    """Bytes for clients of this port that they have not read yet."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [int(r[4].split(":")[1], 16) for r in rows
            if int(r[2].split(":")[1], 16) == port and r[3] == "01"]


def test_a_queue_killed_within_the_first_reading_loses_nothing(start, sinks):
    """The next hop has not heard of the mail, so it is tried anew, and once."""
    stopped, queued = [], threading.Event()

    def stop_queue(verb, line, session):
        if verb == "EHLO" and not stopped:
            queued.wait()
            stopped.append(p.kill("queue", signo=signal.SIGSTOP))
        return None

    sink = sinks(extensions=SEVEN, answer=stop_queue)
    p = start(sink.port, queue=SOON)
    text = ("größer\r\n" * 100000).encode()
    name = send(p.port, "ann@here.example", "bob@there.example",
                text=body(text, "Subject: x"))
    queued.set()
    until(lambda: stopped and unread(sink.port) == [0],
          what="the relay to read the reply to EHLO")
    assert [c.split()[0] for c in sink.commands] == ["EHLO"]
    os.kill(stopped[0], signal.SIGKILL)
    p.wait_log(event="removed", id=name)
    got = sink.quiet(0.2)
    assert [m.id for m in got] == [name] and decoded(got[0].data) == text
    assert len([c for c in sink.commands if c.startswith("MAIL")]) == 1
    assert not p.find_log(event="failed")
    assert {line["tries"] for line in p.find_log(event="deferred", id=name)} \
        <= {"0"}


WORDS = ["wort", "größer", "надежда", "=", "-- ", ".", "\t", "ﬁn", "From ", " ",
         "x" * 1200]


def some_text(dice):
    return "".join("".join(dice.choices(WORDS, k=dice.randrange(9))) + "\r\n"
                   for _ in range(dice.randrange(1, 9))).encode()


def some_name(dice):
    return "".join(dice.choices("aöж .-", k=dice.randrange(1, 90))) + "x"


def some_part(dice, depth=0):
    """Header fields and body of a part."""
    kind = dice.randrange(3 if depth < 3 else 1)
    if kind == 0:
        return [dice.choice([b"Content-Type: text/plain; charset=utf-8",
                             b"Content-Type: text/html; charset=utf-8",
                             b"X-None: x"]),
                b'Content-Disposition: attachment; filename="%s"'
                % some_name(dice).encode(),
                dice.choice([b"Content-Transfer-Encoding: 8bit", b"X: y"]),
                ], some_text(dice)
    if kind == 1:
        return ([b"Content-Type: message/rfc822"],
                some_message(dice, depth + 1))
    line = b"--=_%d_%d" % (depth, dice.randrange(1 << 30))
    parts = b"".join(line + b"\r\n" + joined(*some_part(dice, depth + 1))
                     + b"\r\n" for _ in range(dice.randrange(1, 4)))
    return ([b'Content-Type: multipart/mixed; boundary="%s"' % line[2:]],
            b"\r\n" + parts + line + b"--\r\n")


def joined(fields, text):
    return b"\r\n".join(fields) + b"\r\n\r\n" + text


def some_message(dice, depth=0):
    fields, text = some_part(dice, depth)
    subject = "".join(dice.choices("aé ж =_", k=dice.randrange(90))).strip()
    return joined([b"Subject: s%s" % subject.encode(), b"MIME-Version: 1.0",
                   b'From: "J\xc3\xb6rg, M." <j@here.example>'] + fields,
                  text)


def test_random_messages_are_read_as_they_were_sent(start, sinks):
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 30)))
    print("POSTERN_SEED=%d" % seed)
    dice = random.Random(seed)
    sink = sinks(extensions=SEVEN)
    p = start(sink.port, queue=SOON)
    texts = {}
    while len(texts) < 20:
        text = some_message(dice)
        texts[send(p.port, "ann@here.example", "bob@there.example",
                   text=text.replace(b"\n.", b"\n.."))] = text
    for got in sink.wait(len(texts)):
        assert is_seven(got.data)
        assert parts_of(got.data) == parts_of(texts[got.id]), got.id
