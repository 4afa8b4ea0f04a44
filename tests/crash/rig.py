# What the crash tests stand on: the server, file systems on loop devices, the
# disks in user space, and the rounds a script is made of.
#
# Everything is made to go away by itself: mounts are in a mount namespace of
# the script's own, what it starts is killed when it ends, loop devices let go
# of their file with the last mount, and an alarm ends a script that hangs.

import argparse
import ctypes
import errno
import fcntl
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import oracle

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PENSTOCK = os.path.abspath(os.environ.get("PENSTOCK") or os.path.join(REPO, "build/penstock"))
TOOLS = os.path.abspath(os.environ.get("PENSTOCK_TOOLS") or os.path.join(REPO, "build/linux"))
TMP = os.environ.get("PENSTOCK_TMP") or os.environ.get("TMPDIR") or "/tmp"
ADDRESS = "127.0.0.1"
PATIENCE_S = 20
ROUND_S = 240  # no round takes that long

libc = ctypes.CDLL(None, use_errno=True)


class Trouble(Exception):
    """The rig itself does not work: no verdict on the server."""


class Hangs(Trouble):
    """A round took too long."""


def _on_alarm(signum, frame):
    raise Hangs("the round hangs")


def _syscall_error(what):
    err = ctypes.get_errno()
    return OSError(err, "%s: %s" % (what, os.strerror(err)))


# ---- what ends by itself


def own_mounts():
    """From here on mounts are this process's own and end with it."""
    CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
    if libc.unshare(CLONE_NEWNS) == -1:
        raise _syscall_error("unshare")
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == -1:
        raise _syscall_error("mount --make-rprivate /")


def _die_with_parent():
    PR_SET_PDEATHSIG = 1
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, **how):
    """Start a process that ends with this thread: call it on the main one."""
    assert threading.current_thread() is threading.main_thread()
    return subprocess.Popen(
        argv, stdin=how.pop("stdin", subprocess.DEVNULL), preexec_fn=_die_with_parent, **how
    )


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Trouble("%s: %s" % (" ".join(argv), os.fsdecode(done.stdout).strip()))
    return os.fsdecode(done.stdout)


def eventually(what, test, patience_s=PATIENCE_S):
    until = time.monotonic() + patience_s
    while not test():
        if time.monotonic() > until:
            raise Trouble("not within %d s: %s" % (patience_s, what))
        time.sleep(0.005)


# ---- file systems


class Loop:
    """A loop device on a file; it goes away with its last mount."""

    def __init__(self, path, direct=False):
        LOOP_CTL_GET_FREE, LOOP_CONFIGURE = 0x4C82, 0x4C0A
        AUTOCLEAR, DIRECT_IO = 4, 16
        backing = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        flags = AUTOCLEAR | (DIRECT_IO if direct else 0)
        # struct loop_config: fd, block size, struct loop_info64, reserved
        info = struct.pack("<QQQQQIIII64s64s32sQQ", 0, 0, 0, 0, 0, 0, 0, 0, flags, b"", b"", b"", 0, 0)
        config = struct.pack("<II", backing, 0) + info + bytes(64)
        try:
            for _ in range(100):
                with open("/dev/loop-control") as control:
                    number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
                self.path = "/dev/loop%d" % number
                self.fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.ioctl(self.fd, LOOP_CONFIGURE, config)
                    self._ask_for_little(number)
                    return
                except OSError as e:
                    os.close(self.fd)
                    if e.errno != errno.EBUSY:
                        raise
            raise Trouble("no loop device is free")
        finally:
            os.close(backing)

    @staticmethod
    def _ask_for_little(number):
        """The driver takes a short write for a whole one.  So no request may
        be more than FUSE takes at once, of which a part could then fail."""
        with open("/sys/block/loop%d/queue/max_sectors_kb" % number, "w") as f:
            f.write("256")

    def close(self):
        os.close(self.fd)


