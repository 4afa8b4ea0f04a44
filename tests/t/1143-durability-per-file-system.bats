# The receipt says `synced` only where a sync makes something durable.  The kind
# of fault: a sync that returns 0 and has done nothing, or too little, as how
# the file system is mounted, what it lies on, or what the process was started
# by would have told.

load ../lib/penstock

setup() {
	penstock_setup
	ZRAM=
	CACHE=
	! is_portable || skip 'a PORTABLE build cannot know what lies below a directory'
}

# The next disk of that number has a cache again.
teardown() {
	penstock_teardown
	[[ -z $CACHE ]] || echo 'write back' >"$CACHE"
	[[ -z $ZRAM ]] || echo "$ZRAM" >/sys/class/zram-control/hot_remove
}

# overlay_on DIRECTORY [OPTIONS]: $T/over shows what is written below it.
overlay_on() {
	mkdir -p "$1"/{lower,upper,work} over
	mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work${2:+,$2}" none over
	STORES+=("$T/over/up")
}

# begin DIRECTORY: /file with sync on, /off without.
begin() {
	start_server "output_dir $1;" "location /off { output_dir $1; sync off; }" \
		'worker_processes 1;'
	echo hello >body
}

says() {
	upload POST "$1" body
	assert_status 201
	assert_equal "$(receipt durability)" "$2"
}

# assert_doubt REASON WORD: why receipts do not say synced.
assert_doubt() {
	eventually log_has "warn .*location /file: output_dir [^ ]* $1, which cannot keep what sync promises: receipts say $2\$"
	refute log_has 'warn .*location /off'
	log_has "notice .*location /file -> [^ ]*: .*, $2;"
	says /file "$2"
}

@test "an overlay that is mounted volatile: memory" {
	overlay_on "$T/lay" volatile
	begin "$T/over/up"
	assert_doubt 'is on an overlay mounted volatile' memory
	says /off memory
}

@test "an overlay that writes to memory: memory" {
	memory_dir
	overlay_on "$MEMORY"
	begin "$T/over/up"
	assert_doubt 'is a memory file system' memory
}

@test "an overlay on a disk: synced, also where its path has odd characters" {
	mkdir "$T/a, b"
	ln -s "$T/a, b" plain
	overlay_on plain
	begin "$T/over/up"
	says /file synced
	says /off buffered
	refute log_has 'cannot keep what sync promises'
}

# Its options name a directory that is something else by now, as those of a
# container do that looks from inside.
@test "an overlay whose upper directory is not what its path leads to: synced" {
	memory_dir
	overlay_on "$T/lay"
	mount -t tmpfs none "$T/lay/upper"
	begin "$T/over/up"
	says /file synced
	refute log_has 'cannot keep what sync promises'
}

# without_barriers KIND SIZE: $CACHE is what says whether its disk has a cache.
without_barriers() {
	local dev

	loop_disk "$@"
	umount "$DISK"
	mount -o loop,nobarrier disk.img "$DISK"
	dev=$(findmnt -no SOURCE "$DISK")
	CACHE=/sys/block/${dev#/dev/}/queue/write_cache
	echo 'write back' >"$CACHE"
}

# bats test_tags=long
@test "mounted without barriers: buffered, unless the disk has no cache" {
	without_barriers ext4 32M
	begin "$DISK/up"
	assert_doubt 'is mounted without barriers, on a disk that has a cache' buffered
	stop_server
	rm error.log stderr
	echo 'write through' >"$CACHE"
	begin "$DISK/up"
	says /file synced
	says /off buffered
	refute log_has 'cannot keep what sync promises'
}

@test "btrfs mounted without barriers: buffered" {
	without_barriers btrfs 200M
	begin "$DISK/up"
	assert_doubt 'is mounted without barriers, on a disk that has a cache' buffered
}

@test "a disk that is memory: memory, whatever file system is on it" {
	local kind

	[[ -e /sys/class/zram-control/hot_add ]] || skip 'this kernel has no zram'
	ZRAM=$(cat /sys/class/zram-control/hot_add)
	echo 256M >"/sys/block/zram$ZRAM/disksize"
	mkdir "$T/disk"
	STORES+=("$T/disk/up")
	for kind in ext4 btrfs; do
		"mkfs.$kind" -q "$([[ $kind == ext4 ]] && echo -F || echo -f)" "/dev/zram$ZRAM"
		mount "/dev/zram$ZRAM" "$T/disk"
		begin "$T/disk/up"
		assert_doubt 'is on a RAM disk' memory
		says /off memory
		stop_server
		umount "$T/disk"
		rm error.log stderr
	done
}

# no_sync: what is started has a fsync that says 0 and does nothing, as below
# systemd-nspawn --suppress-sync and eatmydata.
no_sync() {
	cat >no-sync <<-END
		#!/bin/sh
		exec $PYTHON -B -S -E "$REPO/tests/lib/commands.py" launch without_sync "$PENSTOCK" "\$@"
	END
	chmod 755 no-sync
}

@test "started where fsync does nothing: buffered" {
	no_sync
	PENSTOCK=$T/no-sync
	begin "$STORE"
	assert_doubt 'is written by a process in which fsync does nothing' buffered
	says /off buffered
}

@test "a path that leads to memory later: a line says so, and so do receipts" {
	memory_dir
	mkdir first
	ln -s "$T/first" now
	begin "$T/now"
	says /file synced
	ln -sfn "$MEMORY" now
	_says() { upload POST /file body && [[ $STATUS == 201 && $(receipt durability) == "$1" ]]; }
	eventually _says memory
	eventually log_has 'warn .*/now: is a memory file system, which cannot keep what sync promises: receipts say memory'
	ln -sfn "$T/first" now
	eventually _says synced
	eventually log_has 'notice .*/now: receipts say synced again'
}
