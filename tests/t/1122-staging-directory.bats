# `.penstock` itself: left by another user, removed by a cleaning job, no
# directory at all.  Guards what is believed of it: that it can be used, and
# that it is still there.

load ../lib/penstock

# The usual job that removes empty directories.
clean() { find "$STORE" -mindepth 1 -type d -empty -delete; }

@test "a .penstock of another user: the start names it, its owner and what to do" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	mkdir -p "$STORE/.penstock"
	chmod 700 "$STORE/.penstock"
	chown nobody "$STORE"
	for extra in 'overwrite on;' 'keep latest;'; do
		write_conf "$extra" '' 'user nobody;'
		run -1 penstock -c "$T/penstock.conf"
		assert_output --partial "$STORE/.penstock belongs to user id 0"
		assert_output --partial "user id $(id -u nobody)"
		assert_output --partial 'remove it'
		refute_output --partial 'cannot be written'
	done
	# Which helps.
	rmdir "$STORE/.penstock"
	start_server 'overwrite on;' '' 'user nobody;'
	echo x >x
	upload PUT /file/a x
	assert_status 201
}

@test "a .penstock of another user, with overwrite off: nothing needs it" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	mkdir -p "$STORE/.penstock"
	chmod 700 "$STORE/.penstock"
	chown nobody "$STORE"
	start_server '' '' 'user nobody;'
	echo x >x
	upload PUT /file/a x
	assert_status 201
	upload PUT /file/b x -H 'If-None-Match: *'
	assert_status 201
	upload PUT /file/b x -H 'If-None-Match: *'
	assert_status 412
	upload PUT /file/b x -H 'If-Match: *'
	assert_status 409
}

@test "a .penstock of another user, while the server runs: the log names it" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	mkdir "$STORE"
	chown nobody "$STORE"
	start_server 'overwrite on;' '' 'user nobody;'
	rmdir "$STORE/.penstock"
	mkdir -m 700 "$STORE/.penstock"
	kill -KILL $(workers)
	eventually log_has "cannot be opened: $STORE/.penstock belongs to user id 0"
}

@test "a .penstock that is a file: the start says so" {
	mkdir "$STORE"
	: >"$STORE/.penstock"
	write_conf 'overwrite on;'
	run -1 penstock -c "$T/penstock.conf"
	assert_output --partial "$STORE/.penstock is no directory"
}

# _replace_after_cleaning EXTRA: by all workers, each time after it was removed.
_replace_after_cleaning() {
	echo old >old
	echo new >new
	upload PUT /file/a old
	assert_status 201
	for ((n = 0; n < 12; n++)); do
		clean
		is_portable || [[ ! -e $STORE/.penstock ]] # it keeps a file there
		upload PUT /file/a new "$@"
		assert_status 200
	done
	assert_same new "$STORE/a"
	clean
	upload PUT /file/b new -H 'If-None-Match: *'
	assert_status 201
	clean
	upload PUT /file/b new -H 'If-None-Match: *'
	assert_status 412
}

@test "removed by a cleaning job: each worker replaces all the same" {
	start_server 'overwrite on;' '' 'worker_processes 4;'
	_replace_after_cleaning
	log_has 'O_TMPFILE' || is_portable
}

# bats test_tags=long
@test "removed by a cleaning job: a disk without nameless files" {
	mkdir -p backing "$STORE"
	bindfs backing "$STORE"
	start_server 'overwrite on;' '' 'worker_processes 2;'
	_replace_after_cleaning
}

@test "removed by a cleaning job: keep latest" {
	start_server 'keep latest;' '' 'worker_processes 2;'
	echo x >x
	for ((n = 0; n < 8; n++)); do
		upload POST /file x
		assert_status 201
		clean
	done
	_one() { (($(files_in "$STORE" | wc -l) == 1)); }
	eventually _one
}

@test "removed by a cleaning job: under uploads in flight" {
	start_server 'overwrite on;'
	random_file body 200K
	echo old >old
	for name in a b; do upload PUT /file/$name old; done
	upload_part /file/a body
	local one=$FD
	upload_part /file/b body
	local two=$FD
	clean
	upload_rest "$one" body 200
	clean
	upload_rest "$two" body 200
	assert_same body "$STORE/a"
	assert_same body "$STORE/b"
}

# bats test_tags=long
@test "removed again and again, under many replacements: none fails, none is torn" {
	start_server 'overwrite on;' '' 'worker_processes 2;'
	for n in 1 2 3; do head -c 20000 /dev/zero | tr '\0' "$n" >body$n; done
	upload PUT /file/a body1
	(while [[ ! -e over ]]; do clean 2>/dev/null || true; done) 3>&- 4>&- &
	local cleaner=$!
	for n in 1 2 3; do
		(for ((k = 0; k < 30; k++)); do
			curl -sS -o /dev/null -w '%{http_code}\n' -T "body$n" "$URL/file/a"
		done >codes$n) 3>&- 4>&- &
		jobs[n]=$!
	done
	for n in 1 2 3; do wait "${jobs[n]}"; done
	touch over
	wait "$cleaner"
	assert_equal "$(cat codes? | sort | uniq -c | xargs)" '90 200'
	cmp body1 "$STORE/a" || cmp body2 "$STORE/a" || cmp body3 "$STORE/a"
}

# The kind: what stands in the way is ours, and is not put down to the client.
@test "a .penstock that became a file or a link: the server's trouble, which it names, until it is gone" {
	start_server 'overwrite on;' '' 'worker_processes 1;'
	echo one >body
	for how in 'touch uploads/.penstock' "ln -s $T uploads/.penstock"; do
		upload PUT /file/a body
		[[ $STATUS == 20? ]]
		rm -f uploads/.penstock/lock # of a PORTABLE build
		rmdir uploads/.penstock
		$how
		upload PUT /file/a body
		assert_status 503
		eventually log_has "$STORE/.penstock is no directory, and has to be the server's own: remove it"
		rm uploads/.penstock
		_again() { upload PUT /file/a body && [[ $STATUS == 200 ]]; }
		eventually _again
		: >error.log
	done
}
