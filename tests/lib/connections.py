"""
Connections that are used in ways of which a server may take harm: by clients that
send without end, leave, reset, never read, or are slow on purpose.
"""
import os
import select
import socket
import sys
import time

from wire import connect, connect_unix, connect_without_room, head, put, put_head, \
    reset_on_close, status, unescaped

OPTIONS = head("OPTIONS", "*")


def _made(name):
    open(name, "w").close()


# ---- requests without end, and many connections

def pipeline(count: int):
    """Send requests without end on COUNT connections; the file `pipelining` appears
    when all are open."""
    import selectors
    data, at = OPTIONS * 2000, {}
    sel = selectors.DefaultSelector()
    for _ in range(count):
        s = connect()
        s.setblocking(False)
        sel.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
    _made("pipelining")
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for key, what in sel.select(1):
            s = key.fileobj
            try:
                if what & selectors.EVENT_WRITE:
                    n = at.get(s, 0)
                    at[s] = (n + s.send(data[n:])) % len(data)
                if what & selectors.EVENT_READ:
                    s.recv(1 << 20)
            except BlockingIOError:
                pass


def pipeline_until_closed():
    """Send requests on one connection until the server closes it; the file `answered`
    appears with the first answer.  Prints how many were answered 204 and 503."""
    import threading
    s = connect(timeout=None)

    def send():
        try:
            while True:
                s.sendall(OPTIONS * 1000)
        except OSError:
            pass

    threading.Thread(target=send, daemon=True).start()
    got = b""
    try:
        while more := s.recv(1 << 20):
            got += more
            _made("answered")
    except OSError:
        pass
    print(got.count(b"HTTP/1.1 204 "), got.count(b"HTTP/1.1 503 "))


def ask_in_rounds(target, rounds: int):
    """On each of 12 connections ROUNDS requests for TARGET, one at a time."""
    one = head("GET", target)
    socks = [connect() for _ in range(12)]
    for _ in range(rounds):
        for s in socks:
            s.sendall(one)
        for s in socks:
            got = b""
            while b"}" not in got:
                more = s.recv(65536)
                if not more:
                    sys.exit("closed")
                got += more


def one_after_another(count: int):
    """Open COUNT connections, each when the one before is closed; print the statuses."""
    for _ in range(count):
        s = connect()
        s.sendall(head("GET", "/file/none", "Connection: close"))
        print(status(s))
        while s.recv(10000):
            pass
        s.close()


def flood(count: int):
    """Open COUNT connections and say nothing on them; the file `connected` appears."""
    conns = []
    for _ in range(count):
        s = socket.socket()
        s.settimeout(5)
        try:
            s.connect(("127.0.0.1", int(os.environ["PORT"])))
        except OSError:
            pass
        conns.append(s)
    _made("connected")
    time.sleep(20)


def by_ipv6_and_unix(path):
    """Three connections by IPv6 and five by a UNIX socket, all open; print what each
    is answered."""
    held = []

    def ask(s):
        held.append(s)
        s.settimeout(5)
        s.sendall(head("GET", "/file/none"))
        return status(s)

    for _ in range(3):
        print("v6", ask(socket.create_connection(("::1", int(os.environ["PORT"])))))
    for _ in range(5):
        print("unix", ask(connect_unix(path)))


