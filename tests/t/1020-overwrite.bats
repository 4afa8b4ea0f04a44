# A name that is taken: overwrite, and the conditions of a request.

load ../lib/penstock

@test "overwrite off: 409 before the body, and the old file stays" {
	start_server
	echo old >old
	random_file new 5M
	upload PUT /file/a old
	assert_status 201
	upload PUT /file/a new
	assert_status 409
	assert_problem 'overwrite'
	assert_same old "$STORE/a"
	# It was refused at the head: nothing of the body had to come.
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n'
	assert_status 409
	assert_header Connection close
}

@test "overwrite on: 201 for a new name, 200 for one that is replaced" {
	start_server 'overwrite on;'
	random_file one 100K
	random_file two 50K
	upload PUT /file/d/a one
	assert_status 201
	upload PUT /file/d/a two
	assert_status 200
	assert_same two "$STORE/d/a"
	assert_equal "$(receipt bytes)" 51200
	assert_equal "$(files_in "$STORE")" "$STORE/d/a"
}

@test "overwrite on: until the last byte the old file is there, whole" {
	start_server 'overwrite on;'
	random_file old 100K
	random_file new 100K
	upload PUT /file/a old
	connect
	say $FD 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 102400\r\n\r\n'
	head -c 102399 new >&$FD
	for ((i = 0; i < 5; i++)); do
		request GET /file/a
		assert_same old answer
	done
	tail -c 1 new >&$FD
	hear $FD >heard
	grep -q '^HTTP/1.1 200 ' heard
	assert_same new "$STORE/a"
	request GET /file/a
	assert_same new answer
}

@test "overwrite on: a huge file that is replaced is let go of, too" {
	start_server 'overwrite on;' '' 'worker_processes 1;'
	echo new >new
	random_file large 300K
	_none_is_held() { ! ls -l "/proc/$(workers)/fd" | grep -q "$STORE/. (deleted)"; }
	for body in new large; do
		truncate -s 65G "$STORE/a"
		upload PUT /file/a "$body"
		assert_status 200
		assert_same "$body" "$STORE/a"
	done
	eventually _none_is_held
}

@test "overwrite on: a huge file that is replaced is let go of, but not by the commit" {
	is_sanitized && skip 'sanitizers and strace: in the plain build only'
	is_portable && skip 'a PORTABLE build frees it at once'
	start_server 'overwrite on;' '' 'worker_processes 1;'
	echo new >new
	strace -qq -f -y -e trace=close -o calls -p "$(workers)" 3>&- &
	local tracer=$!
	_is_traced() { upload PUT /file/b new && [[ -s calls ]]; }
	eventually _is_traced
	truncate -s 65G "$STORE/a"
	upload PUT /file/a new
	assert_status 200
	_is_closed() { grep -q "$STORE/a>(deleted)" calls; }
	eventually _is_closed
	kill -INT $tracer
	wait $tracer || true
	# The commit's last is the file that has got its name.
	run -0 grep -oE "$STORE/(a|#[0-9]+)>\(deleted\)" calls
	assert_line -n -1 "$STORE/a>(deleted)"
}

@test "overwrite on: an upload that is cut leaves the old file" {
	start_server 'overwrite on;'
	random_file old 100K
	upload PUT /file/a old
	raw -e 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nsome' || true
	eventually access_has '"PUT /file/a" [0-9]+ .*(client-gone|bad-framing)'
	assert_same old "$STORE/a"
	assert_equal "$(files_in "$STORE")" "$STORE/a"
}

