# A link and a disk of the same speed, and the disk stops for 200 ms of each
# second: with a queue that holds what comes meanwhile the upload takes as long
# as the slower of the two, with a short one the link waits for the disk and
# the disk then for the link.
#
# The disk moves at 5/4 of the link's rate and so makes up for its stops: were
# it the slower one on average, it alone would say how long it takes, and no
# queue could be too short.  The link is a UNIX socket, since the kernel's TCP
# buffers (up to 6 MB) would hold what the queue is to hold.

load ../lib/penstock

# begin DEPTH RATE: a link of RATE bytes per second; /slow has the queue that
# is to be tried, /short one that is too short for it.
begin() {
	! is_sanitized || skip 'speed is measured in the plain build only'
	RATE=$2
	memory_dir
	mkdir "$MEMORY/backing" "$MEMORY/files"
	ln -s "$MEMORY/backing" backing
	slowfs_start "$((RATE * 5 / 4))"
	start_server 'sync off;' "listen unix:$T/socket;
		location /memory { output_dir $MEMORY/files; sync off; }
		location /slow { output_dir $T/slow/a; sync off; queue_depth $1; }
		location /short { output_dir $T/slow/b; sync off; queue_depth 2; $(one_write) }" \
		'worker_processes 1; chunk_size 256k;'
}

# Chunks that are being written are room as well.
one_write() {
	if has_directive write_depth; then
		echo 'write_depth 1;'
	fi
}

# took LOCATION SECONDS [OPTIONS...]: the milliseconds that as many bytes take
# as the link has in so many seconds.  The disk begins a second that it moves in.
took() {
	local prefix=$1 size=$((RATE * $2 / 10))
	shift 2

	slowfs_ctl hiccup 200 1000 >/dev/null
	"$PENSTOCK_TOOLS/load" --json -n 1 -s "$size" -g 20 -u "/$prefix/%d-$RANDOM" "$@" \
		"unix:$T/socket" 3>&- 4>&- | jq '.seconds * 1000 | round'
}

# overlaps TENTHS: of a second that the link takes.  Other work may use the
# processors meanwhile: what is seen once in four tries counts.
overlaps() {
	local client disk longer both short hidden='' exposed=''

	for _ in 1 2 3 4; do
		client=$(took memory "$1" -l -r "$RATE")
		disk=$(took slow "$1")
		longer=$((client > disk ? client : disk))
		both=$(took slow "$1" -l -r "$RATE")
		short=$(took short "$1" -l -r "$RATE")
		echo "ms: client alone $client, disk alone $disk, both $both, with queue_depth 2 $short"
		((both * 10 > longer * 11)) || hidden=1
		((short * 10 <= longer * 11)) || exposed=1
		[[ -z $hidden || -z $exposed ]] || return 0
	done
	return 1
}

# bats test_tags=long
@test "8 MB/s, 200 ms of stops each second: the default queue hides them, queue_depth 2 does not" {
	begin 8 8000000
	overlaps 35
}

# bats test_tags=long
@test "80 MB/s, 200 ms of stops each second: queue_depth 80 hides them, queue_depth 2 does not" {
	begin 80 80000000
	overlaps 25
}
