# What tells one version of a file from another: ETag and Last-Modified.
#
# The kind of fault: a file's identity judged by what changes without its content
# (ctime: chmod, a link, and on FUSE by itself), or stays although that changed
# (size, mtime and inode), or is told to one client and not to the next.

load ../lib/penstock

# for_a_while COMMAND...: again and again, for longer than FUSE remembers
# attributes (1 s); fails when it does once.
for_a_while() {
	local end=$((${EPOCHREALTIME/[.,]/} + 1300000))

	while ((${EPOCHREALTIME/[.,]/} < end)); do
		"$@" || return
	done
}

# what_was_said: ETag and Last-Modified of the last answer; fails without.
what_was_said() {
	header ETag && header Last-Modified
}

# still_says TEXT TARGET: GET and HEAD say it.
still_says() {
	request HEAD "$2" && assert_equal "$(what_was_said)" "$1" &&
		request GET "$2" && assert_equal "$(what_was_said)" "$1"
}

# touch_all_but_content FILE
touch_all_but_content() {
	chmod 640 "$1" && chown 1:1 "$1" && ln "$1" "$1.link" && rm "$1.link" &&
		py disks set_attribute "$1"
}

# validators_are_told DIR: small, long, of unknown length, replaced; and they hold.
validators_are_told() {
	local target said file

	for target in small long chunked small; do
		file=$target
		[[ $target != chunked ]] || file=-
		random_file "$target" $([[ $target == small ]] && echo 300 || echo 200000)
		upload PUT "/file/$target" "$file" <"$target"
		[[ $STATUS == 20[01] ]] || fail "$target: $STATUS" || return
		assert_regex "$(header ETag)" '^"[0-9a-f]{32}"$' || return
		said=$(what_was_said) || return
		still_says "$said" "/file/$target" || return
		is_portable && continue # it knows of no births: a chmod makes another version
		touch_all_but_content "$1/$target" || return
		still_says "$said" "/file/$target" || return
	done
	"${2:-true}" still_says "$said" "/file/$target"
	upload PUT "/file/$target" small -H "If-Match: ${said%%$'\n'*}"
	assert_status 200
	request GET "/file/$target" -r 0-9 -H "If-Range: ${said%%$'\n'*}"
	assert_status 200 # another version, whole
	assert_same small answer
	upload PUT "/file/$target" long -H "If-Match: ${said%%$'\n'*}"
	assert_status 412
}

# bats test_tags=engine
@test "201 and 200 say what GET says then, and what changes no content changes nothing" {
	start_server 'overwrite on;'
	validators_are_told "$STORE"
}

# bats test_tags=engine
@test "the same without sync, and with a worker that is a process of its own only" {
	start_server 'overwrite on; sync off;' '' 'worker_processes 0;'
	validators_are_told "$STORE"
}

@test "the same on FUSE, where nothing has a birth time, and a second later" {
	needs_births
	fuse_disk
	start_server "overwrite on; output_dir $DISK/up;"
	validators_are_told "$DISK/up" for_a_while
}

# bats test_tags=long
@test "the same on tmpfs and on an overlay" {
	memory_dir
	start_server "overwrite on; output_dir $MEMORY;"
	validators_are_told "$MEMORY"
	stop_server
	mkdir -p layers/{lower,upper,work} overlay
	mount -t overlay overlay -o lowerdir=layers/lower,upperdir=layers/upper,workdir=layers/work overlay
	start_server "overwrite on; output_dir $T/overlay/up;"
	validators_are_told "$T/overlay/up"
}

# validators_are_told_on KIND SIZE
validators_are_told_on() {
	loop_disk "$@"
	start_server "overwrite on; output_dir $DISK/up;"
	validators_are_told "$DISK/up"
}

@test "the same on XFS" { validators_are_told_on xfs 320M; }

# bats test_tags=long
@test "the same on btrfs" { validators_are_told_on btrfs 128M; }

# bats test_tags=long
@test "the same on ext4 whose inodes are too small for a birth time" {
	loop_disk ext4 32M -I 128
	start_server "overwrite on; output_dir $DISK/up;"
	validators_are_told "$DISK/up"
}

# bats test_tags=long
@test "the same on ntfs-3g" {
	needs_births
	truncate -s 16M ntfs.img
	mkntfs -q -F ntfs.img >/dev/null
	mkdir ntfs
	ntfs-3g ntfs.img "$T/ntfs" 3>&-
	start_server "overwrite on; output_dir $T/ntfs/up;"
	validators_are_told "$T/ntfs/up" for_a_while
}

@test "curl --etag-save keeps what the 201 said, and --etag-compare finds it unchanged" {
	start_server 'overwrite on;'
	echo hello >body
	run -0 curl -sS --etag-save etag -T body -o answer "$URL/file/a"
	is_portable || chmod 600 "$STORE/a"
	run -0 curl -sS --etag-compare etag -o answer -w '%{http_code}' "$URL/file/a"
	assert_output 304
	upload PUT /file/a body -H "If-Match: $(tr -d '\n' <etag)"
	assert_status 200
}

