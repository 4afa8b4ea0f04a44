"""The same uploads by each load generator: does it matter who asks?"""
import copy

import procs
from generators import Chosen
from peers import Nginx16k
from uploads import to_memory

# Generator, threads, and whether the body is sent apart from its head.
EACH = [("load", 1, False), ("load", 2, False), ("load", 1, True),
        ("wrk", 1, False), ("wrk", 2, False)]


class EachGenerator:
    name = "generators"
    what = "4 KiB × 64 to tmpfs, new names, by one generator and another"

    def kinds(self, bench):
        return bench.kinds(("penstock-sync", Nginx16k.name))

    def run(self, bench):
        """Two rows for each generator: penstock, and nginx."""
        if len(self.kinds(bench)) < 2:
            raise procs.NotThere("it takes penstock-sync and nginx-16k")
        chosen, rows = bench.generator, []
        try:
            for which in EACH:
                bench.generator = Chosen(bench.load, *which)
                rows += self.rows(bench, text(*which))
        finally:
            bench.generator = chosen
        return rows

    def rows(self, bench, generator):
        work = copy.copy(to_memory()[0])
        work.name = f"{self.name}, {generator}"
        work.kinds = self.kinds
        return [dict(row, generator=generator,
                     label=f"{generator}: {row['label']}")
                for row in work.run(bench)]


def text(name, threads, apart):
    return (f"{name}, {threads} thread{'s' if threads > 1 else ''}"
            + (", head and body apart" if apart else ""))
