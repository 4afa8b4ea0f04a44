# allow_origin lets pages of other sites upload, and read what comes of it: the
# fields that browsers want are on every answer that such a page may get, on
# refusals before all, and none is on anybody else's.  (What a browser makes of them
# is 6000's.)

load ../lib/penstock

PAGE_ORIGIN=https://www.example

# allowed ORIGIN|*: the last answer may be read by a page of it.
allowed() {
	assert_header Access-Control-Allow-Origin "$1"
	assert_header Timing-Allow-Origin "$1"
	assert_header Vary Origin
	[[ $(header Access-Control-Expose-Headers) == *Location*ETag*Repr-Digest*Server-Timing* ]]
	refute_header Access-Control-Allow-Credentials
}

refused() {
	refute_header Access-Control-Allow-Origin
	refute_header Timing-Allow-Origin
	assert_header Vary Origin
}

# preflight PATH METHOD ORIGIN [CURL ARGS...]
preflight() {
	local path=$1 method=$2 origin=$3
	shift 3

	request OPTIONS "$path" -H "Origin: $origin" -H "Access-Control-Request-Method: $method" "$@"
}

@test "a page that is named uploads and reads; another one does not" {
	start_server "allow_origin $PAGE_ORIGIN http://[::1]:9000;"
	echo hello >body
	upload PUT /file/a body -H "Origin: $PAGE_ORIGIN" -H 'Sec-Fetch-Site: cross-site'
	assert_status 201
	allowed "$PAGE_ORIGIN"
	upload POST /file body -H 'Origin: http://[::1]:9000'
	assert_status 201
	allowed 'http://[::1]:9000'
	request GET /file/a -H "Origin: $PAGE_ORIGIN"
	assert_status 200
	allowed "$PAGE_ORIGIN"
	request GET /file/a -H "Origin: $PAGE_ORIGIN" -H 'Range: bytes=0-1'
	assert_status 206
	allowed "$PAGE_ORIGIN"
	[[ $(header Access-Control-Expose-Headers) == *Content-Range* ]]
	for origin in http://www.example https://www.example:8443 https://www.example.evil null; do
		upload PUT /file/b body -H "Origin: $origin"
		assert_status 403
		refused
	done
	# A cache must not give one the other's answer.
	request GET /file/a
	assert_status 200
	refused
	assert [ ! -e "$STORE/b" ]
}

@test "a refusal can be read by the page, too" {
	loop_disk ext4 8M
	start_server "allow_origin $PAGE_ORIGIN; max_body_size 1m; max_uploads 1;" "
		header_timeout 300ms; max_connections_per_ip 2;
		location /disk { output_dir $DISK/up; allow_origin $PAGE_ORIGIN; }
		location /gone { output_dir $T/gone; allow_origin $PAGE_ORIGIN; read off; }"
	random_file body 1000
	random_file big 2M
	random_file bigger 9M
	from() { "$@" -H "Origin: $PAGE_ORIGIN" && allowed "$PAGE_ORIGIN"; }
	from upload PUT /file/a body
	assert_status 201
	from upload PUT /file/a body
	assert_status 409
	from upload PUT /file/big big
	assert_status 413
	from upload PUT /file/ body --request-target /file/
	assert_status 400
	from upload PUT /file/.x body
	assert_status 400
	from upload PUT /disk/a bigger
	assert_status 507
	from request GET /file/none
	assert_status 404
	from request GET /gone/a
	assert_status 405
	from request GET /nowhere
	assert_status 404
	from request DELETE /file/a
	assert_status 405
	from request GET /file/a -H 'Range: bytes=5000-'
	assert_status 416
	from request GET /file/a -H "If-None-Match: $(request GET /file/a && header ETag)"
	assert_status 304
	from upload PUT /file/b body -H 'If-Match: "x"'
	assert_status 412
	from upload PUT /file/c body -H 'Content-Encoding: gzip'
	assert_status 415
	rm -rf gone && ln -s nowhere gone
	from upload PUT /gone/a body
	assert_status 503
	# The second of two at once, and a body that breaks off.
	connect
	say "$FD" 'PUT /file/slow HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'
	read -t "$PENSTOCK_PATIENCE" -r -u "$FD" line
	from upload PUT /file/d body
	assert_status 503
	hang_up "$FD"
	raw "PUT /file/e HTTP/1.1\\r\\nHost: x\\r\\nOrigin: $PAGE_ORIGIN\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nx\\r\\n"
	[[ $STATUS == 400 || $STATUS == 503 ]]
	allowed "$PAGE_ORIGIN"
	# Too many of one address: what they ask is read, and refused.
	connect
	first=$FD
	connect
	say "$first" 'G'
	say "$FD" 'G'
	from request GET /file/a
	assert_status 503
	hang_up "$first"
	hang_up "$FD"
}

