"""Disks of the bench's own: a slow one, and file systems in files."""
import os
import shutil
import signal

import procs
from machine import GIB, MIB
from rig import empty

SLOW_RATE = 50_000_000


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
    # What is made later would be made in somebody's turn; and the image keeps
    # its blocks.
    MAKE = {"ext4": ["mkfs.ext4", "-q", "-F", "-i", "4096", "-E", "nodiscard,"
                     "lazy_itable_init=0,lazy_journal_init=0"],
            "xfs": ["mkfs.xfs", "-q", "-f", "-K"],
            "btrfs": ["mkfs.btrfs", "-q", "-f", "-K"]}
    LABELS = {"ext4": "ext4", "xfs": "XFS", "btrfs": "btrfs"}

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
            self.make()
        except BaseException:
            os.unlink(self.image)
            raise
        return self

    def __exit__(self, *_):
        procs.command("umount", self.path)
        os.unlink(self.image)

    def make(self):
        """The file system, as it was before anybody wrote to it."""
        if os.path.ismount(self.path):
            procs.command("umount", self.path)
        procs.command(*self.MAKE[self.kind], self.image)
        procs.command("mount", "-o", "loop", self.image, self.path)
