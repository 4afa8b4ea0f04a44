# What people who tried to break the server found.

load ../lib/penstock

@test "clients that read nothing of their GETs do not stop an upload" {
	start_server '' '' 'worker_processes 1; buffer_memory 1m;'
	random_file big 8M
	upload PUT /file/big big
	assert_status 201
	random_file body 200000
	from=${EPOCHREALTIME/[.,]/}
	upload PUT /file/alone body
	alone=$((${EPOCHREALTIME/[.,]/} - from))
	run -0 py connections stall_gets 6 /file/big timeout "$((3 + 10 * alone / 1000000))" curl -fsS -T body "$URL/file/a"
	assert_same body "$STORE/a"
}

@test "nor other GETs for longer than a few seconds" {
	start_server '' '' 'worker_processes 1; buffer_memory 1m;'
	random_file big 8M
	upload PUT /file/big big
	assert_status 201
	run -0 py connections stall_gets 30 /file/big timeout "$PENSTOCK_PATIENCE" curl -fsS -r 0-99 -o part "$URL/file/big"
	[ "$(wc -c <part)" -eq 100 ]
}

@test "a directory of the path that goes away does not harm later uploads" {
	start_server
	mkdir -p "$STORE/d"
	random_file body 1K
	connect
	say "$FD" 'PUT /file/d/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
	read -r line <&"$FD"
	[[ $line == 'HTTP/1.1 100 '* ]]
	rmdir "$STORE/d"
	say "$FD" 'abcd'
	run hear "$FD"
	hang_up "$FD"
	assert_output --partial 'HTTP/1.1 201'
	assert_equal "$(cat "$STORE/d/x")" abcd
	upload PUT /file/d/y body
	assert_status 201
	upload PUT /file/z body
	assert_status 201
}

@test "empty lines behind an answer are not taken for a head that is late" {
	start_server '' 'header_timeout 300ms; keepalive_timeout 1s;'
	connect
	say "$FD" 'GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n'
	run hear "$FD"
	hang_up "$FD"
	assert_output --partial 'HTTP/1.1 200'
	refute_output --partial 'HTTP/1.1 408'
}
