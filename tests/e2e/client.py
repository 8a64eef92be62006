"""A client that sends exactly the bytes it is told, and shows the replies."""

import re
import socket

from server import PATIENCE

QUEUED = re.compile(r"^250 2\.6\.0 Message queued as ([0-9a-f-]{36})$")
TEXT = "Subject: hello\r\nFrom: <ann@here.example>\r\n\r\nHello.\r\n"


class Client:
    def __init__(self, port, source=None, greet=True):
        self.sock = socket.create_connection(
            ("127.0.0.1", port), PATIENCE,
            source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.greeting = self.reply() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def write(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def reply(self):
        """One reply, its lines joined by newlines; "" at the end."""
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                return "\n".join(lines)
            assert line.endswith(b"\r\n"), line
            lines.append(line[:-2].decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def say(self, line):
        self.write(line + "\r\n" if isinstance(line, str) else line + b"\r\n")
        return self.reply()

    def want(self, line, code):
        got = self.say(line)
        assert got.startswith(str(code)), "%r: %r" % (line, got)
        return got

    def at_end(self):
        """Has the server closed?"""
        try:
            return self.file.read(1) == b""
        except OSError:
            return True

    def hello(self, name="here.example"):
        return self.want("EHLO " + name, 250)

    def begin(self, sender, *rcpts, params=""):
        """Everything up to the 354."""
        self.want("MAIL FROM:<%s>%s" % (sender, params), 250)
        for rcpt in rcpts:
            self.want("RCPT TO:<%s>" % rcpt, 250)
        self.want("DATA", 354)

    def mail(self, sender, *rcpts, text=TEXT, params=""):
        """A whole transaction; the id it was queued under."""
        self.begin(sender, *rcpts, params=params)
        self.write(text)
        return self.queued(self.say("."))

    @staticmethod
    def queued(reply):
        found = QUEUED.match(reply)
        assert found, reply
        return found.group(1)


def send(port, sender, *rcpts, text=TEXT, params=""):
    """One message over a session of its own; its id."""
    with Client(port) as c:
        c.hello()
        name = c.mail(sender, *rcpts, text=text, params=params)
        c.want("QUIT", 221)
        return name
