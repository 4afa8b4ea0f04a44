"""scripts/bench --against: the penstock of now beside an earlier one.

In each round of a work three servers take turns: that of now, the earlier one,
and the earlier one again.  What the two turns of the same binary differ by is
chance; what that of now differs by beyond it is not.  Instructions do not vary:
they are counted under callgrind, on one process and the threads engine.
"""
import os
import re
import shutil
import signal

import procs
import report
import servers
from rig import KIB, MIB, empty, median
from works import Throughput

FIGURES = [("rate", "uploads/s"), ("cpu_request_us", "CPU per upload")]
MOST_MORE = 1.02 # instructions

COUNTED = [("4 KiB, memory", 4 * KIB, "memory", 1000),
           ("4 KiB, disk", 4 * KIB, "disk", 300),
           ("256 KiB, memory", 256 * KIB, "memory", 200),
           ("16 MiB, disk", 16 * MIB, "disk", 8)]


def of_works(bench):
    """A row for each work, kind and figure."""
    rows = []
    for work in bench.options.works:
        if type(work) is not Throughput:
            continue
        for kind in (servers.Penstock, servers.PenstockSync):
            if kind.name not in bench.options.servers:
                continue
            trio = [kind, *(servers.earlier(kind, bench.options.against, turn)
                            for turn in ("A", "B"))]
            work.kinds = lambda _, trio=trio: trio
            now, a, b = (r["turns"] for r in work.run(bench))
            for key, what in FIGURES:
                rows.append(compare(f"{work.name}, sync {kind.sync}: {what}",
                                    key, now, a, b))
    return rows


def ratios(key, turns, base):
    return [t[key] / u[key] for t, u in zip(turns, base)
            if t.get(key) and u.get(key)]


def compare(text, key, now, a, b):
    """The ratio to the earlier one, and that of the earlier one to itself: the
    median, and the greatest distance from 1 in any round."""
    new, same = ratios(key, now, a), ratios(key, b, a)
    if not new or not same:
        return [text, "-", "-", "**not measured**"]
    spread = max(max(r, 1 / r) for r in same)
    ratio = median(new)
    worse = 1 / ratio if key == "rate" else ratio
    return [text, f"{ratio:.3f}", f"{median(same):.3f} (1 ± {spread - 1:.3f})",
            "within" if worse <= spread else "**dearer**"]


class Counted(servers.PenstockSync):
    """Under callgrind, which counts the instructions of all threads."""

    def config(self):
        return "io_engine threads;\n" + super().config()


def instructions(bench, binary, size, where, uploads):
    """What an upload takes: the difference of two runs."""
    totals = []
    for count in (uploads // 4, uploads + uploads // 4):
        place = os.path.join(bench.dirs[where], "counted")
        empty(place)
        home = bench.home()
        kind = type("Counted", (Counted,), {
            "binary": binary,
            "under": ("valgrind", "--tool=callgrind",
                      f"--callgrind-out-file={home}/callgrind.out")})
        with kind({"file": place}, home, 0) as server:
            result = procs.run_load(procs.load_argv(
                bench.load, server, "file", size, 1, "-n", count, "-g", 600))
            if result["problems"]:
                raise procs.Failed(f"callgrind: {result['problems']}")
            server.process.stop(signal.SIGTERM, 120)
            found = re.search(r"Collected : (\d+)", server.process.log_tail())
            if not found:
                raise procs.Failed("callgrind said: "
                                   + server.process.log_tail())
            totals.append(int(found[1]))
        empty(place)
    return (totals[1] - totals[0]) / uploads


def of_instructions(bench):
    rows = []
    for text, size, where, uploads in COUNTED:
        bench.log(f"instructions: {text}")
        now, before = (instructions(bench, binary, size, where, uploads)
                       for binary in (servers.Penstock.binary,
                                      bench.options.against))
        ratio = now / before
        rows.append([f"{text}: instructions per upload", f"{ratio:.3f}",
                     f"{before:,.0f}",
                     "within" if ratio <= MOST_MORE else "**dearer**"])
    return rows


def run(bench):
    print(report.heading(bench), flush=True)
    print("\n" + report.table(
        ["work", "of before", "before, of itself (widest round)", ""],
        of_works(bench)), flush=True)
    if shutil.which("valgrind") is None:
        raise procs.NotThere("valgrind is not installed; see scripts/setup")
    print("\n" + report.table(
        ["work", "of before", "before", f"at most {MOST_MORE}"],
        of_instructions(bench)), flush=True)
