#!/bin/bash
# ext4 with `fast_commit`: after two syncs of files that have no name, a disk that loses its
# power cannot be mounted until e2fsck has repaired it.
#
# fsync(2) of a file opened with O_TMPFILE is how a server has the bytes of a file on the
# disk before its name can be seen; fsync(2) of a file that was unlinked is what databases do
# with temp files.  A file system made by e2fsprogs 1.47.0 (Debian 12) with
# -O fast_commit, on Linux 6.18.44: two such syncs, a power cut, and mount(2) says EUCLEAN,
# "Structure needs cleaning"; the kernel's log, "error loading journal".  Nothing was torn
# or lost: the image is copied while nothing is written, and `e2fsck -fy` repairs it (exit
# status 1).  After one such sync it can be mounted; also when a sync of the directory with new
# names came after them; and without fast_commit always.
#
# Seen (n: files that were synced; "linked": each was given a name afterwards and synced
# again; "and dir": then the directory was synced):
#
#	fast_commit   nameless   1: mounts   2: EUCLEAN   20: EUCLEAN
#	fast_commit   unlinked   1: mounts   2: EUCLEAN   20: EUCLEAN
#	fast_commit   linked     1: mounts   2: EUCLEAN   20: EUCLEAN
#	fast_commit   and dir    1: mounts   2: mounts    20: mounts
#	^fast_commit  nameless   1: mounts   2: mounts    20: mounts
#
# Needs: root, loop devices, python3, apt-get with Debian 12's packages.
# Ends with 0 when it is as said above, with 1 when it is not any more.
set -euo pipefail

dir=$(mktemp -d)
trap 'umount "$dir/mount" 2>/dev/null || :; rm -rf --one-file-system "$dir"' EXIT
mkdir "$dir/packages" "$dir/mount"
chmod 755 "$dir" "$dir/packages"
(cd "$dir/packages" && apt-get download e2fsprogs=1.47.0-2+b2 libext2fs2=1.47.0-2+b2 >/dev/null)
for package in "$dir"/packages/*.deb; do dpkg -x "$package" "$dir/root"; done
e2fs() { LD_LIBRARY_PATH=$dir/root/lib/x86_64-linux-gnu "$dir/root/sbin/$1" "${@:2}"; }

echo "e2fsprogs 1.47.0-2+b2, Linux $(uname -r)"
cat > "$dir/syncs.py" <<'PYTHON'
# Sync COUNT files in DIRECTORY, in the way of KIND; then copy IMAGE to CUT, as it is.
import os
import shutil
import sys

directory, kind, count, image, cut = sys.argv[1:]
at = os.open(directory, os.O_RDONLY)
for i in range(int(count)):
    name = "f%d" % i
    if kind == "unlinked":
        fd = os.open(name, os.O_CREAT | os.O_RDWR, 0o600, dir_fd=at)
        os.unlink(name, dir_fd=at)
    else:
        fd = os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"x" * 4096)
    os.fsync(fd)
    if kind in ("linked", "and-dir"):
        os.link("/proc/self/fd/%d" % fd, name, dst_dir_fd=at, follow_symlinks=True)
        os.fsync(fd if kind == "linked" else at)
    os.close(fd)
shutil.copyfile(image, cut)
PYTHON

# try FEATURE KIND COUNT: print what came of it, mounts or EUCLEAN.
try() {
	local said

	rm -f "$dir/image" "$dir/cut"
	truncate -s 64M "$dir/image"
	e2fs mke2fs -t ext4 -q -F -O "$1" -E lazy_itable_init=0,lazy_journal_init=0 "$dir/image"
	mount -t ext4 -o loop "$dir/image" "$dir/mount"
	sync -f "$dir/mount"
	python3 "$dir/syncs.py" "$dir/mount" "$2" "$3" "$dir/image" "$dir/cut"
	umount "$dir/mount"
	if said=$(LC_ALL=C mount -t ext4 -o loop "$dir/cut" "$dir/mount" 2>&1); then
		umount "$dir/mount"
		echo mounts
	elif [[ $said == *'Structure needs cleaning'* ]]; then
		# It can be repaired.
		e2fs e2fsck -fy "$dir/cut" >"$dir/fsck" 2>&1 || [ $? = 1 ]
		mount -t ext4 -o loop "$dir/cut" "$dir/mount"
		umount "$dir/mount"
		echo EUCLEAN
	else
		echo "$said"
	fi
}

same=true
while read -r feature kind one two twenty; do
	seen="$(try "$feature" "$kind" 1) $(try "$feature" "$kind" 2) $(try "$feature" "$kind" 20)"
	printf '%-13s %-9s 1, 2, 20: %s\n' "$feature" "$kind" "$seen"
	[ "$seen" = "$one $two $twenty" ] || same=false
done <<'TABLE'
fast_commit nameless mounts EUCLEAN EUCLEAN
fast_commit unlinked mounts EUCLEAN EUCLEAN
fast_commit linked mounts EUCLEAN EUCLEAN
fast_commit and-dir mounts mounts mounts
^fast_commit nameless mounts mounts mounts
TABLE
$same
