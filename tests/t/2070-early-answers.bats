# An answer that is given before the body has come reaches the client, by the
# kind of refusal, the framing of the body, and whether it asked first.

load ../lib/penstock

setup() {
	penstock_setup
	# Far more than two socket buffers hold.
	head -c 40M /dev/zero >body
}

# refused STATUS TARGET [CURL ARGS...]: with Content-Length and chunked, with
# Expect and without: curl ends well, and has the answer.
refused() {
	local want=$1 target=$2
	shift 2

	for expect in 'Expect: 100-continue' 'Expect:'; do
		upload PUT "$target" body -H "$expect" "$@"
		assert_status "$want"
		assert_header Connection close
		assert_problem .
		upload PUT "$target" - -H "$expect" "$@" <body
		assert_status "$want"
		assert_header Connection close
	done
}

@test "413, to a body with a length and to one without" {
	start_server 'max_body_size 1m;'
	refused 413 /file/a
	assert_store_empty
}

@test "400: a name that cannot be" {
	start_server
	refused 400 /file/a%00b
	refused 400 /file/a -H 'Content-Range: bytes 0-1/2'
	refused 400 /file/a -H 'Tus-Resumable: 1.0.0'
	assert_store_empty
}

@test "404: a location that is not there" {
	start_server
	refused 404 /nowhere/a
}

@test "405 and 409 and 415" {
	start_server 'form off;'
	echo hello >"$STORE/a"
	refused 409 /file/a
	refused 415 /file/b -H 'Content-Encoding: gzip'
	refused 415 /file/b -H 'Content-Type: multipart/form-data; boundary=x'
	for framing in '-H Expect:' '-H Expect: -H Transfer-Encoding:chunked'; do
		# shellcheck disable=SC2086
		request PATCH /file/x -T body $framing
		assert_status 405
		assert_header Allow 'GET, HEAD, POST, PUT, OPTIONS'
	done
}

@test "507: the disk is full" {
	mkdir small
	mount -t tmpfs -o size=4m none "$T/small"
	STORES+=("$T/small/up")
	start_server '' "location /full { output_dir $T/small/up; }"
	refused 507 /full/a
	assert_store_empty "$T/small/up"
}

@test "503: too many uploads" {
	start_server 'max_uploads 1;'
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nsome'
	_full() { upload PUT /file/b - <<<x && assert_status 503; }
	eventually _full
	refused 503 /file/b
}

@test "an answer to a bad body reaches who sends on" {
	start_server
	{ printf '5\r\nhello\r\nnonsense'; cat body; } >bad
	run -0 raw -c -w 30 -f bad 'PUT /file/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
	assert_statuses 400
	assert_store_empty
}

@test "who asks first sends nothing when the answer is no" {
	start_server 'max_body_size 1m;'
	upload PUT /file/a body -H 'Expect: 100-continue' -v 2>trace
	assert_status 413
	refute grep -q '100 Continue' trace
	eventually access_has '"PUT /file/a" 413 in=0 '
}

@test "lingering_timeout and lingering_time end the patience with those who are refused" {
	start_server 'max_body_size 1;' 'lingering_timeout 300ms; lingering_time 1s;'
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n'
	_closed() { [[ -z $(ss -Htn state established,close-wait,fin-wait-2 "sport = :$PORT") ]]; }
	eventually _closed
	hang_up "$FD"
	# One that sends on and on has its answer at once, and its second.
	py connections send_on_when_refused >seconds
	[[ $(awk '{ print ($1 >= 0.8 && $1 < 20) }' seconds) == 1 ]] || fail "it took $(cat seconds) s"
}

@test "send_timeout ends the patience with those who do not take their answer" {
	start_server '' 'send_timeout 500ms;'
	head -c 30M /dev/zero >"$STORE/big"
	connect
	from=${EPOCHREALTIME/[.,]/}
	say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\n\r\n'
	eventually access_has '"GET /file/big" '
	# And it is this time that ends, not one of the server's own.
	took=$((${EPOCHREALTIME/[.,]/} - from))
	((took > 400000 && took < 4000000)) || fail "it took $took us"
	kernel_has_let_go
	hang_up "$FD"
	# Slow is not silent.
	request GET /file/big --limit-rate 20M
	assert_status 200
	assert_same answer "$STORE/big"
}

# The kernel takes megabytes ahead, and then nothing for long.
# bats test_tags=long
@test "send_timeout does not end who reads slowly and steadily" {
	needs_acks
	start_server '' 'send_timeout 1s;'
	head -c 12M /dev/urandom >"$STORE/big"
	py connections read_slowly /file/big "$STORE/big"
}
