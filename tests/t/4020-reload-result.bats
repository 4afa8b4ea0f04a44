# -s reload waits for what comes of it and says it: 0 when the new workers accept,
# 1 with the server's own words when the running server refused.  The fault
# guarded here is a command that says "done" when it has only asked.

load ../lib/penstock

# reload_it [CONF]: -s reload; its status is $status, its words $output.
reload_it() { run penstock -c "${1:-penstock.conf}" -s reload; }

@test "-s reload ends when the new file holds" {
	start_server 'max_body_size 0;'
	for limit in 11k 12k 13k; do
		write_conf "max_body_size $limit;"
		reload_it
		assert_success
		assert_output ''
		# At once: there is nothing to wait for.
		random_file body $((${limit%k} * 1024 + 1))
		run -0 upload PUT "/file/$limit" body
		assert_status 413
	done
	assert_equal "$(_count 'reloaded: generation' error.log)" 3
	stop_server
	assert_equal "$(echo penstock.pid*)" 'penstock.pid*'
}

# bats test_tags=portable
@test "refused for a port, a directory, a log: status 1, and the server's words" {
	start_server
	other=$(free_port)
	start_py connections hold_port "$other"
	holder=$PY
	eventually test -e held
	write_conf '' "listen 127.0.0.1:$other;"
	reload_it
	assert_failure 1
	assert_line -e "^$T/penstock.conf:[0-9]+:[0-9]+: listen: 127.0.0.1:$other: Address already in use: somebody else listens there"
	assert_line 'reload: nothing was changed'
	# The same text as in its error log.
	log_has "listen: 127.0.0.1:$other: Address already in use: somebody else listens there"
	write_conf 'output_dir /proc/nowhere;'
	reload_it
	assert_failure 1
	assert_line -e "^$T/penstock.conf:[0-9]+:[0-9]+: output_dir: /proc/nowhere: cannot be opened or made"
	mkfifo fifo
	write_conf '' "access_log $T/fifo;"
	reload_it
	assert_failure 1
	assert_line -p 'it is a FIFO that nobody reads'
	write_conf
	reload_it
	assert_success
	assert_output ''
	kill "$holder"
}

@test "a mistake that the command itself finds is not sent, which is said" {
	start_server
	sed -i 's,chunk_size,chunk_sze,' penstock.conf
	for name in reload quit stop; do
		run -1 penstock -c penstock.conf -s "$name"
		assert_line -p "penstock.conf:3:1: chunk_sze: no such directive"
		assert_line "penstock: -s $name: not sent, nothing was changed"
	done
	upload PUT /file/a penstock.conf
	assert_status 201
}

# The file is good where -s is typed, and is not by the time the server looks.
@test "a mistake that only the server meets is told with its line and column" {
	start_server
	cp penstock.conf good.conf
	sed 's,chunk_size,chunk_sze,' good.conf >penstock.conf
	run -1 penstock -c good.conf -s reload
	assert_line "reload: $T/penstock.conf:3:1: chunk_sze: no such directive; did you mean chunk_size?"
	assert_line 'reload: nothing was changed'
}

@test "what needs a restart is told, and the rest applied" {
	start_server
	write_conf '' '' 'user nobody;'
	reload_it
	assert_success
	assert_output 'warning: reload: user: the change from none to nobody needs a restart
penstock: reloaded'
}

@test "what is a warning and what is the cause of a refusal can be told apart" {
	start_server
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=x \
		-keyout key.pem -out cert.pem 2>openssl.err
	tls="listen 127.0.0.1:$(free_port) ssl; ssl_certificate $T/cert.pem; ssl_certificate_key $T/key.pem;"
	write_conf '' "$tls ssl_ciphers nonsense;"
	reload_it
	assert_failure 1
	assert_line -e "^warning: $T/penstock.conf:[0-9]+:[0-9]+: ssl_certificate $T/cert.pem: it expires in [45] days"
	assert_line -e "^$T/penstock.conf:[0-9]+:[0-9]+: ssl_ciphers nonsense: OpenSSL cannot use it"
	refute_line 'penstock: reloaded'
	write_conf '' "$tls"
	reload_it
	assert_success
	assert_line -n 0 -e "^warning: $T/penstock.conf:[0-9]+:[0-9]+: ssl_certificate $T/cert.pem: it expires in [45] days"
	assert_line -n 1 'penstock: reloaded'
	assert_equal "${#lines[@]}" 2
}

