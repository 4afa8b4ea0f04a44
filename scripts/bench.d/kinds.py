"""All servers, by name."""
from peers import BUFFERS, Lighttpd, NginxOpenFiles
from servers import Original, Penstock, PenstockSync

ALL = {s.name: s for s in (Penstock, PenstockSync, *BUFFERS, NginxOpenFiles,
                           Lighttpd, Original)}
ONLY_WITH_ALL = (Original.name,)
