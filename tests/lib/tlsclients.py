"""
Clients that speak TLS and do what curl cannot: sessions that are resumed, uploads that
are held up, handshakes that stall, ends of all kinds.
"""
import array
import fcntl
import os
import select
import socket
import ssl
import sys
import termios
import time

from wire import PATIENCE, head, reset_on_close, send_no_more

RECORD = 16384 # bytes of content in one, at most
HELLO = 60 # bytes of a ClientHello that are no whole one


def _plain():
    s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def _context(newest=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if newest == "1.2":
        c.maximum_version = ssl.TLSVersion.TLSv1_2
    return c


def _connect(context=None, session=None, name=None):
    return (context or _context()).wrap_socket(_plain(), session=session, server_hostname=name)


def _head(name, length):
    return ("PUT /file/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (name, length)).encode()


def _answer(s):
    """The status of the next answer; 0: the end came before one."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(65536)
        if not more:
            return 0
        got += more
    return int(got.split()[1])


def _wait_for(path):
    end = time.time() + PATIENCE
    while not os.path.exists(path):
        if time.time() > end:
            sys.exit("%s does not come" % path)
        time.sleep(0.01)


def resume(newest, count: int, file):
    """Get a session (TLS up to NEWEST), and come back with it COUNT times, before and after
    FILE is there; prints how often it was resumed each time."""
    c = _context(newest)
    s = _connect(c)
    s.sendall(_head("resumed", 0))
    _answer(s)
    session = s.session
    s.close()
    for step in range(2):
        reused = 0
        for _ in range(count):
            s = _connect(c, session)
            s.sendall(_head("again", 0))
            _answer(s)
            reused += s.session_reused
            session = s.session or session
            s.close()
        print(reused, flush=True)
        if step == 0:
            open("resumed-once", "w").close()
            _wait_for(file)


def hold_upload(name, length: int, file):
    """Send half of a body; the rest when FILE is there; prints the status."""
    s = _connect()
    s.sendall(_head(name, length) + bytes(length // 2))
    open("held", "w").close()
    _wait_for(file)
    s.sendall(bytes(length - length // 2))
    print(_answer(s))


def stall(silent: int, begun: int):
    """SILENT connections that say nothing, and BEGUN ones with a part of a hello, until the
    server has closed all of them; prints how many."""
    hello = ssl.MemoryBIO()
    try:
        _context().wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
    except ssl.SSLWantReadError:
        pass
    part = hello.read()[:HELLO]
    conns = [_plain() for _ in range(silent + begun)]
    for s in conns[silent:]:
        s.sendall(part)
    open("stalled", "w").close()
    poll = select.poll()
    left = {s.fileno(): s for s in conns}
    for fd in left:
        poll.register(fd, select.POLLIN)
    end = time.time() + PATIENCE
    closed = 0
    while left and time.time() < end:
        for fd, _ in poll.poll(100):
            try:
                gone = left[fd].recv(100) == b""
            except OSError:
                gone = True
            if gone:
                poll.unregister(fd)
                left.pop(fd)
                closed += 1
    print(closed)


def half_close(name):
    """Send a whole upload, and a FIN without close_notify; prints the status."""
    s = _connect()
    s.sendall(_head(name, 5) + b"hello")
    socket.socket.shutdown(s, socket.SHUT_WR)
    print(_answer(s))


def cut(name, sent: int, length: int):
    """Send SENT of LENGTH bytes, and leave without close_notify."""
    s = _connect()
    s.sendall(_head(name, length) + bytes(sent))
    s.detach() # and the process ends
    time.sleep(0.1)


def refused_early(name, length: int):
    """Send a body that is refused at once, and go on sending after the answer; prints the
    status, and how the stream ends."""
    s = _connect()
    s.sendall(_head(name, length))
    status = _answer(s)
    how = "close_notify"
    try:
        for _ in range(20):
            s.sendall(bytes(10000))
        while s.recv(65536):
            pass
    except (OSError, ssl.SSLError) as e:
        how = type(e).__name__
    print(status, how)


def records(name, size: int, count: int):
    """An upload of COUNT records of SIZE bytes each, the whole head included; prints the
    status."""
    s = _connect()
    text = _head(name, size * count)
    for i in range(0, len(text), size):
        s.sendall(text[i:i + size])
    for _ in range(count):
        s.sendall(bytes(size))
    print(_answer(s))


class _Records:
    """A connection whose records, and those of its handshake, go out as `send` does it."""

    def __init__(self, send):
        self.inner, self.outer = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = _context().wrap_bio(self.inner, self.outer)
        self.socket = _plain()
        self.send = send
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.push()
                self.pull()
        self.push()

    def push(self):
        data = self.outer.read()
        if data:
            self.send(self.socket, data)

    def pull(self):
        data = self.socket.recv(65536)
        self.inner.write(data) if data else self.inner.write_eof()

    def record(self, content):
        """The record of it, which was not sent."""
        self.tls.write(content)
        return self.outer.read()

    def answer(self):
        """The status of the next answer; 0: the end came before one."""
        got = b""
        while b"\r\n\r\n" not in got:
            try:
                more = self.tls.read(65536)
                if not more:
                    return 0
                got += more
            except ssl.SSLWantReadError:
                self.pull()
            except (ssl.SSLError, OSError):
                return 0
        return int(got.split()[1])


def pieces(name, length: int, piece: int):
    """An upload whose records come in pieces of PIECE bytes, the handshake too; prints the
    status."""
    def send(s, data):
        for i in range(0, len(data), piece):
            s.sendall(data[i:i + piece])

    r = _Records(send)
    r.send(r.socket, r.record(_head(name, length) + bytes(length)))
    print(r.answer())


def _has_taken_all(s):
    """Wait until the server's kernel has what was sent, and the server the time to look."""
    end = time.time() + PATIENCE
    unsent = array.array("i", [1])
    while unsent[0] and time.time() < end:
        fcntl.ioctl(s, termios.TIOCOUTQ, unsent)
    time.sleep(0.002)


def cut_anywhere(name, file):
    """Upload FILE in records of 16 KiB, each of which is cut in two, at its head, within
    it and near its end; the server has the first part before the second is sent.  Prints
    the status."""
    body = open(file, "rb").read()
    r = _Records(lambda s, data: s.sendall(data))
    r.socket.sendall(r.record(_head(name, len(body))))
    parts = [body[i:i + RECORD] for i in range(0, len(body), RECORD)]
    for i, part in enumerate(parts):
        record = r.record(part)
        near = i // 3 % 24
        at = (near, len(record) // 2 + 61 * i, len(record) - near)[i % 3] % len(record)
        r.socket.sendall(record[:at])
        _has_taken_all(r.socket)
        r.socket.sendall(record[at:])
    print(r.answer())


def truncated(name, sent: int):
    """Send the begin of an upload in chunks and, of the record with its last chunk, SENT
    bytes (below 0: all but so many); then a FIN; prints the status."""
    r = _Records(lambda s, data: s.sendall(data))
    r.socket.sendall(r.record(head("PUT", "/file/" + name, "Transfer-Encoding: chunked") + b"5\r\nhello\r\n"))
    record = r.record(b"0\r\n\r\n")
    r.socket.sendall(record[:sent])
    send_no_more(r.socket)
    print(r.answer())


def _say_close_notify(s):
    """And do not wait for the server's."""
    s.setblocking(False)
    try:
        s.unwrap()
    except (ssl.SSLError, OSError):
        pass


def leave(rounds: int):
    """ROUNDS of clients that leave at all points, from before their handshake to within a
    body, by a FIN, by a reset, or (behind the handshake) by close_notify; prints how many."""
    count = 0
    for _ in range(rounds):
        for sent in (0, 1, HELLO, 10000):
            for end in (socket.socket.close, reset_on_close):
                hello = ssl.MemoryBIO()
                try:
                    _context().wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
                except ssl.SSLWantReadError:
                    pass
                s = _plain()
                s.sendall(hello.read()[:sent])
                end(s)
                s.close()
                count += 1
        begun = _head("left%d" % count, 300000)
        for content in (b"", begun[:20], begun, begun + bytes(100000)):
            for end in ("fin", "reset", "close_notify"):
                s = _connect()
                s.sendall(content)
                if end == "close_notify":
                    _say_close_notify(s)
                elif end == "reset":
                    reset_on_close(s)
                s.close()
                count += 1
    print(count)


def dribble(count: int, file):
    """COUNT clients that send the begin of a handshake a byte at a time, every 25 ms (a quarter
    of a minute for all of it), until FILE is there, and then the rest; prints how many
    finish it, and how many still had more than a byte to send."""
    clients = []
    for _ in range(count):
        inner, outer = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = _context().wrap_bio(inner, outer)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        clients.append((_plain(), tls, inner, outer, bytearray(outer.read())))
    open("dribbling", "w").close()
    end = time.time() + PATIENCE
    while not os.path.exists(file) and time.time() < end:
        for s, _, _, _, hello in clients:
            if len(hello) > 1:
                s.sendall(bytes(hello[:1]))
                del hello[:1]
        time.sleep(0.025)
    done = 0
    late = sum(len(hello) > 1 for _, _, _, _, hello in clients)
    for s, tls, inner, outer, hello in clients:
        try:
            s.sendall(bytes(hello))
            inner.write(s.recv(65536))
            tls.do_handshake()
            done += 1
        except (OSError, ssl.SSLError):
            pass
    print(done, late)


def pipeline(count: int):
    """COUNT uploads in one record; prints how many were stored."""
    s = _connect()
    s.sendall(b"".join(_head("p%d" % i, 5) + b"hello" for i in range(count)))
    got = b""
    while got.count(b"HTTP/1.1 201 ") < count:
        more = s.recv(65536)
        if not more:
            break
        got += more
    print(got.count(b"HTTP/1.1 201 "))


def idle(count: int, file):
    """COUNT connections that have done a request each, and idle until FILE is there."""
    conns = []
    for i in range(count):
        s = _connect()
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        _answer(s)
        conns.append(s)
    open("idle", "w").close()
    _wait_for(file)