@test "worker_processes 0: there is no master that could apply it" {
	start_server '' '' 'worker_processes 0;'
	reload_it
	assert_failure 1
	assert_line -p 'worker_processes 0 has no master that could apply it: restart'
	cp penstock.conf good.conf
	echo 'nonsense 1;' >>penstock.conf
	run -1 penstock -c good.conf -s reload
	assert_line -p 'nonsense: no such directive'
	run -0 request GET /
	assert_status 200
}

@test "worker_processes 0 that became another user can say it, too" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	chmod 777 "$T"
	start_server '' '' 'worker_processes 0; user nobody;'
	reload_it
	assert_failure 1
	assert_line -p 'has no master that could apply it'
}

@test "many at once: each gets a verdict of its own or a later look" {
	start_server
	cp penstock.conf good.conf
	pids=()
	for n in 1 2 3 4 5 6 7 8; do
		penstock -c penstock.conf -s reload 2>"said$n" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	cat said*
	[ -z "$(cat said*)" ]
	# A command that comes after the file was changed is not told of what was before.
	echo 'nonsense 1;' >>penstock.conf
	pids=()
	for n in 1 2 3 4 5 6 7 8; do
		penstock -c good.conf -s reload 2>"said$n" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		rc=0
		wait "$pid" || rc=$?
		assert_equal "$rc" 1
	done
	for n in 1 2 3 4 5 6 7 8; do
		grep -q 'nonsense: no such directive' "said$n" || fail "said$n: $(cat "said$n")"
	done
}

