# What a server removes when it stops or reloads is removed by name, and the name
# may be another server's by then: the pid file, the path of a UNIX socket.  The
# fault guarded here is to take a name for the thing that once was there.

load ../lib/penstock

# second PORT [SERVER LINES]: another server, with the same pid_file line; its pid
# is in $SECOND.
second() {
	cat >second.conf <<-END
		worker_processes 1; io_engine $PENSTOCK_ENGINE; $(grep pid_file penstock.conf)
		error_log $T/second.log;
		server { listen 127.0.0.1:$1; ${2:-} access_log off;
		location /file { output_dir $T/second.up; } }
	END
	STORES+=("$T/second.up")
	(
		_penstock_env
		exec "$PENSTOCK" -c second.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	SECOND=$!
	SERVERS+=("$SECOND")
	_second_is_up() { grep -q 'worker ready' second.log && curl -sf -o /dev/null "http://127.0.0.1:$1/"; }
	eventually _second_is_up "$1"
}

@test "a server that stops leaves a pid file that is another's by now" {
	start_server
	rm penstock.pid
	second "$(free_port)"
	assert_equal "$(cat penstock.pid)" "$SECOND"
	stop_server QUIT
	log_has 'penstock.pid: it is gone, or another.s by now'
	assert_equal "$(cat penstock.pid)" "$SECOND"
	# And the other one is still found by it.
	run -0 penstock -c second.conf -s stop
	eventually not_running "$SECOND"
	refute [ -e penstock.pid ]
}

@test "a pid file that was removed or replaced by a file is no trouble" {
	start_server
	rm penstock.pid
	stop_server
	start_server
	rm penstock.pid
	echo mine >penstock.pid
	stop_server
	assert_equal "$(cat penstock.pid)" mine
}

_socket_answers() { curl -sf -o /dev/null --unix-socket "$T/sock" http://x/; }

@test "a server that stops leaves a socket whose path is another's by now" {
	start_server '' "listen unix:$T/sock;" 'pid_file off;'
	rm sock
	second "$(free_port)" "listen unix:$T/sock;"
	eventually _socket_answers
	stop_server
	_socket_answers || fail 'the path of the other one is gone'
	kill "$SECOND"
	eventually not_running "$SECOND"
	refute [ -e sock ]
}

@test "a reload that drops such a socket leaves the path, too" {
	start_server '' "listen unix:$T/sock;" 'pid_file off;'
	rm sock
	second "$(free_port)" "listen unix:$T/sock;"
	write_conf '' '' 'pid_file off;'
	reload
	_socket_answers || fail 'the path of the other one is gone'
	# To have it back while the other one runs is refused, in words.
	write_conf '' "listen unix:$T/sock;" 'pid_file off;'
	run -1 reload
	log_has 'somebody else listens there'
	_socket_answers
}

@test "a socket whose path was removed is bound again by a reload" {
	start_server '' "listen unix:$T/sock;"
	_socket_answers
	rm sock
	run -7 curl -s --unix-socket "$T/sock" http://x/
	reload
	_socket_answers
	reload
	_socket_answers
	stop_server
	refute [ -e sock ]
}

@test "a pid file that is no regular file is refused, and nothing waits for it" {
	mkfifo pid
	for path in "$T/pid" /dev/null /dev/zero; do
		write_conf '' '' "pid_file $path;"
		run -1 penstock -c penstock.conf
		assert_output -p "pid_file $path: it is no regular file: name another one, or write off"
		run -1 penstock -c penstock.conf -s stop
	done
	[ -p pid ]
}

@test "a pid file that is a symbolic link is refused, and what it leads to is left alone" {
	echo precious >precious
	ln -s precious link
	write_conf '' '' "pid_file $T/link;"
	run -1 penstock -c penstock.conf
	assert_output -p "pid_file $T/link: it is a symbolic link, which is not followed: name the file itself"
	assert_equal "$(cat precious)" precious
	run -1 penstock -c penstock.conf -s stop
	# A link on the way to it is the administrator's.
	mkdir real
	ln -s real run
	write_conf '' '' "pid_file $T/run/pid;"
	start_conf penstock.conf
	run -0 penstock -c penstock.conf -s stop
	await_exit
}

# A process that can read the file can lock it for reading.
@test "a reader's lock on the pid file is not taken for a server's" {
	local reader

	write_conf
	echo 1 >penstock.pid
	start_py disks hold_for_reading penstock.pid
	reader=$PY
	eventually test -e held
	run -1 penstock -c penstock.conf -s stop
	assert_output "penstock: pid_file $T/penstock.pid: no penstock runs with it"
	is_running "$reader" || fail 'a stranger was ended'
	run -1 penstock -c penstock.conf
	assert_output -p "pid_file $T/penstock.pid: process $reader, which is no penstock, has a read lock on it: end that one"
	rm penstock.pid
	start_conf penstock.conf
	run -0 penstock -c penstock.conf -s stop
	await_exit
	kill "$reader"
}
