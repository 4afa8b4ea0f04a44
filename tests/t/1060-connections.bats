# What HTTP/1.1 says of connections: kept, closed, several requests in a row.

load ../lib/penstock

PUT5='HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n'

@test "a connection is kept for the next request" {
	start_server
	echo hello >body
	curl -sS -T body "$URL/file/a" -T body "$URL/file/b" \
		-o answer -o answer -w '%{http_code} %{num_connects}\n' >out
	assert_equal "$(cat out)" $'201 1\n201 0'
	assert_same body "$STORE/a"
	assert_same body "$STORE/b"
}

@test "requests that are sent at once are answered one after the other" {
	start_server
	raw -n 4 "PUT /file/a ${PUT5}aaaaaPUT /file/b ${PUT5}bbbbbGET /file/b HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nPUT /file/a ${PUT5}ccccc"
	assert_statuses 201 201 200 409
	assert_problem overwrite
	assert_equal "$(cat "$STORE/a")" aaaaa
	assert_equal "$(cat "$STORE/b")" bbbbb
}

@test "requests in a row, cut at every place" {
	start_server
	run -0 raw -b 0 -n 3 "PUT /file/a ${PUT5}aaaaa\\r\\nPUT /file/b HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n2\\r\\nbb\\r\\n3\\r\\nbbb\\r\\n0\\r\\n\\r\\nGET /file/a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	assert_statuses 201 201 200
	assert_equal "$(cat answer)" aaaaa
	assert_equal "$(cat "$STORE/b")" bbbbb
}

@test "what follows a chunked body is the next request, however much came with it" {
	start_server
	random_file body 200000
	{
		printf 'PUT /file/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' 200000
		cat body
		printf '\r\n0\r\n\r\n'
		for ((i = 0; i < 50; i++)); do
			printf 'PUT /file/b%d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello' $i
		done
	} >stream
	raw -n 51 -f stream
	assert_equal "$(sort -u statuses)" 201
	assert_equal "$(wc -l <statuses)" 51
	assert_same body "$STORE/a"
	for ((i = 0; i < 50; i++)); do
		assert_equal "$(cat "$STORE/b$i")" hello
	done
}

