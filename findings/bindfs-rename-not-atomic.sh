#!/bin/bash
# bindfs: while a name is being replaced by rename(), who opens it may be told that it
# does not exist.
#
# Writing a new version beside a file and renaming it over the name is how a
# reader always finds one version or the other (rename(2): there is no point at
# which the name is missing).  Through bindfs 1.14.7 with libfuse 3.14.0 (Debian 12;
# Linux 6.18.44) that does not hold: with one thread that replaces and one that opens,
# some 13 of 100 opens ended in ENOENT (7,236 beside 49,748 that found it, in 3 s);
# in the directory below it, at the same pace, none of 1,285,364.
#
# Needs: root, /dev/fuse, python3, apt-get with Debian 12's packages.
# Ends with 0 when it is as said above, with 1 when it is not any more.
set -euo pipefail

dir=$(mktemp -d)
trap 'umount "$dir/mount" 2>/dev/null || :; rm -rf --one-file-system "$dir"' EXIT
mkdir "$dir/packages" "$dir/below" "$dir/mount"
chmod 755 "$dir" "$dir/packages"
(cd "$dir/packages" && apt-get download bindfs=1.14.7-1 libfuse3-3=3.14.0-4 >/dev/null)
for package in "$dir"/packages/*.deb; do dpkg -x "$package" "$dir/root"; done
libraries=$(dirname "$(find "$dir/root" -name 'libfuse3.so.3')")
LD_LIBRARY_PATH=$libraries "$dir/root/usr/bin/bindfs" "$dir/below" "$dir/mount"

echo "bindfs 1.14.7-1, libfuse3-3 3.14.0-4, Linux $(uname -r)"
cat > "$dir/opens.py" <<'PYTHON'
# Replace DIRECTORY/name again and again, and open it beside that for SECONDS; print
# how many opens were told that it does not exist, and how many found it.
import os
import sys
import threading
import time

directory, seconds = sys.argv[1], float(sys.argv[2])
name, new = directory + "/name", directory + "/new"
done = threading.Event()


def replace():
    while not done.is_set():
        with open(new, "w") as f:
            f.write("a version\n")
        os.rename(new, name)


with open(name, "w") as f:
    f.write("the first version\n")
thread = threading.Thread(target=replace)
thread.start()
missing = found = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        os.close(os.open(name, os.O_RDONLY))
        found += 1
    except FileNotFoundError:
        missing += 1
done.set()
thread.join()
print(missing, found)
PYTHON
read -r through found < <(python3 "$dir/opens.py" "$dir/mount" 3)
echo "through bindfs:   ENOENT $through, found $found"
read -r below found < <(python3 "$dir/opens.py" "$dir/below" 3)
echo "directly below:   ENOENT $below, found $found"
[ "$through" -gt 0 ] && [ "$below" -eq 0 ]
