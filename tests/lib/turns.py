"""turns HOST:PORT PID - the longest turn of a server's loop, seen from outside.

Asks the worker PID every millisecond on one connection, until TERM.  An answer
takes as long as the turn that is under way and the one it is made in.  From
that is taken what other work on a busy machine is to blame for: how long
PID's first thread (the loop) and this program were ready and had no processor
(run_delay in /proc/.../schedstat).

Prints a line for each 100 answers; at the end one of JSON: how many there
were, the longest in ms as it was and without the waits for a processor, the
wait that was open at the end if that is longer, and what the loop's thread
was seen at when an answer was late.
"""
import gc
import json
import os
import select
import signal
import socket
import sys
import time

LATE = 0.02
REQUEST = b"OPTIONS * HTTP/1.1\r\nHost: turns\r\n\r\n"

over = False


def stop(*_):
    global over
    over = True


def waited(fd):
    """Seconds that a thread was ready to run and did not."""
    try:
        return int(os.pread(fd, 100, 0).split()[1]) / 1e9
    except OSError:
        return 0.0


def seen_at(pid):
    """State, system call and place in the kernel of the loop's thread."""
    found = []
    for name in ("stat", "syscall", "wchan", "stack"):
        try:
            with open(f"/proc/{pid}/task/{pid}/{name}") as f:
                text = f.read().strip()
        except OSError as e:
            text = e.strerror
        if name == "stat":
            text = text.rsplit(")", 1)[-1].split()[0]
        found.append(f"{name}: " + " < ".join(text.split("\n")[:8]))
    return "; ".join(found)


def answer(s, pid, late):
    """Wait for the answer; False when it was not whole when we had to stop."""
    poll = select.poll()
    poll.register(s, select.POLLIN)
    data = b""
    while b"\r\n\r\n" not in data:
        if not poll.poll(LATE * 1000):
            if len(late) < 20:
                late.append(seen_at(pid))
            if over:
                return False
            continue
        more = s.recv(4096)
        if not more:
            sys.exit("turns: the server closed the connection")
        data += more
    return True


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    pid = int(sys.argv[2])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    gc.disable()
    s = socket.create_connection((host, int(port)))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    loop = os.open(f"/proc/{pid}/task/{pid}/schedstat", os.O_RDONLY)
    own = os.open("/proc/self/schedstat", os.O_RDONLY)
    count, longest, longest_raw, late_at = 0, 0.0, 0.0, []
    while not over:
        before = waited(loop) + waited(own)
        began, late = time.monotonic(), []
        s.sendall(REQUEST)
        whole = answer(s, pid, late)
        raw = time.monotonic() - began
        took = raw - (waited(loop) + waited(own) - before)
        if took > longest:
            longest, late_at = took, late or late_at
        longest_raw = max(longest_raw, raw)
        if not whole:
            break
        count += 1
        if count % 100 == 0:
            print(count, flush=True)
        time.sleep(0.001)
    print(json.dumps({"answers": count, "longest_ms": round(longest * 1e3, 2),
                      "with_waits_ms": round(longest_raw * 1e3, 2),
                      "late_at": late_at}), flush=True)


main()
