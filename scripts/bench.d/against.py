"""scripts/bench --against: the penstock of now beside an earlier one.

In each round of a work three servers take turns: that of now, the earlier one,
and the earlier one again.  What the two turns of the same binary differ by is
chance; what that of now differs by beyond it is not.  Instructions do not vary:
they are counted under callgrind, on one process and the threads engine.
"""
import copy
import os
import re
import shutil
import signal

import generators
import procs
import report
import rig
import servers
from downloads import Downloads
from durable import Durable
from machine import KIB, MIB
from one_disk import OneDisk
from order import median
from uploads import Uploads

# A kind of work: its figures, (key, text, is more better).
OF_RATES = [("rate", "per second", True),
            ("cpu_request_us", "CPU of the server", False),
            ("machine_request_us", "CPU of the machine", False),
            ("memory", "memory", False)]
UNTIL_DURABLE = [("durable_rate", "per second until durable", True)]
SMALL_DURABLE = [("server-64", "per second, × 64", True),
                 ("server-1", "per second, × 1", True),
                 ("p50-64", "p50, × 64", False),
                 ("p99-64", "p99, × 64", False),
                 ("server_us-64", "CPU of the server, × 64", False),
                 ("machine_us-64", "CPU of the machine, × 64", False)]
ON_ONE_DISK = [("small_alone", "small alone, per second", True),
               ("small_beside", "small beside bulk, per second", True),
               ("small_beside_p99", "small beside bulk, p99", False),
               ("bulk_alone", "bulk alone, MiB/s", True),
               ("bulk_beside", "bulk beside small, MiB/s", True),
               ("machine", "both, CPU of the machine", False)]

# What the new one was to reach, where that is more than not being worse.
WANTED = {
    "durable": {"server-64": 1.15, "server-1": 1.3, "server_us-64": 0.9},
    "one-disk": {"small_beside": 10},
}
MOST_MORE = 1.02 # instructions

COUNTED = [("4 KiB, memory", 4 * KIB, "memory", 1000, 0),
           ("4 KiB, memory, replaced", 4 * KIB, "memory", 1000, 64),
           ("4 KiB, disk", 4 * KIB, "disk", 300, 0),
           ("256 KiB, memory", 256 * KIB, "memory", 200, 0),
           ("16 MiB, disk", 16 * MIB, "disk", 8, 0)]


# ---- in turns

def of_works(bench, results):
    """A row for each work, kind and figure; the turns go into `results`."""
    rows = []
    for work in bench.options.works:
        figures = figures_of(work)
        for kind in kinds_of(work, bench) if figures else ():
            title = f"{work.name}, sync {kind.sync}"
            try:
                measured = with_trio(work, bench, kind)
            except procs.Failed as e:
                rows.append([f"{title}: {e}", "-", "-", "", "**not measured**"])
                continue
            results[title] = measured
            rows += rows_of(work, title, figures, measured)
    return rows


def rows_of(work, title, figures, measured):
    """One for each figure, and for each disk if the work has several."""
    rows = []
    for place, trio in by_place(measured):
        for key, text, more in figures:
            rows.append(compare(f"{title}{place}: {text}", key, more,
                                WANTED.get(work.name, {}).get(key),
                                *(r["turns"] for r in trio)))
    return [row for row in rows if row]


def figures_of(work):
    if type(work) is Uploads:
        return OF_RATES + (UNTIL_DURABLE if work.on_disk else [])
    return {Downloads: OF_RATES, Durable: SMALL_DURABLE,
            OneDisk: ON_ONE_DISK}.get(type(work))


def kinds_of(work, bench):
    """The penstocks that take part in it."""
    return [k for k in work.kinds(bench)
            if k in (servers.Penstock, servers.PenstockSync)
            and k.name in bench.options.servers]


def trio(bench, kind):
    return [kind, *(servers.earlier(kind, bench.options.against, turn)
                    for turn in ("A", "B"))]


