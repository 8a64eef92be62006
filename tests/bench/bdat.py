#!/usr/bin/python3
"""bdat.py PORT THROUGH COUNT SIZE - messages a second by DATA and by BDAT, to
an edge that keeps them and to one that passes them on, at 1, 20 and 100
sessions.  One process sends them all: these compare with each other alone."""

import socket
import sys
import threading
import time


def reply(f):
    line = f.readline()
    while line[3:4] == b"-":
        line = f.readline()
    return line


def session(port, count, text, by_bdat):
    with socket.create_connection(("127.0.0.1", port)) as s, \
            s.makefile("rb") as f:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reply(f)
        s.sendall(b"EHLO here.example\r\n")
        reply(f)
        for _ in range(count):
            s.sendall(b"MAIL FROM:<ann@here.example>\r\n"
                      b"RCPT TO:<bob@there.example>\r\n")
            assert reply(f)[:3] + reply(f)[:3] == b"250250"
            if by_bdat:
                s.sendall(b"BDAT %d LAST\r\n" % len(text) + text)
            else:
                s.sendall(b"DATA\r\n")
                assert reply(f)[:3] == b"354"
                s.sendall(text + b".\r\n")
            assert reply(f)[:3] == b"250"


def rate(port, sessions, count, text, by_bdat):
    threads = [threading.Thread(target=session, args=(
        port, count // sessions, text, by_bdat)) for _ in range(sessions)]
    begun = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return count / (time.monotonic() - begun)


def main():
    port, through, count, size = (int(a) for a in sys.argv[1:])
    text = b"Subject: x\r\n\r\n" + (b"x" * 78 + b"\r\n") * (size // 80)
    print("%8s %12s %12s %12s %12s" % (
        "sessions", "kept, DATA", "kept, BDAT", "passed, DATA",
        "passed, BDAT"))
    for sessions in 1, 20, 100:
        n = count // 10 if sessions == 1 else count
        print("%8d %12.0f %12.0f %12.0f %12.0f" % (sessions, *(
            rate(p, sessions, n, text, by_bdat)
            for p in (port, through) for by_bdat in (False, True))),
            flush=True)


main()
