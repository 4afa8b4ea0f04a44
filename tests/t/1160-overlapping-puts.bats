# Uploads to one name that overlap: which of them stays must follow from when the
# client sent them, and never from which worker, thread or connection of the
# server had its turn first.

# bats file_tags=engine

load ../lib/penstock

# begin [FIELDS]: a PUT of /file/a on a connection of its own, of which a part of
# the head is there; its worker, $LATE, is stopped.  complete sends the rest of
# it, and let_go has the worker go on; $SAID is what it answers.
begin() {
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'"${1:-}"
	eventually _has_late
	kill -STOP "$LATE"
}

_has_late() {
	LATE=$(ss -Htnp state established "sport = :$PORT" | grep -o 'pid=[0-9]*' | head -n 1)
	LATE=${LATE#pid=}
	[[ -n $LATE ]]
}

complete() { say "$FD" 'Content-Length: 5\r\n\r\nolder'; }

let_go() {
	kill -CONT "$LATE"
	heard
}

heard() {
	local answer

	answer=$(hear "$FD")
	SAID=${answer#HTTP/1.1 }
	SAID=${SAID:0:3}
	hang_up "$FD"
}

newer() {
	echo -n newer >newer
	upload PUT /file/a newer "$@"
}

teardown() {
	[[ -z ${LATE:-} ]] || kill -CONT "$LATE" 2>/dev/null || true
	penstock_teardown
}

store_has() { [[ $(cat "$STORE/a") == "$1" ]] || fail "$(cat "$STORE/a") was left, not $1"; }

late_and_newer() {
	needs_stamps # the first one's head is read after the other one's
	start_server "overwrite on; $1"
	[[ -z ${2:-} ]] || echo -n before >"$STORE/a"
	begin
	complete
	newer
	assert_status "${2:-201}"
	let_go
	assert_equal "$SAID" "${2:-201}"
	store_has newer
	eventually access_has '"PUT /file/a" '"${2:-201}"' .* superseded '
}

@test "the one that was sent later stays, though another worker had it first: a new name" {
	late_and_newer 'sync off;'
}

@test "the one that was sent later stays, though another worker had it first: a file is there" {
	late_and_newer 'sync off;' 200
}

@test "the same, synced" {
	late_and_newer 'sync on;'
}

@test "the same, in memory" {
	memory_dir
	STORE=$MEMORY/up
	late_and_newer 'sync on;'
}

@test "what was sent before the other, and comes whole only after it was stored, stays" {
	start_server 'overwrite on; sync off;' '' 'worker_processes 2;'
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nol'
	newer
	assert_status 201
	say "$FD" 'der'
	heard
	assert_equal "$SAID" 200
	store_has older
	eventually access_has '"PUT /file/a" 200 .* replaced '
}

# A client sends so little without waiting for anybody to read it.
@test "the same, though its head lay unread for a while" {
	start_server 'overwrite on; sync off;' '' 'worker_processes 1;'
	LATE=$(workers)
	kill -STOP "$LATE"
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'
	sleep 0.5
	kill -CONT "$LATE"
	newer
	assert_status 201
	say "$FD" 'older'
	heard
	assert_equal "$SAID" 200
	store_has older
	eventually access_has '"PUT /file/a" 200 .* replaced '
}

@test "a condition that lost is 412, and never a silent success" {
	local etag condition

	needs_stamps
	start_server 'overwrite on; sync off;'
	echo -n before >"$STORE/a"
	request HEAD /file/a
	etag=$(header ETag)
	for condition in "If-Match: $etag" 'If-Match: *' 'If-None-Match: "x"' \
		'If-Unmodified-Since: Thu, 31 Dec 2099 23:59:59 GMT'; do
		echo "$condition"
		begin "$condition"'\r\n'
		complete
		newer
		assert_status 200
		let_go
		assert_equal "$SAID" 412
		store_has newer
		echo -n before >"$STORE/a"
	done
	rm "$STORE/a"
	begin 'If-None-Match: *\r\n'
	complete
	newer
	assert_status 201
	let_go
	assert_equal "$SAID" 412
	store_has newer
}

@test "with overwrite off the later one is refused, whichever that is" {
	start_server 'overwrite off; sync off;'
	begin
	complete
	newer
	assert_status 201
	let_go
	assert_equal "$SAID" 409
	store_has newer
}

@test "a file that somebody else has put there supersedes nobody" {
	start_server 'overwrite on; sync off;'
	begin
	complete
	newer
	assert_status 201
	echo -n theirs >"$STORE/b"
	mv "$STORE/b" "$STORE/a"
	let_go
	assert_equal "$SAID" 200
	store_has older
}

@test "of two of which nobody waits for the first the newer one stays, always" {
	needs_stamps
	start_server 'overwrite on; sync off;' '' 'worker_processes 3;'
	run py uploads overlap "$STORE" 60 100
	assert_line 'older 0'
	run py uploads overlap "$STORE" 30 300000 new
	assert_line 'older 0'
	# Each was answered as stored.
	refute_line --regexp 'answers .*[345][0-9][0-9] '
	run py uploads overlap "$STORE" 30 2000 new three
	assert_line 'older 0'
}

# Each looks at what is there while the other one is about to replace it.
@test "the newer one stays, always, where replacing takes its time and nobody waits for the lock" {
	needs_stamps
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=/rename.* -e inject=/rename.*:delay_enter=3000 %s "$@"\n' \
		"$PENSTOCK" >slow
	chmod +x slow
	memory_dir
	STORE=$MEMORY/up
	write_conf 'overwrite on; sync off;' '' 'worker_processes 3;'
	PENSTOCK=$T/slow
	start_conf penstock.conf
	run py uploads overlap "$STORE" 60 100 three
	assert_line 'older 0'
	refute_line --regexp 'answers .*[345][0-9][0-9] '
}

@test "playlists as ffmpeg sends them: the newest one stays" {
	needs_stamps
	start_server 'overwrite on; sync off;' '' 'worker_processes 2;'
	run py uploads overlap "$STORE" 60 500 chunked
	assert_line 'older 0'
}

# What replaced it has its name, and that may not be on the disk yet.  Where there
# is no O_TMPFILE, too.
@test "the one that lost is not answered as stored before the one that stays is on the disk" {
	needs_stamps
	slowfs_start
	mkdir slow/up
	STORE=$T/slow/up
	STORES=("$T/backing/up")
	start_server "overwrite on; sync on; output_dir $STORE;"
	begin
	complete
	newer
	assert_status 201
	slowfs_ctl fail fsyncdir EIO
	let_go
	assert_equal "$SAID" 500
	store_has newer
	eventually access_has '"PUT /file/a" 500 .* outcome-unknown '
}

@test "the one that lost and is synced has the one that stays synced, too" {
	needs_stamps
	on_slow_disk
	begin
	complete
	echo -n newer >newer
	upload PUT /fast/a newer
	assert_status 201
	slowfs_ctl zero
	let_go
	assert_equal "$SAID" 201
	store_has newer
	# Its own data, and those of the other one.
	(($(slowfs_ctl count fsync) == 2))
}

# Both heads were read in the order in which they were sent; then the disk had the
# first one wait.  This is what a PORTABLE build knows, too.
#
# held_up [FIELDS]: such a first one; its answer is to be heard.
held_up() {
	slowfs_ctl stall fsync
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'"${1:-}"'Content-Length: 5\r\n\r\nolder'
	eventually _stalled
	echo -n newer >newer
	upload PUT /fast/a newer
}

_stalled() { (($(slowfs_ctl count waiting) >= 1)); }

# on_slow_disk: two locations lead to one directory, and one of them does not sync.
on_slow_disk() {
	slowfs_start
	mkdir slow/up
	STORE=$T/slow/up
	STORES=("$T/backing/up")
	start_server "overwrite on; sync on; output_dir $STORE;" \
		"location /fast { overwrite on; sync off; output_dir $STORE; }"
}

# bats test_tags=portable
@test "the one that was sent later stays, though the disk had the first one wait" {
	on_slow_disk
	held_up
	assert_status 201
	slowfs_ctl resume
	heard
	# As it would have been had it got the name just before.
	assert_equal "$SAID" 201
	store_has newer
	eventually access_has '"PUT /file/a" 201 .* superseded '
	held_up
	assert_status 200
	slowfs_ctl resume
	heard
	assert_equal "$SAID" 200
	store_has newer
}

# bats test_tags=portable
@test "a condition of the one that the disk had wait is judged by what stays" {
	local condition

	on_slow_disk
	for condition in 'If-Match: *' 'If-None-Match: "x"'; do
		echo "$condition"
		echo -n before >"$STORE/a"
		held_up "$condition"'\r\n'
		assert_status 200
		slowfs_ctl resume
		heard
		assert_equal "$SAID" 412
		store_has newer
	done
}

@test "a worker that dies on the way leaves nothing behind that others wait for, or lose to" {
	slowfs_start
	mkdir slow/up
	STORE=$T/slow/up
	start_server "overwrite on; sync off; output_dir $STORE;" '' 'worker_processes 2;'
	STORES=("$T/backing/up")
	slowfs_ctl stall link
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst'
	eventually _stalled
	_has_late
	kill -KILL "$LATE"
	slowfs_ctl resume
	eventually not_running "$LATE"
	hang_up "$FD"
	newer
	store_has newer
	eventually log_has 'ended by signal 9'
	# The one that takes its place clears away what it had in hand.
	_swept() { [[ -z $(find "$T/backing/up" -name '*.part' -o -name '*.note') ]]; }
	eventually _swept
}

_waits_for_lock() { grep -q -- "-> FLOCK .*:$(stat -c %i "$1") " /proc/locks; }

# What was found out in a directory that the path does not lead to any more is
# found out again where it is done in the end.
@test "superseded where the path led before, stored where it leads: that is what is said" {
	local lock

	is_portable && skip 'a PORTABLE build has a lock of another kind'
	mkdir was is
	echo -n before >was/a
	echo -n other >is/a
	STORE=$T/link
	ln -s was link
	start_server "overwrite on; sync off; output_dir $STORE;"
	begin 'If-Match: *\r\n'
	complete
	newer
	assert_status 200
	exec {lock}<was/.penstock
	flock "$lock"
	kill -CONT "$LATE"
	eventually _waits_for_lock was/.penstock
	ln -sfn is link
	exec {lock}<&-
	heard
	assert_equal "$SAID" 200
	store_has older
	assert_equal "$(cat was/a)" newer
	_both_are_logged() { (($(grep -c '"PUT /file/a" 200' access.log) == 2)); }
	eventually _both_are_logged
	run ! grep superseded access.log
}

# The kernel may begin to note them some milliseconds after it was asked.
@test "the kernel is asked for times before there is a worker that needs them" {
	is_sanitized && skip 'sanitizers and strace: in the plain build only'
	is_portable && skip 'PORTABLE: heads count by when they are read'
	printf '#!/bin/sh\nexec strace -D -f -qq -o calls -e trace=setsockopt,clone,clone3,fork,vfork %s "$@"\n' \
		"$PENSTOCK" >traced
	chmod +x traced
	PENSTOCK=$T/traced start_server 'overwrite on;'
	grep -m 1 -E 'SO_TIMESTAMPNS|fork\(|clone3?\(' calls >first
	grep 'SO_TIMESTAMPNS.*\[1\]' first || fail "$(cat first)"
}
