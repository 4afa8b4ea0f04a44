# The clients of the crash tests that upload by tus and by the drafts: in parts, which are cut,
# left, taken over, given up; and what must be there of them after a crash.
#
# Beside the rules of oracle.py:
#
#     an offset that was told       it is there, never less, and from it the upload can be ended
#     told to be complete           it has its name
#
# An upload that is left or given up has never sent its last byte: oracle.py's "refused".

import os
import random
import sys
import time

import client
import oracle
import rig

sys.path.insert(1, os.path.join(rig.REPO, "tests/lib"))

import resumable  # noqa: E402

WISHES = [("resume", "on"), ("max_resumable", "0"), ("max_resumable_per_client", "0")]
PATIENCE_S = 30
KINDS = ("tus", "tus", "tus", "ietf-6", "ietf-8", "ietf-10")
LARGEST = 1 << 21


class _Tus(resumable.Tus):
    def acknowledged(self, offset):
        super().acknowledged(offset)
        self.note(offset)


class _Ietf(resumable.Ietf):
    def acknowledged(self, offset):
        super().acknowledged(offset)
        self.note(offset)


class History(oracle.History):
    """All uploads, their URLs, and each offset that was told, when."""

    def __init__(self, mark=None):
        super().__init__()
        self.mark = mark
        self.told = {}  # ident: (kind, URL, seed, offsets)

    def note(self, up, u, kind, seed, offset):
        """`offset` was told; marked behind the answer."""
        if u.url is None:
            return
        _, _, _, offsets = self.told.setdefault(up.ident, (kind, u.url, seed, set()))
        if offset not in offsets:
            if self.mark is not None:
                self.mark("%x-%d" % (up.ident, offset))
            offsets.add(offset)

    def told_until(self, ident, is_marked):
        """The greatest offset that is_marked(text): it was told by then; None: none was."""
        offsets = self.told[ident][3]
        return max((o for o in offsets if is_marked("%x-%d" % (ident, o))), default=None)


def client_of(kind, name, data, port):
    if kind == "tus":
        u = _Tus("/file/", data, port)
        u.metadata = {"filename": name}
        return u
    return _Ietf(int(kind.removeprefix("ietf-")), "/file/" + name, data, port)


