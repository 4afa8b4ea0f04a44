# Content-Range of an upload: where it names all of the file, as curl -C - has it
# on each first try, the file is stored; where it names a part, it is refused and
# says what to do, so that no part passes for the file.

load ../lib/penstock

refused() {
	assert_status 400
	assert_problem 'send the whole file, without Content-Range \(curl: without -C and -r\)'
}

@test "curl -C - stores a new file, also an empty one" {
	start_server
	random_file f 200000
	upload PUT /file/new f -C -
	assert_status 201
	assert_same f "$STORE/new"
	: >empty
	upload PUT /file/empty empty -C -
	assert_status 201
	assert_same empty "$STORE/empty"
	upload PUT /file/range f -r 0-199999
	assert_status 201
	assert_same f "$STORE/range"
}

@test "curl -C - to a name that exists is as any upload to it" {
	start_server '' "location /over { output_dir $T/over; overwrite on; }"
	random_file f 200000
	echo old >"$STORE/a"
	echo old >over/a
	upload PUT /file/a f -C -
	assert_status 409
	assert_equal "$(cat "$STORE/a")" old
	upload PUT /over/a f -C -
	assert_status 200
	assert_same f over/a
}

@test "a part of a file is 400 and tells what to do" {
	start_server
	random_file f 200000
	upload PUT /file/a f -C 50
	refused
	upload PUT /file/a f -C 1 -H Expect:
	refused
	upload PUT /file/a f -r 0-99
	refused
	# From a pipe curl knows no size: "bytes 0--2/-1".
	upload PUT /file/a - -C - <f
	refused
	for range in 'bytes 0-199999/200001' 'bytes 0-199999/*' 'bytes 1-199999/200000' 'bytes */200000' 'bytes'; do
		upload PUT /file/a f -H "Content-Range: $range"
		refused
	done
	upload PUT /file/a - -H 'Content-Range: bytes 0-199999/200000' <f
	refused
	assert_store_empty
	eventually access_has '"PUT /file/a" 400 in=0 out=[0-9]+ ms=[0-9.]+ partial$'
}