@test "an upload that was replaced before its answer came says its own ETag" {
	local early
	start_server 'overwrite on;' '' 'worker_processes 1;'
	random_file one 200000
	random_file two 200000
	connect
	say $FD 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n'
	cat one >&$FD
	upload PUT /file/a two
	hear $FD >heard
	early=$(tr -d '\r' <heard | sed -n 's/^ETag: //p')
	request HEAD /file/a
	if cmp -s one "$STORE/a"; then
		assert_equal "$(header ETag)" "$early"
	else
		assert_not_equal "$(header ETag)" "$early"
		upload PUT /file/a one -H "If-Match: $early"
		assert_status 412
	fi
	assert_regex "$early" '^"[0-9a-f]{32}"$'
}

# another_of_the_inode FILE: replace it by another content of the same size and
# mtime that has got its inode number.
another_of_the_inode() {
	local inode n

	inode=$(stat -c %i "$1")
	cp -p "$1" before
	rm "$1"
	for ((n = 0; n < 100; n++)); do
		: >"$1.$n"
		[[ $(stat -c %i "$1.$n") != "$inode" ]] || break
	done
	tr a-y b-z <before >"$1.$n"
	touch -r before "$1.$n"
	mv "$1.$n" "$1"
	rm -f "$1".[0-9]*
	[[ $(stat -c '%i %s %y' "$1") == "$inode $(stat -c '%s %y' before)" ]] &&
		! cmp -s before "$1"
}

@test "another content of the same size, mtime and inode has another ETag" {
	loop_disk ext4 16M
	start_server "overwrite on; output_dir $DISK/up;"
	echo "abc" >body
	upload PUT /file/a body
	etag=$(header ETag)
	another_of_the_inode "$DISK/up/a"
	request GET /file/a
	assert_not_equal "$(header ETag)" "$etag"
	upload PUT /file/a body -H "If-Match: $etag"
	assert_status 412
	request GET /file/a -H "If-Range: $etag" -r 0-0
	assert_status 200
}

@test "on FUSE what others put there has a weak ETag, and If-Match says why it fails" {
	needs_births
	fuse_disk
	start_server "overwrite on; output_dir $DISK/up;"
	echo "abc" >body
	upload PUT /file/a body
	etag=$(header ETag)
	cp -p "$DISK/up/a" mine
	rm "$DISK/up/a"
	tr a-y b-z <mine >"$DISK/up/a"
	touch -r mine "$DISK/up/a"
	request HEAD /file/a
	weak=$(header ETag)
	assert_regex "$weak" '^W/"[0-9a-f]{32}"$'
	for match in "$etag" "$weak" "${weak#W/}"; do
		upload PUT /file/a body -H "If-Match: $match"
		assert_status 412
		assert_problem 'weak'
		request GET /file/a -H "If-Range: $match" -r 0-0
		assert_status 200
	done
	request GET /file/a -H "If-None-Match: $weak"
	assert_status 304
	upload PUT /file/a body -H 'If-Match: *'
	assert_status 200
	assert_regex "$(header ETag)" '^"'
}

@test "without extended attributes on FUSE, no ETag is strong, and none lies" {
	needs_births
	fuse_disk --xattr-none
	start_server "overwrite on; output_dir $DISK/up;"
	echo "abc" >body
	upload PUT /file/a body
	assert_status 201
	said=$(what_was_said)
	assert_regex "$said" '^W/"[0-9a-f]{32}"'
	for_a_while still_says "$said" /file/a
	upload PUT /file/a body -H "If-Match: $(header ETag)"
	assert_status 412
	assert_problem 'weak'
}

@test "Last-Modified is never later than Date, and no year is odd" {
	start_server
	echo hello >body
	upload PUT /file/a body
	touch -d '2035-01-01 UTC' "$STORE/a"
	request GET /file/a
	assert_equal "$(header Last-Modified)" "$(header Date)"
	request GET /file/a -H "If-Modified-Since: Sun, 02 Feb 2020 02:02:02 GMT"
	assert_status 200
	# A disk's clock ends in some year: ext4 in 1901 and 2446, tmpfs does not.
	memory_dir
	stop_server
	start_server "output_dir $MEMORY;"
	for seconds in -100000000000 -11644473601 253402300800; do
		upload PUT "/file/$seconds" body
		touch -d "@$seconds" "$MEMORY/$seconds"
		request GET "/file/$seconds"
		assert_status 200
		refute_header Last-Modified
		assert_header ETag "$(header ETag)"
		request GET "/file/$seconds" -H 'If-Modified-Since: Sun, 02 Feb 2020 02:02:02 GMT'
		assert_status 200
		request GET "/file/$seconds" -H 'If-Unmodified-Since: Sun, 02 Feb 2020 02:02:02 GMT'
		assert_status 200
	done
}
