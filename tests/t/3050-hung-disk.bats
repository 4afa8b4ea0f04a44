# While a disk hangs, the loop of the worker goes on: no turn of it takes more
# than 50 ms, whatever hangs and whatever the clients do meanwhile.
#
# tests/lib/turns.py asks the worker every millisecond and takes off what this
# and that process waited for a processor, so that a busy machine is no excuse.
# What the hung disk holds up, it holds up until it is let go again: seconds.

# bats file_tags=engine
load ../lib/penstock

MOST_MS=50

teardown() {
	[[ -z ${FROZEN:-} ]] || fsfreeze -u "$FROZEN" 2>/dev/null
	penstock_teardown
}

# begin [LOCATION]: /slow on the slow disk, one worker.
begin() {
	! is_sanitized || skip 'times are measured in the plain build only'
	memory_dir
	mkdir "$MEMORY/backing"
	ln -s "$MEMORY/backing" backing
	slowfs_start
	begin_at "$T/slow/up" "${1:-}"
}

# The other location is in memory, so that the slow disk is the only one: only
# then a ring may be what writes to it.
begin_at() {
	SLOW=$1
	start_server "output_dir ${OTHER:-$MEMORY/files};" "access_log off; keepalive_requests 1000000000;
		location /slow { output_dir $1; overwrite on; ${2:-} }" 'worker_processes 1;'
	random_file stored 500K
	upload PUT /slow/stored stored
	assert_status 201
}

# O_DIRECT as well, once the server can.
begin_direct() {
	begin 'direct_io on; direct_io_min 64k;'
}

# ---- the clients

# bulk SIZE N [OPTIONS...]: so many uploads at once to the slow disk.
bulk() {
	local size=$1 n=$2
	shift 2

	ROUND=$((${ROUND:-0} + 1))
	"$PENSTOCK_TOOLS/load" --allow-errors -c "$n" -n "$n" -s "$size" -g 30 -u "/slow/$ROUND-%d" "$@" \
		"$ADDRESS:$PORT" >"load.$ROUND" 2>&1 3>&- 4>&- &
	CLIENTS+=("$!")
}

download() {
	local n

	for ((n = 0; n < 4; n++)); do
		curl -sS -o "got.$n" --max-time 40 "$URL/slow/stored" 3>&- 4>&- 2>/dev/null &
		CLIENTS+=("$!")
	done
}

# pausing N: so many that have sent a part, which is written, and send no more:
# nothing of theirs is in flight when they leave.  To be the first to `leave`.
pausing() {
	start_py uploads pause /slow/pausing "$1"
	CLIENTS+=("$PY")
	eventually has_parts "$1"
}