# It is made under a temp name that nobody locks, since it is renamed at once.  The other
# worker looks for what was left a second after its start.
@test "overwrite on, in memory: what another worker sweeps away is stored all the same" {
	is_sanitized && skip 'sanitizers and strace: in the plain build only'
	is_portable && skip 'a PORTABLE build locks its temp names'
	memory_dir
	STORE=$MEMORY/up
	printf '#!/bin/sh\nexec strace -D -f -qq -o calls -e trace=renameat2 -e inject=renameat2:delay_enter=2500000 %s "$@"\n' \
		"$PENSTOCK" >slow
	chmod +x slow
	PENSTOCK=$T/slow start_server 'overwrite on;' '' 'worker_processes 2;'
	echo new >new
	run -0 curl -s -w '%{http_code} ' -o 1 -o 2 -o 3 -H Expect: -T new "$URL/file/a" -T new "$URL/file/a" -T new "$URL/file/b"
	assert_output '201 200 201 '
	assert_same new "$STORE/b"
	grep -q 'renameat2.* ENOENT ' calls
}

@test "two at once to one name, overwrite on: each true, the last to finish stays" {
	start_server 'overwrite on;'
	connect
	a=$FD
	connect
	b=$FD
	for fd in $a $b; do
		say $fd 'PUT /file/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'
	done
	say $b 'bbbbb'
	hear $b >heard.b
	grep -qE '^HTTP/1.1 20[01] ' heard.b
	assert_equal "$(cat "$STORE/x")" bbbbb
	say $a 'aaaaa'
	hear $a >heard.a
	grep -qE '^HTTP/1.1 20[01] ' heard.a
	assert_equal "$(cat "$STORE/x")" aaaaa
}

@test "two at once to one name, overwrite off: one is stored, one gets 409" {
	start_server
	connect
	a=$FD
	connect
	b=$FD
	for fd in $a $b; do
		say $fd 'PUT /file/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'
	done
	say $b 'bbbbb'
	hear $b >heard.b
	grep -q '^HTTP/1.1 201 ' heard.b
	say $a 'aaaaa'
	hear $a >heard.a
	grep -q '^HTTP/1.1 409 ' heard.a
	assert_equal "$(cat "$STORE/x")" bbbbb
	assert_equal "$(files_in "$STORE")" "$STORE/x"
}

@test "many at once to one name, overwrite off: exactly one 201" {
	start_server '' '' 'worker_processes 4;'
	run -0 "$PENSTOCK_TOOLS/load" --allow-errors --json -c 16 -n 64 -s 4k -u /file/same "127.0.0.1:$PORT"
	eventually access_has .
	_all_logged() { [ "$(_count '"PUT /file/same"' access.log)" -ge 64 ]; }
	eventually _all_logged
	assert_equal "$(_count '"PUT /file/same" 201' access.log)" 1
	assert_equal "$(_count '"PUT /file/same" 409' access.log)" 63
}

@test "many at once to one name, overwrite on: none fails, the file is one of theirs" {
	start_server 'overwrite on;' '' 'worker_processes 4;'
	run -0 "$PENSTOCK_TOOLS/load" -c 16 -n 200 -s 100k -u /file/same "127.0.0.1:$PORT"
	assert_equal "$(stat -c %s "$STORE/same")" 102400
	assert_equal "$(files_in "$STORE")" "$STORE/same"
}

@test "files that others put there are never replaced with overwrite off" {
	start_server
	mkdir -p "$STORE/d"
	echo theirs >"$STORE/d/x"
	echo ours >body
	upload PUT /file/d/x body
	assert_status 409
	assert_equal "$(cat "$STORE/d/x")" theirs
}

@test "If-None-Match: * stores only what is new" {
	start_server 'overwrite on;'
	echo one >one
	echo two >two
	upload PUT /file/a one -H 'If-None-Match: *'
	assert_status 201
	upload PUT /file/a two -H 'If-None-Match: *'
	assert_status 412
	assert_problem 'If-None-Match'
	assert_same one "$STORE/a"
}

@test "If-None-Match: * with overwrite off is 412, too" {
	start_server
	echo one >one
	upload PUT /file/a one
	upload PUT /file/a one -H 'If-None-Match: *'
	assert_status 412
}

