#!/usr/bin/python3
# overlap.py PORT STORE TRIES SIZE [HOW...]: two PUTs of one name, one sent
# after the other on two connections, without waiting for the first answer.
# Prints how often the older one was left, and which words the answers had.
#
#	new       another name each time; else the same one
#	chunked   as ffmpeg does it: chunks, 0 CRLF CRLF, one read that does not
#	          wait, close, next connection; $log is the access log, which
#	          says when all of them are done
#	three     three of them

import os
import socket
import sys
import time

port, store, tries, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
how = set(sys.argv[5:])


def request(name, content):
    head = "PUT /file/%s HTTP/1.1\r\nHost: x\r\n" % name
    if "chunked" not in how:
        return (head + "Content-Length: %d\r\n\r\n" % len(content)).encode() + content
    head += "Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(content)
    return head.encode() + content + b"\r\n0\r\n\r\n"


def connect():
    c = socket.create_connection(("127.0.0.1", port))
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return c


def status(c):
    got = b""
    while b"\r\n\r\n" not in got:
        more = c.recv(65536)
        if not more:
            break
        got += more
    return got.split(b" ")[1].decode() if got else "none"


def content(name):
    try:
        with open(os.path.join(store, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def send_as_ffmpeg(wire):
    c = connect()
    c.sendall(wire)
    c.setblocking(False)
    try:
        c.recv(1)
    except BlockingIOError:
        pass
    c.close()


def send_all(wires):
    """Send them, in their order, and return what they are answered."""
    clients = [connect() for _ in wires]
    for c, wire in zip(clients, wires):
        c.sendall(wire)
    said = " ".join(status(c) for c in clients)
    for c in clients:
        c.close()
    return said


def lines_in(log):
    try:
        with open(log) as f:
            return sum(1 for line in f if "PUT /file/n" in line)
    except FileNotFoundError:
        return 0


older = 0
answers = {}
count = 3 if "three" in how else 2
log = os.environ.get("log")
newest = {}
for n in range(tries):
    name = "n%d" % n if how & {"new", "chunked"} else "same"
    bodies = [bytes([65 + k]) * (size - 16) + b"%016d" % n for k in range(count)]
    wires = [request(name, body) for body in bodies]
    if "chunked" in how:
        for wire in wires:
            send_as_ffmpeg(wire)
        newest[name] = bodies[-1]
        continue
    said = send_all(wires)
    answers[said] = answers.get(said, 0) + 1
    older += content(name) != bodies[-1]
if "chunked" in how:
    # The connections are closed: that the server is done with them says the log.
    end = time.monotonic() + 20
    while lines_in(log) < tries * count and time.monotonic() < end:
        time.sleep(0.01)
    older = sum(content(name) != newest[name] for name in newest)
print("older", older)
for said in sorted(answers):
    print("answers", said, answers[said])
