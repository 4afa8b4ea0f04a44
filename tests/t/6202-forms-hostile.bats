# What is no good form is refused with 400, in words that name what is wrong, and nothing of
# it is stored: neither what two programs would read differently, nor what lacks its end.

load ../lib/penstock

CD='Content-Disposition: form-data; name="a"'
UP="--B\r\n$CD; filename=\"f\"\r\n"
END='\r\n--B--\r\n'

# form 'BODY' [TYPE]: a POST of these bytes, as printf %b has them.
form() {
	printf '%b' "$1" >body
	request POST /file --data-binary @body -H "Content-Type: ${2:-multipart/form-data; boundary=B}"
}

# refuses 'BODY' 'WHY' [TYPE]
refuses() {
	form "$1" "${3:-}"
	assert_status 400
	assert_problem "$2"
	assert_store_empty
}

@test "a form whose framing is broken is 400, says so, and stores nothing" {
	start_server
	refuses "preamble\r\n$UP\r\n1$END" 'does not begin with the boundary'
	refuses "\r\n$UP\r\n1$END" 'does not begin with the boundary'
	refuses "${UP//\\r/}\n1\n--B--\n" 'goes on otherwise than with CRLF'
	refuses "$UP\r\n1" 'ends before its last boundary'
	refuses "$UP\r\n1\r\n--B" 'ends before its last boundary'
	refuses "$UP\r\n1\r\n--B-" 'ends before its last boundary'
	refuses "$UP\r\n1\n--B--\n" 'ends before its last boundary'
	refuses '' 'ends before its last boundary'
	refuses "$UP\r\n1${END}epilogue" 'behind the last boundary'
	refuses "$UP\r\n1$END$UP\r\n2$END" 'behind the last boundary'
	refuses "$UP\r\n1\r\n--B \r\n\r\n--B--" 'goes on otherwise'
	refuses "$UP\r\n1\r\n--Bx\r\n--B--" 'goes on otherwise'
	refuses "$UP\r\n--B--\r\n" 'followed by a boundary'
	refuses '--B--\r\n' 'no file'
	refuses "--B\r\n$CD\r\n\r\nonly a field$END" 'no file'
	eventually access_has '"POST /file" 400 in=[0-9]+ out=[0-9]+ ms=[0-9.]+ bad-form'
}

@test "a part whose head is broken is 400, says so, and stores nothing" {
	start_server
	refuses "--B\r\n\r\n1$END" 'no Content-Disposition'
	refuses "--B\r\n$CD\n\r\n1$END" 'LF alone'
	refuses "--B\r\n$CD\rX: y\r\n\r\n1$END" 'no LF behind'
	refuses "--B\r\n$CD;\r\n filename=f\r\n\r\n1$END" 'goes on in the next one'
	refuses "--B\r\nContent-Disposition: attachment; filename=f\r\n\r\n1$END" 'not form-data'
	refuses "--B\r\nContent-Disposition: form-data; filename=f\r\n\r\n1$END" 'no name'
	refuses "--B\r\nContent-Disposition: form-data; name=\"\"; filename=f\r\n\r\n1$END" 'an empty one'
	refuses "--B\r\n$CD; filename=f; filename=g\r\n\r\n1$END" 'twice'
	refuses "--B\r\n$CD; name=b\r\n\r\n1$END" 'twice'
	refuses "--B\r\n$CD; filename=\"a\\0b\"\r\n\r\n1$END" 'control'
	refuses "${UP}Content-Transfer-Encoding: base64\r\n\r\nMQ==$END" 'is encoded'
	refuses "${UP}Content-Type: multipart/mixed; boundary=C\r\n\r\n--C--$END" 'form within the form'
	refuses "${UP}X: $(printf 'x%.0s' {1..9000})\r\n\r\n1$END" 'over 8 KiB'
}

@test "a Content-Type without a good boundary is 400 before the body is read" {
	start_server
	refuses "$UP\r\n1$END" 'names no boundary' multipart/form-data
	refuses "$UP\r\n1$END" 'two boundaries' 'multipart/form-data; boundary=B; boundary=C'
	refuses "$UP\r\n1$END" 'longer than 70' "multipart/form-data; boundary=$(printf 'B%.0s' {1..71})"
	refuses "$UP\r\n1$END" 'ends with a space' 'multipart/form-data; boundary="B "'
	refuses "$UP\r\n1$END" 'no boundary may have' 'multipart/form-data; boundary="B@"'
	head -c 3M /dev/zero >large
	request POST /file --data-binary @large -H 'Content-Type: multipart/form-data' -H 'Expect: 100-continue' -v 2>trace
	assert_status 400
	refute grep -q '100 Continue' trace
	eventually access_has '"POST /file" 400 in=0 '
}

@test "files that were whole before the form broke are stored, and told" {
	start_server
	form "$UP\r\n1\r\n${UP/\"f\"/\"g\"}\r\n2\r\n--Bx"
	assert_status 400
	assert_equal "$(jq -r '.files[] | "\(.name) \(.status)"' answer)" 'f 201'
	assert_equal "$(cat "$STORE/f")" 1
	refute test -e "$STORE/g"
}

@test "what looks like a boundary is stored as it is" {
	start_server
	form "$UP\r\nx\r\n-\r\n--\r\n--A\r\n--\r--B--\n--B\r\r\n-B$END"
	assert_status 201
	printf 'x\r\n-\r\n--\r\n--A\r\n--\r--B--\n--B\r\r\n-B' >want
	assert_same want "$STORE/f"
	form "${UP/\"f\"/\"g\"}\r\n\r\n$END" 'multipart/form-data; charset=utf-8; boundary="B"'
	assert_status 201
	printf '\r\n' >want
	assert_same want "$STORE/g"
}

@test "a page of another site cannot send a form" {
	start_server 'allow_origin http://friend.example;' "location /closed { output_dir $T/closed; }"
	form_from() {
		request POST "$1" -F up=@f -H "Origin: $2"
	}
	echo hello >f
	form_from /closed http://evil.example
	assert_status 403
	form_from /file http://evil.example
	assert_status 403
	form_from /closed null
	assert_status 403
	request POST /closed -F up=@f -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: no-cors'
	assert_status 403
	assert_store_empty
	assert_store_empty closed
	form_from /file http://friend.example
	assert_status 201
	form_from /closed "$URL"
	assert_status 201
}
