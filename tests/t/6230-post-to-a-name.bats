# Many clients can only POST, or do unless they are told otherwise: POST to a name
# stores as PUT does, with all that goes with it, and POST behind the slash as
# POST to the location itself.

load ../lib/penstock

@test "curl -d, --data-binary and --json, wget and busybox store with POST" {
	start_server
	random_file f 100000
	printf '{"a":1}' >json
	request POST /file/curl/binary --data-binary @f
	assert_status 201
	assert_header Location /file/curl/binary
	assert_same f "$STORE/curl/binary"
	run -0 curl -sSf -d hello "$URL/file/curl/d"
	assert_equal "$(cat "$STORE/curl/d")" hello
	run -0 curl -sSf --json @json "$URL/file/curl/json"
	assert_same json "$STORE/curl/json"
	run -0 wget -nv -O answer --post-file f "$URL/file/wget"
	assert_same f "$STORE/wget"
	assert_equal "$(receipt name)" wget
	# busybox stops at a NUL.
	text_file text 100000
	run -0 busybox wget -q -O answer --post-file text "$URL/file/busybox"
	assert_same text "$STORE/busybox"
}

# As ffmpeg 5.1 writes its output to an http:// URL.
@test "what ffmpeg sends when it is not told to PUT" {
	start_server
	raw -p 20 "POST /file/live/a.ts HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\nUser-Agent: Lavf/59.27.100\\r\\nAccept: */*\\r\\nConnection: close\\r\\nHost: $ADDRESS:$PORT\\r\\nIcy-MetaData: 1\\r\\n\\r\\n" \
		'5\r\nhello\r\n' '6\r\n again\r\n' '0\r\n\r\n'
	assert_status 201
	assert_equal "$(cat "$STORE/live/a.ts")" 'hello again'
}

@test "POST behind the slash gets a generated name" {
	start_server '' "location / { output_dir $T/root; }"
	for path in /file/ /file; do
		request POST "$path" --data-binary hello
		assert_status 201
		location=$(header Location)
		assert_regex "$location" '^/file/[0-9]{8}T[0-9]{9}Z-[0-9a-f]{16}$'
		assert_equal "$(cat "$STORE/${location#/file/}")" hello
		request GET "$location"
		assert_equal "$(cat answer)" hello
	done
	request POST / --data-binary hello
	assert_status 201
	assert_regex "$(header Location)" '^/[0-9]{8}T'
	request PUT /file/ --data-binary hello
	assert_status 400
	request POST /file/dir/ --data-binary hello
	assert_status 400
	assert_equal "$(files_in "$STORE" | wc -l)" 2
}

@test "POST to a name meets all that PUT meets" {
	start_server 'max_body_size 1m;' "location /over { output_dir $T/over; overwrite on; }"
	echo hello >f
	head -c 1100000 /dev/zero >large
	request POST /file/a -T f
	assert_status 201
	request POST /file/a -T f
	assert_status 409
	assert_problem 'exists'
	request POST /file/a -T f -H 'If-None-Match: *'
	assert_status 412
	request POST /file/b -T large -H 'Expect: 100-continue' -v 2>trace
	assert_status 413
	refute grep -q '100 Continue' trace
	request POST /file/a/b -T f
	assert_status 409
	assert_problem 'is a file'
	request POST /file/../b --path-as-is -T f
	assert_status 400
	request POST /file/b -T f -H 'Content-MD5: AAAAAAAAAAAAAAAAAAAAAA=='
	assert_status 400
	# Replaced, if its condition holds.
	request POST /over/a -T f
	assert_status 201
	etag=$(header ETag)
	echo again >g
	request POST /over/a -T g -H 'If-Match: "x"'
	assert_status 412
	assert_same f over/a
	request POST /over/a -T g -H "If-Match: $etag" -H 'Expect: 100-continue' -v 2>trace
	assert_status 200
	grep -q '100 Continue' trace
	assert_same g over/a
	assert_equal "$(files_in "$STORE")" "$STORE/a"
}

@test "Allow names POST, and GET / says that it is as good as PUT" {
	start_server
	for path in /file /file/ /file/a; do
		request OPTIONS "$path"
		assert_status 204
		assert_header Allow 'GET, HEAD, POST, PUT, OPTIONS'
		request DELETE "$path"
		assert_status 405
		assert_header Allow 'GET, HEAD, POST, PUT, OPTIONS'
	done
	request GET /
	grep -q 'POST' answer
}
