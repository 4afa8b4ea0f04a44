# A disk that fails, at each step there is: the client is told the truth, by an
# answer and not by a reset, and what was not stored leaves nothing behind.

# bats file_tags=engine
load ../lib/penstock

begin() {
	slowfs_start
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; ${1:-} }" \
		'worker_processes 1;'
	random_file body 1M
	# With its first file in a directory a worker finds out how to make them.
	upload PUT /slow/first body
	assert_status 201
	rm backing/up/first
	slowfs_ctl zero
}

nothing_left() {
	assert_store_empty "$T/backing/up"
}

# The fault is over: the same name can be stored, and read back.
works_again() {
	slowfs_ctl clear
	upload PUT /slow/a body
	assert_status 201
	assert_same body backing/up/a
	request GET /slow/a
	assert_same body answer
}

# A sync has failed: new ones are refused until a file that is tried can be
# synced.
well_again() {
	slowfs_ctl fail fsync EIO
	upload PUT /slow/meanwhile body
	# Perhaps it was well again by then, and has failed now.
	[[ $STATUS == 503 ]] || upload PUT /slow/meanwhile body
	assert_status 503
	header Retry-After | grep -qE '^[1-9][0-9]*$'
	slowfs_ctl clear
	eventually _is_well_again
}

_is_well_again() {
	[[ $(grep -c 'slow/up: the disk answers again' error.log) == "$(grep -c 'the disk could not make an upload durable' error.log)" ]]
}

# fails STATUS DETAIL WORD: an upload is answered so.
fails() {
	upload PUT /slow/a body
	assert_status "$1"
	assert_problem "$2"
	eventually access_has "$3"
}

@test "the first write fails: 500, nothing is left" {
	begin
	slowfs_ctl fail write EIO once
	fails 500 'the disk of location /slow failed' disk-error
	nothing_left
	eventually log_has 'error .* disk-error \(Input/output error\)'
	works_again
}

@test "a write in the middle fails: 500, nothing is left" {
	begin
	slowfs_ctl fail write EIO after 7 once
	fails 500 'the disk of location /slow failed' disk-error
	nothing_left
	works_again
}

@test "the last write fails: 500, nothing is left" {
	begin
	slowfs_ctl fail write EIO after 15 once
	fails 500 'the disk of location /slow failed' disk-error
	nothing_left
	works_again
}

@test "each write fails, of 40 uploads at once: 500 for all" {
	begin
	slowfs_ctl fail write EIO
	run -0 "$PENSTOCK_TOOLS/load" --allow-errors -c 40 -n 40 -s 1m -u /slow/x%d "$ADDRESS:$PORT"
	assert_line --regexp "^status: 500: 40$"
	nothing_left
	works_again
}

@test "the disk is full: 507, nothing is left" {
	begin
	slowfs_ctl fail write ENOSPC after 3
	fails 507 'no space is left in location /slow' disk-full
	nothing_left
	works_again
}

@test "the disk is full: curl with a big body sees the 507" {
	begin
	random_file big 60M
	slowfs_ctl fail write ENOSPC after 100
	upload PUT /slow/a big
	assert_status 507
	assert_header Connection close
	nothing_left
}

@test "the disk is full: a chunked upload from a pipe sees the 507" {
	begin
	slowfs_ctl fail write ENOSPC after 3
	head -c 30M /dev/zero | upload PUT /slow/a -
	assert_status 507
	nothing_left
}

@test "the disk is full: a client that sends all before it reads sees the 507" {
	begin
	random_file big 20M
	slowfs_ctl fail write ENOSPC after 3
	run -0 raw -f big 'PUT /slow/a HTTP/1.1\r\nHost: x\r\nContent-Length: 20971520\r\n\r\n'
	assert_statuses 507
	nothing_left
}

@test "the sync fails: 500, nothing is published, and it is not tried again" {
	begin
	slowfs_ctl fail fsync EIO once
	fails 500 'could not make the upload durable' sync-failed
	nothing_left
	# The other sync is that of the file which tries whether it works again.
	eventually grep -q 'slow/up: the disk answers again' error.log
	assert_equal "$(grep -c 'the disk could not make an upload durable' error.log)" 1
	assert_equal "$(slowfs_ctl count fsync)" 2
	assert_equal "$(slowfs_ctl count link)" 0
	assert_equal "$(slowfs_ctl count rename)" 0
	works_again
}

