"""The servers that are compared: their settings, start and stop.

A server stores the uploads to /PREFIX/ in DIR/files, for each pair of PREFIX
and DIR in `places`; DIR/tmp is on the same file system for those that spool
first.  All run with the same number of workers, without an access log, with
as many descriptors as they want, and keep connections.
"""
import os
import shutil

import procs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def program(name):
    found = shutil.which(name, path=PATH)
    if found is None:
        raise procs.Failed(f"{name} is not installed; see scripts/setup bench")
    return found


class Server:
    method = "PUT"
    note = ""
    peer = False     # one of the settings of what we are compared with
    durable = False  # what it has answered is on stable storage

    def __init__(self, places, home, workers=2, replaced=False):
        self.places = places
        self.home = home
        self.workers = workers
        self.replaced = replaced # names are used again
        self.port = procs.free_port()
        self.process = None

    def url(self, prefix):
        return f"/{prefix}/r%d"

    def start(self):
        os.makedirs(self.home, exist_ok=True)
        for place in self.places.values():
            for sub in ("files", "tmp"):
                os.makedirs(os.path.join(place, sub), exist_ok=True)
        self.config_path = os.path.join(self.home, self.name + ".conf")
        with open(self.config_path, "w") as f:
            f.write(self.config())
        self.process = procs.Process(
            self.argv(), os.path.join(self.home, self.name + ".log"),
            self.environment())
        self.process.wait_for_port(self.port)
        return self

    def environment(self):
        return {}

    def client(self):
        """What `load` is told beside the request: options."""
        return []

    def server_lines(self):
        """What the block `server` has beside its locations; penstock, nginx."""
        return []

    def config(self):
        return ""

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


class Penstock(Server):
    name = "penstock"
    label = "penstock, sync off"
    sync = "off"
    binary = os.path.join(ROOT, "build/penstock")
    under = () # a program that runs it, and its options

    def listens(self):
        return [f"127.0.0.1:{self.port}"]

    def lines(self, prefix):
        """What a location has beside its directory."""
        lines = [f"sync        {self.sync};"]
        return lines + ["overwrite   on;"] if self.replaced else lines

    def config(self):
        locations = "".join(
            f"""
    location /{prefix} {{
        output_dir  {place}/files;
        """ + "\n        ".join(self.lines(prefix)) + """
    }""" for prefix, place in self.places.items())
        first = "\n".join(f"    {line}" for line in [
            *(f"listen              {where};" for where in self.listens()),
            *self.server_lines()])
        return f"""worker_processes  {self.workers};
pid_file          {self.home}/{self.name}.pid;
error_log         {self.home}/{self.name}.error;

server {{
{first}
    access_log          off;
    keepalive_requests  1000000;
{locations}
}}
"""

    def argv(self):
        return [*self.under, self.binary, "-c", self.config_path]


class PenstockSync(Penstock):
    name = "penstock-sync"
    label = "penstock, sync on"
    sync = "on"
    durable = True


class PenstockSha256(PenstockSync):
    name = "penstock-sha256"
    label = "penstock, sync on, checksum sha256"

    def lines(self, prefix):
        return super().lines(prefix) + ["checksum    sha256;"]


class Original(Server):
    name = "fastapi"
    label = "FastAPI (the original's design)"
    method = "POST"
    note = ("FastAPI: two coroutines and an asyncio.Queue(3) per request, "
            "uvicorn, Debian's packages")

    def url(self, prefix):
        return f"/{prefix}"

    def environment(self):
        return {"ORIGINAL_DIR": next(iter(self.places.values())) + "/files",
                "PYTHONDONTWRITEBYTECODE": "1"}

    def argv(self):
        return ["/usr/bin/python3", "-m", "uvicorn", "original:app",
                "--app-dir", HERE, "--host", "127.0.0.1",
                "--port", str(self.port), "--workers", str(self.workers),
                "--no-access-log", "--log-level", "warning"]


def earlier(kind, binary, turn):
    """The same server by an earlier binary; `turn` tells apart two that are
    compared with each other."""
    return type(kind.__name__ + turn, (kind,), {
        "name": f"{kind.name}-before-{turn}", "binary": binary,
        "label": f"{kind.label}, before ({turn})"})
