"""What was to be reached, and what was."""
import dataclasses

import order
from report import number, table

SYNC, NO_SYNC = "penstock-sync", "penstock"


@dataclasses.dataclass
class Beside:
    """A work's rate and CPU beside the peer's: any of `wanted`, pairs of the
    least rate and the most CPU."""

    work: str
    server: str
    wanted: list
    cpu: str = "cpu_request_us" # which CPU is judged
    rate: str = "rate"
    of_dd: float = 0            # at least so much of dd's, with fdatasync


SERVER, MACHINE = "cpu_request_us", "machine_request_us"
THROUGH_CACHE_OR_DIRECT = [(0.95, 1.0), (0.65, 0.85)]

BESIDE_PEER = [
    Beside("tmpfs-4k-new", SYNC, [(1.1, 0.9)]),
    Beside("tmpfs-4k-replaced", SYNC, [(1.0, 1.05)]),
    Beside("tmpfs-256k-new", SYNC, [(1.15, 0.85)]),
    Beside("tmpfs-256k-replaced", SYNC, [(1.05, 1.0)]),
    Beside("tmpfs-16m-new", SYNC, [(1.1, 0.85)]),
    Beside("tmpfs-16m-replaced", SYNC, [(1.1, 0.85)]),
    Beside("disk-64m", NO_SYNC, THROUGH_CACHE_OR_DIRECT, MACHINE),
    Beside("disk-2g", NO_SYNC, THROUGH_CACHE_OR_DIRECT, MACHINE),
    Beside("disk-64m", SYNC, [(1.0, 0.9)], MACHINE, "durable_rate", 1.0),
    Beside("disk-2g", SYNC, [(1.0, 0.9)], MACHINE, "durable_rate", 1.0),
    Beside("disk-64m-beyond", SYNC, [], MACHINE, "durable_rate"),
    Beside("disk-4k-new", NO_SYNC, [(1.2, 0.95)]),
    Beside("disk-4k-replaced", NO_SYNC, [(1.2, 0.95)]),
    Beside("xfs-4k-new", NO_SYNC, [(1.2, 0.95)]),
    Beside("xfs-4k-replaced", NO_SYNC, [(1.2, 0.95)]),
    Beside("tls-tmpfs-64m", SYNC, [(1.0, 0.9)]),
    Beside("tls-disk-64m", NO_SYNC, [(1.0, 0.9)], MACHINE),
    Beside("tls-disk-64m", SYNC, [(1.0, 0.9)], MACHINE, "durable_rate"),
    Beside("tls-4k", SYNC, [(0, 0.9)]),
    Beside("tus-disk-64m", "tus", [(3.0, 1.0)]),
    Beside("tus-disk-64m", "tus-sync", [(3.0, 1.0)], rate="durable_rate"),
    Beside("tus-4k", "tus", [(15, 0.1)]),
    Beside("tus-4k-creation", "tus-creation", [(15, 0.1)]),
    Beside("get-16k", SYNC, [(1.0, 1.0)]),
    Beside("get-1m", SYNC, []),
    Beside("get-64m", SYNC, []),
]


def row_of(rows, server):
    return next((r for r in rows if r["server"] == server), None)


def verdict(goal, rate, cpu, of_dd):
    """`reached` when one of the pairs is, and dd; "" when none is wanted."""
    if not goal.wanted:
        return ""
    if rate is None or cpu is None:
        return "not measured"
    pair = any(rate >= least and cpu <= most for least, most in goal.wanted)
    disk = not goal.of_dd or (of_dd is not None and of_dd >= goal.of_dd)
    return "reached" if pair and disk else "**missed**"


def wanted_text(goal):
    text = ", or ".join((f"≥ {least:g} at " if least else "") + f"≤ {most:g}"
                        for least, most in goal.wanted)
    if goal.of_dd:
        text += f"; ≥ {goal.of_dd:g} of dd"
    return text or "-"


def figure(value, judged=False):
    text = "-" if value is None else f"{value:.2f}"
    return f"**{text}**" if judged else text


def beside_line(goal, rows):
    row, peer = row_of(rows, goal.server), order.best_peer(rows, goal.rate)
    if row is None or peer is None:
        return None
    rate, server, machine = (order.ratio(row, peer, key)
                             for key in (goal.rate, SERVER, MACHINE))
    of_dd = row.get("of_dd_fdatasync")
    name = goal.work + (
        ", until durable" if goal.rate == "durable_rate" else "")
    cpu = machine if goal.cpu == MACHINE else server
    return [f"{name}: {row['label']}", peer["label"], figure(rate, True),
            figure(server, goal.cpu == SERVER),
            figure(machine, goal.cpu == MACHINE), figure(of_dd),
            wanted_text(goal), verdict(goal, rate, cpu, of_dd)]


def beside_lines(results):
    lines = [beside_line(g, results[g.work]) for g in BESIDE_PEER
             if results.get(g.work)]
    return [line for line in lines if line]


# ---- goals of one figure

# work: [(server, figure, of server, sign, wanted)]
OF_OTHERS = {
    "tmpfs-4k-new": [(NO_SYNC, "rate", "fastapi", ">=", 10)],
    "tmpfs-16m-new": [(NO_SYNC, "rate", "fastapi", ">=", 2)],
    "digest": [("penstock-sha256", "rate", SYNC, ">=", 0.9)],
    "tus-disk-64m": [("tus", "rate", "put", ">=", 0.95),
                     ("tus-sync", "rate", "put-sync", ">=", 0.95)],
    "form-disk-64m": [("form", "rate", "put", ">=", 0.9),
                      ("form-sync", "rate", "put-sync", ">=", 0.9)],
    "form-4k": [("form", "rate", "put", ">=", 0.9)],
}
LABELS = {"fastapi": "the original's design", SYNC: "what it is without",
          "put": "PUT, sync off", "put-sync": "PUT, sync on"}
