# O_DIRECT that is taken and goes through the page cache all the same is not
# used, nor called direct.  The kind of fault: one file system, or one file of
# it, is taken for another of its type.

load ../lib/penstock

setup() {
	penstock_setup
	! is_portable || skip 'a PORTABLE build has no direct I/O'
}

# begin MOUNT OPTIONS [LOCATION]: the files of up/journal have their data in the
# journal (chattr +j, which needs CAP_SYS_RESOURCE).
begin() {
	loop_disk ext4 128M
	mkdir -p "$DISK/up/journal"
	umount "$DISK"
	debugfs -w -R 'set_inode_field /up/journal flags 0x84000' disk.img
	mount -o "loop,$1" "$T/disk.img" "$DISK"
	start_server "output_dir $DISK/up; direct_io_min 1m; ${2:-}" '' 'worker_processes 1;'
	random_file big 8M
}

# The file that comes is open as $FILE, and 4 MiB of it are written.
_is_coming() {
	FILE=$(find "/proc/$(workers)/fd" -lname "$DISK/up*/#*" 2>/dev/null | head -n 1)
	[[ -n $FILE ]] && (($(stat -L -c %b "$FILE") * 512 >= 4194304))
}

is_direct() { (($(awk '$1 == "flags:" { print $2 }' "${1/fd/fdinfo}") & 040000)); }

# look NAME COMMAND...: half of an upload is there; what does the command say?
look() {
	connect
	say "$FD" "PUT /file/$1 HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 8388608\\r\\n\\r\\n"
	head -c 6M big >&"$FD"
	eventually _is_coming
	"${@:2}" "$FILE"
	tail -c 2M big >&"$FD"
	hear "$FD" | grep -q '^HTTP/1.1 201 '
	hang_up "$FD"
	assert_same big "$DISK/up/$1"
}

@test "ext4 data=journal is not written directly, and says so" {
	begin data=journal
	eventually log_has 'up: .*written through the page cache, synced'
	look a refute is_direct
}

@test "ext4 data=journal is not written directly with direct_io on either" {
	begin data=journal 'direct_io on;'
	eventually log_has 'up: .*written through the page cache, synced'
	look a refute is_direct
	refute log_has 'direct I/O is refused'
}

# The flag is inherited: the file is not what its file system is.
@test "ext4: a directory whose files have their data in the journal" {
	begin nodelalloc # with it the flag means nothing
	eventually log_has 'up: .*large ones written directly'
	lsattr -d "$DISK/up/journal" | grep -q '^[^ ]*j'
	look direct is_direct
	look journal/a refute is_direct
}

# No room is allocated for it ahead, and none is left behind.
@test "a file that is not written directly is as large as it should be" {
	local size blocks

	begin data=journal 'direct_io on;'
	upload PUT /file/known big
	assert_status 201
	upload PUT /file/unknown big -H 'Transfer-Encoding: chunked'
	assert_status 201
	for name in known unknown; do
		assert_same big "$DISK/up/$name"
		read -r size blocks < <(stat -c '%s %b' "$DISK/up/$name")
		((blocks <= size / 512 + 8)) || fail "$name: $blocks blocks"
	done
}