MKFS = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"],
    "xfs": ["mkfs.xfs", "-q", "-f", "-K"],
    "btrfs": ["mkfs.btrfs", "-q", "-f", "-K"],
}
SMALLEST = {"ext4": 64 << 20, "xfs": 300 << 20, "btrfs": 128 << 20}
MS_NOATIME = 1024


def make_image(fs, path, size=512 << 20):
    with open(path, "wb") as f:
        f.truncate(size)
    run(*MKFS[fs], path)


def mount_device(fs, device, where):
    os.makedirs(where, exist_ok=True)
    options = {"btrfs": b"nodiscard", "ext4": b"noinit_itable"}.get(fs)
    if libc.mount(os.fsencode(device), os.fsencode(where), fs.encode(), MS_NOATIME, options) == -1:
        raise _syscall_error("mount %s" % fs)


def has_journal(path):
    """Is the directory on XFS, or on ext4 with a journal, which is on the disk that has the data?"""
    device = os.stat(path).st_dev
    disk = "%d:%d" % (os.major(device), os.minor(device))
    with open("/proc/self/mountinfo") as f:
        mounts = [line.split(" - ")[1].split() for line in f if line.split()[2] == disk]
    kinds = {m[0] for m in mounts}
    if kinds == {"ext4"}:
        name = os.path.basename(os.path.realpath("/sys/dev/block/" + disk))
        with open("/proc/fs/ext4/%s/options" % name) as f:
            orders = any(line.strip() in ("data=ordered", "data=writeback") for line in f)
        # The journal of sda1 is sda1-8, by its inode there.
        return orders and any(re.fullmatch(re.escape(name) + r"-\d+", j) for j in os.listdir("/proc/fs/jbd2"))
    return kinds == {"xfs"} and not any(re.search(r"\b(logdev|rtdev)=", m[-1]) for m in mounts)


def logs_names(path):
    """Is the directory on btrfs?"""
    return run("stat", "-f", "-c", "%T", path).strip() == "btrfs"


def mount_image(fs, image, where, direct=False):
    loop = Loop(image, direct)
    try:
        mount_device(fs, loop.path, where)
    finally:
        loop.close()


def mount_tmpfs(where, size):
    if libc.mount(b"tmpfs", os.fsencode(where), b"tmpfs", 0, b"size=%d" % size) == -1:
        raise _syscall_error("mount tmpfs")


def free_bytes(where):
    st = os.statvfs(where)
    return st.f_bavail * st.f_frsize


def unmount(where):
    """Unmount what is not used any more, now or in a moment."""
    until = time.monotonic() + PATIENCE_S
    while libc.umount2(os.fsencode(where), 0) == -1:
        if ctypes.get_errno() != errno.EBUSY or time.monotonic() > until:
            raise _syscall_error("umount %s" % where)
        time.sleep(0.005)


def _ioctl_dir(where, request, arg=0):
    fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, request, arg)
    finally:
        os.close(fd)


def freeze(where):
    _ioctl_dir(where, 0xC0045877)  # FIFREEZE


def thaw(where):
    _ioctl_dir(where, 0xC0045878)  # FITHAW


def shut_down(where, flush_log=False):
    """What `xfs_io -x -c shutdown` does: nothing reaches the disk any more."""
    XFS_IOC_GOINGDOWN = 0x8004587D
    _ioctl_dir(where, XFS_IOC_GOINGDOWN, struct.pack("I", 1 if flush_log else 2))


# ---- disks in user space


