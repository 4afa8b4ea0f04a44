"""The servers that are compared: their settings, start and stop.

A server stores the uploads to /PREFIX/ in DIR/files, for each pair of PREFIX
and DIR in `places`; DIR/tmp is on the same file system for those that spool
first.  All run with the same number of workers, without an access log, and
keep connections.
"""
import functools
import os
import shutil
import subprocess

import procs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def program(name):
    found = shutil.which(name, path=PATH)
    if found is None:
        raise procs.Failed(f"{name} is not installed; see scripts/setup bench")
    return found


@functools.lru_cache
def knows(directive):
    """True when this penstock has the directive."""
    out = subprocess.run([os.path.join(ROOT, "build/penstock"), "-M"],
                         capture_output=True, text=True, check=True).stdout
    return f"| `{directive}` |" in out


class Server:
    method = "PUT"
    note = ""

    def __init__(self, places, home, workers=2):
        self.places = places
        self.home = home
        self.workers = workers
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
        return [f"sync        {self.sync};"]

    def config(self):
        locations = "".join(
            f"""
    location /{prefix} {{
        output_dir  {place}/files;
        """ + "\n        ".join(self.lines(prefix)) + """
    }""" for prefix, place in self.places.items())
        listens = "\n".join(f"    listen              {where};"
                            for where in self.listens())
        return f"""worker_processes  {self.workers};
pid_file          {self.home}/{self.name}.pid;
error_log         {self.home}/{self.name}.error;

server {{
{listens}
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


class PenstockSha256(PenstockSync):
    name = "penstock-sha256"
    label = "penstock, sync on, checksum sha256"

    def lines(self, prefix):
        return super().lines(prefix) + ["checksum    sha256;"]


class Nginx(Server):
    name = label = "nginx"
    note = ("nginx: DAV PUT, client_body_temp_path on the file system of the "
            "target, client_body_buffer_size as it comes")

    def config(self):
        user = "user root;" if os.geteuid() == 0 else ""
        locations = "".join(f"""
        location /{prefix}/ {{
            alias                 {place}/files/;
            client_body_temp_path {place}/tmp;
            dav_methods           PUT;
            create_full_put_path  on;
        }}""" for prefix, place in self.places.items())
        unused = "".join(f"\n    {what}_temp_path {self.home}/{what};"
                         for what in ("proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""{user}
daemon off;
worker_processes {self.workers};
pid              {self.home}/{self.name}.pid;
error_log        {self.home}/{self.name}.error;
events {{ worker_connections 4096; }}
http {{
    access_log           off;
    keepalive_requests   1000000;
    client_max_body_size 0;{unused}
    server {{
        listen 127.0.0.1:{self.port};
        location /none/ {{ return 204; }}{locations}
    }}
}}
"""

    def argv(self):
        return [program("nginx"), "-c", self.config_path,
                "-e", f"{self.home}/{self.name}.error"]


class Lighttpd(Server):
    name = label = "lighttpd"
    note = "lighttpd: mod_webdav PUT, upload-dirs on that file system"

    def config(self):
        aliases = ", ".join(f'"/{prefix}/" => "{place}/files/"'
                            for prefix, place in self.places.items())
        spool = next(iter(self.places.values()))
        return f"""server.modules = ( "mod_alias", "mod_webdav" )
server.document-root = "{self.home}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.max-worker = {self.workers}
server.max-keep-alive-requests = 1000000
server.max-request-size = 0
server.upload-dirs = ( "{spool}/tmp" )
server.errorlog = "{self.home}/{self.name}.error"
alias.url = ( {aliases} )
webdav.activate = "enable"
webdav.is-readonly = "disable"
"""

    def argv(self):
        return [program("lighttpd"), "-D", "-f", self.config_path]


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


ALL = {s.name: s for s in
       (Penstock, PenstockSync, Nginx, Original, Lighttpd)}


def earlier(kind, binary, turn):
    """The same server by an earlier binary; `turn` tells apart two that are
    compared with each other."""
    return type(kind.__name__ + turn, (kind,), {
        "name": f"{kind.name}-before-{turn}", "binary": binary,
        "label": f"{kind.label}, before ({turn})"})
