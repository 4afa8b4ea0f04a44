# Workers: they share the connections, die without harm, and come back.

load ../lib/penstock

# Live connections of each worker, most first.
connections() {
	local pid

	for pid in $(workers); do
		ls -l "/proc/$pid/fd" 2>/dev/null | grep -c 'socket:'
	done
}

# bulk N NAME: N uploads that go on until they are stopped; pids in $BULK.
bulk() {
	local i

	BULK=()
	for ((i = 0; i < $1; i++)); do
		(
			# A body that never ends within the test.
			exec curl -sS -o /dev/null --limit-rate 200K -T big "$URL/file/$2$i"
		) 2>/dev/null 3>&- &
		BULK+=($!)
	done
}

_uploads_run() {
	[ "$(connections | awk '{ n += $1 } END { print n }')" -ge "$1" ]
}

@test "of 8 bulk uploads started together, no worker of 2 gets more than 5" {
	! is_sanitized || skip 'the scheduler says who accepts: in the plain build only'
	start_server 'sync off;'
	random_file big 8M
	base=$(connections | head -n 1)
	for round in 1 2 3; do
		bulk 8 "r$round-"
		eventually _uploads_run $((2 * base + 8))
		for n in $(connections); do
			[ $((n - base)) -le 5 ] || fail "a worker has $((n - base)) of 8"
		done
		kill "${BULK[@]}"
		wait "${BULK[@]}" || true
		_idle() { ! _uploads_run $((2 * base + 1)); }
		eventually _idle
	done
}

@test "a worker killed in the middle is restarted, harms no other, leaves nothing" {
	local fds=() fd n
	start_server
	random_file big 4M
	for n in 0 1 2 3; do
		upload_part "/file/u$n" big
		fds+=("$FD")
	done
	victim=$(workers | head -n 1)
	kill -KILL "$victim"
	finished=0
	for fd in "${fds[@]}"; do
		! upload_rest "$fd" big 201 || finished=$((finished + 1))
	done
	eventually log_has "worker $victim .* was ended by signal 9 .*: restarting it"
	_two() { [ "$(workers | wc -l)" -eq 2 ]; }
	eventually _two
	# The uploads of the other one are all there, whole; no others are.
	[ "$finished" -ge 1 ] || fail "no upload survived"
	[ "$(files_in "$STORE" | wc -l)" -eq "$finished" ]
	for f in "$STORE"/u*; do
		assert_same big "$f"
	done
	run -0 upload PUT /file/again big
	assert_status 201
}

@test "a worker that keeps dying is restarted ever later" {
	start_server '' '' 'worker_processes 1;'
	for i in 1 2 3; do
		_one() { [ "$(workers | wc -l)" -eq 1 ]; }
		eventually _one
		kill -KILL "$(workers)"
		_count_is() { [ "$(grep -c 'restarting it' error.log)" -eq "$i" ]; }
		eventually _count_is
	done
	began=${EPOCHREALTIME/./}
	eventually _one
	# The third pause is 100 ms x 2 x 2.
	[ $((${EPOCHREALTIME/./} - began)) -ge 250000 ] || fail "it came back at once"
	run -0 request GET /
	assert_status 200
}

@test "when its descriptors run out a worker waits, does not spin, and goes on" {
	start_server '' '' 'worker_processes 1;'
	worker=$(workers)
	prlimit --pid "$worker" --nofile=$(($(ls "/proc/$worker/fd" | wc -l) + 4))
	fds=()
	for i in 1 2 3 4 5 6 7 8; do
		connect
		fds+=("$FD")
	done
	eventually log_has 'accept: Too many open files: pausing'
	before=$(awk '{ print $14 + $15 }' "/proc/$worker/stat")
	read -rt 1 < <(:) || true
	end=$((SECONDS + 2))
	until ((SECONDS >= end)); do read -rt 0.2 <> <(:) || true; done
	after=$(awk '{ print $14 + $15 }' "/proc/$worker/stat")
	[ $((after - before)) -le 20 ] || fail "it used $((after - before)) ticks of 200"
	for fd in "${fds[@]}"; do hang_up "$fd"; done
	_answers() { request GET / && [ "$STATUS" = 200 ]; }
	eventually _answers
}

@test "beyond worker_connections new ones wait, and get their turn" {
	start_server '' '' 'worker_processes 1; worker_connections 2;'
	connect
	first=$FD
	connect
	second=$FD
	say "$first" 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	eventually access_has '"GET /" 200'
	connect
	third=$FD
	say "$third" 'GET / HTTP/1.0\r\n\r\n'
	eventually log_has 'worker_connections 2 reached'
	hang_up "$first"
	hang_up "$second"
	run -0 hear "$third"
	assert_output --partial 'penstock takes uploads'
	hang_up "$third"
}

@test "without its master a worker finishes what it has and ends" {
	start_server
	random_file big 2M
	upload_part /file/u0 big
	pids=$(workers)
	kill -KILL "$MASTER"
	upload_rest "$FD" big 201
	assert_same big "$STORE/u0"
	for pid in $pids; do
		eventually not_running "$pid"
	done
	# And the port is free at once.
	start_server
}

@test "worker_processes 0: one process does it all" {
	start_server '' '' 'worker_processes 0;'
	[ -z "$(workers)" ]
	random_file body 1M
	run -0 upload PUT /file/a body
	assert_status 201
	assert_same body "$STORE/a"
	kill -HUP "$MASTER"
	eventually log_has 'the configuration is good, but worker_processes 0 has no master'
	echo 'nonsense 1;' >>penstock.conf
	kill -HUP "$MASTER"
	eventually log_has 'nonsense: no such directive'
	run -0 request GET /file/a
	assert_status 200
	stop_server QUIT
}