@test "with * every page may, one without an origin too, and before anything of it is known" {
	start_server 'allow_origin *;' 'max_request_line 256; max_header_size 1k; header_timeout 300ms;'
	echo hello >body
	for origin in http://b.example null; do
		upload POST /file body -H "Origin: $origin" -H 'Sec-Fetch-Site: cross-site'
		assert_status 201
		allowed '*'
	done
	request GET "/file/$(printf 'a%.0s' {1..300})" -H 'Origin: http://b'
	assert_status 414
	allowed '*'
	request GET /file -H 'Origin: http://b' -H "X: $(printf 'a%.0s' {1..1100})"
	assert_status 431
	allowed '*'
	raw -w "$PENSTOCK_PATIENCE" 'GET /file HTTP/1.1\r\n'
	assert_status 408
	allowed '*'
}

@test "a head that is none is refused so that the page can read it" {
	start_server "allow_origin $PAGE_ORIGIN;" 'max_request_line 256; max_header_size 1k;'
	from() { "$@" -H "Origin: $PAGE_ORIGIN" && allowed "$PAGE_ORIGIN"; }
	from request GET "/file/$(printf 'a%.0s' {1..300})"
	assert_status 414
	from request GET /file -H "X: $(printf 'a%.0s' {1..1100})"
	assert_status 431
	from request BREW /file
	assert_status 501
	from request GET /file -H 'Content-Length: x'
	assert_status 400
	request GET "/file/$(printf 'a%.0s' {1..300})" -H 'Origin: http://b'
	assert_status 414
	refused
}

@test "a preflight is answered before anything else, and says what may be done" {
	start_server "allow_origin $PAGE_ORIGIN; max_body_size 1k;" 'location /closed { output_dir closed; allow_origin http://other; }'
	for path in /file /file/a/b /file/ /nowhere; do
		preflight $path PUT "$PAGE_ORIGIN" -H 'Access-Control-Request-Headers: content-type,x-name'
		assert_status 204
		allowed "$PAGE_ORIGIN"
		[[ $(header Access-Control-Allow-Methods) == *PUT* ]]
		assert_header Access-Control-Allow-Headers content-type,x-name
		assert_header Access-Control-Max-Age 7200
		refute_header Access-Control-Allow-Private-Network
	done
	preflight /file/a PUT "$PAGE_ORIGIN" -H 'Access-Control-Request-Private-Network: true'
	assert_header Access-Control-Allow-Private-Network true
	refute_header Access-Control-Allow-Headers
	# Words that are no names of fields are not said again.
	preflight /file/a PUT "$PAGE_ORIGIN" -H 'Access-Control-Request-Headers: a b, c'
	assert_status 204
	refute_header Access-Control-Allow-Headers
	preflight /closed/a PUT "$PAGE_ORIGIN"
	assert_status 403
	assert_problem 'allow_origin https://www\.example in location /closed'
	refused
	eventually access_has '"OPTIONS /closed/a" 403 .* cross-site$'
	# Without that field it is no preflight, and without Origin no page asks.
	request OPTIONS /closed/a -H "Origin: $PAGE_ORIGIN"
	assert_status 204
	request OPTIONS /closed/a -H 'Access-Control-Request-Method: PUT'
	assert_status 204
	# A name that is not ours comes first.
	preflight /file/a PUT "$PAGE_ORIGIN" -H 'Host: evil.example'
	assert_status 421
}

@test "where nothing is allowed a preflight is told what to set, and nobody else hears of it" {
	start_server
	preflight /file/a PUT https://www.example
	assert_status 403
	assert_problem 'allow_origin https://www\.example in location /file'
	refute_header Access-Control-Allow-Methods
	refute_header Vary
	request OPTIONS /file/a
	assert_status 204
	refute_header Vary
}

@test "allow_origin and server_name: each mistake with its place" {
	mistake() {
		printf 'server {\n server_name %s;\n location /f {\n  output_dir up;\n  allow_origin %s;\n }\n}\n' "$1" "$2" >c.conf
		run -1 penstock -c c.conf -t
		assert_output -e "^c\.conf:$3: $4"
		assert_equal "${#lines[@]}" 1
	}
	mistake a 'http://a/' 5:16 'allow_origin: "http://a/": .*leave out the slash'
	mistake a 'http://a http://a/x' 5:25 'allow_origin: "http://a/x": an origin has no path'
	mistake a 'null' 5:16 'allow_origin: "null": null stands for any page that has no origin'
	mistake a 'a.example' 5:16 'allow_origin: .* begins with its scheme'
	mistake a 'http://*.a' 5:16 'allow_origin: .* cannot be \*'
	mistake a 'http://a *' 5:25 'allow_origin: "\*": .*leave out the others'
	mistake 'a:80' 'http://a' 2:14 'server_name: "a:80": the port does not count'
	mistake '_' 'http://a' 2:14 'server_name: "_": '
	mistake 'a ~^b' 'http://a' 2:16 'server_name: "~\^b": '
	printf 'allow_origin HTTPS://A.b:443 http://C:80;\nserver {\n server_name X.Y.;\n location /f { output_dir up; }\n}\n' >c.conf
	run -0 penstock -c c.conf -T
	assert_output -p 'allow_origin            https://a.b http://c;'
	assert_output -p 'server_name             x.y;'
}
