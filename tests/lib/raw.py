"""
raw.py [OPTIONS] PIECE... - bytes as they are to the server, and what comes back: the
`raw` of penstock.bash, where the options and the exit status are explained.
"""
import getopt
import os
import re
import socket
import sys
import time

opts, pieces = getopt.getopt(sys.argv[1:], "b:p:f:en:cHu:P:w:")
opts = dict(opts)
T = os.environ["_RAW_T"]
end = time.monotonic() + float(opts.get("-w", os.environ["_RAW_PATIENCE"]))
want = int(opts.get("-n", 1))

def bytes_of(text):
    text = os.fsencode(text).decode("latin-1")
    sub = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    def one(m):
        return chr(int(m[2], 16)) if m[2] else sub[m[1]]
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))",
        lambda m: chr(int(m[1], 16)) if m[1] else sub[m[2]], text).encode("latin-1")

def parse(data, eof):
    """The whole answers: (status, head, content), and whether it fits."""
    found, at = [], 0
    while at < len(data):
        stop = data.find(b"\r\n\r\n", at)
        if stop < 0:
            return found, False
        head = data[at:stop + 4]
        m = re.match(rb"HTTP/1\.[01] (\d\d\d)", head)
        if not m:
            return found, False
        status = int(m[1])
        at = stop + 4
        if status < 200:
            continue
        n = re.search(rb"\r\n[Cc]ontent-[Ll]ength: *(\d+)", head)
        n = 0 if "-H" in opts or status in (204, 304) or not n else int(n[1])
        if len(data) - at < n:
            return found, False
        found.append((status, head, data[at:at + n]))
        at += n
    return found, True

data, rc, found = b"", 0, []
try:
    if "-u" in opts:
        s = socket.socket(socket.AF_UNIX)
        s.connect(opts["-u"])
    else:
        s = socket.create_connection(("127.0.0.1", int(opts.get("-P", os.environ["_RAW_PORT"]))))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(max(0.01, end - time.monotonic()))
    pieces = [bytes_of(p) for p in pieces]
    if "-f" in opts:
        pieces.append(open(opts["-f"], "rb").read())
    pause = float(opts.get("-p", 0)) / 1000
    if "-b" in opts:
        pause = float(opts["-b"]) / 1000
        pieces = [p[i:i + 1] for p in pieces for i in range(len(p))]
    try:
        for i, p in enumerate(pieces):
            if pause and i:
                time.sleep(pause)
            s.sendall(p)
        if "-e" in opts:
            s.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass # what was answered may still be there
    while True:
        found, whole = parse(data, False)
        if "-c" not in opts and len(found) >= want:
            break
        s.settimeout(max(0.01, end - time.monotonic()))
        more = s.recv(1 << 20)
        if not more:
            found, whole = parse(data, True)
            if not whole or ("-c" not in opts and len(found) < want):
                rc = 3
            break
        data += more
except socket.timeout:
    rc = 1
    print("raw: time is up", file=sys.stderr)
except (ConnectionResetError, ConnectionRefusedError, FileNotFoundError) as e:
    rc = 2
    print("raw:", e, file=sys.stderr)
found, whole = parse(data, True)
with open(T + "/statuses", "w") as f:
    f.writelines("%d\n" % a[0] for a in found)
if found:
    open(T + "/status", "w").write(str(found[-1][0]))
    open(T + "/headers", "wb").write(found[-1][1])
    open(T + "/answer", "wb").write(found[-1][2])
sys.stdout.buffer.write(data.replace(b"\r", b""))
sys.exit(rc)