@test "the disk is full at the sync: nothing is published, no second try" {
	begin
	slowfs_ctl fail fsync ENOSPC once
	upload PUT /slow/a body
	[[ $STATUS == 50[07] ]]
	nothing_left
	assert_equal "$(slowfs_ctl count fsync)" 1
	works_again
}

@test "the directory's sync fails: 500 outcome unknown, and the name stays" {
	begin
	slowfs_ctl fail create EROFS after 1 # what tries the disk again syncs, too
	slowfs_ctl fail fsyncdir EIO once
	fails 500 'outcome unknown' outcome-unknown
	assert_same body backing/up/a
	assert_equal "$(slowfs_ctl count fsyncdir)" 1
	slowfs_ctl clear
	# What has the name can be read.
	request GET /slow/a
	assert_same body answer
	well_again
	upload PUT /slow/a body
	assert_status 409
}

@test "the sync of a directory on the way fails: 500, no name, and the disk is sick" {
	begin
	slowfs_ctl fail fsyncdir EIO once
	upload PUT /slow/d/e/a body
	assert_status 500
	assert_problem 'could not make the upload durable'
	eventually access_has sync-failed
	refute [ -e backing/up/d/e/a ]
	# A second one would say 0: the disk is sick.
	eventually log_has 'the disk could not make an upload durable'
	well_again
	slowfs_ctl zero
	upload PUT /slow/d/e/a body
	assert_status 201
	assert_same body backing/up/d/e/a
	# a in e; e in d; d in the store
	assert_equal "$(slowfs_ctl count fsyncdir)" 3
}

@test "no room to sync a directory on the way: 500 all the same, it is not asked twice" {
	begin
	slowfs_ctl fail fsyncdir ENOSPC once
	upload PUT /slow/d/a body
	assert_status 500
	assert_problem 'could not make the upload durable'
	refute [ -e backing/up/d/a ]
	well_again
	upload PUT /slow/d/a body
	assert_status 201
}

# ---- names whose giving is done, and whose answer is lost

@test "the answer to the giving of a name is lost: it is looked, and it is there" {
	begin
	slowfs_ctl fail link EIO lost once
	upload PUT /slow/a body
	assert_status 201
	assert_same body backing/up/a
	assert_equal "$(slowfs_ctl count link)" 1
}

@test "the answer to a replacement is lost: it is looked, and it is there" {
	begin 'overwrite on;'
	echo old >old
	upload PUT /slow/a old
	assert_status 201
	slowfs_ctl fail rename EIO lost once
	upload PUT /slow/a body
	assert_status 200
	assert_same body backing/up/a
	assert_equal "$(slowfs_ctl count rename)" 1
}

_waits() { [[ $(slowfs_ctl count waiting) == 1 ]]; }

# lose_answer OP ERRNO: of an upload, and what became of it cannot be looked at.
lose_answer() {
	slowfs_ctl stall "$1"
	upload PUT /slow/a body &
	eventually _waits
	slowfs_ctl fail lookup EIO
	slowfs_ctl fail "$1" "$2" lost
	slowfs_ctl resume "$1"
	wait $!
	eventually access_has '"PUT /slow/a" 500 .* outcome-unknown'
	assert_same body backing/up/a
}

# The temp name could not be taken back either: the next start does.
next_start_sweeps() {
	stop_server
	start_conf penstock.conf
	refute compgen -G 'backing/up/.penstock/*.part'
}

# answer_is_lost OP ERRNO TEXT
answer_is_lost() {
	lose_answer "$1" "$2"
	eventually log_has "error .* outcome-unknown \\($3\\)"
	eventually log_has 'could not make an upload durable'
	slowfs_ctl clear
	eventually _is_well_again
	request GET /slow/a
	assert_same body answer
	next_start_sweeps
}

@test "the answer to the giving of a name is lost, and nobody can look: outcome unknown" {
	begin
	answer_is_lost link EIO 'Input/output error'
}

@test "the answer is lost, and asked for again: outcome unknown" {
	begin
	answer_is_lost link EEXIST 'File exists'
}

@test "the answer to a replacement is lost, and nobody can look: outcome unknown" {
	begin 'overwrite on;'
	echo old >old
	upload PUT /slow/a old
	assert_status 201
	answer_is_lost rename EIO 'Input/output error'
}