# A condition is judged before the name is given, and again when another upload was
# faster: by the same rules both times.
@test "If-None-Match: * by many at once is 201 for one and 412 for the rest" {
	is_sanitized && skip 'sanitizers and strace: in the plain build only'
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=linkat -e inject=linkat:delay_enter=100000 %s "$@"\n' \
		"$PENSTOCK" >slow
	chmod +x slow
	PENSTOCK=$T/slow
	start_server '' '' 'worker_processes 2;'
	run -0 py uploads race_if_none_match 8 5
	assert_output '201:5 412:35'
}

# A refusal leaves nothing, not even the directories on the way to the name.
@test "If-Match for what is not there is 412, and no directory is made for it" {
	start_server 'overwrite on;'
	for expect in '' 'Expect: 100-continue\r\n'; do
		raw "PUT /file/new/sub/x HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nIf-Match: *\\r\\n${expect}Content-Length: 3\\r\\n\\r\\none"
		assert_status 412
		assert_problem 'If-Match'
		refute [ -e "$STORE/new" ]
	done
}

@test "If-Match, and the directory is removed meanwhile: 412, and it is not made again" {
	start_server 'overwrite on;'
	mkdir -p "$STORE/d/sub"
	random_file body 200K
	upload PUT /file/d/sub/x body
	assert_status 201
	# The path brings a header along.
	upload_part '/file/d/sub/x HTTP/1.1\r\nIf-Match: *\r\nX: y' body
	rm -r "$STORE/d"
	upload_rest "$FD" body 412
	refute [ -e "$STORE/d" ]
}

@test "If-Match replaces what it names, and nothing else" {
	start_server 'overwrite on;'
	echo one >one
	echo two >two
	upload PUT /file/a one
	request HEAD /file/a
	etag=$(header ETag)
	upload PUT /file/a two -H "If-Match: $etag"
	assert_status 200
	assert_same two "$STORE/a"
	upload PUT /file/a one -H "If-Match: $etag"
	assert_status 412
	assert_problem 'If-Match'
	assert_same two "$STORE/a"
	upload PUT /file/a one -H "If-Match: \"nonsense\", $etag"
	assert_status 412
	upload PUT /file/a one -H 'If-Match: *'
	assert_status 200
	assert_same one "$STORE/a"
	upload PUT /file/none one -H 'If-Match: *'
	assert_status 412
	refute [ -e "$STORE/none" ]
	# Weak ones never match here (RFC 9110 13.1.1).
	request HEAD /file/a
	upload PUT /file/a two -H "If-Match: W/$(header ETag)"
	assert_status 412
}

@test "If-Unmodified-Since replaces what is no newer" {
	start_server 'overwrite on;'
	echo one >one
	echo two >two
	upload PUT /file/a one
	request HEAD /file/a
	modified=$(header Last-Modified)
	upload PUT /file/a two -H 'If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT'
	assert_status 412
	assert_same one "$STORE/a"
	upload PUT /file/a two -H "If-Unmodified-Since: $modified"
	assert_status 200
	assert_same two "$STORE/a"
}

@test "a file that changes after the head is not replaced by If-Match" {
	start_server 'overwrite on;'
	echo one >one
	echo three >three
	upload PUT /file/a one
	request HEAD /file/a
	etag=$(header ETag)
	connect
	say $FD "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nIf-Match: ${etag//\"/\\x22}\\r\\nContent-Length: 4\\r\\n\\r\\ntw"
	upload PUT /file/a three
	assert_status 200
	say $FD 'o\n'
	hear $FD >heard
	grep -q '^HTTP/1.1 412 ' heard
	assert_same three "$STORE/a"
	assert_equal "$(files_in "$STORE")" "$STORE/a"
}

@test "a name that is a directory, or whose parent is a file, is 409" {
	start_server 'overwrite on;'
	echo hello >body
	upload PUT /file/d/f body
	assert_status 201
	upload PUT /file/d body
	assert_status 409
	assert_problem 'directory'
	upload PUT /file/d/f/g body
	assert_status 409
	assert_problem 'is a file'
	upload PUT /file/d/f/g/h/i body
	assert_status 409
	[ -d "$STORE/d" ]
	assert_same body "$STORE/d/f"
}
