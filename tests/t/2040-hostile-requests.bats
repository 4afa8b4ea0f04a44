# Every row of lib/httprows.py (hostile and remarkable requests: what they are
# answered, whether the connection is closed, what is stored) is sent whole,
# byte by byte, and cut in two at every place.  However it comes, the answer is
# the same, the connection ends with a FIN or takes another request, nothing
# behind a refused request is ever served, and the next connection is.

load ../lib/penstock

# rows GROUP: all of them, in all ways; under a sanitizer cut at fewer places.
rows() {
	local cuts=0

	is_sanitized && cuts=100
	# Any Host that is one is good, but not to a listener on 127.0.0.1.
	ADDRESS=0.0.0.0
	start_server 'overwrite on; sync off; form off;' "location /tiny { output_dir $T/tiny; max_body_size 10; }"
	"$PYTHON" -B -S -E "$REPO/tests/lib/rows.py" "$PORT" "$STORE" "$1" $cuts
	assert_store_empty
	assert_store_empty "$T/tiny"
	run -1 grep smuggled access.log
	# Each took less than 100 s, also those that never became a request.
	run -1 grep -E ' ms=[0-9]{6}' access.log
}

@test "request lines, targets, versions, Host, limits" {
	rows head
}

@test "line ends, bytes in fields, names of fields" {
	rows bytes
}

@test "lengths and transfer codings: where a body ends" {
	rows framing
}

@test "chunks, their extensions, trailers" {
	rows chunks
}

@test "what a request means, and what may stand behind it" {
	rows meaning
}
