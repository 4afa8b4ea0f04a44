# Requests that could be read in two ways are refused, and the connection with
# them; others in a row stay apart.

load ../lib/penstock

# bad STATUS BYTES: refused, nothing stored, and the server closes.
bad() {
	raw -c "$2" || [[ $? == 2 ]] || fail "no answer to $2"
	assert_statuses "$1"
	assert_problem .
	assert_header Connection close
}

NEXT='GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

@test "Content-Length and Transfer-Encoding together" {
	start_server
	bad 400 "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$NEXT"
	bad 400 "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\nContent-Length: 5\\r\\n\\r\\n0\\r\\n\\r\\n$NEXT"
	assert_store_empty
}

@test "lengths that are none, or two" {
	start_server
	for length in +5 -5 5x 0x5 '5 5' '5,5' '5, 6' '' '5.0' 99999999999999999999 '٥'; do
		bad 400 "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: $length\\r\\n\\r\\nhello$NEXT"
	done
	bad 400 "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 5\\r\\nContent-Length: 6\\r\\n\\r\\nhello$NEXT"
	assert_store_empty
}

@test "transfer codings that are not exactly chunked" {
	start_server
	for coding in identity 'chunked, chunked' 'gzip, chunked' 'chunked, identity' xchunked 'chunked;q=1' '"chunked"' ''; do
		raw -c "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: $coding\\r\\n\\r\\n0\\r\\n\\r\\n$NEXT"
		[[ $STATUS == 400 || $STATUS == 501 ]] || fail "$coding: $STATUS"
		assert_equal "$(wc -l <statuses)" 1
	done
	raw -c "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$NEXT"
	assert_statuses 400
	# Nor from a client of 1.0.
	raw -c "PUT /file/a HTTP/1.0\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$NEXT"
	assert_statuses 400
	assert_store_empty
}

@test "field names and lines that others read differently" {
	start_server
	for field in 'Content-Length : 5' ' Content-Length: 5' 'Content-Length\t: 5' 'Content Length: 5' \
		'Content-Length: 5\r\n x' 'X: a\x00b' 'X: a\nContent-Length: 6' 'X: a\rb' ': x' 'X'; do
		bad 400 "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\n$field\\r\\nContent-Length: 5\\r\\n\\r\\nhello$NEXT"
	done
	assert_store_empty
}

@test "request lines that are none" {
	start_server
	for line in 'PUT /file/a' 'PUT  /file/a HTTP/1.1' 'PUT /file/a  HTTP/1.1' 'PUT /file/a HTTP/1.1 ' \
		'PUT /file/a b HTTP/1.1' 'PUT /file/a HTTP/1.10' 'PUT /file/a http/1.1' 'PUT /file/a HTTP/x.1' \
		'PUT file/a HTTP/1.1' 'P@T /file/a HTTP/1.1' 'PUT\t/file/a\tHTTP/1.1' 'PUT /file/a#x HTTP/1.1' ; do
		raw -c "$line\\r\\nHost: x\\r\\nContent-Length: 5\\r\\n\\r\\nhello$NEXT"
		[[ $STATUS == 400 || $STATUS == 501 ]] || fail "$line: $STATUS"
		assert_equal "$(wc -l <statuses)" 1
	done
	for version in HTTP/2.0 HTTP/0.9 HTTP/3.0; do
		raw -c "PUT /file/a $version\\r\\nHost: x\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
		[[ $STATUS == 505 || $STATUS == 400 ]] || fail "$version: $STATUS"
	done
	assert_store_empty
}

@test "Host: exactly one, and one that is" {
	start_server
	bad 400 'GET / HTTP/1.1\r\n\r\n'
	bad 400 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
	bad 400 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'
	bad 400 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'
}

@test "HTTP chunks that are not well-formed" {
	start_server
	n=0
	for chunks in 'x\r\n' '-1\r\na\r\n' '+1\r\na\r\n' '0x1\r\na\r\n' ' 1\r\na\r\n' '\r\n' \
		'1\r\nab\r\n' '1\r\na0\r\n\r\n' '1\na\n0\n\n' '1\r\na\r\n0\r\nX : y\r\n\r\n' \
		'10000000000000000\r\n' '8000000000000000\r\n' 'ffffffffffffffff\r\na\r\n' \
		'1;x="\r\na\r\n' '1\rXa\r\n' '0\r\nX\r\n\r\n'; do
		n=$((n + 1))
		raw -c "PUT /file/a$n HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n$chunks" '\r\n0\r\n\r\n'"$NEXT"
		assert_statuses 400
		assert_problem .
	done
	assert_store_empty
}

@test "chunk extensions and trailers have a limit" {
	start_server
	long=$(printf 'x%.0s' {1..20000})
	raw -c "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1;x=$long\\r\\na\\r\\n0\\r\\n\\r\\n"
	[[ $STATUS == 4* ]]
	raw -c "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1\\r\\na\\r\\n0\\r\\nX: $long\\r\\n\\r\\n"
	[[ $STATUS == 4* ]]
	assert_store_empty
}

@test "a body may look like a request: it is a body" {
	start_server
	body='GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
	raw -n 2 "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\n\\r\\n${body}GET /file/a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	assert_statuses 201 200
	assert_equal "$(stat -c %s "$STORE/a")" 35
	raw -n 2 "PUT /file/b HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n23\\r\\n$body\\r\\n0\\r\\n\\r\\nGET /file/b HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	assert_statuses 201 200
	assert_same "$STORE/a" "$STORE/b"
	eventually access_has '"GET /file/b" 200'
	run -1 grep smuggled access.log
}

@test "the body of a refused request is never the next request" {
	start_server '' "location /tiny { output_dir $T/tiny; max_body_size 10; }"
	bad 413 "PUT /tiny/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\n\\r\\n$NEXT"
	bad 405 "DELETE /file/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\n\\r\\n$NEXT"
	bad 404 "GET /nowhere HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\n\\r\\n$NEXT"
	bad 400 "PUT /file/../a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\n\\r\\n$NEXT"
	run -1 grep smuggled access.log
	# A GET that has a body gets it over with, or closes.
	raw -c "GET / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 35\\r\\n\\r\\n$NEXT"
	run -1 grep smuggled access.log
}

@test "bytes that are no HTTP at all" {
	start_server
	bad 400 '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'
	head -c 100000 /dev/urandom >junk
	raw -c -f junk ''
	[[ -z $STATUS || $STATUS == 4* ]]
	echo hello >body
	upload PUT /file/a body
	assert_status 201
}

@test "a host longer than any name is refused, and not sent back many times" {
	ADDRESS=0.0.0.0 # where any name is taken
	start_server
	long=$(printf 'h%.0s' {1..256})
	raw "GET / HTTP/1.1\\r\\nHost: ${long:1}:80\\r\\n\\r\\n" >/dev/null
	assert_status 200
	raw -c "GET / HTTP/1.1\\r\\nHost: $long\\r\\n\\r\\n" >/dev/null
	assert_status 400
}

@test "TLS is told what it met" {
	start_server
	raw -c '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
	assert_status 400
	assert_problem 'no TLS'
}
