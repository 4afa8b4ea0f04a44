# The table of hostile and remarkable requests, a row each: what they are
# answered, whether the connection is closed then, and what is stored.
# rows.py sends them.
#
# Everything is text in which each character is a byte.  NAME is replaced by a
# name that no other connection has, of the same length; files are named after
# it.  Rows that are refused have one more request behind them, which would
# store smuggled-NAME: it must never be taken for one.

from collections import namedtuple

NAME = "NAME0000"

Row = namedtuple("Row", "name data statuses closes files methods interim half_close fields tail")

LINE = "PUT /file/NAME0000 HTTP/1.1"
LINE_10 = "PUT /file/NAME0000 HTTP/1.0"
HOST = "Host: x"
FIVE = "Content-Length: 5"
CHUNKED = "Transfer-Encoding: chunked"
HELLO = {"": "hello"}
SMUGGLED = "PUT /file/smuggled-NAME0000 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nno"


def head(*lines):
    return "\r\n".join(lines) + "\r\n\r\n"


def put(*fields):
    """A good upload but for these fields, which stand before its length."""
    return head(LINE, HOST, *fields, FIVE) + "hello"


def chunked(body):
    return head(LINE, HOST, CHUNKED) + body


def get(target="/file/none"):
    return head("GET %s HTTP/1.1" % target, HOST)


def second(suffix="b"):
    """Another upload, to stand behind one that is good."""
    return head("PUT /file/NAME0000%s HTTP/1.1" % suffix, HOST, FIVE) + "again"


def row(name, data, *statuses, closes, files={}, methods=(), interim=False,
        half_close=False, fields={}, tail=""):
    return Row(name, (data + tail).encode("latin-1"), list(statuses), closes,
        {k: v.encode("latin-1") for k, v in files.items()}, methods, interim,
        half_close, fields, len(tail))


def good(name, data, *statuses, files=HELLO, **more):
    """It is taken, and the connection stays."""
    return row(name, data, *(statuses or (201,)), closes=False, files=files, **more)


def kept(name, data, *statuses, files={}, **more):
    """It is answered without storing anything, and the connection stays."""
    return row(name, data, *statuses, closes=False, files=files, **more)


def bad(name, data, *statuses, **more):
    """It is refused, and the connection with it."""
    return row(name, data, *(statuses or (400,)), closes=True, tail=SMUGGLED, **more)


def last(name, data, *statuses, files=HELLO, **more):
    """It is taken, and nothing is that stands behind it."""
    return row(name, data, *(statuses or (201,)), closes=True, files=files,
        tail=SMUGGLED, **more)


def gone(name, data):
    """It does not end before the client's side of the connection does."""
    return row(name, data, closes=True, half_close=True)


# ---- request line, line ends, bytes, names, Host, limits ----

