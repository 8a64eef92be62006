"""Next hops: one that follows a script, and Postfix's smtp-sink."""

import os
import re
import socket
import ssl
import subprocess
import threading
import time

from server import PATIENCE, free_port, until

EXTENSIONS = ("PIPELINING", "SIZE 300000000", "8BITMIME", "SMTPUTF8",
              "ENHANCEDSTATUSCODES")
DROP = object()         # a reply that is none: the connection is cut


class Message:
    def __init__(self, sender, params, rcpts, data, when):
        self.sender, self.params, self.rcpts = sender, params, rcpts
        self.data, self.when = data, when

    @property
    def text(self):
        return self.data.decode("utf-8", "replace")

    @property
    def body(self):
        return self.data.partition(b"\r\n\r\n")[2]

    def header(self, name):
        head = self.text.split("\r\n\r\n", 1)[0]
        head = re.sub(r"\r\n[ \t]+", " ", head)
        return [l.split(":", 1)[1].strip() for l in head.split("\r\n")
                if l.lower().startswith(name.lower() + ":")]

    @property
    def id(self):
        """The id our queue gave it, from the Received field on top."""
        return re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                         self.header("Received")[0]).group(0)


class Sink:
    """A next hop in this process.  answer(verb, line, session) may return a
    reply, DROP, or None for the usual one.  verb is CONNECT, EHLO, MAIL, RCPT,
    DATA, END (of data), ...; session is a dict of the connection.  To one who
    says LHLO it speaks LMTP, and END may be a list of replies.  BDAT it takes,
    offered or not.  With an SSLContext as tls it grants STARTTLS; a message's
    .cert is then the client's certificate and .version that of TLS, both None
    in the clear, and
    .failures says why handshakes failed."""

    def __init__(self, port=None, answer=None, extensions=EXTENSIONS,
                 host="127.0.0.1", tls=None):
        self.tls = tls
        self.failures = []
        self.pause = None       # an Event that a text is read after
        self.answer = answer or (lambda verb, line, session: None)
        self.extensions = extensions
        self.messages = []
        self.commands = []
        self.connections = 0
        self.clients = []       # their addresses
        self.news = threading.Condition()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port or 0))
        self.sock.listen(512)
        self.port = self.sock.getsockname()[1]
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Stop listening and cut every connection."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        with self.news:
            cut = list(self.open)
        for conn in cut:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                conn, client = self.sock.accept()
            except OSError:
                return
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.news:
                self.connections += 1
                self.clients.append(client[0])
                self.open.add(conn)
                number = self.connections
            threading.Thread(target=self._serve, args=(conn, number),
                             daemon=True).start()

    def _serve(self, conn, number):
        session = {"number": number, "rcpts": []}
        try:
            with conn, conn.makefile("rb") as f:
                self._dialogue(conn, f, session)
        except OSError:
            pass
        finally:
            with self.news:
                self.open.discard(conn)

    def _reply(self, conn, verb, line, session, usual):
        got = self.answer(verb, line, session)
        if got is DROP:
            raise OSError
        got = got or usual
        conn.sendall(got.replace("\n", "\r\n").encode() + b"\r\n")
        return int(got[:3])

    def _dialogue(self, conn, f, s):
        say = lambda verb, line, usual: self._reply(conn, verb, line, s, usual)
        if "cert" not in s:
            say("CONNECT", "", "220 sink.example ESMTP")
        for raw in f:
            line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
            verb = line.split(" ")[0].upper()
            with self.news:
                self.commands.append(line)
            s["lmtp"] = s.get("lmtp") or verb == "LHLO"
            if verb in ("EHLO", "LHLO"):
                lines = ["sink.example", *self.extensions]
                say(verb, line, "\n".join(
                    "250%s%s" % ("-" if l is not lines[-1] else " ", l)
                    for l in lines))
            elif verb == "MAIL":
                if say(verb, line, "250 2.1.0 Ok") == 250:
                    s["mail"], s["rcpts"] = line, []
            elif verb == "RCPT":
                if say(verb, line, "250 2.1.5 Ok") == 250:
                    s["rcpts"].append(re.search("<(.*)>", line).group(1))
            elif verb == "DATA":
                usual = "354 Go on" if s["rcpts"] else "503 5.5.1 No recipient"
                if say(verb, line, usual) == 354 and not self._text(
                        conn, f, s):
                    return
            elif verb == "BDAT" and s["rcpts"]:
                size, last = re.match(r"BDAT (\d+)( LAST)?$", line).groups()
                got = f.read(int(size))
                if len(got) < int(size):
                    return              # cut within the chunk
                s["chunks"] = s.get("chunks", b"") + got
                if last:
                    self._end(conn, s, s.pop("chunks"))
                else:
                    say(verb, line, "250 2.0.0 Ok")
            elif verb == "QUIT":
                say(verb, line, "221 2.0.0 Bye")
                return
            elif verb == "STARTTLS" and self.tls:
                say(verb, line, "220 2.0.0 Go on")
                return self._secure(conn, s)
            else:
                known = verb in ("HELO", "RSET", "NOOP")
                say(verb, line, "250 2.0.0 Ok" if known else "500 What?")

    def _secure(self, conn, s):
        try:
            with self.tls.wrap_socket(conn, server_side=True) as inner, \
                    inner.makefile("rb") as f:
                s["cert"] = inner.getpeercert()
                s["version"] = inner.version()
                self._dialogue(inner, f, s)
        except ssl.SSLError as e:
            with self.news:
                self.failures.append(str(e))
                self.news.notify_all()

    def _text(self, conn, f, s):
        lines = []
        for raw in f:
            if self.pause:
                self.pause.wait(PATIENCE)
            if raw == b".\r\n":
                break
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        else:
            return False
        self._end(conn, s, b"".join(lines))
        return True

    def _end(self, conn, s, data):
        sender = re.search("<(.*?)>(.*)", s["mail"])
        got = Message(sender.group(1), sender.group(2).strip(), s["rcpts"],
                      data, time.monotonic())
        s["rcpts"] = []
        s["message"] = got
        got.cert, got.version = s.get("cert"), s.get("version")
        reply = self.answer("END", "", s)
        if reply is DROP:
            raise OSError
        replies = [reply or "250 2.0.0 Taken"]
        if s["lmtp"]:
            replies *= len(got.rcpts)
        if isinstance(reply, list):
            replies = reply
        if any(r.startswith("250") for r in replies):
            with self.news:
                self.messages.append(got)
                self.news.notify_all()
        conn.sendall("".join(r + "\r\n" for r in replies).encode())

    def wait(self, count=1, seconds=None):
        """The first `count` messages, as soon as they are here."""
        end = time.monotonic() + (seconds or PATIENCE)
        with self.news:
            while len(self.messages) < count:
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise AssertionError("%d of %d messages arrived" % (
                        len(self.messages), count))
            return list(self.messages)

    def quiet(self, seconds=1.0):
        """Wait until nothing has arrived for so long."""
        with self.news:
            while self.news.wait(seconds):
                pass
            return list(self.messages)