def silent(mode, count: int):
    """COUNT clients that send a head and 3,000 bytes of a body ("body"), or a head in
    pieces that does not end ("head"), or a request that is answered ("request"), and then
    nothing; the file `said` appears."""
    text = ("PUT /file/%d HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: curl/7.88.1\r\n"
            "Accept: */*\r\nContent-Length: 300000\r\n\r\n")
    conns = []
    for i in range(count):
        conns.append(socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))))
        if mode == "body":
            conns[i].sendall((text % i).encode() + b"x" * 3000)
        if mode == "request":
            conns[i].sendall(b"GET /none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            conns[i].recv(65536)
    if mode == "head":
        for j in range(0, len(text) - 4, 12):
            for s in conns:
                s.send(text[j:min(j + 12, len(text) - 4)].encode())
    _made("said")
    time.sleep(600)


# ---- clients that leave

def send_and_leave():
    """Send what comes by stdin, and close."""
    s = connect(timeout=5)
    s.sendall(sys.stdin.buffer.read())


def reset_after(*texts):
    """Send each of TEXTS on a connection of its own, and reset it."""
    for text in texts:
        s = connect()
        reset_on_close(s)
        s.sendall(unescaped(text))
        s.close()


def leave_after(how, *texts):
    """Send TEXTS on one connection; then `close` or `reset` it, or (`half`) shut the
    sending side, take all answers and print how many were 201."""
    s = connect()
    if how == "reset":
        reset_on_close(s)
    s.sendall(unescaped("".join(texts)))
    if how == "half":
        s.shutdown(socket.SHUT_WR)
        answers = b""
        while more := s.recv(65536):
            answers += more
        print(answers.count(b"HTTP/1.1 201 "))
    s.close()


def leave_long_pipelines():
    """Four connections with five uploads of 8,000 bytes each, with a length and
    chunked, closed and reset behind them."""
    body = b"0123456789abcdef" * 500
    for how in "close", "reset":
        for coding in "length", "chunked":
            s = connect()
            if how == "reset":
                reset_on_close(s)
            for n in range(5):
                target = "/file/%s-%s-%d" % (how, coding, n)
                if coding == "length":
                    s.sendall(put(target, body))
                else:
                    s.sendall(head("PUT", target, "Transfer-Encoding: chunked")
                              + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
            s.close()


# ---- clients that do not read, or read slowly

def take_nothing():
    """60,000 requests on one connection, of whose answers none is taken."""
    s = connect_without_room(timeout=None)
    s.sendall(head("GET", "/") * 60000)
    time.sleep(30)


def take_nothing_until_cut():
    """Requests until the server takes no more, and none of the answers; wait until
    access.log says that it was cut.  Prints how many were sent whole."""
    s = connect_without_room()
    s.setblocking(False)
    one = head("GET", "/")
    data, sent = one * 60000, 0
    # Until the server takes nothing any more: it waits for us to take something.
    while sent < len(data) and select.select([], [s], [], 2)[1]:
        sent += s.send(data[sent:])
    # It must be the server that ends it.
    end = time.monotonic() + 60
    while b"answer=" not in open("access.log", "rb").read() and time.monotonic() < end:
        time.sleep(0.02)
    print(sent // len(one))


def stall_gets(count: int, target, *command):
    """COUNT clients ask for TARGET and read one byte of it; run COMMAND meanwhile, and
    end as it does."""
    socks = []
    for _ in range(count):
        s = connect_without_room()
        s.sendall(head("GET", target))
        socks.append(s)
    for s in socks:
        s.recv(1)
    sys.exit(os.spawnvp(os.P_WAIT, command[0], command))


def read_slowly(target, file):
    """GET TARGET, for 5 s at 400 kB/s at most, then fast: it is what FILE has."""
    s = connect()
    s.sendall(head("GET", target, "Connection: close"))
    got = b""
    slow = time.monotonic() + 5
    while True:
        more = s.recv(40000)
        if not more:
            break
        got += more
        if time.monotonic() < slow:
            time.sleep(0.1)
    assert got.endswith(open(file, "rb").read()), len(got)


def send_without_reading(fields, name="b"):
    """What Chromium does, as bytes: send a body on and on and read nothing until no more
    can be sent.  Prints the seconds that this took and the line that was there."""
    s = connect(timeout=60)
    s.sendall(b"PUT /file/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: 209715200\r\n\r\n"
              % (name.encode(), unescaped(fields)))
    began = time.monotonic()
    try:
        while True:
            s.send(bytes(4000))
            time.sleep(0.01)
    except OSError:
        pass
    print("%.1f" % (time.monotonic() - began), s.recv(99).split(b"\r\n")[0].decode())


# ---- what a client that was refused sees

def send_on_when_refused():
    """A body that is too long, sent on and on: the answer is there, and prints after
    how many seconds the connection was closed."""
    s = connect(timeout=0.05)
    s.sendall(put_head("/file/a", 1000000000))
    began = time.monotonic()
    answer = b""
    try:
        while time.monotonic() < began + 60:
            s.sendall(b"x" * 1000)
            try:
                answer += s.recv(1000)
            except socket.timeout:
                pass
    except OSError:
        pass
    assert answer.startswith(b"HTTP/1.1 413 "), answer
    print(time.monotonic() - began)


def wait_when_refused(path):
    """A browser's upload by the UNIX socket PATH that is too long: prints after how many
    seconds the server has closed both sides."""
    s = connect_unix(path, timeout=60)
    s.sendall(put_head("/file/b", 9000000, "Origin: http://x"))
    assert s.recv(9999).startswith(b"HTTP/1.1 413 ")
    began = time.monotonic()
    p = select.poll()
    p.register(s, 0) # POLLHUP: both sides are closed
    assert p.poll(60000)
    print(time.monotonic() - began)


def read_when_it_cannot_send():
    """http.client sends some 4 MB/s as a browser would, and looks for the answer when it
    cannot send any more: 413, whole."""
    import http.client
    import json

    class Slow:
        def __init__(self, left):
            self.left = left

        def read(self, n=8192):
            n = min(n, 8192, self.left)
            self.left -= n
            time.sleep(0.002)
            return bytes(n)

    c = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=60)
    try:
        c.request("PUT", "/file/a", body=Slow(200000000), headers={
            "Host": "x", "Origin": "http://x", "Sec-Fetch-Mode": "cors",
            "Content-Length": "200000000"})
        sys.exit("it could send all of it")
    except (BrokenPipeError, ConnectionResetError):
        pass
    r = c.getresponse()
    assert r.status == 413, r.status
    assert "max_body_size" in json.loads(r.read())["detail"]


def memory_of_refused(count: int, worker):
    """COUNT clients are refused that sent 16,000 bytes along with the head, and stay;
    prints what memory WORKER took for each."""
    def memory():
        with open("/proc/%s/status" % worker) as f:
            return next(int(l.split()[1]) for l in f if l.startswith("RssAnon:")) << 10

    def refused():
        s = connect()
        s.sendall(put_head("/file/a", 1000000) + bytes(16000))
        while s.recv(4096):
            pass
        return s

    socks = [refused()]
    before = memory()
    socks += [refused() for _ in range(count)]
    print((memory() - before) // count)


# ---- others

def stop_worker(worker: int):
    """WORKER is stopped for 2 s, longer than all limits, and the rest of a head, of the
    next request and of a body comes meanwhile; prints what each is answered."""
    import signal

    def begin(data):
        s = connect()
        s.sendall(data)
        return s

    late = begin(b"GET /file/none HTTP/1.1\r\n")
    kept = begin(head("GET", "/file/none"))
    print("first", status(kept))
    kept.recv(10000)
    body = begin(put_head("/file/a", 10) + b"hello")
    time.sleep(0.3)
    os.kill(worker, signal.SIGSTOP)
    late.sendall(b"Host: x\r\n\r\n")
    kept.sendall(head("GET", "/file/none"))
    body.sendall(b"hello")
    time.sleep(2)
    os.kill(worker, signal.SIGCONT)
    print("head", status(late))
    print("kept", status(kept))
    print("body", status(body))


def pass_descriptors(path, file):
    """Uploads by the UNIX socket PATH with eight descriptors of FILE beside their bytes;
    prints the status lines."""
    import array
    fds = [open(file) for _ in range(8)]
    s = connect_unix(path)
    beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno() for f in fds]))]
    for _ in range(4):
        s.sendmsg([put("/file/a", b"abc")], beside)
        print(s.recv(4096).decode().split("\r\n")[0])
    s.sendmsg([put_head("/file/a", 6) + b"abc"], beside)
    s.sendmsg([b"def"], beside)
    print(s.recv(4096).decode().split("\r\n")[0])


def two_behind_a_proxy(port: int):
    """Two clients of the proxy at PORT upload to one name, the first of them nothing;
    prints both statuses."""
    import http.client

    def ask(c, method, path, body=None):
        c.request(method, path, body=body)
        r = c.getresponse()
        r.read()
        return r.status

    one, other = (http.client.HTTPConnection("127.0.0.1", port) for _ in range(2))
    ask(one, "GET", "/")
    ask(other, "GET", "/")
    print(ask(one, "PUT", "/file/lock", b""), ask(other, "PUT", "/file/lock", b"mine"))


def hold_port(port: int):
    """Another process listens at PORT, for a minute; the file `held` appears."""
    import socket
    s = socket.socket()
    s.bind(("127.0.0.1", port))
    s.listen()
    _made("held")
    time.sleep(60)
