# The command line: what each option prints and which status it ends with.

load ../lib/penstock

@test "-h prints the usage, -v the version" {
	run -0 penstock -h
	assert_line -p 'usage: penstock [-c FILE] [-t] [-T] '
	for option in -c -t -T -s -v -h; do
		assert_line -e "^ +$option "
	done
	run -0 penstock -v
	assert_output -e '^penstock [0-9]+\.[0-9]+\.[0-9]+$'
}

@test "wrong usage ends with 2 and says what was wrong" {
	run -2 --separate-stderr penstock -q
	assert_output ''
	assert_equal "$(grep -c '^usage:' <<<"$stderr")" 1
	run -2 penstock nonsense
	assert_line -p '"nonsense"'
	run -2 penstock -c
	assert_line -p 'requires an argument'
	run -2 penstock -s
	run -2 penstock -s nonsense
	assert_output -p 'nonsense'
	assert_output -p 'reload, reopen, upgrade, stop, quit or status'
}

@test "-t says that a configuration is good, and starts nothing" {
	write_conf
	run -0 penstock -c penstock.conf -t
	assert_output -p 'penstock.conf'
	assert_output -p 'good'
	refute [ -e penstock.pid ]
	refute [ -e "$STORE" ]
	refute [ -e error.log ]
}

@test "-t of a bad configuration ends with 1" {
	write_conf 'queue_depth none;'
	run -1 --separate-stderr penstock -c penstock.conf -t
	assert_output ''
	assert_regex "$stderr" 'penstock.conf:[0-9]+:[0-9]+: queue_depth: "none"'
}

@test "a file that is not there or cannot be read ends with 1" {
	run -1 penstock -c none.conf
	assert_output -p 'none.conf: cannot be read: No such file or directory'
	run -1 penstock -c "$T"
	assert_output -p "$T: cannot be read: Is a directory"
}

@test "-T prints the whole configuration, and reads back what it prints" {
	write_conf 'queue_depth 3; overwrite on;' 'header_timeout 1m30s;' 'buffer_memory 2048k;'
	run -0 --separate-stderr penstock -c penstock.conf -T
	assert_equal "$stderr" ''
	echo "$output" >first
	assert_line -e '^worker_processes +2; +# [a-z]'
	assert_line -e '^buffer_memory +2m;'
	assert_line -e '^    header_timeout +90s;'
	assert_line -e "^    listen +$ADDRESS:$PORT;"
	assert_line -e '^    location /file \{'
	assert_line -e '^        queue_depth +3;'
	assert_line -e '^        overwrite +on;'
	assert_line -e "^        output_dir +$STORE;"
	# Each directive has its explanation.
	run -1 grep -nE '^ *#?[a-z_]+ +[^#]*; *$' first
	penstock -c first -T >second
	diff <(tail -n +2 first) <(tail -n +2 second)
}

@test "without -c the built-in defaults hold, which are conf/penstock.conf" {
	penstock -T >builtin
	penstock -c "$REPO/conf/penstock.conf" -T >shipped
	diff <(tail -n +2 builtin) <(tail -n +2 shipped)
	for line in 'worker_processes auto' 'worker_connections 4096' 'buffer_memory 256m' \
		'chunk_size 256k' 'io_engine auto' 'error_log stderr info' 'daemonize off' \
		'listen 127.0.0.1:8000' 'header_timeout 15s' 'body_timeout 1m' \
		'keepalive_timeout 65s' 'keepalive_requests 1000' 'queue_depth 8' \
		'max_body_size 0' 'overwrite off' 'sync on' 'keep all' 'trace off' \
		"output_dir $T/uploads" "pid_file $T/penstock.pid"; do
		grep -qE "^ *${line/ / +};" builtin || fail "not in the defaults: $line"
	done
}

@test "without -c it starts on 127.0.0.1:8000 and stores in uploads/" {
	[[ $EUID == 0 ]] || skip 'needs root for a network of its own'
	(
		_penstock_env
		exec unshare -n sh -c 'ip link set lo up && exec "$0"' "$PENSTOCK" \
			>>stdout 2>>stderr 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	echo hello >body
	run -0 nsenter -t "$MASTER" -n curl -sS --retry 20 --retry-delay 1 --retry-connrefused -T body http://127.0.0.1:8000/file/a
	assert_output -p '"bytes":6'
	assert_same body uploads/a
	assert_equal "$(cat penstock.pid)" "$MASTER"
	run -0 penstock -s stop
	await_exit
}

@test "-s without a server that runs ends with 1 and says so" {
	write_conf
	run -1 penstock -c penstock.conf -s stop
	assert_output -p "$T/penstock.pid"
	assert_output -p 'no penstock runs'
	# A number alone is not signalled: another process may have it by now.
	echo $$ >penstock.pid
	run -1 penstock -c penstock.conf -s stop
	assert_output -p 'no penstock runs'
}

@test "-s reload, quit and stop reach the server that runs" {
	start_server
	run -0 penstock -c penstock.conf -s reload
	eventually log_has 'reloaded: generation 2'
	run -0 penstock -c penstock.conf -s quit
	await_exit
	refute [ -e penstock.pid ]
	start_conf penstock.conf
	run -0 penstock -c penstock.conf -s stop
	await_exit
	eventually log_has 'stopped$'
}

@test "-s works with a configuration whose other parts are in use" {
	start_server '' '' 'pid_file other.pid;'
	assert_equal "$(cat other.pid)" "$MASTER"
	run -0 penstock -c penstock.conf -s stop
	await_exit
	refute [ -e other.pid ]
}

@test "-s sends, -t looks: not both" {
	run -2 penstock -s reload -t
	assert_output --partial 'one at a time'
}