def peer(name):
    """Command and environment of a program of Postfix's, unpacked or not."""
    dir = os.environ.get("POSTERN_PEERS", "build/peers")
    path = os.path.join(dir, "usr/sbin", name)
    if not os.path.exists(path):
        path = "/usr/sbin/" + name
    return path, dict(os.environ, LD_LIBRARY_PATH=os.path.join(
        dir, "usr/lib/postfix"))


class SmtpSink:
    """Postfix's smtp-sink, which writes all it gets into one file.  It will
    not be root."""

    def __init__(self, dir, host="127.0.0.1", port=None):
        self.host, self.port = host, port or free_port()
        self.file = os.path.join(dir, "sink-%s-%d" % (host, self.port))
        path, env = peer("smtp-sink")
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            [path, *user, "-D", self.file, "%s:%d" % (host, self.port), "512"],
            env=env, cwd=dir)
        until(self._answers, what="smtp-sink")

    def _answers(self):
        try:
            socket.create_connection((self.host, self.port), 1).close()
            return True
        except OSError:
            return False

    def ids(self):
        """The queue's id of each message that arrived whole."""
        try:
            with open(self.file, encoding="latin-1") as f:
                return re.findall(r"^Received: [^\n]*(?:\n[ \t][^\n]*)*?"
                                  r"\bid ([0-9a-f-]{36})\b", f.read(), re.M)
        except FileNotFoundError:
            return []

    def close(self):
        self.process.kill()
        self.process.wait()
