# Two disks of the kind that a ring may try without waiting (ext4); one of them
# freezes under uploads that are already being written.  Those to the other
# must not notice: not one in a hundred of them.

load ../lib/penstock

teardown() {
	[[ -z $FROZEN ]] || fsfreeze -u "$FROZEN" 2>/dev/null
	penstock_teardown
}

begin() {
	FROZEN=
	mkdir "$T/disk"
	truncate -s 64M disk.img
	mkfs.ext4 -q -F disk.img
	mount -o loop disk.img "$T/disk"
	STORES+=("$T/disk/up")
	start_server '' "location /dead { output_dir $T/disk/up; }" 'worker_processes 1;'
}

# N uploads whose files are open; the disk freezes; bytes come for all of them.
# Runs the command, thaws the disk, and prints how many of them were stored.
freeze_under() {
	_T=$T _PORT=$PORT "$PYTHON" -S -E -c "$_FREEZE" "$@" 3>&- 4>&-
}

read -r -d '' _FREEZE <<'PYTHON' || true
import os, socket, subprocess, sys
n, then = int(sys.argv[1]), sys.argv[2:]
T, port = os.environ["_T"], int(os.environ["_PORT"])
size = 65536
socks = []
for i in range(n):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(60)
    s.sendall(b"PUT /dead/d%d HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (i, size))
    socks.append(s)
for s in socks:
    assert s.recv(100).startswith(b"HTTP/1.1 100"), "no 100"
subprocess.run(["fsfreeze", "-f", T + "/disk"], check=True)
try:
    for s in socks:
        s.sendall(b"x" * size)
    rc = subprocess.run(then).returncode
finally:
    subprocess.run(["fsfreeze", "-u", T + "/disk"], check=True)
print("stored after all:", sum(s.recv(4096).startswith(b"HTTP/1.1 201") for s in socks))
sys.exit(rc)
PYTHON

@test "a frozen ext4 does not hold up uploads to another one" {
	begin
	FROZEN=$T/disk
	run -0 freeze_under 30 timeout "$((2 * PENSTOCK_PATIENCE))" "$PENSTOCK_TOOLS/load" -c 2 -n 300 -s 4k -g "$PENSTOCK_PATIENCE" \
		-u /file/small-%d "$ADDRESS:$PORT"
	assert_line 'stored after all: 30'
}
