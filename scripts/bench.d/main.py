"""scripts/bench: the options, the order of works, and clearing up."""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import against
import procs
import report
import rig
import servers
import works

EPILOG = """works: """ + "\n       ".join(
    f"{w.name:14} {w.what}" for w in works.ALL) + """

servers: """ + "\n         ".join(
    f"{s.name:14} {s.label}" for s in servers.ALL.values()) + """

A work is run in turns, server A, B, C, A, B, C ..., each turn with a server
newly started and warmed up; what was stored is removed after each turn.
Files go to a new directory below /dev/shm, and for the disk below $BENCH_DIR
or build/.  It takes about 60 minutes, --quick about 6, and up to 5 GB of
memory and of disk.  `overlap`, `isolation`, `paced` and `hung` need root (or
fusermount3) to mount the slow disk, `durable` to mount ext4 and XFS from
files."""


def names(text, known, what):
    """The names in a list with commas; a name may be a beginning."""
    found = []
    for part in text.split(","):
        match = [k for k in known if k == part] or \
                [k for k in known if k.startswith(part)]
        if not match:
            sys.exit(f"bench: no {what} '{part}'; there are: "
                     + ", ".join(known))
        found += [m for m in match if m not in found]
    return found


def read_options():
    p = argparse.ArgumentParser(
        prog="scripts/bench", epilog=EPILOG,
        description="penstock side by side with other servers",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--all", action="store_true", help="lighttpd too")
    p.add_argument("--quick", action="store_true",
                   help="short turns, and 1 round unless --rounds says more")
    p.add_argument("--work", metavar="NAME,...", default="",
                   help="only these works, or those that begin so")
    p.add_argument("--servers", metavar="NAME,...",
                   help="only these servers")
    p.add_argument("--sync", choices=("off", "on", "both"), default="both",
                   help="how penstock is run (both)")
    p.add_argument("--rounds", type=int, help="turns of each (5)")
    p.add_argument("--against", metavar="BINARY",
                   help="is any work dearer than with this earlier penstock? "
                   "It runs twice in each round, to see what chance does")
    p.add_argument("--json", metavar="FILE",
                   help="write all figures there, of each turn")
    p.add_argument("--configs", action="store_true",
                   help="print the servers' settings and do nothing")
    o = p.parse_args()

    o.rounds = o.rounds or (1 if o.quick else 5)
    if o.servers:
        # "penstock" is both of its rows; --sync says which.
        o.servers = names(o.servers, list(servers.ALL), "server")
    else:
        o.servers = [s for s in servers.ALL if s != "lighttpd" or o.all]
    left_out = {"off": "penstock-sync", "on": "penstock"}.get(o.sync)
    o.servers = [s for s in o.servers if s != left_out]
    known = [w.name for w in works.ALL]
    chosen = names(o.work, known, "work") if o.work else known
    if o.against:
        o.against = os.path.abspath(o.against)
    o.works = [w for w in works.ALL if w.name in chosen]
    return o


def print_configs(options):
    for name in options.servers:
        s = servers.ALL[name]({"file": "DIR"}, "HOME")
        s.config_path = f"HOME/{name}.conf"
        print(f"# {s.label}: {' '.join(s.argv())}\n{s.config()}")


def build():
    """The tools and penstock: the path of the tools."""
    tools = [f"build/linux/{t}" for t in ("load", "slowfs", "durable")]
    subprocess.run(["make", "-s", "-j", str(os.cpu_count()), "all", *tools],
                   cwd=servers.ROOT, check=True, stdout=sys.stderr)
    return [os.path.join(servers.ROOT, t) for t in tools]


def on_signals(handler):
    for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(s, handler)


def interrupted(number, _):
    # Once is enough: what follows is clearing up.
    on_signals(signal.SIG_IGN)
    raise SystemExit(128 + number)


def log(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def run(bench):
    results = {}
    print(report.heading(bench), flush=True)
    for work in bench.options.works:
        try:
            results[work.name] = work.run(bench)
        except procs.NotThere as e:
            results[work.name] = None
            print(f"\n**{work.what}** (`{work.name}`): not there: {e}",
                  flush=True)
            continue
        except procs.Failed as e:
            print(f"\n**{work.what}** (`{work.name}`): {e}", flush=True)
            continue
        print("\n" + report.section(work, results[work.name]), flush=True)
    lines = report.goal_lines(results)
    if lines:
        print("\n" + lines)
    if bench.options.json:
        with open(bench.options.json, "w") as f:
            json.dump(results, f, indent=1)


def main():
    options = read_options()
    if options.configs:
        print_configs(options)
        return
    on_signals(interrupted)
    tools = build()
    disk = os.environ.get("BENCH_DIR") or os.path.join(servers.ROOT, "build")
    made = []
    try:
        for base in ("/dev/shm", disk):
            made.append(tempfile.mkdtemp(prefix="penstock-bench.", dir=base))
        bench = rig.Bench(options, tools, *made, log)
        if options.against:
            against.run(bench)
        else:
            run(bench)
    finally:
        on_signals(signal.SIG_IGN)
        for path in made:
            shutil.rmtree(path, ignore_errors=True)


main()
