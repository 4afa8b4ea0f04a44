# The clients of the crash tests: some threads that upload all the time, small
# and large, in all the ways there are, and write into the history what they
# were told.
#
# What an upload came to:
#
#   201, 200                          acknowledged
#   500 outcome unknown, no answer    unknown
#   any other answer                  refused
#   the last byte never went out      refused (by ourselves)

import base64
import hashlib
import json
import os
import random
import re
import select
import socket
import threading
import time

from oracle import ACKNOWLEDGED, GENERATED, HEADER, REFUSED, UNKNOWN

CONNECT_S = 10  # a server that was killed is back by then


class Gone(Exception):
    """The connection ended, or nothing came in time."""


class Profile:
    """What is uploaded, and how.  Weights are relative to each other."""

    weights = {
        "new": 50,  # PUT of a new name
        "post": 14,  # POST, the server makes the name
        "deep": 8,  # PUT into directories that may have to be made
        "same": 12,  # PUT of a name that others PUT, too
        "large": 1,
        "withheld": 4,  # the client leaves before the last byte
        "claim": 0,  # ... long before it
    }
    small_max = 64 << 10
    large_max = 8 << 20
    claim_bytes = 1 << 30
    overwrite = False
    digests = False  # send Repr-Digest, also wrong ones
    durability = "synced"
    # Answers that a server and a disk without faults may give.
    statuses = frozenset((200, 201, 409, 412))
    total_max = 1 << 40  # bytes of all uploads
    timeout_s = 20

    def __init__(self, **changes):
        self.weights = dict(type(self).weights)
        self.weights.update(changes.pop("weights", {}))
        for name, value in changes.items():
            assert hasattr(type(self), name), name
            setattr(self, name, value)


