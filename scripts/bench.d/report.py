"""What came out, as Markdown."""
import order
from beside import Beside
from downloads import Downloads
from durable import Durable
from each_generator import EachGenerator
from held import Held
from one_disk import OneDisk
from over_tls import (Handshakes, TlsBeside, TlsBesideSlow, TlsHeld,
                      TlsUploads)
from overlap import Overlap
from resume import ManyWays, Suspended, TakenOver
from rights import Rights
from uploads import Digest, Uploads
from works import Ceiling


def number(value, digits=3):
    """`digits` significant ones, thousands with commas; - for none."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def times_of(value, ratio, digits=2):
    if ratio is None:
        return number(value)
    return f"{number(value)} ({ratio:.{digits}f} ×)"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    lines += ["| " + " | ".join(r) + " |" for r in rows]
    return "\n".join(lines)


def problems(rows):
    return [f"- {r['label']}: " + ", ".join(
        f"{what} ({n} times)" for what, n in r["problems"].items())
        for r in rows if r["problems"]]


def beside_base(row, base, key):
    """A figure with its ratio to the peer's."""
    ratio = order.ratio(row, base, key) if base and row[key] else None
    return times_of(row[key], ratio)


def label(row, base):
    return row["label"] + (", the peer" if row is base else "")


def title(work):
    return f"**{work.what}** (`{work.name}`)"


# ---- a section for each kind of work

COLUMNS = [("rate", "/s", True), ("mib_s", "MiB/s", False),
           ("p50", "p50 ms", False), ("p99", "p99 ms", True),
           ("cpu_request_us", "CPU of the server, µs", True),
           ("machine_request_us", "of the machine, µs", True),
           ("cpu_gib", "of the server, s/GiB", False),
           ("machine_gib", "of the machine, s/GiB", False),
           ("instructions_user", "instructions, user", True),
           ("instructions_kernel", "kernel", True),
           ("memory", "memory MiB", True),
           ("busy", "cores of the generator", False),
           ("busiest", "share of the busiest process", False)]
DURABLE_COLUMNS = [("durable_rate", "/s", True),
                   ("durable_mib_s", "MiB/s", False),
                   ("sync_seconds", "`sync -f` s", False),
                   ("cpu_gib", "CPU of the server, s/GiB", True),
                   ("machine_gib", "of the machine, s/GiB", True),
                   ("dd_direct", "dd direct MiB/s", False),
                   ("of_dd_direct", "of that", False),
                   ("dd_fdatasync", "dd fdatasync MiB/s", False),
                   ("of_dd_fdatasync", "of that", False)]


def columns_table(columns, rows, base):
    """Those of the columns that any row has a figure in."""
    columns = [c for c in columns if any(r.get(c[0]) is not None
                                         for r in rows)]
    body = [[label(r, base)] + [
        beside_base(r, base, key) if compared else number(r[key])
        for key, _, compared in columns] for r in rows]
    return table(["server"] + [text for _, text, _ in columns], body)


