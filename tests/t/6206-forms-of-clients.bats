# The forms of what people upload with: each stores its files, byte for byte, under their names,
# as its library writes them.

load ../lib/penstock

CLIENTS=$REPO/tests/lib/clients

# stores DIRECTORY 'SAID' COMMAND...: the client's form, sent to that directory.
stores() {
	local dir=$1 said=$2
	shift 2
	run -0 "$@"
	assert_equal "$(tail -n 1 <<<"$output" | sed "s|$dir/||g")" "$said"
	assert_same f "$STORE/$dir/f"
}

# both_are_there DIRECTORY [NAME]
both_are_there() { assert_same f "$STORE/$1/${2:-a \"b\" ä.txt}"; }

@test "curl -F, from a file, its standard input, with escapes of both kinds" {
	start_server
	random_file f 200000
	cp f 'a "b" ä.txt'
	stores c1 201 curl -sS -o /dev/null -w '%{http_code}' -F up=@f -F 'up=@"a \"b\" ä.txt"' "$URL/file/c1/"
	both_are_there c1
	stores c2 201 curl -sS -o /dev/null -w '%{http_code}' --form-escape -F up=@f -F 'up=@"a \"b\" ä.txt"' \
		"$URL/file/c2/"
	both_are_there c2
	run -0 curl -sSf -F up=@- "$URL/file/c3/" <f
	assert_same f "$STORE/c3/-"
	stores c4 201 curl -sS -o /dev/null -w '%{http_code}' -H 'Transfer-Encoding: chunked' -F up=@f "$URL/file/c4/"
}

@test "requests of Python" {
	start_server
	random_file f 200000
	# A backslash is written twice by urllib3 1.26: the last part of the path is the same.
	stores r '201 f a "b" ä.txt' "$PYTHON" "$CLIENTS/form_requests.py" "$URL/file/r/"
	both_are_there r
}

@test "fetch and FormData of node" {
	start_server
	random_file f 200000
	stores n '201 f a "b" ä.txt' node "$CLIENTS/form_node.mjs" "$URL/file/n/"
	both_are_there n
}

@test "Java" {
	start_server
	random_file f 200000
	stores j '201 /file/f' java "$CLIENTS/FormJava.java" "$URL/file/j/"
}

@test "PHP's CURLFile" {
	command -v php >/dev/null || skip 'there is no php (scripts/setup test)'
	start_server
	random_file f 200000
	stores p '201 f a "b" ä.txt' php "$CLIENTS/form.php" "$URL/file/p/"
	both_are_there p
}

@test "Go's mime/multipart" { # bats test_tags=long
	command -v go >/dev/null || skip 'there is no go (scripts/setup test)'
	start_server
	random_file f 200000
	stores g '201 f a "b" ä.txt' env HOME="$T" GOCACHE="$T/go" GOFLAGS=-modcacherw go run "$CLIENTS/form.go" "$URL/file/g/"
	both_are_there g
}

@test "LWP of perl, net/http of ruby, and httpie" {
	command -v lwp-request >/dev/null || skip 'there is no LWP (scripts/setup test)'
	start_server
	random_file f 200000
	stores l '201 f a b.txt' perl "$CLIENTS/form.pl" "$URL/file/l/"
	both_are_there l 'a b.txt'
	command -v ruby >/dev/null || skip 'there is no ruby (scripts/setup test)'
	stores y '201 f a "b" ä.txt' ruby "$CLIENTS/form.rb" "$URL/file/y/"
	both_are_there y
	command -v http >/dev/null || skip 'there is no httpie (scripts/setup test)'
	run -0 http --ignore-stdin --check-status --form POST "$URL/file/h/" note=x up@f
	assert_same f "$STORE/h/f"
	run -0 http --ignore-stdin --check-status --multipart POST "$URL/file/i/" note=x up@f
	assert_same f "$STORE/i/f"
}

# busybox's wget has no forms, but a shell makes one.
@test "a form that busybox sends as bytes" {
	start_server
	text_file f 20000
	{
		printf -- '--B\r\nContent-Disposition: form-data; name="up"; filename="f"\r\n\r\n'
		cat f
		printf '\r\n--B--\r\n'
	} >body
	run -0 busybox wget -q -O answer --header 'Content-Type: multipart/form-data; boundary=B' \
		--post-file body "$URL/file/b/"
	assert_same f "$STORE/b/f"
}
