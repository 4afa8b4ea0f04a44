"""Files read back from memory."""
import os
import shutil

from generators import Job
from machine import KIB, MIB
from measure import measure
from turns import Turns


class Downloads(Turns):
    """GET of `files` files of one size, one after the other, by so many
    connections; the files lie in the directory before the server starts."""

    figures = ("rate", "mib_s", "p50", "p99", "cpu_gib", "cpu_request_us",
               "machine_gib", "machine_request_us", "memory", "busy", "busiest",
               "instructions_user", "instructions_kernel")
    # What nginx has for bodies makes no difference here, and sync neither.
    AMONG = ("penstock-sync", "nginx-16k", "nginx-open-files", "lighttpd")

    def __init__(self, name, what, size, connections, files, seconds=4):
        super().__init__(name, what)
        self.size = size
        self.connections = connections
        self.files = files
        self.seconds = seconds

    def kinds(self, bench):
        found = bench.kinds(self.AMONG)
        # With --sync off, or among chosen servers, the other one does.
        if not any(k.name == "penstock-sync" for k in found):
            found = bench.kinds(("penstock",)) + found
        return found

    def turn(self, bench, kind):
        place = bench.new_place(bench.dirs["memory"])
        self.make_files(place)
        bench.ballast.hold()
        try:
            with kind({"file": place}, bench.home()) as server:
                bench.configs.setdefault(f"{self.name}: {kind.name}",
                                         server.config())
                bench.generator.load.run(
                    server, self.job(30, 2 * max(self.files, 64)))
                seconds = self.seconds / (3 if bench.options.quick else 1)
                return measure(bench, server, self.job(seconds))
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def make_files(self, place):
        os.makedirs(os.path.join(place, "files"))
        piece = os.urandom(min(self.size, MIB))
        for number in range(self.files):
            path = os.path.join(place, "files", f"g{number}")
            with open(path, "wb", 0) as f:
                for _ in range(self.size // len(piece)):
                    f.write(piece)

    def job(self, seconds, requests=0):
        return Job(0, self.connections, seconds, requests, "/file/g%d", "GET",
                   names=self.files, grace=10)


def from_memory():
    return [
        Downloads("get-16k", "GET 16 KiB × 16 from tmpfs", 16 * KIB, 16, 256),
        Downloads("get-1m", "GET 1 MiB × 16 from tmpfs", MIB, 16, 64),
        Downloads("get-64m", "GET 64 MiB × 16 from tmpfs", 64 * MIB, 16, 16),
    ]
