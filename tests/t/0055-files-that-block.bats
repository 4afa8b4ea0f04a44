# A start or a reload may open something on which open(2), read(2) or write(2)
# blocks for ever: a FIFO in place of a log, a configuration or a pid file, a pipe
# whose reader has left or stopped.  The fault guarded here is a master that blocks:
# it obeys neither TERM nor QUIT then, and restarts no worker.

load ../lib/penstock

# Opens a FIFO to read it, and goes on only when it is open.
read_into() { exec {READER}<>"$1"; }

@test "a log that is a FIFO without a reader: an error at the start, no hang" {
	mkfifo fifo
	write_conf '' '' "error_log $T/fifo info;"
	run -1 penstock -c penstock.conf
	assert_output -p "error_log $T/fifo: it is a FIFO that nobody reads: start its reader first"
	write_conf '' "access_log $T/fifo;"
	run -1 penstock -c penstock.conf
	assert_output -p "access_log $T/fifo: it is a FIFO that nobody reads"
	write_conf '' "access_log $T/fifo;" 'daemonize on;'
	run -1 penstock -c penstock.conf
	write_conf '' "access_log $T/fifo;" 'worker_processes 0;'
	run -1 penstock -c penstock.conf
}

# bats test_tags=portable
@test "the same at a reload: it is refused, and the server obeys" {
	start_server
	mkfifo fifo
	for line in "error_log $T/fifo info;" 'error_log error.log info;'; do
		write_conf '' "$([[ $line == *fifo* ]] || echo "access_log $T/fifo;")" "$line"
		run -1 reload
		log_has "$T/fifo: it is a FIFO that nobody reads"
	done
	run -0 request GET /
	assert_status 200
	write_conf
	reload
	stop_server QUIT
}

_lines_in() { (($(grep -c "$1" "$2") >= $3)); }

