"""
Clients of resumable uploads in which every byte of a request is the test's: tus 1.0.0,
and the IETF draft in each of its interop versions.  They come back after whatever happens
to their connections, and complain about a server that forgets what it has said.
"""
import base64
import hashlib
import os
import random
import select
import time
import urllib.parse

from wire import PATIENCE, answers_in, connect

PIECE = 1 << 16


class Gone(Exception):
    """The connection has ended before its answer."""


class Wrong(Exception):
    """The server does what it must not."""


class Refused(Wrong):
    def __init__(self, what, answer):
        super().__init__("%s: %d %s" % (what, answer.status, answer.content[:300].decode("latin-1")))
        self.answer = answer


def data_of(seed, length):
    """Bytes that no other upload has, and none of which stands where it could elsewhere."""
    return random.Random(seed).randbytes(length)


class Bytes:
    """What is uploaded: memory, or a file that is read as it goes."""

    def __init__(self, source):
        self.fd = None
        if isinstance(source, bytes):
            self.source, self.length = source, len(source)
        else:
            self.fd = os.open(source, os.O_RDONLY)
            self.length = os.fstat(self.fd).st_size

    def __len__(self):
        return self.length

    def read(self, at, n):
        n = min(n, self.length - at)
        return self.source[at:at + n] if self.fd is None else os.pread(self.fd, n, at)


