# The rows of lib/httprows.py over TLS, each piece a record: whole, byte by byte, and cut in
# two at the places that matter.  The answers are those on a plain port (2040).

load ../lib/penstock
load ../lib/tls

# rows GROUP
rows() {
	ADDRESS=0.0.0.0
	start_tls 'overwrite on; sync off; form off;' "location /tiny { output_dir $T/tiny; max_body_size 10; }"
	PENSTOCK_TLS=1 "$PYTHON" -B -S -E "$REPO/tests/lib/rows.py" "$PORT" "$STORE" "$1" 1
	assert_store_empty
	assert_store_empty "$T/tiny"
	run -1 grep smuggled access.log
}

# bats test_tags=long
@test "over TLS: request lines, targets, versions, Host, limits" {
	rows head
}

# bats test_tags=long
@test "over TLS: line ends, bytes in fields, names of fields" {
	rows bytes
}

# bats test_tags=long
@test "over TLS: lengths and transfer codings: where a body ends" {
	rows framing
}

# bats test_tags=long
@test "over TLS: chunks, their extensions, trailers" {
	rows chunks
}

# bats test_tags=long
@test "over TLS: what a request means, and what may stand behind it" {
	rows meaning
}
