# A condition that does not hold says which of the reasons it is: that there is no
# such file, that the file is another one, or that nothing may be replaced at all.

load ../lib/penstock

@test "If-Match on a name that is not there says so, small or large" {
	start_server '' "location /over { output_dir $T/over; overwrite on; }"
	echo hello >small
	head -c 300000 /dev/zero >large
	for path in /file/none /over/none /over/no/directory; do
		for file in small large; do
			for match in '*' '"x"'; do
				upload PUT "$path" "$file" -H "If-Match: $match"
				assert_status 412
				assert_problem 'there is no file of that name, so If-Match.* cannot hold: leave it out to store a new file'
			done
		done
	done
	assert_store_empty
	assert_store_empty "$T/over"
}

@test "If-Match on another version says so, and how to go on" {
	start_server 'overwrite on;'
	echo hello >f
	upload PUT /file/a f
	upload PUT /file/a f -H 'If-Match: "x"'
	assert_status 412
	assert_problem 'the file is not the one that If-Match names.*ask for its ETag'
	upload PUT /file/a f -H 'If-None-Match: *'
	assert_status 412
	assert_problem 'exists, and If-None-Match says not to replace it'
}

@test "If-Match that holds, where nothing may be replaced, says what is missing" {
	start_server
	echo hello >f
	upload PUT /file/a f
	etag=$(header ETag)
	for match in "$etag" '*'; do
		upload PUT /file/a f -H "If-Match: $match"
		assert_status 409
		assert_problem 'overwrite is off in location /file: .* to replace files, also with If-Match, an operator has to set overwrite on'
	done
}
