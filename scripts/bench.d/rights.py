"""What it costs that one must say who one is."""
import base64
import hashlib
import hmac
import os
import secrets
import shutil
import time

import procs
from generators import Job
from machine import KIB
from measure import measure
from over_tls import PenstockOverTls, make_pair
from servers import Penstock
from turns import Turns


class NoRights(Penstock):
    """Penstock as it is, over which the others lay rules."""

    name = "none"
    label = "no rules"
    how = "nothing"

    def lines(self, prefix):
        return super().lines(prefix) + self.rules()

    def rules(self):
        return []

    def prepare(self):
        """Make the secrets, in `home`."""

    def start(self):
        os.makedirs(self.home, exist_ok=True)
        self.prepare()
        return super().start()

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "w") as f:
            f.write(text)
        return path

    def target(self, number):
        return f"/file/r{number}"


class Addresses(NoRights):
    name = "addresses"
    label = "`allow`, `deny`"

    def rules(self):
        return ["allow 192.0.2.0/24;", "allow 127.0.0.1;", "deny all;"]


class Token(NoRights):
    name = "token"
    label = "a token, of 16"

    def prepare(self):
        path = os.path.join(self.home, "tokens")
        if os.path.exists(path):
            os.unlink(path)
        for number in range(16):
            self.token = procs.command(self.binary, "token", path,
                                       f"t{number}").split()[0]

    def rules(self):
        return [f"auth_bearer_file {self.home}/tokens;"]

    def client(self):
        return [*super().client(), "-H", f"Authorization: Bearer {self.token}"]


class Password(NoRights):
    name = "password"
    label = "a password (SHA-512), remembered"

    def prepare(self):
        hashed = procs.command("openssl", "passwd", "-6", "secret").strip()
        self.write("users", f"ann:{hashed}\n")

    def rules(self):
        return ['auth_basic "uploads";',
                f"auth_basic_user_file {self.home}/users;"]

    def client(self):
        said = base64.b64encode(b"ann:secret").decode()
        return [*super().client(), "-H", f"Authorization: Basic {said}"]


class Link(NoRights):
    name = "link"
    label = "a signed link"

    def prepare(self):
        self.key = secrets.token_bytes(32)
        self.write("links", f"k1 {self.key.hex()}\n")
        self.expires = int(time.time()) + 3600

    def rules(self):
        return [f"signed_link_keys {self.home}/links;"]

    def target(self, number):
        path = super().target(number)
        text = f"penstock link 1\nPUT\n{path}\n{self.expires}\n0\n\n"
        signed = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return f"{path}?exp={self.expires}&key=k1&sig={signed}"


class NoRightsTls(PenstockOverTls, NoRights):
    label = "no rules, TLS"


class Certificate(NoRightsTls):
    """The server's own certificate is the client's as well, and its own
    authority."""

    name = "certificate"
    label = "a client's certificate"

    def prepare(self):
        make_pair(self.home, "ec")
        text = ""
        for part in ("pem", "key"):
            with open(os.path.join(self.home, "ec." + part)) as f:
                text += f.read()
        self.both = self.write("client.pem", text)

    def server_lines(self):
        return [*super().server_lines(),
                f"ssl_client_certificate {self.home}/ec.pem;",
                "ssl_verify_client on;"]

    def rules(self):
        return ["auth_client_certificate on;"]

    def client(self):
        return [*super().client(), "-E", self.both]


class Rights(Turns):
    """4 KiB × 64 to tmpfs, new names, on connections that are kept, with one
    kind of right after the other; the first of `sorts` has none."""

    figures = ("rate", "cpu_request_us", "p99", "busy", "busiest")
    COUNT, QUICK_COUNT = 120_000, 60_000

    def __init__(self, name, what, sorts):
        super().__init__(name, what)
        self.sorts = sorts

    def kinds(self, bench):
        del bench
        return self.sorts

    def turn(self, bench, kind):
        place = bench.new_place(bench.dirs["memory"])
        count = self.QUICK_COUNT if bench.options.quick else self.COUNT
        try:
            with kind({"file": place}, bench.home()) as server:
                bench.configs.setdefault(f"{self.name}: {kind.name}",
                                         server.config())
                self.warm_up(bench, server, count)
                targets = self.targets(server, range(count))
                return measure(bench, server,
                               self.job(targets, count))
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def targets(self, server, numbers):
        return server.write("targets", "".join(
            server.target(number) + "\n" for number in numbers))

    def job(self, targets, count, connections=64):
        return Job(4 * KIB, connections, 60, count, "/file/r%d",
                   options=("-U", targets))

    def warm_up(self, bench, server, first):
        """Some uploads.  Each worker has verified a password before many come
        at once with it."""
        once = self.targets(server, range(first, first + 32))
        self.upload(bench, server, self.job(once, 32, 2))
        more = self.targets(server, range(first + 32, first + 544))
        self.upload(bench, server, self.job(more, 512))

    def upload(self, bench, server, job):
        result = bench.generator.load.run(server, job)
        if result["problems"]:
            raise procs.Failed(f"an upload: {result['problems']}")


OF_RIGHTS = [
    Rights("rights", "4 KiB × 64 to tmpfs by who may upload",
           [NoRights, Addresses, Token, Password, Link]),
    Rights("rights-tls", "the same over TLS", [NoRightsTls, Certificate]),
]
