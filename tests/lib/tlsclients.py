"""
Clients that speak TLS and do what curl cannot: sessions that are resumed, uploads that
are held up, handshakes that stall, ends of all kinds.
"""
import os
import select
import socket
import ssl
import sys
import time

from wire import PATIENCE

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


def pieces(name, length: int, piece: int):
    """An upload whose records come in pieces of PIECE bytes, the handshake too; prints the
    status."""
    inner, outer = ssl.MemoryBIO(), ssl.MemoryBIO()
    t = _context().wrap_bio(inner, outer)
    s = _plain()

    def push():
        data = outer.read()
        for i in range(0, len(data), piece):
            s.sendall(data[i:i + piece])

    def pull():
        data = s.recv(65536)
        inner.write(data) if data else inner.write_eof()

    while True:
        try:
            t.do_handshake()
            break
        except ssl.SSLWantReadError:
            push()
            pull()
    push()
    t.write(_head(name, length) + bytes(length))
    push()
    got = b""
    while b"\r\n\r\n" not in got:
        try:
            got += t.read(65536)
        except ssl.SSLWantReadError:
            pull()
    print(int(got.split()[1]))


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