def throughput(work, rows):
    text = [title(work), "",
            columns_table(COLUMNS, rows, order.best_peer(rows))]
    if any(r.get("durable_rate") for r in rows):
        text += ["", "... until durable (sync on: its answers; others: theirs, "
                 "then `sync -f`)", "", columns_table(
                     DURABLE_COLUMNS, rows,
                     order.best_peer(rows, "durable_rate"))]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def beside(work, rows):
    other = ("with no bulk" if work.other == "alone"
             else "bulk to a second process")
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
    body = [[r["label"], number(r["server-1"]), number(r["p50-1"]),
             times_of(r["server-64"], r["gain"]), number(r["p50-64"]),
             number(r["p99-64"]), number(r["server_us-64"]),
             number(r["machine_us-64"]), number(r["bare-1"]),
             times_of(r["bare-64"], r["bare_gain"]),
             number(r["of_bare"])] for r in rows]
    text = [f"{title(work)}: penstock with `sync on`, and a program that does "
            "nothing but the operations", "", table(
                ["to", "penstock: uploads/s × 1", "p50 ms", "× 64", "p50 ms",
                 "p99 ms", "CPU of the server, µs", "of the machine, µs",
                 "bare: files/s × 1", "× 64", "penstock, of bare"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def one_disk(work, rows):
    body = []
    for what, unit in (("small", "uploads/s"), ("bulk", "MiB/s")):
        for r in rows:
            body.append([f"{r['label']}: {what}, {unit}"] + [
                number(r[f"{what}_{part}"]) for part in (
                    "alone", "beside", "kept")] + [
                number(r.get(f"{what}_{part}")) for part in (
                    "alone_p50", "alone_p99", "beside_p50", "beside_p99")])
    text = [title(work), "", table(
        ["server", "alone", "both", "kept", "p50 ms alone", "p99 ms alone",
         "p50 ms both", "p99 ms both"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def held(work, rows):
    body = [[r["label"], number(r["idle_kib"]), number(r["silent_kib"])]
            for r in rows]
    text = [title(work), "", table(
        ["server", "idle, KiB each", "silent within an upload, KiB each"],
        body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def by_generators(work, rows):
    """Rows come in pairs: penstock, and the peer."""
    body = []
    for ours, peer in zip(rows[::2], rows[1::2]):
        body.append([ours["generator"]] + [
            beside_base(ours, peer, key) for key in (
                "rate", "cpu_request_us", "machine_request_us")] + [
            number(peer["rate"]), number(ours["busy"]), number(peer["busy"]),
            number(ours["busiest"]), number(peer["busiest"])])
    text = [title(work), "", table(
        ["generator", "penstock: uploads/s", "CPU of the server, µs",
         "of the machine, µs", "nginx: uploads/s",
         "cores of the generator beside penstock", "beside nginx",
         "share of penstock's busiest process", "of nginx's"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def overlap(work, rows):
    body = [[r["label"] + (f", queue_depth {r['depth']}" if r["depth"] else ""),
             number(r["client"]), number(r["disk"]),
             times_of(r["both"], r["of_longer"], 3),
             times_of(r["short"], r["short_of_longer"], 3)] for r in rows]
    text = [title(work), "", table(
        ["link", "link alone, s", "disk alone, s", "together, s (× the longer)",
         "with queue_depth 2"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


HANDSHAKE_COLUMNS = [("rate", "/s", True),
                     ("per_cpu_second", "per s of the server's CPU", True),
                     ("cpu_request_us", "CPU of the server, µs", True),
                     ("p99", "p99 ms", False),
                     ("busy", "cores of the generator", False)]


def handshakes(work, rows):
    base = order.best_peer(rows, "per_cpu_second")
    return "\n".join([title(work), "", columns_table(
        HANDSHAKE_COLUMNS, rows, base), ""] + problems(rows)).rstrip()


def rights(work, rows):
    """Beside the first row, which asks for nothing."""
    columns = [c for c in COLUMNS if c[0] in (
        "rate", "p99", "cpu_request_us", "busy", "busiest")]
    lines = columns_table(columns, rows, rows[0])
    return "\n".join([title(work), "", lines.replace(", the peer", ""), ""]
                     + problems(rows)).rstrip()


def suspended(work, rows):
    body = [[r["label"], number(r["growth_kib"]), number(r["few_rate"]),
             times_of(r["many_rate"], r["of_few"]), number(r["few_p99"]),
             number(r["many_p99"])] for r in rows]
    text = [title(work), "", table(
        ["server", "memory of each, KiB", "HEAD/s of 10", "of all",
         "p99 ms of 10", "of all"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def taken_over(work, rows):
    body = [[r["label"], number(r["another_ms"]), number(r["another_most"]),
             number(r["same_ms"]), number(r["same_most"])] for r in rows]
    text = [title(work), "", table(
        ["server", "from another worker, ms", "at most", "from the same, ms",
         "at most"], body)]
    return "\n".join(text + [""] + problems(rows)).rstrip()


def ceiling(work, rows):
    del work
    return (f"What the load generator can do: {number(rows[0]['rate'])} "
            f"requests/s of 4 KiB × 64, {number(rows[1]['mib_s'])} MiB/s of "
            "256 KiB × 16 to an nginx that throws the body away.")


SECTIONS = {Beside: beside, Ceiling: ceiling, Digest: throughput,
            Downloads: throughput, Durable: durable,
            EachGenerator: by_generators, Held: held, OneDisk: one_disk,
            Overlap: overlap, Uploads: throughput, TlsUploads: throughput,
            TlsBeside: beside, TlsBesideSlow: beside, TlsHeld: held,
            Handshakes: handshakes, Rights: rights, ManyWays: throughput,
            Suspended: suspended, TakenOver: taken_over}


def section(work, rows):
    return SECTIONS[type(work)](work, rows)
