# An upgrade of a server that a service manager has started, or that is process 1.

load ../lib/penstock
load ../lib/service

@test "MAINPID is told by the old master, when it is to end; then it is no stop" {
	write_conf
	start_service "$T/notify" 200000 1 ''
	eventually told '^READY=1'
	run -0 penstock -c penstock.conf -s upgrade
	new=$(cat penstock.pid)
	SERVERS+=("$new")
	run ! told MAINPID
	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
	run -0 said
	assert_line -n 0 'READY=1 STATUS=serving: generation 1, 2 workers'
	# The new one has told so, too; before it is the main one nobody hears that.
	assert_line -n 1 'READY=1 STATUS=serving: generation 2, 2 workers'
	assert_line -n 2 "MAINPID=$new STATUS=upgraded"
	assert_equal "${#lines[@]}" 3
	kill -QUIT "$new"
	eventually not_running "$new"
}

@test "going back is told to nobody, since nothing has changed for them" {
	write_conf
	start_service "$T/notify" 200000 1 ''
	eventually told '^READY=1'
	run -0 penstock -c penstock.conf -s upgrade
	new=$(cat penstock.pid)
	kill -QUIT "$new"
	eventually not_running "$new"
	eventually log_has 'is the only one again'
	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
	run -0 said
	refute_line -p MAINPID
	assert_equal "$(grep -c '^STOPPING=1' told)" 1
}

@test "sockets that a manager has handed over go on to the new master, and stay the manager's" {
	write_conf '' "listen unix:$T/a.sock;"
	start_service "$T/notify" 200000 1 "http=$ADDRESS:$PORT,by path=unix:$T/a.sock"
	random_file body 10K
	run -0 penstock -c penstock.conf -s upgrade
	new=$(cat penstock.pid)
	SERVERS+=("$new")
	kill -QUIT "$MASTER"
	eventually not_running "$MASTER"
	curl -sSf --unix-socket a.sock -T body http://localhost/file/a
	upload PUT /file/b body
	assert_status 201
	# Its names are known: a file that leaves one out is refused, as by the old one.
	write_conf
	run -1 penstock -c penstock.conf -s reload
	assert_output -p 'handed over to us (as by path), and no server listens there'
	kill -QUIT "$new"
	eventually not_running "$new"
	[ -S a.sock ]
}

@test "as process 1 it is refused in words" {
	unshare -p -f true 2>/dev/null || skip 'may not make a namespace of processes'
	write_conf
	(
		_penstock_env
		exec unshare -p -f --kill-child "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	UNSHARE=$!
	eventually log_has 'worker ready'
	MASTER=$(pgrep -P "$UNSHARE")
	SERVERS+=("$MASTER")
	kill -USR2 "$MASTER"
	eventually log_has 'upgrade: this is process 1: a container ends with it'
	random_file body 1K
	upload PUT /file/a body
	assert_status 201
	kill -QUIT "$MASTER"
	ends_with 0 "$UNSHARE"
}
