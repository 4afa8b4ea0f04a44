"""Resumable uploads and forms, beside plain PUT, and beside @tus/server."""
import os
import shutil
import subprocess
import sys

import procs
from generators import run_load
from held import settled
from machine import GIB, KIB, MIB
from servers import ROOT, Penstock, Server
from turns import Turns
from uploads import Uploads

CLIENTS = os.environ.get("PENSTOCK_CLIENTS") or os.path.join(ROOT,
                                                             "build/clients")
TUS = ("Tus-Resumable: 1.0.0",
       "Content-Type: application/offset+octet-stream")


def lines(*fields):
    return [word for field in fields for word in ("-H", field)]


class Put(Penstock):
    """Plain PUT, with all that the others have switched on."""

    name = "put"
    label = "PUT"

    def server_lines(self):
        return ["server_name x 127.0.0.1;"]

    def lines(self, prefix):
        return super().lines(prefix) + [
            "resume      on;", "max_resumable 0;",
            "max_resumable_per_client 0;"]


class Tus(Put):
    name = "tus"
    label = "tus: POST and PATCH"
    method = "POST"

    def url(self, prefix):
        return f"/{prefix}/"

    def client(self):
        return ["-R"]


class Creation(Tus):
    """All bytes come with the creation, 4 KiB."""

    name = "tus-creation"
    label = "tus: creation-with-upload"

    def client(self):
        return lines(*TUS, f"Upload-Length: {4 * KIB}")


class Form(Put):
    name = "form"
    label = "a form"
    method = "POST"

    def client(self):
        return ["-F"]


def synced(kind):
    return type("Synced" + kind.__name__, (kind,), {
        "name": kind.name + "-sync", "label": kind.label + ", sync on",
        "sync": "on", "durable": True})


class TusServer(Server):
    """@tus/server, with its file store."""

    name = "tus-server"
    label = "@tus/server: POST and PATCH"
    method = "POST"
    peer = True
    note = ("tus-server: @tus/server 2.4.5 with @tus/file-store 2.1.1, node "
            "20.20.2, two processes of node:cluster")

    def url(self, prefix):
        return "/files/"

    def client(self):
        return ["-R"]

    def environment(self):
        return {"PENSTOCK_CLIENTS": CLIENTS}

    def argv(self):
        return [os.path.join(CLIENTS, "node"),
                os.path.join(ROOT, "tests/lib/clients/tus_server.mjs"),
                str(self.port),
                next(iter(self.places.values())) + "/files",
                str(self.workers)]


class TusServerCreation(TusServer):
    name = "tus-server-creation"
    label = "@tus/server: creation-with-upload"

    def client(self):
        return lines(*TUS, f"Upload-Length: {4 * KIB}")


class ManyWays(Uploads):
    """The same bytes in each of `ways`, one after the other."""

    def __init__(self, name, what, ways, *how):
        super().__init__(name, what, *how)
        self.ways = ways

    def kinds(self, bench):
        left_out = {"off": True, "on": False}.get(bench.options.sync)
        return [kind for kind in self.ways
                if kind.peer or kind.durable != left_out]


