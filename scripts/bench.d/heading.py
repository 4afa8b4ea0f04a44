"""Where it was measured, and how."""
import subprocess

import servers


def version(kind):
    if kind.name == "fastapi":
        argv = ["dpkg-query", "-W", "-f", "${Package} ${Version}; ",
                "python3-fastapi", "python3-uvicorn"]
    elif kind.name.startswith("penstock"):
        argv = [kind.binary, "-v"]
    else:
        argv = [servers.program(kind.name.split("-")[0]), "-v"]
    try:
        out = subprocess.run(argv, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return kind.name
    return (out.stdout + out.stderr).strip().split("\n")[0].strip("; ")


def kinds(bench):
    """Those that take part."""
    if bench.options.against:
        return [k for k in bench.kinds() if k.name.startswith("penstock")]
    return bench.kinds()


def versions(bench):
    """Each once; nginx and penstock have several settings."""
    return list(dict.fromkeys(version(k) for k in kinds(bench)))


def generator(bench):
    o = bench.options
    threads = "1 thread" if o.threads == 1 else f"{o.threads} threads"
    if o.generator == "wrk":
        return (f"Small uploads and downloads are made by `wrk` ({threads}), "
                "others by `tests/lib/load`.")
    apart = ", a small body apart from its head" if o.apart else ""
    return f"Requests are made by `tests/lib/load` ({threads}{apart})."


def instructions(bench):
    if bench.counter.there:
        return ("Instructions are those of the whole machine (`perf stat -a`), "
                "the generator's included.")
    return ("This machine's instructions cannot be counted (`perf stat -a`); "
            "`--against` counts penstock's under callgrind.")


def text(bench):
    m, o = bench.machine, bench.options
    caches = ", ".join(f"{k} {v}" for k, v in m["caches"].items())
    lines = [
        f"Machine: {m['processors']} × {m['processor']} ({caches}), "
        f"{m['memory_gib']:.0f} GiB, Linux {m['kernel']}; disk: {m['disk']}, "
        f"dirty_background_ratio {m['dirty_background_ratio']}, dirty_ratio "
        f"{m['dirty_ratio']}; load average at the start "
        f"{m['load_average'][0]:.2f}. Medians of {o.rounds} rounds, in each "
        "of which the next server begins; over loopback, 2 workers each "
        "unless it says one. In brackets the median ratio, of turns of one "
        "round, to the peer: the nginx that was the fastest in that work. CPU "
        "of the server is that of its processes; of the machine, all that its "
        "processors did, interrupts and the kernel's threads included, less "
        "the load generator's own; both until all is durable on works to "
        "disks. Memory is the peak of the server's PSS, without the page "
        f"cache. {generator(bench)} {instructions(bench)}",
        "",
        "Versions: " + "; ".join(versions(bench)) + "."]
    ways = [k for w in o.works for k in getattr(w, "ways", ())]
    notes = dict.fromkeys(k.note for k in [*kinds(bench), *ways] if k.note)
    return "\n".join(lines + [f"- {note}" for note in notes])
