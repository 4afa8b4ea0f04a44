# Files on a tmpfs are sent by the kernel itself: the same answers, the same bytes.

load ../lib/penstock

# One server, one worker, a file of 20 MiB at $MEMORY/big.
begin() {
	memory_dir
	start_server "output_dir $MEMORY/up; read on;" "${1-}" 'worker_processes 1; buffer_memory 8m;'
	random_file big 20M
	cp big "$MEMORY/up/big"
}

# take_some FD FILE: the first 100,000 bytes that come.
take_some() { dd bs=100000 count=1 iflag=fullblock status=none <&"$1" >"$2"; }

# take_rest FD: what comes until the server closes.
take_rest() { timeout "$PENSTOCK_PATIENCE" cat <&"$1"; }

# content_of FILE: what stands behind the first head.
content_of() { LC_ALL=C sed '1,/^\r$/d' "$1"; }

@test "what is got from memory is what was put: whole, in part, its head, and nothing of it" {
	begin
	request GET /file/big
	assert_status 200
	assert_same big answer
	assert_header Content-Length 20971520
	etag=$(header ETag)
	request GET /file/big -r 1000001-5000000
	assert_status 206
	assert_same <(tail -c +1000002 big | head -c 4000000) answer
	assert_header Content-Range 'bytes 1000001-5000000/20971520'
	request GET /file/big -r -7 -H "If-Range: $etag"
	assert_status 206
	assert_same <(tail -c 7 big) answer
	request HEAD /file/big
	assert_status 200
	assert_header Content-Length 20971520
	request GET /file/big -H "If-None-Match: $etag"
	assert_status 304
	: >empty
	upload PUT /file/a/empty empty
	request GET /file/a/empty
	assert_status 200
	assert_same empty answer
	request GET /file/none
	assert_status 404
	request GET /file
	assert_status 200
	assert_header Content-Location /file/a/empty
}

@test "several are got one after the other, some of them asked for at once" {
	begin
	echo one >"$MEMORY/up/one"
	echo two >"$MEMORY/up/two"
	raw -n 3 'GET /file/one HTTP/1.1\r\nHost: x\r\n\r\nGET /file/two HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\nGET /file/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >heard
	assert_statuses 200 206 404
	assert_equal "$(grep -axE 'one|wo' heard | tr '\n' ' ')" 'one wo '
	request GET /file/big
	assert_same big answer
}

# Neither chunks nor turns of the loop are held by those who take nothing.
@test "clients that do not read hold up nobody, and get all of it in the end" {
	local fds=() fd
	begin
	for _ in {1..3}; do
		connect
		say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
		fds+=("$FD")
	done
	request GET /file/big --max-time "$PENSTOCK_PATIENCE"
	assert_same big answer
	upload PUT /file/new big
	assert_status 201
	for fd in "${fds[@]}"; do
		take_rest "$fd" >heard
		assert_same <(content_of heard) big
		hang_up "$fd"
	done
	eventually access_has '"GET /file/big" 200 in=0 out=20971520 .* sent$'
}

@test "what is replaced or removed while it is got is got to its end" {
	begin
	connect
	say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	take_some "$FD" heard
	echo other >other
	mv other "$MEMORY/up/big"
	request GET /file/big
	assert_equal "$(cat answer)" other
	rm "$MEMORY/up/big"
	request GET /file/big
	assert_status 404
	take_rest "$FD" >>heard
	hang_up "$FD"
	assert_same <(content_of heard) big
}

# A part of it must not look like the whole.
@test "what is cut short while it is got: the connection breaks off, and the log says why" {
	begin
	connect
	say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\n\r\n'
	take_some "$FD" heard
	truncate -s 0 "$MEMORY/up/big"
	take_rest "$FD" >>heard
	hang_up "$FD"
	(($(wc -c <heard) < 20 * 1024 * 1024))
	eventually access_has '"GET /file/big" 200 in=0 out=[0-9]+ ms=[0-9.]+ disk-error$'
	log_has 'download'
}

@test "a client that takes nothing any more is given up after send_timeout" {
	begin 'send_timeout 500ms;'
	connect
	say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\n\r\n'
	eventually access_has '"GET /file/big" 200 in=0 out=[0-9]+ ms=[0-9.]+ send-timeout$'
	kernel_has_let_go
	hang_up "$FD"
}

@test "a download from memory sees the directory that the path leads to now" {
	begin
	echo before >"$MEMORY/up/a"
	request GET /file/a
	assert_equal "$(cat answer)" before
	mv "$MEMORY/up" "$MEMORY/moved"
	mkdir "$MEMORY/up"
	echo after >"$MEMORY/up/a"
	request GET /file/a
	assert_equal "$(cat answer)" after
	mv "$MEMORY/up" "$MEMORY/empty"
	mkdir "$MEMORY/up"
	request GET /file/a
	assert_status 404
}