def request_lines():
    def line(text, *statuses):
        return bad("line " + repr(text), head(text, HOST, FIVE) + "hello", *statuses)

    yield good("a plain upload", put())
    yield good("a query is no part of the name", put().replace(" HTTP", "?a=b HTTP", 1))
    yield good("empty lines before it, as many as allowed", "\r\n" * 4 + put())
    yield bad("empty lines before it, one more", "\r\n" * 5 + put())
    yield bad("empty line of LF before it", "\n" + put())
    yield bad("CR before it", "\r" + put())

    yield bad("HTTP/0.9 with an empty line", "GET /file/NAME0000\r\n\r\n")
    yield bad("HTTP/0.9 of LF", "GET /file/NAME0000\n\n")
    yield bad("HTTP/0.9 with fields", head("PUT /file/NAME0000", HOST, FIVE) + "hello")
    yield gone("HTTP/0.9 as it was: one line", "GET /file/NAME0000\r\n")
    yield gone("half a request line", "PUT /file/NAME0000 HTT")
    yield gone("half a head", head(LINE, HOST, FIVE)[:-2])
    yield gone("nothing but empty lines", "\r\n\r\n")

    yield line("PUT")
    yield line("PUT ")
    yield line("PUT HTTP/1.1")
    yield line("PUT  HTTP/1.1")
    yield line(" PUT /file/NAME0000 HTTP/1.1")
    yield line("\tPUT /file/NAME0000 HTTP/1.1")
    yield line("PUT  /file/NAME0000 HTTP/1.1")
    yield line("PUT /file/NAME0000  HTTP/1.1")
    yield line("PUT /file/NAME0000    HTTP/1.1")
    yield line("PUT /file/NAME0000 HTTP/1.1 ")
    yield line("PUT\t/file/NAME0000\tHTTP/1.1")
    yield line("PUT /file/NAME0000\tHTTP/1.1")
    yield line("PUT\x0b/file/NAME0000 HTTP/1.1")
    yield line("PUT /file/NAME0000 HTTP/1.1 HTTP/1.1")
    yield line("PUT /file/NAME0000 b HTTP/1.1")
    yield line("PUT: /file/NAME0000 HTTP/1.1")
    yield line("Host: x")
    yield line("HTTP/1.1 200 OK", 400)
    yield bad("a TLS client", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    yield bad("NULs", "\x00" * 40)
    yield bad("bytes beyond ASCII", "\xff\xfe\xfd\r\n\r\n", 400)


def methods():
    def method(name, *statuses):
        return bad("method " + repr(name),
            head("%s /file/NAME0000 HTTP/1.1" % name, HOST, FIVE) + "hello", *statuses)

    def known(name):
        return kept("method %s is known, not served" % name,
            head("%s /file/NAME0000 HTTP/1.1" % name, HOST), 405,
            fields={"allow": "GET, HEAD, POST, PUT, OPTIONS"})

    for name in ("FOO", "PUTX", "PU", "put", "Put", "PUT!", "get", "GETPUT", "1"):
        yield method(name, 501)
    for name in ("P@T", "P\x00T", "PUT\x00", "P\xdcT", "(PUT)", '"PUT"', "PUT,", "P/T", ""):
        yield method(name, 400)
    for name in ("DELETE", "TRACE", "PATCH", "MKCOL", "M-SEARCH", "SOURCE"):
        yield known(name)
    yield method("DELETE", 405)
    yield method("TRACE", 405)
    yield bad("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
    yield bad("the preface of HTTP/2, and frames behind it",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00", 505)
    yield bad("what is almost the preface of HTTP/2", "PRI / HTTP/2.0\r\n\r\n", 501)
    for text in ("PROXY TCP4 127.0.0.1 127.0.0.1 1 2", "PROXY TCP6 ::1 ::1 1 2",
            "PROXY UNKNOWN", "PROXY UNKNOWN ffff::1 ffff::2 1 2"):
        yield bad("a line of the PROXY protocol: " + text, text + "\r\n" + put())
    yield bad("an unknown method that is called PROXY",
        head("PROXY /file/NAME0000 HTTP/1.1", HOST, FIVE) + "hello", 501)
    for command in "\x20", "\x21":
        yield bad("the PROXY protocol in binary, command %r" % command,
            "\r\n\r\n\0\r\nQUIT\n%s\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\0\1\0\2" % command + put())
    # What follows is for whom the tunnel was to lead to: no request.
    yield bad("CONNECT", head("CONNECT x:443 HTTP/1.1", "Host: x:443"), 405)
    yield bad("CONNECT of HTTP/1.0", head("CONNECT x:443 HTTP/1.0"), 405)
    yield bad("CONNECT to a path", head("CONNECT /file/NAME0000 HTTP/1.1", HOST))
    yield bad("CONNECT to nothing", head("CONNECT  HTTP/1.1", HOST))


def targets():
    def target(text, *statuses):
        return bad("target " + repr(text),
            head("PUT %s HTTP/1.1" % text, HOST, FIVE) + "hello", *statuses)

    def fine(text):
        return good("target " + repr(text),
            head("PUT %s HTTP/1.1" % text, HOST, FIVE) + "hello")

    for byte in "\x00\x01\x08\x0c\x1f\x7f\x80\xff#\t":
        yield target("/file/NAME0000%sx" % byte)
    for text in ("file/NAME0000", "*", "*/file/NAME0000", "?/file/NAME0000", "x:80",
            "\\file\\NAME0000", "ftp://x/file/NAME0000", "http:/file/NAME0000",
            "http:///file/NAME0000", "http://a@x/file/NAME0000",
            "http://x:99999/file/NAME0000", "http://x:y/file/NAME0000",
            "http://[::1/file/NAME0000", "http://x%/file/NAME0000",
            "/file/NAME0000%00", "/file/NAME0000%0d%0ax", "/file/NAME0000%2fx",
            "/file/NAME0000%zz", "/file/../NAME0000", "/file/%2e%2e/NAME0000",
            "/file//NAME0000", "/file/NAME0000/", "/file/", "/file/.penstock/NAME0000"):
        yield target(text)
    for text in ("//file/NAME0000", "/nowhere/NAME0000", "/filex/NAME0000",
            "/FILE/NAME0000", "/./file/NAME0000", "/%66ile/NAME0000"):
        yield target(text, 404)
    for text in ("http://x/file/NAME0000", "HTTP://X/file/NAME0000",
            "https://other:80/file/NAME0000?a=b", "http://[::1]:80/file/NAME0000",
            "http://127.0.0.1/file/NAME0000", "/file/NAME0000?", "/file/NAME0000?a?b&c"):
        yield fine(text)
    yield bad("absolute-form needs a Host, too",
        head("PUT http://x/file/NAME0000 HTTP/1.1", FIVE) + "hello")
    yield last("absolute-form of HTTP/1.0",
        head("PUT http://x/file/NAME0000 HTTP/1.0", FIVE) + "hello")
    yield kept("absolute-form without a path", get("http://x"), 200)
    yield kept("absolute-form with a query only", get("http://x?a"), 200)
    yield kept("OPTIONS *", head("OPTIONS * HTTP/1.1", HOST), 204,
        fields={"allow": "GET, HEAD, POST, PUT, OPTIONS"})
    yield kept("OPTIONS of a host", head("OPTIONS http://x HTTP/1.1", HOST), 204)
    yield bad("OPTIONS * with more", head("OPTIONS *x HTTP/1.1", HOST))
    yield bad("GET *", get("*"))


def versions():
    def version(text, *statuses):
        return bad("version " + repr(text),
            head("PUT /file/NAME0000 " + text, HOST, FIVE) + "hello", *statuses)

    for text in ("HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/0.9", "HTTP/0.0", "HTTP/1.9",
            "HTTP/1.2"):
        yield version(text, 505)
    for text in ("HTTP/1.10", "HTTP/01.1", "HTTP/1.01", "HTTP/11", "HTTP/1.", "HTTP/1",
            "HTTP/.1", "HTTP/", "HTTP", "HTTP/1,1", "HTTP/+1.1", "HTTP/-1.1", "HTTP/x.1",
            "HTTP/1.x", "HTTP/1.1x", "HTTP /1.1", "HTTP/ 1.1", "HTTP//1.1", "http/1.1",
            "Http/1.1", "HXXP/1.1", "HXXPx1.1", "HTTPS/1.1", "XHTTP/1.1", "ICE/1.0",
            "RTSP/1.0", "HTTP/1.1\x00", "HTTP/1.\xb9"):
        yield version(text)
    yield bad("SOURCE of ICE", head("SOURCE /file/NAME0000 ICE/1.0", HOST))
    yield last("HTTP/1.0 needs no Host", head(LINE_10, FIVE) + "hello")
    yield last("HTTP/1.0 may have one", head(LINE_10, HOST, FIVE) + "hello")
    yield bad("HTTP/1.0 may not have two", head(LINE_10, HOST, HOST, FIVE) + "hello")


def line_ends():
    whole = put("X: y")

    yield bad("LF alone, everywhere (CVE-2022-32214)", whole.replace("\r\n", "\n"))
    at = -1
    for n in range(whole.count("\r\n")):
        at = whole.index("\r\n", at + 1)
        before, after = whole[:at], whole[at + 2:]
        yield bad("LF alone ends line %d" % (n + 1), before + "\n" + after)
        yield bad("CR alone ends line %d" % (n + 1), before + "\r" + after)
        yield bad("CR CR LF ends line %d" % (n + 1), before + "\r\r\n" + after)
        yield bad("LF CR ends line %d" % (n + 1), before + "\n\r" + after)
    yield bad("the head ends with CR LF CR X (CVE-2025-23167)",
        whole.replace("\r\n\r\n", "\r\n\rX"))
    yield bad("the head ends with CR LF CR, then a field (CVE-2025-23167)",
        head(LINE, HOST)[:-2] + "\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    yield bad("CR in a value hides a field (CVE-2023-30589)",
        put("Foo:\rXTransfer-Encoding: chunked"))
    yield bad("CR in a value", put("X: a\rb"))
    yield bad("CR before a field", put("\rX: a"))
    yield bad("CR at the end of a name", put("X\r: a"))
    yield bad("LF in a value hides a length", put("X: a\nContent-Length: 0"))
    yield bad("CR in the length's name (CVE-2020-8201)",
        head(LINE, HOST, "Content\rLength: 5") + "hello")
    yield bad("CR hides a length", put("X: a\rContent-Length: 0"))
    yield bad("CR in the target", put().replace("NAME0000 ", "NAME0000\r ", 1))


def field_bytes():
    for c in [*range(0x20), 0x7f]:
        byte = chr(c)
        if byte == "\n":
            continue # a line end, see line_ends
        if byte != "\t":
            yield bad("byte %02x in a value" % c, put("X: a%sb" % byte))
            yield bad("byte %02x begins a value" % c, put("X-A: %sabc" % byte))
        yield bad("byte %02x in a name" % c, put("X%sY: a" % byte))
    yield bad("byte 00 ends a value", put("X: a\x00"))
    yield good("tabs in a value", put("X:\ta\tb\t"))
    yield good("bytes beyond ASCII in a value", put("X: \x80\xff\xc3\xa4"))
    yield good("values that are empty", put("X:", "Y: ", "Z:\t"))
    for c in ' "(),/;<=>?@[\\]{}\x80\xe4\xff':
        yield bad("%r in a name" % c, put("X%sY: a" % c))
    yield good("all that a name may have", put("!#$%&'*+-.^_`|~09azAZ: a"))


def field_lines():
    def both(what, name, line):
        return bad("%s: %s" % (what, name), head(LINE, HOST, line) + "0\r\n\r\n")

    for name, value in (("Content-Length", "5"), ("Transfer-Encoding", "chunked"),
            ("Host", "x")):
        yield both("space before colon (CVE-2021-22959)", name, "%s : %s" % (name, value))
        yield both("tab before colon (CVE-2021-22959)", name, "%s\t: %s" % (name, value))
        yield both("space at line start (CVE-2024-27982)", name, " %s: %s" % (name, value))
        yield both("tab at line start (CVE-2024-27982)", name, "\t%s: %s" % (name, value))
        yield both("folded behind the colon", name, "%s:\r\n %s" % (name, value))
        yield both("folded behind the value", name, "%s: %s\r\n " % (name, value))
        yield both("folded before the colon", name, "%s\r\n : %s" % (name, value))
    yield bad("space at the start of the first field",
        head(LINE, " Host: x", FIVE) + "hello")
    yield bad("the first field is folded", head(LINE, " x", HOST, FIVE) + "hello")
    yield bad("space at the start of the length's line",
        head(LINE, HOST, "X: y", " " + FIVE) + "hello")
    yield bad("folded with a space", put("X: a\r\n b"))
    yield bad("folded with a tab", put("X: a\r\n\tb"))
    yield bad("folded to an empty line", put("X: a\r\n "))
    yield bad("a name of two words", put("X Y: 1"))
    yield bad("no colon", put("X"))
    yield bad("no name", put(": x"))
    yield bad("a colon alone", put(":"))
    yield bad("spaces alone", put("  "))
    yield good("no space behind the colon", put("X:y"))
    yield good("names in any case",
        head(LINE, "hOST: x", "cONTENT-lENGTH: 5") + "hello")


def hosts():
    def host(text):
        return bad("Host %r" % text, head(LINE, "Host: " + text, FIVE) + "hello")

    yield bad("no Host in 1.1", head(LINE, FIVE) + "hello")
    yield bad("two Hosts that differ", put("Host: y"))
    yield bad("two Hosts that agree", put(HOST))
    for text in ("", "a b", "a/b", "http://x", "x/", "x:y", "x:-1", "x:+1", "x:65536",
            "x:99999999999999999999", "x:1:2", "a@b", "x?", "x#", "[::1", "::1", "[::g]",
            "[]", "[::1]x", "[v1.x]", "%", "%zz", "x\x80", "x\\y", "<x>", '"x"', "x|y"):
        yield host(text)
    for text in ("x:", "x:80", "127.0.0.1:80", "[::1]", "[::1]:80", "a-b_c.d~e", "%41",
            "a,b", " x\t"):
        yield good("Host %r" % text, head(LINE, "Host: " + text, FIVE) + "hello")


def limits():
    def padded(size):
        """An upload whose head has this size, in one long field."""
        return put("X: " + "x" * (size - len(put("X: ")) + len("hello")))

    def of_line(size):
        line = LINE.replace(" HTTP", "?%s HTTP")
        return put().replace(LINE, line % ("q" * (size + 2 - len(line))))

    def of_fields(count):
        return put(*["X%d: y" % n for n in range(count - 2)])

    yield good("a request line of 8192 bytes", of_line(8192))
    yield bad("a request line of 8193 bytes", of_line(8193), 414)
    yield bad("a request line of 90 KB", of_line(90000), 414)
    yield bad("a method of 9000 bytes", "P" * 9000 + " / HTTP/1.1\r\n", 414)
    yield good("a head of 32768 bytes", padded(32768))
    yield bad("a head of 32769 bytes", padded(32769), 431)
    yield bad("a head of 90 KB", padded(90000), 431)
    yield bad("a field name of 40000 bytes", put("X" * 40000 + ": y"), 431)
    yield good("100 fields", of_fields(100))
    yield bad("101 fields", of_fields(101), 431)
    yield bad("2000 fields", of_fields(2000), 431)


# ---- which bytes belong to a body ----

def lengths():
    def length(text, *statuses):
        return bad("Content-Length %r" % text,
            head(LINE, HOST, "Content-Length: " + text) + "hello", *statuses)

    def fine(text):
        return good("Content-Length %r" % text,
            head(LINE, HOST, "Content-Length:" + text) + "hello")

    for text in ("+5", "-5", "-0", "0x5", "5x", "x5", "5 5", "5,5", "5, 5", "5,6", ",5",
            "5,", "5;", "5.0", "5e0", '"5"', "'5'", "five", "", "\x0b5", "5\x00", "\xa05",
            "\xd9\xa5", "5 \x0c", "\t", " \t ", "5\t5", "5\t,", "5,\t5", "5\t5\t", "+\t5", "5\t\x00",
            "5\t\x0b", "5\t\x0c",
            "9223372036854775808", "9223372036854775813", "18446744073709551615",
            "18446744073709551616", "18446744073709551621", "36893488147419103237",
            "99999999999999999999999999999999"):
        yield length(text)
    for text in (" 5", "5", "  5", "\t5", " 5 ", " 005", " 00000000000000000000000000005",
            "5\t", " 5\t", "\t5\t", " 5 \t", " 5\t ", "\t \t5\t\t \t", " 005\t\t\t"):
        yield fine(text)
    yield bad("2^63 - 1 bytes are too many for /tiny",
        head("PUT /tiny/NAME0000 HTTP/1.1", HOST, "Content-Length: 9223372036854775807") +
        "hello", 413)
    yield bad("space in a length, spaces behind (CVE-2018-7159)",
        head(LINE, HOST, "Content-Length: 5 6  ") + "hello")
    yield bad("two lengths that agree", put(FIVE))
    yield bad("two lengths, a tab behind the first", put(FIVE + "\t"))
    yield bad("two lengths with a tab behind the second",
        head(LINE, HOST, FIVE, FIVE + "\t") + "hello")
    yield bad("two lengths that agree, tabs behind both",
        head(LINE, HOST, FIVE + "\t", FIVE + "\t") + "hello")
    yield bad("a tab behind a length, then chunked",
        head(LINE, HOST, FIVE + "\t", CHUNKED) + "5\r\nhello\r\n0\r\n\r\n")
    yield bad("chunked, then a tab behind a length",
        head(LINE, HOST, CHUNKED, FIVE + "\t") + "5\r\nhello\r\n0\r\n\r\n")
    yield bad("a tab behind a length, and before its colon",
        head(LINE, HOST, "Content-Length\t: 5\t") + "hello")
    yield bad("a tab behind a length, folded",
        head(LINE, HOST, FIVE + "\t\r\n\t") + "hello")
    yield bad("a tab behind a length, then a CR", put().replace("5\r\n", "5\t\r\r\n", 1))
    yield good("a tab behind a length, and fields behind that",
        head(LINE, FIVE + " \t ", HOST, "X: \ty\t") + "hello")
    yield good("a tab behind a length, and a request behind that",
        head(LINE, HOST, FIVE + "\t") + "hello" + second(), 201, 201,
        files={"": "hello", "b": "again"})
    yield bad("two lengths that differ", put("Content-Length: 6"))
    yield bad("two lengths that differ in case and value", put("content-length: 0"))
    yield bad("two lengths, of which one is none", put("Content-Length:"))
    yield good("a name that is almost Content-Length", put("Content_Length: 0"))
    yield good("Content-Length as an option of Connection",
        put("Connection: Content-Length"))
    yield good("a body of 0 bytes", head(LINE, HOST, "Content-Length: 0"), files={"": ""})
    yield gone("a body that is too short", head(LINE, HOST, "Content-Length: 6") + "hello")
    yield bad("a body of 2^63 - 1 bytes, for which no disk has room",
        head(LINE, HOST, "Content-Length: 9223372036854775807") + "hello", 507)
    yield row("a body that is too long", put() + " and more\r\n\r\n", 201, 400,
        closes=True, files=HELLO, tail=SMUGGLED)
    yield good("a body that looks like a request",
        head(LINE, HOST, "Content-Length: %d" % len(SMUGGLED)) + SMUGGLED,
        files={"": SMUGGLED})


def codings():
    def coding(text, *statuses, more=()):
        return bad("Transfer-Encoding %r" % text,
            head(LINE, HOST, "Transfer-Encoding: " + text, *more) + "0\r\n\r\n", *statuses)

    def fine(text):
        return good("Transfer-Encoding %r" % text,
            head(LINE, HOST, "Transfer-Encoding:" + text) + "5\r\nhello\r\n0\r\n\r\n")

    for text in (" chunked", "chunked", "\tchunked\t", " Chunked", " CHUNKED", "chunked\t",
            " chunked \t", "\t chunked\t \t"):
        yield fine(text)
    for text in ("chunked, chunked", "chunked,,chunked", "chunked, identity",
            "chunked, gzip", "chunked;q=1", "chunked ;a", '"chunked"', "",
            ",chunked,", "chunked chunked", "chun ked", "chunked x", "\x0bchunked",
            "chunked\x00", "\x00chunked", "chunked\x0c", "chunked\x85", "\xa0chunked",
            "chunked=1", "chunked:", "(chunked)", "chunked, chunked, gzip"):
        yield coding(text)
    # Codings that are not known here, the last of which may be chunked.
    for text in ("identity", "identity, chunked", "gzip, chunked", "gzip", "deflate",
            "xchunked", "'chunked'", "chunkedx", "chunke", "cow", "x-chunked"):
        yield coding(text, 501)
    yield bad("chunked twice", head(LINE, HOST, CHUNKED, CHUNKED) + "0\r\n\r\n")
    yield bad("chunked, then identity (CVE-2020-8287)",
        head(LINE, HOST, CHUNKED, "Transfer-Encoding: identity") + "0\r\n\r\n")
    yield bad("chunked, then chunked-false (CVE-2020-8287)",
        head(LINE, HOST, CHUNKED, "Transfer-Encoding: chunked-false") + "0\r\n\r\n")
    yield bad("identity, then chunked",
        head(LINE, HOST, "Transfer-Encoding: identity", CHUNKED) + "0\r\n\r\n", 501)
    yield bad("an empty one, then chunked",
        head(LINE, HOST, "Transfer-Encoding:", CHUNKED) + "0\r\n\r\n")
    for name, text in (("CVE-2022-32213", "chunked\r\n , identity"),
            ("CVE-2022-32215", "\r\n chunked, identity"),
            ("CVE-2022-35256", "chunked\r\n \r\n identity"),
            ("http.md", "identity,\r\n chunked"), ("http.md", "\r\n chunked")):
        yield bad("folded coding (%s) %r" % (name, text),
            head(LINE, HOST, "Transfer-Encoding: " + text) + "0\r\n\r\n")
    yield bad("a control begins the coding (CVE-2019-15605)",
        put("Transfer-Encoding: \x0bchunked"))
    yield bad("the length, then chunked",
        head(LINE, HOST, FIVE, CHUNKED) + "5\r\nhello\r\n0\r\n\r\n")
    yield bad("chunked, then the length",
        head(LINE, HOST, CHUNKED, FIVE) + "5\r\nhello\r\n0\r\n\r\n")
    yield bad("chunked and a length of 0",
        head(LINE, HOST, CHUNKED, "Content-Length: 0") + "0\r\n\r\n")
    yield bad("a length and a coding that is none",
        put("Transfer-Encoding: cow"), 501)
    yield bad("a length and two codings", put(CHUNKED, CHUNKED))
    yield bad("HTTP/1.0 has no coding", head(LINE_10, CHUNKED) + "0\r\n\r\n")
    yield bad("HTTP/1.0 has no coding, kept alive",
        head(LINE_10, HOST, "Connection: keep-alive", CHUNKED) + "0\r\n\r\n")
    yield bad("HTTP/1.0 with length and coding", head(LINE_10, FIVE, CHUNKED) + "hello")
    yield good("a name that is almost Transfer-Encoding",
        put("Transfer_Encoding: chunked", "TE: chunked", "X-Transfer-Encoding: chunked"))


def bodies_of_others():
    """The body of these is not read: what follows is not known for certain."""
    body = head("PUT /file/smuggled-NAME0000 HTTP/1.1", HOST, "Content-Length: 2") + "no"
    length = "Content-Length: %d" % len(body)

    for method in ("GET", "HEAD", "OPTIONS"):
        yield last("%s with a body" % method,
            head("%s / HTTP/1.1" % method, HOST, length) + body,
            200 if method != "OPTIONS" else 204, files={}, methods=(method,))
        yield last("%s with a chunked body" % method,
            head("%s / HTTP/1.1" % method, HOST, CHUNKED) + "0\r\n\r\n",
            200 if method != "OPTIONS" else 204, files={}, methods=(method,))
    yield kept("GET with a body of 0 bytes",
        head("GET / HTTP/1.1", HOST, "Content-Length: 0"), 200)
    yield bad("DELETE with a body",
        head("DELETE /file/NAME0000 HTTP/1.1", HOST, length) + body, 405)
    yield bad("a location that is none",
        head("PUT /nowhere/NAME0000 HTTP/1.1", HOST, length) + body, 404)
    yield bad("longer than max_body_size",
        head("PUT /tiny/NAME0000 HTTP/1.1", HOST, length) + body, 413)
    yield bad("a reader that brings a body",
        head("GET /file/NAME0000 HTTP/1.1", HOST, length) + body, 404)


# ---- chunks ----

def chunk_sizes():
    def size(text, *statuses):
        return bad("chunk size %r" % text, chunked(text + "\r\nhello\r\n0\r\n\r\n"), *statuses)

    end = "0\r\n\r\n"
    yield good("one chunk", chunked("5\r\nhello\r\n" + end))
    yield good("a chunk for each byte",
        chunked("".join("1\r\n%s\r\n" % c for c in "hello") + end))
    yield good("no chunk but the last", chunked(end), files={"": ""})
    yield good("hexadecimal in both cases",
        chunked("a\r\n0123456789\r\nB\r\n0123456789a\r\n" + end),
        files={"": "01234567890123456789a"})
    yield good("zeros before a size", chunked("0005\r\nhello\r\n" + end))
    yield good("16 digits", chunked("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"))
    for text in ("", " ", "x", "g", "0x5", "x5", "+5", "-5", "-0", " 5", "5 ", "\t5", "5\t",
            "5_0", "5,", "5.0", "5h", "#5", '"5"', "\x005", "5\x00", "\x0b5", "\xff",
            "00000000000000005", "10000000000000005", "8000000000000000",
            "8000000000000005", "ffffffffffffffff", "fffffffffffffffb",
            "10000000000000000", "FFFFFFFFFFFFFFFFF"):
        yield size(text)
    yield bad("17 zeros", chunked("5\r\nhello\r\n00000000000000000\r\n\r\n"))
    yield bad("chunks that are more than 2^63 in all",
        chunked("5\r\nhello\r\n7fffffffffffffff\r\nhello\r\n" + end))
    yield gone("a chunk of 2^63 - 1 that never comes", chunked("7fffffffffffffff\r\nhello"))
    yield gone("no last chunk", chunked("5\r\nhello\r\n"))
    yield gone("no end behind the last chunk", chunked("5\r\nhello\r\n0\r\n"))
    tiny = head("PUT /tiny/NAME0000 HTTP/1.1", HOST, CHUNKED)
    yield bad("too large by one chunk", tiny + "b\r\n0123456789a\r\n" + end, 413)
    yield bad("too large by several", tiny + "5\r\nhello\r\n6\r\nhello!\r\n" + end, 413)
    yield bad("too large by 2^63 - 1", tiny + "7fffffffffffffff\r\nhello\r\n" + end, 413)


def chunk_lines():
    end = "0\r\n\r\n"

    yield bad("LF ends a size", chunked("5\nhello\r\n" + end))
    yield bad("LF ends every line", chunked("5\nhello\n0\n\n"))
    yield bad("CR X ends a size", chunked("5\rXhello\r\n" + end))
    yield bad("CR alone ends a size", chunked("5\rhello\r\n" + end))
    yield bad("CR CR LF ends a size", chunked("5\r\r\nhello\r\n" + end))
    yield bad("XX behind the data", chunked("5\r\nhelloXX" + end))
    yield bad("LF behind the data", chunked("5\r\nhello\n" + end))
    yield bad("CR behind the data", chunked("5\r\nhello\r" + end))
    yield bad("CR X behind the data", chunked("5\r\nhello\rX" + end))
    yield bad("nothing behind the data", chunked("5\r\nhello" + end))
    yield bad("an empty line before a size", chunked("5\r\nhello\r\n\r\n" + end))
    yield bad("more data than the size says", chunked("4\r\nhello\r\n" + end))
    yield bad("less data than the size says", chunked("6\r\nhello\r\n" + end))
    yield bad("the end is CR X", chunked("5\r\nhello\r\n0\r\n\rX"))
    yield bad("the end is CR CR LF", chunked("5\r\nhello\r\n0\r\n\r\r\n"))
    yield bad("the end is LF", chunked("5\r\nhello\r\n0\r\n\n"))
    yield bad("the end is CR LF XX (http-garden)", chunked("5\r\nhello\r\n0\r\nXX"))
    yield bad("LF behind the last size", chunked("5\r\nhello\r\n0\n\r\n"))
    yield bad("a negative last chunk", chunked("5\r\nhello\r\n-0\r\n\r\n"))
    yield good("a chunk that looks like a request",
        chunked("%x\r\n%s\r\n%s" % (len(SMUGGLED), SMUGGLED, end)), files={"": SMUGGLED})
    yield good("a chunk that looks like the end", chunked("5\r\n0\r\n\r\n\r\n" + end),
        files={"": "0\r\n\r\n"})


def extensions():
    end = "0\r\n\r\n"

    for text in (";", ";a", ";a=b", ';a="b c"', ";a;b=c", "; a = b", ";a=\xff", ";a=\tb"):
        yield good("extension %r" % text, chunked("5%s\r\nhello\r\n%s" % (text, end)))
    yield good("an extension of the last chunk", chunked("5\r\nhello\r\n0;a=b\r\n\r\n"))
    for text in (";a=b\n", ";a\rb", ";a\x00b", ";\x00", ";a\x7f", ";a\x0b", ' ;a=b', "a;a=b",
            ',a=b', '=b', '"a"', "(a)", ":a"):
        if text != "a;a=b": # that is a size of 0x5a
            yield bad("extension %r" % text, chunked("5%s\r\nhello\r\n%s" % (text, end)))
    yield bad("LF in an extension (CVE-2021-22960)",
        chunked("5;a=b\nhello\r\nHELLO\r\n" + end))
    yield bad("LF in an extension, and a request behind it",
        chunked("5;a=\n" + SMUGGLED + "\r\nhello\r\n" + end))
    yield bad("CR in an extension, and a request behind it",
        chunked("5;a=\r" + SMUGGLED + "\r\nhello\r\n" + end))
    yield bad("a request in an extension",
        chunked("5;" + SMUGGLED + "\r\nhello\r\n" + end))
    yield bad("two lines in an extension", chunked("2;\nxx\r\nno\r\n" + end))
    yield good("extensions of 16384 bytes",
        chunked("5;%s\r\nhello\r\n%s" % ("x" * 16384, end)))
    yield bad("extensions of 16385 bytes",
        chunked("5;%s\r\nhello\r\n%s" % ("x" * 16385, end)))
    small = "".join("1;%s\r\n%c\r\n" % ("x" * 55, 97 + n % 26) for n in range(300))
    yield bad("small extensions, 16500 bytes in all", chunked(small + end))
    yield bad("many empty ones, then one too much",
        chunked("1;\r\na\r\n" * 20 + "1;%s\r\na\r\n" % ("x" * 16385) + end))
    yield bad("20 extensions of 70 KB (CVE-2024-22019)",
        chunked(("1;%s\r\na\r\n" % ("x" * 70000)) * 20 + end))


def trailers():
    def trailer(*lines):
        return chunked("5\r\nhello\r\n0\r\n" + "".join(l + "\r\n" for l in lines) + "\r\n")

    yield good("a trailer", trailer("X-Check: 1"))
    yield good("trailers that are digests", trailer("Content-Digest: x", "Digest: y"))
    yield good("a trailer that is empty", trailer("X:"))
    yield good("trailers that look like forbidden ones",
        trailer("X-Content-Length: 5", "Hosts: y", "Connections: close", "Contents: 5"))
    for line in ("Content-Length: 5", "content-length: 0", "Transfer-Encoding: chunked",
            "Host: y", "Connection: close", "Connection: keep-alive", "Trailer: X", "TE: x",
            "Upgrade: h2c", "Expect: 100-continue", "Content-Encoding: gzip",
            "Content-Range: bytes 0-4/5", "Content-Type: text/plain",
            "X : y", "X\t: y", " X: y", "\tX: y", "X Y: z", "X", ": y", "X: a\r\n b",
            "X: a\x00b", "X: \x00", "X: a\x7f", "X: a\x0bb", "X: a\rb", "X: a\nY: b",
            "X\x00: y", "X\xe4: y", "X@: y", "X(: y"):
        yield bad("trailer %r" % line, trailer(line))
    yield bad("LF ends a trailer", trailer("X: y").replace("y\r\n", "y\n"))
    yield bad("CR CR LF ends a trailer", trailer("X: y").replace("y\r\n", "y\r\r\n"))
    yield bad("CR X behind the trailers", trailer("X: y")[:-1] + "X")
    yield bad("a request where trailers are",
        trailer()[:-2] + SMUGGLED)
    yield good("trailers of 8000 bytes", trailer("X: " + "y" * 7995))
    yield bad("trailers of 9000 bytes", trailer("X: " + "y" * 8995))
    yield bad("small trailers, 9000 bytes in all",
        trailer(*["X%03d: %s" % (n, "y" * 38) for n in range(200)]))
    yield bad("a trailer's name of 9000 bytes", trailer("X" * 9000 + ": y"))
    yield bad("a long name that is forbidden",
        trailer("Content-%s: y" % ("x" * 200)))
    yield good("another request behind trailers", trailer("X: y") + second(), 201, 201,
        files={"": "hello", "b": "again"})


# ---- what a request means, and what stands behind it ----

def meanings():
    def field(text, *statuses, **more):
        return bad(text, put(text), *statuses, **more)

    yield kept("PUT without framing", head(LINE, HOST), 411)
    yield kept("POST without framing", head("POST /file HTTP/1.1", HOST), 411)
    yield row("without framing nothing is its body", head(LINE, HOST) + second(), 411, 201,
        closes=False, files={"b": "again"})
    yield bad("without framing what follows is read as a request",
        head(LINE, HOST) + "hello\r\n\r\n", 411, 400)
    yield last("without framing in HTTP/1.0", head(LINE_10), 411, files={})
    yield good("POST gets a name", head("POST /file HTTP/1.1", HOST, FIVE) + "hello",
        files={"+": "hello"})
    yield good("PUT to the location gets a name",
        head("PUT /file HTTP/1.1", HOST, FIVE) + "hello", files={"+": "hello"})
    yield good("POST of a form is stored as it is",
        head("POST /file HTTP/1.1", HOST, FIVE,
            "Content-Type: application/x-www-form-urlencoded") + "a=%41",
        files={"+": "a=%41"})
    yield good("POST of multipart/mixed is stored as it is",
        head("POST /file HTTP/1.1", HOST, FIVE,
            "Content-Type: multipart/mixed; boundary=b") + "--b--", files={"+": "--b--"})
    for line in ("POST /file HTTP/1.1", "POST /file/NAME0000 HTTP/1.1", LINE):
        yield bad("a form with " + line, head(line, HOST, FIVE,
            "Content-Type: multipart/form-data; boundary=b") + "--b--", 415,
            fields={"accept": "application/octet-stream"})
        yield bad("a tus request with " + line, head(line, HOST, FIVE,
            "Tus-Resumable: 1.0.0", "Upload-Length: 5") + "hello", 400)
    yield kept("a tus creation", head("POST /file HTTP/1.1", HOST, "Content-Length: 0",
        "Tus-Resumable: 1.0.0", "Upload-Length: 5"), 400)
    yield good("POST to a name", head("POST /file/NAME0000 HTTP/1.1", HOST, FIVE) + "hello")
    yield good("POST behind the slash gets a name",
        head("POST /file/ HTTP/1.1", HOST, FIVE) + "hello", files={"+": "hello"})

    yield field("Content-Range: bytes 0-4/10", 400)
    yield field("Content-Range: bytes */5", 400)
    yield good("Content-Range of all of it", put("Content-Range: bytes 0-4/5"))
    yield field("Content-Range:", 400)
    yield bad("Content-Range of a POST",
        head("POST /file HTTP/1.1", HOST, FIVE, "Content-Range: bytes 5-9/10") + "hello")
    yield kept("Content-Range of a GET",
        head("GET / HTTP/1.1", HOST, "Content-Range: bytes 0-4/10"), 200)
    for text in ("gzip", "GZIP", "identity, gzip", "gzip, identity", "br", "x", "identity;q=1"):
        yield field("Content-Encoding: " + text, 415, fields={"accept-encoding": "identity"})
    for text in ("identity", "Identity", "", ",", "identity, identity"):
        yield good("Content-Encoding: " + text, put("Content-Encoding: " + text))
    yield good("Range of a PUT", put("Range: bytes=0-1"))
    yield bad("If-Match that is none", put("If-Match: x"))
    yield kept("If-Match of what is not there", put('If-Match: "x"'), 412)
    yield bad("If-Match twice", put("If-Match: *", "If-Match: *"))
    yield good("If-None-Match: *", put("If-None-Match: *"))
    yield kept("GET of what is not there", get("/file/NAME0000"), 404)
    yield kept("OPTIONS of a name", head("OPTIONS /file/NAME0000 HTTP/1.1", HOST), 204,
        fields={"allow": "GET, HEAD, POST, PUT, OPTIONS"})
    yield kept("OPTIONS of nothing", head("OPTIONS /nowhere HTTP/1.1", HOST), 404)
    yield kept("HEAD of nothing", head("HEAD /file/NAME0000 HTTP/1.1", HOST), 404,
        methods=("HEAD",))


def expectations():
    def expect(*fields, statuses=(417,)):
        return bad(", ".join(fields), put(*fields), *statuses)

    for text in ("100-continue", "100-CONTINUE", "100-Continue, 100-continue",
            ",100-continue,", "\t100-continue "):
        yield good("Expect: " + text, put("Expect: " + text), interim=True)
    yield good("Expect twice", put("Expect: 100-continue", "Expect: 100-continue"),
        interim=True)
    yield good("Expect of chunks",
        head(LINE, HOST, "Expect: 100-continue", CHUNKED) + "5\r\nhello\r\n0\r\n\r\n",
        interim=True)
    yield bad("Expect of chunks that are none",
        head(LINE, HOST, "Expect: 100-continue", CHUNKED) + "5\r\nhello!\r\n0\r\n\r\n",
        interim=True)
    yield good("Expect nothing", put("Expect:"))
    yield good("Expect, and a body of 0 bytes",
        head(LINE, HOST, "Expect: 100-continue", "Content-Length: 0"), files={"": ""})
    yield last("Expect of HTTP/1.0 is ignored",
        head(LINE_10, "Expect: 100-continue", FIVE) + "hello")
    yield last("Expect of HTTP/1.0 is ignored, whatever it is",
        head(LINE_10, "Expect: the-unexpected", FIVE) + "hello")
    yield kept("Expect of a GET", head("GET / HTTP/1.1", HOST, "Expect: 100-continue"), 200)
    yield kept("Expect without framing", head(LINE, HOST, "Expect: 100-continue"), 411)
    yield bad("Expect of what is too large",
        head("PUT /tiny/NAME0000 HTTP/1.1", HOST, "Expect: 100-continue",
            "Content-Length: 11") + "hello world", 413)
    yield bad("Expect of a head that is refused", put("Expect: 100-continue", "X"))
    yield good("Expect, and a request behind it",
        put("Expect: 100-continue") + second(), 201, 201, interim=True,
        files={"": "hello", "b": "again"})
    yield expect("Expect: the-unexpected")
    yield expect("Expect: 100-continue, x")
    yield expect("Expect: x", "Expect: 100-continue")
    yield expect("Expect: 100-continue=1")
    yield expect("Expect: 100")


def upgrades():
    h2c = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")

    yield good("PUT with Upgrade: h2c", put(*h2c))
    yield good("chunks with Upgrade: h2c",
        head(LINE, HOST, *h2c, CHUNKED) + "5\r\nhello\r\n0\r\n\r\n")
    yield kept("GET with Upgrade: h2c", head("GET / HTTP/1.1", HOST, *h2c), 200)
    yield kept("GET with Upgrade: websocket",
        head("GET / HTTP/1.1", HOST, "Connection: Upgrade", "Upgrade: websocket"), 200)
    yield good("Upgrade, and a request behind it", put(*h2c) + second(), 201, 201,
        files={"": "hello", "b": "again"})


def connections():
    both = {"": "hello", "b": "again"}

    def closing(*fields):
        return last(", ".join(fields), put(*fields))

    def open_still(*fields):
        return good(", ".join(fields), put(*fields) + second(), 201, 201, files=both)

    yield good("one behind a length", put() + second(), 201, 201, files=both)
    yield good("one behind chunks", chunked("5\r\nhello\r\n0\r\n\r\n") + second(), 201, 201,
        files=both)
    yield good("chunks behind chunks",
        chunked("5\r\nhello\r\n0\r\n\r\n") +
        chunked("5\r\nagain\r\n0\r\n\r\n").replace(NAME, NAME + "b"), 201, 201, files=both)
    yield good("stored, then read, then read again, then not found",
        put() + get("/file/NAME0000") + head("HEAD /file/NAME0000 HTTP/1.1", HOST) +
        get("/file/NAME0000x"), 201, 200, 200, 404, methods=("PUT", "GET", "HEAD", "GET"))
    yield good("empty lines between requests", put() + "\r\n\r\n" + second(), 201, 201,
        files=both)
    yield good("empty lines between requests count anew for each",
        ("\r\n" * 3).join(second("%d" % n) for n in range(4)), *[201] * 4,
        files={"%d" % n: "again" for n in range(4)})
    yield good("ten in a row", "".join(second("%d" % n) for n in range(10)), *[201] * 10,
        files={"%d" % n: "again" for n in range(10)})
    yield good("the same name twice", put() + put(), 201, 200)
    yield bad("a good one, then one that is refused", put() + put("X : y"), 201, 400,
        files=HELLO)
    yield bad("refused by a full head, then a good one", put("X : y") + put())
    yield bad("a 404 that is kept, then one that is refused",
        get("/file/NAME0000") + put(" X: y"), 404, 400)
    # The answer to it has content, whatever the one before was.
    yield bad("HEAD, then one that is refused at once",
        head("HEAD / HTTP/1.1", HOST) + put().replace("\r\n", "\n"), 200, 400,
        methods=("HEAD", "PUT"))
    yield bad("HEAD, then one that is refused when it is whole",
        head("HEAD / HTTP/1.1", HOST) + put("X : y"), 200, 400, methods=("HEAD", "PUT"))
    yield bad("HEAD that is refused when it is whole",
        head("HEAD / HTTP/1.1", HOST, "X : y"), methods=("HEAD",))
    yield bad("HEAD that is refused at once",
        head("HEAD / HTTP/1.1", HOST, "X: \x01"), methods=("HEAD",))
    yield closing("Connection: close")
    yield closing("Connection: Close")
    yield closing("Connection: foo, close")
    yield closing("Connection: close, keep-alive")
    yield closing("Connection: keep-alive, close")
    yield closing("Connection: ,,close,")
    yield closing("Connection: keep-alive", "Connection: close")
    yield closing("Connection: close", "Connection: keep-alive")
    yield open_still("Connection: keep-alive")
    yield open_still("Connection: closed")
    yield open_still("Connection: ")
    yield open_still("Proxy-Connection: close")
    yield open_still("Keep-Alive: timeout=1, max=1")
    yield last("close behind chunks",
        head(LINE, HOST, CHUNKED, "Connection: close") + "5\r\nhello\r\n0\r\n\r\n")
    yield last("close of a GET", head("GET / HTTP/1.1", HOST, "Connection: close"), 200,
        files={})
    yield last("close of a 404",
        head("GET /nowhere HTTP/1.1", HOST, "Connection: close"), 404, files={})
    yield last("close of the second", put() + put("Connection: close").replace(
        NAME, NAME + "b"), 201, 201, files={"": "hello", "b": "hello"})
    yield last("HTTP/1.0", head(LINE_10, FIVE) + "hello")
    yield last("HTTP/1.0 that says close", head(LINE_10, "Connection: close", FIVE) + "hello")
    yield good("HTTP/1.0 with keep-alive",
        head(LINE_10, "Connection: Keep-Alive", FIVE) + "hello" + second(), 201, 201,
        files=both)
    yield last("HTTP/1.0 with keep-alive and close",
        head(LINE_10, "Connection: keep-alive, close", FIVE) + "hello")
    yield last("HTTP/1.0 with Proxy-Connection",
        head(LINE_10, "Proxy-Connection: keep-alive", FIVE) + "hello")
    yield last("HTTP/1.0 behind HTTP/1.1",
        put() + head("GET / HTTP/1.0"), 201, 200)


GROUPS = {
    "head": (request_lines, methods, targets, versions, hosts, limits),
    "bytes": (line_ends, field_bytes, field_lines),
    "framing": (lengths, codings, bodies_of_others),
    "chunks": (chunk_sizes, chunk_lines, extensions, trailers),
    "meaning": (meanings, expectations, upgrades, connections),
}


def rows_of(group):
    return [r for rows in GROUPS[group] for r in rows()]
