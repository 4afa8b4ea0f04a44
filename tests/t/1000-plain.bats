# Plain uploads.

load ../lib/penstock

@test "PUT stores the body under the name" {
	start_server
	random_file body 100K
	run -0 upload PUT /file/a.bin body
	assert_status 201
	assert_header Location /file/a.bin
	assert_same body "$STORE/a.bin"
	[ "$(receipt bytes)" = 102400 ]
	[ "$(receipt name)" = a.bin ]
	run -0 raw 'GET /file/zz HTTP/1.1\r\nHost: x\r\n\r\n' 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	assert_statuses 404 
	run -0 raw -n 2 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' 'GET /file/zz HTTP/1.1\r\nHost: x\r\n\r\n'
	assert_statuses 200 404 
	assert_problem "no such file"
	workers
	reload
	stop_server
}
@test "slow" {
	slowfs_start 10m
	STORE=$T/slow
	start_server
	connect
	random_file body 1M
	upload PUT /file/a body
	assert_status 201
	say $FD 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'
	hear $FD
	hang_up $FD
	cat stderr error.log access.log
}
@test "fails" {
	start_server
	false
}
