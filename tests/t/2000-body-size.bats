# max_body_size is exact: the last byte allowed is stored, one more is refused,
# and a refused body leaves nothing behind.

load ../lib/penstock

@test "a body of exactly max_body_size is stored whole" {
	start_server 'max_body_size 64k;'
	random_file body 65536
	upload PUT /file/a body
	assert_status 201
	assert_same body "$STORE/a"
	upload PUT /file/b - <body
	assert_status 201
	assert_same body "$STORE/b"
}

@test "one byte more is 413, and nothing is kept" {
	start_server 'max_body_size 64k;'
	random_file body 65537
	upload PUT /file/a body
	assert_status 413
	assert_problem 'larger than max_body_size 64k of location /file'
	assert_store_empty
}

@test "one byte more is 413, chunked, too" {
	start_server 'max_body_size 64k;'
	random_file body 65537
	upload PUT /file/a - <body
	assert_status 413
	assert_problem 'larger than max_body_size.* of location /file'
	assert_store_empty
}

@test "a length that is refused is refused before the body" {
	start_server 'max_body_size 64k;'
	run -0 raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n'
	assert_status 413
	refute_line -p 'HTTP/1.1 100'
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\n'
	assert_status 413
	assert_header Connection close
}

@test "413 reaches a client that sends on and on, and is no reset" {
	start_server 'max_body_size 1m;'
	random_file body 40M
	for name in a b c; do
		upload PUT /file/$name body -H 'Expect:'
		assert_status 413
		assert_problem 'max_body_size'
	done
	# With a body of unknown length.
	upload PUT /file/d - -H 'Expect:' <body
	assert_status 413
	# By clients that look at the answer when all is sent only.
	run -0 raw -c -w 30 -f body 'PUT /file/e HTTP/1.1\r\nHost: x\r\nContent-Length: 41943040\r\n\r\n'
	assert_statuses 413
	assert_store_empty
}

@test "409 reaches such a client, too" {
	start_server
	random_file body 40M
	echo hello >"$STORE/a"
	for n in 1 2 3; do
		upload PUT /file/a body -H 'Expect:'
		assert_status 409
	done
	assert_equal "$(cat "$STORE/a")" hello
}

@test "0 is any size" {
	start_server 'max_body_size 0;'
	random_file body 3M
	upload PUT /file/a body
	assert_status 201
}

@test "without a length: 411 that says what to do, also for an empty upload" {
	start_server
	for method in PUT POST; do
		raw "$method /file HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
		assert_status 411
		assert_problem 'Content-Length.*0 for an empty'
	done
	raw -c 'PUT /file/a HTTP/1.0\r\n\r\nhello'
	assert_status 411
	assert_store_empty
}

@test "Content-Range is 400: a part is not the file" {
	start_server
	random_file body 100
	upload PUT /file/a body -H 'Content-Range: bytes 0-99/200'
	assert_status 400
	assert_problem 'Content-Range'
	upload PUT /file/a body -C 50
	assert_status 400
	assert_store_empty
}

@test "Content-Encoding is 415, identity is none" {
	start_server
	echo hello >body
	for coding in gzip br 'identity, gzip' x; do
		upload PUT /file/a body -H "Content-Encoding: $coding"
		assert_status 415
		assert_problem 'Content-Encoding'
	done
	assert_store_empty
	upload PUT /file/a body -H 'Content-Encoding: identity'
	assert_status 201
}

@test "an expectation that is not known is 417" {
	start_server
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 5\r\n\r\n'
	assert_status 417
	assert_problem '100-continue'
	assert_store_empty
}
