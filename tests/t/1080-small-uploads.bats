# Small uploads are collected: nothing is made until all of the body is there,
# and then all is done at once.  A client that takes its time goes the long way.

# bats file_tags=engine
load ../lib/penstock

CHUNK=65536

on_slow() {
	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; ${1:-} } ${2:-}" \
		"worker_processes 1; ${3:-}"
	# With its first file in a directory a worker finds out how to make them.
	echo first >first
	upload PUT /slow/first first
	assert_status 201
	rm backing/up/first
	slowfs_ctl zero
}

# send METHOD TARGET FILE [CURL ARGS...]: as `upload`, without the Expect that
# curl has: a client that asks first is answered at once, and not collected.
send() { upload "$@" -H 'Expect:'; }

# Files of uploads that a worker has open in this store.
open_files() {
	find /proc/$(workers | head -n 1)/fd -lname "${1:-$STORE}/*" -printf '%l\n' 2>/dev/null |
		grep -cE '/#[0-9]+ \(deleted\)$|\.part$'
}

# bats test_tags=long
@test "sizes around the chunk, with Expect and without" {
	local size n=0 how
	start_server
	for how in 'Expect:' 'Expect: 100-continue'; do
		for size in 0 1 $((CHUNK - 1)) $CHUNK $((CHUNK + 1)); do
			random_file body $size
			n=$((n + 1))
			upload PUT /file/d/$n body -H "$how"
			assert_status 201
			assert_same body "$STORE/d/$n"
			assert_equal "$(receipt bytes)" $size
			assert_equal "$(receipt durability)" synced
			upload POST /file body -H "$how"
			assert_status 201
			assert_same body "$STORE/$(receipt name)"
		done
	done
	assert_equal "$(files_in "$STORE" | wc -l)" 20
}

@test "the times of the receipt add up" {
	local write sync total
	on_slow
	random_file body 5000
	slowfs_ctl latency write 30
	slowfs_ctl latency fsync 60
	send PUT /slow/a body
	assert_status 201
	write=$(receipt ms.write)
	sync=$(receipt ms.sync)
	total=$(receipt ms.total)
	echo "write $write sync $sync total $total"
	[[ ${write%.*} -ge 25 && ${sync%.*} -ge 50 ]]
	[[ $((${write%.*} + ${sync%.*})) -le $((${total%.*} + 2)) ]]
}

# In ten tries: how often was there no file yet, 50 ms after a part of the body?
@test "there is no file before all of the body is there" {
	on_slow
	run -0 py uploads in_two_parts "$PENSTOCK_TOOLS/slowfs" "$T/slowfs.ctl"
	echo "$output"
	[[ ${lines[-1]} -ge 3 ]]
	assert_equal "$(files_in backing/up | wc -l)" 10
}

@test "who pauses goes the long way: the file is there before the body is" {
	local n
	on_slow
	random_file body 30000
	for n in 1 2; do
		connect
		say "$FD" "PUT /slow/a$n HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 30000\\r\\n\\r\\n"
		head -c 7000 body >&"$FD"
		_made() { [[ $(slowfs_ctl count create) == "$1" && $(slowfs_ctl count write) -ge $1 ]]; }
		eventually _made "$n"
		head -c 17000 body | tail -c 10000 >&"$FD"
		tail -c 13000 body >&"$FD"
		hear "$FD" | grep -q '^HTTP/1.1 201 '
		hang_up "$FD"
		assert_same body "backing/up/a$n"
	done
}

@test "in pieces with pauses, of all small sizes: the content is whole" {
	local size pid pids=()
	start_server '' '' 'chunk_size 4k;'
	for size in 2 3 4095 4096 4097; do
		start_py uploads in_four_parts $size >"answer.$size"
		pids+=("$PY")
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	for size in 2 3 4095 4096 4097; do
		assert_equal "$(cat answer.$size)" 201
		assert_equal "$(stat -c %s "$STORE/p$size")" $size
		assert_equal "$(sha256sum <"$STORE/p$size")" "$(cat sum.$size)"
	done
}

@test "a limited rate is no hindrance" {
	start_server 'limit_rate 100k;'
	random_file body 50000
	send PUT /file/a body
	assert_status 201
	assert_same body "$STORE/a"
}

