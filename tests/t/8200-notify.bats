# What a service manager is told: a start that is up, each reload and its end, a stop,
# and that the master lives.  The manager is one of the tests' own (as_service in
# lib/launch.py), so it tells what was said, and in which order.

load ../lib/penstock
load ../lib/service

@test "start, reload and stop are told, with the time of the reload, a refused one too" {
	local before after

	write_conf
	start_service "$T/notify" 0
	eventually told '^READY=1 STATUS=serving: generation 1, 2 workers$'
	before=$(awk '{ printf "%.0f\n", $1 * 1000000 }' /proc/uptime)
	run -0 penstock -c penstock.conf -s reload
	after=$(awk '{ printf "%.0f\n", $1 * 1000000 + 10000 }' /proc/uptime)
	# Both were told before the command has ended.
	run -0 said
	assert_line -n 1 -e '^RELOADING=1 MONOTONIC_USEC=[0-9]+ STATUS=reloading$'
	assert_line -n 2 'READY=1 STATUS=serving: generation 2, 2 workers'
	run -0 sed -n 's/.*MONOTONIC_USEC=\([0-9]*\).*/\1/p' told
	assert [ "$output" -ge "$before" ]
	assert [ "$output" -le "$after" ]

	echo 'no_such on;' >>penstock.conf
	kill -HUP "$MASTER"
	eventually log_has 'nothing was changed'
	run -0 eventually _has_lines 5
	run -0 said
	assert_line -n 3 -p 'RELOADING=1'
	assert_line -n 4 'READY=1 STATUS=serving: generation 2, 2 workers'

	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
	run -0 said
	assert_line -n 5 'STOPPING=1 STATUS=finishing uploads'
	assert_equal "${#lines[@]}" 6
}

_has_lines() { [[ $(said | wc -l) == "$1" ]]; }

@test "an abstract socket, and a server of one process" {
	write_conf '' '' 'worker_processes 0;'
	start_service "@penstock-$PORT" 200000
	eventually told '^READY=1 STATUS=serving, in one process$'
	eventually _watched 3
	kill -TERM "$MASTER"
	ends_with 0 "$PY"
	told '^STOPPING=1 STATUS=stopping$'
}

_watched() { (($(_count '^WATCHDOG=1' told) >= $1)); }

@test "the watchdog is told twice as often as it waits, and not by a master that hangs" {
	local count

	write_conf
	start_service "$T/notify" 400000
	eventually _watched 5
	kill -STOP "$MASTER"
	sleep 0.3
	count=$(_count '^WATCHDOG=1' told)
	sleep 0.6
	assert_equal "$(_count '^WATCHDOG=1' told)" "$count"
	kill -CONT "$MASTER"
	eventually _watched "$((count + 2))"
	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
}

@test "a worker cannot tell the manager anything: its socket is the master's alone" {
	local pid

	write_conf
	start_service "$T/notify" 0
	eventually told '^READY=1'
	run -0 ss -xHp
	assert_equal "$(grep -c "^u_dgr .*pid=$MASTER,.*" <<<"$output")" 1
	for pid in $(workers); do
		run -0 ss -xHp
		refute_line --regexp "^u_dgr .*pid=$pid,"
	done
	kill -TERM "$MASTER"
	ends_with 0 "$PY"
}

@test "a manager's address that leads nowhere is a warning" {
	write_conf
	(
		_penstock_env
		NOTIFY_SOCKET=$T/nobody exec "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	grep -E 'warn .*NOTIFY_SOCKET: nobody can be told that this server is ready: No such file' stderr
}
