# Answers of every kind, read by someone else: h11 (python3-h11) takes them all,
# finds one final answer to each request and no byte behind, and what RFC 9110,
# 9112 and 9457 ask of each is in them (lib/judge.py).

load ../lib/penstock

# judge GROUP PORT
judge() {
	"$PYTHON" -B -E -c 'import h11' 2>/dev/null || skip 'h11 cannot be imported: apt-get install python3-h11'
	"$PYTHON" -B -E "$REPO/tests/lib/judge.py" "$@"
}

@test "every kind of answer of a location" {
	start_server 'form off;' "
		location /gone { output_dir $T/gone; }
		location /blank { output_dir $T/blank; }
		location /over { output_dir $T/over; overwrite on; }
		location /tiny { output_dir $T/tiny; max_body_size 10; }
		location /blind { output_dir $T/blind; read off; }"
	echo hello >body
	random_file large 300k
	upload PUT /file/a body
	upload PUT /file/dir/x body
	upload PUT /file/large large
	upload PUT /over/a body
	upload PUT /blind/a body
	request PUT /file/empty -H 'Content-Length: 0'
	assert_status 201
	ln -s / "$STORE/link"
	rm -r gone
	judge answers "$PORT"
	assert_same body "$STORE/a"
}

@test "the version is said only where server_tokens is on; keepalive_timeout 0 closes" {
	start_server '' 'server_tokens on; keepalive_timeout 0;'
	judge tokens "$PORT"
}

@test "408: for a head, a body, and chunks that do not come" {
	start_server '' "header_timeout 300ms; body_timeout 300ms; location /slow { output_dir $T/slow; }"
	judge slow "$PORT"
	assert_store_empty slow
}

@test "503: more than max_uploads" {
	start_server '' "location /one { output_dir $T/one; max_uploads 1; }"
	judge busy "$PORT"
	assert_equal "$(files_in one)" one/a
}

@test "503: more than max_connections_per_ip" {
	start_server '' 'max_connections_per_ip 1;'
	judge crowded "$PORT"
}

@test "507: no space" {
	[[ $EUID == 0 ]] || skip 'needs root for a mount'
	mkdir small
	mount -t tmpfs -o size=1m none small
	start_server '' "location /full { output_dir $T/small/full; }"
	STORES+=("$T/small/full")
	judge full "$PORT"
	assert_store_empty small/full
}
