# A file system on a disk that keeps a log (tests/lib/logdisk.c), and what that
# disk may hold after a power cut: all that was flushed, and of the rest
# whatever the disk had got to, in any order, torn between sectors.
#
# A file system counts on blocks of its own (4 KiB) being written whole or not
# at all; the data of a body may be torn at any sector.

import bisect
import errno
import mmap
import os
import shutil
import struct
import tempfile

import oracle
import rig

WRITE, ZERO, FLUSH, MARK = 1, 2, 3, 4
_RECORD = struct.Struct("<IIQQ")
BLOCK = 4096


class Log:
    """The records of a log, in order: (kind, at, more, begin and end of the bytes)."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        self.bytes = memoryview(self.map)
        self.records, self.starts, self.marks = [], [], {}
        pos = 0
        while pos + _RECORD.size <= len(self.map):
            kind, length, at, more = _RECORD.unpack_from(self.map, pos)
            begin = pos + _RECORD.size
            if kind == MARK:
                text = bytes(self.bytes[begin : begin + length]).decode()
                self.marks.setdefault(text, len(self.records))
            self.starts.append(pos)
            self.records.append((kind, at, more, begin, begin + length))
            pos = begin + length
        if pos != len(self.map):
            raise rig.Trouble("the log ends in the middle of a record")

    def index_of_position(self, position):
        """The first record that begins at or after that place of the log."""
        return bisect.bisect_left(self.starts, position)


def copy_sparse(source, target):
    """Copy only what is not a hole."""
    with open(source, "rb") as s, open(target, "wb") as t:
        end = os.fstat(s.fileno()).st_size
        t.truncate(end)
        at = 0
        while at < end:
            try:
                at = os.lseek(s.fileno(), at, os.SEEK_DATA)
            except OSError as e:
                if e.errno == errno.ENXIO:
                    break
                raise
            stop = os.lseek(s.fileno(), at, os.SEEK_HOLE)
            os.lseek(t.fileno(), at, os.SEEK_SET)
            while at < stop:
                # sendfile moves the position of neither, but for the target's
                at += os.sendfile(t.fileno(), s.fileno(), at, stop - at)


class Replayer:
    """Images of the disk at cuts, which are taken in rising order."""

    def __init__(self, log, base, rnd):
        self.log, self.random = log, rnd
        self.durable_fd = os.open(base, os.O_RDWR | os.O_CLOEXEC)
        self.durable_path = base
        self._applied = 0  # records that are in the durable image
        self._scanned = 0
        self._durable = 0

    def close(self):
        os.close(self.durable_fd)

    def _apply(self, fd, record):
        kind, at, more, begin, end = record
        if kind == WRITE:
            os.pwrite(fd, self.log.bytes[begin:end], at)
        elif kind == ZERO:
            while more > 0:
                more -= os.pwrite(fd, bytes(min(more, 1 << 20)), at)
                at += 1 << 20

    def _advance(self, cut):
        """Bring the durable image to where the last flush before `cut` left it."""
        records = self.log.records
        for i in range(self._scanned, cut):
            if records[i][0] == FLUSH:
                asked_at = self.log.index_of_position(records[i][2])
                self._durable = max(self._durable, asked_at)
        self._scanned = max(self._scanned, cut)
        for i in range(self._applied, self._durable):
            self._apply(self.durable_fd, records[i])
        self._applied = max(self._applied, self._durable)

    def _apply_torn(self, fd, record):
        """Some blocks of a write, and some sectors of the blocks of data."""
        _, at, _, begin, end = record
        rnd, data = self.random, self.log.bytes
        upto = rnd.randrange(begin, end + 1) if rnd.random() < 0.5 else end
        keep = rnd.choice((0.5, 0.9, 1.0))
        while begin < end:
            n = min(BLOCK - at % BLOCK, end - begin)
            block = data[begin : begin + n]
            size = BLOCK
            if at % oracle.SECTOR == 0 and any(
                block[i : i + 8] == oracle.MAGIC for i in range(0, n, oracle.SECTOR)
            ):
                size = oracle.SECTOR
            for i in range(0, n, size):
                if begin + i < upto and rnd.random() < keep:
                    os.pwrite(fd, block[i : i + size], at + i)
            at += n
            begin += n

    def image(self, cut, path):
        """Make the image of a power cut before record `cut`; how, for people."""
        rnd = self.random
        self._advance(cut)
        copy_sparse(self.durable_path, path)
        volatile = [r for r in self.log.records[self._durable : cut] if r[0] in (WRITE, ZERO)]
        keep = rnd.choice((0.0, 0.0, 0.1, 0.5, 0.9, 1.0))
        torn = rnd.choice((0.0, 0.3, 1.0))
        volatile = [r for r in volatile if rnd.random() < keep]
        rnd.shuffle(volatile)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            for record in volatile:
                if record[0] == WRITE and rnd.random() < torn:
                    self._apply_torn(fd, record)
                else:
                    self._apply(fd, record)
        finally:
            os.close(fd)
        return "cut %d of %d, durable to %d, %d later writes, %d %% torn" % (
            cut,
            len(self.log.records),
            self._durable,
            len(volatile),
            torn * 100,
        )


class CutDisk:
    """A mounted file system whose disk keeps a log; then its images."""

    def __init__(self, r, fs, flush_us=0):
        self.round, self.fs = r, fs
        # Logs and images are of no use after a restart; memory is faster.
        room = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
        in_memory = room is not None and room.f_bavail * room.f_frsize > 3 << 30
        self.dir = tempfile.mkdtemp(prefix="penstock-cut.", dir="/dev/shm" if in_memory else r.work)
        r.at_end(shutil.rmtree, self.dir, True)
        self.base = os.path.join(self.dir, "base")
        self.log_path = os.path.join(self.dir, "log")
        backing = os.path.join(self.dir, "backing")
        self.where = r.path("mnt")
        rig.make_image(fs, self.base)
        copy_sparse(self.base, backing)
        self.disk = rig.LogDisk(r.path("disk"), backing, self.log_path, r.path("disk.ctl"), r.path("disk.log"))
        r.at_end(self.disk.stop)
        if flush_us:
            self.disk.tell("latency flush %d" % flush_us)
        rig.mount_image(fs, self.disk.disk, self.where, direct=r.random.random() < 0.5)
        r.at_end(self._unmount)
        self._mounted = True

    def _unmount(self):
        if self._mounted:
            rig.unmount(self.where)
        self._mounted = False

    def mark(self, up):
        self.disk.mark("%x" % up.ident)

    def finish(self):
        """No more is written that counts: unmount, and read the log."""
        self.disk.mark("end")
        return self

    def cuts(self, log, count):
        """Where to cut: just after an acknowledgement, just before a flush is
        done, or at any record."""
        end = log.marks["end"]
        rnd = self.round.random
        after_marks = [i + 1 for i in sorted(log.marks.values()) if i < end]
        before_flushes = [i for i in range(end) if log.records[i][0] == FLUSH]
        anywhere = range(1, end + 1)
        found = set()
        for _ in range(count):
            found.add(rnd.choice(rnd.choice((after_marks, before_flushes, anywhere)) or anywhere))
        return sorted(found)

    def judge_cuts(self, history, store, count):
        """Cut at `count` places; the broken rules, a line each."""
        self._unmount()
        self.disk.stop()
        log = Log(self.log_path)
        replayer = Replayer(log, self.base, self.round.random)
        image, where = os.path.join(self.dir, "image"), self.round.path("cut")
        broken = []
        for cut in self.cuts(log, count):
            how = replayer.image(cut, image)
            found = self._judge(history, image, where, store, cut, log)
            self.round.count(images=1)
            if found:
                broken += ["%s (%s)" % (what, how) for what in found]
                if not os.path.exists(self.round.path("image")):
                    copy_sparse(image, self.round.path("image"))
        replayer.close()
        return broken

    def _judge(self, history, image, where, store, cut, log):
        try:
            rig.mount_image(self.fs, image, where)
        except OSError as e:
            return ["the image cannot be mounted: %s" % e.strerror]
        try:
            root = os.path.join(where, store)
            late = log.marks["end"]
            return history.judge_image(root, lambda text: log.marks.get(text, late) < cut)
        finally:
            rig.unmount(where)
