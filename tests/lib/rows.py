# Send the rows of httprows.py to a server, whole, byte by byte, and cut in two
# at every place, and compare: the answers must be those of the table and the
# same however the bytes came.  (Not, though, if they came late: a client that is
# silent for a tenth of a second may be answered before it has sent all.  That is our
# doing when this machine stands still; such a variant is sent again.)
#
#	rows.py PORT STORE GROUP [CUTS]
#
# With $PENSTOCK_TLS it does so over TLS, and each piece is a record.
#
# STORE is what /file stores in, with overwrite on; CUTS the most places that
# a row is cut at (0: the default).  A line for each variant that is not as
# the table says, and status 1 then.

import itertools
import json
import os
import re
import selectors
import sys
import time

import httprows
import wire

AT_ONCE = 250    # connections
LONG = 1500      # bytes of a row that is not cut at every place
LONG_CUTS = 200  # but at so many
TAIL_STEP = 9    # how far apart the cuts in the request behind a refused one are
BYTES_MAX = 40000 # of a row that are sent one by one; what is behind is too late
COMPLAINTS = 3   # lines to print for a row
LATE_S = 0.05    # between two pieces
TRIES = 5        # of a variant that was late
AGAIN = b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

numbers = itertools.count()


class Client:
    """One connection that is sent a row in pieces."""

    def __init__(self, row, mode, cuts, tries=1):
        self.row = row
        self.mode = mode
        self.cuts = cuts
        self.tries = tries
        self.sent_at = None # the last piece
        self.gap = 0.0 # the longest between two
        self.token = b"t%07d" % next(numbers)
        data = row.data.replace(httprows.NAME.encode(), self.token)
        edges = [0, *cuts, len(data)]
        self.pieces = [data[a:b] for a, b in zip(edges, edges[1:])]
        # Behind the head the first 100 is waited for: it must come.
        end = data.find(b"\r\n\r\n") + 4
        self.awaits_100 = row.interim and cuts == [end]
        self.got = b""
        self.how = None # the connection ended: "closed", "reset", "open", ...
        self.asked_again = False
        self.sock = None

    def open(self, port):
        self.sock = wire.connect(port)

    def send(self, piece):
        if self.how is not None:
            return
        try:
            self.sock.sendall(piece)
        except TimeoutError:
            self.end("nothing is taken")
        except OSError: # of TLS there are more kinds
            self.end("reset while sending")

    def send_piece(self, i):
        if i >= len(self.pieces):
            return
        if i == 1 and self.awaits_100:
            self.receive() # with the socket's own patience
        self.send(self.pieces[i])
        now = time.monotonic()
        if self.sent_at is not None:
            self.gap = max(self.gap, now - self.sent_at)
        self.sent_at = now
        if i == len(self.pieces) - 1 and self.row.half_close and self.how is None:
            wire.send_no_more(self.sock)

    def receive(self):
        try:
            more = self.sock.recv(1 << 16)
        except ConnectionResetError:
            self.end("reset")
            return
        except TimeoutError:
            self.end("silent")
            return
        except OSError as e: # of TLS
            self.end(type(e).__name__)
            return
        self.got += more
        if not more:
            self.end("closed")
        elif not self.row.closes and not self.asked_again:
            self.ask_again()

    def ask_again(self):
        """All that was expected is there: one more, which the server closes after."""
        try:
            answers, rest = wire.answers_in(self.got, self.row.methods)
        except wire.Malformed:
            return
        if sum(a.status >= 200 for a in answers) >= len(self.row.statuses):
            self.asked_again = True
            self.send(AGAIN)

    def was_late(self):
        return self.gap > LATE_S and self.tries < TRIES

    def once_more(self):
        return Client(self.row, self.mode, self.cuts, self.tries + 1)

    def end(self, how):
        self.how = how
        self.sock.close()

    # ---- what became of it ----

    def complaint(self, reference):
        """What is wrong; None: nothing.  `reference`: the answers to compare with."""
        want = self.row.statuses + ([] if self.row.closes else [204])
        try:
            answers, rest = wire.answers_in(self.got, self.row.methods)
        except wire.Malformed as e:
            return "no answer: %s in %r" % (e, self.got[:400])
        finals = [a for a in answers if a.status >= 200]
        interims = [a.status for a in answers if a.status < 200]
        got = [a.status for a in finals]
        if got != want or rest or self.how != "closed":
            return "got %s, then %s%s; expected %s, then closed" % (
                got, self.how, " and %r" % rest[:80] if rest else "", want)
        if interims and (interims != [100] or not self.row.interim):
            return "interim answers %s" % interims
        if self.awaits_100 and interims != [100]:
            return "no 100 came"
        return self.wrong_in(finals) or self.differs(finals, reference)

    def wrong_in(self, finals):
        for i, a in enumerate(finals):
            is_last = i == len(finals) - 1
            if a.value("connection") != ("close" if is_last else "keep-alive"):
                return "answer %d says Connection: %s" % (i + 1, a.value("connection"))
            headless = self.row.methods[i:i + 1] == ("HEAD",)
            if a.status >= 400 and not headless and wire.problem_with(a):
                return wire.problem_with(a)
        for name, value in self.row.fields.items():
            if finals[0].value(name) != value:
                return "%s is %s, not %s" % (name, finals[0].value(name), value)
        return None

    def differs(self, finals, reference):
        mine = self.plain(finals)
        if reference is None or mine == reference:
            return None
        return "the answer is not that to the whole: %s, not %s" % (mine, reference)

    def plain(self, finals):
        """The answers without what may differ from one time to the next."""
        found = []
        for a in finals:
            fields = [f for f in a.fields
                if f[0] not in ("date", "server-timing", "etag", "last-modified")]
            text = repr((a.status, a.reason, fields, plain_content(a)))
            text = text.replace(self.token.decode(), httprows.NAME)
            # A name that the server made, and what is as long as a receipt.
            text = re.sub(r"\d{8}T\d{6}[^/'\"]*?-[0-9a-f]{16}", "GENERATED", text)
            if a.value("content-type") == "application/json":
                text = re.sub(r"\('content-length', '\d+'\)", "", text)
            found.append(text)
        return found

    def generated_name(self):
        answers, rest = wire.answers_in(self.got, self.row.methods)
        place = [a.value("location") for a in answers if a.status == 201]
        return place[0].rsplit("/", 1)[1] if place else "no name"

    def files(self):
        """name -> content of what must be stored now."""
        found = {}
        for suffix, content in self.row.files.items():
            name = self.token.decode() + suffix
            if suffix == "+":
                name = self.generated_name()
            found[name] = content.replace(httprows.NAME.encode(), self.token)
        return found