@test "the answer to a replacement is lost, and asked for again: outcome unknown" {
	begin 'overwrite on;'
	echo old >old
	upload PUT /slow/a old
	assert_status 201
	answer_is_lost rename ENOENT 'No such file or directory'
}

@test "an answer is lost where nothing is synced: the disk is not sick" {
	begin 'sync off;'
	lose_answer link EIO
	slowfs_ctl clear
	# What would try a sick disk does this.
	slowfs_ctl fail fsyncdir EIO
	upload PUT /slow/b body
	assert_status 201
	run ! log_has 'could not make an upload durable'
	next_start_sweeps
}

@test "a sick disk is not well before it can sync a directory" {
	begin
	slowfs_ctl fail fsyncdir EIO
	fails 500 'outcome unknown' outcome-unknown
	# The upload's own, and those of two tries.
	_tried_twice() { (($(slowfs_ctl count fsyncdir) >= 3)); }
	eventually _tried_twice
	run ! log_has 'slow/up: the disk answers again'
	upload PUT /slow/b body
	assert_status 503
	slowfs_ctl clear
	eventually _is_well_again
	upload PUT /slow/b body
	assert_status 201
}

@test "a file system that cannot sync directories: told at the start" {
	slowfs_start
	slowfs_ctl fail fsyncdir EINVAL
	write_conf '' "location /slow { output_dir $T/slow/up; }"
	run -1 penstock -c "$T/penstock.conf"
	assert_output -p 'cannot sync directories'
	assert_output -p 'say sync off'
	start_server '' "location /slow { output_dir $T/slow/up; sync off; }"
	STORES+=("$T/backing/up")
	echo hello >body
	upload PUT /slow/a body
	assert_status 201
}

_is_the_disks() {
	upload PUT "/slow/$2" "$1"
	assert_status 500
	assert_problem 'the disk of location /slow failed'
	eventually access_has "\"PUT /slow/$2\" 500 .* disk-error"
}

@test "an errno that clients have elsewhere is the disk's here: 500, and an answer" {
	local err

	begin
	echo small >small
	for err in EPIPE ECONNRESET ETIMEDOUT; do
		slowfs_ctl fail write "$err" once
		_is_the_disks body "$err-written"
		slowfs_ctl fail write "$err" once
		_is_the_disks small "$err-small"
		slowfs_ctl fail create "$err" once
		_is_the_disks body "$err-made"
	done
	upload PUT /slow/a body
	assert_status 201
	for err in EPIPE ECONNRESET ETIMEDOUT; do
		slowfs_ctl fail open "$err" once
		request GET /slow/a
		assert_status 500
	done
	slowfs_ctl clear
	request GET /slow/a
	assert_same body answer
}

@test "sync off syncs nothing" {
	begin 'sync off;'
	slowfs_ctl fail fsync EIO
	slowfs_ctl fail fsyncdir EIO
	upload PUT /slow/a body
	assert_status 201
	assert_equal "$(receipt durability)" buffered
	assert_equal "$(slowfs_ctl count fsync)" 0
	assert_equal "$(slowfs_ctl count fsyncdir)" 0
	assert_same body backing/up/a
}

@test "one sync of the data, and one of the directory" {
	begin
	upload PUT /slow/a body
	assert_status 201
	assert_equal "$(receipt durability)" synced
	assert_equal "$(slowfs_ctl count fsync)" 1
	assert_equal "$(slowfs_ctl count fsyncdir)" 1
	assert_equal "$(slowfs_ctl count bytes)" 1048576
}

@test "the file cannot be made: 500 before the body" {
	begin
	slowfs_ctl fail create EACCES
	fails 500 'look at its owner and mode' no-permission
	assert_equal "$(slowfs_ctl count write)" 0
	nothing_left
	works_again
}

@test "the disk is read-only: 500 before the body" {
	begin
	slowfs_ctl fail create EROFS
	fails 500 'is read-only' read-only
	nothing_left
	works_again
}

@test "no more files: 507 before the body" {
	begin
	slowfs_ctl fail create ENOSPC
	fails 507 'no space is left' disk-full
	assert_equal "$(slowfs_ctl count write)" 0
	nothing_left
	works_again
}

@test "a disk that takes a thousand bytes at a time gets them all, in order" {
	begin
	slowfs_ctl short write 1000
	random_file body 300001
	upload PUT /slow/b body
	assert_status 201
	assert_same body backing/up/b
	(($(slowfs_ctl count write) >= 300))
}

