"""
What takes log lines in place of a system's: a listener of syslog; and clients whose
requests are to break a log.
"""
import os
import signal
import socket

from wire import connect


def syslog(path: str, into: str):
    """Append each datagram that comes to the socket PATH to the file INTO, a line each;
    the file `listening` appears when it is there."""
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    open("listening", "w").close()
    with open(into, "ab", buffering=0) as f:
        while True:
            f.write(s.recv(65536) + b"\n")


def deaf_syslog(path: str):
    """Bind the socket PATH, and never read from it."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    open("listening", "w").close()
    signal.pause()


def hostile():
    """Send requests with every byte there is in method, target, User-Agent, Referer and
    what is no request; prints how many."""
    count = 0

    def ask(data):
        nonlocal count
        s = connect()
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while s.recv(65536):
            pass
        s.close()
        count += 1

    for byte in range(256):
        b = bytes([byte])
        fields = b"Host: x\r\nUser-Agent: a" + b + b"\"z\r\nReferer: http://a/" + b
        ask(b"GET /" + b + b" HTTP/1.1\r\n" + fields + b"\r\n\r\n")
        if byte not in b"\r\n":
            ask(b"GET /x HTTP/1.1\r\n" + fields + b"\r\n\r\n")
        ask(b"M" + b + b" /x HTTP/1.1\r\nHost: x\r\n\r\n")
        ask(b + b"\x16\x03\x01" + b + b"\r\n\r\n")
    for text in ("é€😀\u2028\u202e\ufeff\u0085", "\ud800", "\\u0000\\x41\\\\\""):
        raw = text.encode("utf-8", "surrogatepass")
        for piece in (raw, raw[:-1], raw[1:], raw * 800):
            ask(b"GET /x HTTP/1.1\r\nHost: x\r\nUser-Agent: " + piece +
                b"\r\nReferer: " + piece + b"\r\n\r\n")
            ask(b"GET /file/" + piece[:3000] + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    print(count)
