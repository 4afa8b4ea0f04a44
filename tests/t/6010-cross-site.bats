# A page of another site can have its visitor's browser send anything to any
# address that the visitor reaches: nothing is stored for it, whatever it sends and
# however it is cut up, and no program that is not a browser is ever taken for one.
# (Which fields mean what is the unit test's, test_site.c.)

load ../lib/penstock

# ask METHOD FIELDS...: from a client that waits with its body until it is asked.
ask() {
	local method=$1 fields=
	shift

	[[ $# == 0 ]] || fields=$(printf '%s\\r\\n' "$@")
	raw -n 1 "$method /file/a HTTP/1.1\\r\\n${fields}Expect: 100-continue\\r\\nContent-Length: 5\\r\\n\\r\\n"
}

HERE='Host: 127.0.0.1:8000'

@test "another site's page stores nothing: 403 before the body, with what to do" {
	start_server
	for method in PUT POST PATCH DELETE MKCOL; do
		run -0 ask "$method" "$HERE" 'Origin: http://127.0.0.1:9000'
		refute_line -p ' 100 '
		assert_status 403
		assert_problem 'another site.* Origin is http://127\.0\.0\.1:9000, Host is 127\.0\.0\.1:8000.* allow_origin http://127\.0\.0\.1:9000 in location /file.* proxy_set_header Host'
		eventually access_has "\"$method /file/a\" 403 in=0 out=[0-9]+ ms=[0-9.]+ cross-site\$"
	done
	run -0 ask PUT "$HERE" 'Sec-Fetch-Site: cross-site'
	assert_status 403
	assert_problem 'cannot be told.* allow_origin'
	# The browser has judged it itself: another Host would change nothing.
	run -0 ask PUT "$HERE" 'Sec-Fetch-Site: cross-site\r\nOrigin: http://b'
	assert_status 403
	assert_problem 'another site.* allow_origin http://b in location /file$'
	for origin in null http://127.0.0.1 http://localhost:8000 'http://127.0.0.1:8000 http://b' ''; do
		run -0 ask PUT "$HERE" "Origin: $origin"
		assert_status 403
	done
	# Where there is no location, it is not told so.
	raw 'PUT /none HTTP/1.1\r\nHost: x\r\nOrigin: http://b\r\nContent-Length: 0\r\n\r\n'
	assert_status 403
	assert_store_empty
}

@test "a body that is here already is not stored either, nor is one of unknown length" {
	start_server
	raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nOrigin: http://b\r\nContent-Length: 5\r\n\r\nhello'
	assert_status 403
	raw 'POST /file HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
	assert_status 403
	raw 'POST /file HTTP/1.1\r\nHost: x\r\nOrigin: http://b\r\nContent-Length: 0\r\n\r\n'
	assert_status 403
	# What a form sends, and one that an upload of the same connection follows.
	raw -n 2 'POST /file HTTP/1.1\r\nHost: x\r\nOrigin: http://b\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\nPUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	assert_statuses 403 201
	assert_equal "$(files_in "$STORE")" "$STORE/b"
}

@test "the server's own page stores, and so does what is no browser" {
	start_server 'overwrite on;'
	for fields in 'Origin: http://127.0.0.1:8000' 'Sec-Fetch-Site: same-origin' \
		'Sec-Fetch-Site: none' 'Origin: HTTP://127.0.0.1:8000' 'X: y'; do
		raw "PUT /file/a HTTP/1.1\\r\\n$HERE\\r\\n$fields\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
		[[ $STATUS == 20[01] ]]
	done
	# A page that only reads is the browser's business.
	request GET /file/a -H 'Origin: http://b.example' -H 'Sec-Fetch-Site: cross-site'
	assert_status 200
	refute_header Access-Control-Allow-Origin
	refute_header Vary
}

@test "behind a proxy that puts a Host of its own: the page's is known by X-Forwarded-Host or server_name" {
	start_server 'overwrite on;' 'server_name files.example;'
	put() {
		raw "PUT /file/a HTTP/1.1\\r\\n$HERE\\r\\n$(printf '%s\\r\\n' "$@")Content-Length: 0\\r\\n\\r\\n"
	}
	# Apache's default.
	put 'Origin: https://pub.example' 'X-Forwarded-Host: pub.example'
	assert_status 201
	put 'Origin: http://pub.example:8080' 'X-Forwarded-Host: outer, pub.example:8080' 'X-Forwarded-Host: inner'
	assert_status 200
	put 'Origin: https://other.example' 'X-Forwarded-Host: pub.example'
	assert_status 403
	# nginx's default says nothing.
	put 'Origin: https://files.example'
	assert_status 200
	put 'Origin: https://pub.example'
	assert_status 403
	# A browser that knows itself is believed before all that.
	put 'Origin: https://pub.example' 'Sec-Fetch-Site: same-origin'
	assert_status 200
	put 'Origin: https://pub.example' 'X-Forwarded-Host: pub.example' 'Sec-Fetch-Site: cross-site'
	assert_status 403
}
