"""Processes: starting, measuring and ending them, always by their id."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """What was started did not come up, or ended when it should not."""


class NotThere(Failed):
    """What was to be measured is not built yet."""


def eventually(what, condition, seconds=10.0):
    """Wait until condition() is true."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def family(pid):
    """The process and all below it."""
    found = [pid]
    for p in found:
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/children") as f:
                    found += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return found


def cpu_by_process(pid):
    """User and system time of each process of the family, of all its threads,
    io_uring's workers and reaped children included."""
    found = {}
    for p in family(pid):
        try:
            with open(f"/proc/{p}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[p] = sum(int(v) for v in fields[11:15]) / TICK
    return found


def cpu_seconds(pid):
    return sum(cpu_by_process(pid).values())


def memory_mib(pid):
    """What the family holds, each shared page counted once (PSS)."""
    total = 0
    for p in family(pid):
        try:
            with open(f"/proc/{p}/smaps_rollup") as f:
                for line in f:
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        except OSError:
            pass
    return total / 1024


class Process:
    """A program in a session of its own, so that ^C reaches only us."""

    def __init__(self, argv, log, env=None):
        self.name = os.path.basename(argv[0])
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(os.environ, **(env or {})), start_new_session=True)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log_tail(self):
        with open(self.log, errors="replace") as f:
            return "".join(f.readlines()[-10:]).strip()

    def wait_for_port(self, port):
        def up():
            if not self.running():
                raise Failed(f"{self.name} ended: {self.log_tail()}")
            return answers(port)
        eventually(f"{self.name} on port {port}", up)

    def stop(self, first=signal.SIGTERM, seconds=10.0):
        """End it and all below it; True when `first` was enough."""
        pids = family(self.pid)
        if self.running():
            self.popen.send_signal(first)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pids = family(self.pid)
        left = [p for p in pids if self.is_ours(p)]
        for p in left:
            try:
                os.kill(p, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()
        return not left

    def is_ours(self, pid):
        """Still there, and of the session that was made for it."""
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            return False
        return fields[0] != "Z" and int(fields[3]) == self.pid


class MemoryWatch:
    """The greatest memory that a family has held since start()."""

    def __init__(self, pid):
        self.pid = pid
        self.peak = memory_mib(pid)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.25):
            self.peak = max(self.peak, memory_mib(self.pid))

    def stop(self):
        self.over.set()
        self.thread.join()
        self.peak = max(self.peak, memory_mib(self.pid))
        return self.peak


def command(*argv):
    """Run a program that is to succeed, and return what it printed."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True)
    except OSError as e:
        raise Failed(f"{argv[0]}: {e.strerror}") from e
    if done.returncode != 0:
        raise Failed(f"{argv[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def run_json(argv):
    return json.loads(command(*argv))
