# A page whose name leads to this machine all of a sudden (DNS rebinding) is a page
# of its own origin to the browser, and could read and store all there is: a
# listener that only this machine reaches answers to the names that it is known by.

load ../lib/penstock

# asked HOST [RAW OPTIONS...]: GET and PUT with this Host.
asked() {
	local host=$1
	shift

	rm -f "$STORE/a"
	raw -n 2 "$@" "GET / HTTP/1.1\\r\\nHost: $host\\r\\n\\r\\nPUT /file/a HTTP/1.1\\r\\nHost: $host\\r\\nContent-Length: 0\\r\\n\\r\\n" >/dev/null
}

@test "on a loopback address a Host that is not known is 421, whatever it asks" {
	start_server '' 'server_name files.example *.many.example;'
	for host in evil.example "evil.example:$PORT" files.example.evil many.example \
		127.0.0.1.nip.io localhost.evil.example 'a%2e'; do
		asked "$host"
		assert_statuses 421 421
	done
	for method in GET HEAD OPTIONS PUT POST DELETE; do
		[[ $method == HEAD ]] && content=-H || content=
		raw $content "$method /file HTTP/1.1\\r\\nHost: evil.example:8000\\r\\nContent-Length: 0\\r\\n\\r\\n"
		assert_status 421
		[[ $method == HEAD ]] || assert_problem 'Host of the request, evil\.example, .* server_name evil\.example into'
		eventually access_has "\"$method /file\" 421 in=0 out=[0-9]+ ms=[0-9.]+ misdirected\$"
	done
	# The target's host is the one that counts (RFC 9112 3.2.2).
	raw 'GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n'
	assert_status 421
	assert_store_empty
}

@test "localhost, IP addresses and the names of server_name are known; reloading makes more known" {
	start_server '' 'server_name files.example *.many.example;'
	for host in localhost "LOCALHOST:$PORT" localhost. app.localhost "127.0.0.1:$PORT" 127.1 \
		192.0.2.1 '[::1]:8000' Files.Example files.example.:8000 a.many.example a.b.many.example; do
		asked "$host"
		assert_statuses 200 201
	done
	raw 'GET / HTTP/1.0\r\n\r\n'
	assert_status 200
	asked pub.example
	assert_statuses 421 421
	sed -i 's/files.example/files.example pub.example/' penstock.conf
	reload_all
	asked pub.example
	assert_statuses 200 201
}

@test "where others reach it too, or a proxy through a UNIX socket, any Host is good" {
	ADDRESS=0.0.0.0
	start_server '' "listen unix:$T/sock;"
	asked pub.example
	assert_statuses 200 201
	asked pub.example -u "$T/sock"
	assert_statuses 200 201
}

@test "::1 is a loopback address, too; each listener is judged by its own" {
	start_server '' "listen [::1]:$PORT; listen unix:$T/sock;"
	request GET "http://[::1]:$PORT/" -H 'Host: pub.example'
	assert_status 421
	request GET "http://[::1]:$PORT/"
	assert_status 200
	asked pub.example -u "$T/sock"
	assert_statuses 200 201
}
