"""Small uploads that are on stable storage when they are answered."""
import contextlib
import os

import cpu
import disks
import generators
import order
import procs
import rig
import servers
from machine import KIB

SIZE = 4 * KIB
MANY = 64
PLACES = ("disk", "ext4", "xfs", "btrfs")


class Durable:
    """penstock with `sync on`, and the bare operations of such an upload
    (tests/lib/durable.c), each with one and with MANY at once.  What they
    gain by MANY says how far syncs are shared."""

    name = "durable"
    what = f"4 KiB × {MANY}, and × 1, each on stable storage"

    def kinds(self, bench):
        del bench
        return [servers.PenstockSync]

    def run(self, bench):
        rows = []
        for where in PLACES:
            kinds = self.kinds(bench)
            turns = {kind.name: [] for kind in kinds}
            label = ("the disk itself" if where == "disk" else
                     f"{disks.LoopDisk.LABELS[where]} on a loop device")
            try:
                with self.disk(bench, where) as disk:
                    self.rounds(bench, disk, label, kinds, turns)
            except procs.Failed as e:
                for kind in kinds:
                    turns[kind.name].append({"problems": {str(e): 1}})
            rows += [self.row(where, label, kind, turns[kind.name])
                     for kind in kinds]
        return rows

    def rounds(self, bench, disk, label, kinds, turns):
        for number, in_order in enumerate(
                order.rounds(kinds, bench.options.rounds), 1):
            for kind in in_order:
                bench.log(f"{self.name}: round {number} of "
                          f"{bench.options.rounds}: {label}: {kind.name}")
                state = bench.settle()
                turn = self.turn(bench, kind, disk)
                turns[kind.name].append(dict(turn, state=state, round=number))

    @contextlib.contextmanager
    def disk(self, bench, where):
        if where == "disk":
            yield lambda: bench.dirs["disk"]
            return
        with disks.LoopDisk(bench, where) as disk:
            yield lambda: disk.path

    def turn(self, bench, kind, disk):
        seconds = 1.5 if bench.options.quick else 4
        turn = {"problems": {}}
        for at_once in (MANY, 1):
            place = bench.new_place(disk())
            self.serve(bench, kind, place, at_once, seconds, turn)
            rig.empty(place)
            turn[f"bare-{at_once}"] = procs.run_json(
                [bench.durable, "-c", str(at_once), "-s", str(SIZE),
                 "-d", str(seconds), place])["rate"]
            rig.empty(place)
            os.rmdir(place)
        turn["gain"] = turn[f"server-{MANY}"] / turn["server-1"]
        turn["bare_gain"] = turn[f"bare-{MANY}"] / turn["bare-1"]
        turn["of_bare"] = turn[f"server-{MANY}"] / turn[f"bare-{MANY}"]
        return turn

    def serve(self, bench, kind, place, at_once, seconds, turn):
        with kind({"file": place}, bench.home()) as server:
            bench.configs.setdefault(f"{self.name}: {kind.name}",
                                     server.config())
            bench.generator.load.run(
                server, generators.Job(SIZE, at_once, 0.3, target="/file/w%d"))
            meter = cpu.Meter(server.process.pid)
            result = bench.generator.load.run(
                server, generators.Job(SIZE, at_once, seconds,
                                       target="/file/m%d", grace=10))
            spent = meter.read(result["cpu"])
        if result["ok"] == 0:
            raise procs.Failed(f"nothing was stored: {result['problems']}")
        turn[f"server-{at_once}"] = result["rate"]
        turn[f"p50-{at_once}"] = result["latency_ms"]["p50"]
        turn[f"p99-{at_once}"] = result["latency_ms"]["p99"]
        for what in ("server", "machine"):
            turn[f"{what}_us-{at_once}"] = (
                spent[what] / result["requests"] * 1e6)
        turn[f"result-{at_once}"] = result
        turn["problems"].update(result["problems"])

    def row(self, where, label, kind, turns):
        keys = ["gain", "bare_gain", "of_bare"] + [
            f"{what}-{n}" for what in ("server", "bare", "p50", "p99",
                                       "server_us", "machine_us")
            for n in (1, MANY)]
        return {"place": where, "label": label, "server": kind.name,
                "turns": turns, **rig.summary(turns, keys)}
