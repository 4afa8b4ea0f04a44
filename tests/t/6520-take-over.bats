# A client comes back while the server still holds its old connection for alive.  The newer
# request is served at once, on whichever worker, and the older one is told what was kept of it.
#
# The kind of fault: a lock that is kept until a timeout, and a client that begins from
# zero.

load ../lib/penstock
load ../lib/resume

# take_over KIND HOW WHERE [claim]: within a second, at the median.
take_over() {
	local times

	mapfile -t pids < <(workers)
	times=$(py takeover take_over "$1" "$2" "$3" "${4:-none}" "${ROUNDS:-3}" "$STORE" "${pids[@]}")
	echo "$* $times"
	((${times%%.*} < 1000))
}

@test "HEAD takes over, from another worker and from the same" {
	start_resuming
	for kind in tus ietf-8 ietf-10; do
		for where in another same; do take_over $kind head $where; done
	done
}

@test "PATCH takes over, from another worker and from the same" {
	start_resuming
	for kind in tus ietf-8 ietf-10; do
		for where in another same; do take_over $kind patch $where; done
	done
}

@test "DELETE takes over, from another worker and from the same" {
	start_resuming
	for kind in tus ietf-8 ietf-10; do
		for where in another same; do take_over $kind delete $where; done
	done
}

@test "of a part with a digest nothing is kept" {
	start_resuming
	take_over tus head another claim
	take_over ietf-10 head another claim
	take_over tus patch same claim
}

# bats test_tags=engine,long
@test "taken over again and again, while others upload" {
	start_resuming
	"$PENSTOCK_TOOLS/load" -c 8 -s 256k -d 60 --allow-errors "$ADDRESS:$PORT" >load.out 3>&- 4>&- &
	busy=$!
	ROUNDS=20 take_over tus head another
	kill "$busy"
}
