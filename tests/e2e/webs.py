"""A next hop that speaks HTTP: one that follows a script, in this process."""

import base64
import socket
import threading

from server import PATIENCE

CUT = object()          # an answer that is none: the connection is cut
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def answer(status, reason="", reply=None, body=b"", more=""):
    head = "HTTP/1.1 %d %s\r\nContent-Length: %d\r\n%s" % (
        status, reason, len(body), more)
    if reply:
        head += "X-Smtp-Reply: %s\r\n" % reply
    return head.encode() + b"\r\n" + body


class Request:
    """fields: (name, value) as they came; body None where it was not read."""

    def __init__(self, line, fields, number):
        self.line, self.fields, self.number = line, fields, number
        self.body = None

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, default=None):
        return (self.all(name) or [default])[0]

    @property
    def sender(self):
        coded = self.get("X-Envelope-Sender")
        return self.get("X-Sender") if coded is None else \
            base64.b64decode(coded).decode()

    @property
    def rcpts(self):
        coded = self.all("X-Envelope-Recipient")
        return [base64.b64decode(r).decode() for r in coded] or \
            self.all("X-Recipient")

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Web:
    """A server.  head(request) and end(request), before and behind the body,
    may return the bytes of an answer, CUT, or None: go on, then 204."""

    def __init__(self, tls=None, path=None):
        self.head = self.end = lambda request: None
        self.pause = None       # an Event that a body is read after
        self.tls = tls
        self.requests, self.connections = [], 0
        self.news = threading.Condition()
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(path)
        else:
            self.sock = socket.socket()
            self.sock.bind(("127.0.0.1", 0))
            self.port = self.sock.getsockname()[1]
        self.sock.listen(256)
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        self.cut()

    def cut(self):
        with self.news:
            conns = list(self.open)
        for conn in conns:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait(self, count=1):
        """The first count requests, when they are there."""
        with self.news:
            assert self.news.wait_for(
                lambda: len(self.requests) >= count, PATIENCE), \
                "%d of %d requests" % (len(self.requests), count)
            return self.requests[:count]

    def _accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with self.news:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(conn, number),
                             daemon=True).start()

    def _serve(self, conn, number):
        try:
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            with self.news:
                self.open.add(conn)
            with conn, conn.makefile("rb") as f:
                while self._request(conn, f, number):
                    pass
        except OSError:
            pass
        finally:
            with self.news:
                self.open.discard(conn)

    def _request(self, conn, f, number):
        line = f.readline().decode().rstrip("\r\n")
        if not line:
            return False
        fields = []
        while (field := f.readline().decode().rstrip("\r\n")):
            name, value = field.split(":", 1)
            fields.append((name, value.strip()))
        r = Request(line, fields, number)
        said = self.head(r)
        if said is None:
            if r.get("Expect"):
                conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self.pause:
                self.pause.wait(PATIENCE)
            r.body = self._body(r, f)
            if r.body is None:
                return False
            said = self.end(r)
        with self.news:
            self.requests.append(r)
            self.news.notify_all()
        if said is CUT:
            return False
        conn.sendall(OK if said is None else said)
        return r.get("Connection") != "close" and r.body is not None

    @staticmethod
    def _body(r, f):
        if r.get("Transfer-Encoding") == "chunked":
            body = b""
            while True:
                line = f.readline()
                if not line:
                    return None
                size = int(line, 16)
                chunk = f.read(size)
                if len(chunk) < size or f.readline() != b"\r\n":
                    return None
                body += chunk
                if size == 0:
                    return body
        size = int(r.get("Content-Length"))
        body = f.read(size)
        return body if len(body) == size else None
