"""What penstock is compared with, set up as somebody who runs it for uploads
would: nginx with three sizes of body buffer, and lighttpd."""
import os

from machine import KIB, MIB
from servers import Server, program


class Nginx(Server):
    """DAV PUT: the body is received into a buffer and written to a temporary
    file, which is renamed.  How large the buffer is decides how much goes
    into one recv and one write.

    With `reuseport` each worker gets its share of the connections; without,
    whoever is awake takes those that come at once, often all of them.  A
    small upload fits into client_header_buffer_size with its head, which saves
    a recv."""

    buffer = 16 * KIB # what a 64-bit nginx has without a setting
    peer = True
    cached = "" # settings of the cache of open files
    how = ""    # it listens, too

    def config(self):
        user = "user root;" if os.geteuid() == 0 else ""
        locations = "".join(f"""
        location /{prefix}/ {{
            alias                 {place}/files/;
            client_body_temp_path {place}/tmp;
            dav_methods           PUT;
            create_full_put_path  on;
        }}""" for prefix, place in self.places.items())
        lines = "".join(f"\n        {line}" for line in self.server_lines())
        unused = "".join(f"\n    {what}_temp_path {self.home}/{what};"
                         for what in ("proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""{user}
daemon off;
worker_processes     {self.workers};
worker_rlimit_nofile 65536;
pid                  {self.home}/{self.name}.pid;
error_log            {self.home}/{self.name}.error;
events {{
    use                epoll;
    worker_connections 4096;
}}
http {{
    access_log              off;
    client_header_buffer_size 8k;
    sendfile                on;
    tcp_nopush              on;
    keepalive_requests      1000000000;
    keepalive_timeout       65s;
    client_max_body_size    0;
    client_body_buffer_size {self.buffer // KIB}k;
    client_body_in_file_only off;{self.cached}{unused}
    server {{
        listen 127.0.0.1:{self.port} reuseport backlog=4096{self.how};{lines}
        location /none/ {{ return 204; }}{locations}
    }}
}}
"""

    def argv(self):
        return [program("nginx"), "-c", self.config_path,
                "-e", f"{self.home}/{self.name}.error"]


def with_buffer(name, size):
    short = f"{size // MIB}m" if size >= MIB else f"{size // KIB}k"
    return type(f"Nginx{short}", (Nginx,), {
        "name": name, "label": f"nginx, {short}", "buffer": size,
        "note": f"{name}: DAV PUT, `client_body_buffer_size {short}`, "
                "`client_body_temp_path` on the file system of the target, "
                "`client_header_buffer_size 8k`, `reuseport`, `sendfile` and "
                "`tcp_nopush` on"})


Nginx16k = with_buffer("nginx-16k", 16 * KIB)
Nginx256k = with_buffer("nginx-256k", 256 * KIB)
Nginx1m = with_buffer("nginx-1m", MIB)
BUFFERS = (Nginx16k, Nginx256k, Nginx1m)


def that_differ(size):
    """The settings of nginx that make a difference for bodies of `size`.  It
    makes no buffer larger than a body that fits into 5/4 of the setting
    (ngx_http_read_client_request_body), so of those that take it whole all
    but the smallest would be the same again, and the best of them the best
    of chance."""
    whole = [k for k in BUFFERS if size < k.buffer * 5 // 4]
    return [k for k in BUFFERS if k not in whole[1:]]


class NginxOpenFiles(Nginx16k):
    """For downloads only, and not "the peer": it may answer with what a name
    was a minute ago."""

    name = "nginx-open-files"
    label = "nginx, open_file_cache"
    peer = False
    note = ("nginx-open-files: the same with `open_file_cache`, for downloads; "
            "what was replaced may be served for a minute longer")
    cached = "\n    open_file_cache         max=10000 inactive=60s;"


class Lighttpd(Server):
    """mod_webdav PUT: it takes the body whole before it looks at it
    (stream-request-body 0, which is what mod_webdav is made for), a large one
    by splice() into a nameless file in the target's directory."""

    name = label = "lighttpd"
    note = ("lighttpd: mod_webdav PUT, `server.stream-request-body = 0`, "
            "sysepoll, sendfile, `server.upload-temp-file-size` 1 GiB, "
            "`server.upload-dirs` on the file system of the target")

    def config(self):
        aliases = ", ".join(f'"/{prefix}/" => "{place}/files/"'
                            for prefix, place in self.places.items())
        spool = next(iter(self.places.values()))
        return f"""server.modules = ( "mod_alias", "mod_webdav" )
server.document-root = "{self.home}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.max-worker = {self.workers}
server.event-handler = "linux-sysepoll"
server.network-backend = "sendfile"
server.max-fds = 65536
server.max-connections = 8192
server.listen-backlog = 4096
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 65
server.max-request-size = 0
server.stream-request-body = 0
server.upload-temp-file-size = 1073741824
server.upload-dirs = ( "{spool}/tmp" )
server.stat-cache-engine = "simple"
server.errorlog = "{self.home}/{self.name}.error"
alias.url = ( {aliases} )
webdav.activate = "enable"
webdav.is-readonly = "disable"
"""

    def argv(self):
        return [program("lighttpd"), "-D", "-f", self.config_path]
