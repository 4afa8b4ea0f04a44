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

beside() {
	loop_disk ext4 4g
	start_server "output_dir $DISK/up; ${1:-}" '' 'worker_processes 2; error_log error.log debug;'
	small_beside 16m 3
}

@test "small synced uploads and large ones take turns" {
	beside
	grep "disk $(mountpoint -d "$DISK"): .*take turns" error.log
	jq -es 'all(.[]; .ok > 0 and .ok == .requests)' small.json large.json
}

# They are written by their last sync, all of them.
@test "uploads too long to be small and too short for direct I/O are large ones" {
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

# The figures are of one run each, and other work may use the disk: what is seen once
# in four tries counts.
# bats test_tags=long
@test "beside large uploads a small one takes less than half of what it would without turns" {
	local with without

	loop_disk ext4 8g
	start_server "output_dir $DISK/up;" '' 'worker_processes 2;'
	for _ in 1 2 3 4; do
		with=$(p50_beside)
		write_conf "output_dir $DISK/up; small_latency 0;" '' 'worker_processes 2;'
		reload
		without=$(p50_beside)
		write_conf "output_dir $DISK/up;" '' 'worker_processes 2;'
		reload
		echo "p50, us: $with with turns, $without without"
		((with * 2 > without)) || return 0
	done
	false
}

p50_beside() {
	load_of large 64m -c 4 -d 3 -g 60 &
	large=$!
	load_of small 4k -c 4 -d 3
	wait "$large"
	find "$DISK/up" -type f -delete
	jq '.latency_ms.p50 * 1000 | round' small.json
}
