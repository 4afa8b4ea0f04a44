# 201 means what the receipt says was reached.

load ../lib/penstock

# count OP: how often the disk was asked for it.
count() { slowfs_ctl count "$1" | awk '{ print $NF }'; }

@test "sync on: the file and its directory are synced before 201" {
	slowfs_start
	STORE=$T/slow
	start_server
	random_file body 200K
	slowfs_ctl zero
	upload PUT /file/a body
	assert_status 201
	assert_equal "$(receipt durability)" synced
	[ "$(count fsync)" -ge 1 ]
	[ "$(count fsyncdir)" -ge 1 ]
	assert_same body "$T/backing/a"
}

@test "sync on: each directory that was made is synced into its parent" {
	slowfs_start
	STORE=$T/slow
	start_server
	echo hello >body
	slowfs_ctl zero
	upload PUT /file/d/e/f/a body
	assert_status 201
	[ "$(count fsync)" -ge 1 ]
	# d in the store, e in d, f in e, a in f
	[ "$(count fsyncdir)" -ge 4 ]
}

@test "sync on: 201 does not come before the syncs are done" {
	slowfs_start
	STORE=$T/slow
	start_server
	random_file body 100K
	for op in fsync fsyncdir; do
		slowfs_ctl stall $op
		(exec curl -sS -o late -w '%{http_code}' -T body "$URL/file/$op" >code 3>&-) &
		client=$!
		_stalled() { [ "$(count waiting)" -ge 1 ]; }
		eventually _stalled
		kill -0 $client
		refute [ -s code ]
		[[ $op == fsyncdir ]] || refute [ -e "$T/backing/$op" ]
		slowfs_ctl resume
		wait $client
		assert_equal "$(cat code)" 201
	done
}

# flushes: how often the cache of $DISK's disk was flushed.
flushes() {
	local dev

	dev=$(findmnt -no SOURCE "$DISK")
	awk '{ print $16 }' "/sys/block/${dev#/dev/}/stat"
}

# flushes_of UPLOADS: ... by so many small uploads, one after the other.
flushes_of() {
	local before

	before=$(flushes)
	"$PENSTOCK_TOOLS/load" -n "$1" -s 4k "$ADDRESS:$PORT" >load.out 2>&1 3>&- 4>&- || return
	echo $(($(flushes) - before))
}

# A commit of the journal flushes twice, before its last block and behind it.
@test "sync on: with a journal a small upload flushes the disk once, and for its name" {
	local kind

	is_portable && skip 'a PORTABLE build cannot know that there is a journal'
	for kind in ext4 xfs; do
		loop_disk $kind $([[ $kind == ext4 ]] && echo 64M || echo 320M)
		start_server "output_dir $DISK/up;" '' 'worker_processes 1;'
		run -0 flushes_of 20
		[ "$output" -ge 20 ]
		[ "$output" -le 50 ]
		stop_server
		umount "$DISK"
		rm disk.img
	done
}

@test "sync on: ext4 without a journal syncs the file, too" {
	is_portable && skip 'a PORTABLE build cannot know that there is none'
	loop_disk ext4 64M -O ^has_journal
	start_server "output_dir $DISK/up;" '' 'worker_processes 1;'
	run -0 flushes_of 20
	[ "$output" -ge 40 ]
}

# A sync of the directory flushes that one only, not the disk that has the data.
@test "sync on: ext4 with its journal on another disk syncs the file, too" {
	local journal

	is_portable && skip 'a PORTABLE build cannot know where the journal is'
	truncate -s 32M journal.img
	journal=$(losetup --find --show journal.img)
	mkfs.ext4 -q -F -b 4096 -O journal_dev "$journal"
	loop_disk ext4 64M -J device="$journal"
	losetup -d "$journal" # when it is not mounted any more
	start_server "output_dir $DISK/up;" '' 'worker_processes 1;'
	run -0 flushes_of 20
	[ "$output" -ge 20 ]
}

