# The block admin: who watches is told how the server is, whatever its disks do.

load ../lib/admin

many_fds() { [[ $(metric penstock_disk_operations) -gt 0 ]]; }

@test "admin answers on its own socket, which only its owner and group may use" {
	start_admin
	assert_equal "$(stat -c %a admin.sock)" 660
	for path in / /healthz /readyz /metrics /status /uploads; do
		ask GET $path
		assert_status 200
		assert_header Cache-Control no-store
		ask HEAD $path
		assert_status 200
	done
	request GET /metrics
	assert_status 404
}

@test "other paths are 404, other methods 405, and nothing is stored" {
	start_admin
	echo hello >body
	for path in /x /metrics/ /uploads/ /file/a /.penstock; do
		ask GET $path
		assert_status 404
	done
	for path in / /healthz /readyz /metrics /status /uploads; do
		for method in PUT POST DELETE PATCH OPTIONS; do
			ask $method $path
			assert_status 405
			assert_header Allow 'GET, HEAD'
		done
	done
	ask PUT /file/a -T body
	assert_status 404
	assert_store_empty
}

@test "without a block admin there is none, and none in the defaults" {
	start_server
	request GET /metrics
	assert_status 404
	run -0 penstock -T
	refute_line -e '^admin'
	run -0 penstock -c "$REPO/conf/penstock.conf" -T
	refute_line -e '^admin'
}

@test "what admin needs, and what it cannot have, is said in words" {
	write_conf '' '' 'admin { }'
	run -1 penstock -c penstock.conf -t
	assert_output -p 'admin: it needs an address of its own'
	write_conf '' '' "admin { listen unix:$T/a.sock; location /x { } }"
	run -1 penstock -c penstock.conf -t
	assert_output -p 'location: not allowed in admin'
	write_conf '' '' "admin { listen unix:$T/a.sock; output_dir x; }"
	run -1 penstock -c penstock.conf -t
	assert_output -p 'output_dir: not allowed in admin'
	write_conf '' '' "admin { listen $ADDRESS:$PORT; }"
	run -1 penstock -c penstock.conf -t
	assert_output -p 'each address may be given once'
	echo "admin { listen unix:$T/a.sock; }" >alone.conf
	run -1 penstock -c alone.conf -t
	assert_output -p 'server: there is none'
}

@test "a configuration with admin that -T prints is the same again" {
	write_conf '' 'health /healthz;' "admin { listen unix:$T/a.sock mode=0600; deny 192.0.2.1; server_name watch; }"
	penstock -c penstock.conf -T >printed.conf
	penstock -c printed.conf -T >again.conf
	run -0 diff <(tail -n +2 printed.conf) <(tail -n +2 again.conf)
	grep -q '^admin {' printed.conf
	grep -qE '^ *deny +192.0.2.1;' printed.conf
}

@test "on a loopback address admin answers to no name that is not its own" {
	local port

	port=$(free_port)
	start_server '' '' "admin { listen 127.0.0.1:$port; server_name watch.example; }"
	request GET "http://127.0.0.1:$port/metrics"
	assert_status 200
	request GET "http://127.0.0.1:$port/metrics" -H 'Host: evil.example'
	assert_status 421
	request GET "http://127.0.0.1:$port/metrics" -H 'Host: watch.example'
	assert_status 200
}

@test "rules of admin hold for all of it" {
	local port path

	port=$(free_port)
	echo "watcher:$(openssl passwd -6 secret)" >users
	start_server '' '' "admin { listen 127.0.0.1:$port; auth_basic watch; auth_basic_user_file $T/users; }"
	for path in / /healthz /readyz /metrics /status /uploads; do
		request GET "http://127.0.0.1:$port$path"
		assert_status 401
		request GET "http://127.0.0.1:$port$path" -u watcher:secret
		assert_status 200
	done
	request GET /file
	assert_status 404
	sed -i 's/auth_basic watch.*users;/deny all;/' penstock.conf
	reload
	request GET "http://127.0.0.1:$port/metrics" -u watcher:secret
	assert_status 403
}

@test "health answers on the address of uploads, and is not logged" {
	start_server '' 'health /healthz;'
	request GET /healthz
	assert_status 200
	assert_equal "$(cat answer)" ready
	request HEAD /healthz
	assert_status 200
	request POST /healthz
	assert_status 405
	request GET /healthzz
	assert_status 404
	eventually access_has '"GET /healthzz" 404'
	run ! access_has '/healthz"'
}