@test "chunked bodies that are sent in a row are answered in their order" {
	start_server
	for ((i = 0; i < 20; i++)); do
		printf 'PUT /file/c%d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' $i
		printf '3\r\nab,\r\n%x\r\n%s\r\n0\r\n\r\n' ${#i} $i
	done >stream
	raw -n 20 -f stream >answers
	assert_equal "$(sort -u statuses)" 201
	assert_equal "$(sed -n 's|^Location: /file/c||p' answers | tr -d '\r' | paste -sd ' ')" "$(seq -s ' ' 0 19)"
	for ((i = 0; i < 20; i++)); do
		assert_equal "$(cat "$STORE/c$i")" "ab,$i"
	done
}

@test "many small requests in a row on one connection, many connections" {
	start_server 'sync off;'
	run -0 "$PENSTOCK_TOOLS/load" -c 16 -n 3000 -s 100 "127.0.0.1:$PORT"
	assert_equal "$(files_in "$STORE" | wc -l)" 3000
	assert_equal "$(find "$STORE" -type f -size 100c | wc -l)" 3000
}

# timed STATUS METHOD TARGET [CURL ARGS...]: the request takes $US microseconds.
timed() {
	local from=${EPOCHREALTIME/[.,]/} status=$1
	shift

	request "$@"
	US=$((${EPOCHREALTIME/[.,]/} - from))
	assert_status "$status"
}

# start_other: a second server, at $OTHER_URL.
start_other() {
	local port=$PORT

	PORT=$(free_port)
	OTHER_URL=http://$ADDRESS:$PORT
	write_conf "output_dir $T/other;" "access_log off;" \
		"worker_processes 1; pid_file off; error_log $T/other.log info;"
	start_conf "$T/penstock.conf"
	PORT=$port
}

@test "a pipeline without end holds up nobody" {
	start_other
	start_server '' 'keepalive_requests 1000000;' 'worker_processes 1;'
	start_py connections pipeline 20
	pipes=$PY
	eventually test -e pipelining
	# The same requests to a server that has nothing else to do say how long
	# anything takes now, on a machine that is busy with these and other things.
	busy=0 idle=0
	for n in {1..20}; do
		timed 404 GET "$OTHER_URL/file/none"
		((idle += US))
		timed 404 GET /file/none
		((busy += US))
	done
	is_running "$pipes"
	kill "$pipes"
	echo "20 requests took $busy us, $idle us of a server without a pipeline"
	is_sanitized || ((busy < 10 * idle))
}

@test "Connection: close is obeyed" {
	start_server
	raw -c "PUT /file/a HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
	assert_status 201
	assert_header Connection close
	raw -c 'GET /file/a HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n'
	assert_status 200
}

@test "HTTP/1.0: closed, unless keep-alive is asked for; no Host needed" {
	start_server
	raw -c 'PUT /file/a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello'
	assert_status 201
	assert_header Connection close
	raw -n 2 'GET /file/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /file/a HTTP/1.0\r\n\r\n'
	assert_statuses 200 200
}

@test "keepalive_requests closes after so many, with all of them answered" {
	start_server '' 'keepalive_requests 3;'
	raw -c -n 3 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'
	assert_statuses 200 200 200
	assert_header Connection close
}

@test "what is sent behind the last request does not turn its answer into a reset" {
	start_server '' 'keepalive_requests 2;'
	get='GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	for n in 1 2 3 4 5; do
		run -0 raw -c "$get$get$get$get$get"
		assert_statuses 200 200
	done
	# However much it is, such as an upload that is not read any more.
	random_file body 1M
	for n in 1 2 3 4 5; do
		run -0 raw -c -f body "$get${get}PUT /file/x HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1048576\\r\\n\\r\\n"
		assert_statuses 200 200
	done
	# So it is with a body: the client asked to close, and goes on sending.
	for n in 1 2 3 4 5; do
		run -0 raw -c "PUT /file/a$n HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 5\\r\\n\\r\\nhello and then some"
		assert_statuses 201
	done
}

@test "keepalive_timeout closes an idle connection, 0 at once" {
	start_server '' 'keepalive_timeout 300ms;'
	raw -c 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	assert_status 200
	assert_header Connection keep-alive
	sed -i 's/keepalive_timeout 300ms/keepalive_timeout 0/' penstock.conf
	stop_server
	start_conf penstock.conf
	raw -c 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	assert_status 200
	assert_header Connection close
}

@test "100 Continue comes at once, not after a second" {
	start_server
	connect
	say $FD 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'
	read -r -t 10 line <&$FD
	assert_equal "$line" $'HTTP/1.1 100 Continue\r'
	say $FD hello
	hear $FD >heard
	grep -q '^HTTP/1.1 201 ' heard
	assert_equal "$(cat "$STORE/a")" hello
}

@test "no 100 Continue for whom it is not meant" {
	start_server
	# The body is there already, there is none, or the client is of 1.0.
	run -0 raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello'
	assert_status 201
	run -0 raw 'PUT /file/b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n'
	assert_status 201
	refute_line -p 'HTTP/1.1 100'
	run -0 raw -p 50 'PUT /file/c HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n' hello
	assert_status 201
	refute_line -p 'HTTP/1.1 100'
	# A refusal comes in its place.
	run -0 raw 'PUT /file/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'
	assert_status 409
	refute_line -p 'HTTP/1.1 100'
}

@test "a client that shuts its sending side down still gets its answer" {
	start_server
	raw -e "PUT /file/a ${PUT5}hello"
	assert_status 201
	raw -e 'PUT /file/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
	assert_status 201
	raw -e 'GET /file/a HTTP/1.1\r\nHost: x\r\n\r\n'
	assert_status 200
	random_file body 3000000
	upload PUT /file/c body
	raw -e 'GET /file/c HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
	assert_same body answer
}

@test "empty lines before a request are overlooked" {
	start_server
	raw "\\r\\n\\r\\nPUT /file/a ${PUT5}hello"
	assert_status 201
}

@test "200 slow clients hold up nobody, and hold hardly any memory" {
	start_server 'sync off;' 'access_log off;' 'buffer_memory 16m; chunk_size 256k;'
	random_file body 50M
	timed 201 PUT /file/alone -T body
	alone=$US
	# Each of them sends for 20 times as long as that took, or 2 s.
	rate=$((60 * 1024 * 1000000 / (alone > 100000 ? 20 * alone : 2000000)))
	(exec "$PENSTOCK_TOOLS/load" -c 200 -n 200 -s 60k -r "$rate" -g 120 "127.0.0.1:$PORT" >load.out 2>&1 3>&-) &
	load=$!
	_connected() { [ "$(ls -l /proc/$(workers | head -n 1)/fd /proc/$(workers | tail -n 1)/fd | grep -c socket:)" -ge 200 ]; }
	eventually _connected
	# All of these are under way while an upload of 50 MB goes through, nearly
	# as if it were alone,
	timed 201 PUT /file/fast -T body
	echo "alone $alone us, beside them $US us"
	is_sanitized || ((US < 8 * alone))
	assert_same body "$STORE/fast"
	assert_equal "$(receipt verdict | grep -c .)" 1
	kill -0 $load
	if ! is_sanitized; then
		for pid in $(workers); do
			peak=$(worker_peak "$pid")
			[ "$peak" -lt 32768 ] || fail "a worker took $peak KiB"
		done
	fi
	# and in the end all of them are stored.
	wait $load || fail "$(cat load.out)"
	assert_equal "$(find "$STORE" -type f -size 61440c | wc -l)" 200
}