class Suspended(Turns):
    """What uploads that wait cost: memory of the workers, and time of a HEAD
    of one of them, while there are few and many."""

    figures = ("few_rate", "many_rate", "of_few", "growth_kib",
               "few_p99", "many_p99")
    FEW, WARM, SOME, MANY = 10, 1000, 10_000, 100_000

    def __init__(self):
        super().__init__("suspended", f"{self.MANY:,} uploads that wait to be "
                         "resumed, two workers: memory, and HEAD × 16")

    def kinds(self, bench):
        del bench
        return [synced(Tus)]

    def turn(self, bench, kind):
        many = self.SOME if bench.options.quick else self.MANY
        place = bench.new_place(bench.dirs["disk"])
        try:
            with kind({"file": place}, bench.home()) as server:
                bench.configs.setdefault(f"{self.name}: {kind.name}",
                                         server.config())
                return self.measure(bench, server, place, many)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def measure(self, bench, server, place, many):
        self.suspend(bench, server, self.FEW)
        few = self.heads(bench, server, place)
        self.suspend(bench, server, self.WARM) # buffers of connections
        before = settled(server.process.pid)
        self.suspend(bench, server, self.SOME)
        growth = settled(server.process.pid) - before
        self.suspend(bench, server, many - self.SOME)
        after = self.heads(bench, server, place)
        return {"problems": {}, "growth_kib": growth * 1024 / self.SOME,
                "few_rate": few["rate"], "many_rate": after["rate"],
                "of_few": after["rate"] / few["rate"],
                "few_p99": few["latency_ms"]["p99"],
                "many_p99": after["latency_ms"]["p99"]}

    def suspend(self, bench, server, count):
        """Half of an upload each."""
        if count == 0:
            return
        argv = [bench.load, "--json", "-m", "POST", "-u", "/file/", "-s", "4k",
                "-c", "64", "-d", "600", "-n", str(count),
                *lines(*TUS, f"Upload-Length: {8 * KIB}"),
                f"127.0.0.1:{server.port}"]
        procs.run_json(argv)

    def heads(self, bench, server, place):
        """HEAD of all of them, one after the other."""
        below = os.path.join(place, "files/.penstock")
        names = [n[:-5] for n in os.listdir(below) if n.endswith(".info")]
        targets = os.path.join(server.home, "targets")
        with open(targets, "w") as f:
            f.writelines(f"/file/.penstock/{name}\n" for name in names)
        result = run_load([
            bench.load, "--json", "--allow-errors", "-m", "HEAD", "-U",
            targets, "-H", TUS[0], "-c", "16", "-d",
            "2" if bench.options.quick else "5",
            f"127.0.0.1:{server.port}"])
        if result["problems"]:
            raise procs.Failed(f"HEAD: {result['problems']}")
        return result


class TakenOver(Turns):
    """How long a newer request waits for an upload whose connection is half
    dead."""

    figures = ("another_ms", "another_most", "same_ms", "same_most")

    def __init__(self):
        super().__init__("take-over", "an upload is taken over from a "
                         "connection that is half dead, two workers")

    def kinds(self, bench):
        del bench
        return [synced(Tus)]

    def turn(self, bench, kind):
        place = bench.new_place(bench.dirs["disk"])
        found = {"problems": {}}
        try:
            with kind({"file": place}, bench.home()) as server:
                for where in ("another", "same"):
                    median_ms, most = self.taken(server, place, where)
                    found[where + "_ms"] = median_ms
                    found[where + "_most"] = most
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return found

    def taken(self, server, place, where):
        pid = server.process.pid
        procs.eventually("the workers are there",
                         lambda: len(procs.family(pid)) > server.workers)
        workers = procs.family(pid)[1:]
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(ROOT, "tests/lib/commands.py"),
             "takeover", "take_over", "tus", "head", where, "none", "50",
             os.path.join(place, "files"), *map(str, workers)],
            env=dict(os.environ, PORT=str(server.port)), capture_output=True,
            text=True)
        if done.returncode != 0:
            raise procs.Failed(f"take-over: {done.stderr.strip()[-400:]}")
        return [float(word) for word in done.stdout.split()]


BULK = (64 * MIB, 8, "disk", 2 * GIB, 30)
SMALL = (4 * KIB, 64, "memory", GIB, 5)

OF_RESUME = [
    ManyWays("tus-disk-64m", "64 MiB × 8 to disk, 2 GiB in all, tus in one "
             "PATCH", [Put, Tus, synced(Put), synced(Tus), TusServer], *BULK),
    ManyWays("tus-4k", "4 KiB × 64 to tmpfs, tus", [Put, Tus, TusServer],
             *SMALL),
    ManyWays("tus-4k-creation", "4 KiB × 64 to tmpfs, tus with the creation",
             [Put, Creation, TusServerCreation], *SMALL),
    Suspended(),
    TakenOver(),
]

OF_FORMS = [
    ManyWays("form-disk-64m", "64 MiB × 8 to disk, 2 GiB in all, as forms",
             [Put, Form, synced(Put), synced(Form)], *BULK),
    ManyWays("form-4k", "4 KiB × 64 to tmpfs, as forms", [Put, Form], *SMALL),
]
