# Every size arrives whole: around nothing, a page, a chunk, the queue; with a
# Content-Length and chunked.

# bats file_tags=portable
load ../lib/penstock

# stores SIZE...: each as PUT with a length and chunked, and as POST.
stores() {
	local size

	for size; do
		random_file body "$size"
		upload PUT "/file/length-$size" body
		assert_status 201
		assert_equal "$(receipt bytes)" "$size"
		assert_same body "$STORE/length-$size"
		upload PUT "/file/chunked-$size" - <body
		assert_status 201
		assert_equal "$(receipt bytes)" "$size"
		assert_same body "$STORE/chunked-$size"
		request POST /file --data-binary @body
		assert_status 201
		assert_equal "$(receipt bytes)" "$size"
		assert_same body "$STORE/$(receipt name)"
	done
}

@test "nothing, one byte, around a page" {
	start_server
	stores 0 1 4095 4096 4097
}

@test "around a chunk, and around two" {
	start_server
	stores 65535 65536 65537 131071 131072 131073
}

# bats test_tags=long
@test "around the queue, and beyond it" {
	start_server 'queue_depth 2;'
	stores 196607 196608 196609 1048579
}

# bats test_tags=engine
@test "larger than what is read at once, and not a multiple of anything" {
	start_server
	stores 1114111 4300801
}

# bats test_tags=long
@test "chunks of one page" {
	start_server 'queue_depth 2;' '' 'chunk_size 4k; buffer_memory 1m;'
	stores 0 1 4095 4096 4097 8193 300001
}

@test "chunks larger than the body" {
	start_server '' '' 'chunk_size 1m;'
	stores 1 65537 1048575 1048577
}

@test "without a master: worker_processes 0" {
	start_server '' '' 'worker_processes 0;'
	stores 0 1 65535 65536 65537
}

@test "a pipe whose end nobody knows, sent as it comes" {
	start_server
	random_file body 3M
	{
		head -c 70000 body
		tail -c +70001 body | head -c 1
		tail -c +70002 body
	} | upload PUT /file/a -
	assert_status 201
	assert_same body "$STORE/a"
}

@test "HTTP chunks of every kind: byte by byte, extensions, trailers" {
	start_server
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' \
		'1\r\na\r\n1;ext=1;q="x"\r\nb\r\n0a\r\n0123456789\r\n000000A\r\nABCDEFGHIJ\r\n0\r\nX-Note: x\r\n\r\n'
	assert_status 201
	assert_equal "$(cat "$STORE/a")" ab0123456789ABCDEFGHIJ
	raw -b 0 'PUT /file/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1;ext=1\r\nb\r\n0A\r\n0123456789\r\n0\r\n\r\n'
	assert_status 201
	assert_equal "$(cat "$STORE/b")" ab0123456789
}

@test "a body byte by byte, slower than the reader's patience" {
	start_server
	raw -b 15 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nhello, world'
	assert_status 201
	assert_equal "$(cat "$STORE/a")" 'hello, world'
}

# bats test_tags=long
@test "2.5 GiB arrive whole, and the worker stays small" {
	start_server 'sync off;' 'access_log off;' 'worker_processes 1; chunk_size 256k;'
	# Mostly holes to read fast; random where it may go wrong: at the
	# ends, at 2 GiB, and here and there.
	size=$((2560 * 1048576 + 12345))
	truncate -s $size body
	for at in 0 1 777 2047 2048 2049 2559; do
		dd if=/dev/urandom of=body bs=1M count=1 seek=$at conv=notrunc status=none
	done
	head -c 12345 /dev/urandom | dd of=body bs=64K seek=$((2560 * 16)) conv=notrunc status=none
	assert_equal "$(stat -c %s body)" $size
	upload PUT /file/big body
	assert_status 201
	assert_equal "$(receipt bytes)" $size
	assert_same body "$STORE/big"
	# 1 + queue_depth + what is in flight, each 256k, and the program.
	if ! is_sanitized; then
		peak=$(worker_peak "$(workers)")
		[ "$peak" -lt 16384 ] || fail "the worker took $peak KiB"
	fi
	# And back: its end only, by a range beyond 2^31.
	request GET /file/big -r $((2560 * 1048576))-
	assert_status 206
	cmp answer <(tail -c 12345 body)
}
