# Before a stop: shutdown_delay, in which clients are served and whoever asks is told that
# there will be an end.  And WINCH: no workers, until HUP.

load ../lib/admin

# is_draining URL ARGS...: 503 there, since the server is stopping.
is_draining() {
	request GET "$@"
	[[ $STATUS == 503 ]] && grep -q 'the server is stopping' answer
}

# serves NAME: an upload is taken on a new connection.
serves() {
	upload PUT "/file/$1" body
	assert_status 201
	assert_same body "$STORE/$1"
}

status_is() {
	run penstock -c penstock.conf -s status
	[[ ${lines[0]} == "penstock: process $MASTER is $1" && $status == 1 ]]
}

@test "shutdown_delay: clients are served, readyz says 503; a second signal begins the stop" {
	random_file body 10K
	for sig in QUIT TERM; do
		start_admin '' 'health /healthz;' 'shutdown_delay 1h;'
		kill -s "$sig" "$MASTER"
		eventually is_draining /healthz
		is_draining http://localhost/readyz --unix-socket admin.sock
		eventually status_is draining
		serves "$sig-1"
		# A worker that dies meanwhile is replaced, and says the same.
		pkill -KILL -P "$MASTER"
		eventually is_draining /healthz
		serves "$sig-2"
		run -1 penstock -c penstock.conf -s reload
		assert_output -p 'this server is stopping'
		stop_server "$sig"
		rm error.log
	done
}

@test "shutdown_delay is as long as it says, and INT does not wait" {
	local began now

	random_file body 10K
	start_server '' 'health /healthz;' 'shutdown_delay 1s;'
	began=${EPOCHREALTIME/[.,]/}
	kill -QUIT "$MASTER"
	eventually is_draining /healthz
	await_exit
	now=${EPOCHREALTIME/[.,]/}
	assert [ $((now - began)) -ge 1000000 ]
	start_server '' '' 'shutdown_delay 1h;'
	stop_server INT
}

@test "shutdown_delay with TERM: QUIT ends the delay, and uploads are cut as TERM says" {
	start_server '' 'health /healthz;' 'shutdown_delay 1h;'
	kill -TERM "$MASTER"
	eventually is_draining /healthz
	random_file slow.bin 4M
	curl -sS -o slow.answer --limit-rate 100K -T slow.bin "$URL/file/slow" 2>slow.err 3>&- &
	eventually uploads_in_flight
	PENSTOCK_PATIENCE=10 stop_server QUIT
	assert_store_empty
}

uploads_in_flight() {
	ls -l $(workers | sed 's|.*|/proc/&/fd|') 2>/dev/null |
		grep -qE "$STORE/(#[0-9]+|\.penstock/[0-9a-f]+\.part)"
}

@test "shutdown_delay without a master" {
	random_file body 10K
	for sig in QUIT TERM; do
		start_server '' 'health /healthz;' 'worker_processes 0; shutdown_delay 1h;'
		kill -s "$sig" "$MASTER"
		eventually is_draining /healthz
		eventually status_is draining
		serves "$sig"
		stop_server "$sig"
	done
	start_server '' 'health /healthz;' 'worker_processes 0; shutdown_delay 300ms;'
	kill -TERM "$MASTER"
	await_exit
	log_has 'shutdown_delay: for 0.3 seconds clients are still served'
}

has_no_workers() { [[ -z $(workers) ]]; }

@test "WINCH: uploads finish, clients wait; HUP goes on, with the file as it is now" {
	start_server
	random_file body 10K
	random_file slow.bin 1M
	curl -sS -o slow.answer -w '%{http_code}' --limit-rate 500K -T slow.bin "$URL/file/slow" >slow.status 2>slow.err 3>&- &
	slow=$!
	eventually uploads_in_flight
	kill -WINCH "$MASTER"
	eventually status_is paused
	wait "$slow"
	[ "$(cat slow.status)" = 201 ]
	assert_same slow.bin "$STORE/slow"
	eventually has_no_workers
	# Whoever connects now is in the queue, and is served by those to come.
	curl -sS -o waits.answer -w '%{http_code}' -T body "$URL/file/waits" >waits.status 2>waits.err 3>&- &
	waits=$!
	# A file that is refused brings nobody back, and says so.
	cp penstock.conf good.conf
	echo 'no_such on;' >>penstock.conf
	kill -HUP "$MASTER"
	eventually log_has 'reload: nothing was changed'
	has_no_workers
	cp good.conf penstock.conf
	run -0 penstock -c penstock.conf -s reload
	wait "$waits"
	[ "$(cat waits.status)" = 201 ]
	serves after
	run -0 penstock -c penstock.conf -s status
	stop_server QUIT
}

@test "a paused server stops as others do, and a second WINCH changes nothing" {
	start_server '' '' 'shutdown_delay 1h;'
	kill -WINCH "$MASTER"
	eventually has_no_workers
	kill -WINCH "$MASTER"
	stop_server QUIT
	start_server
	kill -WINCH "$MASTER"
	eventually has_no_workers
	stop_server TERM
}

@test "a terminal that changes its size pauses nothing" {
	write_conf
	start_py launch on_terminal "$PENSTOCK" -c penstock.conf
	eventually log_has 'worker ready'
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	eventually [ -e resized ]
	run ! log_has 'paused'
	random_file body 10K
	serves a
	kill -WINCH "$MASTER"
	eventually log_has 'paused'
	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
}
