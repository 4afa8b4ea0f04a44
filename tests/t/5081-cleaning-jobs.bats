# What another program does to directories while they are empty is not the disk's
# fault: a cleaner (find -type d -empty -delete) removes the directory
# that an upload is bound for, and it is made again.  A directory that was moved
# away is not: nothing lands where the name does not lead (5060 too).

load ../lib/penstock

# bats file_tags=engine

begin() {
	UP=${UP:-$T/up}
	STORES+=("$UP")
	random_file small 3000
	random_file large 300k
	start_server '' "location /up { output_dir $UP; ${1:-} }" 'worker_processes 1;'
}

clean() { find "$UP" -mindepth 1 -type d -not -name .penstock -empty -delete; }

# cleaned_under NAME: the directories of NAME are removed while it arrives.
cleaned_under() {
	mkdir -p "$UP/${1%/*}"
	upload_part "/up/$1" large
	clean
	refute [ -e "$UP/${1%%/*}" ]
	upload_rest "$FD" large 201
	assert_same large "$UP/$1"
	rm -r "$UP/${1%%/*}"
}

cleaner() {
	local n
	for n in 1 2; do
		cleaned_under d/a
		cleaned_under d/e/f/a
	done
	# One that is there again, made by another upload.
	mkdir "$UP/d"
	upload_part /up/d/a large
	clean
	upload PUT /up/d/b small
	assert_status 201
	upload_rest "$FD" large 201
	assert_same large "$UP/d/a"
	# It has become a file.
	upload_part /up/g/h/a large
	mkdir "$UP/g"
	clean
	: >"$UP/g"
	upload_rest "$FD" large 409
	refute log_has 'is not the directory any more'
}

@test "ext4: directories that a cleaner removes under an upload are made again" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin
	cleaner
}

@test "ext4, sync off, overwrite on" {
	loop_disk ext4 64M
	UP=$DISK/up
	begin 'sync off; overwrite on;'
	cleaner
}

@test "XFS" {
	loop_disk xfs 320M
	UP=$DISK/up
	begin
	cleaner
}

@test "btrfs" {
	loop_disk btrfs 128M
	UP=$DISK/up
	begin
	cleaner
}

@test "memory" {
	memory_dir
	UP=$MEMORY/up
	begin
	cleaner
}

@test "FUSE, without nameless files" {
	slowfs_start
	UP=$T/slow/up
	begin
	cleaner
}

@test "an overlay" {
	is_portable && skip 'a PORTABLE build cannot tell that a directory of an overlay was removed'
	mkdir lower overlay real
	mkdir -p lower/up/d/e lower/up/g
	mount -t tmpfs none real
	mkdir real/upper real/work
	mount -t overlay -o lowerdir=lower,upperdir=real/upper,workdir=real/work none overlay
	UP=$T/overlay/up
	begin
	cleaner
}

# The cleaner never rests: an upload may find the directory gone at any step.
@test "a cleaner without a rest, under many small uploads: all are stored" {
	local n
	loop_disk ext4 64M
	UP=$DISK/up
	begin 'sync off;'
	start_py directories clean_until "$T/enough" "$UP" 20
	n=$PY
	run -0 py directories upload_to_empty "$UP" 20
	: >enough
	wait $n
	assert_output 'all stored'
	refute access_has '" 50[03] '
}

@test "a directory of the path that goes away does not harm later uploads" {
	start_server
	mkdir -p "$STORE/d"
	random_file body 1K
	connect
	say "$FD" 'PUT /file/d/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
	read -r line <&"$FD"
	[[ $line == 'HTTP/1.1 100 '* ]]
	rmdir "$STORE/d"
	say "$FD" 'abcd'
	run hear "$FD"
	hang_up "$FD"
	assert_output --partial 'HTTP/1.1 201'
	assert_equal "$(cat "$STORE/d/x")" abcd
	upload PUT /file/d/y body
	assert_status 201
	upload PUT /file/z body
	assert_status 201
}
