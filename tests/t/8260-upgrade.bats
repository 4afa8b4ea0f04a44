# USR2, -s upgrade: another version of the program takes over, on the same sockets and the
# same shared memory, and back; and what is wrong with it leaves the old one as it was.

load ../lib/penstock

# The program that runs lies in $T/bin, and is replaced there; REAL is the one for commands.
setup() {
	penstock_setup
	REAL=$PENSTOCK
	mkdir bin
	cp "$REAL" bin/penstock
	PENSTOCK=$T/bin/penstock
	random_file body 10K
}

real() { PENSTOCK=$REAL penstock -c penstock.conf "$@"; }

# replace TEXT: the program on disk is a script.
replace() {
	rm bin/penstock
	printf '#!/bin/sh\n%s\n' "$1" >bin/penstock
	chmod +x bin/penstock
}

# upgrade: -s upgrade, which works; $OLD and $MASTER are the two.
upgrade() {
	OLD=$MASTER
	run -0 real -s upgrade
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	[ "$MASTER" != "$OLD" ]
	[ "$(cat penstock.pid.oldbin)" = "$OLD" ]
}

# complete: QUIT to the old one, until it has ended.
complete() {
	kill -QUIT "$OLD"
	eventually not_running "$OLD"
	eventually [ ! -e penstock.pid.oldbin ]
}

serves() {
	upload PUT "/file/$1" body
	assert_status 201
	assert_same body "$STORE/$1"
}

is_master() { [[ $(cat penstock.pid 2>/dev/null) == "$1" && ! -e penstock.pid.oldbin ]]; }

# is_as_it_was: the server that ran goes on, and has its files again.
is_as_it_was() {
	eventually is_master "$MASTER"
	serves "again-$RANDOM"
	run -0 real -s status
	assert_line -n 0 "penstock: process $MASTER is running"
	run -0 real -s reload
	[ "$(ls -d penstock.pid* | tr '\n' ' ')" = 'penstock.pid penstock.pid.reload penstock.pid.reopen penstock.pid.status penstock.pid.upgrade ' ]
}

@test "an upgrade and its completion: both serve, then the new one alone" {
	start_server
	upgrade
	assert_output -p "process $MASTER, the new master, serves beside process $OLD"
	serves both
	[ "$(pgrep -c -P "$OLD")" = 3 ] # two workers, and the new master
	[ "$(workers | wc -l)" = 2 ]
	log_has "^[^ ]+ info [0-9]+ 0.2: worker ready"
	complete
	serves new
	eventually log_has "the old master, process $OLD, has ended"
	run -0 real -s status
	assert_line -n 0 "penstock: process $MASTER is running"
	assert_line -e '^generation: 2, since'
	# And again, from there.
	upgrade
	complete
	serves newer
	is_as_it_was
	stop_it
}

# stop_it: QUIT to the master, which is not our child any more.
stop_it() {
	kill -QUIT "$MASTER"
	eventually not_running "$MASTER"
	eventually [ ! -e penstock.pid ]
}

@test "an upload that runs during an upgrade is finished by the old program" {
	start_server
	random_file slow.bin 2M
	curl -sS -o slow.answer -w '%{http_code}' --limit-rate 1M -T slow.bin "$URL/file/slow" >slow.status 2>slow.err 3>&- &
	slow=$!
	eventually uploads_in_flight
	upgrade
	kill -QUIT "$OLD"
	serves new
	wait "$slow"
	[ "$(cat slow.status)" = 201 ]
	assert_same slow.bin "$STORE/slow"
	eventually not_running "$OLD"
	stop_it
}

uploads_in_flight() {
	ls -l $(workers | sed 's|.*|/proc/&/fd|') 2>/dev/null |
		grep -qE "$STORE/(#[0-9]+|\.penstock/[0-9a-f]+\.part)"
}

has_no_workers() { ! pgrep -P "$1" penstock-worker >/dev/null; }
has_workers() { [[ $(pgrep -c -P "$1" penstock-worker) == 2 ]]; }

@test "there and back: WINCH to the old one, HUP, QUIT to the new one" {
	start_server
	upgrade
	kill -WINCH "$OLD"
	eventually has_no_workers "$OLD"
	serves new
	# The file is one that the old program does not know: it is not read for HUP.
	cp penstock.conf good.conf
	echo 'of_the_future on;' >>penstock.conf
	kill -HUP "$OLD"
	eventually has_workers "$OLD"
	cp good.conf penstock.conf
	kill -QUIT "$MASTER"
	eventually not_running "$MASTER"
	serves old
	MASTER=$OLD
	is_as_it_was
	stop_server QUIT
}

