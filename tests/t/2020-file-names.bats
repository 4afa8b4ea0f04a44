# Which names are taken, and that nothing can be written outside of the store.

load ../lib/penstock

# refused STATUS REGEX PATH: PUT and GET alike.
refused() {
	# curl -T would take some of these for a directory.
	request PUT "$3" --data-binary @body --path-as-is
	assert_status "$1"
	assert_problem "$2"
	request GET "$3" --path-as-is
	assert_status "$1"
	assert_problem "$2"
}

start() {
	start_server "$@"
	echo hello >body
	echo secret >secret
}

@test "an empty part, a slash at the end" {
	start
	refused 400 'empty part' /file//a
	refused 400 'empty part' /file/a//b
	refused 404 . //file/a
	raw 'PUT /file/b/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	assert_status 400
	assert_problem 'add a name after the slash'
	assert_store_empty
}

# bats test_tags=long
@test ". and .. in every coding" {
	start
	for dots in .. %2e%2e %2E%2E .%2e %2e. . %2e; do
		for path in "/file/$dots" "/file/$dots/secret" "/file/a/$dots/b" "/file/$dots/$dots/$dots/etc/passwd" "/file/a/$dots"; do
			refused 400 'a part \. or \.\.|begins with a dot' "$path"
		done
	done
	# Before the location: nothing is removed from a path.
	request PUT '/x/../file/a' --data-binary @body --path-as-is
	assert_status 404
	request PUT '/file/../secret' --data-binary @body --path-as-is
	assert_status 400
	assert_store_empty
	assert_equal "$(cat secret)" secret
}

@test "a slash or a backslash that is coded" {
	start
	refused 400 'escaped slash' /file/a%2fb
	refused 400 'escaped slash' /file/..%2f..%2fsecret
	refused 404 . /file%2Fa/b
	refused 400 'escaped slash' /file/%2e%2e%2fsecret
	refused 400 'backslash' /file/a%5cb
	refused 400 'backslash' '/file/a\b'
	refused 400 'backslash' /file/..%5c..%5csecret
	assert_store_empty
}

@test "double coding is decoded once: a name like any other" {
	start
	upload PUT '/file/%252e%252e%252fsecret' body
	assert_status 201
	assert_same body "$STORE/%2e%2e%2fsecret"
	assert_equal "$(cat secret)" secret
}

@test "percent signs without two hexadecimal digits" {
	start
	for path in /file/a% /file/a%2 /file/%zz /file/%u0041 /file/%-1 '/file/%+1' '/file/% 1'; do
		raw "PUT ${path// /%20} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
		assert_status 400
		assert_problem .
	done
	assert_store_empty
}

# bats test_tags=long
@test "NUL and control characters" {
	start
	refused 400 'NUL' /file/a%00
	refused 400 'NUL' /file/a%00.txt
	for c in 01 08 09 0a 0d 1b 1f 7f; do
		refused 400 "U\+00${c^^}, a control character" /file/a%${c}b
	done
	# C1, line separators, direction, byte order mark
	refused 400 'U\+0080, a control character' /file/a%c2%80b
	refused 400 'U\+009B, a control character' /file/a%c2%9bb
	refused 400 'U\+2028, a separator of lines' /file/a%e2%80%a8b
	refused 400 'U\+2029, a separator of lines' /file/a%e2%80%a9b
	refused 400 'U\+202E, which changes the direction' /file/a%e2%80%aeb
	refused 400 'U\+2066, which changes the direction' /file/a%e2%81%a6b
	refused 400 'U\+FEFF, a byte order mark' /file/a%ef%bb%bfb
	assert_store_empty
}

# bats test_tags=long
@test "what is not UTF-8" {
	start
	for c in %ff %c3 %c3%28 %c0%ae%c0%ae %c0%af %e0%80%af %ed%a0%80 %f4%90%80%80 %80; do
		refused 400 'UTF-8' "/file/$c"
		refused 400 'UTF-8' "/file/x${c}x/b"
	done
	# As bytes, too.
	raw 'PUT /file/a\xff\xfe HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	assert_status 400
	assert_store_empty
}

@test "too long, too deep" {
	start
	part=$(printf 'x%.0s' {1..256})
	refused 400 '255' "/file/$part"
	refused 400 '255' "/file/a/$part/b"
	# 128 letters of two bytes
	refused 400 '255' "/file/$(printf '%%C3%%A4%.0s' {1..128})"
	refused 400 '16 parts' /file/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17
	long=$(printf '%s/' "${part:1}" "${part:2}" "${part:2}" "${part:2}")abcdefgh
	refused 414 '1024' "/file/$long"
	assert_store_empty
}

@test "names that begin with a dot" {
	start
	for path in /file/.htaccess /file/a/.b /file/.a/b /file/%2ehtaccess /file/...; do
		refused 400 'dot' $path
	done
	assert_store_empty
}

@test ".penstock is the server's own, even with dotfiles on" {
	start 'dotfiles on;'
	refused 400 'penstock' /file/.penstock
	refused 400 'penstock' /file/.penstock/a
	refused 400 'penstock' /file/a/.penstock/b
	refused 400 'penstock' /file/%2epenstock/b
	refused 400 '\. or \.\.' /file/../a
	assert_store_empty
}