GAINS = {"disk": 3, "ext4": 3, "xfs": 5}
KEPT, SMALL_KEPT, BULK_KEPT, SMALL_P99_MS = 0.9, 0.2, 0.6, 30
IDLE_KIB, SILENT_KIB = 0.6, 2.2
OVERLAP = 1.1
HANDSHAKES = 0.97 # of the peer's, per second of the server's CPU
TLS_IDLE_KIB, TLS_OF_PEER, TLS_INSIDE_KIB = 16, 0.8, 34
RIGHTS = 1.1
WAITING_KIB, HEADS_OF_FEW, TAKE_OVER_MS = 0.05, 0.9, 50
SIGNS = {">=": lambda v, w: v >= w, "<=": lambda v, w: v <= w,
         ">": lambda v, w: v > w}


def of_others(name, rows):
    for server, key, other, sign, wanted in OF_OTHERS[name]:
        row, base = row_of(rows, server), row_of(rows, other)
        if row and base:
            yield (f"{name}: {key}, of {LABELS[other]}",
                   order.ratio(row, base, key), sign, wanted)


def of_durable(rows):
    return [(f"durable, {r['label']}: rate of 64 at once, of 1", r["gain"],
             ">=", GAINS[r["place"]]) for r in rows if r["place"] in GAINS]


def of_one_disk(rows):
    for r in rows:
        yield "one-disk: small, kept", r["small_kept"], ">=", SMALL_KEPT
        yield ("one-disk: small beside bulk, p99 ms", r["small_beside_p99"],
               "<=", SMALL_P99_MS)
        yield "one-disk: bulk, kept", r["bulk_kept"], ">=", BULK_KEPT


def of_held(rows):
    for r in rows:
        if r["server"] == SYNC:
            yield "memory: idle, KiB", r["idle_kib"], "<=", IDLE_KIB
            yield "memory: silent, KiB", r["silent_kib"], "<=", SILENT_KIB


def of_handshakes(name, rows):
    key = "per_cpu_second"
    row, peer = row_of(rows, SYNC), order.best_peer(rows, key)
    if row and peer:
        yield (f"{name}: per second of the server's CPU, of the peer's",
               order.ratio(row, peer, key), ">=", HANDSHAKES)


def of_tls_held(rows):
    row, peer = row_of(rows, SYNC), row_of(rows, "nginx-16k")
    if row is None:
        return
    yield "tls-memory: idle, KiB", row["idle_kib"], "<=", TLS_IDLE_KIB
    if peer:
        yield ("tls-memory: idle, of the peer's",
               order.ratio(row, peer, "idle_kib"), "<=", TLS_OF_PEER)
    yield ("tls-memory: inside a record, KiB", row["silent_kib"], "<=",
           TLS_INSIDE_KIB)


def of_rights(name, rows):
    for r in rows[1:]:
        yield (f"{name}: CPU, {r['label']}, of {rows[0]['label']}",
               order.ratio(r, rows[0], SERVER), "<=", RIGHTS)


def of_suspended(rows):
    for r in rows:
        yield ("suspended: memory of each, KiB", r["growth_kib"], "<=",
               WAITING_KIB)
        yield ("suspended: HEAD/s, of those with 10", r["of_few"], ">=",
               HEADS_OF_FEW)


def of_taken_over(rows):
    for r in rows:
        yield ("take-over: from another worker, ms", r["another_ms"], "<=",
               TAKE_OVER_MS)
        yield "take-over: from the same, ms", r["same_ms"], "<=", TAKE_OVER_MS


def of_overlap(rows):
    for r in rows:
        text = f"overlap, {r['label']}: total, of the longer alone"
        yield text, r["of_longer"], "<=", OVERLAP
        yield (text + ", with queue_depth 2", r["short_of_longer"], ">",
               OVERLAP)


def single(results):
    """[(text, value, sign, wanted)] for what was measured."""
    found = []
    for name, rows in results.items():
        if not rows:
            continue
        if name in OF_OTHERS:
            found += of_others(name, rows)
        elif name == "durable":
            found += of_durable(rows)
        elif name == "one-disk":
            found += of_one_disk(rows)
        elif name == "memory":
            found += of_held(rows)
        elif name == "overlap":
            found += of_overlap(rows)
        elif name == "tls-memory":
            found += of_tls_held(rows)
        elif name.startswith("tls-handshakes"):
            found += of_handshakes(name, rows)
        elif name == "suspended":
            found += of_suspended(rows)
        elif name == "take-over":
            found += of_taken_over(rows)
        elif name.startswith("rights"):
            found += of_rights(name, rows)
        elif name.removeprefix("tls-").startswith(
                ("isolation", "paced", "hung", "slow")):
            found += [(f"{name}: kept", r["kept"], ">=", KEPT)
                      for r in rows if r["server"] == NO_SYNC]
    return found


def single_line(text, value, sign, wanted):
    reached = value is not None and SIGNS[sign](value, wanted)
    return [text, number(value), f"{sign} {wanted:g}",
            "reached" if reached else "**missed**"]


def lines(results):
    """Both tables, as far as anything was measured for them."""
    parts = []
    beside = beside_lines(results)
    if beside:
        parts.append(table(
            ["work", "the peer", "rate, of the peer's", "CPU of the server",
             "of the machine", "of dd + fdatasync",
             "wanted: rate at CPU (the one in bold)", ""], beside))
    other = [single_line(*goal) for goal in single(results)]
    if other:
        parts.append(table(["goal", "measured", "wanted", ""], other))
    return "\n\n".join(parts)
