# On btrfs an upload takes no more room than a copy of it, and is compressed as
# that is.  The kind of fault: what pays on one file system (space allocated
# ahead) is done on another, where it is never written to, stays taken for as
# long as the file lives, and ends compression for that file.

load ../lib/penstock

# begin MOUNT OPTIONS LOCATION
begin() {
	loop_disk btrfs 300M
	umount "$DISK"
	mount -o "loop,$1" "$T/disk.img" "$DISK"
	start_server "output_dir $DISK/up; direct_io_min 64k; $2"
}

# KiB that are taken, once all is where it belongs.
used() { sync -f "$DISK" && df --output=used "$DISK" | tail -n 1; }

# cost COMMAND...: $COST is what it takes, in KiB.
cost() {
	local before

	before=$(used)
	"$@"
	COST=$(($(used) - before))
}

put() {
	upload PUT "/file/$1" body "${@:2}"
	assert_status 201
	assert_same body "$DISK/up/$1"
}

# No dearer than a copy, but for some metadata.
costs_no_more() {
	local copy

	cost cp --reflink=never --sparse=never body "$DISK/copy"
	copy=$COST
	cost put known
	((COST <= copy + copy / 8 + 256)) || fail "$COST KiB, a copy takes $copy"
	cost put unknown -H 'Transfer-Encoding: chunked'
	((COST <= copy + copy / 8 + 256)) || fail "$COST KiB, a copy takes $copy"
}

@test "btrfs, direct_io on: an upload takes the room that a copy takes" {
	begin compress=no 'direct_io on;'
	random_file body 20000001
	costs_no_more
}

@test "btrfs, direct_io on: an upload is compressed as a copy is" {
	begin compress=zstd 'direct_io on;'
	yes 'a line that can be made much shorter' | head -c 20000001 >body
	costs_no_more
	((COST < 20000 / 4))
}

# Nor is anything behind an overlay on btrfs, whose answer is btrfs' own.
# bats test_tags=long
@test "overlay on btrfs, direct_io on: an upload is compressed as a copy is" {
	begin compress=zstd ''
	mkdir "$DISK"/{lower,upper,work} over
	mount -t overlay -o "lowerdir=$DISK/lower,upperdir=$DISK/upper,workdir=$DISK/work" none over
	STORES+=("$T/over/up")
	write_conf "output_dir $T/over/up; direct_io on; direct_io_min 64k;"
	mkdir over/up
	reload
	yes 'a line that can be made much shorter' | head -c 20000001 >body
	put_over() { upload PUT "/file/a" body && assert_status 201; }
	cost put_over
	assert_same body "$DISK/upper/up/a"
	((COST < 20000 / 4)) || fail "$COST KiB"
}

@test "btrfs: the start says what direct_io on is worth" {
	begin compress=zstd 'direct_io on;'
	is_portable || log_has 'up: .*large ones written with O_DIRECT, past the page cache only where it neither compresses nor checksums'
	write_conf "output_dir $DISK/up;"
	reload
	log_has 'up: .*written through the page cache, synced'
}
