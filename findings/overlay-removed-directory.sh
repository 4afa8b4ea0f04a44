#!/bin/bash
# overlayfs: fstat() of a directory that was removed does not say so when a lower
# layer has it.
#
# A program that holds a directory open, and makes files in it by openat(), asks
# st_nlink whether somebody has removed it meanwhile: 0 says so on ext4, XFS,
# tmpfs and btrfs.  On overlayfs (Linux 6.18.44; every container) it depends on the
# layers that the directory came from:
#
#	made in the mount (upper layer only)     2 -> 0   as elsewhere
#	from a lower layer only                  2 -> 2   nothing tells
#	in both                                  1 -> 1   nothing tells
#
# Files can be made in none of them any more (ENOENT), so the error comes at the end
# of the work and not when one looks.  What tells in all three cases is the link in
# /proc/self/fd, which ends in " (deleted)".
#
# Needs: root, a kernel with overlayfs, python3.  Nothing is installed.
# Ends with 0 when it is as said above, with 1 when it is not any more.
set -euo pipefail

dir=$(mktemp -d)
trap 'umount "$dir/merged" "$dir/layers" 2>/dev/null || :; rm -rf --one-file-system "$dir"' EXIT
mkdir "$dir/layers" "$dir/merged"
mount -t tmpfs none "$dir/layers"
mkdir -p "$dir"/layers/lower/{lower,both} "$dir"/layers/upper/both "$dir"/layers/work
mount -t overlay overlay "$dir/merged" \
	-o "lowerdir=$dir/layers/lower,upperdir=$dir/layers/upper,workdir=$dir/layers/work"
mkdir "$dir/merged/upper"

echo "Linux $(uname -r)"
python3 - "$dir/merged" <<'PYTHON'
import os
import sys

seen = {}
for name in ("upper", "lower", "both"):
    path = os.path.join(sys.argv[1], name)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    before = os.fstat(fd).st_nlink
    os.rmdir(path)
    after = os.fstat(fd).st_nlink
    told = os.readlink("/proc/self/fd/%d" % fd).endswith(" (deleted)")
    try:
        os.close(os.open("new", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=fd))
        made = True
    except FileNotFoundError:
        made = False
    seen[name] = (before, after, told, made)
    print("%-5s  st_nlink %d -> %d, /proc says deleted: %s, a file can be made in it: %s"
          % ((name,) + seen[name]))
if seen != {"upper": (2, 0, True, False), "lower": (2, 2, True, False), "both": (1, 1, True, False)}:
    sys.exit("it is another way now")
PYTHON
