# File systems that are really full.

load ../lib/penstock

full() {
	random_file big 20M
	random_file fits 500k
	upload PUT /full/big big
	assert_status 507
	assert_problem 'no space is left in location /full'
	eventually access_has disk-full
	assert_equal "$(files_in "$T/small/up")" ''
	upload PUT /full/fits fits
	assert_status 201
	assert_same fits "$T/small/up/fits"
	upload POST /full big
	assert_status 507
	head -c 20M /dev/zero | upload PUT /full/pipe -
	assert_status 507
	assert_equal "$(files_in "$T/small/up")" "$T/small/up/fits"
	request GET /full
	assert_same fits answer
}

begin() {
	STORES+=("$T/small/up")
	start_server '' "location /full { output_dir $T/small/up; ${1:-} }"
}

@test "a tmpfs of 4 MB: 507, and what fits is stored" {
	mkdir small
	mount -t tmpfs -o size=4m none "$T/small"
	begin
	full
}

@test "an ext4 of 8 MB: 507, and what fits is stored" {
	mkdir small
	truncate -s 8M img
	mkfs.ext4 -q -F img
	mount -o loop img "$T/small"
	begin
	full
}

# bats test_tags=long
@test "an ext4 of 8 MB, without sync: 507, and what fits is stored" {
	mkdir small
	truncate -s 8M img
	mkfs.ext4 -q -F img
	mount -o loop img "$T/small"
	begin 'sync off;'
	full
}

@test "no inode is left: 507" {
	mkdir small
	mount -t tmpfs -o size=4m,nr_inodes=8 none "$T/small"
	begin
	: >empty
	local i
	for ((i = 0; i < 12; i++)); do
		upload PUT "/full/$i" empty
		[[ $STATUS != 201 ]] || continue
		break
	done
	assert_status 507
	((i > 1 && i < 10))
}

@test "a file system that is read-only: 500 before the body" {
	mkdir small
	mount -t tmpfs -o size=4m none "$T/small"
	begin
	mount -o remount,ro "$T/small"
	random_file fits 500k
	upload PUT /full/fits fits
	assert_status 500
	assert_problem 'read-only'
	mount -o remount,rw "$T/small"
	upload PUT /full/fits fits
	assert_status 201
}
