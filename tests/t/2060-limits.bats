# Limits that count over all workers, and rates: each is exact, says its name,
# and forgets clients that are gone.

load ../lib/penstock

# hold_upload NAME: an upload that has begun and goes on for ever; its
# descriptor is added to FDS.
hold_upload() {
	connect
	say "$FD" "PUT /file/$1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nsome"
	FDS+=("$FD")
}

# begun N: so many uploads have their file open.
begun() { [[ $(open_files) == "$1" ]]; }
open_files() {
	local pid

	for pid in $(workers); do ls -l "/proc/$pid/fd"; done | grep -cE ' \(deleted\)$|\.part$'
}

setup() {
	penstock_setup
	FDS=()
	echo hello >body
}

@test "max_uploads is exact, over all workers, and gives its places back" {
	start_server 'max_uploads 4;' "location /other { output_dir $T/other; }"
	STORES+=("$T/other")
	for name in a b c d; do hold_upload $name; done
	eventually begun 4
	for n in 1 2 3; do
		upload PUT /file/e body
		assert_status 503
		assert_problem 'max_uploads 4'
		assert_header Retry-After 1
	done
	# Before the body, also with Expect: 100-continue; reading and other
	# locations are not concerned.
	run -0 raw 'PUT /file/e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'
	assert_status 503
	refute_line -p '100 Continue'
	request GET /file/none
	assert_status 404
	upload PUT /other/e body
	assert_status 201
	hang_up "${FDS[0]}"
	_taken() { upload PUT "/file/e$RANDOM" body && assert_status 201; }
	eventually _taken
	# Refused ones took no place, finished ones gave it back.
	for n in 1 2 3 4 5; do
		upload PUT "/file/f$n" body
		assert_status 201
	done
}

@test "max_uploads: of 30 that come at once as many run as may, and none more" {
	start_server 'max_uploads 6;' '' 'worker_processes 4;'
	py uploads ask_first_at_once 30 >statuses
	assert_equal "$(grep -c 100 statuses)" 6
	assert_equal "$(grep -c 503 statuses)" 24
}

@test "max_uploads: the uploads of a worker that is killed count no more" {
	start_server 'max_uploads 4;'
	for name in a b c d; do hold_upload $name; done
	eventually begun 4
	for pid in $(workers); do kill -9 "$pid"; done
	_taken() { upload PUT "/file/e$RANDOM" body && assert_status 201; }
	eventually _taken
	for n in 1 2 3 4 5 6; do
		upload PUT "/file/f$n" body
		assert_status 201
	done
}

@test "max_uploads: uploads that began before a reload count after it" {
	start_server 'max_uploads 2;'
	hold_upload a
	hold_upload b
	eventually begun 2
	reload
	upload PUT /file/c body
	assert_status 503
	hang_up "${FDS[0]}"
	_taken() { upload PUT "/file/e$RANDOM" body && assert_status 201; }
	eventually _taken
}

@test "max_connections_per_ip: exact over all workers, the rest is told so" {
	start_server '' 'max_connections_per_ip 5;'
	for name in a b c d; do hold_upload $name; done
	eventually begun 4
	upload PUT /file/x body
	assert_status 201
	hold_upload e
	eventually begun 5
	upload PUT /file/y body
	assert_status 503
	assert_problem 'max_connections_per_ip'
	assert_header Retry-After 1
	assert_header Connection close
	# Another address has its own count, whatever a client says it is.
	request GET /file/none --interface 127.0.0.2
	assert_status 404
	request GET /file/none -H 'X-Forwarded-For: 10.0.0.1'
	assert_status 503
	hang_up "${FDS[4]}"
	_free() { request GET /file/none && assert_status 404; }
	eventually _free
}

@test "max_connections_per_ip: who opens the next one after the last is never refused" {
	start_server '' 'max_connections_per_ip 1;'
	py connections one_after_another 60 >statuses
	assert_equal "$(sort statuses | uniq -c | tr -s ' ')" ' 60 404'
}

@test "max_connections_per_ip: those beyond it cannot take all connections by waiting" {
	start_server '' 'max_connections_per_ip 4;' 'worker_processes 1; worker_connections 20;'
	start_py connections flood 300
	flood=$PY
	eventually test -e connected
	request GET /file/none --interface 127.0.0.2 --max-time "$PENSTOCK_PATIENCE"
	assert_status 404
	kill "$flood"
}

@test "max_connections_per_ip: an IPv6 network is one, a UNIX socket is exempt" {
	grep -q ' lo$' /proc/net/if_inet6 || skip 'no IPv6 here'
	start_server '' "listen [::1]:$PORT; listen unix:$T/sock; max_connections_per_ip 2;"
	py connections by_ipv6_and_unix sock >statuses
	assert_equal "$(tr '\n' ' ' <statuses)" 'v6 404 v6 404 v6 503 unix 404 unix 404 unix 404 unix 404 unix 404 '
}

