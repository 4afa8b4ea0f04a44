"""What goes over the wire: connections, requests, and answers taken apart strictly."""

import json
import os
import re
import socket
import struct

PATIENCE = int(os.environ.get("PENSTOCK_PATIENCE", 10)) # seconds for an answer

TCHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
STATUS_LINE = re.compile(r"HTTP/1\.1 ([1-9]\d\d) ([ -~]*)\Z")
FIELD_LINE = re.compile(r"(%s+): ([!-~](?:[ -~]*[!-~])?)?\Z" % TCHAR)


class Malformed(Exception):
    """These bytes are no answer."""


class Answer:
    def __init__(self, status, reason, fields):
        self.status = status
        self.reason = reason
        self.fields = fields # (name in lower case, value), as they came
        self.content = b""

    def values(self, name):
        return [v for n, v in self.fields if n == name]

    def value(self, name):
        """The only value; None: there is none."""
        found = self.values(name)
        if len(found) > 1:
            raise Malformed("%s stands there %d times" % (name, len(found)))
        return found[0] if found else None

    def length(self, method):
        """How long its content is in this answer to `method`."""
        if method == "HEAD" or self.status in (204, 304) or self.status < 200:
            return 0
        text = self.value("content-length")
        if text is None or not re.match(r"\d+\Z", text):
            raise Malformed("%d has the Content-Length %s" % (self.status, text))
        return int(text)


def head_of(data):
    lines = data.decode("latin-1").split("\r\n")
    m = STATUS_LINE.match(lines[0])
    if not m:
        raise Malformed("status line %r" % lines[0][:80])
    fields = []
    for line in lines[1:]:
        f = FIELD_LINE.match(line)
        if not f:
            raise Malformed("field line %r" % line[:80])
        fields.append((f[1].lower(), f[2] or ""))
    return Answer(int(m[1]), m[2], fields)


def answers_in(data, methods=()):
    """
    The whole answers in `data`, interim ones too, and the bytes behind them.
    `methods` are those of the requests; what is left out was no HEAD.
    """
    found, at, finals = [], 0, 0
    while True:
        stop = data.find(b"\r\n\r\n", at)
        if stop < 0:
            return found, data[at:]
        a = head_of(data[at:stop])
        n = a.length(methods[finals] if finals < len(methods) else "GET")
        if len(data) - stop - 4 < n:
            return found, data[at:]
        a.content = data[stop + 4:stop + 4 + n]
        at = stop + 4 + n
        finals += a.status >= 200
        found.append(a)


def problem_with(answer):
    """What is wrong with an answer of 400 and up (RFC 9457); None: nothing."""
    if answer.value("content-type") != "application/problem+json":
        return "a refusal is no problem+json"
    if answer.content.count(b"\n") != 1 or not answer.content.endswith(b"\n"):
        return "the problem is not one line"
    try:
        p = json.loads(answer.content)
    except ValueError as e:
        return "the problem is no JSON: %s" % e
    if sorted(p) != ["detail", "status", "title", "type"]:
        return "the problem has the members %s" % sorted(p)
    if p["status"] != answer.status:
        return "the problem says %s" % p["status"]
    if not (p["detail"] and p["title"] == answer.reason and p["type"] == "about:blank"):
        return "the problem says nothing, or another thing: %s" % p
    return None


def connect(port=None, timeout=PATIENCE):
    """A connection to the server, which is at $PORT when no port is given; over TLS, if
    there is a $PENSTOCK_TLS."""
    s = socket.create_connection(("127.0.0.1", port or int(os.environ["PORT"])), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return over_tls(s) if os.environ.get("PENSTOCK_TLS") else s


def over_tls(s, context=[]):
    """The same connection, after the handshake, whoever the server is."""
    import ssl
    if not context:
        context.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        context[0].check_hostname = False
        context[0].verify_mode = ssl.CERT_NONE
    return context[0].wrap_socket(s)


def send_no_more(s):
    """A FIN; over TLS without close_notify."""
    socket.socket.shutdown(s, socket.SHUT_WR)


def connect_without_room(timeout=PATIENCE):
    """A connection whose kernel takes as little as it can before it is read."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(timeout)
    s.connect(("127.0.0.1", int(os.environ["PORT"])))
    return s


def connect_unix(path, timeout=PATIENCE):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    return s


def reset_on_close(s):
    """Its close is a reset, and what was not sent by then is dropped."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def head(method, target, *fields):
    """The head of a request to host x."""
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: x", *fields]
    return "".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n"


def put_head(target, length, *fields):
    return head("PUT", target, *fields, "Content-Length: %d" % length)


def put(target, body, *fields):
    """A whole PUT."""
    return put_head(target, len(body), *fields) + body


def unescaped(text):
    """The bytes of what is written with \\r, \\n, \\0, \\xFF."""
    return text.encode().decode("unicode_escape").encode("latin-1")


def status(s):
    """Read the begin of an answer: its status, as text; empty: it was closed."""
    return s.recv(12).decode()[9:]


def expect(s, code):
    """Read an answer that comes in one piece; it has to have this status."""
    answer = s.recv(4096)
    assert answer.startswith(b"HTTP/1.1 %d" % code), "no %d: %r" % (code, answer[:200])
