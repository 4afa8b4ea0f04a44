# Bodies that are moved into a memory file system through a pipe, and not copied: each
# arrives whole, and no byte of one gets into another.

# bats file_tags=portable
load ../lib/penstock

# The first upload makes the pipes, and they stay: a PORTABLE worker has none.
pipes() { find "/proc/$(workers)/fd" -lname 'pipe:*' | wc -l; }

# stores NAME SIZE [ARGS...]
stores() {
	random_file body "$2"
	upload PUT "/file/$1" body "${@:3}"
	[[ $STATUS == 20? ]]
	assert_equal "$(receipt bytes)" "$2"
	assert_same body "$STORE/$1"
}

begin() {
	memory_dir
	STORE=$MEMORY/up
	start_server "output_dir $STORE; $1" '' 'worker_processes 1; chunk_size 256k;'
}

# Without Expect small ones are collected.  Around what is worth a pipe, a chunk, and a pipe.
around_each() {
	local size before

	stores small 65535
	before=$(pipes)
	stores first 65536
	is_portable || (($(pipes) > before))
	for size in 65536 131071 131072 262144 262145; do
		stores "$size" "$size" -H Expect:
	done
	for size in 65537 262143 1048575 1048576 1048577 4300801; do
		stores "$size" "$size"
	done
	request POST /file --data-binary @body
	assert_same body "$STORE/$(receipt name)"
}

@test "around what is worth a pipe, a chunk and a pipe" {
	begin
	around_each
}

@test "the same where files are replaced" {
	begin 'overwrite on;'
	around_each
	stores first 1500000
	stores first 65537
}

@test "a checksum, a limit of the rate and a chunked body: without" {
	local before

	memory_dir
	STORE=$MEMORY/up
	start_server "output_dir $STORE; checksum sha256;" "location /slow { output_dir $STORE; limit_rate 100m; }" 'worker_processes 1;'
	before=$(pipes)
	stores a 1500000
	upload PUT /slow/b body
	assert_same body "$STORE/b"
	upload PUT /slow/c - <body
	assert_same body "$STORE/c"
	assert_equal "$(pipes)" "$before"
}

only_fits() { [[ $(files_in "$T/small/up") == "$T/small/up/fits" ]]; }

# What was in the pipe when the disk was full, or the client left, is in no other file.
@test "a file system that is full, and clients that leave: nothing is left in a pipe" {
	local i

	mkdir small
	# Room for two: of one that was cut it may not be given back yet.
	mount -t tmpfs -o size=8m none "$T/small"
	STORES+=("$T/small/up")
	start_server '' "location /full { output_dir $T/small/up; overwrite on; }" 'worker_processes 1;'
	random_file big 3M
	for i in 1 2 3; do
		upload_part /full/part big
		head -c 8M /dev/zero >small/filler 2>/dev/null || true
		upload_rest "$FD" big 507
		rm small/filler
		random_file fits 500k
		upload PUT /full/fits fits
		[[ $STATUS == 20? ]]
		assert_same fits "$T/small/up/fits"
		upload_part /full/part big
		hang_up "$FD"
	done
	eventually access_has client-gone
	eventually only_fits
}
