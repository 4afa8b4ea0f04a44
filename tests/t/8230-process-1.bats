# In a container penstock is process 1: it gets the orphans of all others, signals that
# have no handler do not reach it, and its end is that of the container.

load ../lib/penstock

setup() {
	penstock_setup
	unshare -p -f true 2>/dev/null || skip 'may not make a namespace of processes'
}

# start_as_one: $UNSHARE is whoever waits for it, $MASTER its process here.
start_as_one() {
	(
		_penstock_env
		exec unshare -p -f --kill-child "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	UNSHARE=$!
	eventually log_has 'worker ready' || fail "it is not up: $(cat stderr)"
	MASTER=$(pgrep -P "$UNSHARE")
	SERVERS+=("$MASTER")
	assert_equal "$(cat penstock.pid)" 1
}

# children STAT: how many of the master are called sleep and are in this state.
children() { ps -o stat=,comm= --ppid "$MASTER" | grep -c "^$1.* sleep" || true; }
has_orphan() { [[ $(children S) == 1 ]]; }
has_none() { ! ps -o comm= --ppid "$MASTER" | grep -q sleep; }

ends_well() {
	local workers=$1 signal=$2

	write_conf '' '' "worker_processes $workers;"
	start_as_one
	nsenter -t "$MASTER" -p bash -c '(trap "" HUP; exec -a sleep sleep 1) >/dev/null 2>&1 & exit' 3>&- 4>&-
	eventually has_orphan
	eventually has_none # not even a zombie
	random_file body 1000
	upload PUT "/file/$workers$signal" body
	assert_status 201
	kill "-$signal" "$MASTER"
	ends_with 0 "$UNSHARE"
	rm -f error.log
}

@test "as process 1 it takes in orphans, and ends with 0 on QUIT and TERM" {
	ends_well 2 QUIT
	ends_well 2 TERM
	ends_well 0 QUIT
}

@test "as process 1 it takes HUP and USR1, as any master" {
	local status

	write_conf '' "access_log $T/moved.log;"
	start_as_one
	echo hello >body
	upload PUT /file/a body
	eventually grep -q 'PUT /file/a' moved.log
	mv moved.log before.log
	kill -USR1 "$MASTER"
	eventually log_has 'logs reopened'
	kill -HUP "$MASTER"
	eventually log_has 'reloaded: generation 2'
	upload PUT /file/b body
	eventually grep -q 'PUT /file/b' moved.log
	status=$(nsenter -t "$MASTER" -p "$PENSTOCK" -c penstock.conf -s status 3>&- 4>&-)
	[[ $status == *running* ]]
	kill -QUIT "$MASTER"
	ends_with 0 "$UNSHARE"
}

@test "workers can get no new rights" {
	is_portable && skip 'a PORTABLE build cannot say so'
	start_server
	for pid in $(workers); do
		grep -qx $'NoNewPrivs:\t1' "/proc/$pid/status"
	done
}
