"""
Many small uploads by a bad link (link.py), each compared with what came of it.
"""
import json
import os
import random
import sys
import threading
import time

from link import ENDS
from resumable import Ietf, Tus, Wrong, data_of


def _cuts():
    """How many connections the link has ended so far."""
    try:
        with open("link.counts") as f:
            counts = json.load(f)
    except FileNotFoundError:
        return 0
    return sum(counts.get(name, 0) for name in ENDS)


class _Clients:
    """Threads, which upload one file after the other."""

    def __init__(self, store, seed, most, kinds):
        self.store, self.seed, self.most, self.kinds = store, seed, most, kinds
        self.lock = threading.Lock()
        self.next = self.resumed = self.requests = 0
        self.wrong = []
        self.is_enough = False

    def run(self):
        while not self.is_enough and len(self.wrong) < 5:
            with self.lock:
                number, self.next = self.next, self.next + 1
            try:
                self.upload(number)
            except Exception as e: # else the thread would end unnoticed
                with self.lock:
                    self.wrong.append("%d: %s: %s" % (number, type(e).__name__, e))

    def upload(self, number):
        name, data, rnd = self.file(number)
        u = self.client(name, data, rnd)
        u.whole(rnd.choice((0, 0, self.most // 3 + 1)))
        u.line.close()
        with self.lock:
            self.resumed += u.resumed
            self.requests += u.requests
        self.compare(number)

    def file(self, number):
        rnd = random.Random("%d/%d" % (self.seed, number))
        return "u%06d" % number, data_of("%d/%d/data" % (self.seed, number), rnd.randrange(self.most)), rnd

    def client(self, name, data, rnd):
        kind = rnd.choice(self.kinds)
        if kind != "tus":
            u = Ietf(int(kind.removeprefix("ietf-")), "/file/" + name, data)
            u.digest, u.empty = rnd.random() < 0.2, rnd.random() < 0.3
            return u
        u = Tus("/file/", data)
        u.metadata = {"filename": name}
        u.with_upload, u.deferred, u.override = rnd.random() < 0.3, rnd.random() < 0.2, rnd.random() < 0.2
        u.checksum = rnd.choice((None, None, None, "sha1"))
        return u

    def compare(self, number):
        name, data, _ = self.file(number)
        with open(os.path.join(self.store, name), "rb") as f:
            found = f.read()
        if found != data:
            at = next((i for i, (a, b) in enumerate(zip(found, data)) if a != b), min(len(found), len(data)))
            raise Wrong("%s: %d bytes are there, %d were sent, they differ at %d" % (name, len(found), len(data), at))


def upload(store, cuts: int, seconds: float, threads: int, most: int, seed: int, *kinds):
    """THREADS clients upload files of less than MOST bytes by KINDS (tus, ietf-8, ...) through the
    link, until that has ended CUTS connections, or for SECONDS.  Each file is
    compared with what is in STORE, once its client believes that it is, and again when all
    have ended.  Prints what was counted; fails for what was wrong, and when time was up."""
    clients = _Clients(store, seed, most, kinds)
    until = time.monotonic() + seconds
    running = [threading.Thread(target=clients.run) for _ in range(threads)]
    for t in running:
        t.start()
    while any(t.is_alive() for t in running):
        clients.is_enough = _cuts() >= cuts or time.monotonic() > until
        time.sleep(0.1)
    try:
        for number in range(clients.next if not clients.wrong else 0):
            clients.compare(number)
    except (OSError, Wrong) as e:
        clients.wrong.append(str(e))
    found = [name for name in os.listdir(store) if name != ".penstock"]
    if not clients.wrong and len(found) != clients.next:
        clients.wrong.append("%d files of %d uploads" % (len(found), clients.next))
    for line in clients.wrong:
        print(line, file=sys.stderr)
    print("uploads %d cuts %d resumed %d requests %d" % (clients.next, _cuts(), clients.resumed, clients.requests))
    return 1 if clients.wrong or _cuts() < cuts else 0
