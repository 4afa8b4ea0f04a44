# GET and HEAD of a file, whole and in part; conditional requests; GET / and
# OPTIONS.

load ../lib/penstock

# One server, one file of 100,000 bytes, modified at a known time.
start_with_file() {
	start_server "$@"
	random_file body 100000
	upload PUT /file/d/a body
	assert_status 201
	touch -d '2020-02-02 02:02:02 UTC' "$STORE/d/a"
}

@test "GET gives the file, as bytes of no known kind" {
	start_with_file
	request GET /file/d/a
	assert_status 200
	assert_same body answer
	assert_header Content-Type application/octet-stream
	assert_header X-Content-Type-Options nosniff
	assert_header Content-Length 100000
	assert_header Accept-Ranges bytes
	assert_header Last-Modified 'Sun, 02 Feb 2020 02:02:02 GMT'
	assert_regex "$(header ETag)" '^"[^"]+"$'
	assert_regex "$(header Date)" '^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$'
}

@test "HEAD gives the same head, and no content" {
	start_with_file
	request GET /file/d/a
	grep -vi '^date' headers >get
	request HEAD /file/d/a
	assert_status 200
	diff <(grep -vi '^date' headers) get
	raw -H 'HEAD /file/d/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	assert_status 200
}

@test "what is not there is 404, for HEAD without content" {
	start_with_file
	for path in /file/none /file/d /file/d/a/b /file/none/none /nowhere; do
		request GET $path
		assert_status 404
		assert_problem .
		raw -H -c "HEAD $path HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"
		assert_status 404
		assert_equal "$(cat answer)" ''
	done
}

@test "an answer to HEAD never has content, so that the next one is understood" {
	start_with_file
	for path in /file/d/a /file/none /nowhere / /file /file/.. /file/; do
		run -0 raw -H -c "HEAD $path HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nOPTIONS / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"
		assert_equal "$(sed -n 2p statuses)" 204
		refute_line -p '{'
		refute_line -p 'penstock takes'
	done
}

@test "names that may not be stored may not be read either" {
	start_with_file
	mkdir -p "$STORE/.hidden"
	echo secret >"$STORE/.hidden/x"
	echo secret >"$T/outside"
	for path in /file/.hidden/x /file/d/../d/a /file/%2e%2e/outside /file//d/a /file/d%5ca /file/d/a%00; do
		request GET "$path" --path-as-is
		assert_status 400
		assert_problem .
	done
	# A slash at the end is no name either.
	request GET /file/d/ --path-as-is
	refute grep -q 200 status
}

@test "links are never followed, nor is what is not a file read" {
	start_with_file
	echo secret >"$T/outside"
	ln -s "$T/outside" "$STORE/out"
	ln -s d/a "$STORE/in"
	ln -s d "$STORE/dirlink"
	mkfifo "$STORE/fifo"
	request GET /file/out
	assert_status 403
	assert_problem 'link'
	request GET /file/in
	assert_status 403
	request GET /file/dirlink/a
	assert_status 403
	request GET /file/fifo
	[[ $STATUS == 40[34] ]]
	request GET /file/d/a
	assert_same body answer
}

@test "read off: 405, with what is allowed instead" {
	start_server 'read off;'
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	for path in /file /file/a; do
		request GET $path
		assert_status 405
		assert_problem .
		refute grep -qi GET <<<"$(header Allow)"
		request HEAD $path
		assert_status 405
	done
	request OPTIONS /file
	assert_header Allow 'POST, PUT, OPTIONS'
	request OPTIONS /file/a
	assert_header Allow 'POST, PUT, OPTIONS'
}

@test "empty files, and files of one chunk and around it" {
	start_server
	for size in 0 1 65535 65536 65537 1000000; do
		random_file body $size
		upload PUT /file/$size body
		request GET /file/$size
		assert_status 200
		assert_same body answer
		assert_header Content-Length $size
	done
}

# bats test_tags=long
@test "a client that reads slowly gets it all, others meanwhile theirs" {
	start_with_file 'queue_depth 2;' '' 'worker_processes 1;'
	(exec curl -sS --limit-rate 60K -o slow "$URL/file/d/a" 3>&-) &
	slow=$!
	for ((i = 0; i < 10; i++)); do
		request GET /file/d/a
		assert_same body answer
	done
	wait $slow
	assert_same body slow
}

@test "a client that leaves while it reads leaves nothing behind" {
	start_server '' '' 'worker_processes 1;'
	random_file body 20M
	upload PUT /file/a body
	connect
	say $FD 'GET /file/a HTTP/1.1\r\nHost: x\r\n\r\n'
	head -c 1000 <&$FD >/dev/null
	hang_up $FD
	eventually access_has '"GET /file/a" 200 .*client-gone'
	_no_file_open() { ! ls -l "/proc/$(workers)/fd" | grep -q "$STORE/a"; }
	eventually _no_file_open
}

@test "ranges: from, to, the last, one byte" {
	start_with_file
	request GET /file/d/a -r 0-9
	assert_status 206
	cmp answer <(head -c 10 body)
	assert_header Content-Range 'bytes 0-9/100000'
	assert_header Content-Length 10
	request GET /file/d/a -r 99990-
	assert_status 206
	cmp answer <(tail -c 10 body)
	assert_header Content-Range 'bytes 99990-99999/100000'
	request GET /file/d/a -r -5
	assert_status 206
	cmp answer <(tail -c 5 body)
	request GET /file/d/a -r 65535-65536
	assert_status 206
	cmp answer <(tail -c +65536 body | head -c 2)
	request GET /file/d/a -r 0-999999999
	assert_status 206
	assert_same body answer
	request GET /file/d/a -r -999999999
	assert_status 206
	assert_same body answer
}

