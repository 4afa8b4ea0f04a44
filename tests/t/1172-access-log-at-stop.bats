# A server that stops says what became of all that it had in hand: what it cut has
# its line, which is written before the worker ends.
#
# The kind of fault: lines that are made at the very end wait for a write that is never
# done; and "stopped" is said of what may be stored all the same.

load ../lib/penstock

@test "a download that a stop cuts: as much as was sent, and why" {
	start_server '' '' 'worker_processes 1;'
	head -c 30M /dev/zero >"$STORE/big"
	connect
	say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\n\r\n'
	head -c 1000 <&"$FD" >taken
	stop_server
	hang_up "$FD"
	grep -E '"GET /file/big" 200 in=0 out=[1-9][0-9]* ms=[0-9.]+ stopped$' access.log
	assert_equal "$(wc -l <access.log)" 1
}

@test "an upload whose commit hangs at a stop may be stored, and is not said to be stopped" {
	slowfs_start
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 1;'
	slowfs_ctl stall link
	connect
	say "$FD" 'PUT /slow/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	_hangs() { slowfs_ctl count waiting | grep -q '[1-9]'; }
	eventually _hangs
	kill -TERM "$MASTER"
	# It cannot end before the disk goes on; its lines do not wait for that.
	eventually access_has '"PUT /slow/a" 0 in=5 out=0 ms=[0-9.]+ outcome-unknown$'
	slowfs_ctl resume
	eventually not_running "$MASTER"
	hang_up "$FD"
	assert_equal "$(wc -l <access.log)" 1
	# The next start clears away what a worker has left that could not finish.
	start_conf "$T/penstock.conf"
	_swept() { [[ -z $(find "$T/backing" -name '*.part' -o -name '*.note') ]]; }
	eventually _swept
}

@test "an upload in the middle, a head in the middle, and an answer that is not taken" {
	start_server '' 'keepalive_requests 1000000;' 'worker_processes 1;'
	connect
	upload=$FD
	say "$upload" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nhello'
	connect
	head=$FD
	say "$head" 'GET /file/b HTTP/1.1\r\nHo'
	start_py connections take_nothing
	client=$PY
	# The worker sleeps, though there is more to do, until the client takes some; and not
	# just for a moment, while another thread of its has a lock.
	_not_taking() {
		local n

		for n in 1 2 3 4 5; do
			sleep 0.1
			ss -Htn state established "sport = :$PORT" | awk '$2 > 0 { n++ } END { exit !n }' || return 1
			grep -q '^State:[[:space:]]*S' "/proc/$(workers)/status" || return 1
		done
	}
	eventually _not_taking
	stop_server
	kill "$client"
	hear "$upload" >answer.upload
	hear "$head" >answer.head
	hang_up "$upload"
	hang_up "$head"
	grep -q '^HTTP/1.1 503 ' answer.upload
	grep -q '^HTTP/1.1 503 ' answer.head
	assert_equal "$(_count '"PUT /file/a" 503 in=5 out=[1-9][0-9]* .* stopped$' access.log)" 1
	assert_equal "$(_count ' 0 "-" 503 in=0 out=[1-9][0-9]* .* stopped$' access.log)" 1
	assert_equal "$(_count '"GET /" (0|200) in=0 out=[0-9]+ ms=[0-9.]+ - answer=stopped$' access.log)" 1
}

@test "the trace says of an upload that a stop cuts that it was stopped" {
	start_server 'trace on;' '' 'worker_processes 1;'
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nhello'
	_started() { grep -q ': Starting' stdout; }
	eventually _started
	stop_server
	hang_up "$FD"
	grep -qE '^[0-9]+: stopped$' stdout
	assert_equal "$(_count '"PUT /file/a" 503 .* stopped$' access.log)" 1
}

@test "requests that wait for their turn at a stop: one more is refused, and no line is lost" {
	start_server '' 'keepalive_requests 1000000;' 'worker_processes 1;'
	start_py connections pipeline_until_closed >answers
	client=$PY
	_answered() { [[ -e answered ]]; }
	eventually _answered
	stop_server
	wait "$client"
	read -r good refused <answers
	((good > 0 && refused <= 1))
	assert_equal "$(_count '"OPTIONS \*" 204 ' access.log)" "$good"
	assert_equal "$(_count ' 503 .* stopped$' access.log)" "$refused"
}

@test "an access log that does not take its last lines is named in the error log" {
	slowfs_start
	start_server '' "access_log $T/slow/access.log;" 'worker_processes 1;'
	slowfs_ctl stall write
	request GET /
	_hangs() { slowfs_ctl count waiting | grep -q '[1-9]'; }
	eventually _hangs
	kill -TERM "$MASTER"
	eventually log_has "error .*: access_log $T/slow/access.log: did not take its last lines in time"
	slowfs_ctl resume
	eventually not_running "$MASTER"
}
