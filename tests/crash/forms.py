# The clients of the crash tests that upload by forms: several files at once, some of which have
# a name that another form wants, too; some forms are left before their end.
#
# Beside the rules of oracle.py, with `form_atomic on`:
#
#     the form has not ended        none of its files has a name
#     it was refused                none has (any more)
#     nothing was told              those that have a name are its first ones

import json
import os
import re

import client
import oracle
from oracle import ACKNOWLEDGED, REFUSED, UNKNOWN

PROFILE = client.Profile(small_max=128 << 10, large_max=2 << 20, total_max=96 << 20)


class Form:
    """The files of one form, in their order, and where in its body each has ended."""

    def __init__(self, ups, boundary):
        self.ups, self.boundary = ups, boundary
        self.ends = []
        self.reach = 0  # so many bytes may have been sent

    def pieces(self, rnd):
        """The bytes of the body; a file has ended behind the boundary that follows."""
        at, line = 0, b"--%b" % self.boundary
        for i, up in enumerate(self.ups):
            head = line + b"\r\n"
            if rnd.random() < 0.2:
                head += b'Content-Disposition: form-data; name="note"\r\n\r\nhello\r\n' + line + b"\r\n"
            head += b'Content-Disposition: form-data; name="up"; filename="%b"\r\n\r\n' % os.fsencode(up.name)
            for piece in (head, *up.body.parts(), b"\r\n"):
                yield bytes(piece)
                at += len(piece)
            self.ends.append(at + len(line))
        yield line + b"--\r\n"

    def has_sent(self, i):
        return self.reach >= self.ends[i]


class History(oracle.History):
    def __init__(self, is_atomic):
        super().__init__()
        self.is_atomic = is_atomic
        self.forms = []
        self.in_part = set()  # forms of which some files were found

    def judge(self, root, is_acknowledged=None):
        broken = super().judge(root, is_acknowledged)
        for form in self.forms if self.is_atomic else ():
            there = [_is_at(root, up) for up in form.ups]
            if there != sorted(there, reverse=True):
                names = [up.name for up, is_there in zip(form.ups, there) if is_there]
                broken.append("not the first ones of a form: %s of %s" % (names, [str(up) for up in form.ups]))
            if any(there) and not all(there):
                self.in_part.add(form)
        return broken

    def took_back(self, said):
        """Does the watch say of a file that it had gone again, which then was taken back?"""
        m = re.fullmatch(r".* appeared and cannot be read: (.*): No such file or directory", said)
        ups = [up for form in self.forms for up in form.ups if m and up.name == m[1]]
        return self.is_atomic and bool(ups) and all(up.outcome is not ACKNOWLEDGED for up in ups)

    def judge_image(self, root, is_marked):
        """Until it was told to be refused, what had a name may have it."""
        late = [
            up
            for form in self.forms
            for up in form.ups
            if up.outcome is REFUSED and form.has_sent(-1) and not is_marked("%x" % up.ident)
        ]
        for up in late:
            up.outcome = UNKNOWN
        try:
            return super().judge_image(root, is_marked)
        finally:
            for up in late:
                up.outcome = REFUSED


def _is_at(root, up):
    try:
        return oracle.examine_path(os.path.join(root, up.name))[0] == up.ident
    except (OSError, oracle.Damaged):
        return False


class Client(client.Client):
    """One of them: forms, one after the other."""

    def run(self):
        while not self.load.stopping.is_set() and self.load.take_number():
            self.form()
        self.drop()

    def upload_of(self, before, is_last):
        rnd, fresh = self.random, self.load.fresh()
        name = rnd.choice(("", "", "", "d%d/e/" % rnd.randrange(3))) + client.fresh_name(fresh)
        if is_last and rnd.random() < 0.3:
            name = "taken-%d" % (fresh // 16)
        elif is_last and before and rnd.random() < 0.3:
            name = before[-1].name  # that is seen when this one has its name
        length = self.length("large" if rnd.random() < 0.05 else "new")
        if not self.load.take_bytes(length):
            return None
        return self.load.history.begin(name, length, rnd.getrandbits(16))

    def form(self):
        rnd, load = self.random, self.load
        if not self.connect():
            return
        count, ups = rnd.randint(1, 6), []
        for i in range(count):
            up = self.upload_of(ups, i == count - 1)
            if up is None:
                return
            ups.append(up)
        form = Form(ups, b"crash-%08x" % rnd.getrandbits(32))
        load.history.forms.append(form)
        pieces = list(form.pieces(rnd))
        size = sum(map(len, pieces))
        leave_at = rnd.randrange(size) if rnd.random() < 0.15 else None
        answer, why = None, None
        try:
            self.send_form(form, pieces, size, leave_at)
        except (OSError, client.Gone) as e:
            why = str(e)
        if leave_at is None:
            try:
                answer = self.conn.answer()
            except client.Gone as e:
                why = why or "no answer: %s" % e
        self.tell(form, answer, why or "left")
        if why is not None or answer is None or b"connection: close" in answer[1].lower():
            self.drop()

    def send_form(self, form, pieces, size, leave_at):
        rnd, sock = self.random, self.conn.sock
        chunked = rnd.random() < 0.25
        lines = ["POST /file HTTP/1.1", "Host: x", "Content-Type: multipart/form-data; boundary=%s" % form.boundary.decode()]
        lines += ["Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % size]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        if rnd.random() < 0.5:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            if leave_at is not None:
                piece = piece[: leave_at - form.reach]
            if not piece:
                continue
            if self.conn.has_answer():
                raise client.Gone("answered early")
            form.reach += len(piece)
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked and leave_at is None:
            sock.sendall(b"0\r\n\r\n")

    def tell(self, form, answer, why):
        """What the history says of each file: what the answer says, or what may have come of it."""
        load, files, status = self.load, [], None
        if answer is not None:
            status, _, content = answer
            files = self.files_of(status, content)
        is_unknown = status is None or (status == 500 and b"outcome unknown" in answer[2])
        is_whole = form.has_sent(-1)
        for i, up in enumerate(form.ups):
            said = next((s for name, s in files if name == up.name), None)
            if said is not None:
                files.remove((up.name, said))
            may_be = is_whole if load.history.is_atomic else form.has_sent(i)
            if said in (200, 201):
                load.history.end(up, ACKNOWLEDGED, str(said))
            elif is_unknown and may_be and said is None:
                load.history.end(up, UNKNOWN, why)
            else:
                load.history.end(up, REFUSED, str(said or status or why))
            if answer is not None and load.on_acknowledged is not None:
                load.on_acknowledged(up)

    def files_of(self, status, content):
        """What the answer's list says: name and status of each."""
        history = self.load.history
        self.load.count(status)
        if status not in (200, 201, 409):
            history.breaks("not an answer to expect: %d: %r" % (status, content[:300]))
        try:
            listed = json.loads(content).get("files", [])
        except ValueError:
            history.breaks("no list of files: %r" % content[:200])
            return []
        for f in listed:
            if f["status"] in (200, 201) and f["durability"] != self.load.profile.durability:
                history.breaks("%s is %s" % (f["name"], f["durability"]))
        return [(f["name"], f["status"]) for f in listed]


def load(history, server, seed, clients, on_told=None):
    """Some clients at once; on_told(upload) after each answer, also of what was refused."""
    return client.Load(history, server.address, seed, PROFILE, clients, on_told, Client)


def wishes(rnd):
    """(is form_atomic on?, what the server is to be told)"""
    is_atomic = rnd.random() < 0.7
    return is_atomic, [("form_atomic", "on" if is_atomic else "off")]
