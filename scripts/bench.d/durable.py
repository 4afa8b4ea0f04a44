"""Small uploads that are on stable storage when they are answered."""
import contextlib
import os

import procs
import servers
from rig import KIB, LoopDisk, empty, median, sum_problems

SIZE = 4 * KIB
MANY = 64


class Durable:
    """penstock with `sync on`, and the bare operations of such an upload
    (tests/lib/durable.c), each with one and with MANY at once.  What they
    gain by MANY says how far syncs are shared."""

    name = "durable"
    what = f"4 KiB × {MANY}, and × 1, each on stable storage"

    def run(self, bench):
        rows = []
        for kind, where in ((None, "the disk itself"),
                            ("ext4", "ext4 on a loop device"),
                            ("xfs", "XFS on a loop device")):
            row = {"place": kind or "disk", "label": where, "turns": []}
            try:
                with self.disk(bench, kind) as path:
                    for number in range(bench.options.rounds):
                        bench.log(f"{self.name}: round {number + 1} of "
                                  f"{bench.options.rounds}: {where}")
                        row["turns"].append(self.turn(bench, path))
            except procs.Failed as e:
                row["turns"].append({"problems": {str(e): 1}})
            rows.append(self.summary(row))
        return rows

    @contextlib.contextmanager
    def disk(self, bench, kind):
        if kind is None:
            yield bench.dirs["disk"]
            return
        with LoopDisk(bench, kind) as disk:
            yield disk.path

    def turn(self, bench, path):
        seconds = 1.5 if bench.options.quick else 4
        place = os.path.join(path, "durable")
        turn = {"problems": {}}
        for at_once in (MANY, 1):
            empty(place)
            result = self.serve(bench, place, at_once, seconds)
            turn[f"server-{at_once}"] = result["rate"]
            turn[f"p99-{at_once}"] = result["latency_ms"]["p99"]
            turn["problems"].update(result["problems"])
            empty(place)
            turn[f"bare-{at_once}"] = procs.run_json(
                [bench.durable, "-c", str(at_once), "-s", str(SIZE),
                 "-d", str(seconds), place])["rate"]
        empty(place)
        turn["gain"] = turn[f"server-{MANY}"] / turn["server-1"]
        turn["bare_gain"] = turn[f"bare-{MANY}"] / turn["bare-1"]
        turn["of_bare"] = turn[f"server-{MANY}"] / turn[f"bare-{MANY}"]
        return turn

    def serve(self, bench, place, at_once, seconds):
        with servers.PenstockSync({"file": place}, bench.home()) as server:
            argv = procs.load_argv(bench.load, server, "file", SIZE, at_once,
                                   "-d", 0.3)
            argv[argv.index("-u") + 1] = "/file/w%d"
            procs.run_load(argv)
            result = procs.run_load(procs.load_argv(
                bench.load, server, "file", SIZE, at_once, "-d", seconds))
        if result["ok"] == 0:
            raise procs.Failed(f"nothing was stored: {result['problems']}")
        return result

    def summary(self, row):
        keys = ["gain", "bare_gain", "of_bare"] + [
            f"{what}-{n}" for what in ("server", "bare", "p99")
            for n in (1, MANY)]
        for key in keys:
            row[key] = median([t.get(key) for t in row["turns"]])
        row["problems"] = sum_problems(row["turns"])
        return row
