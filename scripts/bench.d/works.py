"""What is measured: each work takes a Bench and returns its rows."""
import os
import signal
import time

import procs
import servers
from durable import Durable
from overlap import Overlap
from rig import (GIB, KIB, MIB, SLOW_RATE, SlowDisk, empty, median,
                 sum_problems)

BULK_SIZE = 64 * MIB
SMALL_CONNECTIONS = 8


# ---- plain uploads: one server at a time

class Throughput:
    """Uploads of one size; a turn ends after `most` bytes or `seconds`."""

    def __init__(self, name, what, size, connections, where, most, seconds):
        self.name = name
        self.what = what
        self.size = size
        self.connections = connections
        self.where = where
        self.most = most
        self.seconds = seconds

    def turn(self, bench, kind):
        place = os.path.join(bench.dirs[self.where], "plain")
        empty(place)
        bench.ballast.hold()
        if self.where == "disk":
            os.sync()
        seconds = self.seconds / (3 if bench.options.quick else 1)
        try:
            with kind({"file": place}, bench.home()) as server:
                warm = min(self.size, 16 * MIB)
                procs.run_load(procs.load_argv(
                    bench.load, server, "file", warm, self.connections,
                    "-n", min(4 * self.connections, 2 * GIB // warm // 8),
                    "-d", 5))
                return self.measure(bench, server, seconds)
        finally:
            empty(place)

    def measure(self, bench, server, seconds):
        bench.ballast.let_go()
        watch = procs.MemoryWatch(server.process.pid)
        cpu = procs.cpu_seconds(server.process.pid)
        # A name may be asked for once only: these begin where the warm-up
        # did not.
        argv = procs.load_argv(
            bench.load, server, "file", self.size, self.connections,
            "-n", max(self.most // self.size, 1), "-d", f"{seconds:g}",
            "-g", 60)
        argv[argv.index("-u") + 1] = server.url("file").replace("r%d", "m%d")
        result = procs.run_load(argv)
        cpu = procs.cpu_seconds(server.process.pid) - cpu
        if result["requests"] == 0:
            raise procs.Failed(f"no answer at all: {result['problems']}")
        return {
            "rate": result["rate"],
            "mib_s": result["mib_s"],
            "p50": result["latency_ms"]["p50"],
            "p99": result["latency_ms"]["p99"],
            "cpu_gib": cpu / (result["bytes"] / GIB),
            "cpu_request_us": cpu / result["requests"] * 1e6,
            "memory": watch.stop(),
            "busy": result["busy"],
            "problems": result["problems"],
        }

    def kinds(self, bench):
        return bench.servers()

    def run(self, bench):
        kinds = self.kinds(bench)
        turns = {kind.name: [] for kind in kinds}
        for number in range(bench.options.rounds):
            for kind in kinds:
                bench.log(f"{self.name}: round {number + 1} of "
                          f"{bench.options.rounds}: {kind.name}")
                try:
                    turns[kind.name].append(self.turn(bench, kind))
                except procs.Failed as e:
                    turns[kind.name].append({"problems": {str(e): 1}})
        bench.ballast.let_go()
        return [self.row(kind, turns[kind.name]) for kind in kinds]

    def row(self, kind, turns):
        row = {"server": kind.name, "label": kind.label, "turns": turns}
        for key in ("rate", "mib_s", "p50", "p99", "cpu_gib",
                    "cpu_request_us", "memory", "busy"):
            row[key] = median([t.get(key) for t in turns])
        row["problems"] = sum_problems(turns)
        return row


class Digest(Throughput):
    """The same upload with and without a checksum."""

    def kinds(self, bench):
        if not servers.knows("checksum"):
            raise procs.NotThere("this penstock has no `checksum`")
        return [servers.PenstockSync, servers.PenstockSha256]


# ---- what the generator can do

class Ceiling:
    """Requests that nginx throws away: what the generator can send."""

    name = "ceiling"
    what = "the generator alone: 4 KiB × 64 to nginx `return 204`"

    def run(self, bench):
        bench.log(self.name)
        place = os.path.join(bench.dirs["memory"], "plain")
        rows = []
        for size, connections in ((4 * KIB, 64), (256 * KIB, 16)):
            with servers.Nginx({"file": place}, bench.home()) as server:
                rows.append(procs.run_load(procs.load_argv(
                    bench.load, server, "none", size, connections, "-d", 2)))
        return rows


# ---- small uploads beside bulk uploads to a sick disk

class Beside:
    """Small uploads to a fast directory of a server with one worker, while
    bulk uploads go to the slow disk: of the same process in the first turn
    of each pair, of none or of another process in the second."""

    AMONG = ("penstock", "nginx", "lighttpd")

    def __init__(self, name, what, bulk, other, rate=SLOW_RATE, hung=False):
        self.name = name
        self.what = what
        self.bulk = bulk
        self.rate = rate
        self.hung = hung
        # The turn that the first is compared with: "alone" or "second".
        self.other = other

    def turn(self, bench, kind, disk, bulk_to):
        disk.tell("clear")
        disk.tell("zero")
        disk.tell("rate", self.rate)
        with self.server(bench, kind, disk, "first") as first, \
                self.server(bench, kind, disk, "second") as second:
            warm = procs.load_argv(bench.load, first, "fast", 4 * KIB,
                                   SMALL_CONNECTIONS, "-d", 0.5)
            warm[warm.index("-u") + 1] = "/fast/w%d"
            procs.run_load(warm)
            target = {"same": first, "second": second, "alone": None}[bulk_to]
            if target is None:
                return self.small(bench, first)
            return self.small_beside(bench, first, target, disk)

    def server(self, bench, kind, disk, which):
        places = {"fast": os.path.join(bench.dirs["memory"], "fast", which),
                  "slow": os.path.join(disk.path, which)}
        for path in places.values():
            empty(path)
        return kind(places, os.path.join(bench.home(), which), 1)

    def small_beside(self, bench, first, target, disk):
        bulk = procs.Process(
            procs.load_argv(bench.load, target, "slow", BULK_SIZE, self.bulk,
                            "-d", 60),
            os.path.join(bench.dirs["memory"], "bulk.log"))
        try:
            procs.eventually("bulk uploads flow",
                             lambda: disk.bytes_written() > 4 * MIB)
            if self.hung:
                disk.hang(True)
                time.sleep(0.5)
            return self.small(bench, first)
        finally:
            disk.hang(False)
            bulk.stop(signal.SIGKILL)
            disk.tell("clear")

    def small(self, bench, server):
        seconds = 1 if bench.options.quick else 3
        cpu = procs.cpu_seconds(server.process.pid)
        result = procs.run_load(procs.load_argv(
            bench.load, server, "fast", 4 * KIB, SMALL_CONNECTIONS,
            "-d", seconds, "-g", 1))
        cpu = procs.cpu_seconds(server.process.pid) - cpu
        return {"rate": result["rate"], "p99": result["latency_ms"]["p99"],
                "cpu": cpu, "problems": result["problems"]}

    def run(self, bench):
        rows = []
        kinds = bench.servers(self.AMONG)
        pairs = {kind.name: [] for kind in kinds}
        with SlowDisk(bench) as disk:
            for number in range(bench.options.rounds):
                for kind in kinds:
                    bench.log(f"{self.name}: pair {number + 1} of "
                              f"{bench.options.rounds}: {kind.name}")
                    pairs[kind.name].append(self.pair(bench, kind, disk))
        for kind in kinds:
            rows.append(self.row(kind, pairs[kind.name]))
        return rows

    def pair(self, bench, kind, disk):
        pair = {}
        for key, bulk_to in (("same", "same"), ("other", self.other)):
            try:
                pair[key] = self.turn(bench, kind, disk, bulk_to)
            except procs.Failed as e:
                pair[key] = {"problems": {str(e): 1}}
        same, other = pair["same"].get("rate"), pair["other"].get("rate")
        pair["kept"] = same / other if other and same is not None else None
        return pair

    def row(self, kind, pairs):
        return {
            "server": kind.name, "label": kind.name, "pairs": pairs,
            "same": median([p["same"].get("rate") for p in pairs]),
            "same_p99": median([p["same"].get("p99") for p in pairs]),
            "other": median([p["other"].get("rate") for p in pairs]),
            "other_p99": median([p["other"].get("p99") for p in pairs]),
            "kept": median([p["kept"] for p in pairs]),
            "problems": sum_problems([p[k] for p in pairs
                                      for k in ("same", "other")]),
        }


ALL = [
    Ceiling(),
    Throughput("tmpfs-4k", "4 KiB × 64 connections to tmpfs",
               4 * KIB, 64, "memory", 1 * GIB, 5),
    Throughput("tmpfs-256k", "256 KiB × 16 to tmpfs",
               256 * KIB, 16, "memory", 3 * GIB // 2, 5),
    Throughput("tmpfs-16m", "16 MiB × 8 to tmpfs",
               16 * MIB, 8, "memory", 3 * GIB // 2, 5),
    Throughput("disk-64m", "64 MiB × 8 to disk",
               64 * MIB, 8, "disk", 2 * GIB, 20),
    Throughput("disk-2g", "1 × 2 GiB to disk",
               2 * GIB, 1, "disk", 2 * GIB, 20),
    Digest("digest", "1 × 2 GiB to disk, with and without `checksum sha256`",
           2 * GIB, 1, "disk", 2 * GIB, 20),
    Durable(),
    Overlap(),
    Beside("isolation-4", "4 bulk uploads to a disk of 50 MB/s", 4, "second"),
    Beside("isolation-32", "32 bulk uploads to a disk of 50 MB/s", 32,
           "second"),
    Beside("paced-32", "32 bulk uploads to a disk of 8 MB/s", 32, "alone",
           8_000_000),
    Beside("hung-4", "4 bulk uploads, the disk hung for good", 4, "alone",
           hung=True),
    Beside("hung-32", "32 bulk uploads, the disk hung for good", 32, "alone",
           hung=True),
    Beside("hung-200", "200 bulk uploads, the disk hung for good", 200,
           "alone", hung=True),
]
