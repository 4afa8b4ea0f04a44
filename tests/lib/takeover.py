"""
An upload whose connection is half dead, and a newer request for it: how long does that take,
and what is the older one told?
"""
import glob
import os
import socket
import statistics
import sys
import time

from resumable import Ietf, Line, Tus, Wrong, data_of
from wire import connect

SIZE = 300_000


def _worker_of(s, workers):
    """Which of the processes has the other end of the connection?"""
    port = s.getsockname()[1]
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f]
        inodes = {"socket:[%s]" % r[9] for r in rows[1:] if int(r[2].split(":")[1], 16) == port and r[9] != "0"}
        for pid in workers:
            for fd in glob.glob("/proc/%s/fd/*" % pid):
                try:
                    if os.readlink(fd) in inodes:
                        return pid
                except OSError:
                    pass
        time.sleep(0.01)
    raise Wrong("no worker has the connection")


def _line_to(workers, which):
    """A connection to a worker for which which(pid) is true, and that worker."""
    others = []
    try:
        for _ in range(100):
            line = Line()
            line.socket = connect()
            pid = _worker_of(line.socket, workers)
            if which(pid):
                return line, pid
            others.append(line) # open, or the next one would go there again
        raise Wrong("all connections go to one worker")
    finally:
        for line in others:
            line.close()


class _Round:
    """One upload: `older` has sent two thirds of it and says nothing more."""

    def __init__(self, kind, number, workers, where, claim):
        self.kind, self.data = kind, data_of("take-over/%d" % number, SIZE)
        self.name = "t%04d" % number
        first, first_worker = _line_to(workers, lambda pid: True)
        self.older = self.client(first)
        self.older.empty = True
        self.older.create()
        same = where == "same"
        self.line, _ = _line_to(workers, lambda pid: (pid == first_worker) == same)
        self.begin(first, claim)

    def client(self, line):
        if self.kind == "tus":
            u = Tus("/file/", self.data, line=line)
            u.metadata = {"filename": self.name}
            return u
        return Ietf(int(self.kind.removeprefix("ietf-")), "/file/" + self.name, self.data, line=line)

    def begin(self, line, claim):
        o = self.older
        if self.kind == "tus":
            fields = o.say("Content-Type: application/offset+octet-stream", "Upload-Offset: 0")
            fields += ["Upload-Checksum: sha1 " + "A" * 27 + "="] if claim else []
        else:
            fields = o.say(True, "Upload-Offset: 0", "Content-Type: application/partial-upload")
            fields += ["Content-Digest: sha-256=:%s=:" % ("A" * 43)] if claim else []
        lines = ["PATCH %s HTTP/1.1" % o.url, "Host: x", *fields, "Content-Length: %d" % SIZE]
        line.socket.sendall("".join(text + "\r\n" for text in lines).encode() + b"\r\n" + self.data[:SIZE * 2 // 3])
        time.sleep(0.1) # until it has come

    def answer_to_older(self):
        return self.older.line._answer("PATCH", [])

    def newer(self):
        u = self.client(self.line)
        u.url = self.older.url
        return u


def _by_head(r, claim):
    """HEAD says what is kept, the older one is told the same, and from there it goes on."""
    newer = r.newer()
    began = time.monotonic()
    newer.head()
    took = time.monotonic() - began
    _check_older(r, newer.offset, claim)
    newer.until = time.monotonic() + 10
    newer.append()
    if not newer.is_done:
        raise Wrong("the newer one was not served")
    return took


def _by_patch(r, claim):
    """A PATCH that does not know the offset is 409, and lets the next one go on."""
    newer = r.newer()
    fields = newer.say("Upload-Offset: 1") if r.kind == "tus" else newer.say(True, "Upload-Offset: 1")
    fields.append("Content-Type: application/" + ("offset+octet-stream" if r.kind == "tus" else "partial-upload"))
    began = time.monotonic()
    answer = newer.ask("PATCH", newer.url, fields, b"x")
    took = time.monotonic() - began
    if answer.status != 409:
        raise Wrong("PATCH at a wrong offset: %d" % answer.status)
    newer.head()
    _check_older(r, newer.offset, claim)
    newer.until = time.monotonic() + 10
    newer.append()
    if not newer.is_done:
        raise Wrong("the newer one was not served")
    return took


def _by_delete(r, claim):
    newer = r.newer()
    began = time.monotonic()
    answer = newer.ask("DELETE", newer.url, newer.say() if r.kind == "tus" else newer.say(None))
    took = time.monotonic() - began
    if answer.status != 204:
        raise Wrong("DELETE: %d" % answer.status)
    told = r.answer_to_older()
    if told.status not in (204, 404, 410):
        raise Wrong("the older one was told %d" % told.status)
    gone = newer.ask("HEAD", newer.url, newer.say() if r.kind == "tus" else newer.say(None))
    if gone.status not in (404, 410):
        raise Wrong("HEAD after DELETE: %d" % gone.status)
    return took


def _check_older(r, kept, claim):
    told = r.answer_to_older()
    if told.status // 100 != 2 or told.value("upload-offset") != str(kept) or told.value("connection") != "close":
        raise Wrong("%d was kept, the older one was told %d, %s" % (kept, told.status, told.fields))
    if r.kind != "tus" and told.value("upload-complete") != "?0":
        raise Wrong("the older one was told Upload-Complete: %s" % told.value("upload-complete"))
    # Of a part whose digest is not known yet nothing may count.
    if claim and kept != 0:
        raise Wrong("%d bytes count, of a part with a digest" % kept)
    if not claim and kept != SIZE * 2 // 3:
        raise Wrong("%d bytes were kept, %d were sent" % (kept, SIZE * 2 // 3))


def take_over(kind, how, where, claim, rounds: int, store, *workers):
    """ROUNDS uploads by KIND, each of which is taken over by a newer request HOW (head, patch,
    delete) on WHERE: the same or another of the WORKERS (pids).  CLAIM: claim or none, a
    digest of the older part.  Prints the median and the longest time in ms."""
    times = []
    for number in range(rounds):
        r = _Round(kind, number, workers, where, claim == "claim")
        times.append({"head": _by_head, "patch": _by_patch, "delete": _by_delete}[how](r, claim == "claim") * 1000)
        path = os.path.join(store, r.name)
        if how == "delete":
            if os.path.exists(path):
                raise Wrong("%s is there" % path)
            continue
        with open(path, "rb") as f:
            if f.read() != r.data:
                raise Wrong("%s is not what was sent" % path)
        os.unlink(path)
    print("%.1f %.1f" % (statistics.median(times), max(times)))
