# What is asked for under a name that no file can have: the answer says what the
# name is (a directory, an invisible sign), not only that there is no such file.

load ../lib/penstock

@test "a directory, asked for with a slash: there is no listing, and the disk is not asked" {
	start_server
	mkdir "$STORE/dir"
	echo hello >"$STORE/f"
	for path in /file/dir/ /file/none/at/all/ /file/f/; do
		request GET "$path"
		assert_status 404
		assert_problem 'directories are not listed: ask for one of its files by name, or leave out the slash'
		assert_problem "a directory ${path:6:-1} in location /file"
		request HEAD "$path"
		assert_status 404
	done
	eventually access_has '"GET /file/dir/" 404 .* ends-in-slash$'
	# What is wrong with the name itself comes first.
	request GET '/file/%00/'
	assert_status 400
	request GET '/file/..%2f/' --path-as-is
	assert_status 400
	request GET '/file/a//'
	assert_status 400
	assert_problem 'empty part'
}

@test "a directory, asked for without a slash, and behind it as the newest" {
	start_server
	mkdir "$STORE/dir"
	request GET /file/dir
	assert_status 404
	assert_problem 'dir in location /file is a directory, and directories are not listed'
	request HEAD /file/dir
	assert_status 404
	eventually access_has '"GET /file/dir" 404 .* no-listing$'
	refute log_has 'dir.*no-listing'
	# One that takes the place of the newest upload is not that upload.
	request PUT /file/first --data-binary 1
	request PUT /file/second --data-binary 2
	rm "$STORE/second"
	mkdir "$STORE/second"
	request GET /file
	assert_status 200
	assert_equal "$(cat answer)" 1
}

@test "an upload to a path that ends in a slash says that a name is missing" {
	start_server
	mkdir "$STORE/dir"
	for method in PUT POST; do
		for path in /file/dir/ /file/a/b/; do
			request $method "$path" --data-binary x
			assert_status 400
			assert_problem 'ends in a slash, as a directory.s does: add a name after the slash'
		done
	done
	assert_store_empty
}

@test "a sign that nobody sees is named, with the reason why it may not be" {
	start_server
	request PUT '/file/invoice%E2%80%AEfdp.exe' --data-binary x
	assert_status 400
	assert_problem 'U\+202E, which changes the direction of text, so that the name can look like another one: leave it out'
	request PUT '/file/a%EF%BB%BF' --data-binary x
	assert_status 400
	assert_problem 'U\+FEFF, a byte order mark, which cannot be seen: leave it out'
	request PUT '/file/a%0Ab' --data-binary x
	assert_status 400
	assert_problem 'U\+000A, a control character'
	assert_store_empty
}
