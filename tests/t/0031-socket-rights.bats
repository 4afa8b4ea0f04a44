# Which users may connect to a UNIX socket, and the other options of `listen`.  The
# fault guarded here: a socket is open to users that the configuration excludes (at
# once, for a moment while it is made or changed, or after a reload), or closed to
# those it is for, such as a proxy that runs as another user.

load ../lib/penstock

PROXY=www-data # a user like that of a proxy, and its group

# rights [PATH]: mode, owner and group of the socket.
rights() { stat -c '%a %U:%G' "${1:-sock}"; }

# connects_as USER [PATH]: an ordinary client of this user gets an answer.
connects_as() {
	setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups --reset-env \
		curl -sf -o /dev/null --max-time 20 --unix-socket "$T/${2:-sock}" http://x/
}

needs_users() {
	[[ $EUID == 0 ]] || skip 'needs root, to be other users'
	getent passwd "$PROXY" >/dev/null || skip "there is no user $PROXY"
}

@test "a UNIX socket is for its owner and group alone, and the start says so" {
	needs_users
	start_server '' "listen unix:$T/sock;"
	assert_equal "$(rights)" '660 root:root'
	log_has "listening on unix:$T/sock \(mode 0660, root:root\): only root can connect; group=GROUP on its listen lets a proxy in$"
	run -0 penstock -c penstock.conf -t
	assert_output -p "listen unix:$T/sock (mode 0660, root:root): only root can connect"
	connects_as root
	run -7 connects_as "$PROXY"
	run -7 connects_as nobody
}

# bats test_tags=portable
@test "group= lets a proxy in that runs as another user, and nobody else" {
	needs_users
	start_server '' "listen unix:$T/sock group=$PROXY;"
	assert_equal "$(rights)" "660 root:$PROXY"
	log_has "listening on unix:$T/sock \(mode 0660, root:$PROXY\)$"
	connects_as "$PROXY"
	run -7 connects_as nobody
	echo hello >body
	chmod 644 body
	run -0 setpriv --reuid "$PROXY" --regid "$PROXY" --init-groups \
		curl -sf --unix-socket sock -T body http://x/file/a
	assert_same body "$STORE/a"
}

@test "the group of user is the socket's, unless group= says another" {
	needs_users
	is_portable && skip 'PORTABLE cannot become another user'
	mkdir uploads
	chown "$PROXY" uploads
	start_server '' "listen unix:$T/sock; listen unix:$T/other group=nogroup mode=0666 owner=$PROXY;" \
		"user $PROXY; error_log stderr info;"
	assert_equal "$(rights)" "660 root:$PROXY"
	assert_equal "$(rights other)" "666 $PROXY:nogroup"
	connects_as "$PROXY"
	run -7 connects_as nobody
	connects_as nobody other
}

@test "a number stands for a user or group without a name" {
	needs_users
	write_conf '' "listen unix:$T/sock owner=54321 group=54322 mode=0600;"
	run -0 penstock -c penstock.conf -t
	assert_output -p "listen unix:$T/sock (mode 0600, 54321:54322)"
	start_conf penstock.conf
	assert_equal "$(stat -c %u:%g sock)" 54321:54322
}

