# curl --digest and --ntlm send an upload without its content first, and then
# again, whole.  The second may replace the first with overwrite off, and
# nothing else may: not what another connection sent, not what has changed, not
# after another request, not where a proxy shares its connections.
#
# The kind of fault: a client's own first step is in the way of its second.

load ../lib/penstock

# pair SECOND [BETWEEN]: an empty upload to the name a, what stands between, and
# SECOND, on one connection; its statuses are in `statuses`.
EMPTY='PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
WHOLE='PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'

# Both, by the real one.
@test "curl --digest and --ntlm: what is stored is the file, and both answers are true" {
	start_server
	random_file small 12
	random_file large 3M
	for way in digest ntlm; do
		for file in small large; do
			upload PUT "/file/$way-$file" $file --$way -u user:password
			assert_status 200
			assert_same $file "$STORE/$way-$file"
			assert_equal "$(receipt bytes)" "$(stat -c %s $file)"
			eventually access_has "\"PUT /file/$way-$file\" 201 in=0 .* stored .*"
			eventually access_has "\"PUT /file/$way-$file\" 200 in=$(stat -c %s $file) .* replaced .*"
		done
		upload PUT "/file/$way-pipe" - --$way -u user:password <large
		assert_status 200
		assert_same large "$STORE/$way-pipe"
		upload PUT "/file/new/dir/$way" small --$way -u user:password
		assert_status 200
		assert_same small "$STORE/new/dir/$way"
		# And again: now the name is taken, and stays what it is.
		upload PUT "/file/$way-small" large --$way -u user:password
		assert_status 409
		assert_same small "$STORE/$way-small"
	done
	# These send no empty one when they are not asked for a password.
	for way in basic anyauth negotiate; do
		upload PUT "/file/$way" small --$way -u user:password
		assert_status 201
		assert_same small "$STORE/$way"
	done
	assert_equal "$(files_in "$STORE" | wc -l)" 11
}

@test "a generated name is nobody's second: the empty one stays beside the true one" {
	start_server
	random_file small 12
	upload PUT /file small --digest -u user:password
	assert_status 201
	assert_equal "$(files_in "$STORE" | wc -l)" 2
	assert_same small "$STORE/$(receipt name)"
	# The name that was made for the empty one is taken, too.
	raw 'POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n' >/dev/null
	assert_status 201
}

