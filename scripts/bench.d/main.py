"""scripts/bench: the order of works, and clearing up."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import against
import cpu
import generators
import goals
import heading
import kinds
import machine
import options
import order
import procs
import report
import rig
import servers
import works


def print_configs(o):
    for name in o.servers:
        s = kinds.ALL[name]({"file": "DIR"}, "HOME")
        s.config_path = f"HOME/{name}.conf"
        print(f"# {s.label}: {' '.join(s.argv())}\n{s.config()}")


def print_plan(o):
    bench = rig.Bench(o, [None] * 3, "MEMORY", "DISK", print)
    for work in o.works:
        print(f"{work.name}: {work.what}")
        if not hasattr(work, "kinds"):
            continue
        for number, in_order in enumerate(
                order.rounds(work.kinds(bench), o.rounds), 1):
            print(f"  round {number}: "
                  + ", ".join(kind.name for kind in in_order))


def print_report(o):
    with open(o.report) as f:
        data = json.load(f)
    print(data["heading"])
    for work in works.ALL:
        if data["works"].get(work.name):
            print("\n" + report.section(work, data["works"][work.name]))
    print("\n" + goals.lines(data["works"]))


def build():
    """The tools and penstock: the paths of the tools."""
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
    print("\n" + goals.lines(results))
    return results


def write_json(path, bench, began, results):
    o = bench.options
    with open(path, "w") as f:
        json.dump({
            "began": began, "heading": heading.text(bench),
            "machine": bench.machine,
            "versions": heading.versions(bench),
            "options": {k: v for k, v in vars(o).items() if k != "works"},
            "instructions_counted": bench.counter.there,
            "configs": bench.configs, "works": results}, f, indent=1)


def measure(bench):
    """All of it: the lines on stdout, and the figures."""
    o = bench.options
    bench.generator = generators.Chosen(bench.load, o.generator, o.threads,
                                        o.apart)
    bench.counter = cpu.Instructions()
    bench.machine = machine.description(bench.dirs["disk"])
    began = time.strftime("%Y-%m-%d %H:%M:%S")
    print(heading.text(bench), flush=True)
    results = (against.run if o.against else run)(bench)
    if o.json:
        write_json(o.json, bench, began, results)


def main():
    o = options.read()
    instead = (print_configs if o.configs else print_plan if o.plan
               else print_report if o.report else None)
    if instead:
        instead(o)
        return
    on_signals(interrupted)
    made = []
    try:
        # Before it is built, which is work as well.
        if not o.busy:
            machine.refuse_when_busy()
        tools = build()
        disk = os.environ.get("BENCH_DIR") or os.path.join(servers.ROOT,
                                                           "build")
        for base in ("/dev/shm", disk):
            made.append(tempfile.mkdtemp(prefix="penstock-bench.", dir=base))
        measure(rig.Bench(o, tools, *made, log))
    except procs.Failed as e:
        sys.exit(f"bench: {e}")
    finally:
        on_signals(signal.SIG_IGN)
        for path in made:
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
