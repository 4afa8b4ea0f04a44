# nginx and HAProxy as clients that speak TLS: each passes uploads on by connections that it
# keeps, verifies the certificate, asks for a name, shows a certificate of its own, passes
# on a refusal that comes before the body, and resumes its sessions.
#
# The kind of fault: a proxy that is told to speak TLS to the server behind it.

load ../lib/penstock
load ../lib/tls

setup() {
	penstock_setup
	FRONT=$(free_port)
}

# start_front COMMAND...: a proxy, which listens on $FRONT when this returns.
start_front() {
	PENSTOCK_TEST=$T "$@" >front.log 2>&1 3>&- 4>&- &
	SERVERS+=($!)
	eventually front_listens
}
front_listens() { (exec {fd}<>"/dev/tcp/$ADDRESS/$FRONT") 2>/dev/null; }

# front PATH [CURL ARGS...]: an upload of `body` through it, unless there are others.
front() { request PUT "http://$ADDRESS:$FRONT$1" -T body "${@:2}"; }

whole() {
	assert_status "${1:-201}"
	assert_equal "$(receipt bytes) $(receipt 'digest."sha-256"')" "3000000 $(sha256sum body | cut -d' ' -f1)"
}

# What both do; /v12 and /v13 lead to the same server with these versions, by connections that
# are closed, and what the others are for their names say.
passes_uploads_on() {
	local path v

	for path in first second; do
		front "/file/$path"
		whole
	done
	front /file/stream -H 'Transfer-Encoding: chunked'
	whole
	assert_equal "$(grep -oE '127.0.0.1:[0-9]+ [0-9]+ "PUT /file/(first|second|stream)" 201' access.log | cut -d' ' -f1 | sort -u | wc -l)" 1
	for expect in 'Expect: 100-continue' 'Expect:'; do
		request PUT "http://$ADDRESS:$FRONT/small/x" -T large -H "$expect"
		assert_status 413
		assert_problem 'max_body_size 64k'
		request PUT "http://$ADDRESS:$FRONT/token/x" -T large -H "$expect"
		assert_status 401
		assert_problem 'say who sends this'
	done
	front /token/x -H "Authorization: Bearer $(cat token)"
	assert_status 201
	front /ann/cert/x
	assert_status 200
	assert_equal "$(receipt remote_user)" CN=ann
	front /named/file/x
	assert_status 201
	assert_same body named/x
	# A certificate for another name.
	front /nobody/file/x
	assert_status "$1"
	refute test -e "$STORE/nobody"
}

# bats test_tags=long,engine
@test "nginx" {
	start_for_clients
	proxy() {
		echo "upstream $1 { server $ADDRESS:$PORT; $4 } # name=$2"
		locations+=" location $3 { proxy_pass https://$1/; proxy_ssl_name $2; $5 }"
	}
	locations=
	{
		cat <<-END
			daemon off; master_process off; pid $T/nginx.pid; error_log $T/nginx.log debug;
			events { }
			http {
			client_body_temp_path $T/nginx; proxy_temp_path $T/nginx; fastcgi_temp_path $T/nginx; uwsgi_temp_path $T/nginx;
			scgi_temp_path $T/nginx; access_log off; client_max_body_size 0;
			proxy_request_buffering off; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host \$http_host;
			proxy_ssl_verify on; proxy_ssl_trusted_certificate $T/server.pem; proxy_ssl_server_name on;
		END
		proxy kept server / 'keepalive 4;'
		proxy named localhost /named/
		proxy nobody nobody /nobody/
		proxy ann server /ann/ '' "proxy_ssl_certificate $T/ann.pem; proxy_ssl_certificate_key $T/ann.key;"
		proxy v12 server /v12/ '' 'proxy_ssl_protocols TLSv1.2;'
		proxy v13 server /v13/ '' 'proxy_ssl_protocols TLSv1.3;'
		echo "server { listen $ADDRESS:$FRONT; $locations } }"
	} >nginx.conf
	start_front nginx -p "$T" -e "$T/nginx.log" -c "$T/nginx.conf"
	passes_uploads_on 502
	grep -q 'certificate does not match "nobody"' nginx.log
	for v in 12 13; do
		for round in 1 2; do
			: >nginx.log
			for i in 1 2 3 4 5 6; do front "/v$v/file/v$v-$round-$i"; whole; done
			# The first has no session yet.
			assert_equal "$v $(grep -c 'SSL reused session' nginx.log)" "$v $((round + 4))"
			assert_equal "$(grep -c "SSL: TLSv1.${v#1}" nginx.log)" 6
			[[ $round == 2 ]] || reload_all
		done
	done
}

# bats test_tags=long,engine
@test "HAProxy" {
	start_for_clients
	cat ann.pem ann.key >ann.both
	server="server s $ADDRESS:$PORT ssl verify required ca-file $T/server.pem"
	cat >haproxy.cfg <<-END
		global
		    nbthread 1
		defaults
		    mode http
		    timeout connect 10s
		    timeout client 60s
		    timeout server 60s
		frontend f
		    bind $ADDRESS:$FRONT
		    use_backend %[path,field(2,/)] if { path_beg /named/ /nobody/ /ann/ /v12/ /v13/ }
		    default_backend kept
		backend kept
		    http-reuse always
		    $server sni str(server)
		backend named
		    http-request replace-path /named(/.*) \1
		    $server sni str(localhost)
		backend nobody
		    http-request replace-path /nobody(/.*) \1
		    $server sni str(nobody)
		backend ann
		    http-request replace-path /ann(/.*) \1
		    $server sni str(server) crt $T/ann.both
	END
	for v in 12 13; do
		cat >>haproxy.cfg <<-END
			backend v$v
			    option http-server-close
			    http-request replace-path /v$v(/.*) \1
			    http-response set-header Resumed %[ssl_bc_is_resumed]
			    http-response set-header Version %[ssl_bc_protocol]
			    $server sni str(server) ssl-min-ver TLSv1.${v#1} ssl-max-ver TLSv1.${v#1} pool-max-conn 0
		END
	done
	start_front haproxy -db -f haproxy.cfg
	passes_uploads_on 503
	for v in 12 13; do
		for round in 1 2; do
			resumed=0
			for i in 1 2 3 4 5 6; do
				front "/v$v/file/v$v-$round-$i"
				whole
				assert_header Version "TLSv1.${v#1}"
				resumed=$((resumed + $(header Resumed)))
			done
			assert_equal "$v $resumed" "$v $((round + 4))"
			[[ $round == 2 ]] || reload_all
		done
	done
}