@test "ranges that lie outside are 416, those not understood the whole file" {
	start_with_file
	for range in 100000- 100000-100001 999999999999-; do
		request GET /file/d/a -r $range
		assert_status 416
		assert_header Content-Range 'bytes */100000'
		assert_problem .
	done
	for range in 'bytes=9-1' 'bytes=x' 'lines=1-2' 'bytes=' 'bytes=-' 'bytes=1-2-3' \
		'bytes=99999999999999999999999-' 'bytes=0-1,5-6'; do
		request GET /file/d/a -H "Range: $range"
		# Several ranges, and numbers that never end, may be refused.
		[[ $STATUS == 200 || $STATUS == 416 ]] || fail "$range: $STATUS"
		[[ $STATUS == 416 ]] || assert_same body answer
	done
}

@test "If-Range: the part when it is still that file, else all of it" {
	start_with_file
	request HEAD /file/d/a
	etag=$(header ETag)
	request GET /file/d/a -r 0-9 -H "If-Range: $etag"
	assert_status 206
	request GET /file/d/a -r 0-9 -H 'If-Range: "other"'
	assert_status 200
	assert_same body answer
	request GET /file/d/a -r 0-9 -H "If-Range: W/$etag"
	assert_status 200
}

@test "curl -C - goes on where it stopped" {
	start_with_file
	head -c 30000 body >part
	run -0 curl -sS -C - -o part "$URL/file/d/a"
	assert_same body part
}

@test "If-None-Match and If-Modified-Since: 304 without content" {
	start_with_file
	request HEAD /file/d/a
	etag=$(header ETag)
	for field in "If-None-Match: $etag" "If-None-Match: W/$etag" 'If-None-Match: *' \
		"If-None-Match: \"x\", $etag" \
		'If-Modified-Since: Sun, 02 Feb 2020 02:02:02 GMT'; do
		request GET /file/d/a -H "$field"
		assert_status 304
		assert_header ETag "$etag"
		refute [ -s answer ]
	done
	for field in 'If-None-Match: "x"' 'If-Modified-Since: Sun, 02 Feb 2020 02:02:01 GMT'; do
		request GET /file/d/a -H "$field"
		assert_status 200
	done
	request GET /file/d/a -H 'If-Match: "x"'
	assert_status 412
	request GET /file/d/a -H 'If-Unmodified-Since: Sat, 01 Feb 2020 00:00:00 GMT'
	assert_status 412
}

@test "the ETag changes with the file, however it is changed" {
	start_with_file 'overwrite on;'
	request HEAD /file/d/a
	one=$(header ETag)
	request HEAD /file/d/a
	assert_equal "$(header ETag)" "$one"
	upload PUT /file/d/a body
	assert_status 200
	request HEAD /file/d/a
	two=$(header ETag)
	assert_not_equal "$one" "$two"
	printf x | dd of="$STORE/d/a" conv=notrunc status=none
	touch -d '2020-02-02 02:02:02 UTC' "$STORE/d/a"
	request HEAD /file/d/a
	assert_not_equal "$(header ETag)" "$two"
}

@test "GET / names the endpoints and lines that work" {
	start_server '' "location /more/deep { output_dir $T/more; read off; }"
	request GET /
	assert_status 200
	assert_header Content-Type 'text/plain; charset=utf-8'
	grep -qx /file answer
	grep -qx /more/deep answer
	assert_equal "$(grep -c '^  curl ' answer)" 8
	# They do what they say, word by word.
	echo hello >FILE
	while read -r curl; do
		bash -c "${curl%%  *} -sS -o line-answer -w '%{http_code}'" >code
		[[ $(cat code) == 20[01] ]] || fail "$curl: $(cat code line-answer)"
	done < <(grep '^  curl ' answer | sed 's/^ *//; s/\([^ ]\)   *[a-z].*/\1/')
	request HEAD /
	assert_status 200
	refute [ -s answer ]
	request POST / --data-binary @FILE
	assert_status 405
	assert_header Allow 'GET, HEAD, OPTIONS'
}

@test "OPTIONS says what is allowed" {
	start_server
	request OPTIONS /file
	assert_status 204
	assert_header Allow 'GET, HEAD, POST, PUT, OPTIONS'
	request OPTIONS /file/a
	assert_header Allow 'GET, HEAD, POST, PUT, OPTIONS'
	request OPTIONS /
	assert_header Allow 'GET, HEAD, OPTIONS'
	request OPTIONS / --request-target '*'
	assert_status 204
	assert_header Allow 'GET, HEAD, POST, PUT, OPTIONS'
	request OPTIONS /nowhere
	assert_status 404
}

@test "other methods: 405 with Allow, unknown ones 501" {
	start_server
	for method in DELETE PATCH TRACE MKCOL PROPFIND; do
		for path in /file /file/a /; do
			request $method $path
			assert_status 405
			assert_problem .
			header Allow
		done
	done
	raw 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n'
	assert_status 405
	for method in BREW get Put; do
		request $method /file
		assert_status 501
		assert_problem .
	done
}
