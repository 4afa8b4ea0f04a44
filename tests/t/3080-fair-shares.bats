# Fair queues: a client that asks for little, again and again, goes neither before all
# newcomers nor behind them; a crowd of such clients leaves every other one its turn.

load ../lib/penstock

# crowd COUNT: so many uploads that trickle, for as long as the test.
crowd() {
	start_py uploads trickle_fairly "$1" >crowd.out 2>crowd.err
	eventually grep -q trickles crowd.out
}

# took BODY: upload it, and set $US to how long that took.
took() {
	local from=${EPOCHREALTIME/[.,]/}

	upload PUT /file/one "$1" --max-time "${2:-10}"
	US=$((${EPOCHREALTIME/[.,]/} - from))
}

# bats test_tags=engine
@test "an upload beside many that trickle has its turn for each chunk" {
	local chunk=0 i

	start_server 'sync off; overwrite on;' '' \
		'worker_processes 1; chunk_size 64k; buffer_memory 1m;'
	random_file chunk 64k
	random_file body 1m
	crowd 150
	# The reference: the wait for one chunk, by those that take one.
	for i in 1 2 3 4; do
		took chunk
		((chunk += US))
	done
	took body 30
	assert_status 200
	assert_same body "$STORE/one"
	echo "one chunk: $((chunk / 4)) us; 16: $US us"
	((US <= 2 * 16 * chunk / 4))
}
