"""
Uploads to directories that others move, replace, mount and remove meanwhile.
"""
import http.client
import os
import shutil
import sys
import threading
import time

from wire import PATIENCE, connect, put, put_head


class _Client:
    """One connection for many requests, each of which has to succeed."""

    def __init__(self):
        self.conn = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=PATIENCE)

    def ask(self, method, path, body=None):
        self.conn.request(method, path, body)
        a = self.conn.getresponse()
        return a.status, a.read()

    def put(self, path, body):
        """It may take a try to see that the directory is another one."""
        end = time.monotonic() + PATIENCE
        while True:
            status, text = self.ask("PUT", path, body)
            if status == 201:
                return
            if status != 503 or time.monotonic() > end:
                sys.exit("PUT %s: %d %s" % (path, status, text))

    def get(self, path, must):
        status, text = self.ask("GET", path)
        if status != 200 or text != must:
            sys.exit("GET %s: %d %s, not %s" % (path, status, text, must))


def _has_only(directory, *names):
    got = sorted(n for n in os.listdir(directory) if n != ".penstock")
    if got != sorted(names):
        sys.exit("%s has %s, not %s" % (directory, got, names))


def _point(link, directory):
    os.symlink(directory, link + ".new")
    os.rename(link + ".new", link)


# ---- where only the newest is kept

def newest_of_many_targets(top, count: int):
    """TOP/now, which /turn leads to, is moved to COUNT directories in TOP, one after the
    other: each keeps its newest only, also those that it comes back to."""
    c = _Client()
    for i in range(count):
        day = "%s/%d" % (top, i)
        os.makedirs(day, exist_ok=True)
        _point(top + "/now", day)
        c.put("/turn/a%d" % i, b"first %d" % i)
        c.put("/turn/b%d" % i, b"second %d" % i)
        _has_only(day, "b%d" % i)
        c.get("/turn", b"second %d" % i)
    # And back to one that was left long ago, or just now: nothing that is known of
    # another is taken for it.
    for i in (0, 1, count - 2, count - 150):
        _point(top + "/now", "%s/%d" % (top, i))
        c.put("/turn/c%d" % i, b"third %d" % i)
        c.get("/turn", b"third %d" % i)
        c.put("/turn/d%d" % i, b"fourth %d" % i)
        _has_only("%s/%d" % (top, i), "d%d" % i, *(["b%d" % i] if i < 2 else []))


def newest_of_locations_together(prefix, count: int):
    """Two uploads to each of /l0 ... whose directories are PREFIX0 ...; then each has only
    its second one, which is its newest."""
    c = _Client()
    for i in range(count):
        c.put("/l%d/a" % i, b"a%d" % i)
        c.put("/l%d/b" % i, b"b%d" % i)
    for i in range(count):
        _has_only("%s%d" % (prefix, i), "b")
        c.get("/l%d" % i, b"b%d" % i)


def newest_of_locations(prefix, count: int):
    """The same, one location after the other."""
    c = _Client()
    for i in range(count):
        c.put("/l%d/a" % i, b"a%d" % i)
        c.put("/l%d/b" % i, b"b%d" % i)
        _has_only("%s%d" % (prefix, i), "b")
        c.get("/l%d" % i, b"b%d" % i)


def newest_are_known(count: int):
    """GET /l0 ... gives what the commands above have put there."""
    c = _Client()
    for i in range(count):
        c.get("/l%d" % i, b"b%d" % i)


