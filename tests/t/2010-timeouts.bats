# Clients that say nothing, or leave: each limit has its name, the answer
# arrives, and nothing stays behind.

load ../lib/penstock

@test "a client that leaves in the middle leaves nothing" {
	start_server
	connect
	say $FD 'PUT /file/d/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nsome'
	hang_up $FD
	eventually access_has '"PUT /file/d/a" .*(client-gone|bad-framing)'
	assert_store_empty
	connect
	say $FD 'PUT /file/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
	hang_up $FD
	eventually access_has '"PUT /file/b" .*(client-gone|bad-framing)'
	assert_store_empty
	# A retry works.
	echo hello >body
	upload PUT /file/d/a body
	assert_status 201
}

@test "many clients that leave in the middle of large bodies leave nothing" {
	start_server
	random_file body 2M
	for ((round = 0; round < 4; round++)); do
		for ((n = 0; n < 5; n++)); do
			(
				printf 'PUT /file/x%d HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n' $n
				cat body
			) | py connections send_and_leave
		done
	done
	_all() { [ "$(_count 'client-gone|bad-framing' access.log)" == 20 ]; }
	eventually _all
	assert_store_empty
	_no_file_open() {
		for pid in $(workers); do
			! ls -l "/proc/$pid/fd" | grep "$STORE/." | grep -qvE '/\.penstock(/lock)?$' || return 1
		done
	}
	eventually _no_file_open
}

@test "body_timeout: 408 for a client that falls silent, however it was before" {
	start_server '' 'body_timeout 300ms;'
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n'
	assert_status 408
	assert_problem 'body_timeout'
	assert_header Connection close
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello'
	assert_status 408
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
	assert_status 408
	assert_store_empty
}

@test "body_timeout counts silence, not the whole: slow and steady arrives" {
	start_server '' 'body_timeout 1s;'
	raw -p 300 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n' a b c d e f
	assert_status 201
	assert_equal "$(cat "$STORE/a")" abcdef
}

@test "body_timeout does not count while the disk is stalled" {
	slowfs_start
	STORE=$T/slow
	start_server 'queue_depth 2;' 'body_timeout 300ms;'
	random_file body 2M
	slowfs_ctl stall write
	(exec curl -sS -o late -w '%{http_code}' -T body "$URL/file/a" >code 3>&-) &
	client=$!
	_stalled() { [ "$(slowfs_ctl count waiting)" -ge 1 ]; }
	eventually _stalled
	# More than three times as long as a client may be silent; another one,
	# which is, gets its 408 meanwhile.
	for n in 1 2 3; do
		raw 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n' >/dev/null
	done
	kill -0 $client
	refute [ -s code ]
	slowfs_ctl resume
	wait $client
	assert_equal "$(cat code)" 201
	assert_same body "$T/backing/a"
}

@test "header_timeout: 408 for a head that does not end" {
	start_server '' 'header_timeout 300ms;'
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\n'
	assert_status 408
	assert_problem 'header_timeout'
	assert_header Connection close
	# It counts from its first byte, not from its last.
	raw -p 100 -c 'G' 'E' 'T' ' ' '/' ' ' 'H' 'T' 'T' 'P' '/' '1' '.' '1' '\r' '\n'
	assert_status 408
	# Nothing said at all: closed without an answer.
	run -0 raw -c ''
	assert_output ''
}

# Bytes that arrived in time count, also when the server could not look at them: the
# host was busy, or this virtual machine was paused.
@test "a worker that was stopped for a while blames nobody for it" {
	start_server '' 'header_timeout 1s; keepalive_timeout 1s; body_timeout 1s;' 'worker_processes 1;'
	py connections stop_worker "$(workers)" >statuses
	assert_equal "$(tr '\n' ' ' <statuses)" 'first 404 head 404 kept 404 body 201 '
}

@test "body_timeout ends a silent client also while memory is short" {
	start_server '' 'body_timeout 1s;' 'worker_processes 1; buffer_memory 1m; chunk_size 64k;'
	fds=()
	for ((n = 0; n < 40; n++)); do
		connect
		say "$FD" "PUT /file/x$n HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx"
		fds+=("$FD")
	done
	start_py uploads trickle 100 20
	tricklers=$PY
	# All 40 are told, while the tricklers go on.
	_all_cut() { (($(grep -cE '"PUT /file/x[0-9]+" 408 .* too-slow' access.log) == 40)); }
	eventually _all_cut
	is_running "$tricklers"
	kill "$tricklers"
	for fd in "${fds[@]}"; do hang_up "$fd"; done
}