@test "a FIFO that is read is a log; its reader may leave and come back" {
	mkfifo fifo
	cat fifo >read 3>&- &
	reader=$!
	write_conf '' "access_log $T/fifo;" "error_log $T/fifo info;"
	(
		_penstock_env
		exec "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually _lines_in 'worker ready' read 2
	run -0 request GET /
	eventually _lines_in '"GET /" 200' read 1
	kill "$reader"
	wait "$reader" || true
	for i in 1 2 3 4 5; do
		run -0 request GET "/$i"
	done
	kill -KILL "$(workers | head -n 1)" # the master has something to say
	cat fifo >read2 3>&- &
	reader=$!
	_is_heard() { request GET / && grep -q '"GET /" 200' read2; }
	eventually _is_heard
	stop_server
	wait "$reader"
	grep -q 'stopped$' read2
}

# 64 KiB are in the pipe, and are not read: workers and master go on.
@test "a reader that stops reading holds up neither workers nor master" {
	local what path

	mkfifo fifo
	for what in fifo stdout; do
		read_into fifo
		path=$T/fifo
		[[ $what == fifo ]] || path=stdout
		write_conf '' "access_log $path;" "error_log $path info;"
		rm -f error.log
		(
			_penstock_env
			exec "$PENSTOCK" -c penstock.conf >fifo 2>>stderr </dev/null 3>&- 4>&-
		) {READER}>&- &
		MASTER=$!
		SERVERS+=("$MASTER")
		_is_up() { request GET / && [ "$(workers | wc -l)" -eq 2 ]; }
		eventually _is_up
		curl -sS -o /dev/null "$URL/[1-600]?$(printf 'x%.0s' {1..200})"
		dd if=/dev/zero of=fifo oflag=nonblock bs=4096 count=64 status=none 2>/dev/null || true
		old=$(workers | sort)
		kill -KILL "$(workers | head -n 1)"
		_is_anew() { [ "$(workers | sort)" != "$old" ] && [ "$(workers | wc -l)" -eq 2 ]; }
		eventually _is_anew
		run -0 request GET /
		assert_status 200
		old=$(workers | sort)
		kill -HUP "$MASTER"
		_is_reloaded() { [ "$(workers | wc -l)" -eq 2 ] && ! workers | grep -qxF "$old"; }
		eventually _is_reloaded
		run -0 request GET /
		assert_status 200
		stop_server
		exec {READER}>&-
	done
}

@test "a log on /dev/stdout or /dev/stderr that is a socket: told what to write" {
	local name n

	for name in stdout stderr fd/60; do
		write_conf '' "access_log /dev/$name;"
		run -1 py launch with_sockets_for_output "$PENSTOCK" -c penstock.conf
		n=$name
		[[ $name != fd/60 ]] || n='stdout or stderr'
		assert_output -p "access_log /dev/$name: it is a socket, which cannot be opened by a name: write $n"
	done
}

@test "a configuration that is a FIFO nobody writes is an error; from a writer it is read" {
	mkfifo fifo
	# shellcheck disable=SC2094
	run -1 penstock -c fifo -t
	assert_output "fifo: cannot be read: it is a FIFO to which nobody writes"
	write_conf
	cat penstock.conf >fifo 3>&- &
	run -0 penstock -c fifo -t
	wait $!
	run -0 penstock -c <(cat penstock.conf) -t
	# In pieces, with pauses.
	(
		head -n 3 penstock.conf
		read -rt 1 < <(read -rt 0.2 <> <(:)) || true
		tail -n +4 penstock.conf
	) >fifo 3>&- &
	run -0 penstock -c fifo -t
	wait $!
	: >fifo 3>&- &
	run -1 penstock -c fifo -t
	assert_output -p 'fifo:1:1: server: there is none'
}

@test "a reload waits for no pipe: not for the configuration, nor for an include" {
	write_conf
	cp penstock.conf good.conf
	start_conf penstock.conf
	rm penstock.conf
	mkfifo penstock.conf
	run -1 reload
	log_has 'penstock.conf: cannot be read: it is not a regular file'
	rm penstock.conf
	mkfifo more
	{
		echo 'include more;'
		cat good.conf
	} >penstock.conf
	run -1 reload
	log_has 'penstock.conf:1:9: include: .*more: cannot be read: it is not a regular file'
	mkfifo dir
	sed "s,$STORE,$T/dir," good.conf >penstock.conf
	run -1 reload
	log_has "output_dir: $T/dir: .*Not a directory"
	cp good.conf penstock.conf
	reload
	stop_server
}

# The reload waits for the disk, for as long as a preflight may take.
@test "a reload that waits for a disk that hangs does not keep the server from stopping" {
	local sig

	slowfs_start
	for sig in TERM QUIT; do
		start_server
		cp penstock.conf good.conf
		slowfs_hang
		write_conf '' "location /slow { output_dir $T/slow/up; }"
		penstock -c good.conf -s reload 2>said 3>&- &
		asked=$!
		eventually log_has 'reloading$'
		stop_server "$sig"
		ends_with 1 "$asked"
		run ! log_has 'does not answer'
		log_has 'reload: given up: this server is to stop'
		slowfs_wake
		rm error.log
	done
}

# The pid file is there already, so any of these signals may be sent.
mkdir_waits() { slowfs_ctl count waiting | grep -q '[1-9]'; }

@test "a signal during the start is not its default action" {
	local n sig

	for n in 0 2; do
		for sig in TERM QUIT; do
			slowfs_start
			slowfs_ctl stall mkdir
			write_conf '' "listen unix:$T/sock; location /slow { output_dir $T/slow/up; }" \
				"worker_processes $n; daemonize on;"
			penstock -c penstock.conf >out 2>&1 3>&- &
			asked=$!
			eventually test -s penstock.pid.reload
			eventually mkdir_waits # the directory before it is done
			MASTER=$(cat penstock.pid)
			SERVERS+=("$MASTER")
			kill -HUP "$MASTER"
			kill -s "$sig" "$MASTER"
			eventually not_running "$MASTER"
			rc=0
			wait "$asked" || rc=$?
			assert_equal "$rc" 1
			assert_equal "$(tail -n 1 out)" 'penstock: it was told to stop before it was up'
			refute [ -e penstock.pid ]
			refute [ -e penstock.pid.reload ]
			refute [ -e sock ]
			slowfs_ctl resume
			kill "$SLOWFS"
			eventually not_running "$SLOWFS"
			rm -rf backing
		done
	done
	SLOWFS=
}

# Under one process the HUP is refused, and under a master carried out.
@test "a HUP during the start is carried out when it is up" {
	slowfs_start
	slowfs_ctl stall mkdir
	write_conf '' "location /slow { output_dir $T/slow/up; }"
	(
		_penstock_env
		exec "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually test -s penstock.pid.reload
	kill -HUP "$MASTER"
	slowfs_ctl resume
	eventually log_has 'reloaded: generation 2'
}

# bats test_tags=long
@test "beside a directory that hangs, a mistake in another one is told all the same" {
	slowfs_start
	start_server
	cp penstock.conf good.conf
	slowfs_hang
	for order in 'location /bad { output_dir /proc/nowhere; } location /slow { output_dir '"$T"'/slow/up; }' \
		'location /slow { output_dir '"$T"'/slow/up; } location /bad { output_dir /proc/nowhere; }'; do
		write_conf '' "$order"
		run -1 penstock -c penstock.conf -s reload
		assert_line -p 'output_dir: /proc/nowhere: cannot be opened or made'
		assert_line -p 'does not answer'
		assert_line 'reload: nothing was changed'
	done
	slowfs_wake
}

@test "a log whose reader is gone is told by its name" {
	mkfifo fifo
	read_into fifo
	write_conf '' "access_log $T/fifo;"
	start_conf penstock.conf
	exec {READER}>&-
	_is_told() { request GET / && log_has "log $T/fifo: its reader is gone: lines are lost"; }
	eventually _is_told
}

@test "a configuration that is /dev/null is empty, and no FIFO" {
	run -1 penstock -c /dev/null -t
	assert_output '/dev/null:1:1: server: there is none; write server { location /PREFIX { } }'
}
