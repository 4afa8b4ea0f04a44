# Provoke every kind of answer, and have it judged: by h11, which knows nothing
# of this server, and by what RFC 9110, 9112 and 9457 ask of such an answer.
#
#	judge.py answers PORT     /file with files, /tiny, /over, /blind, ...: see
#	                          2050-answers-read-by-h11.bats
#	judge.py tokens PORT      server_tokens on, keepalive_timeout 0
#	judge.py slow PORT        timeouts of 300 ms
#	judge.py busy PORT        /one with max_uploads 1
#	judge.py crowded PORT     max_connections_per_ip 1
#	judge.py full PORT        /full, where there is no space
#
# A line for each answer that is not as it should be, and status 1 then.

import calendar
import re
import sys
import time

import h11

import wire

HOST = "Host: x\r\n"
AGAIN = ("OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
DATE = "%a, %d %b %Y %H:%M:%S GMT"

# What an answer to a reader has, whatever it says.
VALIDATORS = ("etag", "last-modified")
NEEDS = {
    201: ("location", "content-type", *VALIDATORS),
    204: ("allow",),
    206: ("content-range", "accept-ranges", *VALIDATORS),
    304: VALIDATORS,
    405: ("allow",),
    416: ("content-range",),
    503: ("retry-after",),
}
SHAPES = {
    "accept": r"application/octet-stream\Z",
    "accept-encoding": r"identity\Z",
    "accept-ranges": r"bytes\Z",
    "allow": r"[A-Z]+(, [A-Z]+)*\Z",
    "content-location": r"/[!-~]+\Z",
    "content-range": r"bytes (\d+-\d+|\*)/\d+\Z",
    "content-type": r"(application/(json|octet-stream|problem\+json)|text/plain; charset=utf-8)\Z",
    "etag": r'"[0-9a-f]{32}"\Z',
    "location": r"/[!-~]+\Z",
    "retry-after": r"\d+\Z",
}


class Wrong(Exception):
    """The answer is not what it should be."""


def want(good, text, *args):
    if not good:
        raise Wrong(text % args)


# ---- the judges ----

def h11_events(requests, data):
    """What h11 makes of `data`, of which the server then closed: per request."""
    client = h11.Connection(h11.CLIENT)
    found = []
    for n, (method, text) in enumerate(requests):
        if n > 0:
            client.start_next_cycle()
        else:
            client.receive_data(data)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        found.append([])
        while not found[-1] or type(found[-1][-1]) is not h11.EndOfMessage:
            event = client.next_event()
            want(event is not h11.NEED_DATA and event is not h11.PAUSED,
                "h11: answer %d does not end", n + 1)
            found[-1].append(event)
    want(client.trailing_data[0] == b"", "h11: more follows: %r", client.trailing_data[0])
    client.receive_data(b"")
    event = client.next_event()
    want(type(event) is h11.ConnectionClosed, "h11: then comes %r", event)
    return found


def ask_h11(requests, data, finals):
    """It takes them all, and reads from them what we do."""
    try:
        found = h11_events(requests, data)
    except h11.ProtocolError as e:
        raise Wrong("h11: %s" % e)
    for events, a in zip(found, finals):
        responses = [e for e in events if type(e) is h11.Response]
        content = b"".join(bytes(e.data) for e in events if type(e) is h11.Data)
        want(len(responses) == 1, "h11: %d final answers to one request", len(responses))
        want(responses[0].status_code == a.status, "h11: %d", responses[0].status_code)
        want(content == a.content, "h11: another content: %r", content[:100])


def check_date(text):
    """A date of RFC 9110 5.6.7, the right day of the week included, and now."""
    try:
        when = time.strptime(text or "", DATE)
    except ValueError:
        raise Wrong("the Date is %r" % text)
    want(time.strftime(DATE, when) == text, "the Date is %r", text)
    want(abs(calendar.timegm(when) - time.time()) < 10, "the Date %s is not now", text)


def check_frame(a, method):
    """What every answer has, and what it must not have."""
    check_date(a.value("date"))
    want(a.value("server") == "penstock", "the Server is %s", a.value("server"))
    want(a.value("connection") in ("close", "keep-alive"),
        "the Connection is %s", a.value("connection"))
    want(a.value("transfer-encoding") is None, "there is a Transfer-Encoding")
    want(a.reason != "", "there is no reason")
    length = a.value("content-length")
    if a.status in (204, 304):
        want(length is None, "%d has a length", a.status)
    else:
        want(re.match(r"(0|[1-9]\d*)\Z", length or ""), "the length is %s", length)
    names = [n for n, v in a.fields]
    want(len(names) == len(set(names)), "fields are twice there: %s", names)
    for name in NEEDS.get(a.status, ()):
        want(a.value(name) is not None, "%d has no %s", a.status, name)
    for name, shape in SHAPES.items():
        value = a.value(name)
        want(value is None or re.match(shape, value), "%s is %r", name, value)


def check_meaning(a, method):
    """What the fields say fits to each other."""
    allow = a.value("allow")
    if a.status == 405:
        want(method not in allow.split(", "), "%s is refused and allowed: %s", method, allow)
    if a.status == 206:
        first, last, size = map(int, re.findall(r"\d+", a.value("content-range")))
        want(first <= last < size, "the range is %s", a.value("content-range"))
        want(int(a.value("content-length")) == last - first + 1, "it is not as long as its range")
    if a.status == 415:
        want((a.value("accept") is None) != (a.value("accept-encoding") is None),
            "it is not said whether the type or the coding is wrong")
    if a.status == 416:
        want(a.value("content-range").startswith("bytes */"), "416 with a range")
    if a.value("last-modified"):
        time.strptime(a.value("last-modified"), DATE)
    if a.status >= 400 and method != "HEAD":
        text = wire.problem_with(a)
        want(text is None, "%s", text)
    if a.status >= 400 and method == "HEAD":
        want(a.value("content-type") == "application/problem+json", "it is no problem")


# ---- asking ----

class Talk:
    """A connection to the server."""

    def __init__(self, port):
        self.sock = wire.connect(port)
        self.got = b""
        self.closed = False

    def say(self, text):
        self.sock.sendall(text.encode("latin-1"))

    def hear(self):
        try:
            more = self.sock.recv(1 << 16)
        except TimeoutError:
            raise Wrong("nothing comes; so far %r" % self.got[:300])
        except ConnectionResetError:
            raise Wrong("reset; so far %r" % self.got[:300])
        self.got += more
        self.closed = more == b""

    def answers(self, methods):
        try:
            return wire.answers_in(self.got, methods)
        except wire.Malformed as e:
            raise Wrong("%s in %r" % (e, self.got[:300]))

    def hear_interim(self):
        while b"\r\n\r\n" not in self.got:
            self.hear()
            want(not self.closed, "closed without a 100")
        want(self.got == b"HTTP/1.1 100 Continue\r\n\r\n", "no 100 but %r", self.got[:300])

    def hear_finals(self, methods, count):
        while True:
            answers, rest = self.answers(methods)
            finals = [a for a in answers if a.status >= 200]
            if len(finals) >= count:
                return finals
            want(not self.closed, "closed; got %r", self.got[-300:])
            self.hear()

    def hear_end(self):
        while not self.closed:
            self.hear()
        self.sock.close()


def finish(talk, requests, statuses):
    """The requests were sent: hear the answers, and whether it closes as it says."""
    requests = list(requests)
    methods = [method for method, text in requests]
    finals = talk.hear_finals(methods, len(statuses))
    want([a.status for a in finals] == statuses, "got %s, not %s: %s",
        [a.status for a in finals], statuses, finals[-1].content[:200])
    for a in finals[:-1]:
        want(a.value("connection") == "keep-alive", "it says close and goes on")
    if finals[-1].value("connection") == "keep-alive":
        requests.append(AGAIN)
        methods.append(AGAIN[0])
        talk.say(AGAIN[1])
        statuses = statuses + [204]
    talk.hear_end()
    answers, rest = talk.answers(methods)
    want(rest == b"", "more follows: %r", rest[:100])
    finals = [a for a in answers if a.status >= 200]
    want([a.status for a in finals] == statuses, "in the end %s", [a.status for a in finals])
    want(finals[-1].value("connection") == "close", "it closes and does not say so")
    for a, method in zip(finals, methods):
        check_frame(a, method)
        check_meaning(a, method)
    ask_h11(requests[:len(statuses)], talk.got, finals)
    return finals


def ask(port, requests, statuses):
    talk = Talk(port)
    talk.say("".join(text for method, text in requests))
    return finish(talk, requests, statuses)


# ---- requests ----

def req(line, *fields, body=""):
    """A request by its line and fields, with its method."""
    lines = "".join(f + "\r\n" for f in fields)
    version = "" if " HTTP/" in line else " HTTP/1.1"
    return line.split(" ")[0], line + version + "\r\n" + HOST + lines + "\r\n" + body


def put(target, *fields, body="hello"):
    return req("PUT " + target, *fields, "Content-Length: %d" % len(body), body=body)


def chunked(target, body):
    return req("PUT " + target, "Transfer-Encoding: chunked", body=body)


def plain_cases():
    """name, request, status: /file has a, old and dir/x; link is a link to /."""
    long = "x" * 9000

    yield "stored", put("/file/new"), 201
    yield "stored, a name that needs to be escaped", put("/file/%C3%A4%22%20b"), 201
    yield "stored from chunks", chunked("/file/chunks", "5\r\nhello\r\n0\r\n\r\n"), 201
    yield "stored, nothing", put("/file/nothing", body=""), 201
    yield "stored, name generated", req("POST /file", "Content-Length: 0"), 201
    yield "stored, then closed", put("/file/new2", "Connection: close"), 201
    yield "stored for HTTP/1.0", req("PUT /file/new3 HTTP/1.0", "Content-Length: 1", body="x"), 201
    yield "replaced", put("/over/a"), 200
    yield "index", req("GET /"), 200
    yield "index, head", req("HEAD /"), 200
    yield "index for HTTP/1.0", req("GET / HTTP/1.0"), 200
    yield "index for HTTP/1.0, kept", req("GET / HTTP/1.0", "Connection: keep-alive"), 200
    yield "a file", req("GET /file/a"), 200
    yield "a file, head", req("HEAD /file/a"), 200
    yield "a large file", req("GET /file/large"), 200
    yield "a large file, head", req("HEAD /file/large"), 200
    yield "an empty file", req("GET /file/empty"), 200
    yield "the newest", req("GET /over"), 200
    yield "the newest, head", req("HEAD /over"), 200
    yield "a part", req("GET /file/a", "Range: bytes=1-2"), 206
    yield "the last byte", req("GET /file/a", "Range: bytes=-1"), 206
    yield "a part of a large file", req("GET /file/large", "Range: bytes=100-"), 206
    yield "a part of the newest", req("GET /over", "Range: bytes=0-0"), 206
    yield "a part, head", req("HEAD /file/a", "Range: bytes=1-2"), 200
    yield "a part that is none", req("GET /file/a", "Range: bytes=9999999-"), 416
    yield "not modified", req("GET /file/a", "If-None-Match: *"), 304
    yield "not modified, head", req("HEAD /file/a", "If-None-Match: *"), 304
    yield "not modified since", req("GET /file/a",
        "If-Modified-Since: " + time.strftime(DATE, time.gmtime())), 304
    yield "options", req("OPTIONS /file/a"), 204
    yield "options of the location", req("OPTIONS /file"), 204
    yield "options of all", req("OPTIONS *"), 204
    yield "options of the index", req("OPTIONS /"), 204
    yield "options with a body", req("OPTIONS /file", "Content-Length: 5", body="hello"), 204

    yield "request line of two words", req("GET  /"), 400
    yield "bytes that are no HTTP", ("GET", "\x16\x03\x01\r\n\r\n"), 400
    yield "field", req("GET /", "X : y"), 400
    yield "field, head", req("HEAD /", "X : y"), 400
    yield "line end, head", ("HEAD", "HEAD / HTTP/1.1\r\nHost: x\n\r\n"), 400
    yield "target", req("GET /%zz"), 404
    yield "name", req("GET /file/%zz"), 400
    yield "name, head", req("HEAD /file/%zz"), 400
    yield "dots", put("/file/../a"), 400
    yield "content-range", put("/file/b", "Content-Range: bytes 0-4/10"), 400
    yield "chunk", chunked("/file/b", "x\r\n"), 400
    yield "chunk, after data", chunked("/file/b", "5\r\nhello!"), 400
    yield "if-match", put("/file/b", "If-Match: x"), 400
    yield "symbolic link", req("GET /file/link"), 403
    yield "symbolic link, head", req("HEAD /file/link"), 403
    yield "symbolic link on the way", put("/file/link/tmp/x"), 403
    yield "no such file", req("GET /file/none"), 404
    yield "no such file, head", req("HEAD /file/none"), 404
    yield "no such location", put("/nowhere/a"), 404
    yield "no file yet", req("GET /blank"), 404
    yield "no list", req("GET /file/"), 404
    yield "delete", req("DELETE /file/a"), 405
    yield "delete with a body", req("DELETE /file/a", "Content-Length: 5", body="hello"), 405
    yield "trace", req("TRACE /file/a"), 405
    yield "connect", req("CONNECT x:443"), 405
    yield "put to the index", put("/"), 405
    yield "post to a name", req("POST /file/posted", "Content-Length: 5", body="hello"), 201
    yield "a form", req("POST /file", "Content-Type: multipart/form-data; boundary=b",
        "Content-Length: 5", body="--b--"), 415
    yield "a tus creation", req("POST /file", "Tus-Resumable: 1.0.0", "Upload-Length: 5",
        "Content-Length: 0"), 400
    yield "a tus head", req("HEAD /file/a", "Tus-Resumable: 1.0.0"), 400
    yield "reading is off", req("GET /blind/a"), 405
    yield "reading is off, head", req("HEAD /blind"), 405
    yield "exists", put("/file/a"), 409
    yield "is a directory", put("/file/dir"), 409
    yield "parent is a file", put("/file/a/b"), 409
    yield "exists, before the body", req("PUT /file/a", "Expect: 100-continue",
        "Content-Length: 5"), 409
    yield "no length", req("PUT /file/b"), 411
    yield "if-match", put("/over/a", 'If-Match: "x"'), 412
    yield "if-none-match", put("/over/a", "If-None-Match: *"), 412
    yield "if-match of a reader", req("GET /file/a", 'If-Match: "x"'), 412
    yield "if-match of a reader, head", req("HEAD /file/a", 'If-Match: "x"'), 412
    yield "too large", put("/tiny/a", body="hello world"), 413
    yield "too large, in chunks", chunked("/tiny/a", "b\r\nhello world\r\n0\r\n\r\n"), 413
    yield "too large, before the body", req("PUT /tiny/a", "Expect: 100-continue",
        "Content-Length: 11"), 413
    yield "line too long", req("GET /" + long), 414
    yield "name too long", req("GET /file/" + long[:2000]), 414
    yield "content-encoding", put("/file/b", "Content-Encoding: gzip"), 415
    yield "expect", put("/file/b", "Expect: x"), 417
    yield "head too large", req("GET /", "X: " + long * 4), 431
    yield "head too large, head", req("HEAD /", "X: " + long * 4), 431
    yield "too many fields", req("GET /", *["X%d: y" % n for n in range(200)]), 431
    yield "output_dir is gone", put("/gone/a"), 503
    yield "method", req("FOO /"), 501
    yield "transfer-encoding", req("PUT /file/b", "Transfer-Encoding: gzip, chunked",
        body="0\r\n\r\n"), 501
    yield "version", req("GET / HTTP/2.0"), 505


def pipelined(port):
    requests = [put("/file/p1"), req("GET /file/p1"), req("HEAD /file/p1"),
        req("OPTIONS /file"), req("GET /file/none"), req("HEAD /file/none"),
        req("GET /file/p1", "If-None-Match: *"), put("/over/a"), req("GET /file/large"),
        chunked("/file/p2", "5\r\nhello\r\n0\r\n\r\n"), put("/file/p1"),
        req("GET /file/never")]
    ask(port, requests, [201, 200, 200, 204, 404, 404, 304, 200, 200, 201, 409, 404])


def continued(port):
    talk = Talk(port)
    request = req("PUT /file/expected", "Expect: 100-continue", "Content-Length: 5")
    talk.say(request[1])
    talk.hear_interim()
    talk.say("hello")
    finish(talk, [request], [201])


def head_is_get(port):
    """HEAD says what GET says (RFC 9110 9.3.2), of what is there and what is not."""
    for target in ("/file/a", "/file/large", "/over", "/", "/file/none", "/blind", "/file/link"):
        found = []
        for method in ("GET", "HEAD"):
            talk = Talk(port)
            talk.say(req("%s %s" % (method, target), "Connection: close")[1])
            talk.hear_end()
            a = talk.answers([method])[0][0]
            found.append((a.status, [f for f in a.fields if f[0] != "date"]))
        want(found[0] == found[1], "%s: %s, but of HEAD %s", target, *found)


def answers(port):
    for name, request, status in plain_cases():
        yield "%d, %s" % (status, name), \
            lambda request=request, status=status: ask(port, [request], [status])
    yield "100, then 201", lambda: continued(port)
    yield "twelve in a row", lambda: pipelined(port)
    yield "HEAD and GET", lambda: head_is_get(port)


def tokens(port):
    def one():
        talk = Talk(port)
        talk.say(req("GET /")[1])
        talk.hear_end()
        a = talk.answers(["GET"])[0][0]
        want(a.status == 200, "got %d", a.status)
        want(re.match(r"penstock/\d+\.\d", a.value("server")), "the Server is %s", a.value("server"))
        want(a.value("connection") == "close", "keepalive_timeout 0 and not closed")

    yield "server_tokens on, keepalive_timeout 0", one


def slow(port):
    yield "408, head", lambda: ask(port, [("GET", "GET / HTTP/1.1\r\nHo")], [408])
    yield "408, body", lambda: ask(port,
        [req("PUT /slow/a", "Content-Length: 10", body="hello")], [408])
    yield "408, chunks", lambda: ask(port, [chunked("/slow/a", "5\r\nhel")], [408])


def busy(port):
    def second():
        first = Talk(port)
        request = req("PUT /one/a", "Expect: 100-continue", "Content-Length: 5")
        first.say(request[1])
        first.hear_interim() # it counts now
        ask(port, [put("/one/b")], [503])
        first.say("hello")
        finish(first, [request], [201])

    yield "503, max_uploads", second


def crowded(port):
    def second():
        first = Talk(port)
        request = req("GET /")
        first.say(request[1])
        first.hear_finals(["GET"], 1) # it counts now
        finish(Talk(port), [request], [503])
        finish(first, [request], [200])

    yield "503, max_connections_per_ip", second


def full(port):
    body = "x" * 2000000
    yield "507", lambda: ask(port, [put("/full/a", body=body)], [507])
    yield "507, chunks", lambda: ask(port,
        [chunked("/full/a", "%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))], [507])


def main(group, port):
    groups = {f.__name__: f for f in (answers, tokens, slow, busy, crowded, full)}
    count = bad = 0
    for name, judge in groups[group](int(port)):
        count += 1
        try:
            judge()
        except (Wrong, wire.Malformed) as e:
            bad += 1
            print("%s: %s" % (name, e))
    print("%s: %d judged, %d wrong" % (group, count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