def plain_content(answer):
    if answer.value("content-type") != "application/json":
        return answer.content
    receipt = json.loads(answer.content)
    for name in ("id", "ms", "verdict", "overlap_saved_ms"):
        del receipt[name]
    return receipt


# ---- sending ----

def pause_after(clients, piece):
    """Long enough for the server to have read this piece alone."""
    if piece > LONG:
        return
    single = any(c.mode == "byte by byte" for c in clients)
    time.sleep(0.0003 if single else 0.004 + len(clients) * 0.0001)


def send_all(clients, port):
    for c in clients:
        c.open(port)
    rounds = max(len(c.pieces) for c in clients)
    for i in range(rounds):
        for c in clients:
            c.send_piece(i)
        if i < rounds - 1:
            pause_after(clients, i)


def receive_all(clients):
    """Until the server has closed them all, or says nothing any more."""
    with selectors.DefaultSelector() as sel:
        for c in clients:
            if c.how is None:
                sel.register(c.sock, selectors.EVENT_READ, c)
        while sel.get_map():
            ready = sel.select(wire.PATIENCE)
            for key, events in ready:
                fd = key.fd
                key.data.receive()
                if key.data.how is not None:
                    sel.unregister(fd)
            if not ready:
                for key in list(sel.get_map().values()):
                    sel.unregister(key.fd)
                    key.data.end("open")


