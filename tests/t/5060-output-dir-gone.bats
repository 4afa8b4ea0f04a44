# The output directory is removed, renamed, replaced, unmounted, made read-only
# under the server: nothing lands anywhere but where the path leads, the error
# log says what is wrong, and it heals by itself.

# bats file_tags=threads
load ../lib/penstock

# begin [LOCATION]: a store in $UP, which may go; something is stored already.
begin() {
	UP=${UP:-$T/place/up}
	STORES+=("$UP" "$T/moved")
	start_server '' "location /gone { output_dir $UP; ${1:-} }" "worker_processes ${WORKERS:-1};"
	random_file small 3000
	random_file large 300k
	upload PUT /gone/first small
	assert_status 201
}

LOST='notice .*: is not the directory any more that it was'

# refused STATUS [PROBLEM]: all kinds of uploads are; nothing of them is left.
refused() {
	local file how name=0

	for file in small large; do
		for how in 'Expect:' 'Expect: 100-continue' 'Transfer-Encoding: chunked'; do
			name=$((name + 1))
			upload PUT "/gone/r$name" $file -H "$how"
			assert_status "$1"
			assert_problem "${2:-output_dir of location /gone}"
		done
	done
	upload PUT /gone/d/e small -H 'Expect:'
	assert_status "$1"
	upload POST /gone small
	assert_status "$1"
}

_is_stored() { upload PUT "/gone/healed$1$RANDOM$RANDOM" small -H "${2:-Expect:}" && [[ $STATUS == 201 ]]; }

# It takes uploads again within some 2 s, and they are where the path leads.
heals() {
	local before i

	before=$(find "$UP" -name 'healed*' | wc -l)
	PENSTOCK_PATIENCE=3 eventually _is_stored "$EPOCHREALTIME"
	# Each worker finds out for itself.
	for ((i = 1; i < ${WORKERS:-1} * 5; i++)); do
		eventually _is_stored "$EPOCHREALTIME"
	done
	upload PUT "/gone/whole$EPOCHREALTIME" large
	assert_status 201
	assert_equal "$(find "$UP" -name 'healed*' | wc -l)" $((before + i))
}

@test "removed: 503, and it is not made again by us" {
	begin
	rm -r "$UP"
	refused 503
	refute [ -e "$UP" ]
	eventually log_has "$LOST"
	eventually access_has ' 503 .* vanished'
	mkdir "$UP"
	heals
	eventually log_has 'notice .*: open again'
}

@test "removed with all that it is in: as before" {
	begin
	rm -r place
	refused 503
	refute [ -e place ]
	mkdir -p "$UP"
	heals
}

@test "renamed: nothing lands in what was moved; renamed back" {
	begin
	mv "$UP" moved
	# The first client that asks is told before its body.
	raw 'PUT /gone/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 300000\r\n\r\n' >out
	assert_statuses 503
	refute grep -q '^HTTP/1.1 100' out
	refused 503
	assert_equal "$(files_in moved)" moved/first
	mv moved "$UP"
	heals
	assert_same small "$UP/first"
}

@test "a directory above it is renamed" {
	begin
	mv place moved
	refused 503
	assert_equal "$(files_in moved)" moved/up/first
	mv moved place
	heals
}

@test "replaced by another: uploads go to the new one" {
	begin
	mv "$UP" moved
	mkdir "$UP"
	heals
	assert_equal "$(files_in moved)" moved/first
	refute [ -e "$UP/first" ]
	eventually log_has "$LOST"
	eventually log_has 'notice .*: open again'
}

@test "replaced by a file: 503, until it is a directory again" {
	begin
	mv "$UP" moved
	: >"$UP"
	refused 503
	rm "$UP"
	mv moved "$UP"
	heals
}

@test "replaced by a symbolic link to another: uploads go there" {
	begin
	mv "$UP" moved
	mkdir there
	ln -s "$T/there" "$UP"
	UP=$T/there heals
	assert_equal "$(files_in moved)" moved/first
}

@test "replaced again and again under uploads: each 201 is where the path led" {
	begin 'sync off;'
	run -0 py directories move_under_uploads "$UP" "$T/moved"
	echo "$output"
	assert_line --regexp '^lost 0 of [0-9]+, after [0-9]+ moves$'
}

