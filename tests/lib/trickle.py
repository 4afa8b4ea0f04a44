#!/usr/bin/python3
# trickle.py PORT COUNT: uploads that never end.  COUNT clients of which each
# sends a byte every 50 ms; says "trickles" when all have begun.

import resource
import socket
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])
need = count + 64
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if soft < need:
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, max(hard, need)))
HEAD = b"POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
clients = []
for _ in range(count):
    c = socket.create_connection(("127.0.0.1", port))
    c.sendall(HEAD)
    clients.append(c)
begun = time.monotonic()
sent = 0
said = False
while True:
    due = int((time.monotonic() - begun) * count * 20)
    # Late, each has one byte more at most: none sends two at once.
    sent = max(sent, due - count)
    while sent < due:
        clients[sent % count].send(b"x")
        sent += 1
    if not said and sent > 2 * count:
        print("trickles", flush=True)
        said = True
    time.sleep(0.002)
