"""The machine: whether it is idle, what it has spent, and what it is."""
import glob
import os
import platform
import subprocess
import time

from procs import TICK, Failed

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
IDLE_WANTED = 0.9   # of all processors, over a second
LOAD_ALLOWED = 0.5  # load average per processor


# ---- processor time

def processor_times(stat=None):
    """Seconds since the machine was started that its processors spent: `busy`
    (with interrupts), of that `softirq`, `idle`, and `steal`, which is the
    host's."""
    if stat is None:
        with open("/proc/stat") as f:
            stat = f.readline()
    user, nice, system, idle, iowait, irq, softirq, steal = (
        int(v) / TICK for v in stat.split()[1:9])
    return {"busy": user + nice + system + irq + softirq, "softirq": softirq,
            "idle": idle + iowait, "steal": steal}


def difference(now, before):
    return {key: now[key] - before[key] for key in now}


def idle_share(seconds):
    """The share of the processors' time that nobody wanted."""
    before = processor_times()
    time.sleep(seconds)
    spent = difference(processor_times(), before)
    return spent["idle"] / (sum(spent.values()) - spent["softirq"] or 1)


# ---- a busy machine

def why_busy(load, processors, idle):
    """What is wrong with measuring now, or None."""
    wrong = []
    if load > LOAD_ALLOWED * processors:
        wrong.append(f"its load average is {load:.2f}, more than "
                     f"{LOAD_ALLOWED * processors:g}")
    if idle < IDLE_WANTED:
        wrong.append(f"its processors were {idle:.0%} idle over a second, "
                     f"not {IDLE_WANTED:.0%}")
    if not wrong:
        return None
    return (f"this machine is busy: {' and '.join(wrong)}. Figures would say "
            "what the others leave. End what runs (`top` shows it) and wait "
            "a minute or two, or go on all the same with --busy.")


def refuse_when_busy():
    reason = why_busy(os.getloadavg()[0], os.cpu_count(), idle_share(1))
    if reason:
        raise Failed(reason)


# ---- the same state before each turn

def unwritten():
    """Bytes in the page cache that are not on a disk yet."""
    total = 0
    with open("/proc/meminfo") as f:
        for line in f:
            if line.startswith(("Dirty:", "Writeback:")):
                total += int(line.split()[1]) * KIB
    return total


def settle(patience=20.0):
    """Write back what there is, and wait until the processors are idle: what
    the turn before left is not this one's.  Returns what came of it."""
    began = time.monotonic()
    os.sync()
    while True:
        idle = idle_share(0.2)
        waited = time.monotonic() - began
        calm = idle >= IDLE_WANTED and unwritten() < 16 * MIB
        if calm or waited > patience:
            return {"calm": calm, "idle": idle, "waited": waited,
                    "load_average": os.getloadavg()[0]}


def available_memory():
    with open("/proc/meminfo") as f:
        for line in f:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * KIB
    return 0


# ---- what it is

def first_line(path, default=""):
    try:
        with open(path) as f:
            return f.readline().strip()
    except OSError:
        return default


def processor():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":", 1)[1].strip() for line in f
                     if line.startswith("model name")), platform.machine())


def caches():
    """The processor's caches, as {"L2": "2048K"}."""
    found = {}
    for index in sorted(glob.glob("/sys/devices/system/cpu/cpu0/cache/index*")):
        if first_line(index + "/type") != "Instruction":
            found["L" + first_line(index + "/level")] = first_line(
                index + "/size")
    return found


def file_system(path):
    out = subprocess.run(["stat", "-f", "-c", "%T", path],
                         capture_output=True, text=True)
    return out.stdout.strip().replace("ext2/ext3", "ext4")


def description(disk):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": os.cpu_count(), "processor": processor(),
        "caches": caches(), "memory_gib": round(memory / GIB, 1),
        "kernel": platform.release(), "disk": file_system(disk),
        "dirty_ratio": first_line("/proc/sys/vm/dirty_ratio"),
        "dirty_background_ratio": first_line(
            "/proc/sys/vm/dirty_background_ratio"),
        "load_average": os.getloadavg(),
    }
