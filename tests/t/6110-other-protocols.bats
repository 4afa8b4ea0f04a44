# What comes in another protocol is told what it met, as far as it can be, and an
# operator sees what came: each has its word in the access log, and what is no
# request line is logged as it came, escaped and clipped.
#
# The kind of fault: the answer and the log say no more than that something was
# wrong, to people whose mistake is always the same.

load ../lib/penstock

@test "HTTP/2 without TLS is 505, and says what to do" {
	start_server
	raw -c 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64' >/dev/null
	assert_status 505
	assert_problem 'HTTP/2 without TLS'
	assert_problem '--http2-prior-knowledge'
	assert_header Connection close
	eventually access_has ' "PRI \* HTTP/2.0" 505 in=0 .* http2$'
	# A real one: it cannot read our answer, but the log names it.
	echo hello >body
	run curl -sS --http2-prior-knowledge -T body "$URL/file/a"
	assert_failure
	_two() { (($(grep -c ' "PRI \* HTTP/2.0" 505 .* http2$' access.log) == 2)); }
	eventually _two
	assert_store_empty
}

@test "the PROXY protocol, as text and in binary, is told where to be turned off" {
	start_server
	PUT='PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	for line in 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 80' 'PROXY TCP6 2001:db8::1 2001:db8::2 1000 80' 'PROXY UNKNOWN'; do
		raw -c "$line\\r\\n$PUT" >/dev/null
		assert_status 400
		assert_problem 'PROXY protocol.*send-proxy'
		eventually access_has " \"$line\" 400 .* proxy-protocol$"
	done
	raw -c '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\0\x50'"$PUT" >/dev/null
	assert_status 400
	assert_problem 'PROXY protocol.*send-proxy'
	eventually access_has 'QUIT.* 400 .* proxy-protocol$'
	# A real one.
	echo hello >body
	upload PUT /file/a body --haproxy-protocol
	assert_status 400
	assert_problem 'PROXY protocol'
	# Which is no method, but others may be called so.
	raw -c 'PROXY /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello' >/dev/null
	assert_status 501
	assert_store_empty
}

@test "TLS on a plain port has its own word in the log" {
	start_server
	# curl cannot read our answer, as it is none in TLS.
	run curl -sS "https://$ADDRESS:$PORT/file"
	assert_failure
	assert_output --partial 'wrong version number'
	# The record's type, its version, its length, and that it is a ClientHello.
	eventually access_has ' 0 "\\u0016\\u0003\\u0001.*" 400 .* tls-on-plain-port$'
	# One byte is enough.
	raw -c '\x16' >/dev/null
	assert_status 400
	assert_problem 'no TLS'
	eventually access_has ' 0 "\\u0016" 400 .* tls-on-plain-port$'
}

# All of it stays on one line, however it came.
@test "what is no request line is logged as it came, escaped and clipped" {
	start_server
	long=$(printf 'x%.0s' {1..5000})
	raw -c 'SSH-2.0-OpenSSH_9.2\r\n\r\n' >/dev/null
	eventually access_has ' "SSH-2.0-OpenSSH_9.2" 400 .* refused$'
	raw -c 'a"b\\c\xFF\r\n\r\n' >/dev/null
	eventually access_has ' "a\\"b\\\\c\\u00ff" 400 .* refused$'
	raw -c ' PUT /file/a HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
	eventually access_has ' " PUT /file/a HTTP/1.1" 400 .* refused$'
	raw -c "$long\\r\\n\\r\\n" >/dev/null
	eventually access_has ' "x{100,128}\.\.\." 400 .* refused$'
	raw -c '\r\n\n' >/dev/null
	eventually access_has ' "\\u000d\\u000a\\u000a" 400 .* refused$'
	raw -c 'GET /file\nHost: x\n\n' >/dev/null
	eventually access_has ' "GET /file\\u000aHost: x\\u000a\\u000a" 400 .* refused$'
	# Of a good line nothing changes, whatever is wrong behind it.
	raw -c 'PUT /file/a HTTP/1.1\r\nHost : x\r\n\r\n' >/dev/null
	eventually access_has ' "PUT /file/a" 400 .* refused$'
	raw -c 'FOO /file/a HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
	eventually access_has ' "FOO /file/a" 501 .* refused$'
	run -1 grep -E '" "|"-"' access.log
	assert_equal "$(wc -l <access.log)" 8
}

# Each would be stored as what the client does not have: empty, in chunks with
# signatures, or the list of parts; with overwrite on in place of a good one.
@test "a copy, signed chunks and the end of a multipart upload of S3 are no file" {
	start_server 'overwrite on;'
	random_file body 1000
	upload PUT /file/a body
	assert_status 201
	request PUT /file/a -H 'X-Amz-Copy-Source: /file/b' --data-binary ''
	assert_status 400
	assert_problem 'asks for a copy'
	request PUT /file/a -H 'X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD' -H 'X-Amz-Decoded-Content-Length: 5' \
		--data-binary $'5;chunk-signature=0\r\nhello\r\n0;chunk-signature=0\r\n\r\n'
	assert_status 415
	assert_problem 'signed chunks'
	request POST '/file/a?uploadId=x' --data-binary '<CompleteMultipartUpload/>'
	assert_status 400
	assert_problem 'multipart upload of S3'
	assert_same body "$STORE/a"
}
