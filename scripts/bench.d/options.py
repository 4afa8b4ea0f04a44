"""The options of scripts/bench."""
import argparse
import os
import sys

import kinds
import works

EPILOG = """works: """ + "\n       ".join(
    f"{w.name:18} {w.what}" for w in works.ALL) + """

servers: """ + "\n         ".join(
    f"{s.name:18} {s.label}" for s in kinds.ALL.values()) + """

A work is run in rounds, in which each server has a turn: newly started, warmed
up, in new directories.  The first round has the order A B C, the next one
B C A, and so on.  "The peer" of a work is the nginx that was the fastest in
it; settings of nginx that would do the same with such bodies are left out.

Files go to a new directory below /dev/shm, and for the disk below $BENCH_DIR
or build/.  It takes some two hours, --quick some 20 minutes, and up to 9 GB
of memory and of disk; nothing else may run meanwhile, and a busy machine is
refused.  `overlap`, `isolation`, `paced` and `hung` need root (or fusermount3)
to mount the slow disk, `durable` and `xfs` to mount file systems from files."""


def names(text, known, what, exact=True):
    """The names in a list with commas; a name may be a beginning.  With
    `exact` one that is given in full is not the beginning of others."""
    found = []
    for part in text.split(","):
        match = [k for k in known if exact and k == part] or \
                [k for k in known if k.startswith(part)]
        if not match:
            sys.exit(f"bench: no {what} '{part}'; there are: "
                     + ", ".join(known))
        found += [m for m in match if m not in found]
    return found


def parser():
    p = argparse.ArgumentParser(
        prog="scripts/bench", epilog=EPILOG,
        description="penstock side by side with other servers",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--all", action="store_true",
                   help="FastAPI too, which penstock began as")
    p.add_argument("--quick", action="store_true",
                   help="short turns, and 1 round unless --rounds says more")
    p.add_argument("--tls", action="store_true",
                   help="the works over TLS, beside nginx with the same key")
    p.add_argument("--rights", action="store_true",
                   help="what it costs that one must say who one is")
    p.add_argument("--resume", action="store_true",
                   help="resumable uploads, beside PUT and @tus/server")
    p.add_argument("--forms", action="store_true",
                   help="uploads by forms, beside PUT")
    p.add_argument("--work", metavar="NAME,...", default="",
                   help="only these works, or those that begin so")
    p.add_argument("--servers", metavar="NAME,...",
                   help="only these servers, or those that begin so")
    p.add_argument("--sync", choices=("off", "on", "both"), default="both",
                   help="how penstock is run (both)")
    p.add_argument("--rounds", type=int, metavar="N", help="turns of each (5)")
    p.add_argument("--against", metavar="BINARY",
                   help="is any work dearer than with this earlier penstock? "
                   "It runs twice in each round, to see what chance does")
    p.add_argument("--generator", choices=("load", "wrk"), default="load",
                   help="who makes small uploads and downloads (load)")
    p.add_argument("--threads", type=int, default=1, metavar="N",
                   help="... with so many threads (1)")
    p.add_argument("--apart", action="store_true",
                   help="load sends a small body apart from its head")
    p.add_argument("--busy", action="store_true",
                   help="measure although the machine is busy")
    p.add_argument("--json", metavar="FILE",
                   help="write all figures there, of each turn")
    p.add_argument("--report", metavar="FILE",
                   help="print the tables of such a file and do nothing")
    p.add_argument("--configs", action="store_true",
                   help="print the servers' settings and do nothing")
    p.add_argument("--plan", action="store_true",
                   help="print whose turn it would be and do nothing")
    return p


def read(argv=None):
    p = parser()
    o = p.parse_args(argv)
    if o.rounds is not None and o.rounds < 1:
        p.error("--rounds: at least 1")
    if o.threads < 1:
        p.error("--threads: at least 1")
    if o.apart and o.generator != "load":
        p.error("--apart: wrk sends head and body at once")
    o.rounds = o.rounds or (1 if o.quick else 5)
    o.servers = chosen_servers(o)
    chosen = chosen_works(o)
    o.works = [w for w in works.ALL if w.name in chosen]
    if o.against:
        o.against = os.path.abspath(o.against)
    return o


def chosen_works(o):
    """Their names: of all that there are, or of those that the options name."""
    if o.work:
        return names(o.work, [w.name for w in works.ALL], "work")
    groups = [group for wanted, group in (
        (o.tls, works.TLS), (o.rights, works.RIGHTS),
        (o.resume, works.RESUME), (o.forms, works.FORMS)) if wanted]
    return [w.name for group in groups or [works.PLAIN] for w in group]


def chosen_servers(o):
    """Their names, in the order of all; --sync says which penstock."""
    if o.servers:
        found = names(o.servers, list(kinds.ALL), "server", exact=False)
    else:
        found = [s for s in kinds.ALL
                 if s not in kinds.ONLY_WITH_ALL or o.all]
    left_out = {"off": "penstock-sync", "on": "penstock"}.get(o.sync)
    return [s for s in kinds.ALL if s in found and s != left_out]
