"""What work costs: processor time and instructions.

The server's processes are asked for theirs.  What the kernel does for them in
threads of its own (write-back, loop devices) and in interrupts (the loopback's
receiving half) is in the time of the whole machine only: of that the load
generator's own time is taken away, and the bench's.
"""
import contextlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile

import machine
import procs


def own_seconds():
    """Of the bench itself, without the programs it has run."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Meter:
    """Begins when it is made; read() says what was spent since then."""

    def __init__(self, pid):
        self.pid = pid
        self.own = own_seconds()
        self.by_process = procs.cpu_by_process(pid)
        self.machine = machine.processor_times()

    def read(self, clients=0.0):
        """Seconds of the server, and of the machine without the `clients`."""
        spent = machine.difference(machine.processor_times(), self.machine)
        now = procs.cpu_by_process(self.pid)
        workers = [now[p] - self.by_process.get(p, 0) for p in sorted(now)]
        own = own_seconds() - self.own
        return {"server": sum(workers), "workers": workers,
                "machine": spent["busy"] - clients - own,
                "softirq": spent["softirq"], "steal": spent["steal"]}


class Instructions:
    """Those of the whole machine, counted by `perf stat` where the processor
    has such a counter and lets us read it."""

    EVENTS = ("instructions:u", "instructions:k")

    def __init__(self):
        self.there = self.probe()

    def probe(self):
        if shutil.which("perf") is None:
            return False
        done = subprocess.run(self.argv("true"), capture_output=True, text=True)
        return done.returncode == 0 and len(self.parse(done.stderr)) == 2

    def argv(self, *command):
        return ["perf", "stat", "-a", "-x", ",", "-e",
                ",".join(self.EVENTS), *command]

    @staticmethod
    def parse(text):
        """{"u": count, "k": count} of what perf has printed; what it could
        not count is left out."""
        return {m[2]: int(m[1]) for m in re.finditer(
            r"^(\d+),[^,]*,instructions:([uk])", text, re.M)}

    @contextlib.contextmanager
    def counting(self):
        """A dict with what parse() finds, once it is over."""
        found = {}
        if not self.there:
            yield found
            return
        with tempfile.TemporaryFile("w+") as out:
            running = subprocess.Popen(
                self.argv("sleep", "3600"), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=out, start_new_session=True)
            try:
                yield found
            finally:
                running.send_signal(signal.SIGINT)
                running.wait(10)
            out.seek(0)
            found.update(self.parse(out.read()))