class UserDisk:
    """A process that serves a mount, and takes commands on a socket."""

    program = None

    def __init__(self, argv, where, control, log):
        os.makedirs(where, exist_ok=True)
        self.where, self.control = where, control
        self.log = open(log, "ab")
        self.proc = start([os.path.join(TOOLS, self.program)] + argv, stdout=self.log, stderr=self.log)
        eventually("%s is mounted" % self.program, self._answers)

    def _answers(self):
        if self.proc.poll() is not None:
            raise Trouble("%s ended with %d" % (self.program, self.proc.returncode))
        try:
            self.tell("ping")
            return True
        except OSError:
            return False

    def tell(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE_S)
            s.connect(self.control)
            s.sendall(command.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                got = s.recv(4096)
                if not got:
                    break
                answer += got
        if answer.startswith(b"error"):
            raise Trouble("%s: %s: %s" % (self.program, command, answer.decode().strip()))
        return answer.decode()

    def stop(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGCONT)
            self.proc.terminate()
            try:
                self.proc.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        MNT_DETACH = 2
        libc.umount2(os.fsencode(self.where), MNT_DETACH)  # it has done so itself, as a rule
        self.log.close()


class SlowFS(UserDisk):
    """The directory `backing` seen at `where`: tests/lib/slowfs.c."""

    program = "slowfs"

    def __init__(self, where, backing, control, log):
        os.makedirs(backing, exist_ok=True)
        super().__init__([backing, where, control], where, control, log)


class LogDisk(UserDisk):
    """The file `backing` seen as `where`/disk: tests/lib/logdisk.c."""

    program = "logdisk"

    def __init__(self, where, backing, log_file, control, log):
        self.disk = os.path.join(where, "disk")
        super().__init__([backing, where, log_file, control], where, control, log)
        self._marks = threading.local()

    def mark(self, text):
        """A record of its own in the log, before this returns."""
        s = getattr(self._marks, "socket", None)
        if s is None:
            s = self._marks.socket = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE_S)
            s.connect(self.control)
        s.sendall(b"mark %s\n" % text.encode())
        if s.recv(64) != b"ok\n":
            raise Trouble("logdisk took no mark")


# ---- the server

# What may be set for a run, by chance, when the server knows it.
TOP_CHOICES = {
    "chunk_size": ["16k", "64k", "256k"],
    "write_depth": ["1", "2", "4"],
    "disk_stall_timeout": ["10s", "30s"],
}
LOCATION_CHOICES = {
    "queue_depth": ["2", "8"],
    "direct_io": ["auto", "on", "off"],
    "direct_io_min": ["64k", "1m"],
    "small_latency": ["0", "1ms", "20ms"],
    "write_behind": ["1m", "8m"],
    "checksum": ["off", "crc32c", "sha256", "sha256"],
}


def _known_directives():
    text = run(PENSTOCK, "-T")
    known = {}
    block = ["top"]
    for line in text.splitlines():
        word = line.strip().lstrip("#").split(" ")[0].rstrip(";")
        if line.rstrip().endswith("{"):
            block.append(word)
        elif line.strip() == "}":
            block.pop()
        elif word:
            known[word] = block[-1]
    return known


