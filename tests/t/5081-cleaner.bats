# What somebody else's job does to directories while they are empty is not the
# disk's fault: a cleaner (find -type d -empty -delete) removes the directory
# that an upload is bound for, and it is made again.  A directory that was moved
# away is not: nothing lands where the name does not lead (5060 too).

load ../lib/penstock

# bats file_tags=engine

begin() {
	UP=${UP:-$T/up}
	STORES+=("$UP")
	random_file small 3000
	random_file large 300k
	start_server '' "location /up { output_dir $UP; ${1:-} }" 'worker_processes 1;'
}

clean() { find "$UP" -mindepth 1 -type d -not -name .penstock -empty -delete; }

# cleaned_under NAME: the directories of NAME are removed while it arrives.
cleaned_under() {
	mkdir -p "$UP/${1%/*}"
	upload_part "/up/$1" large
	clean
	refute [ -e "$UP/${1%%/*}" ]
	upload_rest "$FD" large 201
	assert_same large "$UP/$1"
	rm -r "$UP/${1%%/*}"
}

cleaner() {
	local n
	for n in 1 2; do
		cleaned_under d/a
		cleaned_under d/e/f/a
	done
	# One that is there again, made by another upload.
	mkdir "$UP/d"
	upload_part /up/d/a large
	clean
	upload PUT /up/d/b small
	assert_status 201
	upload_rest "$FD" large 201
	assert_same large "$UP/d/a"
	# It has become a file.
	upload_part /up/g/h/a large
	mkdir "$UP/g"
	clean
	: >"$UP/g"
	upload_rest "$FD" large 409
	refute log_has 'is not the directory any more'
}

@test "ext4: directories that a cleaner removes under an upload are made again" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	cleaner
}

@test "ext4, sync off, overwrite on" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin 'sync off; overwrite on;'
	cleaner
}

@test "XFS" {
	loop_disk xfs 320M
	UP=$DISK/up
	begin
	cleaner
}

@test "btrfs" {
	loop_disk btrfs 128M
	UP=$DISK/up
	begin
	cleaner
}

@test "memory" {
	memory_dir
	UP=$MEMORY/up
	begin
	cleaner
}

@test "FUSE, without nameless files" {
	slowfs_start
	UP=$T/slow/up
	begin
	cleaner
}

@test "an overlay" {
	is_portable && skip 'a PORTABLE build cannot tell that a directory of an overlay was removed'
	mkdir lower overlay real
	mkdir -p lower/up/d/e lower/up/g
	mount -t tmpfs none real
	mkdir real/upper real/work
	mount -t overlay -o lowerdir=lower,upperdir=real/upper,workdir=real/work none overlay
	UP=$T/overlay/up
	begin
	cleaner
}

# The cleaner never rests: an upload may find the directory gone at any step.
@test "a cleaner without a rest, under many small uploads: all are stored" {
	local n
	loop_disk ext4 64M
	UP=$DISK/up
	begin 'sync off;'
	"$PYTHON" -S -E -c "$_CLEANER" "$UP" "$T/enough" 3>&- &
	n=$!
	run -0 "$PYTHON" -S -E -c "$_UPLOADS" "$PORT" "$UP"
	: >enough
	wait $n
	assert_output 'all stored'
	refute access_has '" 50[03] '
}

read -r -d '' _CLEANER <<'PYTHON' || true
import os, sys
up, enough = sys.argv[1:]
while not os.path.exists(enough):
    for i in range(20):
        try:
            os.rmdir("%s/d%d" % (up, i))
        except OSError:
            pass
PYTHON

# Five bytes, to a directory that is empty before and after; half of them with
# the body a little later than the head.
read -r -d '' _UPLOADS <<'PYTHON' || true
import os, socket, sys, threading
port, up = int(sys.argv[1]), sys.argv[2]
bad = []
def client(k):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(20)
    for n in range(100):
        s.sendall(b"PUT /up/d%d/a HTTP/1.1\r\nHost: x\r\n%sContent-Length: 5\r\n\r\n"
                  % (k, b"Expect: 100-continue\r\n" if n % 2 else b""))
        if n % 2:
            answer = s.recv(4096)
            if not answer.startswith(b"HTTP/1.1 100"):
                bad.append(answer)
                return
        s.sendall(b"hello")
        answer = s.recv(4096)
        if not answer.startswith(b"HTTP/1.1 201 "):
            bad.append(answer)
            return
        os.unlink("%s/d%d/a" % (up, k))
all = [threading.Thread(target=client, args=(k,)) for k in range(20)]
for t in all: t.start()
for t in all: t.join()
print(bad[0] if bad else "all stored")
PYTHON
