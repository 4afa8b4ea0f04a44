"""What is measured: each work takes a Bench and returns its rows."""
from beside import Beside
from downloads import from_memory
from durable import Durable
from each_generator import EachGenerator
from generators import Job
from held import Held
from machine import GIB, KIB
from one_disk import OneDisk
from overlap import Overlap
from over_tls import OF_TLS
from peers import Nginx16k
from resume import OF_FORMS, OF_RESUME
from rights import OF_RIGHTS
from uploads import Digest, to_disks, to_memory


class Ceiling:
    """Requests that nginx throws away: what the generator can send."""

    name = "ceiling"
    what = "the generator alone: 4 KiB × 64 to nginx `return 204`"

    def run(self, bench):
        bench.log(self.name)
        place = bench.new_place(bench.dirs["memory"])
        rows = []
        for size, connections in ((4 * KIB, 64), (256 * KIB, 16)):
            with Nginx16k({"file": place}, bench.home()) as server:
                rows.append(bench.generator.run(server, Job(
                    size, connections, 2, target="/none/r%d")))
        return rows


PLAIN = [
    Ceiling(),
    EachGenerator(),
    *to_memory(),
    *to_disks(),
    Durable(),
    OneDisk(),
    *from_memory(),
    Held(),
    Digest("digest", "1 × 2 GiB to disk, with and without `checksum sha256`",
           2 * GIB, 1, "disk", 2 * GIB, 20),
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

# Those of --tls, --rights, --resume and --forms, which the others do without.
TLS, RIGHTS, RESUME, FORMS = OF_TLS, OF_RIGHTS, OF_RESUME, OF_FORMS
ALL = [*PLAIN, *TLS, *RIGHTS, *RESUME, *FORMS]
