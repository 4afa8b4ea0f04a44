# What a process gets from the one that starts it is not taken on trust: closed
# and open descriptors, ignored and blocked signals, the umask, limits, a working
# directory that is gone.  The fault guarded here is to act as if a shell had
# started it.

load ../lib/penstock

# closed_set DAEMONIZE WORKERS: the seven ways to start with 0, 1 or 2 closed, all
# at once, each with ten uploads; in directories named after what is closed.
closed_set() {
	local set dir at

	mkdir body.d
	echo abc >body.d/b
	for set in 0 1 2 01 02 12 012; do
		dir=$T/closed$set
		mkdir "$dir"
		at=$(free_port)
		echo "$at" >"$dir/port"
		STORES+=("$dir/up")
		(
			cd "$dir" || exit
			cat >conf <<-END
				daemonize $1; worker_processes $2; io_engine $PENSTOCK_ENGINE;
				pid_file $dir/pid; error_log $dir/error.log info;
				server { listen 127.0.0.1:$at; access_log stdout;
				location /file { output_dir $dir/up; sync off; } }
			END
			_penstock_env
			exec 3>&- 4>&-
			case $set in
			0) exec "$PENSTOCK" -c conf >/dev/null 2>&1 <&- ;;
			1) exec "$PENSTOCK" -c conf </dev/null 2>/dev/null >&- ;;
			2) exec "$PENSTOCK" -c conf </dev/null >/dev/null 2>&- ;;
			01) exec "$PENSTOCK" -c conf 2>/dev/null <&- >&- ;;
			02) exec "$PENSTOCK" -c conf >/dev/null <&- 2>&- ;;
			12) exec "$PENSTOCK" -c conf </dev/null >&- 2>&- ;;
			012) exec "$PENSTOCK" -c conf <&- >&- 2>&- ;;
			esac
		) &
	done
	for dir in "$T"/closed*; do
		at=$(cat "$dir/port")
		_is_up() { curl -sf -o /dev/null --max-time 2 "http://127.0.0.1:$at/"; }
		eventually _is_up || fail "$dir is not up"
		run -0 grep -cxE '[0-9]+' "$dir/pid"
		assert_output 1
		assert_equal "$(wc -l <"$dir/pid")" 1
		SERVERS+=("$(cat "$dir/pid")")
		run -0 curl -sS -o /dev/null -w '%{http_code}\n' --max-time 20 \
			-T body.d/b "http://127.0.0.1:$at/file/[1-10]"
		assert_equal "$(sort -u <<<"$output")" 201
		assert_equal "$(wc -l <<<"$output")" 10
	done
	for dir in "$T"/closed*; do kill "$(cat "$dir/pid")"; done
	for pid in "${SERVERS[@]}"; do eventually not_running "$pid"; done
	for dir in "$T"/closed*; do
		refute [ -e "$dir/pid" ]
		run ! grep -E 'master is gone|restarting' "$dir/error.log"
	done
}

# bats test_tags=long
@test "0, 1, 2 closed: in the foreground, with workers" { closed_set off 2; }
@test "0, 1, 2 closed: in the foreground, one process" { closed_set off 0; }
# bats test_tags=portable
@test "0, 1, 2 closed: daemonize, with workers" { closed_set on 2; }
# bats test_tags=long
@test "0, 1, 2 closed: daemonize, one process" { closed_set on 0; }

