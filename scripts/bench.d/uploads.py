"""Uploads of one size to one server at a time, to memory and to disks."""
import os
import shutil
import time

import disks
import kinds
import peers
import procs
import servers
from generators import Job
from machine import GIB, KIB, MIB
from measure import measure
from turns import Nothing, Turns

# Bodies that are as large come from more memory than any cache holds.
LARGE = 16 * MIB
LARGE_MEMORY = 512 * MIB


class Uploads(Turns):
    """A turn ends after `most` bytes, or takes no more after `seconds`.  With
    `names` the same so many are replaced over and over.

    On a disk a turn goes on until all is durable: at the last answer of a
    server whose answers say so, else after `sync -f`.  CPU counts until then.
    """

    figures = ("rate", "mib_s", "p50", "p99", "cpu_gib", "cpu_request_us",
               "machine_gib", "machine_request_us", "durable_rate",
               "durable_mib_s", "sync_seconds", "dd_direct", "dd_fdatasync",
               "of_dd_direct", "of_dd_fdatasync", "memory", "busy", "busiest",
               "instructions_user", "instructions_kernel")

    def __init__(self, name, what, size, connections, where, most, seconds,
                 names=0, dd=False):
        super().__init__(name, what)
        self.size = size
        self.connections = connections
        self.where = where # "memory", "disk", or the kind of a loop disk
        self.most = most
        self.seconds = seconds
        self.names = names
        self.dd = dd
        self.loop = None

    @property
    def on_disk(self):
        return self.where != "memory"

    def kinds(self, bench):
        """Those that do not do the same as another one with such bodies."""
        same = set(peers.BUFFERS) - set(peers.that_differ(self.size))
        return [k for k in bench.kinds() if k not in same
                and k is not peers.NginxOpenFiles
                and not (self.names and k is kinds.Original)]

    def prepare(self, bench):
        if self.where in bench.dirs:
            return Nothing()
        self.loop = disks.LoopDisk(bench, self.where)
        return self.loop

    def base(self, bench):
        if self.where in bench.dirs:
            return bench.dirs[self.where]
        self.loop.make()
        return self.loop.path

    # ---- a turn

    def turn(self, bench, kind):
        place = bench.new_place(self.base(bench))
        bench.ballast.hold(self.most)
        try:
            with kind({"file": place}, bench.home(),
                      replaced=self.names > 0) as server:
                bench.configs.setdefault(f"{self.name}: {kind.name}",
                                         server.config())
                self.warm_up(bench, server)
                if self.on_disk:
                    os.sync()
                turn = self.measure(bench, server, place)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if self.dd:
            turn.update(self.bare(bench, turn))
        return turn

    def job(self, bench, server, target):
        # A name may be asked for once only: `target` begins as no other.
        seconds = self.seconds / (3 if bench.options.quick else 1)
        large = self.size >= LARGE
        return Job(
            self.size, self.connections, seconds,
            requests=max(self.most // self.size, 1), method=server.method,
            target=server.url("file").replace("r%d", target),
            names=self.names, memory=LARGE_MEMORY if large else 0)

    def warm_up(self, bench, server):
        """Some uploads; all the names, if they are to be replaced."""
        size = self.size if self.names else min(self.size, 16 * MIB)
        job = self.job(bench, server, "m%d" if self.names else "r%d")
        job.size, job.seconds, job.memory = size, 30, 0
        job.requests = self.names or min(4 * self.connections,
                                         2 * GIB // size // 8)
        bench.generator.load.run(server, job)

    def measure(self, bench, server, place):
        turn = measure(bench, server, self.job(bench, server, "m%d"),
                       lambda: self.make_durable(server, place))
        if self.on_disk:
            result = turn["result"]
            seconds = result["seconds"] + turn["sync_seconds"]
            turn["durable_rate"] = result["requests"] / seconds
            turn["durable_mib_s"] = result["bytes"] / seconds / MIB
        return turn

    def make_durable(self, server, place):
        """Seconds until all is on the disk."""
        if not self.on_disk or server.durable:
            return 0.0
        began = time.monotonic()
        procs.command("sync", "-f", place)
        return time.monotonic() - began

    def bare(self, bench, turn):
        """`dd` of as much, as soon as the server has ended."""
        count = max(self.most // MIB, 1)
        found = {f"dd_{how}": dd(bench.new_place(bench.dirs["disk"]), count,
                                 option)
                 for how, option in (("direct", "oflag=direct"),
                                     ("fdatasync", "conv=fdatasync"))}
        for key, rate in list(found.items()):
            found["of_" + key] = turn["durable_mib_s"] / rate
        return found


def dd(place, mebibytes, option):
    """MiB/s of dd to a new file, which is removed."""
    path = os.path.join(place, "dd")
    began = time.monotonic()
    procs.command("dd", "if=/dev/zero", "of=" + path, "bs=1M",
                  f"count={mebibytes}", option, "status=none")
    seconds = time.monotonic() - began
    shutil.rmtree(place)
    return mebibytes / seconds


class Digest(Uploads):
    """The same upload with and without a checksum."""

    def kinds(self, bench):
        del bench
        return [servers.PenstockSync, servers.PenstockSha256]


SIZES = [("4k", "4 KiB", 4 * KIB, 64, 1024),
         ("256k", "256 KiB", 256 * KIB, 16, 256),
         ("16m", "16 MiB", 16 * MIB, 8, 32)]


def to_memory():
    """New names and replaced ones of each size."""
    works = []
    for short, text, size, connections, names in SIZES:
        most = GIB if short == "4k" else 3 * GIB
        what = f"{text} × {connections} to tmpfs"
        works += [
            Uploads(f"tmpfs-{short}-new", f"{what}, new names", size,
                    connections, "memory", most, 5),
            Uploads(f"tmpfs-{short}-replaced",
                    f"{what}, {names} names replaced", size, connections,
                    "memory", most, 5, names)]
    return works


def to_disks():
    works = [
        Uploads("disk-64m", "64 MiB × 8 to disk, 2 GiB in all", 64 * MIB, 8,
                "disk", 2 * GIB, 30, dd=True),
        Uploads("disk-2g", "1 × 2 GiB to disk", 2 * GIB, 1, "disk", 2 * GIB,
                30, dd=True),
        Uploads("disk-64m-beyond", "64 MiB × 8 to disk, 8 GiB in all: more "
                "than the kernel leaves unwritten", 64 * MIB, 8, "disk",
                8 * GIB, 60)]
    for where, text in (("disk", "the disk"), ("xfs", "XFS on a loop device")):
        for names in (0, 1024):
            how = "replaced" if names else "new"
            what = f"{names} names replaced" if names else "new names"
            works.append(Uploads(
                f"{where}-4k-{how}", f"4 KiB × 64 to {text}, {what}", 4 * KIB,
                64, where, 384 * MIB, 5, names))
    return works
