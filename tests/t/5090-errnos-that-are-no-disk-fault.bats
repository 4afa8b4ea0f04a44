# An errno that comes of the name, or of what another program does, is not put
# down to the disk: a client is told with a 4xx what to change, before the body
# where the directory can tell, and never "the disk failed; send it again",
# which `curl --retry` does.

load ../lib/penstock

# ntfs_disk: an NTFS as Windows wants it, at $DISK.
ntfs_disk() {
	local n

	DISK=$T/disk
	mkdir -p "$DISK"
	truncate -s 16M "$T/disk.img"
	mkntfs -F -q "$T/disk.img" >mkntfs.out 2>&1
	n=$(losetup -f --show "$T/disk.img")
	ntfs-3g -o windows_names "$n" "$DISK" 3>&-
	losetup -d "$n" # when it is unmounted
	STORES+=("$DISK/up")
}

begin() {
	UP=${UP:-$DISK/up}
	random_file small 3000
	random_file large 300k
	start_server '' "location /up { output_dir $UP; ${1:-} }" 'worker_processes 1;'
}

# refused NAME PATTERN: collected or before the body; the answer has the name, in
# its own words.
refused() {
	upload PUT "/up/$1" small -H Expect:
	assert_status 400
	assert_problem "file system of location /up cannot take the name $2, .*choose another one"
	before_body "$1"
	request GET "/up/$1"
	assert_status 404
}

before_body() {
	raw "PUT /up/$1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 300000\r\n\r\n" >out
	assert_statuses 400
	refute grep -q '^HTTP/1.1 100' out
}

names() {
	local name

	refused 'a:b' 'a:b'
	refused 'd/e/f%7C' 'd/e/f\|'
	for name in 'a%3Fb' 'dot.' 'space%20' 'aux' 'Com1.txt' 'd:/e' 'd/nul/e'; do
		before_body "$name"
	done
	assert_equal "$(find "$UP" -mindepth 1 -not -path "$UP/.penstock*")" ''
	eventually access_has ' 400 .* bad-name'
	refute log_has 'disk-error|error .*upload'
	for name in plain.bin 'with%20space' 'd/%C3%A9t%C3%A9%20(1).txt' 'auxiliary' 'comma,name'; do
		upload PUT "/up/$name" large
		assert_status 201
		upload PUT "/up/$name.2" small -H Expect:
		assert_status 201
	done
	assert_same large "$UP/d/été (1).txt"
	assert_equal "$(find "$UP" -path '*.penstock/*' -not -name lock)" ''
}

@test "NTFS: a name that it cannot take is 400, before the body" {
	ntfs_disk
	begin
	names
}

# bats test_tags=long
@test "NTFS, overwrite on: a name that it cannot take is 400, before the body" {
	ntfs_disk
	begin 'overwrite on;'
	names
	upload PUT /up/plain.bin small
	assert_status 200
	upload PUT /up/x: small -H 'If-Match: *'
	assert_status 412
}

# Not every file system can be had: what each step may say, on one that says it.
@test "what only publishing tells, and what is not for the name" {
	local file
	slowfs_start
	UP=$T/slow/up
	STORES+=("$T/backing/up")
	begin 'overwrite on;'
	upload PUT /up/there small
	for file in small large; do
		slowfs_ctl fail link EILSEQ
		upload PUT /up/a $file
		assert_status 400
		assert_problem 'cannot take the name a,'
		# With a name that all take it is the file system's own.
		slowfs_ctl fail link EINVAL
		upload PUT /up/a $file
		assert_status 500
		upload PUT '/up/a%20b' $file
		assert_status 500
		slowfs_ctl clear
		slowfs_ctl fail mkdir EILSEQ
		upload PUT /up/d/a $file
		assert_status 400
		slowfs_ctl fail mkdir EMLINK
		upload PUT /up/d/a $file
		assert_status 507
		assert_problem 'a directory on the way to d/a in location /up has as many directories'
		slowfs_ctl clear
		for err in EBUSY ETXTBSY; do
			slowfs_ctl fail rename $err
			upload PUT /up/there $file
			assert_status 409
			assert_problem 'there in location /up is in use by another program'
			slowfs_ctl clear
		done
		slowfs_ctl fail lookup ENAMETOOLONG
		raw "PUT /up/longer HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 300000\r\n\r\n" >out
		assert_statuses 414
		refute grep -q '^HTTP/1.1 100' out
		assert_problem 'the name longer is longer than the file system'
		request GET /up/longer
		assert_status 404
		slowfs_ctl fail lookup EINVAL
		request GET '/up/x:y'
		assert_status 404
		slowfs_ctl clear
	done
	upload PUT /up/there large
	assert_status 200
}

@test "a name that was tried by a worker that died over it is swept" {
	ntfs_disk
	mkdir -p "$DISK/up/.penstock"
	: >"$DISK/up/.penstock/a name"
	echo x >"$DISK/up/.penstock/another's"
	begin
	_is_swept() { refute [ -e "$DISK/up/.penstock/a name" ]; }
	eventually _is_swept
	[ -e "$DISK/up/.penstock/another's" ]
}

@test "what is there and is no file is 404, not a disk that failed" {
	DISK=$T/disk
	begin
	mkfifo "$UP/fifo"
	py disks leave_socket "$UP/socket"
	mknod "$UP/device" b 240 77
	for name in fifo socket device; do
		request GET /up/$name
		assert_status 404
	done
	refute log_has 'disk-error'
}
