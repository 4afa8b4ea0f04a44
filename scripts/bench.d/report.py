"""What came out, as Markdown."""
import os
import platform
import subprocess

import rig
import servers
import works


def number(value, digits=3):
    """`digits` significant ones, thousands with commas; - for none."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def times(value, base):
    """`value` with its ratio to `base`."""
    if value is None or not base:
        return number(value)
    return f"{number(value)} ({value / base:.2f} ×)"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    lines += ["| " + " | ".join(r) + " |" for r in rows]
    return "\n".join(lines)


def problems(rows):
    return [f"- {r['label']}: " + ", ".join(
        f"{what} ({n} times)" for what, n in r["problems"].items())
        for r in rows if r["problems"]]


def throughput(work, rows):
    base = next((r for r in rows if r["server"] == "nginx"), {})
    body = [[r["label"],
             times(r["rate"], base.get("rate")),
             number(r["mib_s"]),
             number(r["p50"]),
             times(r["p99"], base.get("p99")),
             times(r["cpu_request_us"], base.get("cpu_request_us")),
             times(r["cpu_gib"], base.get("cpu_gib")),
             times(r["memory"], base.get("memory"))] for r in rows]
    text = [f"**{work.what}** (`{work.name}`)", "", table(
        ["server", "uploads/s", "MiB/s", "p50 ms", "p99 ms",
         "CPU µs/upload", "CPU s/GiB", "memory MiB"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def beside(work, rows):
    other = "with no bulk" if work.other == "alone" else "bulk to a second process"
    body = [[r["label"], number(r["other"]), number(r["other_p99"]),
             number(r["same"]), number(r["same_p99"]),
             "-" if r["kept"] is None else f"{r['kept']:.3f}"] for r in rows]
    text = [f"**4 KiB × 8 to a fast directory, one worker, beside "
            f"{work.what}** (`{work.name}`)", "", table(
                ["server", f"uploads/s, {other}", "p99 ms",
                 "uploads/s, bulk to this process", "p99 ms", "kept"], body)]
    # What does not answer beside a sick disk is the result, not a problem.
    failed = [dict(r, problems={k: v for k, v in r["problems"].items()
                                if k != "hung"}) for r in rows]
    return "\n".join(text + [""] + problems(failed)).rstrip()


def durable(work, rows):
    body = [[r["label"], number(r["server-1"]),
             f"{number(r['server-64'])} ({number(r['gain'])} ×)",
             number(r["p99-64"]), number(r["bare-1"]),
             f"{number(r['bare-64'])} ({number(r['bare_gain'])} ×)",
             number(r["of_bare"])] for r in rows]
    text = [f"**{work.what}** (`{work.name}`): penstock with `sync on`, and "
            "a program that does nothing but the operations", "", table(
                ["to", "penstock: uploads/s × 1", "× 64", "p99 ms",
                 "bare: files/s × 1", "× 64", "penstock, of bare"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def overlap(work, rows):
    body = [[r["label"] + (f", queue_depth {r['depth']}" if r["depth"] else ""),
             number(r["client"]), number(r["disk"]),
             times_of(r["both"], r["of_longer"]),
             times_of(r["short"], r["short_of_longer"])] for r in rows]
    text = [f"**{work.what}** (`{work.name}`)", "", table(
        ["link", "link alone, s", "disk alone, s", "together, s (× the longer)",
         "with queue_depth 2"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def times_of(value, ratio):
    return number(value) + ("" if ratio is None else f" ({ratio:.3f} ×)")


def ceiling(work, rows):
    return (f"What the load generator can do: {number(rows[0]['rate'])} "
            f"requests/s of 4 KiB × 64, {number(rows[1]['mib_s'])} MiB/s of "
            "256 KiB × 16 to an nginx that throws the body away.")


SECTIONS = {works.Beside: beside, works.Ceiling: ceiling,
            works.Durable: durable, works.Overlap: overlap}


def section(work, rows):
    return SECTIONS.get(type(work), throughput)(work, rows)


# ---- what was to be reached

# work: [(server, figure, of server, sign, wanted)]
AGAINST = {
    "tmpfs-4k": [("penstock", "rate", "nginx", ">=", 1.1),
                 ("penstock", "cpu_request_us", "nginx", "<=", 0.85),
                 ("penstock", "rate", "fastapi", ">=", 10)],
    "tmpfs-256k": [("penstock", "rate", "nginx", ">=", 1.0),
                   ("penstock", "cpu_gib", "nginx", "<=", 1.0)],
    "tmpfs-16m": [("penstock", "rate", "nginx", ">=", 1.0),
                  ("penstock", "cpu_gib", "nginx", "<=", 1.0),
                  ("penstock", "rate", "fastapi", ">=", 2)],
    "disk-64m": [("penstock-sync", "rate", "nginx", ">=", 1.2),
                 ("penstock-sync", "cpu_gib", "nginx", "<=", 0.5)],
    "disk-2g": [("penstock-sync", "rate", "nginx", ">=", 1.5),
                ("penstock-sync", "cpu_gib", "nginx", "<=", 0.45)],
    "digest": [("penstock-sha256", "rate", "penstock-sync", ">=", 0.9)],
}
FIGURES = {"rate": "rate", "cpu_request_us": "CPU per upload",
           "cpu_gib": "CPU per GiB"}
GAINS = {"disk": 3, "ext4": 3, "xfs": 5}
KEPT = 0.9
OVERLAP = 1.1


def goals(results):
    """[(text, value, sign, wanted)] for what was measured; a value of None
    was not measured, one of "-" cannot be with this penstock."""
    found = []
    for name, rows in results.items():
        if name in AGAINST:
            found += against(name, rows)
        elif name == "durable":
            found += [(f"durable, {r['label']}: rate of 64 at once, of 1",
                       r["gain"], ">=", GAINS[r["place"]]) for r in rows]
        elif name == "overlap":
            for r in rows:
                text = f"overlap, {r['label']}: total, of the longer alone"
                found += [(text, r["of_longer"], "<=", OVERLAP),
                          (text + ", with queue_depth 2",
                           r["short_of_longer"], ">", OVERLAP)]
        elif name != "ceiling":
            found += [(f"{name}: kept", r["kept"], ">=", KEPT)
                      for r in rows if r["server"] == "penstock"]
    return found


def against(name, rows):
    by_server = {r["server"]: r for r in rows or ()}
    for server, figure, other, sign, wanted in AGAINST[name]:
        text = f"{name}: {FIGURES[figure]}, of {LABELS[other]}"
        if rows is None:
            yield text, "-", sign, wanted
        elif server in by_server and other in by_server:
            value = by_server[server][figure]
            base = by_server[other][figure]
            yield (text, value / base if value is not None and base else None,
                   sign, wanted)


LABELS = {"nginx": "nginx's", "fastapi": "the original's design",
          "penstock-sync": "what it is without"}
SIGNS = {">=": lambda v, w: v >= w, "<=": lambda v, w: v <= w,
         ">": lambda v, w: v > w}


def goal_lines(results):
    lines = []
    for text, value, sign, wanted in goals(results):
        if value == "-":
            verdict, value = "not there", None
        elif value is not None and SIGNS[sign](value, wanted):
            verdict = "reached"
        else:
            verdict = "**missed**"
        lines.append(f"| {text} | {number(value)} | {sign} {wanted:g} | "
                     f"{verdict} |")
    if not lines:
        return ""
    return "\n".join(["| goal | measured | wanted | |",
                      "|---|---:|---:|---|"] + lines)


# ---- where it was measured

def version(kind):
    if kind.name == "fastapi":
        argv = ["dpkg-query", "-W", "-f", "${Package} ${Version}; ",
                "python3-fastapi", "python3-uvicorn"]
    elif kind.name.startswith("penstock"):
        argv = [os.path.join(servers.ROOT, "build/penstock"), "-v"]
    else:
        argv = [servers.program(kind.name), "-v"]
    try:
        out = subprocess.run(argv, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return kind.name
    return (out.stdout + out.stderr).strip().split("\n")[0].strip("; ")


def file_system(path):
    out = subprocess.run(["stat", "-f", "-c", "%T", path],
                         capture_output=True, text=True)
    return out.stdout.strip()


def heading(bench):
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f
                      if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / rig.GIB
    kinds = bench.servers()
    lines = [
        f"Machine: {os.cpu_count()} × {model}, {memory:.0f} GiB, Linux "
        f"{platform.release()}; disk: {file_system(bench.dirs['disk'])}. "
        f"Medians of {bench.options.rounds} alternating turns, loopback, 2 "
        "workers each unless it says one; in brackets the ratio to nginx in "
        "the same run. CPU is user + system time of the server's processes "
        "(not of the kernel's own threads, which write dirty pages back); "
        "memory is the peak of their PSS, without the page cache. Only "
        "`penstock, sync on` syncs.",
        "",
        "Versions: " + "; ".join(version(k) for k in kinds
                                 if k.name != "penstock-sync") + "."]
    lines += [f"- {k.note}" for k in kinds if k.note]
    return "\n".join(lines)
