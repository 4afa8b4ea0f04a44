# Two disks of the kind that a ring may try without waiting (ext4); one of them
# freezes under uploads that are already being written.  Those to the other
# must not notice: not one in a hundred of them.

load ../lib/penstock

teardown() {
	[[ -z $FROZEN ]] || fsfreeze -u "$FROZEN" 2>/dev/null
	penstock_teardown
}

begin() {
	FROZEN=
	mkdir "$T/disk"
	truncate -s 64M disk.img
	mkfs.ext4 -q -F disk.img
	mount -o loop disk.img "$T/disk"
	STORES+=("$T/disk/up")
	start_server '' "location /dead { output_dir $T/disk/up; }" 'worker_processes 1;'
}

@test "a frozen ext4 does not hold up uploads to another one" {
	begin
	FROZEN=$T/disk
	run -0 py uploads freeze_under "$FROZEN" 30 timeout "$((2 * PENSTOCK_PATIENCE))" "$PENSTOCK_TOOLS/load" -c 2 -n 300 -s 4k -g "$PENSTOCK_PATIENCE" \
		-u /file/small-%d "$ADDRESS:$PORT"
	assert_line 'stored after all: 30'
}
