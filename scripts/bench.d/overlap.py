"""A link and a disk of the same speed, the disk with stops."""
import os

import generators
import procs
import servers
from disks import SlowDisk
from order import median
from rig import empty, sum_problems

STOP_MS, EVERY_MS = 200, 1000


class Overlapped(servers.Penstock):
    """Locations with the queue to be tried and with one that is too short,
    on a UNIX socket: the kernel's TCP buffers, which grow up to megabytes,
    would hide what the queue is to hide."""

    def __init__(self, places, home, depth):
        super().__init__(places, home, 1)
        self.depth = depth
        self.socket = os.path.join(home, "socket")

    def listens(self):
        return super().listens() + [f"unix:{self.socket}"]

    def lines(self, prefix):
        lines = super().lines(prefix)
        if prefix == "short":
            lines.append("queue_depth 2;")
            # Chunks that are being written are room as well.
            lines.append("write_depth 1;")
        elif self.depth is not None:
            lines.append(f"queue_depth {self.depth};")
        return lines

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        return super().start()


class Overlap:
    """The same upload by a link to memory, by anybody to the disk, and by the
    link to the disk: the last takes as long as the longer of the others, or
    somebody has waited who need not have.

    The disk stops for 200 ms of each second and moves at 5/4 of the link's
    rate between: at the link's rate on average.  Were it the slower one, no
    queue could be too short for it."""

    name = "overlap"
    what = ("an upload over a link of 8 (80) MB/s to a disk as fast, which "
            "stops for 200 ms of each second")
    CASES = (("8", 8_000_000, None), ("80", 80_000_000, 80))

    def run(self, bench):
        rows = []
        with SlowDisk(bench) as disk:
            for name, rate, depth in self.CASES:
                turns = []
                for number in range(bench.options.rounds):
                    bench.log(f"{self.name}: {name} MB/s: round {number + 1} "
                              f"of {bench.options.rounds}")
                    try:
                        turns.append(self.turn(bench, disk, rate, depth))
                    except procs.Failed as e:
                        turns.append({"problems": {str(e): 1}})
                rows.append(self.row(name, depth, turns))
        return rows

    def turn(self, bench, disk, rate, depth):
        # The end is not in a stop, nor soon after one.
        seconds = 2.5 if bench.options.quick else 6.5
        disk.tell("clear")
        disk.tell("rate", rate * EVERY_MS // (EVERY_MS - STOP_MS))
        places = {"memory": os.path.join(bench.dirs["memory"], "fast"),
                  "slow": os.path.join(disk.path, "slow"),
                  "short": os.path.join(disk.path, "short")}
        for path in places.values():
            empty(path)
        turn = {"problems": {}}
        link = ["-l", "-r", rate]
        with Overlapped(places, bench.home(), depth) as server:
            for key, prefix, options in (
                    ("client", "memory", link), ("disk", "slow", []),
                    ("both", "slow", link), ("short", "short", link)):
                disk.tell("hiccup", STOP_MS, EVERY_MS)
                argv = generators.load_argv(
                    bench.load, server, prefix, int(rate * seconds), 1,
                    "-n", 1, "-g", 60, *options)
                argv[argv.index("-u") + 1] = f"/{prefix}/{key}"
                argv[-1] = "unix:" + server.socket
                result = generators.run_load(argv)
                turn[key] = result["seconds"]
                if result["ok"] == 0:
                    raise procs.Failed(f"{key}: {result['problems']}")
                os.unlink(os.path.join(places[prefix], "files", key))
        disk.tell("clear")
        longer = max(turn["client"], turn["disk"])
        turn["of_longer"] = turn["both"] / longer
        turn["short_of_longer"] = turn["short"] / longer
        return turn

    def row(self, name, depth, turns):
        row = {"name": name, "turns": turns, "label": f"{name} MB/s",
               "depth": depth, "problems": sum_problems(turns)}
        for key in ("client", "disk", "both", "short", "of_longer",
                    "short_of_longer"):
            row[key] = median([t.get(key) for t in turns])
        return row
