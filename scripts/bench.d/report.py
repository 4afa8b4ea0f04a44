"""What came out, as Markdown."""
import os
import platform
import subprocess

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
    other = "with no bulk" if work.hung else "bulk to a second process"
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


def ceiling(work, rows):
    return (f"What the load generator can do: {number(rows[0]['rate'])} "
            f"requests/s of 4 KiB × 64, {number(rows[1]['mib_s'])} MiB/s of "
            "256 KiB × 16 to an nginx that throws the body away.")


def section(work, rows):
    if isinstance(work, works.Ceiling):
        return ceiling(work, rows)
    if isinstance(work, works.Beside):
        return beside(work, rows)
    return throughput(work, rows)


# ---- what was to be reached

def goals(results):
    """[(text, value, "<=" or ">=", bound)] for what was measured."""
    found = []
    for name in ("tmpfs-4k", "tmpfs-256k", "tmpfs-16m"):
        rows = {r["server"]: r for r in results.get(name, ())}
        ours = rows.get("penstock")
        if ours is None:
            continue
        cpu, least = (("cpu_request_us", 0.9) if name == "tmpfs-4k"
                      else ("cpu_gib", 1.0))
        if "nginx" in rows:
            found += [(f"{name}: rate, of nginx's", ours["rate"],
                       rows["nginx"]["rate"], ">=", 1.0),
                      (f"{name}: CPU, of nginx's", ours[cpu],
                       rows["nginx"][cpu], "<=", least)]
        if "fastapi" in rows and name != "tmpfs-256k":
            found.append((f"{name}: rate, of the original's design",
                          ours["rate"], rows["fastapi"]["rate"], ">=",
                          10 if name == "tmpfs-4k" else 2))
    for name in ("isolation-4", "isolation-32", "hung-4", "hung-32"):
        for r in results.get(name, ()):
            if r["server"] == "penstock":
                found.append((f"{name}: kept", r["kept"], 1, ">=", 0.9))
    return [(text, value / base if value is not None and base else None,
             sign, bound) for text, value, base, sign, bound in found]


def goal_lines(results):
    lines = []
    for text, value, sign, bound in goals(results):
        reached = value is not None and (
            value >= bound if sign == ">=" else value <= bound)
        lines.append(f"| {text} | {number(value)} | {sign} {bound:g} | "
                     f"{'reached' if reached else '**missed**'} |")
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
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / works.GIB
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
