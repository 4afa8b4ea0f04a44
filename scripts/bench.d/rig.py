"""What the works share: the bench, the disks they write to, and figures."""
import os
import shutil
import signal
import statistics

import procs
import servers

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SLOW_RATE = 50_000_000


class Bench:
    """What all works share: options, tools, directories, and what is to be
    undone at the end."""

    def __init__(self, options, tools, memory_dir, disk_dir, log):
        self.options = options
        self.load, self.slowfs, self.durable = tools
        self.dirs = {"memory": memory_dir, "disk": disk_dir}
        self.log = log
        self.ballast = Ballast(memory_dir)

    def servers(self, among=None):
        return [servers.ALL[name] for name in self.options.servers
                if among is None or name in among]

    def home(self, where="memory"):
        return os.path.join(self.dirs[where], "servers")


def empty(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path, exist_ok=True)


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


class Ballast:
    """Memory held between turns and let go for each.  A virtual machine
    gives free memory back to its host within seconds, and a server that took
    it anew would wait for the host (five times slower was seen)."""

    SIZE = 3 * GIB

    def __init__(self, directory):
        self.path = os.path.join(directory, "ballast")

    def hold(self):
        zeros = bytes(MIB)
        with open(self.path, "wb", 0) as f:
            for _ in range(self.SIZE // MIB):
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


class SlowDisk:
    """A slowfs over memory, at `path`, of SLOW_RATE bytes per second."""

    def __init__(self, bench):
        self.bench = bench
        base = os.path.join(bench.dirs["memory"], "slow")
        self.backing = os.path.join(base, "backing")
        self.path = os.path.join(base, "mount")
        self.control = os.path.join(base, "control")
        self.process = None

    def __enter__(self):
        empty(self.backing)
        os.makedirs(self.path, exist_ok=True)
        self.process = procs.Process(
            [self.bench.slowfs, self.backing, self.path, self.control],
            os.path.join(self.bench.dirs["memory"], "slowfs.log"))
        self.tell("ping")
        return self

    def __exit__(self, *_):
        self.hang(False)
        self.process.stop()
        shutil.rmtree(self.backing, ignore_errors=True)

    def tell(self, *words):
        argv = [self.bench.slowfs, "--ctl", self.control, *map(str, words)]
        out = os.path.join(self.bench.dirs["memory"], "answer")
        if os.path.exists(out):
            os.unlink(out)
        told = procs.Process(argv, out)
        if told.popen.wait() != 0:
            raise procs.Failed(told.log_tail())
        return told.log_tail()

    def bytes_written(self):
        return int(self.tell("count", "bytes"))

    def hang(self, hung):
        if self.process.running():
            os.kill(self.process.pid,
                    signal.SIGSTOP if hung else signal.SIGCONT)


class LoopDisk:
    """A file system of 1 GiB in a file on the disk, mounted at `path`."""

    SIZE = GIB
    MAKE = {"ext4": ["mkfs.ext4", "-q", "-F", "-i", "4096"],
            "xfs": ["mkfs.xfs", "-q", "-f"]}

    def __init__(self, bench, kind):
        self.kind = kind
        self.image = os.path.join(bench.dirs["disk"], kind + ".img")
        self.path = os.path.join(bench.dirs["disk"], kind)

    def __enter__(self):
        # Written once: what is measured is not to allocate in the image.
        zeros = bytes(MIB)
        with open(self.image, "wb", 0) as f:
            for _ in range(self.SIZE // MIB):
                f.write(zeros)
            os.fsync(f.fileno())
        os.makedirs(self.path, exist_ok=True)
        try:
            procs.command(*self.MAKE[self.kind], self.image)
            procs.command("mount", "-o", "loop", self.image, self.path)
        except BaseException:
            os.unlink(self.image)
            raise
        return self

    def __exit__(self, *_):
        procs.command("umount", self.path)
        os.unlink(self.image)
