"""Small durable uploads and bulk uploads on the same disk."""
import shutil

import cpu
import generators
import procs
import servers
from machine import KIB, MIB
from turns import Turns

SMALL_SIZE, SMALL_AT_ONCE = 4 * KIB, 4
BULK_SIZE, BULK_AT_ONCE = 64 * MIB, 4
AHEAD = 0.5 # seconds that bulk has begun before the small ones


def in_company(rate, seconds, alone):
    """Of bulk, which is alone for AHEAD of its `seconds`."""
    return (rate * seconds - alone * AHEAD) / (seconds - AHEAD)


class OneDisk(Turns):
    """Each turn has three parts, with a server newly started: small uploads
    alone, bulk alone, and both at once.  *Kept* is what is left of a rate in
    company, less what bulk wrote before the small ones came.  All are answered when
    they are durable (`sync on`)."""

    figures = ("small_alone", "small_alone_p50", "small_alone_p99",
               "small_beside", "small_beside_p50", "small_beside_p99",
               "small_kept", "bulk_alone", "bulk_beside", "bulk_kept",
               "cpu", "machine")

    def __init__(self):
        super().__init__(
            "one-disk", f"4 KiB × {SMALL_AT_ONCE} durable beside "
            f"{BULK_AT_ONCE} bulk uploads on the same disk")

    def kinds(self, bench):
        return [servers.PenstockSync]

    def turn(self, bench, kind):
        found = {"problems": {}}
        for part in (("small",), ("bulk",), ("small", "bulk")):
            where = "beside" if len(part) > 1 else "alone"
            bench.settle()
            self.add(found, where, self.part(bench, kind, part))
        if "bulk_alone" in found and "bulk_beside" in found:
            found["bulk_beside"] = in_company(
                found["bulk_beside"], found["bulk_beside_result"]["seconds"],
                found["bulk_alone"])
        for what in ("small", "bulk"):
            alone = found.get(what + "_alone")
            if alone:
                found[what + "_kept"] = found[what + "_beside"] / alone
        return found

    def part(self, bench, kind, part):
        place = bench.new_place(bench.dirs["disk"])
        bench.ballast.hold()
        try:
            with kind({"file": place}, bench.home()) as server:
                bench.configs.setdefault(f"{self.name}: {kind.name}",
                                         server.config())
                generators.run_load(self.argv(bench, server, "w%d",
                                              SMALL_SIZE, SMALL_AT_ONCE, 0.5))
                bench.ballast.let_go()
                meter = cpu.Meter(server.process.pid)
                results = self.results(bench, server, part)
                spent = meter.read(sum(r["cpu"] for r in results.values()))
                return results, spent
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def results(self, bench, server, part):
        """What each generator saw.  Bulk begins before the small ones and goes
        on until they have ended."""
        seconds = 2 if bench.options.quick else 6
        small = self.argv(bench, server, "s%d", SMALL_SIZE, SMALL_AT_ONCE,
                          seconds)
        bulk = self.argv(bench, server, "b%d", BULK_SIZE, BULK_AT_ONCE,
                         seconds + AHEAD)
        if part == ("small",):
            return {"small": generators.run_load(small)}
        with generators.Background(bulk) as running:
            results = {}
            if "small" in part:
                running.wait_for(AHEAD)
                results["small"] = generators.run_load(small)
            results["bulk"] = running.result()
            return results

    def argv(self, bench, server, target, size, at_once, seconds):
        job = generators.Job(size, at_once, seconds,
                             target=server.url("file").replace("r%d", target))
        return bench.generator.load.argv(server, job)

    def add(self, found, where, part):
        results, spent = part
        for what, result in results.items():
            if result["ok"] == 0:
                raise procs.Failed(f"{what}, {where}: nothing was stored: "
                                   f"{result['problems']}")
            key = f"{what}_{where}"
            found[key] = result["rate" if what == "small" else "mib_s"]
            found[key + "_p50"] = result["latency_ms"]["p50"]
            found[key + "_p99"] = result["latency_ms"]["p99"]
            found[key + "_result"] = result
            found["problems"].update(result["problems"])
        found["spent_" + "_".join((*results, where))] = spent
        if where == "beside":
            found["cpu"], found["machine"] = spent["server"], spent["machine"]
