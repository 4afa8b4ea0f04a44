# A full disk is not a broken one.  Where no inode is left, or XFS and a quota
# have no block left, not even a nameless file can be opened: the server starts
# all the same, with all its locations, reloads, and replaces workers that crash;
# downloads go on, uploads get 507, and 201 as soon as there is room.

load ../lib/penstock

# bats file_tags=engine

# begin [LOCATION]: a server whose location /full is on the full disk at $DISK.
begin() {
	STORES+=("$DISK/up")
	random_file body 3000
	cp body "$DISK/up/there"
	fill
	LOCATIONS="location /full { output_dir $DISK/up; ${1:-} } location /other { output_dir $T/other; }"
	start_server '' "$LOCATIONS" 'worker_processes 1;'
	eventually log_has "warn .*location /full -> $DISK/up: .*full .uploads get 507 until there is room"
}

# It can be read, and the other location is as ever.
no_room() {
	request GET /full/there
	assert_status 200
	assert_same body answer
	upload PUT /full/a body -H "${1:-Expect:}"
	assert_status 507
	upload PUT "/other/$RANDOM$RANDOM" body
	assert_status 201
}

# All ways to ask for room.
no_room_at_all() {
	local how

	request GET /full
	assert_status 200
	for how in Expect: 'Expect: 100-continue' 'Transfer-Encoding: chunked'; do
		upload PUT /full/a body -H "$how"
		assert_status 507
		assert_problem 'no space is left in location /full'
		upload PUT /full/d/a body -H "$how"
		assert_status 507
	done
}

_new_worker() {
	local old
	old=$(workers)
	case $1 in
	crash) kill -KILL "$old" ;;
	reload) reload ;;
	esac
	_is_replaced() { [[ -n $(workers) && $(workers) != *"$old"* ]] && request GET / && [[ $STATUS == 200 ]]; }
	eventually _is_replaced
}

# The whole of it: nothing but room is needed for a 201, no restart.
full() {
	no_room_at_all
	no_room
	_new_worker reload
	no_room
	_new_worker crash
	no_room 'Expect: 100-continue'
	make_room
	_is_stored() { upload PUT "/full/a" body -H Expect: && [[ $STATUS == 201 ]]; }
	eventually _is_stored
	upload PUT /full/b body
	assert_status 201
	assert_same body "$DISK/up/b"
	refute log_has 'cannot be opened|does not answer|could not make'
	refute access_has '" 50[03] '
}

# Take all inodes, then (XFS) all blocks; some are to be given back.
fill() {
	local n=0 size=$((64 * 1024 * 1024))

	while : 2>/dev/null >"$DISK/room.$((n += 1))"; do :; done
	while ((size >= 4096)); do
		fallocate -l $size "$DISK/room.$((n += 1))" 2>/dev/null || size=$((size / 2))
	done
	sync -f "$DISK"
	while cp "$T/body" "$DISK/room.$((n += 1))" 2>/dev/null; do :; done
	return 0
}

make_room() {
	rm -rf "$DISK"/room.*
	sync -f "$DISK"
}

small_tmpfs() {
	DISK=$T/disk
	mkdir "$DISK"
	mount -t tmpfs -o size=8m,nr_inodes=16 none "$DISK"
	mkdir "$DISK/up"
}

@test "a tmpfs without inodes" {
	small_tmpfs
	begin
	full
}

# bats test_tags=long
@test "a tmpfs without inodes, where replacements need a directory of their own" {
	small_tmpfs
	begin 'overwrite on;'
	full
	upload PUT /full/b body
	assert_status 200
	upload PUT /full/b body -H Expect: -H 'If-Match: *'
	assert_status 200
}

# bats test_tags=long
@test "an ext4 without inodes" {
	loop_disk ext4 16M -N 32
	mkdir "$DISK/up"
	begin
	full
}

@test "an ext4 without inodes, where replacements need a directory of their own" {
	loop_disk ext4 16M -N 32
	mkdir "$DISK/up"
	begin 'overwrite on; keep latest;'
	full
	upload PUT /full/b body
	assert_status 200
	upload PUT /full/c body
	assert_status 201
	_only() { [[ $(find "$DISK/up" -type f | sort) == *"/c"$'\n'*"/there" ]]; }
	eventually _only
}