# in_flight NAME: an upload of which a part came, on $FD.
in_flight() { upload_part "/gone/$1" large; }

# ends STATUS: the rest of it is sent, and this is the answer.
ends() { upload_rest "$FD" large "$1"; }

@test "renamed under an upload: it is refused, and lands nowhere" {
	begin
	in_flight a
	mv "$UP" moved
	ends 503
	assert_equal "$(files_in moved)" moved/first
	mv moved "$UP"
	heals
}

@test "renamed and back under an upload: it is stored" {
	begin
	in_flight a
	mv "$UP" moved
	mv moved "$UP"
	ends 201
	assert_same large "$UP/a"
	refute log_has "$LOST"
}

@test "replaced under an upload, which is refused: the next goes to the new one" {
	begin
	in_flight a
	mv "$UP" moved
	mkdir "$UP"
	ends 503
	heals
	assert_equal "$(files_in moved)" moved/first
	assert_equal "$(find "$UP" -name a)" ''
}

@test "removed under an upload: it is refused" {
	begin
	in_flight a
	rm -r "$UP"
	ends 503
	refute [ -e "$UP" ]
	mkdir "$UP"
	heals
}

@test "a directory of the name is moved away under an upload: it is refused" {
	local to
	begin
	for to in "$T/moved" "$UP/moved"; do
		mkdir "$UP/d"
		in_flight d/a
		mv "$UP/d" "$to"
		ends 503
		assert_equal "$(find "$to")" "$to"
		in_flight d/a
		ends 201
		assert_same large "$UP/d/a"
		in_flight d/e/b
		mv "$UP/d" "$to/"
		mkdir "$UP/d"
		ends 503
		assert_equal "$(find "$to" "$UP" -name b)" ''
		rm -r "$to" "$UP/d"
	done
	refute log_has "$LOST"
}

@test "others that were in it when it was found out end as well" {
	local fds=() n
	begin
	for n in 1 2 3; do
		in_flight "a$n"
		fds+=("$FD")
	done
	mv "$UP" moved
	mkdir "$UP"
	heals
	for FD in "${fds[@]}"; do ends 503; done
	assert_equal "$(files_in moved)" moved/first
	assert_equal "$(find "$UP" -name 'a?')" ''
}

@test "a download that runs is not disturbed; the next one sees what is there" {
	begin
	random_file big 20M
	upload PUT /gone/big big
	assert_status 201
	connect
	say "$FD" 'GET /gone/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	local line
	read -t 10 -r -u "$FD" line
	[[ $line == 'HTTP/1.1 200 '* ]]
	mv "$UP" moved
	mkdir "$UP"
	cat <&"$FD" >rest
	hang_up "$FD"
	tail -c $((20 * 1024 * 1024)) rest >content
	assert_same big content
	_not_there() { request GET /gone/big && [[ $STATUS == 404 ]]; }
	PENSTOCK_PATIENCE=3 eventually _not_there
	cp small "$UP/other"
	_is_there() { request GET /gone/other && [[ $STATUS == 200 ]]; }
	PENSTOCK_PATIENCE=3 eventually _is_there
	assert_same small answer
}

@test "what is asked for of a directory that is gone: 503, and no 404" {
	begin
	rm -r "$UP"
	request GET /gone/first
	assert_status 503
	eventually log_has "$LOST"
	request GET /gone
	assert_status 503
	mkdir "$UP"
	cp small "$UP/first"
	_is_there() { request GET /gone/first && [[ $STATUS == 200 ]]; }
	PENSTOCK_PATIENCE=3 eventually _is_there
	assert_same small answer
}

@test "two workers: each finds out, and heals" {
	WORKERS=2 begin
	mv "$UP" moved
	local i
	for i in 1 2 3 4 5 6 7 8; do
		upload PUT "/gone/x$i" small
		assert_status 503
	done
	assert_equal "$(files_in moved)" moved/first
	mkdir "$UP"
	WORKERS=2 heals
}