@test "only the very next request of the same connection, to the same name, with content" {
	start_server '' "location /other { output_dir $STORE; }"
	STEP='GET /file/none HTTP/1.1\r\nHost: x\r\n\r\n'
	raw -n 2 "$EMPTY$WHOLE" >/dev/null
	assert_statuses 201 200
	assert_equal "$(cat "$STORE/a")" hello

	# What came third finds a file that is not empty.
	rm "$STORE/a"
	raw -n 3 "$EMPTY$WHOLE${WHOLE/hello/again}" >/dev/null
	assert_statuses 201 200 409
	assert_equal "$(cat "$STORE/a")" hello

	# Another connection, a request between, another way to the file.
	n=0
	for bytes in "$EMPTY$STEP$WHOLE" "$EMPTY${EMPTY/file\/a/file/z}$WHOLE" "$EMPTY${WHOLE/file/other}" \
		"$EMPTY$EMPTY"; do
		rm "$STORE"/*
		n=$((n + 1))
		raw -n $((n < 3 ? 3 : 2)) "$bytes" >/dev/null
		assert_status 409
		assert_equal "$(stat -c %s "$STORE/a")" 0
	done
	raw "$WHOLE" >/dev/null
	assert_status 409
	# What was replaced by an empty one is no new file.
	rm "$STORE/a"
	raw -n 2 "${EMPTY/file\/a/file/b}$WHOLE" >/dev/null
	assert_statuses 201 201
}

@test "not what somebody else has put there meanwhile" {
	start_server
	connect
	say "$FD" "$EMPTY"
	_is_there() { [[ -e $STORE/a ]]; }
	eventually _is_there
	# Into the file itself, and another file in its place; also an empty one.
	printf precious >"$STORE/a"
	say "$FD" "${WHOLE/x\\r/x\\r\\nConnection: close\\r}"
	hear "$FD" >heard
	hang_up "$FD"
	grep -q '^HTTP/1.1 409 ' heard
	assert_equal "$(cat "$STORE/a")" precious
	for content in precious ''; do
		rm "$STORE/a"
		connect
		say "$FD" "$EMPTY"
		eventually _is_there
		printf %s "$content" >"$STORE/new"
		mv "$STORE/new" "$STORE/a"
		say "$FD" "${WHOLE/x\\r/x\\r\\nConnection: close\\r}"
		hear "$FD" >heard
		hang_up "$FD"
		grep -q '^HTTP/1.1 409 ' heard
		assert_equal "$(cat "$STORE/a")" "$content"
	done
	# Nothing in its place is as good as its first.
	rm "$STORE/a"
	connect
	say "$FD" "$EMPTY"
	eventually _is_there
	rm "$STORE/a"
	say "$FD" "${WHOLE/x\\r/x\\r\\nConnection: close\\r}"
	hear "$FD" >heard
	hang_up "$FD"
	assert_equal "$(grep -c '^HTTP/1.1 201 ' heard)" 2
	assert_equal "$(cat "$STORE/a")" hello
}

# A proxy gives one connection to several clients; one of them may have taken the
# empty file for a lock, say.
@test "not through a proxy that says so, nor against a condition of the second" {
	start_server
	for field in 'Via: 1.1 x' 'X-Forwarded-For: 192.0.2.1' 'Forwarded: for=192.0.2.1' 'X-Forwarded-Host: x' 'X-Forwarded-Proto: https' 'X-Real-IP: 192.0.2.1'; do
		rm -f "$STORE/a"
		raw -n 2 "$EMPTY${WHOLE/x\\r/x\\r\\n$field\\r}" >/dev/null
		assert_statuses 201 409
		assert_equal "$(stat -c %s "$STORE/a")" 0
	done
	rm "$STORE/a"
	raw -n 2 "$EMPTY${WHOLE/x\\r/x\\r\\nIf-None-Match: *\\r}" >/dev/null
	assert_statuses 201 412
	assert_equal "$(stat -c %s "$STORE/a")" 0
}

@test "with overwrite on, and with keep latest, it is as for all" {
	start_server 'overwrite on;' "location /latest { output_dir $T/latest; keep latest; }"
	STORES+=("$T/latest")
	random_file small 12
	upload PUT /file/a small --digest -u user:password
	assert_status 200
	assert_same small "$STORE/a"
	upload PUT /latest/a small --digest -u user:password
	assert_status 200
	assert_same small "$T/latest/a"
	upload PUT /latest/b small --digest -u user:password
	assert_status 200
	_only_b() { [[ $(files_in "$T/latest") == "$T/latest/b" ]]; }
	eventually _only_b
	assert_same small "$T/latest/b"
}

# A `.penstock` that we may not use, which overwrite off does not need otherwise.
@test "where nothing can be replaced, the second is told that the name is taken" {
	is_portable && skip 'a PORTABLE build has no user'
	mkdir -p "$STORE/.penstock"
	chmod 700 "$STORE/.penstock"
	chmod 777 "$STORE"
	start_server '' '' 'user nobody;'
	raw -n 2 "$EMPTY$WHOLE" >/dev/null
	assert_statuses 201 409
	assert_equal "$(stat -c %s "$STORE/a")" 0
}

@test "an empty upload and its second on a disk without O_TMPFILE" {
	needs_births # a ctime, which FUSE makes up for a while, tells too much apart
	fuse_disk
	start_server "output_dir $DISK/up;"
	raw -n 2 "$EMPTY$WHOLE" >/dev/null
	assert_statuses 201 200
	assert_equal "$(cat "$DISK/up/a")" hello
}

# HAProxy, as the README has it, gives one connection to client after client and
# says nothing of itself; on a UNIX socket it is a proxy that we serve.
@test "an empty file that came by a UNIX socket gives way to nothing" {
	start_server '' "listen unix:$T/sock;"
	raw -u sock -n 2 'PUT /file/lock HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n' \
		'PUT /file/lock HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello' >/dev/null
	assert_statuses 201 409
	assert_equal "$(stat -c %s "$STORE/lock")" 0
}
