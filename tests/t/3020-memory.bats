# A worker's memory has a ceiling, whatever the number or speed of its clients.

load ../lib/penstock

# In KiB: connections, threads, the kernel's and the allocator's share.
SLACK=10240

is_sanitized() { grep -qaE '__(asan|tsan)_init' "$PENSTOCK"; }

# within_bounds MIB: the worker never had more than this above its start.
within_bounds() {
	local peak

	peak=$(worker_peak "$WORKER")
	echo "the worker had $BASE KiB at the start, $peak at most"
	is_sanitized || ((peak <= BASE + $1 * 1024 + SLACK))
}

begin() {
	start_server "sync off; ${1:-}" "${2:-}" 'worker_processes 1; buffer_memory 8m;'
	WORKER=$(workers)
	BASE=$(worker_rss "$WORKER")
}

load_with() { "$PENSTOCK_TOOLS/load" -g 30 "$@" "$ADDRESS:$PORT" 3>&- 4>&-; }

@test "200 slow clients" {
	begin
	run -0 load_with -c 200 -n 200 -s 100k -r 64k
	within_bounds 8
}

@test "64 bulk uploads" {
	begin 'queue_depth 32;'
	run -0 load_with -c 64 -n 64 -s 2m
	within_bounds 8
}

@test "64 bulk uploads to a slow disk" {
	slowfs_start 40m
	STORES+=("$T/backing/up")
	begin '' "location /slow { output_dir $T/slow/up; sync off; queue_depth 32; }"
	run -0 load_with -c 64 -n 64 -s 1m -u /slow/%d
	within_bounds 8
}

@test "64 bulk uploads to a stalled disk, and others beside them" {
	local bulk

	slowfs_start
	STORES+=("$T/backing/up")
	begin '' "location /slow { output_dir $T/slow/up; sync off; queue_depth 32; }"
	slowfs_ctl stall write
	load_with -c 64 -n 64 -s 1m -u /slow/%d >bulk.out &
	bulk=$!
	eventually has_stalled
	run -0 load_with -c 8 -n 200 -s 200k
	slowfs_ctl resume
	wait "$bulk"
	within_bounds 8
}

has_stalled() { (($(slowfs_ctl count waiting) > 0)); }

# A size line with nothing behind it is no reason to hold a chunk.
@test "clients that send framing only hold no memory" {
	local fds=() i

	start_server '' '' 'worker_processes 1; buffer_memory 1m; chunk_size 64k;'
	for ((i = 0; i < 32; i++)); do
		connect
		say "$FD" "PUT /file/c$i HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
		fds+=("$FD")
	done
	random_file body 300000
	upload PUT /file/a body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	for i in "${fds[@]}"; do hang_up "$i"; done
}

@test "clients that send nothing hold no memory" {
	local fds=() i

	start_server '' '' 'worker_processes 1; buffer_memory 1m; chunk_size 64k;'
	for ((i = 0; i < 64; i++)); do
		connect
		say "$FD" "PUT /file/c$i HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx"
		fds+=("$FD")
	done
	random_file body 300000
	upload PUT /file/a body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	for i in "${fds[@]}"; do hang_up "$i"; done
}

# anonymous: KiB of memory that are the worker's own.
anonymous() { awk '$1 == "RssAnon:" { print $2 }' "/proc/$WORKER/status"; }

# silent MODE MOST: 8,000 clients (fewer where descriptors are short) that send a
# head and 3,000 bytes of body, or a head in many pieces that does not end, or a
# request that is answered, and then keep silent.  Each takes at most so many bytes
# of the worker's memory.
silent() {
	local before after since client count most=$2

	count=$((($(ulimit -Hn) - 1000) / 2))
	((count > 8000)) && count=8000
	((count >= 1000)) || fail "the limit on open files is too low: $(ulimit -Hn)"
	ulimit -Sn "$(ulimit -Hn)"
	start_server 'sync off;' 'header_timeout 10m; body_timeout 10m; keepalive_timeout 10m;' \
		"worker_processes 1; worker_connections $((count + 100)); chunk_size 256k;"
	WORKER=$(workers)
	# The engine's threads are there before, and are not counted; the pool has given
	# back what it had.
	load_with -c 200 -n 1000 -s 300k -u /file/first-%d >/dev/null
	before=0
	_gave_back() { # almost all, and nothing more for three seconds
		after=$(anonymous)
		((after == before)) || { before=$after && since=$SECONDS; }
		((before < 10000 && SECONDS - since > 3))
	}
	PENSTOCK_PATIENCE=60 eventually _gave_back || is_sanitized
	start_py connections silent "$1" "$count"
	client=$PY
	PENSTOCK_PATIENCE=240 eventually test -e said
	# What is idle goes back to the system a little later.
	_settled() {
		after=$(anonymous)
		EACH=$(((after - before) * 1024 / count))
		echo "$count connections take $EACH bytes each"
		((EACH <= most))
	}
	PENSTOCK_PATIENCE=60 eventually _settled || true # the assertion is below
	kill "$client"
	is_sanitized || ((EACH <= most))
}

@test "8,000 silent uploads take at most 3 KiB each" {
	is_portable && skip 'a PORTABLE build cannot give single pages back to the system'
	silent body 3072
}

# bats test_tags=long
@test "8,000 heads that come in pieces take at most 3 KiB each" {
	silent head 3072
}

# What a request needs is there from its first byte to its end.
# bats test_tags=long
@test "8,000 connections that wait for their next request take at most 768 bytes each" {
	silent request 768
}

@test "clients that read nothing of their GETs do not stop an upload" {
	start_server '' '' 'worker_processes 1; buffer_memory 1m;'
	random_file big 8M
	upload PUT /file/big big
	assert_status 201
	random_file body 200000
	from=${EPOCHREALTIME/[.,]/}
	upload PUT /file/alone body
	alone=$((${EPOCHREALTIME/[.,]/} - from))
	run -0 py connections stall_gets 6 /file/big timeout "$((3 + 10 * alone / 1000000))" curl -fsS -T body "$URL/file/a"
	assert_same body "$STORE/a"
}

@test "nor other GETs for longer than a few seconds" {
	start_server '' '' 'worker_processes 1; buffer_memory 1m;'
	random_file big 8M
	upload PUT /file/big big
	assert_status 201
	run -0 py connections stall_gets 30 /file/big timeout "$PENSTOCK_PATIENCE" curl -fsS -r 0-99 -o part "$URL/file/big"
	[ "$(wc -c <part)" -eq 100 ]
}

@test "a client that lingers after a refusal takes no memory for what came with its head" {
	is_sanitized && skip 'memory is measured in the plain build only'
	start_server 'max_body_size 1k;' '' 'worker_processes 1;'
	run -0 py connections memory_of_refused 300 "$(workers)"
	[ "$output" -lt 8000 ] || fail "it takes $output bytes each"
}