# Uploads to a disk that hangs hold all the memory they may: then no client keeps what
# others wait for, however steadily it sends.
@test "while memory is short, one that trickles goes the long way" {
	local i fds=()
	on_slow '' '' 'buffer_memory 1m;'
	random_file body 2M
	slowfs_ctl stall write
	for ((i = 0; i < 24; i++)); do
		connect
		fds+=("$FD")
		say "$FD" "PUT /slow/a$i HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2097152\\r\\n\\r\\n"
		(cat body >&"$FD") 2>/dev/null 3>&- &
	done
	_stalled() { (($(slowfs_ctl count waiting) > 0)); }
	eventually _stalled
	start_py uploads byte_by_byte >trickled
	local trickle=$PY
	_made() { (($(open_files) > 0)); }
	eventually _made
	is_running $trickle
	slowfs_ctl resume
	wait $trickle
	assert_equal "$(cat trickled)" 201
	assert_equal "$(cat "$STORE/t")" "$(head -c 100 /dev/zero | tr '\0' t)"
	for i in "${fds[@]}"; do hang_up "$i"; done
}

@test "a client that leaves in the middle leaves nothing" {
	local when
	on_slow
	for when in at-once later; do
		connect
		say "$FD" "PUT /slow/$when HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 30000\\r\\n\\r\\nhello"
		if [[ $when == later ]]; then
			_made() { (($(slowfs_ctl count write) > 0)); }
			eventually _made
		fi
		hang_up "$FD"
		eventually access_has "\"PUT /slow/$when\" .* client-gone"
		assert_store_empty "$T/backing/up"
	done
}

# ... and one that has sent it all may leave: it is stored.
@test "a client that leaves when it has sent it all: the upload is stored" {
	on_slow
	slowfs_ctl stall fsync
	connect
	say "$FD" 'PUT /slow/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	_stalled() { (($(slowfs_ctl count waiting) > 0)); }
	eventually _stalled
	hang_up "$FD"
	slowfs_ctl resume
	eventually test -e backing/up/a
	assert_equal "$(cat backing/up/a)" hello
}

@test "what is refused is refused, and the connection goes on" {
	start_server '' "location /over { output_dir $STORE; overwrite on; }"
	echo old >"$STORE/old"
	mkdir "$STORE/dir"
	ln -s old "$STORE/link"
	local put='HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n'
	raw -n 7 "PUT /file/old $put\\r\\nnew\\n" \
		"PUT /file/old ${put}If-None-Match: *\\r\\n\\r\\nnew\\n" \
		"PUT /file/dir $put\\r\\nnew\\n" \
		"PUT /file/old/x $put\\r\\nnew\\n" \
		"PUT /file/link $put\\r\\nnew\\n" \
		"PUT /over/none ${put}If-Match: \"x\"\\r\\n\\r\\nnew\\n" \
		"PUT /file/new ${put}If-None-Match: *\\r\\n\\r\\nnew\\n"
	assert_statuses 409 412 409 409 403 412 201
	assert_equal "$(cat "$STORE/old")" old
	assert_equal "$(cat "$STORE/new")" new
	assert_equal "$(files_in "$STORE" | wc -l)" 2
}

@test "who pauses is refused before his body is there" {
	start_server
	echo old >"$STORE/old"
	connect
	say "$FD" 'PUT /file/old HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nn'
	hear "$FD" | grep -q '^HTTP/1.1 409 '
	hang_up "$FD"
	assert_equal "$(cat "$STORE/old")" old
	assert_equal "$(files_in "$STORE")" "$STORE/old"
}

@test "who asks first is told at once, however small it is" {
	start_server
	echo old >"$STORE/old"
	raw 'PUT /file/old HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n' >out
	assert_statuses 409
	refute grep -q '^HTTP/1.1 100' out
}

@test "overwrite and its conditions" {
	local etag
	start_server 'overwrite on;'
	echo one >one
	echo two >two
	send PUT /file/a one
	assert_status 201
	send PUT /file/a two
	assert_status 200
	assert_same two "$STORE/a"
	request HEAD /file/a
	etag=$(header ETag)
	send PUT /file/a one -H 'If-Match: "other"'
	assert_status 412
	assert_same two "$STORE/a"
	send PUT /file/a one -H "If-Match: $etag"
	assert_status 200
	assert_same one "$STORE/a"
	send PUT /file/a two -H 'If-None-Match: *'
	assert_status 412
	assert_same one "$STORE/a"
	assert_equal "$(files_in "$STORE")" "$STORE/a"
}