@test "overwrite on, keep latest: a directory of temp names goes with it" {
	begin 'overwrite on; keep latest;'
	mv "$UP" moved
	refused 503
	assert_equal "$(files_in moved)" moved/first
	mkdir "$UP"
	PENSTOCK_PATIENCE=3 eventually _is_stored x
	upload PUT /gone/last small
	assert_status 201
	upload PUT /gone/last large
	assert_status 200
	_only() { [[ $(files_in "$UP") == "$UP/last" ]]; }
	eventually _only
	assert_same large "$UP/last"
	assert_equal "$(files_in moved)" moved/first
}

# It is ours, but another program tidies up: no more than one upload notices.
@test "its .penstock is removed, or moved away: replacing works again by itself" {
	local how
	begin 'overwrite on;'
	for how in 'rm -r' 'mv -t ..'; do
		(cd "$UP" && $how .penstock)
		for file in small large; do
			upload PUT /gone/first $file
			[[ $STATUS == 200 || $STATUS == 503 ]]
		done
		PENSTOCK_PATIENCE=3 eventually _is_replaced
		assert_same large "$UP/first"
		# A PORTABLE build goes on in one that was moved.
		[[ $how != 'rm -r' ]] || assert_equal "$(stat -c %a "$UP/.penstock")" 700
	done
	rm -r "$UP/../.penstock"
}

_is_replaced() { upload PUT /gone/first large && [[ $STATUS == 200 ]]; }

@test "its .penstock is removed where all uploads need it: they work again" {
	slowfs_start
	UP=$T/slow/up
	begin
	rm -r "$UP/.penstock"
	heals
}

# A process that can read the directory can lock it: that does not concern us.
@test "somebody holds a lock on it: files are replaced all the same" {
	begin 'overwrite on;'
	local lock
	exec {lock}<"$UP"
	flock "$lock"
	upload PUT /gone/first large --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
	upload PUT /gone/first small --max-time "$PENSTOCK_PATIENCE" -H 'If-Match: *'
	assert_status 200
	exec {lock}<&-
}

@test "on a disk without nameless files: renamed, and replaced" {
	slowfs_start
	UP=$T/slow/up
	begin
	mv "$UP" slow/moved
	refused 503
	assert_equal "$(files_in slow/moved)" slow/moved/first
	mkdir "$UP"
	heals
	in_flight a
	mv "$UP" slow/again
	ends 503
	assert_equal "$(find slow/again -name a)" ''
	assert_equal "$(find slow/again -name '*.part')" ''
}

# Until it was tried again to open the directory.
sleep_over_a_retry() {
	strace -qq -f -e trace=openat -o tries -p "$(workers)" 3>&- &
	_tried() { grep -q "\"$UP\"" tries; }
	eventually _tried
	kill -INT $!
	wait $! || true
}

@test "unmounted: 503, and nothing lands below the mount point" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	umount -l "$DISK"
	refused 503
	assert_equal "$(find "$DISK")" "$DISK"
	eventually log_has "$LOST"
	# Perhaps it was there before the disk was mounted the first time.
	mkdir "$UP"
	refused 503
	sleep_over_a_retry
	refused 503
	assert_equal "$(find "$UP")" "$UP"
	eventually log_has 'error .*disk/up: cannot be opened: the disk that it was on is not mounted there'
	rmdir "$UP"
	mount -o loop disk.img "$DISK"
	heals
	assert_same small "$UP/first"
}

@test "unmounted under an upload: it is refused; mounted again: nothing of it" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	in_flight a
	umount -l "$DISK"
	ends 503
	assert_equal "$(find "$DISK")" "$DISK"
	mount -o loop disk.img "$DISK"
	heals
	refute [ -e "$UP/a" ]
}

@test "the output directory is the mount point itself, and is unmounted" {
	loop_disk ext4 64M
	UP=$DISK
	begin
	umount -l "$DISK"
	refused 503
	assert_equal "$(find "$DISK")" "$DISK"
	mount -o loop disk.img "$DISK"
	heals
	assert_same small "$UP/first"
	# To serve what is there now takes a restart.
	umount -l "$DISK"
	refused 503
	stop_server
	start_conf "$T/penstock.conf"
	PENSTOCK_PATIENCE=3 eventually _is_stored x
	assert_equal "$(files_in "$DISK" | wc -l)" 1
}

