# On one disk small synced uploads and large ones take turns, over all workers.

load ../lib/penstock

# load_of NAME SIZE [OPTIONS...]: uploads of that size, what came of them in NAME.json.
load_of() {
	"$PENSTOCK_TOOLS/load" --json -s "$2" -u "/file/$1%d" "${@:3}" "$ADDRESS:$PORT" >"$1.json" 3>&- 4>&-
}

# small_beside SIZE CLIENTS: small uploads beside those, for a second.
small_beside() {
	load_of large "$1" -c "$2" -d 1 -g 30 &
	large=$!
	load_of small 4k -c 2 -d 1
	wait "$large"
}

needs_turns() { ! is_portable || skip 'a PORTABLE build cannot know what is a disk of its own, so there are no turns'; }

beside() {
	loop_disk ext4 4g
	start_server "output_dir $DISK/up; ${1:-}" '' 'worker_processes 2; error_log error.log debug;'
	small_beside 16m 3
}

@test "small synced uploads and large ones take turns" {
	needs_turns
	beside
	grep "disk $(mountpoint -d "$DISK"): .*take turns" error.log
	jq -es 'all(.[]; .ok > 0 and .ok == .requests)' small.json large.json
}

# They are written by their last sync, all of them.
@test "uploads too long to be small and too short for direct I/O are large ones" {
	needs_turns
	loop_disk ext4 4g
	start_server "output_dir $DISK/up; direct_io_min 1m;" '' 'chunk_size 256k; error_log error.log debug;'
	small_beside 400k 24
	grep 'take turns' error.log
	jq -es 'all(.[]; .ok > 0 and .ok == .requests)' small.json large.json
}

@test "with small_latency 0 nobody waits for a turn" {
	beside 'small_latency 0;'
	run -1 grep 'take turns' error.log
}