@test "an XFS without blocks" {
	loop_disk xfs 320M -m reflink=0
	mkdir "$DISK/up"
	fill() { _fill_xfs; }
	begin
	full
}

# One file takes all blocks; then there are none for inodes, nameless or not.
_fill_xfs() {
	py disks fill_blocks "$DISK"
}

@test "a btrfs whose quota is used up" {
	loop_disk btrfs 128M
	btrfs -q quota enable "$DISK"
	btrfs -q subvolume create "$DISK/sub"
	btrfs -q qgroup limit 5M "$DISK/sub"
	mkdir "$DISK/sub/up"
	DISK=$DISK/sub
	STORES+=("$DISK/up")
	fill() {
		head -c 6000000 /dev/urandom 2>/dev/null >"$DISK/room.0" || true
		sync -f "$DISK"
		for n in {1..400}; do head -c 20000 /dev/urandom >"$DISK/room.$n" || break; done 2>/dev/null
		sync -f "$DISK"
	}
	begin
	full
}

# bats test_tags=long
@test "a disk without nameless files, that is full whatever is tried" {
	local step
	slowfs_start
	DISK=$T/slow
	mkdir "$DISK/up"
	STORES+=("$T/backing/up")
	fill() { slowfs_ctl fail create ENOSPC && slowfs_ctl fail mkdir EDQUOT; }
	make_room() { slowfs_ctl clear; }
	begin
	full
	# It is found out with the first one, step by step.
	for step in create link; do
		stop_server
		slowfs_ctl fail $step ENOSPC
		start_conf "$T/penstock.conf"
		rm -rf "$T"/backing/up/[ad]
		no_room
		slowfs_ctl clear
		upload PUT "/full/$step" body
		assert_status 201
	done
}

@test "an output directory that there is no room to make: 507 there, and the others work" {
	small_tmpfs
	random_file body 3000
	fill
	start_server '' "location /full { output_dir $DISK/new/up; } location /other { output_dir $T/other; }" 'worker_processes 1;'
	eventually log_has "warn .*location /full -> $DISK/new/up: No space left on device: it gets 507 until it is well again"
	eventually log_has "error .*new/up: cannot be opened: No space left on device; uploads to it get 507"
	upload PUT /full/a body
	assert_status 507
	upload PUT /other/a body
	assert_status 201
	make_room
	_is_stored() { upload PUT /full/a body && [[ $STATUS == 201 ]]; }
	eventually _is_stored
	assert_same body "$DISK/new/up/a"
}

# A sync that failed makes a disk sick; that there is no room to try another one
# does not keep it so, nor does a sync that says there is no room make it so.
@test "a disk that failed, and is full: 507, not 503 for as long" {
	local step
	slowfs_start
	DISK=$T/slow
	mkdir "$DISK/up"
	STORES+=("$T/backing/up")
	fill() { :; }
	random_file body 3000
	start_server '' "location /full { output_dir $DISK/up; }" 'worker_processes 1;'
	slowfs_ctl fail fsync EIO once
	upload PUT /full/a body
	assert_status 500
	slowfs_ctl fail create ENOSPC
	_says() { upload PUT /full/a body && [[ $STATUS == "$1" ]]; }
	eventually _says 507
	slowfs_ctl clear
	upload PUT /full/a body
	assert_status 201
	slowfs_ctl fail fsyncdir ENOSPC once
	upload PUT /full/b body
	assert_status 500
	assert_problem 'outcome unknown'
	# A sync of a directory has failed, whatever for: the next one would say 0,
	# and is not believed before the disk was tried.
	_stored() { upload PUT "/full/$1" body && [[ $STATUS == 201 ]]; }
	eventually _stored c
	slowfs_ctl fail fsyncdir EDQUOT once
	upload PUT /full/d/a body
	assert_status 500
	assert_problem 'could not make the upload durable'
	eventually _stored d/a
}
