# Large uploads are written past the page cache: nothing of them is in it
# afterwards, and what is stored is the same, byte for byte and block for block.

load ../lib/penstock

# resident FILE: bytes of it that are in the page cache.
resident() {
	py disks resident "$1"
}

# talk TARGET HEADER FILE PIECE...: send a body in pieces, with silences; status,
# headers and content of the answer are left as ever.
talk() {
	rm -f headers answer status
	py uploads with_silences "$@"
}

begin() {
	loop_disk "$1" "${2:-320M}"
	start_server '' "location /disk { output_dir $DISK/up; direct_io_min 512k; ${3:-} }" \
		'worker_processes 1;'
}

# assert_exact FILE: it has the blocks that its size needs, one more for what
# the file system keeps of a large one, and none beyond its end.
assert_exact() {
	local size blocks need

	read -r size blocks < <(stat -c '%s %b' "$1")
	need=$(((size + 4095) / 4096 * 8))
	((blocks >= need && blocks <= need + 8)) ||
		fail "$1 of $size bytes has $blocks blocks, not $need"
}

# A client that this machine keeps from sending for 100 ms is a silent one: not
# each time.
_known_is_direct() {
	upload PUT /disk/known big || return
	[[ $STATUS == 20? && $(resident "$DISK/up/known") == 0 ]]
}

# Until it is large enough, the server does not know that it will be.
_unknown_is_direct() {
	local in_cache

	upload PUT /disk/unknown big -H 'Transfer-Encoding: chunked' || return
	in_cache=$(resident "$DISK/up/unknown")
	echo "of the one of unknown length $in_cache bytes are in the page cache"
	[[ $STATUS == 20? ]] && ((in_cache >= 524288 && in_cache <= 524288 + 65536))
}

past_the_cache() {
	local name

	begin "$1" '' 'overwrite on;'
	random_file big 8M
	eventually _known_is_direct
	eventually _unknown_is_direct
	for name in known unknown; do
		assert_same big "$DISK/up/$name"
		assert_exact "$DISK/up/$name"
	done
	random_file small 500k
	in_the_cache small 512000
	eventually log_has 'disk/up.*large ones written directly'
}

@test "ext4: large uploads go past the page cache, small ones do not" {
	needs_direct
	past_the_cache ext4
}

@test "XFS: large uploads go past the page cache, small ones do not" {
	needs_direct
	past_the_cache xfs
}

@test "direct_io off: all of it is in the page cache" {
	begin ext4 64M 'direct_io off;'
	random_file big 8M
	in_the_cache big 8388608
	eventually log_has 'disk/up.*written through the page cache'
}

# in_the_cache FILE SIZE: all of it is, when it was uploaded; once more beside a test that
# drops all caches.
in_the_cache() {
	local n size

	for n in 1 2 3; do
		upload PUT "/disk/$1$n" "$1"
		assert_status 201
		size=$(resident "$DISK/up/$1$n")
		((size == 0)) || break
	done
	assert_equal "$size" "$2"
}

# Each size with a Content-Length and without one.
all_sizes() {
	local size name

	begin "$1"
	random_file whole 3M
	for size in 1 65535 65536 65537 524287 524288 524289 589825 \
		1048575 1048576 1048577 1114113 2097153; do
		head -c $size whole >body
		upload PUT /disk/l$size body
		assert_status 201
		assert_equal "$(receipt bytes)" $size
		upload PUT /disk/c$size body -H 'Transfer-Encoding: chunked'
		assert_status 201
		for name in l$size c$size; do
			assert_same body "$DISK/up/$name"
			assert_exact "$DISK/up/$name"
		done
	done
}

@test "ext4: all sizes are stored as they are, and take no more room" {
	all_sizes ext4
}

@test "XFS: all sizes are stored as they are, and take no more room" {
	all_sizes xfs
}

# What came before the silence is not in the page cache, what came after it is.
_turns_buffered() {
	local in_cache header=$2

	talk "/disk/$1" "$header" body 1500000 -300 || return
	in_cache=$(resident "$DISK/up/$1")
	echo "$in_cache bytes are in the page cache"
	[[ -z $header ]] || in_cache=$((in_cache - 524288))
	[[ $(cat status) == 20? ]] && ((in_cache >= 1572864 && in_cache <= 1835008))
}