class Server:
    """A penstock with one location, /file."""

    _known = None

    def __init__(self, work, store, rnd, engine, overwrite=False, wishes=(), processes=2):
        """wishes: (directive, value) that are set if the server knows them."""
        self.work, self.store, self.engine = work, store, engine
        self.temp_dir = os.path.join(store, oracle.TEMP_DIR)
        self.proc = None
        self.error_log = os.path.join(work, "error.log")
        self.port = self._free_port()
        self.settings = self._choose(rnd)
        for name, value in wishes:
            if self.knows(name):
                self.settings[self._block_of(name)].append((name, value))
        conf = ["worker_processes %d;" % processes, "io_engine %s;" % engine]
        conf += ["pid_file %s/penstock.pid;" % work, "error_log %s info;" % self.error_log]
        conf += ["%s %s;" % s for s in self.settings["top"]]
        conf += ["server {", "listen %s:%d;" % self.address, "access_log %s/access.log;" % work]
        conf += ["server_name x;"] if self.knows("server_name") else []
        conf += ["location /file {", "output_dir %s;" % store]
        conf += ["overwrite %s;" % ("on" if overwrite else "off")]
        conf += ["%s %s;" % s for s in self.settings["location"]]
        conf += ["}", "}"]
        self.conf = os.path.join(work, "penstock.conf")
        with open(self.conf, "w") as f:
            f.write("\n".join(conf) + "\n")

    @classmethod
    def knows(cls, directive):
        if cls._known is None:
            cls._known = _known_directives()
        return directive in cls._known

    def _block_of(self, directive):
        return "top" if self._known[directive] == "top" else "location"

    def _choose(self, rnd):
        chosen = {"top": [], "location": []}
        for choices in (TOP_CHOICES, LOCATION_CHOICES):
            for name, values in choices.items():
                value = rnd.choice(values)  # drawn in any case: seeds stay good
                if self.knows(name) and rnd.random() < 0.7:
                    chosen[self._block_of(name)].append((name, value))
        return chosen

    def chunk_size(self):
        """In bytes; up to that an upload is a small one."""
        m = re.search(r"^chunk_size +(\d+)([kmg]?);", run(PENSTOCK, "-T", "-c", self.conf), re.MULTILINE)
        return int(m[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[m[2]]

    def checks_digests(self):
        """Does it compare what the clients can send, a Repr-Digest of SHA-256?"""
        return ("checksum", "sha256") in self.settings["top"] + self.settings["location"]

    def __str__(self):
        words = ["%s %s" % s for s in self.settings["top"] + self.settings["location"]]
        return ", ".join(["io_engine " + self.engine] + words)

    @staticmethod
    def _free_port():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((ADDRESS, 0))
            return s.getsockname()[1]

    @property
    def address(self):
        return (ADDRESS, self.port)

    def _ready_count(self):
        try:
            with open(self.error_log, "rb") as f:
                return f.read().count(b"worker ready")
        except FileNotFoundError:
            return 0

    def start(self, wrapper=()):
        """Start it and wait until its workers are ready."""
        before = self._ready_count()
        env = dict(os.environ, PENSTOCK_TEST=self.work)
        for kind in ("ASAN", "UBSAN", "TSAN", "LSAN"):
            options = [env[kind + "_OPTIONS"]] if env.get(kind + "_OPTIONS") else []
            env[kind + "_OPTIONS"] = ":".join(options + ["log_path=%s/san" % self.work])
        with open(os.path.join(self.work, "stderr"), "ab") as err:
            self.proc = start(
                list(wrapper) + [PENSTOCK, "-c", self.conf], stdout=err, stderr=err, env=env
            )

        def is_ready():
            if self.proc.poll() is not None:
                raise Trouble("the server ended with %d: %s" % (self.proc.returncode, self._tail()))
            return self._ready_count() > before

        eventually("the server is ready", is_ready)

    def start_again(self):
        """Start it while what was killed may still hold the port."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.start()
            except Trouble:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _tail(self):
        with open(os.path.join(self.work, "stderr"), "rb") as f:
            return os.fsdecode(f.read()[-1000:])

    def processes(self):
        """All that belong to it, also those that lost their master."""
        mark = b"\0PENSTOCK_TEST=" + os.fsencode(self.work) + b"\0"
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open("/proc/%s/environ" % name, "rb") as f:
                    environ = f.read()
                with open("/proc/%s/stat" % name) as f:
                    state = f.read().rpartition(") ")[2][0]
            except OSError:
                continue
            if mark in b"\0" + environ and state not in "ZX":
                found.append(int(name))
        return found

    def workers(self):
        try:
            with open("/proc/%d/task/%d/children" % (self.proc.pid, self.proc.pid)) as f:
                return [int(pid) for pid in f.read().split()]
        except OSError:
            return []

    def files_open(self):
        """What the workers have open below the store, the temp directory aside."""
        found = []
        for pid in self.workers():
            for fd in _entries("/proc/%d/fd" % pid):
                try:
                    to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                except OSError:
                    continue
                if to.startswith(self.store + "/") and to != self.temp_dir:
                    found.append(to)
        return found

    def kill(self):
        """kill -9 of the master and of all workers."""
        for pid in self.processes():
            kill(pid, signal.SIGKILL)
        if self.proc is not None:
            self.proc.wait()

    def await_gone(self):
        eventually("all processes of the server have ended", lambda: not self.processes())

    def stop(self):
        """TERM, and wait; a server that does not end is trouble."""
        if self.proc is None or self.proc.poll() is not None:
            return
        self.proc.terminate()
        try:
            self.proc.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Trouble("the server did not stop on TERM")

    def faults(self):
        """What must never stand in its logs, a line each."""
        bad = re.compile(
            r"check failed|ended by signal (4|5|6|7|8|11|31) |: runtime error: |"
            r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer"
        )
        found = []
        for name in sorted(os.listdir(self.work)):
            if name in ("error.log", "stderr") or name.startswith("san."):
                with open(os.path.join(self.work, name), errors="replace") as f:
                    found += ["%s: %s" % (name, line.strip()) for line in f if bad.search(line)]
        return found[:20]


def _entries(directory):
    try:
        return os.listdir(directory)
    except OSError:
        return []


def kill(pid, sig):
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False


def kill_at_random(r, server, seconds):
    """kill -9 of workers and of all, and reloads; there is a server at the end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(r.random.expovariate(1 / 0.2))
        workers, what = server.workers(), r.random.random()
        if what < 0.7 and workers:
            r.count(workers_killed=kill(r.random.choice(workers), signal.SIGKILL))
        elif what < 0.85:
            r.count(reloads=kill(server.proc.pid, signal.SIGHUP))
        else:
            server.kill()
            r.count(masters_killed=1)
            server.start_again()
    if not server.workers():
        server.kill()
        server.start_again()


class Watch:
    """tests/crash/watch.py on an output directory."""

    def __init__(self, directory):
        watch = os.path.join(REPO, "tests/crash/watch.py")
        os.makedirs(directory, exist_ok=True)
        self.proc = start(
            [sys.executable, "-B", watch, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        if self.proc.stdout.readline() != b"ready\n":
            raise Trouble("the watch did not start")

    def stop(self):
        """(how many names it looked at, what was wrong with them)"""
        self.proc.stdin.close()
        lines = os.fsdecode(self.proc.stdout.read()).splitlines()
        self.proc.stdout.close()
        if self.proc.wait() != 0 or not lines or not lines[-1].startswith("looked at "):
            raise Trouble("the watch failed: %r" % lines[-3:])
        return int(lines[-1].split()[2]), ["watched: " + line for line in lines[:-1]]


class Strace:
    """strace of a worker, from here on until stop()."""

    def __init__(self, pid, out, *options):
        self.out = out
        self.proc = start(
            ["strace", "-f", "-y", "-o", out, *options, "-p", str(pid)],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        line = self.proc.stderr.readline()
        if b"attached" not in line:
            raise Trouble("strace: %s" % os.fsdecode(line + self.proc.stderr.read()).strip())

    def stop(self):
        """The lines of its output."""
        kill(self.proc.pid, signal.SIGTERM)
        try:
            self.proc.wait(1)
        except subprocess.TimeoutExpired:
            # It waits for the ring's own threads, which cannot be traced.
            self.proc.kill()
            self.proc.wait()
        self.proc.stderr.close()
        with open(self.out, errors="replace") as f:
            return f.read().splitlines()


# ---- rounds


class Round:
    """One round of a script: a directory, a seed, and what was found."""

    def __init__(self, script, seed):
        self.script, self.seed = script, seed
        self.random = random.Random(seed)
        self.work = tempfile.mkdtemp(prefix="penstock-%s." % script.name, dir=TMP)
        os.chmod(self.work, 0o755)
        self.broken = []
        self.said = ""
        self._ends = []

    def path(self, *names):
        return os.path.join(self.work, *names)

    def at_end(self, call, *args):
        """Undo something, however the round ends; the last one first."""
        self._ends.append((call, args))

    def end(self):
        while self._ends:
            call, args = self._ends.pop()
            try:
                call(*args)
            except (OSError, Trouble) as e:
                print("%s: %s" % (self.script.name, e), file=sys.stderr)

    def count(self, **numbers):
        for name, n in numbers.items():
            self.script.counts[name] = self.script.counts.get(name, 0) + n

    def judge(self, server, history, root=None, is_acknowledged=None):
        """Everything there is to be asked of a store that is not written to."""
        self.breaks(*history.judge(root or server.store, is_acknowledged))
        self.breaks(*server.faults())

    def nothing_stays(self, server, after=""):
        """A server at rest has no temp file, and no file of the store open."""
        for what, left in (
            ("a temp file stays", lambda: oracle.temp_names(server.store)),
            ("a file stays open", server.files_open),
        ):
            try:
                eventually(what, lambda: not left())
            except Trouble:
                self.breaks("%s%s: %s" % (after, what, ", ".join(left())))

    def count_history(self, history):
        counts = history.counts()
        self.count(uploads=sum(counts.values()), **counts)

    def breaks(self, *what):
        self.broken += [w for w in what if w not in self.broken]


class Script:
    """The rounds of one script, by its arguments:

    --seed N      of the first round, the next ones count up from it (random)
    --seconds N   begin no new round after that time
    --rounds N    that many rounds, however long they take
    --only KIND   rounds of that kind only
    --keep        keep the directories of rounds that found nothing, too
    """

    def __init__(self, name, kinds, one_round, on_request=()):
        self.name, self.kinds, self.one_round = name, kinds, one_round
        parser = argparse.ArgumentParser(
            prog=name, description=Script.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6))
        parser.add_argument("--seconds", type=float, default=20)
        parser.add_argument("--rounds", type=int)
        parser.add_argument("--only", choices=[*kinds, *on_request])
        parser.add_argument("--keep", action="store_true")
        self.args = parser.parse_args()
        self.counts = {}

    def main(self):
        if os.geteuid() != 0:
            sys.exit("%s: mounts and kills as root only" % self.name)
        own_mounts()
        began = time.monotonic()
        failed = done = 0
        while not self._is_enough(done, time.monotonic() - began):
            # A seed says of itself what kind of round it is.
            seed = self.args.seed + done
            kind = self.args.only or self.kinds[seed % len(self.kinds)]
            failed += not self._round(seed, kind)
            done += 1
            if failed == 3:
                print("%s: that is enough" % self.name)
                break
        took = time.monotonic() - began
        counts = " ".join("%s=%d" % item for item in self.counts.items())
        print(
            "%s: seeds=%d..%d rounds=%d failed=%d seconds=%.1f %s"
            % (self.name, self.args.seed, self.args.seed + done - 1, done, failed, took, counts)
        )
        sys.exit(1 if failed else 0)

    def _is_enough(self, done, seconds):
        if self.args.rounds is not None:
            return done >= self.args.rounds
        return done > 0 and seconds >= self.args.seconds

    def _round(self, seed, kind):
        r = Round(self, seed)
        began = time.monotonic()
        signal.signal(signal.SIGALRM, _on_alarm)
        signal.alarm(ROUND_S)
        try:
            self.one_round(r, kind)
        except (Trouble, OSError) as e:
            r.breaks("trouble: %s: %s" % (type(e).__name__, e))
            traceback.print_exc()
        finally:
            signal.alarm(0)
            r.end()
        print(
            "%s: %s seed %d: %s (%.1f s)%s"
            % (
                self.name,
                kind,
                seed,
                "FAILED" if r.broken else "ok",
                time.monotonic() - began,
                " " + r.said if r.said else "",
            ),
            flush=True,
        )
        if not r.broken:
            if not self.args.keep:
                shutil.rmtree(r.work, ignore_errors=True)
            return True
        for what in r.broken[:20]:
            print("    " + what)
        if len(r.broken) > 20:
            print("    ... and %d more" % (len(r.broken) - 20))
        print("    kept: %s" % r.work)
        print(
            "    again: tests/crash/%s --seed %d --rounds 1%s"
            % (self.name, seed, " --only " + kind if self.args.only else ""),
            flush=True,
        )
        return False
