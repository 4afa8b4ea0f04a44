# A file system with neither links nor a rename that does not replace (exFAT,
# an rclone mount): what can be done there is done, and what cannot is refused
# for the reason that it is.  Guards the fourth way of publishing, where the
# lock alone keeps two uploads from taking each other's name.

load ../lib/penstock

setup() {
	penstock_setup
	STORE=$T/slow
	STORES+=("$STORE")
	slowfs_start
	slowfs_ctl fail link EPERM
	echo one >one
	echo two >two
}

@test "no links: overwrite on is served by a plain rename" {
	start_server "output_dir $STORE; overwrite on;"
	log_has 'published by temp name and a rename that may replace'
	for at in '' d/e/; do
		upload PUT "/file/${at}a" one
		assert_status 201
		upload PUT "/file/${at}a" two
		assert_status 200
		assert_same two "$STORE/${at}a"
	done
	upload POST /file one
	assert_status 201
	assert_equal "$(files_in "$STORE" | wc -l)" 3
	mkdir "$STORE/dir"
	upload PUT /file/dir one
	assert_status 409
}

@test "no links: conditions are judged all the same" {
	start_server "output_dir $STORE; overwrite on;"
	upload PUT /file/a one -H 'If-None-Match: *'
	assert_status 201
	upload PUT /file/a two -H 'If-None-Match: *'
	assert_status 412
	upload PUT /file/a two -H 'If-Match: *'
	assert_status 200
	assert_same two "$STORE/a"
	upload PUT /file/b one -H 'If-Match: *'
	assert_status 412
	upload PUT /file/a one -H 'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:01 GMT'
	assert_status 412
	assert_equal "$(files_in "$STORE")" "$STORE/a"
}

@test "no links: of many that want a new name one gets it" {
	local n k

	start_server "output_dir $STORE; overwrite on;" '' 'worker_processes 2;'
	for n in 1 2 3 4 5 6; do
		(for k in 1 2 3 4 5; do
			curl -sS -o /dev/null -w "$k %{http_code}\n" -T one -H 'If-None-Match: *' "$URL/file/$k"
		done >codes$n) 3>&- 4>&- &
		jobs[n]=$!
	done
	for n in 1 2 3 4 5 6; do wait "${jobs[n]}"; done
	assert_equal "$(grep -hc '' codes? | xargs)" '5 5 5 5 5 5'
	assert_equal "$(cat codes? | grep 201 | sort | xargs)" '1 201 2 201 3 201 4 201 5 201'
	assert_equal "$(cat codes? | grep -c ' 412')" 25
}

@test "no links: overwrite off is refused, with the reason" {
	write_conf "output_dir $STORE;"
	run -1 penstock -c "$T/penstock.conf"
	assert_output --partial 'can neither link nor rename without replacing (with overwrite on, a plain rename would do)'
}