has_parts() {
	local f n=0

	for f in "/proc/$(workers)"/fd/*; do
		[[ $(readlink "$f") == "$SLOW"/* && $(stat -Lc %s "$f") -ge 65536 ]] && n=$((n + 1))
	done
	((n >= $1))
}

# Half of the clients are gone in the middle.
leave() {
	local n

	for ((n = 0; n < ${#CLIENTS[@]}; n += 2)); do
		kill -KILL "${CLIENTS[n]}" || true
		wait "${CLIENTS[n]}" || true
	done 2>/dev/null
}

# Those that stayed have an answer, and it is good.
come_back() {
	local pid

	for pid in "${CLIENTS[@]}"; do wait "$pid" || true; done
	CLIENTS=()
	run ! grep -H '^errors:.* [1-9]' load.*
	run ! grep -HE '^status:.* [^2]..:' load.*
	upload PUT /slow/stored stored --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
	rm -f load.*
}

# ---- the loop

answered() { (($(wc -l <turns) * 100 >= $1)); }

# go_on N: the worker answers another N times; else say where it is.
go_on() {
	eventually answered $(($(wc -l <turns) * 100 + $1)) && return
	kill -TERM "$TURNS"
	wait "$TURNS" || true
	tail -n 1 turns
	return 1
}

# no_long_turn COMMAND...: while it runs.  Other work on this machine may be in the way
# for once: three tries.
no_long_turn() {
	local longest

	for _ in 1 2 3; do
		CLIENTS=()
		"$PYTHON" -S -E "$REPO/tests/lib/turns.py" "$ADDRESS:$PORT" "$(workers)" >turns 2>turns.err 3>&- 4>&- &
		TURNS=$!
		eventually answered 100
		"$@"
		kill -TERM "$TURNS"
		wait "$TURNS" || fail "$(cat turns.err)"
		longest=$(tail -n 1 turns | jq '.longest_ms | floor')
		((longest > MOST_MS)) || return 0
		tail -n 1 turns
	done
	fail "a turn of the loop took $longest ms"
}

# The process of the disk stops while uploads are written, and more begin.
hang_and_wake() {
	slowfs_ctl zero
	pausing 4
	slowfs_ctl rate 20m
	bulk 1m "$1"
	eventually flowing
	slowfs_hang
	go_on 100
	bulk 1m "$1"
	bulk 4k 8
	bulk 4k 8
	bulk 0 8
	download
	go_on 300
	leave
	go_on 700
	slowfs_wake
	slowfs_ctl rate 0
	go_on 100
	come_back
}

flowing() { (($(slowfs_ctl count bytes) >= 200000)); }

# stalled OP: so of one kind of operation only, of one upload and of more.
stalled() {
	pausing 2
	slowfs_ctl stall "$1"
	bulk 200k 1
	go_on 100
	bulk 200k 4
	bulk 200k 4
	bulk 4k 4
	bulk 4k 4
	download
	go_on 200
	leave
	go_on 200
	slowfs_ctl resume
	come_back
}

each_stalled() {
	local op

	for op in "$@"; do
		echo "# stalled: $op"
		stalled "$op"
	done
}

# bats test_tags=long
@test "a disk that hangs, one upload" {
	begin
	no_long_turn hang_and_wake 1
}

# bats test_tags=long
@test "a disk that hangs, one upload, O_DIRECT" {
	begin_direct
	no_long_turn hang_and_wake 1
}

@test "a disk that hangs, 4 uploads" {
	begin
	no_long_turn hang_and_wake 4
}

# bats test_tags=long
@test "a disk that hangs, 32 uploads" {
	begin
	no_long_turn hang_and_wake 32
}

# bats test_tags=long
@test "a disk that hangs, 32 uploads, and there is another disk" {
	OTHER=$T/uploads begin
	no_long_turn hang_and_wake 32
}

# bats test_tags=long
@test "a disk that hangs, 200 uploads" {
	begin
	no_long_turn hang_and_wake 200
}

# bats test_tags=long
@test "a disk that hangs, 32 uploads, O_DIRECT" {
	begin_direct
	no_long_turn hang_and_wake 32
}

# bats test_tags=long
@test "a disk that hangs, 32 uploads, O_DIRECT, and there is another disk" {
	OTHER=$T/uploads begin_direct
	no_long_turn hang_and_wake 32
}

# bats test_tags=long
@test "a disk that hangs, 200 uploads, O_DIRECT" {
	begin_direct
	no_long_turn hang_and_wake 200
}

# bats test_tags=long
@test "a disk that hangs in making, writing or syncing a file" {
	begin
	no_long_turn each_stalled create write fsync truncate
}

# bats test_tags=long
@test "a disk that hangs in making, writing or syncing a file, O_DIRECT" {
	begin_direct
	no_long_turn each_stalled create write fsync truncate fallocate
}

# bats test_tags=long
@test "a disk that hangs in giving a name, or in syncing it" {
	begin
	no_long_turn each_stalled link rename unlink fsyncdir
}

# bats test_tags=long
@test "a disk that hangs in closing a file" {
	begin
	no_long_turn each_stalled flush release
}

# bats test_tags=long
@test "a disk that hangs in looking for a file, or reading it" {
	begin
	no_long_turn each_stalled lookup getattr open read
}

# ---- a frozen ext4

# A file system that a ring may try without waiting.
begin_frozen() {
	! is_sanitized || skip 'times are measured in the plain build only'
	memory_dir
	mkdir disk
	truncate -s 256M disk.img
	mkfs.ext4 -q -F disk.img
	mount -o loop disk.img disk
	FROZEN=$T/disk
	STORES+=("$T/disk/up")
	begin_at "$T/disk/up" "${1:-}"
}

freeze_and_thaw() {
	pausing 8
	bulk 2m 8 -r 3m
	bulk 2m 8 -r 3m
	go_on 100
	fsfreeze -f "$FROZEN"
	bulk 2m 8
	bulk 4k 8
	bulk 4k 8
	download
	go_on 300
	leave
	go_on 500
	fsfreeze -u "$FROZEN"
	go_on 100
	come_back
}

# bats test_tags=long
@test "an ext4 that is frozen under its uploads" {
	begin_frozen
	no_long_turn freeze_and_thaw
}

@test "an ext4 that is frozen under its uploads, O_DIRECT" {
	begin_frozen 'direct_io on; direct_io_min 64k;'
	no_long_turn freeze_and_thaw
}
