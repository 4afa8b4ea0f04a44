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
