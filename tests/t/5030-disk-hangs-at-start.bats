# An output directory that does not answer when the server starts: the others
# come up, this one says 503, and it heals when it comes back.

load ../lib/penstock

begin() {
	local from alone

	STORES+=("$T/backing/up")
	from=${EPOCHREALTIME/[.,]/}
	start_server
	alone=$((${EPOCHREALTIME/[.,]/} - from))
	stop_server
	# Five seconds more than without that directory, and not many more.
	from=${EPOCHREALTIME/[.,]/}
	start_server '' "location /slow { output_dir $T/slow/up; }" "${1:-}"
	((${EPOCHREALTIME/[.,]/} - from <= 7000000 + 5 * alone))
}

heals() {
	upload PUT /slow/a body --max-time 2 || return
	assert_status 201
}

others_work_this_one_waits() {
	random_file body 200000
	upload PUT /file/a body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	request GET /file/a --max-time "$PENSTOCK_PATIENCE"
	assert_same body answer
	upload PUT /slow/a body --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	assert_header Retry-After 1
	assert_problem 'output_dir of location /slow is not open'
	upload POST /slow body --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	request GET /slow --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	request GET /slow/a --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	request GET / --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
}

# A fixed time for all that the configuration names would be a hidden limit: here 60
# directories take more than the five seconds that one gets.
# bats test_tags=long
@test "many directories on a slow disk: each gets its time, and none is said to hang" {
	! is_sanitized || skip 'its time is of the clock: in the plain build only'
	slowfs_start
	slowfs_ctl latency mkdir 50 # the directory, and .penstock
	PENSTOCK_PATIENCE=30
	start_server '' "$(for ((n = 0; n < 60; n++)); do
		echo "location /slow$n { output_dir $T/slow/$n; }"
	done)"
	assert_equal "$(grep -c 'location /slow.*: published by' "$T/stderr")" 60
	run ! log_has 'does not answer'
}

@test "a disk that hangs: its process does not run" {
	slowfs_start
	slowfs_hang
	begin
	eventually log_has "location /slow -> $T/slow/up does not answer: it gets 503"
	others_work_this_one_waits
	slowfs_wake
	eventually heals
	assert_same body backing/up/a
}

# bats test_tags=long
@test "a disk that hangs in one operation only" {
	slowfs_start
	slowfs_ctl stall mkdir
	begin
	others_work_this_one_waits
	slowfs_ctl resume
	eventually heals
	assert_same body backing/up/a
}

# bats test_tags=long
@test "one process, no fork" {
	slowfs_start
	slowfs_hang
	begin 'worker_processes 0;'
	others_work_this_one_waits
	slowfs_wake
	eventually heals
}

# bats test_tags=long
@test "a server that was started beside a hung disk can be stopped" {
	slowfs_start
	slowfs_hang
	begin
	kill -TERM "$MASTER"
	eventually not_running "$MASTER"
	slowfs_wake
}

@test "a directory that goes wrong later does not stop the server" {
	slowfs_start
	begin
	random_file body 200000
	upload PUT /slow/a body
	assert_status 201
	mv backing/up backing/gone
	upload PUT /slow/b body
	[[ $STATUS == 5* || $STATUS == 201 ]]
	upload PUT /file/a body
	assert_status 201
}
