# -s status: what the server itself says of what runs, and an exit status that monitoring
# can use.

load ../lib/penstock
load ../lib/tls

# status [ARGS]: what it prints is $output.
status() { penstock -c penstock.conf -s status "$@"; }

# bats test_tags=portable
@test "what runs, since when, with which configuration; and how it ends" {
	start_server
	eventually status_is running 0
	run -0 --separate-stderr status
	assert_equal "$stderr" ''
	assert_line -n 0 "penstock: process $MASTER is running"
	assert_line "configuration: $T/penstock.conf"
	assert_line -e '^generation: 1, since [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}$'
	assert_line -e '^started: [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}$'
	reload_all
	run -0 status
	assert_line -e '^generation: 2, since'
	# A reload that is refused changes nothing.
	write_conf 'output_dir /proc/nowhere;'
	run -1 penstock -c penstock.conf -s reload
	run -0 status
	assert_line -e '^generation: 2, since'
	# It ends, but has an upload still.
	connect
	say "$FD" 'PUT /file/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'
	read -r -t "$PENSTOCK_PATIENCE" line <&"$FD"
	assert_equal "$line" $'HTTP/1.1 100 Continue\r'
	penstock -c penstock.conf -s quit
	eventually status_is finishing 1
	say "$FD" hello
	hear "$FD" | grep -q '^HTTP/1.1 201'
	await_exit
	run -1 status
	assert_output -p 'no penstock runs'
	refute [ -e penstock.pid.status ]
}

# status_is PHASE STATUS
status_is() {
	run status
	[[ ${lines[0]} == "penstock: process $MASTER is $1" && $status == "$2" ]]
}

@test "workers of each generation, uploads in flight, disks" {
	start_server
	eventually status_is running 0
	eventually says '^workers: 2 of generation 1, connections: 0, uploads in flight: 0$'
	eventually says "^output_dir $STORE: well$"
	random_file slow.bin 2M
	curl -sS -o answer --limit-rate 300K -T slow.bin "$URL/file/slow" 2>err 3>&- &
	slow=$!
	eventually says '^workers: 2 of generation 1, connections: 1, uploads in flight: 1$'
	reload
	eventually says '^workers: 2 of generation 2, connections: 0, uploads in flight: 0$'
	eventually says '^workers: 1 of generation 1, which accept no more, connections: 1, uploads in flight: 1$'
	status_is running 0
	# While the program is being replaced, both masters say who the other one is.
	old=$MASTER
	run -0 penstock -c penstock.conf -s upgrade
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	eventually says "^upgrade: process $old is a master, too: QUIT ends it$"
	eventually says '^workers: 2 of generation 3,'
	run ! says "generation [12],"
	# One that is killed with its workers is in no list any more.
	pkill -KILL -P "$old" penstock-worker
	kill -KILL "$old"
	wait "$slow" || true
	eventually says_not '^upgrade:'
	status_is running 0
	kill -WINCH "$MASTER"
	eventually says '^workers: none accepts connections$'
	status_is paused 1
}

says() { status 2>&1 | grep -qE -- "$1"; }
says_not() { run ! says "$1"; }

@test "a disk that does not answer is not well, and one that does again is" {
	is_sanitized && skip 'its time is too short there'
	slowfs_start
	start_server "output_dir $T/slow/up;" '' 'disk_stall_timeout 1s;'
	random_file body 10K
	upload PUT /file/a body
	assert_status 201
	eventually status_is running 0
	slowfs_ctl stall write
	curl -sS -o answer -T body "$URL/file/b" 2>err 3>&- &
	eventually says "^output_dir $T/slow/up: its disk does not answer$"
	status_is running 1
	slowfs_ctl clear
	eventually says "^output_dir $T/slow/up: well$"
	eventually status_is running 0
}

@test "certificates: those that the server has loaded, not those on disk; one that has expired is seen" {
	certificate server -days 100
	start_tls
	eventually status_is running 0
	run -0 status
	assert_line -e "^ssl_certificate $T/server.pem: expires in (99|100) days, 20[0-9-]{8} [0-9:]{8}$"
	certificate server -days 50
	run -0 status
	assert_line -e "^ssl_certificate $T/server.pem: expires in (99|100) days, 20[0-9-]{8} [0-9:]{8}$"
	reload
	run -0 status
	assert_line -e "^ssl_certificate $T/server.pem: expires in (49|50) days, 20[0-9-]{8} [0-9:]{8}$"
	certificate_for_seconds 3
	reload
	eventually certificate_is_over
}

certificate_is_over() {
	run status
	[[ $status == 1 && $output == *"$T/server.pem: has expired, 0 hours ago"* ]]
}

@test "a list of revocations: until when it is good; when that is over, clients are locked out" {
	certificate ca
	signed ann ca
	revocations ca -crldays 9
	start_tls '' "ssl_client_certificate $T/ca.pem; ssl_verify_client on; ssl_crl $T/ca.crl;"
	eventually status_is running 0
	run -0 status
	assert_line -e "^ssl_crl $T/ca.crl: the next list is due in (8|9) days, 20[0-9-]{8} [0-9:]{8}$"
	revocations ca -crlsec 2
	run -0 penstock -c penstock.conf -s reload
	eventually list_is_over
	echo hello >body
	upload PUT /file/a body --cert ann.pem --key ann.key
	assert_status 400
	assert_problem 'CRL has expired'
	run -0 penstock -c penstock.conf -t
	assert_output -e "warning: penstock.conf:[0-9:]+ ssl_crl $T/ca.crl: the next list was due 0 hours ago"
	# Another authority's list would lock out all clients, too.
	certificate other
	revocations other -crldays 9
	mv other.crl ca.crl
	run -1 penstock -c penstock.conf -s reload
	assert_output -e "ssl_crl $T/ca.crl: it has no list that CN=ca has signed"
	revocations ca -crldays 9
	reload_all
	run -0 status
	upload PUT /file/a body --cert ann.pem --key ann.key
	assert_status 201
}

list_is_over() {
	run status
	[[ $status == 1 && $output == *"$T/ca.crl: the next list was due 0 hours ago, "*"; certificates of clients are refused"* ]]
}

@test "without a master, too" {
	start_server '' '' 'worker_processes 0;'
	eventually status_is running 0
	run -0 status
	assert_line -e '^generation: 1, since'
}

@test "somebody else's file in its place is not believed" {
	start_server
	# Workers accept before the server has said so: it would write once more.
	eventually status_is running 0
	echo '1 1 running 0 0' >penstock.pid.status
	run -1 status
	assert_output -p "$T/penstock.pid.status cannot be read"
	# It is made again when there is something to say.
	rm penstock.pid.status
	run -1 status
	reload
	run -0 status
	assert_line -e '^generation: 2, since'
}
