# A link that cuts, stalls, loses answers, closes halves and sends requests again, at random:
# whatever it does, each upload ends, is what was sent, and is there once.
#
# The kind of fault: a byte that is counted and not kept, or kept and not counted, in some
# order of events that nobody has thought of.

load ../lib/penstock
load ../lib/resume

# bad_link CUTS SECONDS MOST: files of less than MOST bytes, until there were so many cuts.
bad_link() {
	local seed=${SEED:-$RANDOM}

	# Creations whose answer was lost wait for their expiry.
	start_resuming 'max_resumable 0; max_resumable_per_client 0;'
	echo "seed $seed"
	link_start by_chance "$seed" "$3"
	py badlink upload "$STORE" "$1" "$2" 16 "$3" "$seed" tus tus tus ietf-3 ietf-5 ietf-6 ietf-8 ietf-9 ietf-10
	link_end
	link_did_all
}

# link_did_all: each kind of fault was met.
link_did_all() {
	local fault

	for fault in cut fin half stall deaf again; do (($(link_count $fault) > 0)) || fail "no $fault: $(cat link.counts)"; done
}

@test "200 cuts: each upload ends, identical, and once" {
	bad_link 200 60 300000
}

# bats test_tags=long
@test "10,000 cuts: each upload ends, identical, and once" {
	bad_link 10000 400 100000
}

# bats test_tags=long
@test "300 cuts while workers are killed: the same" {
	start_resuming
	link_start by_chance 1 300000
	py badlink upload "$STORE" 300 120 8 300000 1 tus ietf-10 >counted 3>&- 4>&- &
	client=$!
	for i in {1..10}; do
		sleep 0.5
		kill -KILL "$(workers | shuf -n 1)"
	done
	wait "$client"
	link_end
}