# The file comes to be with no rights at all, whatever umask and directory hand
# down, and has its owner and group before its mode; and only then does it listen.
@test "there is no moment in which more may connect" {
	needs_users
	mkdir run
	setfacl -d -m u::rwx,g::rwx,o::rwx run
	write_conf '' "listen unix:$T/run/sock group=$PROXY;"
	(
		umask 0
		_penstock_env
		ASAN_OPTIONS+=:detect_leaks=0 # it does not work under strace
		exec strace -qq -o calls -e trace=bind,umask,chmod,fchmod,fchmodat,chown,lchown,fchownat,listen,socket \
			-e inject=chmod,fchmodat:delay_exit=300000 -e inject=fchownat:delay_exit=1000000 \
			"$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	for ((n = 0; n < 3000; n++)); do
		rights run/sock 2>/dev/null || : >>absent
		connects_as nobody run/sock 2>/dev/null && : >got_in
		grep -qs 'worker ready' error.log && break
	done >seen
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	refute [ -e got_in ]
	# What was seen meanwhile: nothing, then its group, then its mode.
	sort -u seen >states
	while read -r state; do
		[[ $state == '0 root:root' || $state == "0 root:$PROXY" || $state == "660 root:$PROXY" ]] ||
			fail "it was $state"
	done <states
	grep -q "^0 root:$PROXY" states || fail 'it was never seen before its mode'
	# And the calls, in this order.
	sed -n '/sun_path="[^"]*run\/sock"/,/^listen/p' calls | sed 's/(.*//' | grep -v umask >order
	assert_equal "$(tr '\n' ' ' <order)" 'bind fchownat chmod listen ' ||
		assert_equal "$(tr '\n' ' ' <order)" 'bind fchownat fchmodat listen '
}

# bats test_tags=portable
@test "a reload changes mode, owner and group of the socket that is there" {
	needs_users
	start_server '' "listen unix:$T/sock group=$PROXY;"
	inode=$(stat -c %i sock)
	connects_as "$PROXY"
	write_conf '' "listen unix:$T/sock group=nogroup mode=0640 owner=nobody;"
	run -0 penstock -c penstock.conf -s reload
	assert_equal "$(rights)" '640 nobody:nogroup'
	log_has "listening on unix:$T/sock \(mode 0640, nobody:nogroup\)$"
	run -7 connects_as "$PROXY"
	connects_as nobody
	write_conf '' "listen unix:$T/sock;"
	run -0 penstock -c penstock.conf -s reload
	# What is not said any more is as if it had never been said.
	assert_equal "$(rights)" '660 root:root'
	# It is the same socket all the time: no client was turned away.
	assert_equal "$(stat -c %i sock)" "$inode"
	# One that changes nothing says nothing of it.
	told=$(grep -c 'listening on' error.log)
	run -0 penstock -c penstock.conf -s reload
	assert_equal "$(grep -c 'listening on' error.log)" "$told"
}

@test "a reload that is refused leaves the rights as they were" {
	needs_users
	start_server '' "listen unix:$T/sock;"
	write_conf 'output_dir /proc/none;' "listen unix:$T/sock mode=0666;"
	run -1 penstock -c penstock.conf -s reload
	assert_equal "$(rights)" '660 root:root'
	write_conf '' "listen unix:$T/sock mode=0666 group=nosuch;"
	run -1 penstock -c penstock.conf -s reload
	assert_output -e "penstock\.conf:[0-9]+:[0-9]+: listen: group=nosuch: there is no such group"
	assert_equal "$(rights)" '660 root:root'
}

@test "a socket whose path is another's by now keeps what the other gave it" {
	needs_users
	start_server '' "listen unix:$T/sock;"
	rm sock
	echo precious >precious
	chmod 600 precious
	ln -s precious sock
	write_conf '' "listen unix:$T/sock mode=0666 owner=nobody;"
	run -1 penstock -c penstock.conf -s reload
	assert_output -p 'the path exists and is no socket'
	assert_equal "$(rights precious)" '600 root:root'
}

@test "who is not there, or may not be given it, is told with its place, before anything is begun" {
	write_conf '' "listen unix:$T/sock
	mode=0600 owner=nosuch
	group=neither;"
	at=$(grep -n 'owner=nosuch' penstock.conf | cut -d: -f1)
	for flag in -t ''; do
		run -1 penstock -c penstock.conf $flag
		assert_output -p "penstock.conf:$at:12: listen: owner=nosuch: there is no such user"
		assert_output -p "penstock.conf:$((at + 1)):2: listen: group=neither: there is no such group"
		refute [ -e sock ]
	done
	# A server whose group was removed can be stopped all the same.
	run -1 penstock -c penstock.conf -s stop
	assert_output -p 'no penstock runs with it'
}

@test "without root a socket can be given to a group one is in, and to nobody else" {
	needs_users
	write_conf '' "listen unix:$T/own/sock owner=root group=$PROXY;" 'error_log stderr;'
	mkdir own uploads
	chown nobody own uploads .
	_as_nobody() {
		setpriv --reuid nobody --regid nogroup --groups "$1" timeout 20 "$PENSTOCK" -c penstock.conf -t
	}
	run -1 _as_nobody nogroup
	assert_output -e 'penstock\.conf:[0-9]+:[0-9]+: listen: owner=root: only root can give a socket to another user'
	assert_output -e "penstock\.conf:[0-9]+:[0-9]+: listen: group=$PROXY: only root can give a socket to a group that it is not in"
	write_conf '' "listen unix:$T/own/sock owner=nobody group=$PROXY;" 'error_log stderr;'
	run -0 _as_nobody "$PROXY"
	assert_output -p "listen unix:$T/own/sock (mode 0660, nobody:$PROXY)"
}

@test "what cannot be given ends the start in words, and leaves no socket" {
	needs_users
	write_conf '' "listen unix:$T/sock group=$PROXY;"
	run -1 env ASAN_OPTIONS=detect_leaks=0 timeout 20 strace -qq -o calls -e trace=fchownat,listen -e inject=fchownat:error=EPERM \
		"$PENSTOCK" -c penstock.conf
	assert_output -e "listen: unix:$T/sock: Operation not permitted: this process may not give it that owner or group"
	refute [ -e sock ]
	assert_equal "$(grep -c '^listen' calls)" 1 # the other address
}

@test "backlog= is what the kernel is asked for, and changes with a reload" {
	queue() { ss -Hltn "sport = :$PORT" | awk '{ print $3 }'; }
	start_server
	full=$(queue)
	((full >= 128))
	stop_server
	write_conf
	sed -i "s/listen $ADDRESS:$PORT;/listen $ADDRESS:$PORT backlog=3;/" penstock.conf
	start_conf penstock.conf
	assert_equal "$(queue)" 3
	sed -i "s/backlog=3;/backlog=5;/" penstock.conf
	reload
	assert_equal "$(queue)" 5
	sed -i "s/ backlog=5;/;/" penstock.conf
	reload
	assert_equal "$(queue)" "$full"
}

@test "ipv6only=off takes IPv4 as well, on is the default, and a reload cannot change it" {
	grep -q ' lo$' /proc/net/if_inet6 || skip 'no IPv6 here'
	other=$(free_port)
	start_server '' "listen [::]:$other ipv6only=off;"
	for host in "127.0.0.1:$other" "[::1]:$other"; do
		request GET "http://$host/"
		assert_status 200
	done
	# A client has one and the same address in the log, whichever socket took it.
	eventually access_has ' 127\.0\.0\.1:[0-9]+ .*"GET /" 200'
	eventually access_has ' \[::1\]:[0-9]+ .*"GET /" 200'
	write_conf '' "listen [::]:$other;"
	run -1 penstock -c penstock.conf -s reload
	assert_output -e "penstock\.conf:[0-9]+:[0-9]+: listen: \[::\]:$other: ipv6only cannot be changed while it listens: restart penstock"
	request GET "http://127.0.0.1:$other/"
	assert_status 200
	stop_server
	start_conf penstock.conf
	request GET "http://[::1]:$other/"
	assert_status 200
	run -7 curl -s "http://127.0.0.1:$other/"
}

@test "nginx in front, as another user: 502 until the socket is for its group" {
	needs_users
	front=$(free_port)
	start_server '' "listen unix:$T/sock;"
	cat >nginx.conf <<-END
		daemon off; worker_processes 1; pid $T/nginx.pid; error_log $T/nginx.log; user $PROXY;
		events {}
		http {
		    access_log off;
		    client_body_temp_path $T/nginx; proxy_temp_path $T/nginx;
		    fastcgi_temp_path $T/nginx; uwsgi_temp_path $T/nginx; scgi_temp_path $T/nginx;
		    server {
		        listen $ADDRESS:$front;
		        location / { proxy_pass http://unix:$T/sock; proxy_request_buffering off; proxy_http_version 1.1; }
		    }
		}
	END
	nginx -c "$T/nginx.conf" 3>&- 4>&- &
	proxy=$!
	_listens() { (exec {fd}<>"/dev/tcp/$ADDRESS/$front") 2>/dev/null; }
	eventually _listens
	echo hello >body
	upload PUT "http://$ADDRESS:$front/file/a" body
	assert_status 502
	grep -q 'sock failed (13: Permission denied)' nginx.log
	write_conf '' "listen unix:$T/sock group=$PROXY;"
	run -0 penstock -c penstock.conf -s reload
	upload PUT "http://$ADDRESS:$front/file/a" body
	assert_status 201
	assert_same body "$STORE/a"
	kill "$proxy"
}

# In a directory that all may write the second server took the socket away.
@test "a UNIX socket that another user may not connect to is not taken for a stale one" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	mkdir -m 777 all
	chmod 755 .
	cp "$PENSTOCK" binary
	chmod 755 binary
	start_server '' "listen unix:$T/all/sock mode=0600;"
	cat >other.conf <<-END
		pid_file off; worker_processes 1;
		server { listen unix:$T/all/sock; access_log off; location /file { output_dir $T/all/up; } }
	END
	other() (
		_penstock_env
		exec timeout "$PENSTOCK_PATIENCE" setpriv --reuid nobody --regid nogroup --clear-groups ./binary -c other.conf 3>&- 4>&-
	)
	run -1 other
	assert_output -p 'somebody else listens there'
	request GET / --unix-socket all/sock
	assert_status 200
}