def with_trio(work, bench, kind):
    work = copy.copy(work)
    work.kinds = lambda _: trio(bench, kind)
    work.dd = False
    return work.run(bench)


def by_place(rows):
    """Rows of the three servers, for each place that they were run in."""
    for place in dict.fromkeys(r.get("place") for r in rows):
        yield ("" if place is None else ", " + place,
               [r for r in rows if r.get("place") == place])


def ratios(key, turns, base):
    return [t[key] / u[key] for t, u in zip(turns, base)
            if t.get(key) and u.get(key)]


def compare(text, key, more, wanted, now, a, b):
    """The ratio to the earlier one, and that of the earlier one to itself: the
    median, and the greatest distance from 1 in any round.  None when the
    figure is not one of this work."""
    if not any(key in t for t in now + a + b):
        return None
    new, same = ratios(key, now, a), ratios(key, b, a)
    if not new or not same:
        return [text, "-", "-", "", "**not measured**"]
    spread = max(max(r, 1 / r) for r in same)
    ratio = median(new)
    return [text, f"{ratio:.3f}", f"{median(same):.3f} (1 ± {spread - 1:.3f})",
            "" if wanted is None else f"{'≥' if more else '≤'} {wanted:g}",
            judge(ratio if more else 1 / ratio, spread,
                  wanted if more or wanted is None else 1 / wanted)]


def judge(better, spread, wanted):
    """`better` is above 1 when the new one is."""
    if wanted is not None:
        return "reached" if better >= wanted else "**missed**"
    return "within" if better * spread >= 1 else "**dearer**"


# ---- instructions

class Counted(servers.PenstockSync):
    """Under callgrind, which counts the instructions of all threads."""

    def config(self):
        return "io_engine threads;\n" + super().config()


def instructions(bench, binary, size, where, uploads, names):
    """What an upload takes: the difference of two runs."""
    totals = []
    for count in (uploads // 4, uploads + uploads // 4):
        place = os.path.join(bench.dirs[where], "counted")
        rig.empty(place)
        home = bench.home()
        kind = type("Counted", (Counted,), {
            "binary": binary,
            "under": ("valgrind", "--tool=callgrind",
                      f"--callgrind-out-file={home}/callgrind.out")})
        with kind({"file": place}, home, 0, names > 0) as server:
            result = bench.generator.load.run(server, generators.Job(
                size, 1, 60, count, "/file/r%d", names=names, grace=600))
            if result["problems"]:
                raise procs.Failed(f"callgrind: {result['problems']}")
            server.process.stop(signal.SIGTERM, 120)
            found = re.search(r"Collected : (\d+)", server.process.log_tail())
            if not found:
                raise procs.Failed("callgrind said: "
                                   + server.process.log_tail())
            totals.append(int(found[1]))
        rig.empty(place)
    return (totals[1] - totals[0]) / uploads


def of_instructions(bench, results):
    rows = []
    for text, *what in COUNTED:
        bench.log(f"instructions: {text}")
        try:
            now, before = (instructions(bench, binary, *what)
                           for binary in (servers.Penstock.binary,
                                          bench.options.against))
        except procs.Failed as e:
            rows.append([f"{text}: {e}", "-", "-", "**not measured**"])
            continue
        results[text] = {"now": now, "before": before}
        ratio = now / before
        rows.append([f"{text}: instructions per upload", f"{ratio:.3f}",
                     f"{before:,.0f}",
                     "within" if ratio <= MOST_MORE else "**dearer**"])
    return rows


def run(bench):
    results = {"instructions": {}}
    print("\n" + report.table(
        ["work", "of before", "before, of itself (widest round)", "wanted",
         ""], of_works(bench, results)), flush=True)
    if shutil.which("valgrind") is None:
        bench.log("instructions: valgrind is not installed; see scripts/setup")
        return results
    print("\n" + report.table(
        ["work", "of before", "before", f"at most {MOST_MORE}"],
        of_instructions(bench, results["instructions"])), flush=True)
    return results