class Connection:
    """One connection to the server, as far as uploads need it."""

    def __init__(self, address, timeout_s):
        self.sock = socket.create_connection(address, timeout=timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def close(self):
        self.sock.close()

    def has_answer(self):
        return bool(self.data) or bool(select.select([self.sock], [], [], 0)[0])

    def _more(self):
        try:
            got = self.sock.recv(65536)
        except OSError as e:
            raise Gone(str(e) or "timeout")
        if not got:
            raise Gone("closed")
        self.data += got

    def _head(self):
        while b"\r\n\r\n" not in self.data:
            self._more()
        return self.data.partition(b"\r\n\r\n")

    def says_continue(self):
        """Is the next answer a 100?  A final one is left to answer()."""
        head, _, rest = self._head()
        if not head.startswith(b"HTTP/1.1 100 "):
            return False
        self.data = rest
        return True

    def answer(self):
        """(status, head, content) of the next final answer."""
        while True:
            head, _, rest = self._head()
            m = re.match(rb"HTTP/1\.1 (\d{3})", head)
            if not m:
                raise Gone("no HTTP: %r" % head[:60])
            status = int(m[1])
            if status < 200:
                self.data = rest
                continue
            m = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
            length = int(m[1]) if m else 0
            while len(rest) < length:
                self.data = b""
                self._more()
                rest += self.data
            self.data = rest[length:]
            return status, head, rest[:length]


class _Withheld(Exception):
    """Left on purpose before the last byte."""


class Client:
    """One client: uploads, one after the other."""

    def __init__(self, load, number):
        self.load = load
        self.random = random.Random("%s/%d" % (load.seed, number))
        self.conn = None

    def run(self):
        p = self.load.profile
        kinds, weights = list(p.weights), list(p.weights.values())
        while not self.load.stopping.is_set():
            kind = self.random.choices(kinds, weights)[0]
            if not self.load.take_number():
                break
            self.upload(kind)
        self.drop()

    def drop(self):
        if self.conn is not None:
            self.conn.close()
            self.conn = None

    def connect(self):
        """False: there is no server, and will not be."""
        if self.conn is not None and self.random.random() < 0.8:
            return True
        self.drop()
        until = time.monotonic() + CONNECT_S
        while True:
            try:
                self.conn = Connection(self.load.address, self.load.profile.timeout_s)
                return True
            except OSError:
                if self.load.stopping.is_set() or time.monotonic() > until:
                    return False
                time.sleep(0.01)

    def name(self, kind):
        rnd, fresh = self.random, self.load.fresh()
        if kind == "post":
            return None
        if kind == "same":
            return rnd.choice(("", "", "d1/")) + "same-%d" % rnd.randrange(self.load.same_names)
        if kind == "deep":
            depth = rnd.randint(1, 4)
            parts = ["d%d" % rnd.randrange(3) for _ in range(depth - 1)]
            return "/".join(parts + ["n%d" % (fresh // 4), fresh_name(fresh)])
        return rnd.choice(("", "", "", "d0/", "d1/d2/")) + fresh_name(fresh)

    def length(self, kind):
        rnd, p = self.random, self.load.profile
        if kind == "large":
            return rnd.randint(p.large_max // 8, p.large_max)
        if kind == "claim":
            return p.claim_bytes
        if rnd.random() < 0.2:
            # Around where chunks, pages and sectors end.
            edge = rnd.choice([1 << n for n in range(9, 30) if 1 << n <= p.small_max])
            return max(HEADER, edge + rnd.randint(-1, 1))
        return int(2 ** rnd.uniform(6.6, p.small_max.bit_length() - 1))

    def upload(self, kind):
        load = self.load
        if not self.connect():
            return
        length = self.length(kind)
        if not load.take_bytes(0 if kind == "claim" else length):
            return
        up = load.history.begin(self.name(kind), length, self.random.getrandbits(16))
        head, chunked = self.head(up, kind)
        self.exchange(up, head, chunked, kind)

    def exchange(self, up, head, chunked=False, kind="new"):
        """Send it and take the answer: the history says what came of it."""
        load, early = self.load, None
        try:
            self.send(up, head, chunked, kind)
        except _Withheld:
            load.history.end(up, REFUSED, "the last byte was withheld")
            self.drop()
            return
        except (OSError, Gone) as e:
            # The last byte never went out: but why may have been said.
            early = str(e)
        try:
            status, head, content = self.conn.answer()
        except Gone as e:
            if early is not None:
                load.history.end(up, REFUSED, "broke off before the last byte: %s" % early)
            else:
                load.history.end(up, UNKNOWN, "no answer: %s" % e)
            self.drop()
            return
        if early is not None and status in (200, 201):
            load.history.breaks("%s: %d before the last byte was sent" % (up, status))
        self.told(up, status, head, content)
        if early is not None or b"connection: close" in head.lower():
            self.drop()

    def head(self, up, kind):
        rnd, p = self.random, self.load.profile
        target = "/file" if up.posted else "/file/" + up.name
        lines = ["%s %s HTTP/1.1" % ("POST" if up.posted else "PUT", target), "Host: x"]
        chunked = kind != "claim" and rnd.random() < 0.25
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        else:
            lines.append("Content-Length: %d" % up.body.length)
        if rnd.random() < 0.03:
            lines.append("If-None-Match: *")
        if rnd.random() < 0.05:
            lines.append("Expect: 100-continue")
        if p.digests and kind != "claim" and rnd.random() < 0.3:
            digest = up.body.sha256()
            if rnd.random() < 0.3:
                up.spoiled = True
                digest = hashlib.sha256(digest).digest()
            lines.append("Repr-Digest: sha-256=:%s:" % base64.b64encode(digest).decode())
        return ("\r\n".join(lines) + "\r\n\r\n").encode(), chunked

    def send(self, up, head, chunked, kind):
        rnd, sock = self.random, self.conn.sock
        leave_at = None
        if kind == "claim":
            leave_at = rnd.randrange(20000)
        elif kind == "withheld":
            leave_at = rnd.randrange(up.body.length)
        if b"\r\nExpect:" in head:
            sock.sendall(head)
            head = b""
            if not self.conn.says_continue():
                raise Gone("answered early")
        elif leave_at is None and not chunked and up.body.length < 1 << 17 and rnd.random() < 0.7:
            sock.sendall(head + up.body.bytes())
            return
        self.trickle(up, head, chunked, leave_at)

    def trickle(self, up, head, chunked, leave_at):
        rnd, sock = self.random, self.conn.sock
        sock.sendall(head)
        most = max(1 << rnd.randint(9, 20), up.body.length // 200)
        pauses = 20 if rnd.random() < 0.15 else 0
        sent = 0
        for part in up.body.parts():
            at = 0
            while at < len(part):
                n = min(len(part) - at, rnd.randint(1, most))
                if leave_at is not None:
                    n = min(n, leave_at - sent)
                    if n == 0:
                        raise _Withheld
                if self.conn.has_answer():
                    raise Gone("answered early")
                piece = part[at : at + n]
                if chunked:
                    piece = b"%x\r\n%b\r\n" % (n, piece)
                sock.sendall(piece)
                at += n
                sent += n
                if pauses and rnd.random() < 0.2:
                    pauses -= 1
                    time.sleep(rnd.random() * 0.02)
        if chunked:
            sock.sendall(b"0\r\n\r\n")

    def told(self, up, status, head, content):
        load, p = self.load, self.load.profile
        load.count(status)
        history = load.history
        if status not in p.statuses and not (up.spoiled and 400 <= status < 500):
            history.breaks("not an answer to expect: %d: %r" % (status, content[:300]))
        if status == 500 and b"outcome unknown" in content:
            history.end(up, UNKNOWN, "500 outcome unknown")
            return
        if status not in (200, 201):
            history.end(up, REFUSED, str(status))
            return
        # Taken before the mark is set, and so before it is looked at.
        name = None
        if up.posted:
            m = re.search(rb"\r\nlocation: */file/([^\r]+)", head, re.I)
            name = os.fsdecode(m[1]) if m else ""
            if not GENERATED.fullmatch(name):
                history.breaks("%s: no location" % up)
        self.look_at_receipt(up, content)
        history.end(up, ACKNOWLEDGED, str(status), name)
        if load.on_acknowledged is not None:
            load.on_acknowledged(up)

    def look_at_receipt(self, up, content):
        p = self.load.profile
        try:
            receipt = json.loads(content)
        except ValueError:
            self.load.history.breaks("%s: no receipt: %r" % (up, content[:200]))
            return
        if receipt["bytes"] != up.body.length:
            self.load.history.breaks("%s: the receipt says %s bytes" % (up, receipt["bytes"]))
        if receipt["durability"] != p.durability:
            self.load.history.breaks("%s: it is %s" % (up, receipt["durability"]))


def fresh_name(number):
    return "f%06d" % number


class Crowd:
    """Some clients at once, each on a thread of its own, until stop()."""

    def __init__(self, history, clients, patience_s):
        self.history, self.patience_s = history, patience_s
        self.stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(clients)]

    def run_client(self, number):
        """Upload until `stopping` is set: on its thread."""
        raise NotImplementedError

    def _run(self, number):
        try:
            self.run_client(number)
        except Exception as e:  # else the thread ends unnoticed
            self.history.breaks("the client failed: %r" % e)
            raise

    def start(self):
        for t in self._threads:
            t.start()
        return self

    def stop(self):
        """Begin no more uploads, and wait for those that run."""
        self.stopping.set()
        return self.join()

    def join(self):
        until = time.monotonic() + self.patience_s
        for t in self._threads:
            t.join(max(0, until - time.monotonic()))
            if t.is_alive():
                self.history.breaks("a client hangs")
        return self

    def is_done(self):
        return not any(t.is_alive() for t in self._threads)


class Load(Crowd):
    """Clients that upload by PUT and POST, or as `kind` of client does."""

    def __init__(self, history, address, seed, profile, clients=16, on_acknowledged=None, kind=Client):
        super().__init__(history, clients, profile.timeout_s * 3 + 10)
        self.address, self.seed, self.profile, self.kind = address, seed, profile, kind
        self.on_acknowledged = on_acknowledged
        self.same_names = 12
        self.statuses = {}
        self.uploads_max = None
        self._lock = threading.Lock()
        self._number = 0
        self._bytes = 0

    def run_client(self, number):
        self.kind(self, number).run()

    def count(self, status):
        with self._lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def take_number(self):
        with self._lock:
            self._number += 1
            return self.uploads_max is None or self._number <= self.uploads_max

    def fresh(self):
        """A number that no other name of this history has."""
        return self.history.next_number()

    def take_bytes(self, n):
        with self._lock:
            if self._bytes + n > self.profile.total_max:
                self.stopping.set()
                return False
            self._bytes += n
            return True
