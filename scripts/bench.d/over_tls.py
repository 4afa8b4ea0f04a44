"""The works over TLS: the same servers with `ssl`, TLS 1.3, and the same key.

`load` offers TLS_AES_128_GCM_SHA256 and nothing else, and resumes no session.
"""
import os
import shutil
import socket
import ssl

import generators
import procs
from beside import Beside
from generators import Job
from held import HEAD, Held
from machine import GIB, KIB, MIB
from measure import measure
from peers import Nginx
from servers import Penstock
from turns import Turns
from uploads import Uploads

NEW_KEY = {"ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
           "rsa": ("-newkey", "rsa:2048")}


def make_pair(home, kind):
    """KIND.pem and KIND.key in `home`, made once."""
    stem = os.path.join(home, kind)
    if not os.path.exists(stem + ".pem"):
        os.makedirs(home, exist_ok=True)
        procs.command(
            "openssl", "req", "-x509", "-nodes", *NEW_KEY[kind], "-days", "2",
            "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
            stem + ".key", "-out", stem + ".pem")


class OverTls:
    """Before a server: the same with TLS."""

    key = "ec"

    def start(self):
        make_pair(self.home, self.key)
        return super().start()

    def client(self):
        return [*super().client(), "-S"]

    def server_lines(self):
        return [*super().server_lines(), "ssl_protocols       TLSv1.3;",
                f"ssl_certificate     {self.home}/{self.key}.pem;",
                f"ssl_certificate_key {self.home}/{self.key}.key;"]


class PenstockOverTls(OverTls):
    def listens(self):
        return [where + " ssl" for where in super().listens()]


class NginxOverTls(OverTls):
    how = " ssl"

    def server_lines(self):
        return [*super().server_lines(), "ssl_conf_command    Ciphersuites "
                "TLS_AES_128_GCM_SHA256;"]


MADE = {}


def over_tls(kind, key="ec"):
    """The server over TLS, by the same name; None: it has no such settings."""
    for plain, before in ((Penstock, PenstockOverTls), (Nginx, NginxOverTls)):
        if issubclass(kind, plain) and (kind, key) not in MADE:
            MADE[kind, key] = type(f"{kind.__name__}OverTls", (before, kind), {
                "key": key, "label": f"{kind.label}, TLS"})
    return MADE.get((kind, key))


def all_over_tls(kinds, key="ec"):
    return [k for k in (over_tls(k, key) for k in kinds) if k]


class TlsUploads(Uploads):
    def kinds(self, bench):
        return all_over_tls(super().kinds(bench))


class Handshakes(Turns):
    """A full handshake, a GET of one byte, and the connection's end: over and
    over.  What it costs the server is what counts: the generator's half of a
    handshake is dearer."""

    figures = ("rate", "per_cpu_second", "cpu_request_us", "p99", "busy")
    AMONG = ("penstock-sync", "nginx-16k") # the buffers' sizes are all one
    CONNECTIONS = 16

    def __init__(self, key, text):
        super().__init__(f"tls-handshakes-{key}", "full handshakes, each with "
                         f"a GET of 1 byte, × {self.CONNECTIONS}, {text}")
        self.key = key

    def kinds(self, bench):
        return all_over_tls(bench.kinds(self.AMONG), self.key)

    def turn(self, bench, kind):
        place = bench.new_place(bench.dirs["memory"])
        try:
            with kind({"file": place}, bench.home()) as server:
                bench.configs.setdefault(f"{self.name}: {kind.name}",
                                         server.config())
                bench.generator.load.run(server, Job(1, 1, 10, 1, "/file/one"))
                turn = measure(bench, server, Job(
                    1, self.CONNECTIONS, 2 if bench.options.quick else 5,
                    target="/file/one", method="GET",
                    options=("-H", "Connection: close")))
        finally:
            shutil.rmtree(place, ignore_errors=True)
        turn["per_cpu_second"] = 1e6 / turn["cpu_request_us"]
        return turn


# ---- memory

class Client:
    """A connection over TLS, made by hand, so that a part of a record can be
    sent."""

    context = None

    def __init__(self, port):
        if Client.context is None:
            Client.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            Client.context.check_hostname = False
            Client.context.verify_mode = ssl.CERT_NONE
        self.came, self.leaves = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.came, self.leaves)
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.until_done(self.tls.do_handshake)

    def until_done(self, call):
        while True:
            try:
                done = call()
            except ssl.SSLWantReadError:
                done = None
            self.send()
            if done is not None or call == self.tls.do_handshake and (
                    self.tls.cipher()):
                return done
            self.came.write(self.socket.recv(65536))

    def send(self, most=None):
        """The first `most` bytes of the records that wait: all, as a rule."""
        if self.leaves.pending:
            self.socket.sendall(self.leaves.read()[:most])

    def close(self):
        self.socket.close()


def tls_idle(port, number):
    client = Client(port)
    client.tls.write(HEAD.format(name=f"i{number}", length=5).encode()
                     + b"hello")
    answer = client.until_done(lambda: client.tls.read(4096))
    if b" 20" not in answer[:12]:
        raise procs.Failed(f"an upload was answered: {answer[:60]}")
    return client


def tls_silent(port, number):
    """Half of a record of 16 KiB is missing."""
    client = Client(port)
    client.tls.write(HEAD.format(name=f"s{number}", length=300_000).encode())
    client.send()
    client.tls.write(bytes(16 * KIB))
    client.send(8 * KIB)
    return client


class TlsHeld(Held):
    """As Held; silent ones have sent a part of a record."""

    AMONG = ("penstock-sync", "nginx-16k", "nginx-1m")
    count = 2000

    def __init__(self):
        Turns.__init__(self, "tls-memory", f"{self.count:,} connections over "
                       "TLS that do nothing, one worker; silent ones in the "
                       "middle of a record")

    def kinds(self, bench):
        return all_over_tls(super().kinds(bench))

    def idle(self, port, number):
        return tls_idle(port, number)

    def silent(self, port, number):
        return tls_silent(port, number)


# ---- isolation

class TlsBeside(Beside):
    def kinds(self, bench):
        return all_over_tls(super().kinds(bench))


class TlsBesideSlow(TlsBeside):
    """Beside clients that send slowly, to the fast directory."""

    RATE = 40_000 # bytes per second of each

    def small_beside(self, bench, first, target, disk):
        with generators.Background(generators.load_argv(
                bench.load, target, "fast", BULK, self.bulk, "-d", 60, "-r",
                self.RATE)) as running:
            running.wait_for(2)
            return self.small(bench, first)


BULK = 64 * MIB

OF_TLS = [
    TlsUploads("tls-tmpfs-64m", "64 MiB × 8 over TLS to tmpfs, new names",
               64 * MIB, 8, "memory", 2 * GIB, 10),
    TlsUploads("tls-disk-64m", "64 MiB × 8 over TLS to disk, 2 GiB in all",
               64 * MIB, 8, "disk", 2 * GIB, 30),
    TlsUploads("tls-4k", "4 KiB × 64 over TLS to tmpfs, new names, "
               "connections kept", 4 * KIB, 64, "memory", GIB, 5),
    Handshakes("ec", "ECDSA P-256"),
    Handshakes("rsa", "RSA 2048"),
    TlsHeld(),
    TlsBeside("tls-isolation-4", "4 bulk uploads over TLS to a disk of 50 MB/s",
              4, "second"),
    TlsBeside("tls-hung-4", "4 bulk uploads over TLS, the disk hung for good",
              4, "alone", hung=True),
    TlsBesideSlow("tls-slow-200", "200 uploads over TLS of 40 kB/s each", 200,
                  "second"),
]
