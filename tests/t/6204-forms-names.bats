# What the files of a form are stored as: what their client calls them, with the folders of a
# browser, and never a path of its machine; what a field says; or a name that is made here.

load ../lib/penstock

CD='Content-Disposition: form-data; name="up"'

# send 'FILENAME PARAMETERS' [PATH]: a form of one file, with `hello` in it.
send() {
	printf -- '--B\r\n%s; %b\r\n\r\nhello\r\n--B--' "$CD" "$1" >body
	request POST "${2:-/file}" --data-binary @body -H 'Content-Type: multipart/form-data; boundary=B'
}

# stored_as FILENAME NAME
stored_as() {
	send "filename=\"$1\""
	assert_status 201
	assert_equal "$(jq -r '.files[0].name' answer)" "$2"
	assert_equal "$(cat "$STORE/$2")" hello
}

@test "a path of the client's machine keeps its last part, a folder that was sent all of them" {
	start_server
	stored_as 'C:\\\\dir\\\\sub\\\\a.txt' a.txt
	stored_as '\\\\\\\\server\\\\share\\\\b.txt' b.txt
	stored_as '/etc/c.txt' c.txt
	stored_as 'c:/dir/d.txt' d.txt
	stored_as 'dir/sub/e.txt' dir/sub/e.txt
	stored_as '-' -
	stored_as 'a b%20c%.txt' 'a b%20c%.txt'
	stored_as 'ä.txt' 'ä.txt'
	stored_as 'q%22q.txt' 'q"q.txt'
	stored_as 'r\\"r.txt' 'r"r.txt'
}

@test "filename* wins over filename, in both of its encodings" {
	start_server
	send "filename=\"a.txt\"; filename*=UTF-8''%c3%a4%e2%82%ac.txt"
	assert_status 201
	assert_equal "$(cat "$STORE/ä€.txt")" hello
	send "filename*=iso-8859-1''%fc.txt; filename=b.txt"
	assert_status 201
	assert_equal "$(cat "$STORE/ü.txt")" hello
	refute test -e "$STORE/a.txt"
}

@test "names that no upload may have are 400, and nothing is stored" {
	start_server
	for name in ../x a/../b . .hidden a//b a/ .penstock/x 'a%0Ab' 'a%0Db' '\xff' "$(printf 'x%.0s' {1..256})" \
		'c:\\\\'; do
		send "filename=\"$name\""
		assert_status 400
		assert_problem .
		assert_store_empty
	done
	send "filename*=utf-8''..%2f..%2fetc%2fpasswd"
	assert_status 400
	assert_store_empty
}

@test "a file of another location is refused, as its rules are others'" {
	start_server '' "location /file/closed { output_dir $T/closed; deny all; }"
	send 'filename="closed/a"'
	assert_status 400
	assert_problem 'another location'
	send 'filename="a"' /file/closed/
	assert_status 403
	assert_store_empty
	refute test -e closed/a
}

@test "a file that was not chosen is none, and one without a name gets one" {
	start_server
	echo hello >f
	request POST /file -F up=@f -F 'none=@/dev/null;filename='
	assert_status 201
	assert_equal "$(jq '.files | length' answer)" 1
	# node 18, without and with bytes
	printf -- '--B\r\n%s\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--B--' "$CD" >body
	request POST /file --data-binary @body -H 'Content-Type: multipart/form-data; boundary=B'
	assert_status 400
	assert_problem 'no file'
	printf -- '--B\r\n%s\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--B--' "$CD" >body
	request POST /file --data-binary @body -H 'Content-Type: multipart/form-data; boundary=B'
	assert_status 201
	assert_regex "$(jq -r '.files[0].name' answer)" '^[0-9]{8}T'
	send 'filename=""'
	assert_status 201
	assert_regex "$(jq -r '.files[0].name' answer)" '^[0-9]{8}T'
	assert_equal "$(files_in "$STORE" | wc -l)" 3
}

@test "form_name generated and field: names that the client's files do not have" {
	start_server '' "location /made { output_dir $T/made; form_name generated; }
		location /field { output_dir $T/field; form_name field path; }"
	echo hello >f
	request POST /made/dir/ -F up=@f
	assert_status 201
	assert_regex "$(jq -r '.files[0].name' answer)" '^dir/[0-9]{8}T'
	request POST /field -F path=x/y.txt -F up=@f -F path=z -F up=@f
	assert_status 201
	assert_same f field/x/y.txt
	assert_same f field/z
	request POST /field -F up=@f -F path=late
	assert_status 400
	assert_problem 'must come before'
	request POST /field -F path=../x -F up=@f
	assert_status 400
	request POST /field -F path=/etc/x -F up=@f
	assert_status 400
	assert_equal "$(files_in field | wc -l)" 2
}

@test "with a link the names are made here, and a link to a name is for one file" {
	mkdir spent
	penstock key "$T/links" k1 >/dev/null
	start_server "signed_link_keys $T/links; signed_link_spent $T/spent;"
	echo hello >f
	link=$(penstock -c penstock.conf sign POST /file --expires 1h --once)
	request POST "$link" -F up=@f -F 'up=@f;filename=g'
	assert_status 201
	assert_equal "$(jq -r '.files[].name' answer | grep -cE '^[0-9]{8}T')" 2
	request POST "$link" -F up=@f
	assert_status 403
	link=$(penstock -c penstock.conf sign POST /file/x --expires 1h --max-size 1k)
	request POST "$link" -F up=@f -F up=@f
	assert_status 400
	head -c 2000 /dev/zero >large
	request POST "$link" -F up=@large
	assert_status 413
	assert_problem 'this link allows'
	request POST "$link" -F up=@f
	assert_status 201
	assert_same f "$STORE/x"
	# A file's link is none for a directory of that name.
	link=$(penstock -c penstock.conf sign POST /file/y --expires 1h)
	request POST "${link/\/y?/\/y/?}" -F up=@f
	assert_status 403
	request POST /file -F up=@f
	assert_status 403
}
