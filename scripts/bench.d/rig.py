"""What the works share: the bench, its directories, and memory."""
import os
import shutil

import kinds
import machine
from machine import GIB, MIB
from order import median


class Bench:
    """What all works share: options, tools, directories, and what is to be
    undone at the end."""

    def __init__(self, options, tools, memory_dir, disk_dir, log):
        self.options = options
        self.load, self.slowfs, self.durable = tools
        self.dirs = {"memory": memory_dir, "disk": disk_dir}
        self.log = log
        self.ballast = Ballast(memory_dir)
        self.places = 0
        self.configs = {} # of each server as each work ran it
        self.generator = None
        self.counter = None

    def kinds(self, among=None):
        """The servers asked for, those of `among` only."""
        return [kinds.ALL[name] for name in self.options.servers
                if among is None or name in among]

    def home(self, where="memory"):
        return os.path.join(self.dirs[where], "servers")

    def new_place(self, below):
        """A directory that nothing was in before: one that had a hundred
        thousand names stays long."""
        self.places += 1
        path = os.path.join(below, f"turn-{self.places}")
        os.makedirs(path)
        return path

    def settle(self):
        """The machine as each turn finds it; see machine.settle()."""
        if self.options.busy:
            return machine.settle(0)
        return machine.settle()


def empty(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path, exist_ok=True)


class Ballast:
    """Memory held while a turn is prepared and let go when it begins.  A
    virtual machine gives free memory back to its host within seconds, and a
    server that took it anew would wait for the host (five times slower was
    seen): so each turn finds as much memory that the machine still has, and
    none of it in use."""

    LEAST = 3 * GIB

    def __init__(self, directory):
        self.path = os.path.join(directory, "ballast")

    def hold(self, wanted=0):
        """At least `wanted` bytes and an eighth more, if there is as much."""
        size = max(self.LEAST, wanted + wanted // 8)
        size = min(size, machine.available_memory() // 3)
        zeros = bytes(MIB)
        with open(self.path, "wb", 0) as f:
            for _ in range(size // MIB):
                f.write(zeros)

    def let_go(self):
        if os.path.exists(self.path):
            os.unlink(self.path)


def sum_problems(turns):
    total = {}
    for t in turns:
        for what, n in t.get("problems", {}).items():
            total[what] = total.get(what, 0) + n
    return total


def summary(turns, keys):
    """The medians of the turns, and the sum of their problems."""
    row = {key: median([t.get(key) for t in turns]) for key in keys}
    row["problems"] = sum_problems(turns)
    return row