@test "clients that say nothing hold up nobody" {
	start_server '' '' 'worker_processes 1;'
	fds=()
	for ((n = 0; n < 50; n++)); do
		connect
		fds+=($FD)
		((n % 2)) || say $FD 'PUT /file/x HTTP/1.1\r\n'
	done
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	for fd in "${fds[@]}"; do hang_up $fd; done
}

@test "heads that are too long or too many: 414 and 431" {
	start_server
	long=$(printf 'x%.0s' {1..20000})
	raw -c "GET /file/$long HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	assert_status 414
	assert_problem .
	raw -c "GET /file HTTP/1.1\\r\\nHost: x\\r\\nX: $long$long$long$long\\r\\n\\r\\n"
	assert_status 431
	assert_problem .
	fields=$(printf 'X%d: y\\r\\n' {0..1999})
	raw -c "GET /file HTTP/1.1\\r\\nHost: x\\r\\n$fields\\r\\n"
	assert_status 431
}

@test "the limits on heads are the configuration's, exact, and named in the answer" {
	start_server '' 'max_request_line 300; max_header_size 1k; max_header_fields 8;'
	# GET / and HTTP/1.1 with its space take 14 bytes of a line.
	at=$(printf 'x%.0s' {1..286})
	raw "GET /$at HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	assert_status 404
	raw -c "GET /${at}x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	assert_status 414
	assert_problem 'max_request_line 300'
	# Request line and Host take 25 bytes, a field 5 more than its value, and
	# the empty line 2.
	at=$(printf 'x%.0s' {1..992})
	raw "GET / HTTP/1.1\\r\\nHost: x\\r\\nX: $at\\r\\n\\r\\n"
	assert_status 200
	raw -c "GET / HTTP/1.1\\r\\nHost: x\\r\\nX: ${at}x\\r\\n\\r\\n"
	assert_status 431
	assert_problem 'max_header_size 1k'
	at=$(printf 'X: y\\r\\n%.0s' {1..7})
	raw "GET / HTTP/1.1\\r\\nHost: x\\r\\n$at\\r\\n"
	assert_status 200
	raw -c "GET / HTTP/1.1\\r\\nHost: x\\r\\n${at}X: y\\r\\n\\r\\n"
	assert_status 431
	assert_problem 'max_header_fields 8'
	# What passed was no exception: the next request is taken.
	echo hello >body
	upload PUT /file/a body
	assert_status 201
}

@test "a client that never ends its head cannot fill memory" {
	start_server '' 'header_timeout 2s;' 'worker_processes 1;'
	before=$(worker_rss "$(workers)")
	head -c 30M /dev/zero | tr '\0' x >junk
	run raw -c -f junk 'GET / HTTP/1.1\r\nHost: x\r\nX: '
	assert_status 431
	is_sanitized && return
	[ $(($(worker_peak "$(workers)") - before)) -lt 4096 ]
}

@test "uploads go on when others are cut all around them" {
	start_server
	random_file body 3M
	(exec curl -sS -o answer.slow -w '%{http_code}' --limit-rate 2M -T body "$URL/file/good" >code 3>&-) &
	client=$!
	for ((n = 0; n < 20; n++)); do
		connect
		say $FD "PUT /file/bad$n HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 100000\\r\\n\\r\\nsome"
		hang_up $FD
	done
	wait $client
	assert_equal "$(cat code)" 201
	assert_same body "$STORE/good"
	_only_good() { [[ $(files_in "$STORE") == "$STORE/good" ]]; }
	eventually _only_good
}

@test "empty lines behind an answer are not taken for a head that is late" {
	start_server '' 'header_timeout 300ms; keepalive_timeout 1s;'
	connect
	say "$FD" 'GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n'
	run hear "$FD"
	hang_up "$FD"
	assert_output --partial 'HTTP/1.1 200'
	refute_output --partial 'HTTP/1.1 408'
}
