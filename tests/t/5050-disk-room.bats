# A disk has room for an upload, or says so before the body; two that do not fit
# together do not both begin; and what was promised is given back, however an
# upload ends.

# bats file_tags=threads
load ../lib/penstock

# begin KIND [LOCATION [TOP]]: a small disk; $ROOM is the bytes it has.
begin() {
	case $1 in
	ext4) loop_disk ext4 64M ;;
	xfs) loop_disk xfs 320M ;;
	esac
	mkdir "$DISK/up"
	start_server '' "location /disk { output_dir $DISK/up; ${2:-} }" "${3:-}"
	ROOM=$(room)
	BEFORE=$(used)
}

room() { sync -f "$DISK" && df -B1 --output=avail "$DISK" | tail -n 1; }
used() { sync -f "$DISK" && df --output=used,iused "$DISK" | tail -n 1; }

# XFS frees an inode a little later: it may have had one more before.
_is_as_before() {
	local now before

	read -ra now <<<"$(used)"
	read -ra before <<<"$BEFORE"
	((now[0] <= before[0] && now[1] <= before[1]))
}

# Nothing is stored, and not a block or an inode is missing.
assert_as_before() {
	eventually _is_as_before || fail "used: $(used), before: $BEFORE" || return
	assert_store_empty "$DISK/up"
}

# hold NAME BYTES: a client that asks for room and gets it, and sends nothing;
# on $FD.  Fails when it is refused.
hold() {
	local line

	connect
	say "$FD" "PUT /disk/$1 HTTP/1.1\\r\\nHost: x\\r\\nExpect: 100-continue\\r\\nContent-Length: $2\\r\\n\\r\\n"
	IFS= read -t 10 -r -u "$FD" line
	if [[ $line == 'HTTP/1.1 100 '* ]]; then
		read -t 10 -r -u "$FD" line
		return
	fi
	echo "$line"
	hang_up "$FD"
	return 1
}

# There is so much room now: an upload gets it, and gives it back.
_fits() { hold try "$1" && hang_up "$FD"; }
fits() { eventually _fits "$1"; }

# refused BYTES: 507, without asking for the body, nor waiting for it.
refused() {
	raw "PUT /disk/refused HTTP/1.1\\r\\nHost: x\\r\\nExpect: 100-continue\\r\\nContent-Length: $1\\r\\n\\r\\n" >refused
	assert_statuses 507
	refute grep -q '^HTTP/1.1 100' refused
	assert_problem 'no space is left in location /disk|location /disk has not so much room beside min_free'
	raw "PUT /disk/refused HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: $1\\r\\n\\r\\n" >refused
	assert_statuses 507
	assert_header Connection close
}

cannot_fit() {
	begin "$@"
	refused $((ROOM + 1000000))
	refused 1000000000000
	refused 9223372036854775807
	assert_as_before
	fits $((ROOM / 10 * 9))
	assert_as_before
}

@test "ext4: an upload that cannot fit is refused before its body" {
	cannot_fit ext4
}

@test "XFS: an upload that cannot fit is refused before its body" {
	cannot_fit xfs
}

@test "ext4, through the page cache: an upload that cannot fit is refused before its body" {
	cannot_fit ext4 'direct_io off;'
}

@test "what is nearly all of the disk can be stored" {
	begin ext4
	head -c $((ROOM / 100 * 95)) /dev/zero | tr '\0' x >body
	upload PUT /disk/a body
	assert_status 201
	assert_same body "$DISK/up/a"
	refused $((ROOM / 10))
	rm "$DISK/up/a"
	fits $((ROOM / 10 * 9))
	assert_as_before
}

