"""
A bad link: a proxy of TCP between clients and the server, which cuts, stalls, loses
answers, closes halves and sends requests again.  What it does to which connection is drawn
from a seed.
"""
import json
import os
import random
import select
import signal
import socket
import struct
import threading
import time

PIECE = 1 << 16
STALL_S = 30 # longer than anybody waits


class Counts:
    def __init__(self):
        self.lock = threading.Lock()
        self.of = {}

    def add(self, what):
        """Others see it in a file."""
        with self.lock:
            self.of[what] = self.of.get(what, 0) + 1
            with open("link.new", "w") as f:
                json.dump(self.of, f)
            os.rename("link.new", "link.counts")

    def total(self, *names):
        with self.lock:
            return sum(self.of.get(name, 0) for name in names)


COUNTS = Counts()

# What may happen to a connection, how often, and what it is.
#
#	cut       both ends are reset at a place of what the client sends
#	fin       ... are closed
#	half      the server sees the client's end, and may still answer
#	stall     the client is cut off, and the server sees nothing of that for long
#	deaf      the answer is lost: the client is reset when it comes
#	again     a request that appends is sent once more, beside the first
#	trickle   little by little
#	none
FAULTS = {"cut": 5, "fin": 2, "half": 1, "stall": 2, "deaf": 2, "again": 1, "trickle": 1, "none": 1}
ENDS = ("cut", "fin", "half", "stall", "deaf") # those after which the client has to come again


def _reset(s):
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    except OSError:
        pass


def _end(s, how=socket.SHUT_WR):
    try:
        s.shutdown(how)
    except OSError:
        pass


def _interim_of(data):
    """How many bytes at its begin are interim answers."""
    at = 0
    while data.startswith(b"HTTP/1.1 1", at) and b"\r\n\r\n" in data[at:]:
        at = data.index(b"\r\n\r\n", at) + 4
    return at


def _wait_for_end(s):
    """Until the other side closes."""
    s.settimeout(STALL_S)
    while s.recv(PIECE):
        pass


def _send_again(to, data):
    """The same bytes by a connection of their own; whatever comes back is nobody's."""
    try:
        with socket.create_connection(("127.0.0.1", to), 10) as s:
            s.sendall(data)
            _wait_for_end(s)
    except OSError:
        pass


class Pair:
    """A client's connection, and ours to the server."""

    def __init__(self, client, to, fault, place, rate=0):
        self.client, self.to, self.fault, self.place, self.rate = client, to, fault, place, rate
        self.server = socket.create_connection(("127.0.0.1", to), 10)
        for s in (client, self.server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0    # by the client
        self.first = b"" # what may be sent again
        self.hears = True # the server what the client sends

    def run(self):
        try:
            while self.step():
                pass
        except OSError:
            pass
        self.client.close()
        self.server.close()

    def step(self):
        wanted = [self.server] + ([self.client] if self.hears else [])
        ready, _, _ = select.select(wanted, [], [], 120)
        if not ready:
            return False
        if self.server in ready and not self.pass_answer():
            return False
        return self.client not in ready or self.pass_request()

    def pass_answer(self):
        data = self.server.recv(PIECE)
        if not data:
            _end(self.client)
            return False
        if self.fault == "deaf" and self.sent >= self.place:
            interim = _interim_of(data)
            self.client.sendall(data[:interim])
            return interim == len(data) or self.ends("deaf")
        self.client.sendall(data)
        return True

    def pass_request(self):
        limit = PIECE
        if self.fault in ENDS and self.fault != "deaf":
            limit = max(1, min(PIECE, self.place - self.sent))
        if self.fault == "trickle":
            limit = 1500
            time.sleep(0.001)
        data = self.client.recv(limit)
        if not data:
            self.hears = False
            _end(self.server)
            return True
        self.server.sendall(data)
        self.sent += len(data)
        if self.rate:
            time.sleep(len(data) / self.rate)
        if self.fault == "again":
            self.send_again(data)
        if self.fault in ENDS and self.fault != "deaf" and self.sent >= self.place:
            return self.ends(self.fault)
        return True

    def send_again(self, data):
        """The begin of the first request that appends."""
        if not self.first and not data.startswith(b"PATCH "):
            return
        self.first += data
        if len(self.first) < min(self.place, PIECE):
            return
        self.fault = "none"
        COUNTS.add("again")
        threading.Thread(target=_send_again, args=(self.to, self.first), daemon=True).start()

    def ends(self, how):
        COUNTS.add(how)
        if how in ("cut", "deaf"):
            _reset(self.client)
            _reset(self.server)
        elif how == "half":
            _end(self.server)
            self.hears, self.fault = False, "none"
            return True
        elif how == "stall":
            _reset(self.client)
            _wait_for_end(self.server)
            _reset(self.server)
        return False


class Chance:
    """What happens to each connection: any fault, at any of the first bytes."""

    def __init__(self, seed, most):
        self.random, self.most = random.Random(seed), most

    def next(self):
        fault = self.random.choices(list(FAULTS), FAULTS.values())[0]
        # As often near the begin, where heads are, as anywhere.
        place = int(self.most ** self.random.random()) if self.random.random() < 0.3 else self.random.randrange(1, self.most)
        return fault, place


class Same:
    """The first connections that carry so much are ended, all others are left alone."""

    def __init__(self, fault, place, count, rate):
        self.fault, self.place, self.count, self.rate = fault, place, count, rate

    def next(self):
        if COUNTS.total(self.fault) >= self.count:
            return "none", 0, self.rate
        return self.fault, self.place, self.rate


def _serve(port, to, chosen):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)

    def stop(_signal, _frame):
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        client, _ = listener.accept()
        COUNTS.add("connections")
        try:
            pair = Pair(client, to, *chosen.next())
        except OSError: # there is no server: neither is there for the client
            _reset(client)
            continue
        threading.Thread(target=pair.run, daemon=True).start()


def by_chance(port: int, to: int, seed: int, most: int):
    """Listen at PORT, pass on to TO; each connection meets one of the faults within its first
    MOST bytes.  What was done is in the file link.counts."""
    _serve(port, to, Chance(seed, most))


def cut(port: int, to: int, fault, place: int, count: int, rate: int = 0):
    """The same, but the first COUNT connections of PLACE bytes and more end by FAULT there; each
    sends RATE bytes per second (0: any)."""
    _serve(port, to, Same(fault, place, count, rate))
