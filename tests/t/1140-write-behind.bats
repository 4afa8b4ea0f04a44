# write_behind holds on every file system.  The kind of fault: a call that says
# it was done, on a file system for which it does nothing (sync_file_range on
# overlayfs and FUSE): what was to be on its way to the disk waits in the page
# cache for the last sync.

load ../lib/penstock

MIB=1048576

# overlay_on DISK [OPTIONS]: $T/over shows what is written below DISK.
overlay_on() {
	mkdir -p "$1"/{lower,upper,work} "$T/over"
	mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work${2:+,$2}" \
		none "$T/over"
	STORES+=("$T/over/up")
}

# Bytes that the disk below $DISK was given.
written() {
	local dev

	dev=$(findmnt -no SOURCE "$DISK")
	echo $(($(awk '{ print $7 }' "/sys/block/${dev#/dev/}/stat") * 512))
}

# upload_half LOCATION: 12 MiB of 16 are sent, on $FD.
upload_half() {
	connect
	say "$FD" "PUT $1/big HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: $((16 * MIB))\\r\\n\\r\\n"
	timeout 20 head -c "$((12 * MIB))" big >&"$FD"
}

# upload_end STATUS: the rest of it is sent, and this is the answer.
upload_end() {
	(
		trap '' PIPE # it may have been answered already
		tail -c "$((4 * MIB))" big >&"$FD"
	) 2>/dev/null || true
	hear "$FD" >last
	hang_up "$FD"
	grep -q "^HTTP/1.1 $1 " last || {
		cat last
		return 1
	}
}

# All but what write_behind lets wait, and the last chunks.
_is_on_disk() { (($(written) - before >= 9 * MIB)); }

is_written_behind() {
	random_file big 16M
	before=$(written)
	upload_half "$1"
	eventually _is_on_disk || fail "$(($(written) - before)) bytes are on the disk"
	upload_end 201
	assert_same big "$2"
}

disk() { loop_disk ext4 128M -E lazy_itable_init=0,lazy_journal_init=0; }

@test "ext4: an upload is on the disk while it comes, but for write_behind" {
	disk
	start_server "output_dir $DISK/up; direct_io off; write_behind 2m;"
	is_written_behind /file "$DISK/up/big"
}

# There O_DIRECT is taken, and what is written goes through the page cache.
@test "ext4 data=journal: an upload is on the disk while it comes" {
	disk
	umount "$DISK"
	mount -o loop,data=journal "$T/disk.img" "$DISK"
	start_server "output_dir $DISK/up; write_behind 2m;"
	is_written_behind /file "$DISK/up/big"
}

@test "overlay: an upload is on the disk while it comes, but for write_behind" {
	disk
	overlay_on "$DISK"
	start_server "output_dir $T/over/up; write_behind 2m;"
	is_written_behind /file "$DISK/upper/up/big"
}

# A FUSE file system that passes writes on has nothing in its page cache.
_is_synced_often() { (($(slowfs_ctl count fsync | awk '{ print $NF }') >= 5)); }

@test "FUSE: an upload is synced while it comes, with direct I/O too" {
	slowfs_start
	STORES+=("$T/backing/up" "$T/backing/direct")
	start_server "output_dir $T/slow/up; write_behind 2m;" \
		"location /direct { output_dir $T/slow/direct; write_behind 2m; direct_io on; }"
	random_file big 16M
	for location in /file /direct; do
		slowfs_ctl zero
		upload_half "$location"
		eventually _is_synced_often
		upload_end 201
	done
	assert_same big "$T/backing/up/big"
	assert_same big "$T/backing/direct/big"
}

# is_answered STATUS: there and then, the rest of it was not sent.
is_answered() {
	hear "$FD" >last
	hang_up "$FD"
	grep -q "^HTTP/1.1 $1 " last
}

# No sync that follows it is believed: it would say 0, and lie.  EAGAIN is what
# a job says that was never begun.
@test "a sync of half an upload that fails is the end of it" {
	local e

	slowfs_start
	STORES+=("$T/backing/up")
	start_server "output_dir $T/slow/up; write_behind 2m;"
	random_file big 16M
	for e in EIO EAGAIN; do
		slowfs_ctl fail fsync $e once
		upload_half /file
		is_answered 500
		eventually access_has 'PUT /file/big" 500 .* sync-failed'
		assert_store_empty "$T/backing/up"
		_is_well() { upload PUT /file/small "$T/penstock.conf" && [[ $STATUS == 201 ]]; }
		eventually _is_well
		rm "$T/backing/up/small"
	done
	slowfs_ctl fail fsync ENOSPC once
	upload_half /file
	is_answered 507
	assert_store_empty "$T/backing/up"
}

@test "sync off: where nothing can be synced uploads are stored all the same" {
	slowfs_start
	STORES+=("$T/backing/up")
	start_server "output_dir $T/slow/up; write_behind 2m; sync off;"
	random_file big 16M
	slowfs_ctl fail fsync EOPNOTSUPP
	upload_half /file
	upload_end 201
	assert_same big "$T/backing/up/big"
	eventually access_has 'PUT /file/big" 201 '
}