@test "a program that does not start, or refuses the file, changes nothing, and it is said why" {
	start_server
	replace 'echo "it lacks a library" >&2; exit 3'
	run -1 real -s upgrade
	assert_output -p 'upgrade: it lacks a library'
	assert_output -p "$T/bin/penstock, process "
	assert_output -p 'ended with status 3 before it served: nothing was changed'
	log_has 'error [0-9]+: upgrade: it lacks a library'
	is_as_it_was
	replace 'kill -KILL $$'
	run -1 real -s upgrade
	assert_output -p 'was ended by signal 9 before it served'
	is_as_it_was
	replace 'exit 0'
	run -1 real -s upgrade
	assert_output -p 'ended with status 0 before it served'
	printf 'no program' >bin/penstock
	run -1 real -s upgrade
	assert_output -p "$T/bin/penstock: Exec format error"
	chmod -x bin/penstock
	rm bin/penstock
	run -1 real -s upgrade
	assert_output -p "upgrade: $T/bin/penstock cannot be executed: No such file or directory"
	is_as_it_was
	# The file is refused by the real program.  (The command would not send anything.)
	cp "$REAL" bin/penstock
	cp penstock.conf good.conf
	echo 'of_the_future on;' >>penstock.conf
	run -1 penstock -c good.conf -s upgrade
	assert_output -p 'upgrade: '
	assert_output -p 'of_the_future: no such directive'
	write_conf 'output_dir /proc/nowhere;'
	run -1 real -s upgrade
	assert_output -p 'output_dir: /proc/nowhere: cannot be opened or made'
	cp good.conf penstock.conf
	is_as_it_was
	upgrade
	complete
	stop_it
}

@test "refused in words: a second one, one before the old master has ended, and without a master" {
	start_server
	upgrade
	kill -USR2 "$OLD"
	eventually log_has "error $OLD: upgrade: process $MASTER is the new master already"
	run -1 real -s upgrade
	assert_output -p "upgrade: the old master, process $OLD, has not ended"
	has_workers "$OLD"
	has_workers "$MASTER"
	complete
	stop_it
	start_server '' '' 'worker_processes 0;'
	run -1 real -s upgrade
	assert_output -p 'upgrade: worker_processes 0 has no master that could hand its sockets over'
	stop_server
	start_server
	sed -i 's/^worker_processes 2/worker_processes 0/' penstock.conf
	run -1 real -s upgrade
	assert_output -p 'worker_processes 0 has no master that could take over'
	stop_server
}

@test "the new master is killed: the old one is whole, and serves, though it was paused" {
	start_server
	upgrade
	kill -WINCH "$OLD"
	eventually has_no_workers "$OLD"
	kill -KILL "$MASTER"
	MASTER=$OLD
	eventually has_workers "$MASTER"
	is_as_it_was
	log_has 'the new master, was ended by signal 9: this one is the only one again'
	stop_server QUIT
}

@test "the old master is killed: the new one is whole" {
	start_server
	upgrade
	kill -KILL "$OLD"
	eventually log_has "the old master, process $OLD, has ended"
	eventually is_master "$MASTER"
	[ -z "$(ls | grep oldbin)" ]
	is_as_it_was
	upgrade
	complete
	stop_it
}

@test "limits hold over both, and what a killed old master's workers counted is given back" {
	local out=()

	start_server '' 'max_uploads 2;'
	random_file slow.bin 2M
	for i in 1 2; do
		curl -sS -o "slow.answer$i" --limit-rate 100K -T slow.bin "$URL/file/slow$i" 2>"slow.err$i" 3>&- &
		out+=("$!")
	done
	# Before that one that is tried could have the place of one of them.
	eventually two_run
	eventually is_full
	upgrade
	kill -WINCH "$OLD"
	# By new workers, which have none themselves.
	for i in 1 2 3 4 5 6; do
		upload PUT "/file/more$i" body
		assert_status 503
	done
	# Neither their master nor they themselves can give it back.
	old_workers=$(pgrep -P "$OLD" penstock-worker)
	kill -KILL "$OLD" $old_workers
	eventually serves freed
	stop_it
}

two_run() {
	run penstock -c penstock.conf -s status
	[[ $output == *'uploads in flight: 2'* ]]
}

is_full() {
	upload PUT /file/full body
	rm -f "$STORE/full"
	[[ $STATUS == 503 ]]
}

@test "sockets: an address that the file has no more is closed, a new one opened; a UNIX socket stays" {
	start_server '' "listen unix:$T/a.sock; listen 127.0.0.2:$PORT;"
	upgrade
	complete
	curl -sSf --unix-socket a.sock -T body http://localhost/file/by-unix
	write_conf '' "listen unix:$T/a.sock; listen 127.0.0.3:$PORT;"
	upgrade
	curl -sSf -T body "http://127.0.0.3:$PORT/file/by-new"
	curl -sSf -T body "http://127.0.0.2:$PORT/file/by-old"
	complete
	run -7 curl -sS "http://127.0.0.2:$PORT/"
	curl -sSf --unix-socket a.sock -T body http://localhost/file/by-unix2
	stop_it
	[ ! -e a.sock ]
}