class Client:
    """One of them: uploads, one after the other."""

    def __init__(self, load, number):
        self.load, self.random = load, random.Random("%s/%d" % (load.seed, number))
        self.open = []  # connections that are half dead

    def run(self):
        try:
            while not self.load.stopping.is_set():
                self.upload()
        finally:
            for line in self.open:
                line.close()

    def upload(self):
        rnd, history = self.random, self.load.history
        kind, name = rnd.choice(KINDS), "u%06d" % history.next_number()
        length = max(oracle.HEADER + 2, int(2 ** rnd.uniform(8, LARGEST.bit_length() - 1)))
        seed = rnd.getrandbits(16)
        up = history.begin(name, length, seed)
        u = client_of(kind, name, up.body.bytes(), self.load.port)
        u.note = lambda offset: history.note(up, u, kind, seed, offset)
        u.checksum = rnd.choice((None, None, "sha1"))
        u.with_upload, u.digest, u.empty = rnd.random() < 0.3, rnd.random() < 0.2, rnd.random() < 0.5
        u.until = time.monotonic() + PATIENCE_S
        end = rnd.choices(("whole", "left", "deleted"), (8, self.load.leave, 1))[0]
        try:
            self.in_parts(up, u, kind, end)
        except resumable.Wrong as e:
            history.breaks("%s: %s" % (up, e))
        u.line.close()
        if up.ended is None:  # it went wrong
            history.end(up, oracle.UNKNOWN, "stopped")

    def in_parts(self, up, u, kind, end):
        rnd, history = self.random, self.load.history
        stop = len(u.source) if end == "whole" else rnd.randrange(1, len(u.source))
        while not u.is_done:
            if end != "whole" and u.offset >= stop:
                break
            try:
                if u.url is None:
                    # One without its last byte cannot be stored, whatever is lost.
                    u.create(max(1, min(stop, len(u.source) - 1)))
                elif rnd.random() < 0.25 and u.offset < len(u.source):
                    self.half_of(u, kind)
                else:
                    u.append(max(1, min(stop - u.offset, rnd.choice((len(u.source), len(u.source) // 3)))))
            except resumable.Gone:
                u.come_back()
        if u.is_done:
            history.end(up, oracle.ACKNOWLEDGED, "complete at %d" % u.offset)
            if self.load.on_acknowledged is not None:
                self.load.on_acknowledged(up)
            return
        if end == "deleted":
            self.delete(u)
        history.end(up, oracle.REFUSED, end)

    def half_of(self, u, kind):
        """Some bytes of a part that says it has more; then the connection ends, or stays."""
        rnd, size = self.random, len(u.source) - u.offset
        fields = ["Upload-Offset: %d" % u.offset]
        if kind == "tus":
            fields = u.say(*fields, "Content-Type: application/offset+octet-stream")
        else:
            fields = u.say(True, *fields, "Content-Type: application/partial-upload")
        lines = ["PATCH %s HTTP/1.1" % u.url, "Host: x", *fields, "Content-Length: %d" % size]
        line = resumable.Line(self.load.port)
        try:
            line.socket = resumable.connect(self.load.port)
            line.socket.sendall("".join(text + "\r\n" for text in lines).encode() + b"\r\n")
            line.socket.sendall(u.source.read(u.offset, rnd.randrange(size)))
        except OSError:
            raise resumable.Gone("the connection")
        if rnd.random() < 0.5:
            self.open.append(line)
            if len(self.open) > 4:
                self.open.pop(0).close()
        else:
            line.close()
        if rnd.random() < 0.8:
            u.head()

    def delete(self, u):
        for _ in range(100):
            try:
                answer = u.ask("DELETE", u.url, u.say() if isinstance(u, _Tus) else u.say(None))
            except resumable.Gone:
                u.pause()
                continue
            if answer.status in (204, 404, 410):
                return
            if answer.status not in (423, 503):
                raise resumable.Refused("DELETE " + u.url, answer)
            u.pause()


class Load(client.Crowd):
    def __init__(self, history, port, seed, clients, leave=1, on_acknowledged=None):
        super().__init__(history, clients, 2 * PATIENCE_S)
        self.port, self.seed, self.leave = port, seed, leave
        self.on_acknowledged = on_acknowledged

    def run_client(self, number):
        Client(self, number).run()


class Checked(History):
    """Judges what is on a disk by a server that is started on it."""

    def __init__(self, r, mark):
        super().__init__(mark)
        self.round = r

    def judge_image(self, root, is_marked):
        """What the files say, and then what a server says of each upload that was told of."""
        broken = self.judge(root, lambda up: is_marked("%x" % up.ident))
        server = rig.Server(self.round.work, root, random.Random(self.round.seed), "threads", wishes=WISHES, processes=1)
        server.start()
        try:
            for ident in self.told:
                told = self.told_until(ident, is_marked)
                if told is not None:
                    broken += self.ask(server, root, self.uploads[ident], told)
            broken += server.faults()
        finally:
            server.kill()
            server.await_gone()
        return broken

    def ask(self, server, root, up, told):
        """An upload of which `told` bytes had been acknowledged: end it, if it has not ended."""
        kind, url, seed, _ = self.told[up.ident]
        body = oracle.Body(up.ident, up.name, up.length, seed)
        u = client_of(kind, up.name, body.bytes(), server.port)
        u.note = lambda offset: None
        u.url, u.offset, u.until = url, told, time.monotonic() + PATIENCE_S
        path = os.path.join(root, up.name)
        try:
            while not u.is_done:
                u.head()
                if not u.is_done:
                    u.append()
        except resumable.Refused as e:
            # It may have ended since: stored, or given up.
            if e.answer.status in (404, 410) and (up.why == "deleted" or os.path.exists(path)):
                return []
            return ["%s, told %d: %s" % (up, told, e)]
        except (resumable.Gone, resumable.Wrong) as e:
            return ["%s, told %d: %s" % (up, told, e)]
        finally:
            u.line.close()
        try:
            if oracle.examine_path(path)[0] != up.ident:
                return ["%s is complete, and another one has its name" % up]
        except (OSError, oracle.Damaged) as e:
            return ["%s is complete, and: %s" % (up, e)]
        self.round.count(ended_on_images=1)
        return []