silent_client() {
	local name

	begin "$1" '' 'overwrite on;'
	random_file body 3M
	eventually _turns_buffered known ''
	eventually _turns_buffered unknown 'Transfer-Encoding: chunked'
	for name in known unknown; do
		assert_same body "$DISK/up/$name"
		assert_exact "$DISK/up/$name"
	done
}

@test "ext4: a client that is silent for a while turns it buffered" {
	needs_direct
	silent_client ext4
}

@test "XFS: a client that is silent for a while turns it buffered" {
	needs_direct
	silent_client xfs
}

# bats test_tags=long
@test "a client that is silent again and again, wherever: the content is whole" {
	local i n

	begin ext4
	random_file body 1500001
	for i in 1 2 3 4 5 6 7 8; do
		n=$((i * 65536 + (i % 3 - 1)))
		talk /disk/l$i '' body $n -150 $((i * 40000)) -150 1 -150 &
		talk /disk/c$i 'Transfer-Encoding: chunked' body $n -150 $((i * 40000)) -150 1 -150 &
	done
	for n in $(jobs -p); do
		[[ $n == "$MASTER" ]] || wait "$n"
	done
	for i in 1 2 3 4 5 6 7 8; do
		assert_same body "$DISK/up/l$i"
		assert_same body "$DISK/up/c$i"
		assert_exact "$DISK/up/l$i"
		assert_exact "$DISK/up/c$i"
	done
}

# A silence before anything was written, too, ends the waiting for whole chunks.
@test "after a silence part-filled chunks wait for 10 ms again, and not 100" {
	local i writes

	! is_sanitized || skip 'a time of milliseconds: in the plain build only'
	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; direct_io on; direct_io_min 64k; }" \
		'worker_processes 1;'
	random_file body 200k
	pieces=(1000 -150)
	for ((i = 0; i < 30; i++)); do
		pieces+=(1000 -40)
	done
	slowfs_ctl zero
	talk /slow/a '' body "${pieces[@]}"
	assert_status 201
	assert_same body backing/up/a
	writes=$(slowfs_ctl count write)
	echo "$writes writes"
	((writes >= 15))
}

# The file is open, and its writes are direct.
_is_direct() {
	local fd

	fd=$(find "/proc/$(workers)/fd" -lname "$T/slow/up/.penstock/*.part" -printf '%f\n' 2>/dev/null)
	[[ -n $fd ]] && (($(awk '$1 == "flags:" { print $2 }' "/proc/$(workers)/fdinfo/$fd") & 040000))
}

_sees_stalled() { (($(slowfs_ctl count waiting) > 0)); }

# A file must not change its ways under a write.
@test "the end of direct writing waits for those that are in flight" {
	needs_direct
	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; direct_io on; direct_io_min 64k; trace on; }" \
		'worker_processes 1;'
	random_file body 200k
	slowfs_ctl stall write
	talk /slow/a '' body 65536 -10 1000 -400 &
	local client=$!
	eventually _sees_stalled
	_is_direct
	# Its part-filled chunk is put after 100 ms, and given to the writer.
	_put_twice() { (($(grep -o '> put()' stdout | wc -l) >= 2)); }
	eventually _put_twice
	request GET /
	_is_direct
	slowfs_ctl resume
	wait $client
	assert_status 201
	assert_same body backing/up/a
}