class Run:
    def __init__(self, port, store):
        self.port = port
        self.store = store
        self.reference = {} # of a row's name: its plain answers when sent whole
        self.complaints = 0
        self.of_row = {} # of a row's name: how many

    def complain(self, client, text):
        name = client.row.name
        self.complaints += 1
        self.of_row[name] = self.of_row.get(name, 0) + 1
        if self.of_row[name] <= COMPLAINTS:
            print("%s, %s: %s" % (name, client.mode, text))

    def send(self, clients):
        for at in range(0, len(clients), AT_ONCE):
            self.send_batch(clients[at:at + AT_ONCE])

    def send_batch(self, clients):
        send_all(clients, self.port)
        receive_all(clients)
        late = []
        for c in clients:
            text = c.complaint(self.reference.get(c.row.name))
            if text and c.was_late():
                late.append(c)
            elif text:
                self.complain(c, text)
            elif c.mode == "whole":
                answers, rest = wire.answers_in(c.got, c.row.methods)
                self.reference[c.row.name] = c.plain(
                    [a for a in answers if a.status >= 200])
        self.remove_files(late)
        self.check_files([c for c in clients if c not in late])
        for name in dict.fromkeys(c.row.name for c in clients):
            self.check_normal(name)
        if late:
            print("%d were late, and are sent again" % len(late))
            self.send([c.once_more() for c in late])

    def stored(self):
        return {e.name for e in os.scandir(self.store) if e.name != ".penstock"}

    def remove_files(self, clients):
        tokens = {c.token.decode() for c in clients}
        for name in self.stored():
            if name[:8] in tokens:
                os.unlink(os.path.join(self.store, name))

    def check_files(self, clients):
        """What was stored is what the rows say, and nothing else; remove it."""
        there = self.stored()
        for c in clients:
            for name, content in c.files().items():
                if name not in there:
                    self.complain(c, "%s is not stored" % name)
                    continue
                there.remove(name)
                path = os.path.join(self.store, name)
                with open(path, "rb") as f:
                    if f.read() != content:
                        self.complain(c, "%s has another content" % name)
                os.unlink(path)
        for name in there:
            self.complain(self.culprit(clients, name), "%s is stored" % name)
            os.unlink(os.path.join(self.store, name))

    def culprit(self, clients, name):
        for c in clients:
            if c.token.decode() in name:
                return c
        return clients[-1]

    def check_normal(self, name):
        """A client that comes behind a hostile one is served."""
        content = os.urandom(700)
        file = "normal%d" % next(numbers)
        s = wire.connect(self.port)
        s.sendall(b"PUT /file/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (file.encode(), len(content), content))
        got = b""
        more = s.recv(1 << 16)
        while more:
            got += more
            more = s.recv(1 << 16)
        s.close()
        answers, rest = wire.answers_in(got)
        path = os.path.join(self.store, file)
        if [a.status for a in answers] != [201] or open(path, "rb").read() != content:
            self.complaints += 1
            print("after %s a good upload got %r" % (name, got[:200]))
        if os.path.exists(path):
            os.unlink(path)


# ---- where to cut ----

def spread(places, most):
    """At most `most` of them, evenly."""
    if len(places) <= most:
        return places
    return [places[i * len(places) // most] for i in range(most)]


def places_of(row, most):
    size = len(row.data)
    own = size - row.tail
    head_end = row.data.find(b"\r\n\r\n") + 4
    must = {p for p in (1, head_end - 1, head_end, own, size - 1) if 0 < p < size}
    if own <= LONG:
        places = list(range(1, own)) + list(range(own, size, TAIL_STEP))
    else:
        ends = {m.start() + d for m in re.finditer(rb"[\r\n]", row.data) for d in (0, 1)}
        places = spread(sorted(ends), LONG_CUTS // 2) + \
            spread(list(range(1, size)), LONG_CUTS // 2)
        # Long rows are dear, very long ones very dear.
        places = spread(sorted(places), max(10, min(LONG_CUTS, 8000000 // size)))
    if most:
        places = spread(places, most)
    return sorted(p for p in must.union(places) if 0 < p < size)


def whole(row):
    return Client(row, "whole", [])


def in_bytes(row):
    return Client(row, "byte by byte", list(range(1, min(len(row.data), BYTES_MAX))))


def in_two(row, most):
    return [Client(row, "cut at %d" % p, [p]) for p in places_of(row, most)]


def main(port, store, group, most=0):
    rows = httprows.rows_of(group)
    run = Run(int(port), store)
    run.send([whole(r) for r in rows])
    run.send([in_bytes(r) for r in rows])
    variants = (c for r in rows for c in in_two(r, int(most)))
    sent = 2 * len(rows)
    while True:
        batch = list(itertools.islice(variants, AT_ONCE))
        if not batch:
            break
        run.send(batch)
        sent += len(batch)
    for name in run.stored():
        run.complaints += 1
        print("at the end %s is stored" % name)
    print("%s: %d rows in %d connections, %d complaints" %
        (group, len(rows), sent, run.complaints))
    return 1 if run.complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
