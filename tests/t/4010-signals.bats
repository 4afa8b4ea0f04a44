# Stopping, reloading, and what must not happen on the way.

load ../lib/penstock

# A slow upload in the background; its pid in $SLOW, its status in slow.status.
slow_upload() {
	random_file slow.bin "${2:-1M}"
	(
		curl -sS -o slow.answer -w '%{http_code}' --limit-rate "${3:-500K}" \
			-T slow.bin "$URL/file/$1" >slow.status 2>slow.err
	) 3>&- &
	SLOW=$!
	eventually _is_receiving
}

# The server has begun with it: a nameless file, or a temp name, is open.
_is_receiving() {
	ls -l $(workers | sed 's|.*|/proc/&/fd|') 2>/dev/null |
		grep -qE "$STORE/(#[0-9]+|\.penstock/[0-9a-f]+\.part)"
}

@test "TERM and INT stop at once, and cut uploads leave nothing" {
	for sig in TERM INT; do
		start_server
		slow_upload "$sig" 8M 200K
		stop_server "$sig"
		! wait "$SLOW" || [ "$(cat slow.status)" = 503 ]
		assert_store_empty
	done
}

@test "QUIT finishes the uploads, takes no new ones, then ends" {
	start_server
	slow_upload a
	kill -QUIT "$MASTER"
	_refused() { run curl -sS --max-time 2 "$URL/"; [ "$status" -eq 7 ]; }
	eventually _refused
	wait "$SLOW"
	[ "$(cat slow.status)" = 201 ]
	assert_same slow.bin "$STORE/a"
	await_exit
	[ ! -e penstock.pid ]
}

@test "shutdown_timeout bounds a graceful stop" {
	start_server '' '' 'shutdown_timeout 300ms;'
	slow_upload a 8M 100K
	stop_server QUIT
	assert_store_empty
	eventually log_has 'shutdown_timeout is over'
}

@test "a client that never asks does not hold up a graceful stop" {
	start_server
	connect
	PENSTOCK_PATIENCE=5 stop_server QUIT
	hang_up "$FD"
}

@test "workers leave to their master what is its business: USR1, USR2, WINCH and HUP" {
	start_server
	for pid in $(workers); do
		kill -USR1 "$pid"
		kill -USR2 "$pid"
		kill -WINCH "$pid"
		kill -HUP "$pid"
	done
	run -0 request GET /
	assert_status 200
	[ "$(workers | wc -l)" -eq 2 ]
}

@test "-s reload, quit and stop reach the master; without one they say so" {
	start_server
	run -0 penstock -c penstock.conf -s reload
	eventually log_has 'reloaded: generation 2'
	run -0 penstock -c penstock.conf -s quit
	await_exit
	run -1 penstock -c penstock.conf -s stop
	assert_output --partial 'no penstock runs with it'
	start_server
	run -0 penstock -c penstock.conf -s stop
	await_exit
}

@test "a reload applies the file; uploads that run are not cut" {
	start_server 'max_body_size 0;'
	slow_upload a 1M
	old=$(workers)
	write_conf 'max_body_size 10k;'
	reload
	random_file body 11K
	run -0 upload PUT /file/b body
	assert_status 413
	wait "$SLOW"
	[ "$(cat slow.status)" = 201 ]
	assert_same slow.bin "$STORE/a"
	for pid in $old; do
		eventually not_running "$pid"
	done
	# The newest is known to the new workers, which did not take it.
	run -0 request GET /file
	assert_status 200
	assert_same slow.bin answer
}

@test "a bad file is refused whole and changes nothing" {
	start_server
	old=$(workers | sort)
	cp penstock.conf good.conf
	echo 'chunk_sze 1k;' >>penstock.conf
	run -1 reload
	eventually log_has 'chunk_sze: no such directive; did you mean chunk_size\?'
	write_conf "output_dir /proc/nowhere;"
	run -1 reload
	eventually log_has 'output_dir: /proc/nowhere: cannot be opened or made'
	[ "$(workers | sort)" = "$old" ]
	random_file body 1K
	run -0 upload PUT /file/a body
	assert_status 201
	mv good.conf penstock.conf
	reload
}

@test "a reload loses no request" {
	start_server 'sync off;' 'keepalive_requests 20;'
	"$PENSTOCK_TOOLS/load" -c 8 -s 4k -d 3 -m POST -u /file --json "127.0.0.1:$PORT" >load.json 3>&- &
	load=$!
	for i in 2 3 4 5; do
		reload
	done
	wait "$load" || fail "$(cat load.json)"
}

# A PORTABLE build is without its lock on a temp file while a copy is closed.
@test "a reload loses no request, be closing as slow as it likes" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	start_server 'sync off;' '' 'worker_processes 1;'
	strace -qq -f -o /dev/null -e trace=close -e inject=close:delay_exit=30000 -p "$(workers)" 3>&- &
	tracer=$!
	_is_traced() { ! grep -q '^TracerPid:[[:space:]]*0$' "/proc/$(workers)/status"; }
	eventually _is_traced
	"$PENSTOCK_TOOLS/load" -c 8 -s 4k -d 1 -m POST -u /file --json "127.0.0.1:$PORT" >load.json 3>&- &
	load=$!
	eventually access_has ' stored '
	reload
	wait "$load" || fail "$(cat load.json)"
	wait "$tracer"
}

@test "listens can come and go by a reload; one that stays is not closed" {
	start_server
	other=$(free_port)
	write_conf '' "listen 127.0.0.1:$other;"
	reload
	run -0 request GET "http://127.0.0.1:$other/"
	assert_status 200
	write_conf
	reload
	_refused() { run curl -sS --max-time 2 "http://127.0.0.1:$other/"; [ "$status" -eq 7 ]; }
	eventually _refused
	run -0 request GET /
	assert_status 200
}

@test "daemonize: the command returns when the server is up, or says why not" {
	write_conf '' '' 'daemonize on;'
	run -0 penstock -c penstock.conf
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	run -0 request GET /
	assert_status 200
	run -1 penstock -c penstock.conf
	assert_output --partial 'another penstock'
	run -0 penstock -c penstock.conf -s stop
	eventually not_running "$MASTER"
}

@test "stopped with a disk that hangs: clients see the end, the port is free" {
	slowfs_start
	start_server "output_dir $T/slow;" "location /ok { output_dir $STORE; }"
	random_file big 4M
	slowfs_ctl stall write
	curl -sS -o /dev/null -T big "$URL/file/a" 2>curl.err 3>&- &
	client=$!
	_stalled() { [ "$(slowfs_ctl count waiting)" -ge 1 ]; }
	eventually _stalled
	slowfs_hang
	stop_server TERM 1
	wait "$client" || true # it has an answer, or was cut
	eventually log_has 'worker [0-9]+ cannot end: [0-9]+ operations wait for the disk under .*/slow'
	MASTER=
	start_server "output_dir $STORE;"
	run -0 upload PUT /file/again big
	assert_status 201
	slowfs_wake
	slowfs_ctl clear
	stop_server
	# What the killed worker could not remove, the next one does.
	start_server "output_dir $T/slow;"
	assert_store_empty "$T/slow"
}