# worker_of FD: which worker has the other end.
worker_of() {
	local inode port

	inode=$(readlink "/proc/$BASHPID/fd/$1") || return
	inode=${inode//[!0-9]/}
	port=$(awk -v i="$inode" '$10 == i { print substr($2, 10) }' /proc/net/tcp)
	inode=$(awk -v p=":$port" -v s="$(printf ':%04X' "$PORT")" \
		'substr($3, 9) == p && substr($2, 9) == s { print $10 }' /proc/net/tcp)
	for pid in $(workers); do
		find "/proc/$pid/fd" -lname "socket:\\[$inode\\]" 2>/dev/null | grep -q . && echo "$pid"
	done
	return 0
}

# (/proc/net/tcp may leave a line out while others come and go.)
_is_taken() { TAKER=$(worker_of "$1") && [[ -n $TAKER ]]; }

# A connection to the worker that is not $1, on $FD.
connect_to_another() {
	local tries

	for ((tries = 0; tries < 50; tries++)); do
		connect
		eventually _is_taken "$FD" || return
		[[ $TAKER == "$1" ]] || return 0
		more+=("$FD")
	done
	return 1
}

two_together() {
	local big first first_worker more=() fd

	begin "$@"
	big=$((ROOM / 10 * 6))
	hold first $big
	first=$FD
	eventually _is_taken "$first"
	first_worker=$TAKER
	[[ -n $first_worker ]]
	refused $big
	refused $big
	# On the other worker as well.
	connect_to_another "$first_worker"
	say "$FD" "PUT /disk/second HTTP/1.1\\r\\nHost: x\\r\\nExpect: 100-continue\\r\\nContent-Length: $big\\r\\n\\r\\n"
	hear "$FD" | grep -q '^HTTP/1.1 507 '
	hang_up "$FD"
	for fd in "${more[@]}"; do hang_up "$fd"; done
	# What does fit beside it is no matter.
	hold small $((ROOM / 5))
	hang_up "$FD"
	hang_up "$first"
	fits $big
	assert_as_before
}

@test "ext4: two that do not fit together: the second one is refused" {
	two_together ext4
}

@test "XFS: two that do not fit together: the second one is refused" {
	two_together xfs
}

@test "ext4, through the page cache: two that do not fit together: the second one is refused" {
	two_together ext4 'direct_io off;'
}

# While the first one sends, what it has sent is not counted twice for good.
@test "one that has begun is stored, beside one that was refused" {
	local big first how
	begin ext4 'direct_io off;'
	big=$((ROOM / 10 * 6))
	head -c $big /dev/zero >body
	connect
	first=$FD
	say "$first" "PUT /disk/first HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: $big\\r\\n\\r\\n"
	head -c 10000000 body >&"$first"
	_refused() { ! _fits $big; }
	eventually _refused
	# What is written is not owed any more.
	tail -c +10000001 body | head -c $((ROOM / 10 * 5 - 10000000)) >&"$first"
	fits $((ROOM / 10 * 3))
	tail -c +$((ROOM / 10 * 5 + 1)) body >&"$first"
	hear "$first" | grep -q '^HTTP/1.1 201 '
	hang_up "$first"
	assert_same body "$DISK/up/first"
	fits $((ROOM / 10 * 3))
	rm "$DISK/up/first"
	fits $((ROOM / 10 * 9))
	assert_as_before
}

# 100 times: room for more than half of the disk is asked for, some of it is
# used, and the client goes away or is stored.  What leaked once would be
# missing the next time.
again_and_again() {
	begin "$@"
	run -0 py uploads ask_for_room $((ROOM / 10 * 6)) "$DISK/up"
	assert_output 'all 100 of 100'
	assert_as_before
}

@test "ext4: 100 times the room is there again" {
	again_and_again ext4
}

@test "XFS: 100 times the room is there again" {
	again_and_again xfs
}

@test "ext4, through the page cache: 100 times the room is there again" {
	again_and_again ext4 'direct_io off;'
}

worker_is_killed() {
	local i first

	begin "$@"
	for i in 1 2 3; do
		_held() { hold first $((ROOM / 10 * 6)); }
		eventually _held
		first=$FD
		head -c 3000000 /dev/zero >&"$first"
		_refused() { ! _fits $((ROOM / 2)); }
		eventually _refused
		eventually _is_taken "$first"
		kill -KILL "$TAKER"
		hang_up "$first"
		fits $((ROOM / 10 * 9))
	done
	assert_as_before
}

@test "a worker that is killed owes nothing any more" {
	worker_is_killed ext4
}

@test "a worker that is killed owes nothing any more, through the page cache" {
	worker_is_killed ext4 'direct_io off;'
}

@test "min_free stays free" {
	begin ext4 'min_free 20m;'
	local keep=$((20 * 1024 * 1024)) body
	refused $((ROOM - keep + 1000000))
	assert_problem 'beside min_free'
	eventually access_has ' 507 .* no-room'
	hold a $((ROOM - keep - 1000000))
	hang_up "$FD"
	assert_as_before
	# Of unknown length: it is told in time.
	body=$((ROOM - keep / 2))
	head -c $body /dev/zero | upload PUT /disk/b - -H 'Transfer-Encoding: chunked'
	assert_status 507
	assert_as_before
	body=$((ROOM - keep - 3000000))
	head -c $body /dev/zero | upload PUT /disk/b - -H 'Transfer-Encoding: chunked'
	assert_status 201
	assert_equal "$(stat -c %s "$DISK/up/b")" $body
	# Small ones as well, which are collected.
	(($(room) >= keep))
	head -c 4000000 /dev/zero | upload PUT /disk/c - -H 'Transfer-Encoding: chunked'
	assert_status 507
	(($(room) >= keep))
	fallocate -l $(($(room) - keep)) "$DISK/filled"
	head -c 60000 /dev/zero >small
	upload PUT /disk/d small -H 'Expect:'
	assert_status 507
	rm "$DISK/filled" "$DISK/up/b"
	upload PUT /disk/d small -H 'Expect:'
	assert_status 201
	rm "$DISK/up/d"
	assert_as_before
}

unknown_length() {
	local n

	begin "$@"
	head -c $((ROOM + 5000000)) /dev/zero | upload PUT /disk/a - -H 'Transfer-Encoding: chunked'
	assert_status 507
	assert_header Connection close
	assert_as_before
	# Several that fit alone: those that get a 201 are whole, the others gone.
	for n in 1 2 3; do
		(head -c $((ROOM / 10 * 5)) /dev/zero | exec curl -sS -o /dev/null -w '%{http_code}' --max-time 30 \
			-T - "$URL/disk/n$n" >"status.$n" 3>&-) &
	done
	for n in $(jobs -p); do
		[[ $n == "$MASTER" ]] || wait "$n" || true
	done
	for n in 1 2 3; do
		echo "$n: $(cat status.$n)"
		case $(cat status.$n) in
		201) assert_equal "$(stat -c %s "$DISK/up/n$n")" $((ROOM / 10 * 5)) && rm "$DISK/up/n$n" ;;
		507) refute [ -e "$DISK/up/n$n" ] ;;
		*) fail "what is that?" ;;
		esac
	done
	assert_as_before
}