# unlimited FILE: what its upload takes where there is no limit; `took` allows
# for ten times as much beside its own limit.
unlimited() {
	local from=${EPOCHREALTIME/[.,]/}

	upload PUT /free/a "$1"
	assert_status 201
	SLACK=$((10 * (${EPOCHREALTIME/[.,]/} - from)))
}

# took SECONDS_MIN SECONDS_MAX COMMAND...
took() {
	local from=${EPOCHREALTIME/[.,]/} min=$1 max=$2 us
	shift 2

	"$@"
	us=$((${EPOCHREALTIME/[.,]/} - from))
	echo "it took $us us"
	((us >= min * 1000000 && us <= max * 1000000 + SLACK))
}

@test "limit_rate holds each upload to its rate, and is not the client's fault" {
	start_server 'limit_rate 500k; min_rate 1m; min_rate_grace 1s;' \
		"body_timeout 1s; location /free { output_dir $T/free; }"
	random_file big 1500k
	unlimited big
	took 2 8 upload PUT /file/a big -H 'Expect:'
	assert_status 201
	assert_same big "$STORE/a"
	assert_equal "$(receipt verdict)" read-bound
	# Two have twice as much, and a body without a length the same.
	(exec curl -sS -o /dev/null -w '%{http_code}' -T big "$URL/file/b" >code 3>&-) &
	client=$!
	took 2 8 upload PUT /file/c - <big
	assert_status 201
	assert_same big "$STORE/c"
	wait "$client"
	assert_equal "$(cat code)" 201
}

# bats test_tags=long
@test "limit_rate holds with a full queue, a dry pool, and one byte in each HTTP chunk" {
	slowfs_start 1m
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; sync off; limit_rate 2m; queue_depth 2; }
		location /tiny { output_dir $T/tiny; limit_rate 20k; }" 'worker_processes 1; buffer_memory 1m; chunk_size 64k;'
	STORES+=("$T/tiny")
	random_file big 1500k
	for n in 1 2 3 4; do
		(exec curl -sS -o /dev/null -w '%{http_code}\n' -T big "$URL/slow/$n" >>codes 3>&-) &
		clients[n]=$!
	done
	py uploads chunks_of_one_byte /tiny/a 30000 >status
	assert_equal "$(cat status)" 201
	assert_equal "$(stat -c %s "$T/tiny/a")" 30000
	for n in 1 2 3 4; do wait "${clients[n]}"; done
	assert_equal "$(tr '\n' ' ' <codes)" '201 201 201 201 '
	for n in 1 2 3 4; do assert_same big "$T/backing/up/$n"; done
}

# bats test_tags=long
@test "limit_rate as small as can be still moves on" {
	start_server 'limit_rate 1;' "location /free { output_dir $T/free; }"
	echo hi >hi
	unlimited hi
	took 1 8 upload PUT /file/a - <<<'hi'
	assert_status 201
	assert_equal "$(cat "$STORE/a")" hi
}

@test "min_rate: 408 for a client that trickles, with a grace window" {
	start_server 'min_rate 1k; min_rate_grace 1s;'
	run -0 raw -p 50 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n' \
		$(printf 'a %.0s' {1..50})
	assert_status 408
	assert_problem 'min_rate 1k'
	# Silent for nearly the whole window, then all at once: fast enough.
	raw -p 700 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n' \
		"$(printf 'b%.0s' {1..3000})"
	assert_status 201
	# Fast at first, and then not: no credit for ever.
	random_file big 300k
	run -0 raw -f big 'PUT /file/c HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n'
	assert_status 408
	_only_b() { [[ $(files_in "$STORE") == "$STORE/b" ]]; }
	eventually _only_b
}

@test "min_rate does not count while the disk is stalled" {
	slowfs_start
	STORE=$T/slow
	start_server 'queue_depth 2; min_rate 100m; min_rate_grace 1s;'
	random_file big 2M
	slowfs_ctl stall write
	(exec curl -sS -o late -w '%{http_code}' -T big "$URL/file/a" >code 3>&-) &
	client=$!
	_stalled() { [ "$(slowfs_ctl count waiting)" -ge 1 ]; }
	eventually _stalled
	# Another one trickles for more than the window, and gets its 408.
	raw 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n' >/dev/null
	assert_status 408
	kill -0 $client
	refute [ -s code ]
	slowfs_ctl resume
	wait $client
	assert_equal "$(cat code)" 201
	assert_same big "$T/backing/a"
}
