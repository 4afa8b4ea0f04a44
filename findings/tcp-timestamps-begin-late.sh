#!/bin/bash
# SO_TIMESTAMPNS on a listening TCP socket says 0, and the next packets have no time.
#
# One would think that setsockopt(2) with SO_TIMESTAMPNS holds from its return on, as it
# does on a UDP socket, where a packet that came without a time gets one when it is read.
# On TCP the time is noted only on arrival, by a part of the kernel that all sockets share:
# the first socket that asks has a kernel thread switch it on, and does not wait for that.
# Until then recvmsg(2) returns the bytes without a SCM_TIMESTAMPNS, and no error.  When the
# last such socket is closed, it is switched off again, so the next program meets the same.
#
# Linux 6.18.44, 2 cores, loopback; 200 listeners, one after the other, each with connections
# made after setsockopt():
#
#	beside                              had bytes without a time   the longest for
#	other work, at a load of 7          12 to 33 of 200            8 to 26 ms
#	the same, and a program that asks   0
#
# So a server that orders requests by these times must ask for them well before it accepts,
# and must be able to do without at its start; a test has to keep one socket that asks.
#
# Needs: python3 (Debian 12: 3.11).  Nothing is installed.  Ends with 0 when it is as said
# above; with 1 when each of them had its time (also when another program keeps it on).
set -euo pipefail

echo "Linux $(uname -r)"
python3 - <<'PYTHON'
import socket
import sys
import time

SO_TIMESTAMPNS = 35  # asm-generic/socket.h
late, longest = 0, 0.0
for _ in range(200):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        began, missing, stamp = time.monotonic(), 0, None
        while not stamp:
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(b"x")
                with listener.accept()[0] as server:
                    stamp = server.recvmsg(1, 64)[1]
            missing += not stamp
        if missing:
            late += 1
            longest = max(longest, time.monotonic() - began)
    time.sleep(0.01)  # it is switched off behind the last one's back, too
print("%d of 200 listeners had bytes without a time, the longest for %.3f ms" % (late, longest * 1000))
sys.exit(late == 0)
PYTHON
