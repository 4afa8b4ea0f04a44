# Starting: the pid file, output directories, the start-up lines; what cannot
# work is an error at the start, not at the first upload.

load ../lib/penstock

# The start ends with 1, says REGEX, and leaves nothing running.
start_fails() {
	run -7 curl -s "$URL/"
	run -1 penstock -c penstock.conf
	assert_output -e "$1"
	refute [ -e penstock.pid ]
	_penstock_none_left
}

@test "the pid file holds the master's pid and goes when it ends" {
	start_server
	assert_equal "$(cat penstock.pid)" "$MASTER"
	assert_equal "$(workers | wc -l)" 2
	stop_server
	refute [ -e penstock.pid ]
}

@test "a pid file that is locked: said, with the pid, status 1" {
	start_server
	cat >second.conf <<-END
		pid_file $T/penstock.pid;
		server { listen 127.0.0.1:$(free_port); location /file { output_dir second; } }
	END
	run -1 penstock -c second.conf
	assert_output -p "pid_file $T/penstock.pid: another penstock, process $MASTER, runs with it"
	assert_equal "$(cat penstock.pid)" "$MASTER"
	refute [ -e second ]
}

@test "a pid file left behind, whatever number is in it, is taken over" {
	echo $$ >penstock.pid
	start_server
	assert_equal "$(cat penstock.pid)" "$MASTER"
	kill -KILL "$MASTER"
	eventually _penstock_none_left
	[ -e penstock.pid ]
	start_conf penstock.conf
	assert_equal "$(cat penstock.pid)" "$MASTER"
}

@test "pid_file off: none" {
	start_server '' '' 'pid_file off;'
	refute [ -e penstock.pid ]
	refute [ -e off ]
}

@test "a pid file or log that cannot be made" {
	write_conf '' '' "pid_file $T/none/penstock.pid;"
	start_fails "pid_file $T/none/penstock.pid: .*No such file"
	write_conf '' '' "error_log $T/none/error.log;"
	start_fails "$T/none/error.log"
	write_conf '' "access_log $T/none/access.log;"
	start_fails "$T/none/access.log"
}

@test "an output_dir that is missing is made, parents included" {
	start_server "output_dir $T/a/b/c;"
	[ -d a/b/c ]
	echo hello >body
	upload PUT /file/x body
	assert_status 201
	assert_same body a/b/c/x
}

@test "an output_dir beneath a file, or that is one" {
	echo precious >file
	write_conf "output_dir $T/file;"
	start_fails "penstock\.conf:[0-9]+:[0-9]+: output_dir: $T/file: .*Not a directory"
	write_conf "output_dir $T/file/sub;"
	start_fails "output_dir: $T/file/sub: .*Not a directory"
	assert_equal "$(cat file)" precious
}

@test "an output_dir that cannot be made or written" {
	write_conf 'output_dir /proc/none;'
	start_fails 'output_dir: /proc/none: cannot be opened or made'
	write_conf 'output_dir /proc;'
	start_fails 'output_dir: /proc: cannot be written'
}

@test "an output_dir on a read-only file system" {
	[[ $EUID == 0 ]] || skip 'needs root for a mount'
	mkdir ro
	mount -t tmpfs -o ro,size=1m none "$T/ro"
	write_conf "output_dir $T/ro;"
	start_fails "output_dir: $T/ro: cannot be written.*Read-only file system"
}

@test "an output_dir that \`user\` may not write" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	mkdir uploads
	write_conf '' '' 'user nobody;'
	start_fails "output_dir: $STORE: cannot be written.*Permission denied"
	chown nobody uploads
	start_conf penstock.conf
	echo hello >body
	upload PUT /file/d/a body
	assert_status 201
	assert_equal "$(stat -c %U "$STORE/d" "$STORE/d/a" | sort -u)" nobody
	for pid in $(workers); do
		assert_equal "$(stat -c %U "/proc/$pid")" nobody
	done
	assert_equal "$(stat -c %U "/proc/$MASTER")" root
}

@test "every location that cannot be written is told, with its place" {
	write_conf 'output_dir /proc/one;' '
		location /two { output_dir /proc/two; }
		location /good { output_dir good; }
		location /three { output_dir /proc/three; }'
	start_fails 'output_dir: /proc/one: '
	assert_output -p 'output_dir: /proc/two: '
	assert_output -p 'output_dir: /proc/three: '
	assert_equal "$(grep -cE ' error .*output_dir: ' <<<"$output")" 3
}

@test "the start-up lines say what holds: engine, publishing, durability" {
	memory_dir
	start_server '' "
		location /plain { output_dir $T/plain; sync off; queue_depth 5; }
		location /memory { output_dir $MEMORY; }"
	eventually log_has "location /file -> $STORE: published by .+, synced; queue 8 x 64k, .*(io_uring|threads)"
	eventually log_has "location /plain -> $T/plain: published by .+, buffered; queue 5 x 64k"
	is_portable ||
		eventually log_has "location /memory -> $MEMORY: published by .+, memory; queue 8 x 64k"
	if [[ $PENSTOCK_ENGINE != auto ]]; then
		assert_equal "$(grep -c "worker ready, $PENSTOCK_ENGINE\$" error.log)" 2
	fi
}

@test "worker_processes 0 is one process, which serves and stops" {
	start_server '' '' 'worker_processes 0;'
	assert_equal "$(workers)" ''
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	request GET /file
	assert_same body answer
	kill -HUP "$MASTER"
	eventually log_has 'reload: .*good.*needs? a? ?master|no master'
	stop_server QUIT
	refute [ -e penstock.pid ]
	start_conf penstock.conf
	stop_server TERM
}

@test "worker_processes auto is one for each core" {
	start_server '' '' 'worker_processes auto;'
	assert_equal "$(workers | wc -l)" "$(nproc)"
}

@test "daemonize on returns when the server is up, and it lives on" {
	write_conf '' '' 'daemonize on;'
	penstock -c penstock.conf >stdout 2>stderr
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	assert_equal "$(ps -o sid= -p "$MASTER" | tr -d ' ')" "$MASTER"
	run -0 penstock -c penstock.conf -s stop
	eventually not_running "$MASTER"
}

@test "daemonize on lets go of the terminal, in every process" {
	write_conf '' '' 'daemonize on;'
	penstock -c penstock.conf >stdout 2>stderr
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	for pid in "$MASTER" $(workers); do
		for fd in 0 1 2; do
			assert_equal "$(readlink "/proc/$pid/fd/$fd")" /dev/null
		done
	done
}

@test "daemonize on tells what cannot be in the foreground" {
	write_conf 'output_dir /proc/none;' '' 'daemonize on;'
	penstock -c penstock.conf >stdout 2>stderr && fail 'it started'
	eventually log_has 'output_dir: /proc/none: '
	refute [ -e penstock.pid ]
}
