# The queue's bound is real: with a disk that does not write, a client can push
# what reader, queue and writer hold, and what fits into the two sockets.

# bats file_tags=engine
load ../lib/penstock

slow_server() {
	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; $1 }" \
		"worker_processes 1; ${2:-}"
}

# bound_holds DEPTH CHUNK [WRITES [LOCATION]]: the server holds at least the
# queue and the writes (1), at most one chunk more, and loses nothing.
bound_holds() {
	local depth=$1 chunk=$2 writes=${3:-1} held

	slow_server "queue_depth $depth; ${4:-}" "chunk_size $chunk;"
	random_file body 24M
	slowfs_ctl stall write
	held=$(py uploads push /slow/a body "$PENSTOCK_TOOLS/slowfs" --ctl "$T/slowfs.ctl" resume)
	echo "the server held $held bytes"
	((held >= (depth + writes) * chunk))
	((held <= (1 + depth + writes) * chunk))
	assert_status 201
	assert_same body backing/up/a
}

@test "a stalled disk: queue_depth 2, chunks of 64k" {
	bound_holds 2 65536
}

@test "a stalled disk: queue_depth 8, chunks of 256k" {
	bound_holds 8 262144
}

# bats test_tags=long
@test "a stalled disk: queue_depth 32, chunks of 4k" {
	bound_holds 32 4096
}

@test "a stalled disk: write_depth is nothing to what goes through the page cache" {
	bound_holds 4 65536 1 'direct_io off; write_depth 100;'
}

@test "a stalled disk, direct: queue_depth 2, write_depth 1" {
	bound_holds 2 65536 1 'direct_io on; write_depth 1;'
}

@test "a stalled disk, direct: queue_depth 4, write_depth 6, chunks of 256k" {
	needs_direct
	bound_holds 4 262144 6 'direct_io on; write_depth 6;'
}

# bats test_tags=long
@test "a stalled disk, direct: queue_depth 2, write_depth 100, chunks of 16k" {
	needs_direct
	bound_holds 2 16384 100 'direct_io on; write_depth 100;'
}

@test "a disk that hangs before the file is open holds nothing of the body" {
	local held

	slow_server 'queue_depth 4;'
	random_file body 24M
	slowfs_ctl stall create
	held=$(py uploads push /slow/a body "$PENSTOCK_TOOLS/slowfs" --ctl "$T/slowfs.ctl" resume)
	echo "the server held $held bytes"
	((held <= 16384)) # what came along with the head
	assert_status 201
	assert_same body backing/up/a
}

@test "a client that does not read holds up only its own download" {
	start_server 'queue_depth 2;' '' 'worker_processes 1; buffer_memory 8m;'
	random_file body 30M
	upload PUT /file/a body
	assert_status 201
	connect
	say "$FD" 'GET /file/a HTTP/1.1\r\nHost: x\r\n\r\n'
	request GET /file/a --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
	assert_same body answer
	hang_up "$FD"
}