@test "ext4: one of unknown length gets 507 when it is too long, and leaves nothing" {
	unknown_length ext4
}

@test "ext4, through the page cache: one of unknown length gets 507 when it is too long" {
	unknown_length ext4 'direct_io off;'
}

@test "no inode is left on an ext4: 507, collected or not" {
	local n
	loop_disk ext4 16M -N 32
	start_server '' "location /disk { output_dir $DISK/up; }"
	echo hello >body
	for ((n = 0; n < 100; n++)); do
		: 2>/dev/null >"$DISK/filled.$n" || break
	done
	[[ $n -lt 100 ]]
	upload PUT /disk/a body -H 'Expect:'
	assert_status 507
	upload PUT /disk/a body
	assert_status 507
	upload PUT /disk/d/a body
	assert_status 507
	assert_store_empty "$DISK/up"
	rm "$DISK/filled.0" "$DISK/filled.1"
	# Without nameless files each worker makes a note beside its first file, to see
	# what the directory hands down.
	! is_portable || rm "$DISK/filled.2"
	upload PUT /disk/a body -H 'Expect:'
	assert_status 201
	upload PUT /disk/b body
	assert_status 201
}

# What is allocated ahead is no reason to refuse what would have fitted.
@test "a limit on the size of files: 413 beyond it, whether the length is known or not" {
	local how size
	write_conf '' "location /disk { output_dir $T/disk/up; direct_io_min 0; }" 'worker_processes 1;'
	ulimit -S -f $((16 * 1024))
	if is_portable; then
		# It has its shared memory in a file.
		run -1 penstock -c "$T/penstock.conf"
		assert_output --partial 'shared memory'
		assert_output --partial 'File too large'
		ulimit -S -f unlimited
		start_conf penstock.conf
		prlimit --fsize=$((16 * 1024 * 1024)):unlimited --pid "$(workers)"
	else
		start_conf penstock.conf
		ulimit -S -f unlimited
	fi
	for size in 9M 15M 16M; do
		random_file body "$size"
		for how in 'Expect:' 'Transfer-Encoding: chunked'; do
			upload PUT "/disk/$size${how%%:*}" body -H "$how"
			assert_status 201
			assert_same body "disk/up/$size${how%%:*}"
		done
	done
	random_file body 17M
	for how in 'Expect:' 'Transfer-Encoding: chunked'; do
		upload PUT /disk/more body -H "$how"
		assert_status 413
		refute [ -e disk/up/more ]
	done
}

@test "a little room: what is small fits, whether its length is known or not" {
	local free how
	loop_disk ext4 64M
	free=$(($(stat -f -c '%a * %S' "$DISK")))
	start_server '' "location /disk { output_dir $DISK/up; min_free $((free - 300000)); }" \
		'worker_processes 1; chunk_size 4m;'
	random_file body 10000
	for how in 'Expect:' 'Transfer-Encoding: chunked'; do
		upload PUT "/disk/${how%%:*}" body -H "$how"
		assert_status 201
	done
	random_file body 400000
	for how in 'Expect:' 'Transfer-Encoding: chunked'; do
		upload PUT /disk/more body -H "$how"
		assert_status 507
		refute [ -e "$DISK/up/more" ]
	done
}

@test "a quota that is used up: 507, at each step it may be told at" {
	local step
	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 1;'
	random_file body 300k
	echo hello >small
	for step in create write fsync flush link; do
		for file in body small; do
			slowfs_ctl fail $step EDQUOT
			upload PUT /slow/a $file -H 'Expect:'
			assert_status 507
			slowfs_ctl clear
			assert_store_empty "$T/backing/up"
		done
	done
	upload PUT /slow/a body
	assert_status 201
}