# An overlay lets a file be set to O_DIRECT, and then cannot write it.
@test "direct_io on where it is refused: one line says so, and all is stored" {
	local i line fds=()

	mkdir ram over
	mount -t ramfs none "$T/ram"
	mkdir ram/{lower,upper,work}
	mount -t overlay -o "lowerdir=$T/ram/lower,upperdir=$T/ram/upper,workdir=$T/ram/work" none "$T/over"
	STORES+=("$T/over/up")
	start_server '' "location /over { output_dir $T/over/up; direct_io on; direct_io_min 128k; }" \
		'worker_processes 1;'
	random_file body 5000001
	# Several find out at once.
	for i in a b c d; do
		connect
		fds+=("$FD")
		say "$FD" "PUT /over/$i HTTP/1.1\\r\\nHost: x\\r\\nExpect: 100-continue\\r\\nConnection: close\\r\\nContent-Length: 5000001\\r\\n\\r\\n"
		read -t 10 -r -u "$FD" line
		[[ $line == 'HTTP/1.1 100 '* ]]
	done
	for i in 0 1 2 3; do
		cat body >&"${fds[i]}"
		hear "${fds[i]}" | grep -q '^HTTP/1.1 201 '
		hang_up "${fds[i]}"
	done
	for i in a b c d; do
		assert_same body "over/up/$i"
	done
	for i in 1 2 3; do
		upload PUT /over/l$i body
		assert_status 201
		upload PUT /over/c$i body -H 'Transfer-Encoding: chunked'
		assert_status 201
		assert_same body "over/up/l$i"
		assert_same body "over/up/c$i"
	done
	! is_portable || return 0 # it tries none
	assert_equal "$(grep -c 'direct I/O is refused here' error.log)" 1
	eventually log_has 'warn .*over/up: direct I/O is refused here'
}

@test "one direct write of many is refused: what was in flight is written again" {
	needs_direct
	local i

	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; direct_io on; direct_io_min 64k; write_depth 64; }" \
		'worker_processes 1; chunk_size 256k;'
	random_file body 12M
	slowfs_ctl latency write 10
	for i in 0 1 5; do
		slowfs_ctl fail write EINVAL after $i once
		upload PUT /slow/x$i body
		assert_status 201
		assert_same body backing/up/x$i
		kill -HUP "$MASTER" # whoever comes now tries it again
		eventually reloaded $((i == 5 ? 3 : i + 1))
	done
	assert_equal "$(grep -c 'direct I/O is refused here' error.log)" 3
}

reloaded() { (($(grep -c 'reloaded: generation' error.log) >= $1)); }

@test "on memory nothing is direct" {
	is_portable && skip 'a PORTABLE build cannot know the kind of a file system'
	memory_dir
	start_server "output_dir $MEMORY; direct_io on; direct_io_min 64k;"
	random_file body 5M
	upload PUT /file/a body
	assert_status 201
	assert_same body "$MEMORY/a"
	assert_equal "$(receipt durability)" memory
	refute log_has 'refused here'
	eventually log_has "$MEMORY.*written through the page cache"
}

used() { sync -f "$DISK" && df --output=used "$DISK" | tail -n 1; }

gives_back() {
	local before header

	begin "$1"
	random_file body 60M
	before=$(used)
	for header in 'Content-Length: 200000000' 'Transfer-Encoding: chunked'; do
		connect
		say "$FD" "PUT /disk/x HTTP/1.1\\r\\nHost: x\\r\\n$header\\r\\n\\r\\n"
		[[ $header == Content* ]] || say "$FD" '3ffffff\r\n'
		timeout 10 cat body >&"$FD"
		_takes_room() { (($(used) > before + 10000)); }
		eventually _takes_room
		hang_up "$FD"
		_is_given_back() { (($(used) <= before)); }
		eventually _is_given_back || fail "used: $(used), before: $before"
	done
	eventually access_has client-gone
	assert_store_empty "$DISK/up"
}

# bats test_tags=long
@test "ext4: an upload that breaks off gives its room back" {
	gives_back ext4
}

# bats test_tags=long
@test "XFS: an upload that breaks off gives its room back" {
	gives_back xfs
}

@test "the disk fails in the middle of direct writes: 500, and nothing is left" {
	local i

	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; direct_io on; direct_io_min 64k; }" \
		'worker_processes 1;'
	random_file body 8M
	for i in 0 1 4; do
		slowfs_ctl fail write EIO after $i
		upload PUT /slow/a body
		assert_status 500
		slowfs_ctl clear
		assert_store_empty "$T/backing/up"
	done
}