def newest_of_mounts(at, count: int):
    """COUNT disks, each of another number (st_dev), are mounted AT, where /disk leads, one
    over the other: each has its newest, and keeps no other."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    c, devices = _Client(), set()
    for i in range(count):
        if libc.mount(b"none", at.encode(), b"tmpfs", 0, b"size=1m,mode=777") != 0:
            sys.exit("mount: %d" % ctypes.get_errno())
        devices.add(os.stat(at).st_dev)
        c.put("/disk/a%d" % i, b"a%d" % i)
        c.put("/disk/b%d" % i, b"b%d" % i)
        _has_only(at, "b%d" % i)
        c.get("/disk", b"b%d" % i)
    if len(devices) != count:
        sys.exit("the mounts are %d devices" % len(devices))


# ---- while uploads go on

def store_and_replace(last: int):
    """Two uploads of one name to each of /l1 ... /lLAST, on 16 connections: 201 and 200."""
    conns = [_Client() for _ in range(16)]
    for i in range(1, last + 1):
        for code in 201, 200:
            got, text = conns[i % 16].ask("PUT", "/l%d/a" % i, b"hello")
            assert got == code, (i, got, text)


def move_under_uploads(up, moved):
    """For 3 s uploads to UP, where /gone leads, one after the other, while it is moved to
    MOVED.0 ... and made anew.  What was told to be stored has to be in one that had the
    name then: the one before the answer, or the one after it; "lost" counts the others."""
    stop, moves = time.monotonic() + 3, []

    def move():
        n = 0
        while time.monotonic() < stop:
            os.rename(up, "%s.%d" % (moved, n))
            moves.append((time.monotonic(), "%s.%d" % (moved, n)))
            os.mkdir(up)
            n += 1
            time.sleep(0.4)

    mover = threading.Thread(target=move)
    mover.start()
    stored, codes, i, s = [], {}, 0, None
    while time.monotonic() < stop:
        s = s or connect()
        i += 1
        began = time.monotonic()
        s.sendall(put("/gone/a%d" % i, b"hello"))
        answer = s.recv(4096)
        code = answer.split()[1].decode() if answer else "closed"
        codes[code] = codes.get(code, 0) + 1
        if code == "201":
            stored.append((i, began))
        else:
            time.sleep(0.02)
        if not answer or b"Connection: close" in answer:
            s.close()
            s = None
    mover.join()
    # Where each should be: the directory whose move was over next after it began, or
    # the one that came after that.
    lost = 0
    for i, began in stored:
        later = [d for t, d in moves if t > began][:2]
        places = later + ([up] if len(later) < 2 else [])
        lost += not any(os.path.exists("%s/a%d" % (d, i)) for d in places)
    print(codes)
    print("lost", lost, "of %d, after %d moves" % (len(stored), len(moves)))
    for _, d in moves:
        shutil.rmtree(d)


def _clients(count, upload):
    """COUNT clients on threads; upload(k, connection) of each says what was wrong.
    Prints one of these, or "all stored"."""
    bad = []

    def client(k):
        wrong = upload(k, connect())
        if wrong is not None:
            bad.append(wrong)

    threads = [threading.Thread(target=client, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(bad[0] if bad else "all stored")


def upload_until(end, count: int):
    """COUNT clients upload small files, one after the other, until the file END is there;
    prints "all stored", or another answer than 201."""
    def upload(k, s):
        n = 0
        while not os.path.exists(end):
            n += 1
            s.sendall(put("/file/c%d-%d" % (k, n), b"hello"))
            answer = s.recv(4096)
            if not answer.startswith(b"HTTP/1.1 201 "):
                return answer

    _clients(count, upload)


def upload_to_empty(up, count: int):
    """COUNT clients each put a small file into a directory of UP, where /up leads, which is
    empty before and after, 100 times; each second time the body is a little later than
    the head.  Prints "all stored", or another answer than 201."""
    def upload(k, s):
        for n in range(100):
            later = n % 2
            s.sendall(put_head("/up/d%d/a" % k, 5, *(["Expect: 100-continue"] if later else [])))
            if later:
                answer = s.recv(4096)
                if not answer.startswith(b"HTTP/1.1 100"):
                    return answer
            s.sendall(b"hello")
            answer = s.recv(4096)
            if not answer.startswith(b"HTTP/1.1 201 "):
                return answer
            os.unlink("%s/d%d/a" % (up, k))

    _clients(count, upload)


def clean_until(end, up, count: int):
    """Remove the directories UP/d0 ... again and again, whenever they are empty, until
    the file END is there."""
    while not os.path.exists(end):
        for i in range(count):
            try:
                os.rmdir("%s/d%d" % (up, i))
            except OSError:
                pass
