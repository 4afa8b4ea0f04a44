# Sockets that a service manager hands over: they serve what `listen` says of their
# addresses, stay over reloads, and outlive the server, so that no client is refused
# while it restarts.

load ../lib/penstock

# start_service RUNS SOCKETS: $PY is the manager, $MASTER the server.
start_service() {
	manage "$@"
	eventually log_has 'worker ready' || fail "it is not up: $(cat stderr)"
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
}

manage() {
	(
		_penstock_env
		_exec_py launch as_service "$T/notify" 0 "$1" "$2" "$PENSTOCK" -c penstock.conf \
			>>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	PY=$!
}

# refused SOCKETS: the server does not start with them.
refused() {
	rm -f notify stderr
	manage 1 "$1"
	if ! eventually not_running "$PY"; then
		SERVERS+=("$(cat penstock.pid)")
		fail 'it has started'
	fi
	ends_with 1 "$PY"
}

inode_of() { ss -Htlne "sport = :$PORT" | sed -n 's/.* ino:\([0-9]*\).*/\1/p'; }

@test "TCP and UNIX sockets are taken over by their addresses, and stay over reloads" {
	local inode other

	other=$(free_port)
	write_conf '' "listen unix:$T/sock; listen 127.0.0.1:$other;"
	start_service 1 "web=$ADDRESS:$PORT,local=unix:$T/sock"
	run -0 grep -c 'listening on' stderr error.log
	grep -hE "listening on $ADDRESS:$PORT \(handed over as web\)\$" stderr error.log
	grep -hE "listening on unix:$T/sock .*\(handed over as local\)\$" stderr error.log
	grep -hE "listening on 127.0.0.1:$other\$" stderr error.log
	inode=$(inode_of)
	random_file body 1000
	run -0 upload PUT /file/a body
	assert_status 201
	run -0 penstock -c penstock.conf -s reload
	assert_equal "$(inode_of)" "$inode"
	run -0 curl -sS --unix-socket sock -o answer -w '%{http_code}' -T body http://h/file/b
	assert_output 201
	run -0 upload PUT /file/c body
	assert_status 201

	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
	assert [ -S sock ] # the manager's, not ours to remove
}

@test "a reload that listens there no more is refused, and says which socket" {
	write_conf '' "listen unix:$T/sock;"
	start_service 1 "web=$ADDRESS:$PORT,local=unix:$T/sock"
	sed -i '/unix:/d' penstock.conf
	run -1 penstock -c penstock.conf -s reload
	assert_output -p "listen unix:$T/sock: this socket was handed over to us (as local), and no server listens there"
	run -0 request GET /
	kill -QUIT "$MASTER"
	ends_with 0 "$PY"
}

@test "what cannot be used is an error that names it" {
	local other

	other=$(free_port)
	write_conf
	refused "web=$ADDRESS:$PORT,other=127.0.0.1:$other"
	grep -F "listen 127.0.0.1:$other: this socket was handed over to us (as other), and no server listens there" stderr
	refused "web=datagram:$ADDRESS:$PORT"
	grep -F 'LISTEN_FDS: web (descriptor 3): it is no listening stream socket' stderr
	write_conf '' "listen [::]:$other;"
	refused "six=[::]:$other"
	grep -F 'ipv6only cannot be changed while it listens: it was handed over with ipv6only off' stderr
}

@test "those of another process are none: they are closed" {
	write_conf
	exec {fd}<penstock.conf
	(
		_penstock_env
		LISTEN_PID=1 LISTEN_FDS=1 exec "$PENSTOCK" -c penstock.conf \
			3<&"$fd" >>stdout 2>>stderr </dev/null 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	run -0 ls -l "/proc/$MASTER/fd"
	refute_output -p "$T/penstock.conf"
	exec {fd}<&-
}

@test "over a restart no client is refused: who comes meanwhile waits" {
	local n codes

	write_conf
	start_service 2 "web=$ADDRESS:$PORT"
	random_file body 1000
	for n in {1..60}; do
		curl -sS -o /dev/null -w '%{http_code}\n' -H Expect: -T body "$URL/file/$n"
		sleep 0.02
	done >codes 2>&1 &
	local client=$!
	eventually [ -s codes ]
	kill -QUIT "$MASTER"
	wait "$client"
	run -0 sort codes
	assert_equal "$(sort codes | uniq -c | xargs)" '60 201'
	assert [ "$(cat penstock.pid)" != "$MASTER" ]
	kill -QUIT "$(cat penstock.pid)"
	ends_with 0 "$PY"
}
