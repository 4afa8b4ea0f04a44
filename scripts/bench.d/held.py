"""Memory that connections hold which do nothing."""
import resource
import shutil
import socket
import time

import procs
from generators import Job
from machine import KIB
from turns import Turns

COUNT = 3000
HEAD = ("PUT /file/{name} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/7.88.1"
        "\r\nAccept: */*\r\nContent-Length: {length}\r\n\r\n")


class Held(Turns):
    """What each of COUNT connections takes of a server with one worker:
    *idle* ones, which have had an upload and are kept, and *silent* ones, which
    sent a head and 3,000 bytes of a body of 300,000 and nothing more."""

    figures = ("idle_kib", "silent_kib")
    # The sizes of nginx's buffer are what this is about; sync is not.
    AMONG = ("penstock-sync", "nginx-16k", "nginx-1m", "lighttpd")

    count = COUNT

    def __init__(self):
        super().__init__("memory", f"{COUNT:,} connections that do nothing, "
                         "one worker")

    def kinds(self, bench):
        return bench.kinds(self.AMONG)

    # Who makes such connections: CLIENT(port, number).

    def idle(self, port, number):
        return idle(port, number)

    def silent(self, port, number):
        return silent(port, number)

    def turn(self, bench, kind):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return {"problems": {},
                "idle_kib": self.each(bench, kind, self.idle),
                "silent_kib": self.each(bench, kind, self.silent)}

    def each(self, bench, kind, client):
        """KiB for each connection that client() has made."""
        place = bench.new_place(bench.dirs["memory"])
        connections = []
        try:
            with kind({"file": place}, bench.home(), 1) as server:
                # Threads and pools are there before, and are not counted.
                bench.generator.load.run(server, Job(
                    300 * KIB, 4, 10, 100, "/file/w%d"))
                before = settled(server.process.pid)
                for number in range(self.count):
                    connections.append(client(server.port, number))
                after = settled(server.process.pid)
        finally:
            for s in connections:
                s.close()
            shutil.rmtree(place, ignore_errors=True)
        return (after - before) * 1024 / self.count


def idle(port, number):
    s = socket.create_connection(("127.0.0.1", port), 10)
    s.sendall(HEAD.format(name=f"i{number}", length=5).encode() + b"hello")
    answer = s.recv(4096)
    if b" 20" not in answer[:12]:
        raise procs.Failed(f"an upload was answered: {answer[:60]}")
    return s


def silent(port, number):
    s = socket.create_connection(("127.0.0.1", port), 10)
    s.sendall(HEAD.format(name=f"s{number}", length=300_000).encode()
              + b"x" * 3000)
    return s


def settled(pid, patience=30):
    """MiB of a server, once it has not changed for 5 s: what is idle goes
    back to the system a little later."""
    seen = []
    until = time.monotonic() + patience
    while time.monotonic() < until:
        seen.append(procs.memory_mib(pid))
        if len(seen) > 10 and max(seen[-10:]) - min(seen[-10:]) < 0.1:
            break
        time.sleep(0.5)
    return seen[-1]
