# A server that a service manager of the tests has started (as_service in launch.py).
# shellcheck shell=bash disable=SC2034 # PY is for the tests

# start_service NOTIFY WATCHDOG_US [RUNS [SOCKETS]]: $PY is the manager, $MASTER the
# server.
start_service() {
	(
		_penstock_env
		_exec_py launch as_service "$1" "$2" "${3:-1}" "${4:-}" "$PENSTOCK" -c penstock.conf \
			>>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	PY=$!
	eventually log_has 'worker ready' || fail "it is not up: $(cat stderr)"
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
}

# told REGEX: the manager was told that.
told() { grep -qE -- "$1" told; }

# said: what was told, without what is told all the time.
said() { grep -v '^WATCHDOG=1' told; }
