"""Small uploads beside bulk uploads to a sick disk."""
import os
import signal
import time

import generators
import order
import procs
from disks import SLOW_RATE, SlowDisk
from machine import KIB, MIB
from order import median
from rig import empty, sum_problems

BULK_SIZE = 64 * MIB
SMALL_CONNECTIONS = 8


class Beside:
    """Small uploads to a fast directory of a server with one worker, while
    bulk uploads go to the slow disk: of the same process in the first turn
    of each pair, of none or of another process in the second."""

    AMONG = ("penstock", "nginx-1m", "lighttpd")

    def __init__(self, name, what, bulk, other, rate=SLOW_RATE, hung=False):
        self.name = name
        self.what = what
        self.bulk = bulk
        self.rate = rate
        self.hung = hung
        # The turn that the first is compared with: "alone" or "second".
        self.other = other

    def kinds(self, bench):
        return bench.kinds(self.AMONG)

    def turn(self, bench, kind, disk, bulk_to):
        disk.tell("clear")
        disk.tell("zero")
        disk.tell("rate", self.rate)
        with self.server(bench, kind, disk, "first") as first, \
                self.server(bench, kind, disk, "second") as second:
            warm = generators.load_argv(bench.load, first, "fast", 4 * KIB,
                                        SMALL_CONNECTIONS, "-d", 0.5)
            warm[warm.index("-u") + 1] = "/fast/w%d"
            generators.run_load(warm)
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
            generators.load_argv(bench.load, target, "slow", BULK_SIZE,
                                 self.bulk, "-d", 60),
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
        result = generators.run_load(generators.load_argv(
            bench.load, server, "fast", 4 * KIB, SMALL_CONNECTIONS,
            "-d", seconds, "-g", 1))
        cpu = procs.cpu_seconds(server.process.pid) - cpu
        return {"rate": result["rate"], "p99": result["latency_ms"]["p99"],
                "cpu": cpu, "problems": result["problems"]}

    def run(self, bench):
        rows = []
        kinds = self.kinds(bench)
        pairs = {kind.name: [] for kind in kinds}
        with SlowDisk(bench) as disk:
            for number, in_order in enumerate(
                    order.rounds(kinds, bench.options.rounds), 1):
                for kind in in_order:
                    bench.log(f"{self.name}: pair {number} of "
                              f"{bench.options.rounds}: {kind.name}")
                    bench.settle()
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
