#!/bin/bash
# O_TMPFILE in a directory that was removed: a file is made, or the error is EPERM.
#
# A program holds a directory open and makes a file in it that has no name yet
# (openat(fd, ".", O_TMPFILE)), to write it and give it its name by linkat() when
# it is complete.  If the directory was removed meanwhile one expects ENOENT at
# once, as openat(O_CREAT), mkdirat() and linkat() give it.  On Linux 6.18.44:
#
#	        O_TMPFILE   and linkat() there at the end   O_CREAT
#	ext4    EPERM       (there is no file)              ENOENT
#	XFS     a file      ENOENT                          ENOENT
#	btrfs   a file      ENOENT                          ENOENT
#	tmpfs   a file      ENOENT                          ENOENT
#
# So on three of four the program hears of it after all of the content is written;
# and on ext4 it hears that it lacks a right.  (The file is not lost: linkat() into
# another directory of that file system works.)
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
import errno
import os
import sys


def said(call):
    try:
        call()
        return "a file"
    except OSError as e:
        return errno.errorcode[e.errno]


seen = {}
for fs in ("ext4", "xfs", "btrfs", "tmpfs"):
    root = os.path.join(sys.argv[1], fs)
    os.mkdir(root + "/removed")
    fd = os.open(root + "/removed", os.O_RDONLY | os.O_DIRECTORY)
    os.rmdir(root + "/removed")
    files = []

    def make():
        files.append(os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o600, dir_fd=fd))

    def link(to, name):
        os.link("/proc/self/fd/%d" % files[0], name, dst_dir_fd=to, follow_symlinks=True)

    made = said(make)
    there = said(lambda: link(fd, "name")) if files else None
    other = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    elsewhere = said(lambda: link(other, "name")) if files else None
    created = said(lambda: os.open("new", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=fd))
    seen[fs] = (made, there, elsewhere, created)
    print("%-6s O_TMPFILE: %s, linkat there: %s, elsewhere: %s, O_CREAT: %s" % ((fs,) + seen[fs]))
    for f in files + [fd, other]:
        os.close(f)
late = ("a file", "ENOENT", "a file", "ENOENT")
if seen != {"ext4": ("EPERM", None, None, "ENOENT"), "xfs": late, "btrfs": late, "tmpfs": late}:
    sys.exit("it is another way now")
PYTHON
