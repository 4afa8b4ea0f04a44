# The files of a form are stored as if each had been sent alone, by the names that their
# client gives them; its fields are told in the answer; and one of several that is
# refused keeps none of the others back.

load ../lib/penstock

# files: what the answer says of each file, `field status name` in a line.
files() {
	jq -r '.files[] | "\(.field) \(.status) \(.name)"' answer
}

@test "curl -F: files and fields in any order, each byte of them" {
	start_server
	echo hello >a.txt
	random_file b.bin 300000
	random_file c.bin 5000000
	: >empty
	request POST /file -F before=1 -F up=@a.txt -F 'note=hi "there"' -F up=@b.bin -F x=@c.bin \
		-F none=@empty -F after=2
	assert_status 201
	assert_equal "$(files)" $'up 201 a.txt\nup 201 b.bin\nx 201 c.bin\nnone 201 empty'
	assert_equal "$(jq -r '.fields[] | .name + "=" + .value' answer)" $'before=1\nnote=hi "there"\nafter=2'
	for f in a.txt b.bin c.bin empty; do
		assert_same $f "$STORE/$f"
	done
	eventually access_has '"POST /file" 201 .* stored .* name="a.txt, b.bin, c.bin, empty"$'
}

@test "a form of one file is answered with the fields of an upload" {
	start_server 'checksum sha256;'
	echo hello >a.txt
	request POST /file -F up=@a.txt
	assert_status 201
	assert_header Location /file/a.txt
	assert_equal "$(jq -r '.files[0].digest["sha-256"]' answer)" "$(sha256sum <a.txt | cut -d' ' -f1)"
	assert_header Repr-Digest "sha-256=:$(openssl dgst -sha256 -binary a.txt | base64):"
	etag=$(header ETag)
	request GET /file/a.txt
	assert_header ETag "$etag"
}

@test "a form with a length, and one in chunks, are stored alike" {
	start_server
	random_file b.bin 300000
	request POST /file -F up=@b.bin
	assert_status 201
	assert_same b.bin "$STORE/b.bin"
	rm "$STORE/b.bin"
	request POST /file -F up=@b.bin -H 'Transfer-Encoding: chunked' -H Expect:
	assert_status 201
	assert_same b.bin "$STORE/b.bin"
}

@test "a form to a name is stored there, to a directory below it; several files to a name are 400" {
	start_server
	echo hello >a.txt
	echo other >b.txt
	request POST /file/x/y -F up=@a.txt -F note=1
	assert_status 201
	assert_same a.txt "$STORE/x/y"
	request POST /file/dir/ -F up=@a.txt -F up=@b.txt
	assert_status 201
	assert_same a.txt "$STORE/dir/a.txt"
	assert_same b.txt "$STORE/dir/b.txt"
	request POST /file/z -F up=@a.txt -F up=@b.txt
	assert_status 400
	assert_problem 'several files'
	refute test -e "$STORE/z"
	request POST /file/ -F up=@a.txt
	assert_status 201
	assert_same a.txt "$STORE/a.txt"
}

@test "of files that are refused each is told, and the others are stored" {
	start_server
	echo hello >a.txt
	echo other >b.txt
	random_file c.bin 300000
	request POST /file -F up=@b.txt
	assert_status 201
	request POST /file -F up=@a.txt -F up=@b.txt -F 'up=@a.txt;filename=../x' -F up=@c.bin
	assert_status 409
	assert_equal "$(files)" $'up 201 a.txt\nup 409 b.txt\nup 400 ../x\nup 201 c.bin'
	assert_problem 'exists'
	assert_same a.txt "$STORE/a.txt"
	assert_same c.bin "$STORE/c.bin"
}
