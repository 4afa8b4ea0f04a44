# A disk that stalls holds up its own uploads and no others: one worker, a
# slow location beside a fast one on a disk and one in memory.

# bats file_tags=engine
load ../lib/penstock

begin() {
	slowfs_start
	memory_dir
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; }
		location /memory { output_dir $MEMORY; }" "worker_processes 1; ${1:-}"
	random_file big 3M
}

# bulk N: so many uploads to the slow location, as curls in the background.
bulk() {
	local i

	BULK=()
	for ((i = 0; i < $1; i++)); do
		curl -sS -o "bulk.$i" -w '%{http_code}' --max-time 120 -T big \
			"$URL/slow/bulk$i" >"bulk.status.$i" 2>"bulk.err.$i" 3>&- 4>&- &
		BULK+=("$!")
	done
	eventually in_connections "$1"
}

# stall N: so many uploads, each of which hangs in a write.
stall() {
	slowfs_ctl stall write
	bulk "$1"
	eventually in_stall "$1"
}

in_stall() { (($(slowfs_ctl count waiting) >= $1)); }

# small DIR [N]: that many small uploads are all stored, while the disk hangs.
small() {
	timeout "$((2 * PENSTOCK_PATIENCE))" "$PENSTOCK_TOOLS/load" -c 4 -n "${2:-150}" -s 4k -u "$1/small-%d" \
		"$ADDRESS:$PORT" 3>&- 4>&-
}

# What needs no disk, or finds out soon that it may not, is answered at once.
answers_at_once() {
	request GET / --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
	request GET /nowhere --max-time "$PENSTOCK_PATIENCE"
	assert_status 404
	request DELETE /slow/x --max-time "$PENSTOCK_PATIENCE"
	assert_status 405
	request GET /file/nothing --max-time "$PENSTOCK_PATIENCE"
	assert_status 404
	request PUT /slow/../x --path-as-is --data-binary x --max-time "$PENSTOCK_PATIENCE"
	assert_status 400
}

comes_back() {
	local i

	slowfs_ctl resume
	for i in "${!BULK[@]}"; do
		wait "${BULK[$i]}"
		assert_equal "$(cat "bulk.status.$i")" 201
		assert_same big "backing/up/bulk$i"
	done
}

@test "4 uploads hang: others go on, in memory" {
	begin
	stall 4
	run -0 small /memory 400
	answers_at_once
	comes_back
}

@test "4 uploads hang: others go on, on a disk" {
	begin
	stall 4
	run -0 small /file
	answers_at_once
	comes_back
}

# bats test_tags=long
@test "32 uploads hang: others go on, in memory" {
	begin
	stall 32
	run -0 small /memory 400
	answers_at_once
	comes_back
}

@test "32 uploads hang: others go on, on a disk" {
	begin
	stall 32
	run -0 small /file
	answers_at_once
	comes_back
}

# bats test_tags=long
@test "64 uploads hang with little memory: others go on, on a disk" {
	begin 'buffer_memory 2m;'
	slowfs_ctl stall write
	bulk 64
	eventually in_stall 1
	run -0 small /file
	random_file other 5M
	upload PUT /file/other other --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	answers_at_once
	comes_back
}

in_connections() {
	local n

	n=$(grep -c " 0100007F:$(printf %04X "$PORT") .* 01 " /proc/net/tcp) || true
	((n >= $1))
}

@test "a disk that hangs for good: others go on, and it finishes when it is back" {
	begin
	slowfs_hang
	bulk 40
	run -0 small /file
	run -0 small /memory 400
	answers_at_once
	slowfs_wake
	comes_back
}

@test "downloads from a stalled disk hold up nobody" {
	local i gets=()

	begin
	upload PUT /slow/a big
	assert_status 201
	upload PUT /file/a big
	slowfs_ctl stall read
	echo 3 >/proc/sys/vm/drop_caches 2>/dev/null || true
	for ((i = 0; i < 32; i++)); do
		curl -sS -o "got.$i" --max-time 120 "$URL/slow/a" 3>&- 4>&- &
		gets+=("$!")
	done
	eventually in_connections 32
	run -0 small /file
	request GET /file/a --max-time "$PENSTOCK_PATIENCE"
	assert_same big answer
	slowfs_ctl resume
	for i in "${!gets[@]}"; do
		wait "${gets[$i]}"
		assert_same big "got.$i"
	done
}

# hold_lock DIR: as a worker does that is stopped while it replaces a file.
hold_lock() {
	start_py disks hold_directory "$1/.penstock"
	HOLDER=$PY
	eventually test -e held
}

@test "another worker stops while it replaces a file: others go on, in memory" {
	memory_dir
	start_server '' "location /memory { output_dir $MEMORY; overwrite on; }" 'worker_processes 1;'
	random_file big 3M
	random_file tiny 3k
	for file in big tiny; do
		upload PUT "/memory/$file" $file
		assert_status 201
	done
	hold_lock "$MEMORY"
	curl -sS -o /dev/null -w '%{http_code}' --max-time 120 -T big "$URL/memory/big" >status.big 3>&- 4>&- &
	uploads=("$!")
	curl -sS -o /dev/null -w '%{http_code}' --max-time 120 -T tiny -H 'Expect:' "$URL/memory/tiny" >status.tiny 3>&- 4>&- &
	uploads+=("$!")
	curl -sS -o /dev/null -w '%{http_code}' --max-time 120 -T tiny -H 'If-None-Match: *' "$URL/memory/one" >status.one 3>&- 4>&- &
	uploads+=("$!")
	# Not collected, and what it is bound for is not known before the body.
	curl -sS -o /dev/null -w '%{http_code}' --max-time 120 -T big -H 'If-None-Match: *' "$URL/memory/d/e" >status.nested 3>&- 4>&- &
	uploads+=("$!")
	sleep 0.5
	request GET / --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
	run -0 small /memory
	for file in big tiny one nested; do
		refute [ -s "status.$file" ]
	done
	kill "$HOLDER"
	wait "${uploads[@]}"
	assert_equal "$(cat status.big status.tiny status.one status.nested)" 200200201201
}