@test "a health path that is a location, or none, is refused" {
	write_conf '' 'health /file;'
	run -1 penstock -c penstock.conf -t
	assert_output -p 'health: /file is a location'
	for path in healthz / /a//b /a?b; do
		write_conf '' "health $path;"
		run -1 penstock -c penstock.conf -t
		assert_output -p 'health: it is a path of its own'
	done
}

@test "admin answers while every disk hangs, and readyz says which location" {
	local path began up

	slowfs_start
	STORES+=("$T/backing/up")
	start_admin "output_dir $T/slow/up;" 'health /up;' 'worker_processes 1; disk_stall_timeout 1s;'
	random_file body 1M
	upload PUT /file/first body
	assert_status 201
	ask GET /readyz
	assert_status 200
	slowfs_hang
	curl -sS -o up.answer -T body "$URL/file/a" 3>&- 4>&- &
	up=$!
	eventually log_has 'the disk does not answer'
	for path in /healthz /metrics /status /; do
		began=${EPOCHREALTIME/[.,]/}
		ask GET $path
		assert_status 200
		((${EPOCHREALTIME/[.,]/} - began < 5000000))
	done
	ask GET /readyz
	assert_status 503
	assert_equal "$(cat answer)" 'location /file: its disk does not answer'
	request GET /up
	assert_status 503
	ask GET /status
	jq -e '.ready == false and .disks[0].state == "stalled"' answer
	metric_is "penstock_disk_state{output_dir=\"$T/slow/up\",state=\"stalled\"}" 1
	metric_is "penstock_disk_state{output_dir=\"$T/slow/up\",state=\"ok\"}" 0
	eventually many_fds
	slowfs_wake
	wait $up
	eventually is_ready
	metric_is "penstock_disk_state{output_dir=\"$T/slow/up\",state=\"ok\"}" 1
}

is_ready() {
	ask GET /readyz
	[[ $STATUS == 200 ]]
}

@test "admin answers while all memory for uploads is in use" {
	local up=()

	slowfs_start
	STORES+=("$T/backing/up")
	start_admin "output_dir $T/slow/up; sync off; queue_depth 8;" '' \
		'worker_processes 1; buffer_memory 1m; disk_stall_timeout 60s;'
	random_file body 3M
	upload PUT /file/first body
	slowfs_ctl stall write
	for i in 1 2 3; do
		curl -sS -o "up.$i" -T body "$URL/file/$i" 3>&- 4>&- &
		up+=($!)
	done
	eventually memory_is_full
	ask GET /healthz
	assert_status 200
	ask GET /metrics
	assert_status 200
	metric_is penstock_uploads_in_progress 3
	metric_is penstock_buffer_memory_limit_bytes 1048576
	slowfs_ctl resume
	wait "${up[@]}"
	eventually metric_is penstock_uploads_in_progress 0
	eventually metric_is penstock_buffer_memory_bytes 0
}

memory_is_full() { (($(metric penstock_buffer_memory_bytes) >= 786432)); }

@test "a server that stops says so to who asks before it has gone" {
	local asks

	start_server '' 'health /healthz;' 'worker_processes 1;'
	connect
	asks=$FD
	say "$asks" 'GET /healthz HTTP/1.1\r\nHost: x\r\n'
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab'
	eventually has_no_more_to_read
	kill -QUIT "$MASTER"
	eventually log_has 'stopping when all uploads are finished'
	eventually is_finishing
	say "$asks" '\r\n'
	run hear "$asks"
	assert_output -p 'HTTP/1.1 503'
	assert_output -p 'the server is stopping'
	say "$FD" 'cde'
	run hear "$FD"
	assert_output -p '201 Created'
	await_exit 0
}

# All that was said is with the server.
has_no_more_to_read() { [[ -z $(ss -Htn "sport = :$PORT" | awk '$2 > 0') ]]; }
is_finishing() { ps -o args= -p "$(workers)" | grep -q 'is finishing'; }

@test "what the README has as an example is a configuration" {
	{
		echo "user nobody; pid_file $T/penstock.pid; error_log $T/error.log;"
		readme_recipe admin
	} | sed "s|/run/penstock|$T|; s|/srv/uploads|$STORE|; s|listen 8000|listen $ADDRESS:$PORT|; s|user nobody;||" >penstock.conf
	start_conf "$T/penstock.conf"
	for path in readyz status metrics; do
		ask GET "/$path"
		assert_status 200
	done
	request GET /healthz
	assert_status 200
}
