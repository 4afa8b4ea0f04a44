# Where connections are taken: IPv4, IPv6, UNIX sockets, and what is in use.

load ../lib/penstock

@test "IPv4, IPv6 and a UNIX socket, each with the whole service" {
	grep -q ' lo$' /proc/net/if_inet6 || skip 'no IPv6 here'
	start_server '' "listen [::1]:$PORT; listen unix:$T/sock;"
	echo hello >body
	upload PUT /file/four body
	assert_status 201
	upload PUT "http://[::1]:$PORT/file/six" body
	assert_status 201
	upload PUT /file/unix body --unix-socket sock
	assert_status 201
	assert_same body "$STORE/four"
	assert_same body "$STORE/six"
	assert_same body "$STORE/unix"
	eventually access_has ' 127\.0\.0\.1:[0-9]+ .*"PUT /file/four" 201'
	eventually access_has ' \[::1\]:[0-9]+ .*"PUT /file/six" 201'
	eventually access_has ' unix: .*"PUT /file/unix" 201'
	eventually log_has "listening on 127\.0\.0\.1:$PORT$"
	eventually log_has "listening on \[::1\]:$PORT$"
	eventually log_has "listening on unix:$T/sock \(mode 0660, $(id -un):$(id -gn)\)(: only root can connect; .*)?$"
}

@test "a port alone, and a wildcard, are all IPv4 addresses" {
	other=$(free_port)
	cat >own.conf <<-END
		error_log error.log info;
		server {
		  listen $PORT;
		  listen *:$other;
		  location /file { output_dir uploads; }
		}
	END
	start_conf own.conf
	for port in "$PORT" "$other"; do
		for host in 127.0.0.1 127.0.0.2; do
			request GET http://$host:$port/
			assert_status 200
		done
	done
}

@test "the UNIX socket is removed at the end" {
	start_server '' "listen unix:$T/sock;"
	[ -S sock ]
	stop_server
	refute [ -e sock ]
	start_conf penstock.conf
	[ -S sock ]
	stop_server QUIT
	refute [ -e sock ]
}

@test "a stale UNIX socket is removed" {
	py disks leave_socket sock
	start_server '' "listen unix:$T/sock;"
	request GET / --unix-socket sock
	assert_status 200
}

@test "a UNIX socket left by a server that was killed is removed" {
	start_server '' "listen unix:$T/sock;"
	kill -KILL "$MASTER"
	eventually _penstock_none_left
	[ -S sock ]
	start_conf penstock.conf
	request GET / --unix-socket sock
	assert_status 200
}

@test "a live UNIX socket is in use, and goes on to live" {
	start_server '' "listen unix:$T/sock;"
	cat >second.conf <<-END
		pid_file second.pid;
		server { listen unix:sock; location /file { output_dir second; } }
	END
	run -1 penstock -c second.conf
	assert_output -e "second\.conf:2:[0-9]+: listen: unix:$T/sock: .*in use"
	refute [ -e second.pid ]
	request GET / --unix-socket sock
	assert_status 200
}

@test "a file where the UNIX socket shall be is left alone" {
	echo precious >sock
	write_conf '' "listen unix:$T/sock;"
	run -1 penstock -c penstock.conf
	assert_output -e 'listen: unix:.*sock: .*no socket'
	assert_equal "$(cat sock)" precious
	refute [ -e penstock.pid ]
}

@test "a port that is in use: said, status 1, and the first goes on" {
	start_server
	cat >second.conf <<-END
		pid_file second.pid;
		server { listen 127.0.0.1:$PORT; location /file { output_dir second; } }
	END
	run -1 penstock -c second.conf
	assert_output -e "second\.conf:2:[0-9]+: listen: 127\.0\.0\.1:$PORT: .*in use"
	refute [ -e second.pid ]
	refute [ -e second ]
	request GET /
	assert_status 200
}

@test "of several addresses one in use: none is taken" {
	start_server
	other=$(free_port)
	cat >second.conf <<-END
		pid_file second.pid;
		server {
		  listen 127.0.0.1:$other;
		  listen unix:second.sock;
		  listen 127.0.0.1:$PORT;
		  location /file { output_dir second; }
		}
	END
	run -1 penstock -c second.conf
	refute [ -e second.sock ]
	run -7 curl -s "http://127.0.0.1:$other/"
}

@test "an address that is not of this machine" {
	cat >own.conf <<-END
		server { listen 192.0.2.1:$PORT; location /file { } }
	END
	run -1 penstock -c own.conf
	assert_output -e "own\.conf:1:[0-9]+: listen: 192\.0\.2\.1:$PORT: Cannot assign"
}