# _new_workers HOW: other processes than before do the work now.
_new_workers() {
	local old
	old=$(workers)
	case $1 in
	crash) kill -KILL "$old" ;;
	reload) reload ;;
	esac
	_replaced() { [[ -n $(workers) && $(workers) != *"$old"* ]] && request GET / && [[ $STATUS == 200 ]]; }
	eventually _replaced
}

@test "removed: nor is it made again by workers that a crash or a reload starts" {
	begin
	rm -r place
	refused 503
	for how in crash reload reload crash; do
		_new_workers "$how"
		refused 503
		refute [ -e place ]
	done
	eventually log_has "warn .*location /gone -> $UP: is gone since it was open: it gets 503 until it is well again"
	eventually log_has "error .*$UP: cannot be opened: No such file or directory; uploads to it get 503"
	mkdir -p "$UP"
	heals
}

@test "made by a reload that was refused, and removed: the next one makes it" {
	begin
	write_conf '' "location /gone { output_dir $UP; } location /new { output_dir $T/place/new; }
		location /bad { output_dir /proc/bad; }"
	run ! reload
	[ -d place/new ]
	rm -r place/new
	write_conf '' "location /gone { output_dir $UP; } location /new { output_dir $T/place/new; }"
	reload
	upload PUT /new/x small
	assert_status 201
}

@test "a file is where its parent was, at a reload: 503, and it heals" {
	begin
	mv place moved
	touch place
	reload
	eventually log_has "warn .*location /gone -> $UP: is gone since it was open: it gets 503 until it is well again"
	refused 503
	rm place
	mv moved place
	heals
}

@test "made anew under its old inode: the newest is what is in it now" {
	local inode i=0

	is_portable && skip 'a PORTABLE build cannot tell directories apart that have the same inode'
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	inode=$(stat -c %i "$UP")
	rm -r "$UP"
	_is_free() {
		request GET /gone # so that the server lets it go
		mkdir "$DISK/new$((i += 1))"
		[ "$(stat -c %i "$DISK/new$i")" = "$inode" ]
	}
	eventually _is_free
	cp large "$DISK/new$i/other"
	mv "$DISK/new$i" "$UP"
	_finds_other() { request GET /gone && cmp -s answer large; }
	eventually _finds_other
}

@test "unmounted: nor do they take what lies below the mount point" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	umount -l "$DISK"
	mkdir "$UP"
	for how in crash reload reload crash; do
		_new_workers "$how"
		refused 503
		assert_equal "$(find "$UP")" "$UP"
	done
	eventually log_has 'warn .*location /gone -> .*: the disk that it was on is not mounted there: it gets 503'
	eventually log_has 'error .*/up: cannot be opened: the disk that it was on is not mounted there'
	rmdir "$UP"
	mount -o loop disk.img "$DISK"
	heals
	assert_same small "$UP/first"
}

@test "another disk is mounted over it: uploads go there" {
	begin
	mount -t tmpfs -o size=8m none "$UP"
	heals
	eventually log_has "$LOST"
	umount -l "$UP"
	assert_equal "$(files_in "$UP")" "$UP/first"
}

@test "read-only at a reload: the others are reloaded, and it heals" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	sync
	_is_read_only() { mount -o remount,ro "$DISK"; }
	eventually _is_read_only
	reload
	eventually log_has 'warn .*location /gone -> .*: Read-only file system: it gets 503 until it is well again$'
	upload PUT /file/b small
	assert_status 201
	upload PUT /gone/a small
	assert_status 503
	mount -o remount,rw "$DISK"
	heals
}

@test "remounted read-only: 500; read-write: it is as before" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	sync
	_is_read_only() { mount -o remount,ro "$DISK"; }
	eventually _is_read_only
	refused 500 'read-only'
	eventually log_has 'read-only \(Read-only file system\)'
	request GET /gone/first
	assert_status 200
	assert_same small answer
	mount -o remount,rw "$DISK"
	heals
	refute log_has "$LOST"
}