@test "keep latest removes the one before, if this is stored" {
	local i
	start_server 'keep latest;'
	for i in 1 2 3 4 5; do
		echo $i >body
		send PUT /file/$i body
		assert_status 201
		_only() { [[ $(files_in "$STORE") == "$STORE/$1" ]]; }
		eventually _only $i
		request GET /file
		assert_same body answer
	done
	send PUT /file/5 body
	assert_status 409
	assert_equal "$(files_in "$STORE")" "$STORE/5"
}

# fails OP ERRNO STATUS: of a collected upload; nothing is left of it.
fails() {
	slowfs_ctl fail "$1" "$2"
	send PUT /slow/a body
	slowfs_ctl clear
	assert_status "$3"
	assert_store_empty "$T/backing/up"
}

@test "a disk that fails, at each step there is" {
	on_slow
	random_file body 5000
	fails create EACCES 500
	fails create ENOSPC 507
	fails create EROFS 500
	fails write EIO 500
	fails write ENOSPC 507
	fails flush EIO 500
	fails link EIO 500
	fails link ENOSPC 507
	fails fsync ENOSPC 507
	slowfs_ctl short write 700
	send PUT /slow/short body
	assert_status 201
	assert_same body backing/up/short
	rm backing/up/short
	slowfs_ctl clear
	fails fsync EIO 500
	_works() { send PUT /slow/a body && [[ $STATUS == 201 ]]; }
	eventually _works
	assert_same body backing/up/a
	slowfs_ctl fail fsyncdir EIO
	send PUT /slow/b body
	assert_status 500
	assert_problem 'outcome unknown'
	assert_same body backing/up/b
}

@test "many at once: each is stored, each its own" {
	start_server
	run -0 py uploads small_at_once "$STORE" 200
	assert_output 'all 200 of 200'
	assert_equal "$(files_in "$STORE" | wc -l)" 200
}

# A wake-up of the loop is 8 bytes into its eventfd: one for each job.
@test "a collected upload is one job for a thread" {
	is_portable && skip 'a PORTABLE build has a pipe for its wake-ups'
	local i want wakes
	start_server 'sync off;' "access_log off; location /sync { output_dir $T/sync; }" 'worker_processes 1;'
	random_file body 3000
	for want in '/file 1' '/sync 2'; do # that of the directory is another one
		strace -qq -f -e trace=write,openat,pwrite64,linkat -o strace.out -p "$(workers)" 3>&- &
		local tracer=$!
		send PUT "${want% *}/first" body
		_traced() { grep -q 'linkat(' strace.out; }
		_try() { send PUT "${want% *}/first$1-$RANDOM" body && _traced; }
		eventually _try x
		: >strace.before
		cp strace.out strace.before
		for i in 1 2 3 4 5 6 7 8 9 10; do
			send PUT "${want% *}/$i" body
			assert_status 201
		done
		kill -INT $tracer
		wait $tracer || true
		tail -n +$(($(wc -l <strace.before) + 1)) strace.out >strace.now
		assert_equal "$(grep -cE 'linkat\(' strace.now)" 10
		assert_equal "$(grep -cE 'pwrite64\(' strace.now)" 10
		wakes=$(grep -cE 'write\([0-9]+, "\\1(\\0){7}", 8\)' strace.now)
		echo "$want: $wakes wake-ups"
		# One of the uploads before, and sweeps, may come into it.
		((wakes > 0 && wakes <= 10 * ${want#* } + 5))
	done
}

@test "many that end at once share a sync of their directory" {
	local syncs from ms
	on_slow
	slowfs_ctl latency fsyncdir 100
	from=${EPOCHREALTIME/[.,]/}
	run -0 "$PENSTOCK_TOOLS/load" -c 64 -n 64 -s 3k -u /slow/x%d "$ADDRESS:$PORT"
	assert_line --regexp "^status: 201: 64$"
	ms=$(((${EPOCHREALTIME/[.,]/} - from) / 1000))
	syncs=$(slowfs_ctl count fsyncdir)
	echo "$syncs syncs in $ms ms"
	# One at a time, of 100 ms each; those of one do not all wait for it.
	((syncs >= 2 && syncs <= ms / 100 + 1 && syncs <= 32))
	assert_equal "$(files_in backing/up | wc -l)" 64
}