class Line:
    """A connection, to which requests are sent one after the other."""

    def __init__(self, port=None, timeout=PATIENCE):
        self.port, self.timeout = port, timeout
        self.socket = None
        self.rest = b""

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.rest = None, b""

    def ask(self, method, target, fields, body=b"", interim=None, pieces=None, trailer=()):
        """The answer; interim ones go to `interim`.  `body` is bytes, or (Bytes, from, to);
        with `pieces` it is chunked, in pieces of so many bytes, and a trailer may follow."""
        if self.socket is None:
            try:
                self.socket = connect(self.port, self.timeout)
            except OSError as e:
                raise Gone(str(e))
        source, at, end = body if isinstance(body, tuple) else (Bytes(body), 0, len(body))
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: x", *fields]
        lines += ["Transfer-Encoding: chunked"] if pieces else ["Content-Length: %d" % (end - at)]
        broken = None
        try:
            self._send("".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n")
            self._send_body(source, at, end, pieces, trailer)
        except OSError as e:
            broken = e # what was answered may still be there
        try:
            return self._answer(method, interim)
        except (OSError, Gone) as e:
            self.close()
            raise Gone(str(broken or e) or "nothing came in time")

    def _send(self, data):
        self.socket.sendall(data)

    def _send_body(self, source, at, end, pieces, trailer):
        while at < end:
            if select.select([self.socket], [], [], 0)[0] and self._is_answered():
                return
            piece = source.read(at, min(end - at, pieces or PIECE))
            self._send(b"%x\r\n%b\r\n" % (len(piece), piece) if pieces else piece)
            at += len(piece)
        if pieces:
            self._send(b"0\r\n" + "".join(line + "\r\n" for line in trailer).encode() + b"\r\n")

    def _is_answered(self):
        """Before all was sent: with more than an interim answer?"""
        self._receive()
        found, rest = answers_in(self.rest)
        return bool(rest) or any(a.status >= 200 for a in found)

    def _receive(self):
        data = self.socket.recv(PIECE)
        if not data:
            raise Gone("closed")
        self.rest += data

    def _answer(self, method, interim):
        while True:
            found, rest = answers_in(self.rest, [method])
            for a in found:
                if a.status >= 200:
                    self.rest = rest
                    if a.value("connection") == "close":
                        self.close()
                    return a
                if interim is not None:
                    interim.append(a)
            self.rest = rest
            self._receive()


def _number(answer, name):
    value = answer.value(name)
    if value is None or not value.isdigit():
        raise Wrong("%d with the %s %s" % (answer.status, name, value))
    return int(value)


class Upload:
    """What both protocols have in common.  Each subclass has create(), head() and append().

    `offset` is the last one that the server has acknowledged, and it never goes down."""

    def __init__(self, target, source, port=None, line=None):
        self.target, self.source = target, Bytes(source)
        self.metadata = None # of tus
        self.line = line or Line(port)
        self.url = None
        self.offset = 0
        self.is_done = False
        self.final = None # the answer that says so
        self.resumed = self.requests = self.created = 0
        self.unknown = False # a creation with all bytes went without an answer

    def ask(self, *args, **kwargs):
        self.requests += 1
        return self.line.ask(*args, **kwargs)

    def located(self, answer):
        where = answer.value("location")
        if where is None:
            raise Wrong("%d without a Location" % answer.status)
        self.url = urllib.parse.urlsplit(urllib.parse.urljoin("http://x" + self.target, where))
        self.url = self.url.path + ("?" + self.url.query if self.url.query else "")

    def acknowledged(self, offset):
        if offset < self.offset:
            raise Wrong("%s: the offset %d was acknowledged, now it is %d" % (self.url, self.offset, offset))
        if offset > len(self.source):
            raise Wrong("%s: the offset %d is beyond all bytes" % (self.url, offset))
        self.offset = offset

    def whole(self, piece=0, patience=60):
        """Upload all of it in requests of `piece` bytes (0: one), however often it takes."""
        self.until = time.monotonic() + patience
        while not self.is_done:
            try:
                if self.url is None:
                    self.create(piece)
                else:
                    self.append(piece)
            except Gone:
                self.come_back()
        return self

    def come_back(self):
        """Where does it go on?"""
        while self.url is not None:
            self.pause()
            try:
                self.resumed += 1
                self.head()
                return
            except Gone:
                pass
        self.pause()

    def pause(self):
        if time.monotonic() > self.until:
            raise Wrong("%s: no end to it, at %d of %d" % (self.url or self.target, self.offset, len(self.source)))
        time.sleep(0.002)

    def later(self, answer):
        """Is it one of the answers that say: later?"""
        if answer.status not in (423, 503):
            return False
        self.pause()
        return True

    def is_there_already(self, answer):
        """Does it say that the name is taken: by a creation that went without an answer?"""
        self.is_done = self.unknown and answer.status in (403, 409, 412)
        return self.is_done

    def end_of(self, piece):
        return min(len(self.source), self.offset + piece) if piece else len(self.source)


class Tus(Upload):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields = []
        self.deferred = False   # the length comes with the last PATCH
        self.with_upload = False # the creation has bytes
        self.checksum = None    # sha1, ...
        self.override = False   # POST stands for PATCH

    def say(self, *fields):
        return ["Tus-Resumable: 1.0.0", *fields, *self.fields]

    def metadata_of(self):
        if self.metadata is None:
            return []
        if isinstance(self.metadata, str):
            return ["Upload-Metadata: " + self.metadata]
        return ["Upload-Metadata: " + ",".join(
            key + " " + base64.b64encode(value.encode()).decode() for key, value in self.metadata.items())]

    def create(self, piece=0):
        fields = self.say("Upload-Defer-Length: 1" if self.deferred else "Upload-Length: %d" % len(self.source),
                          *self.metadata_of())
        body = b""
        if self.with_upload:
            fields.append("Content-Type: application/offset+octet-stream")
            body = (self.source, 0, self.end_of(piece))
        try:
            answer = self.ask("POST", self.target, fields, body)
        except Gone:
            self.unknown = self.unknown or len(self.source) == (body[2] if body else 0)
            raise
        if self.later(answer):
            return answer
        if self.is_there_already(answer):
            return answer
        if answer.status != 201:
            raise Refused("POST " + self.target, answer)
        self.created += 1
        self.located(answer)
        if self.with_upload:
            self.acknowledged(_number(answer, "upload-offset"))
        self.is_done = self.offset == len(self.source) and not self.deferred
        self.final = answer if self.is_done else None
        return answer

    def head(self):
        answer = self.ask("HEAD", self.url, self.say())
        if self.later(answer):
            raise Gone("later")
        if answer.status not in (200, 204):
            raise Refused("HEAD " + self.url, answer)
        self.acknowledged(_number(answer, "upload-offset"))
        if answer.value("cache-control") != "no-store":
            raise Wrong("HEAD without Cache-Control: no-store")
        length = answer.value("upload-length")
        if length is None and answer.value("upload-defer-length") != "1":
            raise Wrong("HEAD without a length")
        if length is not None and int(length) != len(self.source):
            raise Wrong("HEAD says a length of " + length)
        self.deferred = length is None
        self.is_done = length is not None and self.offset == len(self.source)
        return answer

    def append(self, piece=0):
        end = self.end_of(piece)
        fields = self.say("Content-Type: application/offset+octet-stream", "Upload-Offset: %d" % self.offset)
        if self.deferred and end == len(self.source):
            fields.append("Upload-Length: %d" % end)
        if self.checksum:
            digest = hashlib.new(self.checksum, self.source.read(self.offset, end - self.offset)).digest()
            fields.append("Upload-Checksum: %s %s" % (self.checksum, base64.b64encode(digest).decode()))
        method = "PATCH"
        if self.override:
            method = "POST"
            fields.append("X-HTTP-Method-Override: PATCH")
        answer = self.ask(method, self.url, fields, (self.source, self.offset, end))
        if answer.status == 409 and not self.unknown:
            raise Gone("another offset")
        if self.later(answer):
            return answer
        if self.is_there_already(answer):
            return answer
        if answer.status != 204:
            raise Refused("PATCH " + self.url, answer)
        self.acknowledged(_number(answer, "upload-offset"))
        self.is_done = self.offset == len(self.source)
        self.final = answer if self.is_done else None
        return answer


class Ietf(Upload):
    def __init__(self, version, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.version = version # of the draft's interop; 0: none is told
        self.method = "PUT"
        self.fields = []
        self.digest = False    # Repr-Digest at the creation, Content-Digest at each append
        self.interim = []
        self.empty = False     # the creation has no bytes

    def say(self, complete, *fields):
        told = ["Upload-Draft-Interop-Version: %d" % self.version] if self.version else []
        if complete is not None and self.version == 3:
            told.append("Upload-Incomplete: ?%d" % (not complete))
        elif complete is not None:
            told.append("Upload-Complete: ?%d" % complete)
        return [*told, *fields, *self.fields]

    def hear_interim(self):
        """Where it is, and how far, by what came before the answer."""
        for a in self.interim:
            if a.status != 104:
                continue
            if a.value("location") is not None and self.url is None:
                self.located(a)
            if a.value("upload-offset") is not None:
                self.acknowledged(_number(a, "upload-offset"))
        self.interim.clear()

    def create(self, piece=0):
        end = 0 if self.empty else self.end_of(piece)
        complete = end == len(self.source)
        fields = self.say(complete)
        if not complete:
            fields.append("Upload-Length: %d" % len(self.source))
        if self.digest:
            digest = hashlib.sha256(self.source.read(0, len(self.source))).digest()
            fields.append("Repr-Digest: sha-256=:%s:" % base64.b64encode(digest).decode())
        try:
            answer = self.ask(self.method, self.target, fields, (self.source, 0, end), interim=self.interim)
        except Gone:
            self.unknown = self.unknown or complete
            raise
        finally:
            self.hear_interim()
        if self.later(answer):
            return answer
        if self.is_there_already(answer):
            return answer
        if answer.status not in (200, 201):
            raise Refused("%s %s" % (self.method, self.target), answer)
        self.created += 1
        self.heard(answer, complete, end)
        return answer

    def heard(self, answer, complete, end):
        """A success: is it the upload's, or the target's?"""
        if complete and self.says_complete(answer):
            self.offset, self.is_done, self.final = end, True, answer
            return
        if self.url is None:
            self.located(answer)
        if answer.value("upload-offset") is None and self.offset == 0:
            self.head() # a creation's answer need not say it
            return
        self.acknowledged(_number(answer, "upload-offset"))

    def says_complete(self, answer):
        if self.version == 3:
            return answer.value("upload-incomplete") != "?1"
        return answer.value("upload-complete") != "?0"

    def head(self):
        answer = self.ask("HEAD", self.url, self.say(None))
        if self.later(answer):
            raise Gone("later")
        if answer.status not in (200, 204):
            raise Refused("HEAD " + self.url, answer)
        self.acknowledged(_number(answer, "upload-offset"))
        if answer.value("cache-control") != "no-store":
            raise Wrong("HEAD without Cache-Control: no-store")
        said = answer.value("upload-incomplete" if self.version == 3 else "upload-complete")
        if said is None and self.version != 10:
            raise Wrong("HEAD does not say whether it is complete")
        self.is_done = said == ("?0" if self.version == 3 else "?1")
        return answer

    def append(self, piece=0):
        end = self.end_of(piece)
        complete = end == len(self.source)
        fields = self.say(complete, "Upload-Offset: %d" % self.offset)
        if self.version == 0 or self.version >= 6:
            fields.append("Content-Type: application/partial-upload")
        if self.digest:
            digest = hashlib.sha256(self.source.read(self.offset, end - self.offset)).digest()
            fields.append("Content-Digest: sha-256=:%s:" % base64.b64encode(digest).decode())
        try:
            answer = self.ask("PATCH", self.url, fields, (self.source, self.offset, end), interim=self.interim)
        finally:
            self.hear_interim()
        if answer.status == 409:
            # Of one that is complete by now it need not say where.
            if answer.value("upload-offset") is None:
                raise Gone("another offset")
            self.acknowledged(_number(answer, "upload-offset"))
            return answer
        if self.later(answer):
            return answer
        if answer.status not in (200, 201, 204):
            raise Refused("PATCH " + self.url, answer)
        self.heard(answer, complete, end)
        return answer


def make_file(path, size: int):
    """A file of SIZE bytes, in which each 64 KiB begin with their place."""
    rest = data_of(path, PIECE - 8)
    with open(path, "wb") as f:
        for at in range(0, size, PIECE):
            f.write((at.to_bytes(8, "big") + rest)[:size - at])


def _client(kind, *args, **kwargs):
    """By its name: tus, or ietf-N."""
    if kind == "tus":
        return Tus(*args, **kwargs)
    return Ietf(int(kind.removeprefix("ietf-")), *args, **kwargs)


def upload(kind, target, file, piece: int, patience: float, *options):
    """Upload FILE to TARGET by KIND (tus, ietf-8, ...) in requests of PIECE bytes (0: one), for
    PATIENCE seconds at most.  OPTIONS are attributes of the client: deferred, checksum=sha1,
    metadata=..., ....  Prints where it was, and how often it was resumed."""
    u = _client(kind, target, file)
    for option in options:
        name, _, value = option.partition("=")
        assert hasattr(u, name), name
        setattr(u, name, value or True)
    u.whole(piece, patience)
    print(u.url, "resumed", u.resumed, "created", u.created)


