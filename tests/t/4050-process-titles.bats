# What ps shows of each process.  The fault guarded here is a list of processes that
# does not tell which one is the master, what an old worker is still there for, and
# what a start waits for.

load ../lib/penstock

setup() {
	penstock_setup
	! is_portable || skip 'PORTABLE has no titles'
}

title() { ps -ww -o args= -p "$1"; }
name() { ps -o comm= -p "$1"; }
# begin_upload NAME: of five bytes, which a worker waits for when this returns.
begin_upload() {
	local line

	connect
	say "$FD" "PUT /file/$1 HTTP/1.1\\r\\nHost: $ADDRESS\\r\\nContent-Length: 5\\r\\nExpect: 100-continue\\r\\nConnection: close\\r\\n\\r\\n"
	read -r -t "$PENSTOCK_PATIENCE" line <&"$FD"
	[[ $line == 'HTTP/1.1 100'* ]] || fail "not 100 but $line"
}

end_upload() {
	say "$FD" hello
	eventually test -e "$STORE/$1"
	hang_up "$FD"
	assert_equal "$(cat "$STORE/$1")" hello
}

has_title() { [[ $(title "$1") == "$2" ]]; }

@test "the master with its command line, and workers" {
	start_server
	assert_equal "$(title "$MASTER")" "penstock: master process $PENSTOCK -c $T/penstock.conf"
	for pid in $(workers); do
		assert_equal "$(title "$pid")" 'penstock: worker process'
		assert_equal "$(name "$pid")" penstock-worker
	done
	# By its name the master is found, and no other process of this server.
	assert_equal "$(name "$MASTER")" penstock
	assert_equal "$(pgrep -x penstock | grep -xE "$MASTER|$(workers | paste -sd '|')")" "$MASTER"
	# After a reload it is what it was.
	reload
	assert_equal "$(title "$MASTER")" "penstock: master process $PENSTOCK -c $T/penstock.conf"
}

@test "a worker that finishes says so, and of which generation it is" {
	start_server '' '' 'worker_processes 1;'
	old=$(workers)
	begin_upload a
	reload
	eventually has_title "$old" 'penstock: worker process is finishing (generation 1)'
	new=$(workers | grep -vx "$old")
	assert_equal "$(title "$new")" 'penstock: worker process'
	end_upload a
	eventually not_running "$old"
	# And at a stop.
	begin_upload b
	kill -QUIT "$MASTER"
	eventually has_title "$new" 'penstock: worker process is finishing (generation 2)'
	end_upload b
	await_exit
}

@test "worker_processes 0 is a single process, and finishes as one" {
	start_server '' '' 'worker_processes 0;'
	assert_equal "$(title "$MASTER")" "penstock: single process $PENSTOCK -c $T/penstock.conf"
	begin_upload a
	kill -QUIT "$MASTER"
	eventually has_title "$MASTER" 'penstock: single process is finishing'
	end_upload a
	await_exit
}

@test "in the background, with -g, and with what a title cannot break" {
	write_conf '' '' 'daemonize on;'
	penstock -c penstock.conf -g 'worker_processes 1; sync off;' >stdout 2>stderr
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	assert_equal "$(title "$MASTER")" "penstock: master process $PENSTOCK -c penstock.conf -g worker_processes 1; sync off;"
	assert_equal "$(title "$(workers)")" 'penstock: worker process'
	penstock -c penstock.conf -s stop
	eventually not_running "$MASTER"
}

@test "a short command line has room for the title all the same, and the environment is there" {
	[[ $EUID == 0 ]] || skip 'needs root for a network of its own'
	ln -s "$PENSTOCK" p
	(
		_penstock_env
		export SOMETHING_LONG=$(head -c 300 /dev/zero | tr '\0' x) LAST_OF_ALL=1
		exec unshare -n ./p >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	assert_equal "$(title "$MASTER")" 'penstock: master process ./p'
	for pid in $(workers); do
		assert_equal "$(title "$pid")" 'penstock: worker process'
	done
	# Of the environment no more than its begin is overwritten.
	tr '\0' '\n' <"/proc/$MASTER/environ" >environ
	grep -qE '^PENSTOCK_TEST(_TOO)?=' environ
	grep -cE '^(SOMETHING_LONG=x{300}|LAST_OF_ALL=1|PATH=.*|PENSTOCK_TEST=.*|PENSTOCK_TEST_TOO=.*)$' environ >found
	(($(cat found) >= 4))
}

@test "a start that waits for a disk shows for which" {
	slowfs_start
	STORES+=("$T/backing/up")
	slowfs_hang
	write_conf '' "location /slow { output_dir $T/slow/up; }"
	(
		_penstock_env
		exec "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	_one_waits() { ps -ww --ppid "$MASTER" -o comm=,args= | grep -qxE "penstock-check +penstock: checking output_dir $T/slow/up"; }
	eventually _one_waits
	slowfs_wake
	eventually log_has 'worker ready'
}