@test "short writes and a full disk: 507, nothing is left" {
	begin
	slowfs_ctl short write 5000
	slowfs_ctl fail write ENOSPC after 30
	fails 507 'no space is left' disk-full
	nothing_left
	works_again
}

@test "a write that is told of at close: 5xx, nothing is published" {
	begin
	slowfs_ctl fail flush EIO
	fails 500 'the disk of location /slow failed' disk-error
	slowfs_ctl clear
	nothing_left
	assert_equal "$(slowfs_ctl count link)" 0
	works_again
}

@test "a full disk that is told of at close: 507, nothing is published" {
	begin 'sync off;'
	slowfs_ctl fail flush ENOSPC
	fails 507 'no space is left' disk-full
	slowfs_ctl clear
	nothing_left
	works_again
}

@test "a directory cannot be made: 5xx, no file is left" {
	begin
	slowfs_ctl fail mkdir EIO
	upload PUT /slow/d/e/a body
	assert_status 500
	nothing_left
	slowfs_ctl clear
	slowfs_ctl fail mkdir ENOSPC
	upload PUT /slow/d/e/a body
	assert_status 507
	nothing_left
	slowfs_ctl clear
	upload PUT /slow/d/e/a body
	assert_status 201
	assert_same body backing/up/d/e/a
}

@test "the name cannot be given: 5xx, nothing is left" {
	begin
	slowfs_ctl fail link EIO
	fails 500 'the disk of location /slow failed' disk-error
	nothing_left
	slowfs_ctl clear
	slowfs_ctl fail link ENOSPC
	fails 507 'no space is left' disk-full
	nothing_left
	works_again
}

@test "an existing file cannot be replaced: 5xx, and the old one stays" {
	begin 'overwrite on;'
	upload PUT /slow/a body
	assert_status 201
	random_file other 100000
	slowfs_ctl fail rename EIO
	upload PUT /slow/a other
	assert_status 500
	assert_same body backing/up/a
	slowfs_ctl clear
	slowfs_ctl fail write EIO after 1
	upload PUT /slow/a other
	assert_status 500
	assert_same body backing/up/a
	slowfs_ctl clear
	slowfs_ctl fail fsync EIO once
	upload PUT /slow/a other
	assert_status 500
	assert_same body backing/up/a
	slowfs_ctl clear
	well_again
	upload PUT /slow/a other
	assert_status 200
	assert_same other backing/up/a
	assert_equal "$(files_in backing/up | wc -l)" 1
}

@test "with keep latest a failed upload removes nothing" {
	begin 'keep latest;'
	upload PUT /slow/a body
	assert_status 201
	slowfs_ctl fail fsync EIO once
	upload PUT /slow/b body
	assert_status 500
	assert_same body backing/up/a
	request GET /slow
	assert_status 200
	assert_same body answer
	slowfs_ctl clear
	well_again
	upload PUT /slow/c body
	assert_status 201
	eventually test ! -e backing/up/a
	assert_same body backing/up/c
}

@test "a read error before anything was sent: 500, and not an empty reply" {
	begin
	upload PUT /slow/a body
	assert_status 201
	umount_cached
	slowfs_ctl fail read EIO
	request GET /slow/a
	assert_status 500
	assert_problem 'the disk of location /slow failed'
	eventually access_has '"GET /slow/a" 500 .* disk-error'
	slowfs_ctl clear
	request GET /slow/a
	assert_status 200
	assert_same body answer
}

@test "a read error: the download breaks off, the connection says so" {
	begin
	random_file big 5M
	upload PUT /slow/a big
	assert_status 201
	umount_cached
	slowfs_ctl fail read EIO after 2
	run request GET /slow/a
	assert_failure
	slowfs_ctl clear
	request GET /slow/a
	assert_same big answer
}

# Nothing of it may be in the page cache.
umount_cached() { sync && echo 1 >/proc/sys/vm/drop_caches; }

@test "errors of one location are none of the other's" {
	begin
	slowfs_ctl fail all EIO
	upload PUT /slow/a body
	assert_status 500
	request GET /slow/nothing
	[[ $STATUS == 5* || $STATUS == 404 ]]
	upload PUT /file/a body
	assert_status 201
	request GET /file/a
	assert_same body answer
}
