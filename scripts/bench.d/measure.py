"""One run of the generator against one server, and what it took."""
import cpu
import procs
from machine import GIB


def measure(bench, server, job, finish=None):
    """The figures of a turn.  What finish() does after the last answer is
    paid for as well; it returns the seconds that it took."""
    bench.ballast.let_go()
    watch = procs.MemoryWatch(server.process.pid)
    with bench.counter.counting() as counted:
        meter = cpu.Meter(server.process.pid)
        result = bench.generator.run(server, job)
        waited = finish() if finish else 0.0
        spent = meter.read(result["cpu"])
    memory = watch.stop()
    if result["ok"] == 0:
        raise procs.Failed(f"no answer that is a success: "
                           f"{result['problems']}")
    return {"memory": memory, "spent": spent, "sync_seconds": waited,
            **figures(result, spent, counted)}


def figures(result, spent, counted):
    """Of what the generator saw, and of what was spent and counted."""
    gib, requests = result["bytes"] / GIB, result["requests"]
    found = {
        "rate": result["rate"], "mib_s": result["mib_s"],
        "p50": result["latency_ms"]["p50"], "p99": result["latency_ms"]["p99"],
        "cpu_gib": spent["server"] / gib, "machine_gib": spent["machine"] / gib,
        "cpu_request_us": spent["server"] / requests * 1e6,
        "machine_request_us": spent["machine"] / requests * 1e6,
        "busy": result["busy"], "problems": result["problems"],
        "busiest": busiest(spent["workers"]),
        "result": result,
    }
    for mode, key in (("u", "instructions_user"),
                      ("k", "instructions_kernel")):
        if mode in counted:
            found[key] = counted[mode] / requests
    return found


def busiest(processes):
    """The share of the busiest one: a half when two share alike."""
    return max(processes, default=0) / (sum(processes) or 1)
