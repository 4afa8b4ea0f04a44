# What is said of an upload while the server cannot look: the disk is sick, it starts, it
# stops, there are too many.  tus-js-client, which takes a 5xx to HEAD for the loss of its
# upload, goes on with it after each.
#
# The kind of fault: an answer that is right for the moment, and makes a client begin from
# zero.

load ../lib/penstock
load ../lib/parts
load ../lib/resume

HEAD='HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n'

teardown() {
	[[ -z ${SLOWFS:-} ]] || slowfs_wake
	penstock_teardown
}

# left_behind VERSION: of an upload of 5 MB 2 are there; its client was killed.
left_behind() {
	VERSION=$1
	[[ -e body ]] || random_file body 5000000
	rm -f urls
	run ! _by_node ', "leave": 2000000'
	has_said 'POST 201' 'PATCH 204' 'PATCH 204'
	: >said
}
_by_node() {
	by_node "$VERSION" body "\"metadata\": {\"filename\": \"a\"}, \"chunkSize\": 1000000, \"storage\": \"$T/urls\",
		\"retryDelays\": [$(printf '200,%.0s' {1..60})200]$1"
}

# It comes again, in the background, and without what this test has opened.
comes_back() {
	([[ -z ${FD:-} ]] || hang_up "$FD"
		_by_node '') &
	CLIENT=$!
}

is_told() { grep -qE "^$1" said; }

# went_on [STORE]: with what was there.
went_on() {
	wait "$CLIENT" || fail "$(cat said client.err)"
	is_done
	run ! grep -q '^POST' said
	assert_equal "$(grep -c '^PATCH 204' said)" 3
	assert_same body "${1:-$STORE}/a"
	rm "${1:-$STORE}/a"
}

on_a_slow_disk() {
	slowfs_start
	STORES+=("$T/backing/up")
	start_resuming "output_dir $T/slow/up;" '' 'disk_stall_timeout 1s;'
}

# bats test_tags=long
@test "tus-js-client 4 and 5 go on after a disk was sick" {
	on_a_slow_disk
	for v in 4 5; do
		left_behind $v
		slowfs_hang
		comes_back
		eventually is_told 'HEAD 423'
		slowfs_wake
		went_on "$T/backing/up"
	done
}

# bats test_tags=long
@test "tus-js-client 4 and 5 go on when a server has started whose disk did not answer" {
	on_a_slow_disk
	for v in 4 5; do
		left_behind $v
		stop_server
		slowfs_hang
		start_conf penstock.conf
		comes_back
		eventually is_told 'HEAD 423'
		slowfs_wake
		went_on "$T/backing/up"
	done
}

@test "tus-js-client 4 and 5 go on when there are not too many any more" {
	start_resuming '' 'max_connections_per_ip 1;'
	for v in 4 5; do
		left_behind $v
		connect
		say "$FD" 'GET /file HTTP/1.1\r\n'
		comes_back
		eventually is_told 'HEAD 423'
		hang_up "$FD"
		FD=
		went_on
	done
}

# it_waits: a request is in the hands of the kernel.
it_waits() { ss -Htn state established "sport = :$PORT" | awk '$1 > 0 { n++ } END { exit !n }'; }

@test "tus-js-client 4 and 5 go on when a server was stopped that had not read what they ask" {
	start_resuming '' '' 'worker_processes 1;'
	for v in 4 5; do
		left_behind $v
		worker=$(workers)
		kill -STOP "$worker"
		comes_back
		eventually it_waits
		kill -TERM "$MASTER"
		kill -CONT "$worker"
		await_exit
		eventually is_told 'HEAD nothing'
		start_conf penstock.conf
		went_on
	done
}

@test "tus-js-client 4 and 5 go on when a server was stopped, by TERM and by QUIT, that received their part" {
	start_resuming 'limit_rate 1m;'
	random_file body 3000000
	for v in 4 5; do
		for signal in TERM QUIT; do
			(by_node $v body '"metadata": {"filename": "a"}') &
			CLIENT=$!
			eventually some_came
			kill -s $signal "$MASTER"
			await_exit
			start_conf penstock.conf
			wait "$CLIENT" || fail "$(cat said client.err)"
			is_done
			assert_equal "$(grep -c '^POST' said)" 1
			[[ $signal == QUIT ]] || is_told 'PATCH 503'
			assert_same body "$STORE/a"
			rm "$STORE/a" said
			eventually nothing_waits
		done
	done
}
some_came() { (($(offset_of) > 500000)); }
nothing_waits() { [[ -z $(find "$STORE/.penstock" -name '*.data') ]]; }

is_closed() { [[ -z $(ss -Htln "sport = :$PORT") ]]; }

@test "while a server finishes, others that come are not answered, and go on with the next one" {
	start_resuming
	for v in 4 5; do
		left_behind $v
		connect
		say "$FD" 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n'
		read -r _ <&"$FD"
		kill -QUIT "$MASTER"
		eventually is_closed
		comes_back
		eventually is_told 'HEAD nothing'
		head -c 200000 body >&"$FD"
		await_exit
		hang_up "$FD"
		FD=
		start_conf penstock.conf
		went_on
		rm "$STORE/b"
	done
}

@test "HEAD is never told 5xx by a server that stops: not when it is read, nor before" {
	local fds fd at

	start_server 'resume on;' '' 'worker_processes 1;'
	begin -H 'Upload-Length: 5'
	stall 0 5 he
	eventually data_has 2
	for at in whole part next; do
		connect
		case $at in
		whole) ;;
		part) say "$FD" "HEAD $UP HTTP/1.1\r\nHos" ;;
		next)
			say "$FD" "HEAD /file/.penstock/00000000000000000000000000000000 $HEAD\r\n"
			read -r _ <&"$FD"
			;;
		esac
		fds+=" $FD"
	done
	worker=$(workers)
	kill -STOP "$worker"
	connect # which no worker has accepted
	fds+=" $FD"
	for fd in $fds; do say "$fd" "HEAD $UP $HEAD\r\n"; done
	kill -TERM "$MASTER"
	kill -CONT "$worker"
	for fd in $fds; do
		hear "$fd" >told || true
		run ! grep -aE '^HTTP/1.1 (5|429|3)' told
	done
	await_exit
	start_conf penstock.conf
	up_at 2
}