# A sync of a file, or of a directory, flushes twice there: its log, and what points to it.
@test "sync on: on btrfs a small file is synced before and after it gets its name" {
	local tracer syncs

	is_portable && skip 'a PORTABLE build does not know btrfs'
	loop_disk btrfs 128M
	start_server "output_dir $DISK/up;" '' 'worker_processes 1;'
	run -0 flushes_of 20
	[ "$output" -ge 80 ]
	strace -qq -f -y -e trace=fsync -o strace.out -p "$(workers)" 3>&- 4>&- &
	tracer=$!
	_traced() { upload PUT "/file/first-$RANDOM" load.out && grep -q fsync strace.out; }
	eventually _traced
	syncs=$(wc -l <strace.out)
	upload PUT /file/a load.out
	kill -INT $tracer
	wait $tracer || true
	tail -n +$((syncs + 1)) strace.out >strace.now
	assert_equal "$(grep -c "<$DISK/up/" strace.now)" 2
	refute grep -q "<$DISK/up>" strace.now # it would look at the names of others
}

@test "sync off: 201 when it is written; the receipt says buffered" {
	slowfs_start
	STORE=$T/slow
	start_server 'sync off;'
	random_file body 200K
	slowfs_ctl zero
	upload PUT /file/d/a body
	assert_status 201
	assert_equal "$(receipt durability)" buffered
	assert_equal "$(count fsync)" 0
	assert_equal "$(count fsyncdir)" 0
	assert_same body "$T/backing/d/a"
}

@test "a memory file system cannot sync: the receipt says memory" {
	is_portable && skip 'a PORTABLE build cannot know the kind of a file system'
	memory_dir
	start_server "output_dir $MEMORY;" "location /off { output_dir $MEMORY/off; sync off; }"
	random_file body 200K
	upload PUT /file/a body
	assert_status 201
	assert_equal "$(receipt durability)" memory
	assert_same body "$MEMORY/a"
	upload PUT /off/a body
	assert_equal "$(receipt durability)" memory
	eventually log_has 'warn .*: location /file: output_dir .* is a memory file system, which cannot keep what sync promises'
}

@test "until it is published nothing of an upload can be seen" {
	memory_dir
	slowfs_start
	start_server '' "
		location /memory { output_dir $MEMORY; }
		location /slow { output_dir $T/slow; }"
	for location in /file /memory /slow; do
		connect
		say $FD "PUT $location/d/a HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 6\\r\\n\\r\\nhello"
		request GET $location/d/a
		assert_status 404
		dir=$(awk -v l="$location" '$1 == "location" { at = $2 }
			$1 == "output_dir" && at == l { sub(/;.*/, "", $2); print $2 }' \
			<(penstock -c penstock.conf -T))
		assert_equal "$(find "$dir" -type f -not -path '*/.penstock/*')" ''
		say $FD '\n'
		hear $FD | grep -q '^HTTP/1.1 201 '
		hang_up $FD
		assert_equal "$(cat "$dir/d/a")" hello
		assert_equal "$(files_in "$dir")" "$dir/d/a"
	done
}

@test "published files and directories have the modes that the umask leaves" {
	umask 027
	start_server
	echo hello >body
	upload PUT /file/d/a body
	assert_equal "$(stat -c %a "$STORE/d/a")" 640
	assert_equal "$(stat -c %a "$STORE/d")" 750
}

@test "uploads that end in SIGKILL of all processes leave nothing" {
	start_server 'overwrite on;'
	random_file body 300K
	upload PUT /file/old body
	connect
	say $FD 'PUT /file/new HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhello'
	a=$FD
	connect
	say $FD 'PUT /file/old HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhello'
	_both() { [ "$(ls -l /proc/$MASTER/task/*/children /proc/[0-9]*/fd 2>/dev/null | grep -c "$STORE/\(#\|.penstock/\)")" -ge 2 ]; }
	eventually _both
	kill -KILL $(workers) "$MASTER"
	hang_up $a
	hang_up $FD
	eventually _penstock_none_left
	start_conf penstock.conf
	_swept() { [[ $(files_in "$STORE") == "$STORE/old" ]]; }
	eventually _swept
	assert_same body "$STORE/old"
	request GET /file
	assert_same body answer
}
