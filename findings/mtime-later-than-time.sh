#!/bin/bash
# A file that was just written is from the future, says time(2).
#
# One would think that the kernel stamps files with the clock of its last tick, as it
# always did, and that time(2) and CLOCK_REALTIME_COARSE, which say what that tick noted,
# are never behind the mtime of a file that is there already.  A server may then leave
# out "the file is from the future" for its own files, or compare Last-Modified with a
# Date that it made with time().  Since Linux 6.13 (multigrain timestamps) a file whose
# times were looked at since its last change gets the next one from the exact clock.  On
# Linux 6.18.44, on ext4, XFS, btrfs and tmpfs:
#
#	written, stat, compared          mtime later than COARSE   than CLOCK_REALTIME
#	again and again                  almost always, by some ms  never
#	around the turn of a second      st_mtime > time()         never
#
# So about one file in 200 has an mtime of a second that has, for time(), not begun.
# CLOCK_REALTIME (gettimeofday(2)) is the clock to compare with.
#
# Needs: root, loop devices, python3, mkfs.ext4, mkfs.xfs and mkfs.btrfs (Debian 12:
# e2fsprogs 1.47.0, xfsprogs 6.1.0, btrfs-progs 6.2).  Nothing is installed.
# Ends with 0 when it is as said above, with 1 when it is not any more.
set -euo pipefail

dir=$(mktemp -d)
trap 'for fs in ext4 xfs btrfs tmpfs; do umount "$dir/$fs" 2>/dev/null || :; done; rm -rf --one-file-system "$dir"' EXIT
mkdir "$dir"/{ext4,xfs,btrfs,tmpfs}
mount -t tmpfs none "$dir/tmpfs"
for fs in ext4 xfs btrfs; do
	truncate -s 400M "$dir/$fs.img"
	"mkfs.$fs" -q "$dir/$fs.img" >/dev/null 2>&1
	mount -o loop "$dir/$fs.img" "$dir/$fs"
done

echo "Linux $(uname -r)"
python3 - "$dir" <<'PYTHON'
import ctypes
import os
import sys
import time

COARSE = 5  # CLOCK_REALTIME_COARSE of clock_gettime(2)
c_time = ctypes.CDLL(None).time
c_time.restype = ctypes.c_long
c_time.argtypes = [ctypes.c_void_p]

as_said = True
for fs in ("ext4", "xfs", "btrfs", "tmpfs"):
    fd = os.open(os.path.join(sys.argv[1], fs, "f"), os.O_CREAT | os.O_RDWR, 0o600)
    later = ahead = exact = rounds = seconds = 0
    # From 20 ms before a second begins to 20 ms after, three times.
    for turn in range(3):
        time.sleep(1 - (time.time() + 0.02) % 1)
        end = time.monotonic() + 0.04
        this_turn = 0
        while time.monotonic() < end:
            os.pwrite(fd, b"x", 0)
            mtime = os.fstat(fd).st_mtime_ns
            coarse = time.clock_gettime_ns(COARSE)
            said = c_time(None)
            now = time.time_ns()
            rounds += 1
            later += mtime > coarse
            ahead = max(ahead, mtime - coarse)
            this_turn += mtime // 10**9 > said
            exact += mtime > now
        seconds += this_turn > 0
    os.close(fd)
    print("%-6s %d writes: mtime later than the coarse clock in %d %%, by up to %.1f ms; than time() at %d of 3 turns of a second; than CLOCK_REALTIME %d times"
          % (fs, rounds, 100 * later // rounds, ahead / 1e6, seconds, exact))
    as_said = as_said and later > rounds / 2 and ahead < 100e6 and seconds >= 2 and exact == 0
sys.exit(0 if as_said else "it is another way now")
PYTHON
