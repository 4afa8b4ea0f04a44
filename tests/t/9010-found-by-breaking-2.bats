# What people who tried to break the server found, the second time: when it had
# learned to tell pages of other sites, requests that are no file, and the rights of
# sockets.

load ../lib/penstock

# HAProxy, as the README has it, gives one connection to client after client and
# says nothing of itself; on a UNIX socket it is a proxy that we serve.
@test "an empty file that came by a UNIX socket gives way to nothing" {
	start_server '' "listen unix:$T/sock;"
	raw -u sock -n 2 'PUT /file/lock HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n' \
		'PUT /file/lock HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello' >/dev/null
	assert_statuses 201 409
	assert_equal "$(stat -c %s "$STORE/lock")" 0
}

# Each would be a file that nobody has: empty, in chunks with signatures, or the list
# of parts; with overwrite on in place of a good one.
@test "a copy, signed chunks and the end of a multipart upload of S3 are no file" {
	start_server 'overwrite on;'
	random_file body 1000
	upload PUT /file/a body
	assert_status 201
	request PUT /file/a -H 'X-Amz-Copy-Source: /file/b' --data-binary ''
	assert_status 400
	assert_problem 'asks for a copy'
	request PUT /file/a -H 'X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD' -H 'X-Amz-Decoded-Content-Length: 5' \
		--data-binary $'5;chunk-signature=0\r\nhello\r\n0;chunk-signature=0\r\n\r\n'
	assert_status 415
	assert_problem 'signed chunks'
	request POST '/file/a?uploadId=x' --data-binary '<CompleteMultipartUpload/>'
	assert_status 400
	assert_problem 'multipart upload of S3'
	assert_same body "$STORE/a"
}

# In a directory that all may write the second server took the socket away.
@test "a UNIX socket that another user may not connect to is not taken for a stale one" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	mkdir -m 777 all
	chmod 755 .
	cp "$PENSTOCK" binary
	chmod 755 binary
	start_server '' "listen unix:$T/all/sock mode=0600;"
	cat >other.conf <<-END
		pid_file off; worker_processes 1;
		server { listen unix:$T/all/sock; access_log off; location /file { output_dir $T/all/up; } }
	END
	other() (
		_penstock_env
		exec timeout "$PENSTOCK_PATIENCE" setpriv --reuid nobody --regid nogroup --clear-groups ./binary -c other.conf 3>&- 4>&-
	)
	run -1 other
	assert_output -p 'somebody else listens there'
	request GET / --unix-socket all/sock
	assert_status 200
}

@test "-t refuses an output_dir that is a link which leads nowhere, as the start does" {
	ln -s nowhere link
	for dir in link link/below; do
		echo "server { listen 127.0.0.1:$PORT; location /file { output_dir $T/$dir; } }" >penstock.conf
		run -1 penstock -c penstock.conf -t
		assert_output -p "output_dir: $T/$dir: cannot be written: No such file or directory"
	done
}

@test "a configuration that is /dev/null is empty, and no FIFO" {
	run -1 penstock -c /dev/null -t
	assert_output '/dev/null:1:1: server: there is none; write server { location /PREFIX { } }'
}

@test "a client that lingers after a refusal takes no memory for what came with its head" {
	is_sanitized && skip 'memory is measured in the plain build only'
	start_server 'max_body_size 1k;' '' 'worker_processes 1;'
	run -0 py connections memory_of_refused 300 "$(workers)"
	[ "$output" -lt 8000 ] || fail "it takes $output bytes each"
}