# with_signals IGNORED BLOCKED [ARGS...]: the server, started with these signals
# (names, with commas) ignored and blocked.
with_signals() {
	local ignored=$1 blocked=$2
	shift 2

	(
		_penstock_env
		_exec_py launch with_signals "$ignored" "$blocked" "$PENSTOCK" -c penstock.conf "$@" \
			>>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
}

lives_and_stops() {
	eventually log_has 'worker ready' || fail "it is not up: $(cat stderr)"
	echo abc >body
	run -0 upload POST /file body
	assert_status 201
	if (($1 > 0)); then
		kill -KILL "$(workers | head -n 1)"
		eventually log_has 'was ended by signal 9 .*: restarting it'
	fi
	stop_server "$2"
	rm -f error.log
}

@test "signals ignored or blocked by the parent do what they always do" {
	local n all=TERM,INT,QUIT,HUP,CHLD,PIPE,USR1,USR2,ALRM,XFSZ

	for n in 2 0; do
		write_conf 'sync off;' '' "worker_processes $n;"
		with_signals CHLD ''
		lives_and_stops "$n" TERM
		with_signals '' "$all"
		lives_and_stops "$n" QUIT
		with_signals "$all" "$all"
		lives_and_stops "$n" INT
	done
}

@test "under nohup HUP is a reload, as always" {
	write_conf
	with_signals HUP ''
	eventually log_has 'worker ready'
	reload
	assert_equal "$(_count 'reloaded: generation 2' error.log)" 1
	run -0 penstock -c penstock.conf -s reload
	assert_equal "$(_count 'reloaded: generation' error.log)" 2
}

# The parent's pipe stands for what cron, ssh, $( ) or systemd wait on; the lock
# for one that a script holds while it runs.
# bats test_tags=portable
@test "descriptors of the parent are closed in every process of ours" {
	local pid

	for n in 2 0; do
		write_conf '' '' "worker_processes $n;"
		mkfifo "pipe$n"
		exec {pipe}<>"pipe$n"
		exec {lock}>"lock$n"
		flock "$lock"
		(
			_penstock_env
			_exec_py launch with_descriptors "$PENSTOCK" -c penstock.conf \
				>>stdout 2>>stderr </dev/null 3>&- 4>&-
		) &
		MASTER=$!
		SERVERS+=("$MASTER")
		exec {pipe}>&- {lock}>&-
		eventually log_has 'worker ready'
		for pid in "$MASTER" $(workers); do
			run -0 ls -l "/proc/$pid/fd"
			refute_output -p "$T/pipe$n"
			refute_output -p "$T/lock$n"
			refute_output -e '(7[0-9][0-9]|1999) ->'
		done
		exec {lock}>"lock$n"
		flock -n "$lock" || fail 'the lock is still held'
		exec {lock}>&-
		echo abc >body
		run -0 upload POST /file body
		assert_status 201
		stop_server
		rm error.log
	done
}

# daemonize_into FILE: run it with all of its output, and a descriptor 7 beside,
# going to FILE through a pipe; 0 when the pipe has ended.
daemonize_into() {
	(
		_penstock_env
		exec 3>&- 4>&-
		timeout "$PENSTOCK_PATIENCE" bash -c '"$1" -c penstock.conf 2>&1 7>&1 | cat; echo ended' - \
			"$PENSTOCK" >"$1" 2>&1
	)
	SERVERS+=("$(cat penstock.pid)")
}

@test "daemonize lets go of all that its parent waits for" {
	write_conf '' '' 'daemonize on;'
	daemonize_into out
	grep -x ended out
	run -0 request GET /
}

# bats test_tags=long
# A preflight that hangs on a dead disk must not keep the pipe open.
@test "daemonize beside a disk that hangs: the command ends, and its output too" {
	slowfs_start
	slowfs_hang
	write_conf '' "location /slow { output_dir $T/slow/up; }" 'daemonize on;'
	daemonize_into out
	grep -x ended out
	grep 'does not answer' out
	slowfs_wake
}

@test "a log on an inherited descriptor is kept, also over a reload" {
	write_conf '' 'access_log /dev/fd/9;'
	start_conf penstock.conf 9>nine
	run -0 request GET /
	eventually grep -q '"GET /" 200' nine
	reload
	run -0 request GET /file
	eventually grep -q '"GET /file" 404' nine
}

@test "umask 0777: what we make can be used by us" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	chmod 777 "$T"
	umask 0777
	mkdir -m 777 other
	write_conf "output_dir $T/other/up; overwrite on;" '' 'user nobody;'
	chmod 644 penstock.conf
	STORES+=("$T/other/up")
	start_conf penstock.conf
	log_has 'umask 0777 .*: 0077 is used'
	umask 022
	echo abc >body
	run -0 upload PUT /file/d/e/a body
	assert_status 201
	run -0 upload PUT /file/d/e/a body
	assert_status 200
	run -0 request GET /file/d/e/a
	assert_status 200
	assert_same body answer
	assert_equal "$(stat -c %a other/up other/up/.penstock penstock.pid | tr '\n' ' ')" '700 700 600 '
	reload
}

@test "a limit on the size of files is told at the start; then 413, and no loss" {
	! is_portable || skip 'a PORTABLE build has its shared memory in a file'
	write_conf 'sync off;' '' 'error_log stderr info;'
	(
		ulimit -f 64
		_penstock_env
		exec "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	log_has 'no file may become larger than 64k \(ulimit -f\)'
	random_file fits 64K
	cat fits >big
	echo >>big
	run -0 upload PUT /file/big big
	assert_status 413
	run -0 upload PUT /file/fits fits
	assert_status 201
	assert_same fits "$STORE/fits"
	run -0 bash -c 'files_in() { find "$1" -type f; }; files_in "$1"' - "$STORE"
	assert_output "$STORE/fits"
}

@test "a working directory that is gone matters to relative paths only" {
	mkdir gone
	write_conf
	mv penstock.conf full.conf
	sed "s,pid_file .*;,pid_file here.pid;," full.conf >relative.conf
	sed "/pid_file/d" full.conf >default.conf
	cd gone
	rmdir "$T/gone"
	run -0 penstock -c "$T/full.conf" -t
	run -1 penstock -c "$T/relative.conf" -t
	assert_output -p "relative.conf:4:10: pid_file: the path is relative to the working directory, which is gone"
	run -1 penstock -c "$T/default.conf"
	assert_output -p "pid_file: the default, penstock.pid, is relative to the working directory, which is gone"
	run -1 penstock
	assert_output -p "output_dir: the default, uploads, is relative"
	start_conf "$T/full.conf"
	echo abc >"$T/body"
	run -0 upload PUT /file/a "$T/body"
	assert_status 201
	reload
	run -0 penstock -c "$T/full.conf" -s stop
	await_exit
}

# Shared with a parent that made it so, it refuses what it cannot take at once.
@test "an output that does not block loses no line" {
	local n

	write_conf '' 'access_log stdout;' 'worker_processes 1;'
	mkfifo pipe
	exec {end}<>pipe
	(
		_penstock_env
		_exec_py launch with_nonblocking_output "$PENSTOCK" -c penstock.conf \
			>pipe 2>>stderr </dev/null 3>&- 4>&-
	) {end}>&- &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	curl -sS -o /dev/null "$URL/[1-1500]?$(printf 'x%.0s' {1..200})"
	n=$(timeout "$PENSTOCK_PATIENCE" head -n 1500 <&"$end" | grep -c '"GET /')
	assert_equal "$n" 1500
	exec {end}>&-
}

# A client of a UNIX socket can send descriptors beside its bytes; those that are
# received stay open until they are closed.
@test "descriptors that a client sends are not taken" {
	start_server 'overwrite on; sync off;' "listen unix:$T/sock;" 'worker_processes 1;'
	: >passed
	py connections pass_descriptors sock passed >answers
	assert_equal "$(cut -d ' ' -f 2 answers | tr '\n' ' ')" '201 200 200 200 200 '
	run -0 ls -l "/proc/$(workers)/fd"
	refute_output -p "$T/passed"
}