@test "names that look dangerous and are not" {
	start
	for name in -rf 'a b' "a'b" 'a;b' 'a$b' 'a&b' '~' 'CON' 'a..b' 'a.' '*' '日本語'; do
		upload PUT "/file/$(jq -rn --arg n "$name" '$n | @uri')" body
		assert_status 201
		assert_same body "$STORE/$name"
		assert_equal "$(receipt name)" "$name"
	done
}

@test "a symbolic link on the way, at the end, or to nowhere: 403" {
	start 'overwrite on;'
	mkdir outside "$STORE/real"
	ln -s "$T/outside" "$STORE/out"
	ln -s ../../outside "$STORE/real/out"
	ln -s real "$STORE/in"
	ln -s "$T/nowhere" "$STORE/dangling"
	ln -s "$T/secret" "$STORE/file"
	ln -s /proc/self/cwd "$STORE/magic"
	for path in out/a out/b/c real/out/a in/a dangling/a magic/a; do
		upload PUT /file/$path body
		assert_status 403
		assert_problem 'symbolic link'
	done
	assert_equal "$(find outside real -type f 2>/dev/null)" ''
	# The last part: the link itself may be what is replaced, never what
	# it points to.
	for path in file dangling; do
		upload PUT /file/$path body
		[[ $STATUS == 403 || $STATUS == 200 ]] || fail "$path: $STATUS"
	done
	assert_equal "$(cat secret)" secret
	refute [ -e nowhere ]
}

@test "a symbolic link that is the name, overwrite off: not followed either" {
	start
	ln -s "$T/secret" "$STORE/file"
	ln -s "$T/nowhere" "$STORE/dangling"
	for path in file dangling; do
		upload PUT /file/$path body
		[[ $STATUS == 403 || $STATUS == 409 ]] || fail "$path: $STATUS"
	done
	assert_equal "$(cat secret)" secret
	refute [ -e nowhere ]
	[ -L "$STORE/file" ]
}

# lies_outside DIR NAME...: nothing is stored under these names, which are all in
# DIR, nor read from there; beside it all is well.
lies_outside() {
	local dir=$1 name
	shift

	for name; do
		upload PUT "/file/$name" body
		assert_status 403
		assert_problem 'mount point'
	done
	echo inside >"$STORE/$dir/x"
	request GET "/file/$dir/x"
	assert_status 403
	assert_equal "$(find "$STORE/$dir" -type f)" "$STORE/$dir/x"
	upload PUT /file/d/other body
	assert_status 201
}

@test "a mount point on the way: 403" {
	[[ $EUID == 0 ]] || skip 'needs root for a mount'
	start
	mkdir -p "$STORE/mnt" "$STORE/d/mnt"
	mount -t tmpfs -o size=1m none "$STORE/mnt"
	mount --bind "$STORE/mnt" "$STORE/d/mnt"
	lies_outside mnt mnt/a mnt/b/c d/mnt/a
}

# No mount, but inodes of its own: two such directories were taken for one when they
# were to be synced.
@test "a btrfs subvolume on the way: 403" {
	[[ $EUID == 0 ]] || skip 'needs root for a mount'
	loop_disk btrfs 200M
	STORE=$DISK/up
	start
	btrfs -q subvolume create "$STORE/one"
	lies_outside one one/a one/b/c
}

# Its files do not have its st_dev, as its directories do.
@test "an overlay of two file systems: stored, and read back" {
	[[ $EUID == 0 ]] || skip 'needs root for a mount'
	is_portable && skip 'a PORTABLE build compares the st_dev of files, too'
	mkdir lower upper merged
	mount -t tmpfs -o size=1m none lower
	mount -t tmpfs -o size=4m none upper
	mkdir lower/up upper/up upper/work
	mount -t overlay -o "lowerdir=$T/lower,upperdir=$T/upper/up,workdir=$T/upper/work,xino=off" none merged
	STORE=$T/merged/up
	start
	for path in a d/a; do
		upload PUT /file/$path body
		assert_status 201
		request GET /file/$path
		assert_status 200
		assert_same body answer
	done
}

@test "the output_dir itself may be reached by a link" {
	mkdir real
	ln -s real uploads
	start
	upload PUT /file/a body
	assert_status 201
	assert_same body real/a
}

@test "a directory that is swapped for a link again and again: nothing gets out" {
	start
	mkdir "$STORE/d" outside
	ln -s "$T/outside" "$STORE/link"
	start_py disks exchange "$STORE/d" "$STORE/link" 3
	swapper=$PY
	run "$PENSTOCK_TOOLS/load" --allow-errors -c 8 -d 2 -s 1k -u /file/d/x/y%d "127.0.0.1:$PORT"
	wait $swapper
	assert_equal "$(find outside)" outside
	eventually access_has '"PUT /file/d/x/y[0-9]+" 201'
	eventually access_has '"PUT /file/d/x/y[0-9]+" 403'
	run -1 grep -vE '"PUT [^ ]+" (201|403|409|503) ' access.log
}
