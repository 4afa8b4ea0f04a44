# What goes wrong around a service: the disk of its logs is full, the clock is set, no
# process can be had, the master is killed, descriptors run out in the middle of it.

load ../lib/admin

# fill: the disk of the logs, to the last byte.
fill() { cat /dev/zero >>small/filler 2>/dev/null || true; }

@test "the disk of both logs is full: uploads go on, lost lines are counted; later ones are whole" {
	[[ $EUID == 0 ]] || skip 'needs root to mount a disk'
	local lost whole

	mkdir small
	mount -t tmpfs -o size=256k none "$T/small"
	write_conf '' "access_log $T/small/access.log json;" \
		"worker_processes 2; error_log $T/small/error.log info; admin { listen unix:$T/admin.sock; }"
	start_conf "$T/penstock.conf"
	echo hello >body
	fill
	for n in {1..40}; do
		upload PUT "/file/full$n" body
		assert_status 201
	done
	some_lost() { (($(metric penstock_log_lines_dropped_total) > 0)); }
	eventually some_lost
	run -0 penstock -c penstock.conf -s reload
	rm small/filler
	# From the first line that fits on; what the full disk had cut off is ended before it.
	seen() { upload PUT "/file/after$RANDOM$RANDOM" body && grep -q '"/file/after' small/access.log; }
	eventually seen
	grep '"/file/after' small/access.log | jq -es 'all(.status == 201) and length > 0' >json
	# Each upload has its line, or is counted.  (The error log's lines are counted as well.)
	lost=$(metric penstock_log_lines_dropped_total)
	whole=$(jq -R 'fromjson? | select(.path | startswith("/file/full"))' small/access.log | jq -s length)
	((whole + lost >= 40)) || fail "$whole lines, and $lost lost"
	run -0 penstock -c penstock.conf -s reload
	eventually grep -q 'reloaded: generation 3' small/error.log
	metric_is penstock_log_lines_dropped_total "$lost"
}

# ---- the clock ----

set_clock() { perl -e 'print pack("q", $ARGV[0])' -- "$1" | dd of=skew conv=notrunc status=none; }

@test "the clock is set back and forth while an upload runs: no time is up, and the order stays" {
	is_sanitized && skip 'skew.so and sanitizers do not mix: in the plain build only'
	local step ids

	head -c 4096 /dev/zero >skew
	write_conf 'overwrite on; keep latest; min_rate 1; min_rate_grace 10s;' \
		"body_timeout 20s; access_log $T/access.log json;" "error_log $T/error.log info;"
	export SKEW=$T/skew LD_PRELOAD=$PENSTOCK_TOOLS/skew.so
	start_conf "$T/penstock.conf"
	unset LD_PRELOAD
	grep -q skew.so "/proc/$MASTER/maps"
	random_file big 2M
	echo hello >body
	upload_part /file/slow big
	for step in -86400 3600 31536000 -3600 0; do
		set_clock "$step"
		echo "$step" >body
		upload PUT "/file/step$step" body
		assert_status 201
		# The newest is the one that came last, whatever the clock says.
		request GET /file
		assert_status 200
		assert_same body answer
	done
	upload_rest "$FD" big 201
	all_logged() { (($(jq -s '[.[] | select(.method == "PUT")] | length' access.log) == 6)); }
	eventually all_logged
	ids=$(jq -r .id access.log)
	assert_equal "$(sort -u <<<"$ids" | wc -l)" "$(wc -l <<<"$ids")"
	# Nothing took an hour, or less than nothing.
	jq -es 'all([.duration_ms, (.ms // {} | .[])] | all(. >= 0 and . < 600000))' access.log
	set_clock -86400
	reload
	stop_server QUIT
}

# ---- no process ----

# no_forks PID: none for that process, until allow_forks.
no_forks() {
	strace -qq -o /dev/null -e trace=fork,vfork,clone,clone3 -e signal=none \
		-e inject=fork,vfork,clone,clone3:error=EAGAIN -p "$1" 3>&- 4>&- &
	TRACER=$!
	traced() { ! grep -qx $'TracerPid:\t0' "/proc/$MASTER/status"; }
	eventually traced
}

allow_forks() {
	kill -INT "$TRACER"
	wait "$TRACER" || true
}

@test "no process can be had: the others serve, a reload is refused, and the missing worker comes later" {
	start_server
	echo hello >body
	no_forks "$MASTER"
	kill -KILL "$(workers | head -n 1)"
	eventually log_has 'fork: Resource temporarily unavailable'
	upload PUT /file/a body
	assert_status 201
	run -1 penstock -c penstock.conf -s reload
	assert_output -p 'fork: Resource temporarily unavailable'
	upload PUT /file/b body
	assert_status 201
	allow_forks
	both() { (($(workers | wc -l) == 2)); }
	eventually both
	reload
	upload PUT /file/c body
	assert_status 201
}

# ---- the master is gone ----

@test "the master is killed: what runs is finished, and a new server takes address, sockets and pid file" {
	local old

	write_conf '' "listen unix:$T/in.sock;" "admin { listen unix:$T/admin.sock; }"
	start_conf "$T/penstock.conf"
	random_file big 2M
	echo hello >body
	upload_part /file/slow big
	old=$(workers)
	kill -KILL "$MASTER"
	eventually not_running "$MASTER"
	rm -f error.log
	start_conf "$T/penstock.conf"
	assert_equal "$(cat penstock.pid)" "$MASTER"
	upload PUT /file/new body
	assert_status 201
	upload PUT /file/local body --unix-socket "$T/in.sock"
	assert_status 201
	ask GET /readyz
	assert_status 200
	upload_rest "$FD" big 201
	assert_same big "$STORE/slow"
	for pid in $old; do eventually not_running "$pid"; done
	# Those of before have removed nothing of the new one.
	upload PUT /file/local2 body --unix-socket "$T/in.sock"
	assert_status 201
	run -0 penstock -c penstock.conf -s status
}

# ---- descriptors ----

no_client() { ! ss -tnH state established "sport = :$PORT" | grep -q .; }

@test "descriptors run out while files are opened: 503 in words, and all is well when there are some" {
	local worker idle free

	start_server 'max_uploads 0;' '' 'worker_processes 1; io_engine threads;'
	worker=$(workers)
	open_files() { find "/proc/$worker/fd" -type l -printf '%f\n' | sort; }
	echo hello >body
	upload PUT /file/first body
	eventually no_client
	idle=$(open_files | wc -l)
	upload PUT /file/before body
	assert_status 201
	idle() { (($(open_files | wc -l) == idle)); }
	eventually idle
	connect
	say "$FD" 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	eventually access_has '"GET /" 200'
	# The connection is there; no file can be: the lowest number that is free is too high.
	free=$(comm -13 <(open_files) <(seq 0 2000 | sort) | sort -n | head -n 1)
	prlimit --pid "$worker" --nofile="$free:"
	say "$FD" 'PUT /file/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
	run hear "$FD"
	assert_output -p 'HTTP/1.1 503 '
	assert_output -p 'the server is short of memory or descriptors: try again later'
	hang_up "$FD"
	refute [ -e "$STORE/none" ]
	prlimit --pid "$worker" --nofile=1024:
	later() { upload PUT "/file/later$RANDOM$RANDOM" body && [[ $STATUS == 201 ]]; }
	eventually later
}