@test "started as another user: a reload after an upgrade leaves a UNIX socket as it is" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	local rights

	mkdir theirs
	chown nobody:nogroup theirs
	write_conf "output_dir $T/theirs/up;" "listen unix:$T/theirs/in.sock; access_log off;" \
		"pid_file $T/theirs/pid; error_log stderr info;"
	STORES+=("$T/theirs/up")
	(
		_penstock_env
		exec setpriv --reuid nobody --regid nogroup --clear-groups "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	rights=$(stat -c '%U:%G:%a' theirs/in.sock)
	run -0 real -s upgrade
	SERVERS+=("$(cat theirs/pid)")
	kill -QUIT "$(cat theirs/pid.oldbin)"
	eventually [ ! -e theirs/pid.oldbin ]
	run -0 real -s reload
	assert_output ''
	assert_equal "$(stat -c '%U:%G:%a' theirs/in.sock)" "$rights"
}

@test "a stop while the new master comes up: it ends, too" {
	start_server
	replace 'trap "" TERM; echo > "$0.up"; exec sleep 1'
	kill -USR2 "$MASTER"
	eventually [ -e bin/penstock.up ]
	kill -QUIT "$MASTER"
	await_exit
	log_has 'upgrade: given up: this server is stopping'
	[ -z "$(ls | grep 'penstock\.pid')" ]
}

@test "another layout of the shared memory: each has its own, and the log says what that means" {
	write_conf
	start_py launch hand_over_memory "$PENSTOCK" -c penstock.conf
	eventually log_has 'worker ready'
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	log_has 'warn [0-9]+: upgrade: the shared memory of process [0-9]+ cannot be used \(another version has another layout\)'
	log_has 'max_uploads and max_connections_per_ip may let through twice as many'
	serves a
	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
}

@test "a handover in another format is refused in words" {
	write_conf
	run -1 exec_directly
	assert_output -e "the master, process [0-9]+, hands over in format 9, and this penstock knows 1"
	# One that is not for this process is nothing.
	export PENSTOCK_UPGRADE="9 1 whatever
"
	start_conf penstock.conf
	unset PENSTOCK_UPGRADE
	serves a
	stop_server
}

exec_directly() (
	_penstock_env
	exec "$BASH" -c 'PENSTOCK_UPGRADE="9 $$ x
" "$1" -c penstock.conf & wait $!' - "$PENSTOCK"
)

# bats test_tags=long
@test "a program that does not come up in a minute is ended" {
	start_server
	replace 'exec sleep 1000'
	PENSTOCK_PATIENCE=90 run -1 real -s upgrade
	assert_output -p 'does not come up: ending it'
	is_as_it_was
	stop_server
}

# change ROUNDS UPGRADES: so many reloads, with so many upgrades between, every second one
# completed, the others taken back.
change() {
	local n back=0

	for ((n = 1; n <= $1; n++)); do
		run -0 real -s reload
		((n % ($1 / $2) == 0)) || continue
		upgrade
		if ((back = !back)); then
			complete
		else
			kill -WINCH "$OLD"
			eventually has_no_workers "$OLD"
			kill -HUP "$OLD"
			eventually has_workers "$OLD"
			kill -QUIT "$MASTER"
			eventually not_running "$MASTER"
			MASTER=$OLD
			eventually is_master "$MASTER"
		fi
	done
}

# under_load SMALL SLOW ROUNDS UPGRADES
under_load() {
	start_server '' '' "max_generations 100;"
	start_py changes go_on "$STORE" "$1" "$2" 0 >load.out
	change "$3" "$4"
	replace 'exit 1'
	run -1 real -s upgrade
	touch enough
	ends_with 0 "$PY"
	cat load.out
	grep -qE '^small: [0-9]{2,} good, 0 wrong' load.out
	grep -qE '^slow: [0-9]+ good, 0 wrong' load.out
	# Nothing is left: the same descriptors as those of a master that has just started.
	eventually has_workers "$MASTER"
	ls "/proc/$MASTER/fd" | wc -l >fds
	[ "$(cat fds)" -le 30 ]
	stop_it
}

@test "reloads and upgrades, there and back, under load: no upload is lost or cut" {
	under_load 2 2 4 2
}

# bats test_tags=long
@test "200 reloads and 20 upgrades, there and back, under load: no upload is lost or cut" {
	under_load 4 8 200 20
}
