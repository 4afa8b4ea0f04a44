"""
Uploads that meet, that come in pieces and pauses, or that are held up, and whether
each is stored as it was answered.
"""
import os
import socket
import subprocess
import sys
import threading
import time

from wire import PATIENCE, connect, expect, head, put, put_head, status

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module lacks it


def _at_once(f, count):
    """Call f(0) ... f(count - 1), each on a thread, which all begin together."""
    start = threading.Barrier(count)

    def run(i):
        start.wait()
        f(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def _http(host="127.0.0.1", port=None):
    import http.client
    return http.client.HTTPConnection(host, port or int(os.environ["PORT"]), timeout=PATIENCE)


def _ask(c, *request):
    """The answer to c.request(*request), and its content."""
    c.request(*request)
    a = c.getresponse()
    return a, a.read()


def _ask_raw(s, request):
    """The status and the content of an answer that has a Content-Length."""
    s.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += s.recv(65536)
    top, _, content = answer.partition(b"\r\n\r\n")
    length = int(next(line.split(b":")[1] for line in top.split(b"\r\n")
                      if line.lower().startswith(b"content-length")))
    while len(content) < length:
        content += s.recv(65536)
    return int(top.split()[1]), content


# ---- many at once

def race_if_none_match(clients: int, names: int):
    """CLIENTS put each of NAMES names by If-None-Match: * at once; prints how often which
    status came."""
    together, said = threading.Barrier(clients), {}
    lock = threading.Lock()

    def client(i):
        c = _http()
        c.connect()
        mine = []
        for n in range(names):
            together.wait()
            mine.append(_ask(c, "PUT", "/file/race%d" % n, b"%d" % i, {"If-None-Match": "*"})[0].status)
        with lock:
            for code in mine:
                said[code] = said.get(code, 0) + 1

    _at_once(client, clients)
    print(*("%d:%d" % x for x in sorted(said.items())))


def race_for_newest(store, rounds: int, *names):
    """In each of ROUNDS upload to NAMES at once, each with a body of its own, then GET the
    newest.  "lost" counts the rounds after which STORE has not exactly one file, which
    is an acknowledged one and the one that was read; "bad" those of other answers."""
    conns = [connect() for _ in names]
    reader = connect()
    lost = bad = 0
    for r in range(rounds):
        bodies = [b"%d of %d %s" % (i, r, b"x" * (i * 50)) for i in range(len(names))]
        codes = [0] * len(names)

        def upload(i):
            codes[i] = _ask_raw(conns[i], put("/file/" + names[i], bodies[i]))[0]

        _at_once(upload, len(names))
        bad += any(code not in (200, 201) for code in codes)
        code, body = _ask_raw(reader, head("GET", "/file"))
        left = [f for f in os.listdir(store) if f != ".penstock"]
        if code != 200 or len(left) != 1 or body not in bodies or \
                open(os.path.join(store, left[0]), "rb").read() != body:
            lost += 1
            print("round", r, codes, code, body, left)
    print("bad %d, lost %d of %d" % (bad, lost, rounds))


def add_by_if_match(seconds: float, url):
    """Read a counter and put one more by If-Match, for SECONDS and until that was taken
    once; prints how often it was taken and how often 412."""
    import urllib.parse
    end, at = time.monotonic() + seconds, urllib.parse.urlsplit(url)
    c = _http(at.hostname, at.port)
    won = lost = 0
    while time.monotonic() < end or won == 0:
        a, was = _ask(c, "GET", at.path)
        assert a.status == 200, a.status
        a, _ = _ask(c, "PUT", at.path, b"%d" % (int(was) + 1), {"If-Match": a.getheader("ETag")})
        assert a.status in (200, 412), a.status
        won += a.status == 200
        lost += a.status == 412
    print(won, lost)


def read_newest(seconds: float):
    """GET /file again and again for SECONDS; prints how often which status came."""
    c = _http()
    end, seen = time.monotonic() + seconds, {}
    while time.monotonic() < end:
        code = _ask(c, "GET", "/file")[0].status
        seen[code] = seen.get(code, 0) + 1
    print(", ".join("%d: %d" % s for s in sorted(seen.items())))


def read_newest_at_once(clients: int):
    """CLIENTS GET /file at once; prints how many got which status and which name."""
    conns = [_http() for _ in range(clients)]
    for c in conns:
        c.connect()
    got = [None] * clients

    def ask(i):
        a, _ = _ask(conns[i], "GET", "/file")
        got[i] = "%d %s" % (a.status, a.getheader("Content-Location"))

    _at_once(ask, clients)
    for line in sorted(set(got)):
        print(got.count(line), line)


def small_at_once(store, count: int):
    """COUNT uploads of up to 64 KiB at once: all heads, then all bodies in two parts;
    prints how many STORE has as they were sent."""
    import random
    random.seed(1)
    bodies = [os.urandom(random.choice((0, 1, 100, 5000, 65535, 65536))) for _ in range(count)]
    socks = [connect() for _ in range(count)]
    order = list(range(count))
    random.shuffle(order)
    for i in order:
        socks[i].sendall(put_head("/file/d%d/m%d" % (i % 3, i), len(bodies[i])))
    for i in order:
        socks[i].sendall(bodies[i][:len(bodies[i]) // 2])
    for i in order:
        socks[i].sendall(bodies[i][len(bodies[i]) // 2:])
    good = 0
    for i in range(count):
        answer = socks[i].recv(4096)
        if not answer.startswith(b"HTTP/1.1 201 "):
            print(i, answer[:200])
            continue
        good += open("%s/d%d/m%d" % (store, i % 3, i), "rb").read() == bodies[i]
    print("all", good, "of", count)


def ask_first_at_once(count: int):
    """COUNT uploads with Expect: 100-continue at once; prints what each is told."""
    conns = [connect() for _ in range(count)]
    for i, s in enumerate(conns):
        s.sendall(put_head("/file/x%d" % i, 9, "Expect: 100-continue"))
    for s in conns:
        print(status(s))


# ---- overlapping

def keep_stamps():
    """Have the kernel note when bytes come, on all sockets; the file `stamping` appears when
    it does.  Runs as long as who started it."""
    parent = os.getppid()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        stamp = None
        while not stamp:
            with socket.create_connection(listener.getsockname()) as c:
                c.sendall(b"x")
                with listener.accept()[0] as s:
                    stamp = s.recvmsg(1, 64)[1]
        open("stamping", "w").close()
        while os.getppid() == parent:
            time.sleep(0.1)


def overlap(store, tries: int, size: int, *how):
    """TRIES times two PUTs of one name, one sent after the other on two connections, without
    waiting for the first answer.  Prints how often the older one was left, and which
    answers came.  HOW is any of:
    new        another name each time; else the same one
    chunked    as ffmpeg does it: chunks, 0 CRLF CRLF, one read that does not wait, close,
               next connection; access.log says when the server is done with all of them
    three      three of them"""
    older, answers, newest = 0, {}, {}
    count = 3 if "three" in how else 2
    for n in range(tries):
        name = "n%d" % n if "new" in how or "chunked" in how else "same"
        bodies = [bytes([65 + k]) * (size - 16) + b"%016d" % n for k in range(count)]
        if "chunked" in how:
            for body in bodies:
                _send_as_ffmpeg("/file/" + name, body)
            newest[name] = bodies[-1]
            continue
        said = _send_in_order([put("/file/" + name, body) for body in bodies])
        answers[said] = answers.get(said, 0) + 1
        older += _content(store, name) != bodies[-1]
    if newest:
        end = time.monotonic() + PATIENCE
        while _lines_of_uploads() < tries * count and time.monotonic() < end:
            time.sleep(0.01)
        older = sum(_content(store, name) != newest[name] for name in newest)
    print("older", older)
    for said in sorted(answers):
        print("answers", said, answers[said])


def _send_in_order(requests):
    """The statuses that they are answered."""
    conns = [connect() for _ in requests]
    for s, request in zip(conns, requests):
        s.sendall(request)
    said = []
    for s in conns:
        got = b""
        while b"\r\n\r\n" not in got:
            more = s.recv(65536)
            if not more:
                break
            got += more
        said.append(got.split(b" ")[1].decode() if got else "none")
    for s in conns:
        s.close()
    return " ".join(said)


def _send_as_ffmpeg(target, body):
    s = connect()
    s.sendall(head("PUT", target, "Transfer-Encoding: chunked")
              + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    s.setblocking(False)
    try:
        s.recv(1)
    except BlockingIOError:
        pass
    s.close()


def _content(store, name):
    try:
        with open(os.path.join(store, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def _lines_of_uploads():
    try:
        with open("access.log") as f:
            return sum(1 for line in f if "PUT /file/n" in line)
    except FileNotFoundError:
        return 0


# ---- in pieces

def in_two_parts(slowfs, ctl):
    """Ten uploads to a slow disk, 50 ms between two parts of each; prints before how
    many of the second parts there was no file yet."""
    def created():
        out = subprocess.run([slowfs, "--ctl", ctl, "count", "create"], capture_output=True, text=True)
        return int(out.stdout.split()[-1])

    none = 0
    for i in range(10):
        s = connect()
        before = created()
        s.sendall(put_head("/slow/a%d" % i, 2000) + 1000 * b"x")
        time.sleep(0.05)
        none += created() == before
        s.sendall(1000 * b"y")
        expect(s, 201)
        assert created() == before + 1
        s.close()
    print(none)


def in_four_parts(size: int):
    """PUT /file/pSIZE, 150 ms before each of four parts; prints the status, and the file
    sum.SIZE has the SHA-256 of the body."""
    import hashlib
    body = os.urandom(size)
    with open("sum.%d" % size, "w") as f:
        f.write(hashlib.sha256(body).hexdigest() + "  -\n")
    s = connect()
    s.sendall(put_head("/file/p%d" % size, size))
    for part in (body[:1], body[1:size // 2], body[size // 2:-1], body[-1:]):
        time.sleep(0.15)
        s.sendall(part)
    print(status(s))


def byte_by_byte():
    """PUT /file/t of 100 bytes, one each 20 ms; prints the status."""
    s = connect()
    s.sendall(put_head("/file/t", 100))
    for _ in range(100):
        s.sendall(b"t")
        time.sleep(0.02)
    print(status(s))


def chunks_of_one_byte(target, count: int):
    """PUT TARGET with COUNT bytes, each in an HTTP chunk; prints the status."""
    s = connect()
    s.sendall(head("PUT", target, "Transfer-Encoding: chunked")
              + b"".join(b"1\r\n%c\r\n" % (97 + i % 26) for i in range(count)) + b"0\r\n\r\n")
    print(status(s))


def with_silences(target, field, file, *pieces):
    """PUT TARGET with the content of FILE in PIECES, which are lengths, or -MS for a
    silence; the rest comes last.  FIELD is empty (a Content-Length then) or "Transfer-
    Encoding: chunked".  They come when the server has its file open, so that it hears the
    silences.  The files status, headers and answer are left as `request` does."""
    body = open(file, "rb").read()
    chunked = "chunked" in field
    s = connect()
    s.sendall(head("PUT", target, field or "Content-Length: %d" % len(body), "Expect: 100-continue"))
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536) or sys.exit("closed without an answer")
    if b" 100 " not in data.partition(b"\r\n")[0]:
        sys.exit("no 100: %r" % data)
    at = 0
    for p in [int(p) for p in pieces] + [len(body)]:
        if p < 0:
            time.sleep(-p / 1000)
            continue
        part = body[at:at + p]
        at += len(part)
        if part:
            s.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
    if chunked:
        s.sendall(b"0\r\n\r\n")
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            sys.exit("closed without an answer")
        data += more
    top, _, content = data.partition(b"\r\n\r\n")
    for name, text in ("status", top.split()[1]), ("headers", top + b"\r\n\r\n"), ("answer", content):
        with open(name, "wb") as f:
            f.write(text)


def trickle(count: int, seconds: float):
    """COUNT uploads that get bytes all the time and no end, for SECONDS."""
    conns = []
    for i in range(count):
        s = connect()
        s.sendall(put_head("/file/t%d" % i, 1000000))
        conns.append(s)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for s in conns:
            try:
                s.send(b"y")
            except OSError:
                pass
        time.sleep(0.002)


def trickle_fairly(count: int):
    """COUNT uploads that never end, each of which gets a byte every 50 ms; says "trickles"
    when all have begun."""
    import resource
    need = count + 64
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, max(hard, need)))
    conns = []
    for _ in range(count):
        s = connect(timeout=None)
        s.sendall(head("POST", "/file", "Content-Length: 100000000"))
        conns.append(s)
    begun = time.monotonic()
    sent, said = 0, False
    while True:
        due = int((time.monotonic() - begun) * count * 20)
        # Late, each has one byte more at most: none sends two at once.
        sent = max(sent, due - count)
        while sent < due:
            conns[sent % count].send(b"x")
            sent += 1
        if not said and sent > 2 * count:
            print("trickles", flush=True)
            said = True
        time.sleep(0.002)


def pause(target, count: int):
    """COUNT uploads to TARGET0 ... of which 70,000 bytes are sent, and no more."""
    import signal
    socks = [connect() for _ in range(count)]
    for i, s in enumerate(socks):
        s.sendall(put_head("%s%d" % (target, i), 9999999) + bytes(70000))
    signal.pause()


# ---- held up by the disk

def push(target, file, *then):
    """PUT TARGET with the content of FILE, until nothing more is taken, nor read from the
    socket, for half a second; print how many bytes the server itself has; run THEN; send
    the rest.  The file status is left as `request` does."""
    import fcntl
    import select
    import struct
    body = open(file, "rb").read()
    s = connect()
    mine, theirs = s.getsockname()[1], s.getpeername()[1]
    s.sendall(put_head(target, len(body)))
    s.setblocking(False)

    def in_the_kernel():
        """What it has of it: unsent, and unread on the other side."""
        unsent = struct.unpack("i", fcntl.ioctl(s, 0x5411, b"\0\0\0\0"))[0] # SIOCOUTQ
        for line in open("/proc/net/tcp"):
            f = line.split()
            if f[1].endswith(":%04X" % theirs) and f[2].endswith(":%04X" % mine):
                return unsent + int(f[4].split(":")[1], 16)
        raise SystemExit("there is no such connection")

    view, sent = memoryview(body), 0
    held, before = -1, None
    while held < 0 or held != before: # below 0 it has not even read the head: it is late
        while sent < len(body) and select.select([], [s], [], 0.5)[1]:
            sent += s.send(view[sent:sent + 65536])
        if sent == len(body):
            sys.exit("it took all of it")
        held, before = sent - in_the_kernel(), held
    print(held, flush=True)
    if then:
        subprocess.run(then, check=True, stdout=subprocess.DEVNULL)
    s.setblocking(True)
    s.settimeout(PATIENCE)
    s.sendall(view[sent:])
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536)
    with open("status", "wb") as f:
        f.write(data.split()[1])


def freeze_under(disk, count: int, *then):
    """COUNT uploads to /dead whose files are open; DISK freezes; all bodies come; run
    THEN, thaw it, and print how many were stored.  Ends as THEN does."""
    size = 65536
    socks = []
    for i in range(count):
        s = connect(timeout=60)
        s.sendall(put_head("/dead/d%d" % i, size, "Expect: 100-continue"))
        socks.append(s)
    for s in socks:
        expect(s, 100)
    subprocess.run(["fsfreeze", "-f", disk], check=True)
    try:
        for s in socks:
            s.sendall(b"x" * size)
        rc = subprocess.run(then).returncode
    finally:
        subprocess.run(["fsfreeze", "-u", disk], check=True)
    print("stored after all:", sum(s.recv(4096).startswith(b"HTTP/1.1 201") for s in socks))
    sys.exit(rc)


def ask_for_room(big: int, store):
    """100 times an upload asks for BIG bytes of room, more than half of the disk, uses some
    of it, and goes away or is stored.  There has to be room for the next one."""
    def ask(name, field):
        """A connection that was asked for its body."""
        end = time.monotonic() + PATIENCE
        while True:
            s = connect()
            s.sendall(head("PUT", "/disk/" + name, "Expect: 100-continue", field))
            answer = s.recv(4096)
            if answer.startswith(b"HTTP/1.1 100"):
                return s
            s.close()
            if time.monotonic() > end:
                sys.exit("there was no room: %r" % answer)
            time.sleep(0.005)

    known = "Content-Length: %d" % big
    for i in range(100):
        s = ask("a%d" % i, known)
        if i % 4 == 1:
            s.sendall(b"x" * 100000)
        elif i % 4 == 2: # beside it, one of unknown length that breaks off, too
            u = ask("u%d" % i, "Transfer-Encoding: chunked")
            u.sendall(b"186a0\r\n" + b"y" * 100000 + b"\r\nffff\r\n")
            u.close()
        elif i % 4 == 3: # ... and one that is stored
            c = connect()
            c.sendall(put("/disk/c%d" % i, b"z" * 5000))
            expect(c, 201)
            os.unlink("%s/c%d" % (store, i))
            c.close()
        s.close()
    ask("last", known).close()
    print("all", i + 1, "of 100")
