"""Who makes the requests: tests/lib/load, or Debian's wrk.

Both are closed loops: a connection's next request goes out when the last one
is answered, on a connection that is kept, without pipelining.  Neither is
bound to a processor.  One thread of `load` is one thread that the servers
share the processors with; `wrk` runs as many as it is told.
"""
import dataclasses
import json
import os
import shutil
import subprocess
import time

import procs
from machine import GIB, KIB

HERE = os.path.dirname(os.path.abspath(__file__))
WRK_MOST = 256 * KIB # it copies the body for each request


@dataclasses.dataclass
class Job:
    """What is asked for: `requests` of them, or those begun in `seconds`."""

    size: int              # of each body
    connections: int
    seconds: float = 10
    requests: int = 0      # 0: any number
    target: str = ""       # with %d
    method: str = "PUT"
    names: int = 0         # so many, round and round; 0: never the same
    memory: int = 0        # that bodies come from; 0: as it comes
    grace: float = 60
    options: tuple = ()    # more of load's


def load_argv(tool, server, prefix, size, connections, *more):
    return [tool, "--json", "--allow-errors", "-m", server.method,
            "-u", server.url(prefix), "-s", str(size), "-c", str(connections),
            *server.client(), *[str(m) for m in more], f"127.0.0.1:{server.port}"]


class Background:
    """A generator that runs beside us, until result() or the end."""

    def __init__(self, argv):
        self.argv = [str(a) for a in argv]
        self.name = os.path.basename(self.argv[0])

    def __enter__(self):
        self.began = time.monotonic()
        self.popen = subprocess.Popen(
            self.argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        return self

    def __exit__(self, *_):
        if self.popen.returncode is None:
            self.popen.kill()
            self.popen.wait()
        self.popen.stdout.close()
        self.popen.stderr.close()

    def wait_for(self, seconds):
        """It must not end before."""
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise procs.Failed(f"{self.name} ended: {self.popen.stderr.read()}")

    def output(self):
        """What it printed until it ended, the seconds of processor time that
        it took, and of the clock."""
        out, err = self.popen.stdout.read(), self.popen.stderr.read()
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.popen.returncode = os.waitstatus_to_exitcode(status)
        if self.popen.returncode != 0:
            raise procs.Failed(f"{self.name}: {err.strip()}")
        return (out, usage.ru_utime + usage.ru_stime,
                time.monotonic() - self.began)

    def result(self):
        """Of tests/lib/load: what it printed, with `problems`; `cpu`, its own
        seconds, and `busy`, the same as a share of one processor."""
        out, cpu, clock = self.output()
        result = json.loads(out)
        result.update(cpu=cpu, busy=cpu / clock)
        problems = {k: v for k, v in result["errors"].items() if v > 0}
        problems.update({k: v for k, v in result["status"].items()
                         if not k.startswith("2")})
        result["problems"] = problems
        return result


def run_load(argv):
    with Background(argv) as running:
        return running.result()


class Load:
    name = "load"

    def __init__(self, tool, threads=1, options=()):
        self.tool = tool
        self.threads = threads
        self.options = list(options)

    def argv(self, server, job):
        argv = [self.tool, "--json", "--allow-errors", "-m", job.method,
                "-u", job.target, "-s", job.size, "-c", job.connections,
                "-T", min(self.threads, job.connections),
                "-d", f"{job.seconds:g}", "-g", f"{job.grace:g}"]
        for option, value in (("-n", job.requests), ("-N", job.names),
                              ("-b", job.memory)):
            argv += [option, value] if value else []
        return [str(a) for a in (*argv, *self.options, *job.options,
                                 *server.client(),
                                 f"127.0.0.1:{server.port}")]

    def run(self, server, job):
        return run_load(self.argv(server, job))


class Wrk:
    """It ends by the clock only, in whole seconds, and cuts off what runs
    then.  So it gets the seconds in which no server takes more than what is
    asked for."""

    FASTEST_BYTES, FASTEST_REQUESTS = 2 * GIB, 60_000 # per second

    name = "wrk"

    def __init__(self, threads=1):
        self.threads = threads

    def takes(self, job):
        return job.size <= WRK_MOST and job.target.endswith("%d")

    def seconds(self, job):
        most = job.seconds
        if job.requests:
            most = min(most, max(job.requests / self.FASTEST_REQUESTS,
                                 job.requests * job.size / self.FASTEST_BYTES))
        return max(1, round(most))

    def argv(self, server, job):
        threads = min(self.threads, job.connections)
        return [str(a) for a in (
            "wrk", "-t", threads, "-c", job.connections, "-d",
            self.seconds(job), "--timeout", f"{job.grace:g}",
            "-s", os.path.join(HERE, "wrk.lua"),
            f"http://127.0.0.1:{server.port}/", "--", job.method,
            job.target.replace("%d", ""), job.size, job.names, threads)]

    def run(self, server, job):
        with Background(self.argv(server, job)) as running:
            return wrk_result(job, *running.output())


def wrk_result(job, out, cpu, clock):
    """The same figures as load's."""
    lines = [line for line in out.splitlines() if line.startswith("json: ")]
    if not lines:
        raise procs.Failed("wrk: " + out.strip())
    seen = json.loads(lines[0].split(" ", 1)[1])
    size = seen["received"] if job.method == "GET" else (
        seen["requests"] * job.size)
    return {
        "requests": seen["requests"], "ok": seen["requests"] - seen["status"],
        "seconds": seen["seconds"], "bytes": size,
        "rate": seen["requests"] / seen["seconds"],
        "mib_s": size / seen["seconds"] / (1 << 20),
        "latency_ms": {"p50": seen["p50"], "p99": seen["p99"]},
        "problems": {what: seen[what] for what in (
            "connect", "read", "write", "status", "timeout") if seen[what]},
        "cpu": cpu, "busy": cpu / clock,
    }


class Chosen:
    """The generator that was asked for, and load for what it cannot do."""

    def __init__(self, tool, name="load", threads=1, apart=False):
        self.load = Load(tool, threads, ["-a"] if apart else [])
        self.wrk = None
        if name == "wrk":
            if shutil.which("wrk") is None:
                raise procs.Failed("wrk is not installed; see scripts/setup "
                                   "bench")
            self.wrk = Wrk(threads)

    def of(self, job):
        return self.wrk if self.wrk and self.wrk.takes(job) else self.load

    def run(self, server, job):
        chosen = self.of(job)
        return dict(chosen.run(server, job), generator=chosen.name)