@test "another user than root asks for its own server; nobody else can read it" {
	chmod 777 "$T"
	write_conf
	(
		_penstock_env
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$PENSTOCK" \
			-c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	assert_equal "$(stat -c '%a %u' penstock.pid.reload)" '600 65534'
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$PENSTOCK" -c penstock.conf -s reload
	reload_it # root
	assert_success
	run -1 setpriv --reuid 65533 --regid 65533 --clear-groups "$PENSTOCK" -c penstock.conf -s reload
	assert_output "penstock: process $MASTER: Operation not permitted"
	assert_equal "$(_count 'reloaded: generation' error.log)" 2
}

# What others may put in its place must neither be believed nor written through.
@test "a file that is not the server's is not believed; one that is gone is made again" {
	start_server
	echo precious >precious
	rm penstock.pid.reload
	ln -s precious penstock.pid.reload
	reload_it
	assert_success
	assert_equal "$(cat precious)" precious
	refute [ -L penstock.pid.reload ]
	rm penstock.pid.reload
	reload_it
	assert_success
	mkfifo other
	mv other penstock.pid.reload
	reload_it
	assert_success
	# Another owner's.
	printf '99 applied 0 0000000000000000\n' >other
	chown 65534 other
	mv -f other penstock.pid.reload
	echo 'nonsense 1;' >>penstock.conf
	cp penstock.conf bad.conf
	sed /nonsense/d bad.conf >good.conf
	run -1 penstock -c good.conf -s reload
	assert_line -p 'nonsense'
	stop_server
	refute [ -e penstock.pid.reload ]
}

@test "a server that stops meanwhile, or has, says so" {
	start_server
	kill -STOP "$MASTER"
	penstock -c penstock.conf -s reload 2>said 3>&- &
	asked=$!
	_is_asked() { grep -q '^SigPnd:.*[1-9a-f]' "/proc/$MASTER/status" || grep -q '^ShdPnd:.*[1-9a-f]' "/proc/$MASTER/status"; }
	eventually _is_asked
	kill -KILL "$MASTER"
	ends_with 1 "$asked"
	assert_equal "$(cat said)" "penstock: process $MASTER ended before it had reloaded"
	reload_it
	assert_failure 1
	assert_output -p 'no penstock runs with it'
}

# bats test_tags=long
@test "while it finishes its uploads it refuses, and says why" {
	start_server
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab'
	_begun() { ls -l $(workers | sed 's|.*|/proc/&/fd|') | grep -qE "$STORE/(#|\.penstock/)"; }
	eventually _begun
	kill -QUIT "$MASTER"
	eventually log_has 'stopping when all uploads are finished'
	reload_it
	assert_failure 1
	assert_output 'reload: this server is stopping'
	say "$FD" 'cd'
	await_exit
	hang_up "$FD"
}

# bats test_tags=long
@test "where the file cannot be made, that is said at the start, and soon by -s" {
	chmod 777 "$T"
	mkdir run
	: >run/pid
	chown 65534 run/pid
	write_conf '' '' "pid_file $T/run/pid;"
	(
		_penstock_env
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$PENSTOCK" \
			-c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	log_has "run/pid.reload: cannot be made: Permission denied: -s reload cannot tell"
	reload_it
	assert_failure 1
	assert_output -p "since it cannot make $T/run/pid.reload: see its error_log"
	eventually log_has 'reloaded: generation 2'
}

# kill_workers PARENT: each worker of PARENT's as it comes, but for $KEPT, until
# there is a file `enough`.  A disk that hangs makes each of them wait a second
# before it accepts; the preflight, which must not be killed, has given up on it.
kill_workers() {
	eventually grep -q 'does not answer' error.log stderr
	while [ ! -e enough ]; do
		for pid in $(pgrep -P "$1"); do
			[ "$pid" = "$KEPT" ] || kill -KILL "$pid" 2>/dev/null || true
		done
	done
}

# bats test_tags=long
@test "new workers that end as they come: told, and the old ones go on" {
	slowfs_start
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 1;'
	KEPT=$(workers)
	slowfs_hang
	kill_workers "$MASTER" 3>&- &
	killer=$!
	reload_it
	: >enough
	wait "$killer"
	assert_failure 1
	assert_line 'reload: the new workers do not come up; the old ones go on until they do'
	run -0 request GET /
	assert_status 200
	slowfs_wake
	eventually log_has 'reloaded: generation 2'
	reload_it
	assert_success
}

# bats test_tags=long
@test "daemonize with workers that end as they come is no start: status 1" {
	slowfs_start
	slowfs_hang
	write_conf '' "location /slow { output_dir $T/slow/up; }" 'daemonize on; worker_processes 1;'
	(
		eventually test -s penstock.pid
		KEPT=
		cp penstock.pid was.pid
		kill_workers "$(cat was.pid)"
	) 3>&- &
	killer=$!
	rc=0
	penstock -c penstock.conf >>stdout 2>>stderr || rc=$?
	: >enough
	assert_equal "$rc" 1
	grep 'its workers do not come up, so it has stopped again: see its error_log' stderr
	wait "$killer"
	log_has 'daemonize: the workers do not come up: stopping'
	refute [ -e penstock.pid ]
	eventually eval '! is_running "$(cat was.pid)"'
	slowfs_wake
}

# bats test_tags=long
@test "a server that does not look is not waited for without end" {
	start_server
	kill -STOP "$MASTER"
	run -1 timeout 60 "$PENSTOCK" -c penstock.conf -s reload
	kill -CONT "$MASTER"
	assert_output -p "process $MASTER was told to reload; what came of it is not known, since it has said nothing for 30 seconds in $T/penstock.pid.reload: see its error_log"
	eventually log_has 'reloaded: generation 2'
}

# slow_workers: those that accept a second late, since the disk of
# one location does not list a directory; the preflight, which lists none, is quick.
slow_workers() {
	slowfs_start
	mkdir backing/up
	slowfs_ctl stall readdir
}

SLOW_LOCATION='location /slow { output_dir slow/up; overwrite on; }'

@test "a HUP that comes while new workers start is not forgotten" {
	slow_workers
	start_server '' '' 'worker_processes 1;'
	random_file part 200000
	# The worker that finishes it sends no CHLD.
	upload_part /file/held part
	write_conf '' "$SLOW_LOCATION" 'worker_processes 1;'
	penstock -c penstock.conf -s reload 2>said 3>&- &
	asked=$!
	eventually log_has 'location /slow -> '
	kill -HUP "$MASTER"
	slowfs_ctl resume
	wait "$asked"
	eventually log_has 'reloaded: generation 3'
	upload_rest "$FD" part 201
}

@test "a stop while the new workers come up: the reload is not said to be done" {
	slow_workers
	start_server '' '' 'worker_processes 1;'
	write_conf '' "$SLOW_LOCATION" 'worker_processes 1;'
	penstock -c penstock.conf -s reload 2>said 3>&- &
	asked=$!
	eventually log_has 'location /slow -> '
	kill -TERM "$MASTER"
	rc=0
	wait "$asked" || rc=$?
	assert_equal "$rc" 1
	grep -x 'reload: this server is stopping' said
	slowfs_ctl resume
	eventually not_running "$MASTER"
	run ! log_has 'reloaded: generation'
}

# One worker accepts, and the other one is dead, when TERM comes.
@test "daemonize ends with 1 when it is told to stop before its workers are up" {
	slowfs_start
	mkdir backing/up
	slowfs_ctl latency readdir 500
	write_conf '' "$SLOW_LOCATION" 'daemonize on; worker_processes 2;'
	penstock -c penstock.conf >>stdout 2>>stderr 3>&- &
	asked=$!
	eventually log_has 'listening on'
	MASTER=$(cat penstock.pid)
	_are_two() { [ "$(workers | wc -l)" = 2 ]; }
	eventually _are_two
	kept=$(workers | head -n 1)
	kill_other() { kill -KILL "$(workers | grep -vxF "$kept")"; }
	eventually kill_other
	eventually log_has ' 0.1: worker ready'
	eventually kill_other
	_has_died_twice() { [ "$(_count 'ended by signal 9' error.log)" = 2 ]; }
	eventually _has_died_twice
	kill -TERM "$MASTER"
	rc=0
	wait "$asked" || rc=$?
	assert_equal "$rc" 1
	eventually not_running "$MASTER"
	rm -r backing/up # what was killed left a probe there
}

@test "a pid file that was there before, another's: -s reload believes its server" {
	: >penstock.pid
	chown 65534 penstock.pid
	start_server
	reload_it
	assert_success
	assert_output ''
}

# Two with one pid_file line, after the file of the first was removed.
@test "a server whose pid file is another's by now leaves that one's verdicts alone" {
	start_server
	rm penstock.pid
	first=$MASTER
	PORT=$(free_port)
	start_server
	penstock -c penstock.conf -s reload
	before=$(stat -c %i penstock.pid.reload)
	kill -HUP "$first"
	eventually log_has "$first: reload: nothing was changed" # its port is another's, too
	assert_equal "$(stat -c %i penstock.pid.reload)" "$before"
	reload_it
	assert_success
	log_has "$MASTER: reloaded: generation 3"
}

@test "-s reload with another file than the server's says which one was read" {
	start_server
	cp penstock.conf other.conf
	reload_it other.conf
	assert_success
	assert_output "penstock: process $MASTER was started with $T/penstock.conf and has read that again, not $T/other.conf"
	ln -s penstock.conf link.conf
	reload_it link.conf
	assert_output ''
}

# bats test_tags=long
@test "a reload that has begun is waited for, however long it takes" {
	slow_workers
	start_server
	write_conf '' "$SLOW_LOCATION"
	penstock -c penstock.conf -s reload 2>said 3>&- &
	asked=$!
	eventually log_has 'location /slow -> '
	kill -STOP "$MASTER"
	read -rt 32 <> <(:) || true
	kill -CONT "$MASTER"
	slowfs_ctl resume
	wait "$asked"
	assert_equal "$(cat said)" ''
}

# The preflight takes a second or two, in which a worker dies.
@test "while a reload waits for a disk, a worker that dies is restarted" {
	slowfs_start
	start_server '' '' 'worker_processes 1;'
	fds_of() { find "/proc/$1/fd" -mindepth 1 -printf '%l\n' | sed 's/:\[.*//' | sort; }
	fds_of "$(workers)" >fds.before
	slowfs_ctl stall mkdir
	write_conf '' "listen 127.0.0.1:$(free_port); $SLOW_LOCATION" 'worker_processes 1;'
	penstock -c penstock.conf -s reload 2>said 3>&- &
	asked=$!
	_is_stalled() { [ "$(slowfs_ctl count waiting)" -gt 0 ] 2>/dev/null || slowfs_ctl count waiting | grep -q '[1-9]'; }
	eventually _is_stalled
	kill -KILL "$(pgrep -o -P "$MASTER")"
	_is_back() { [ "$(_count ' 0.1: worker ready' error.log)" = 2 ]; }
	eventually _is_back
	run ! log_has 'reloaded|does not answer'
	# It has none of what the reload has opened.
	fds_of "$(pgrep -n -P "$MASTER")" >fds
	diff fds.before fds
	slowfs_ctl resume
	wait "$asked"
	assert_equal "$(cat said)" ''
}

@test "what needs a restart is told last" {
	start_server
	memory_dir
	write_conf '' "location /memory { output_dir $MEMORY/up; }" 'user nobody;'
	chmod 777 "$T"
	reload_it
	assert_success
	assert_equal "${lines[-1]}" 'penstock: reloaded'
	assert_equal "${lines[-2]}" 'warning: reload: user: the change from none to nobody needs a restart'
	is_portable || assert_line -p "$MEMORY/up" # it cannot know that nothing is kept there
}

@test "max_generations: no reload beside so many that still finish uploads" {
	start_server '' '' 'max_generations 3;'
	random_file body 200000
	upload_part /file/a body
	first=$FD
	reload_it
	assert_success
	upload_part /file/b body
	reload_it
	assert_success
	reload_it
	assert_failure 1
	assert_line -e "^reload: $T/penstock.conf:[0-9]+:[0-9]+: max_generations 3: workers of 3 generations live"
	assert_line 'reload: nothing was changed'
	upload_rest "$first" body 201
	assert_same body "$STORE/a"
	_reloads() { penstock -c penstock.conf -s reload; }
	eventually _reloads
	hang_up "$FD"
	stop_server
}
