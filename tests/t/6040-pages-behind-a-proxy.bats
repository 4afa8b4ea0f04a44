# A page that comes through a proxy is the server's own, whatever the proxy makes of
# Host; and where it cannot be known, the answer says what to change.  (nginx's
# ways here; Apache's default, X-Forwarded-Host, is 6010's.)

load ../lib/penstock
load ../lib/browser

# start_nginx FIELDS: in front of the server, on $FRONT, with these lines.
start_nginx() {
	cat >nginx.conf <<-END
		daemon off; master_process off; pid $T/nginx.pid; error_log $T/nginx.log;
		events { }
		http {
		  access_log off; client_body_temp_path $T/body; proxy_temp_path $T/proxy;
		  fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
		  server {
		    listen 127.0.0.1:$FRONT;
		    location / { proxy_pass http://127.0.0.1:$PORT; $1 }
		    location /named/ { proxy_pass http://127.0.0.1:$PORT/; proxy_set_header Host \$http_host; }
		    location /told/ { proxy_pass http://127.0.0.1:$PORT/; proxy_set_header X-Forwarded-Host \$http_host; }
		  }
		}
	END
	PENSTOCK_TEST=$T nginx -p "$T" -e "$T/nginx.log" -c "$T/nginx.conf" 3>&- 4>&- &
	SERVERS+=($!)
	eventually front_listens
}
front_listens() { (exec {fd}<>"/dev/tcp/127.0.0.1/$FRONT") 2>/dev/null; }

# put PATH: from the page, to where it came from; the status.
put() { page_do "return (await fetch('$1', {method: 'PUT', body: 'hello'})).status"; }

# bats test_tags=long
@test "a page that came through nginx uploads through it" {
	FRONT=$(free_port)
	start_server '' 'server_name files.example;'
	start_nginx ''
	browser_start
	# As nginx comes: to this machine (and over HTTPS) the browser says it itself.
	page_goto "http://localhost:$FRONT/"
	assert_equal "$(put /file/a)" 201
	# Elsewhere it does not, and Host is nginx's own.
	page_goto "http://files.example:$FRONT/"
	assert_equal "$(put /file/b)" 403
	page_do "return (await (await fetch('/file/b', {method: 'PUT', body: 'x'})).json()).detail" >detail
	run -0 cat detail
	assert_output -p "Origin is http://files.example:$FRONT, Host is 127.0.0.1:$PORT"
	assert_output -p "proxy_set_header Host \$http_host"
	# What it tells to do.
	assert_equal "$(put /named/file/c)" 201
	assert_equal "$(put /told/file/d)" 201
	# Another site's page gets no further for that.
	page_goto "http://other.example:$PAGE_PORT/"
	page_do "await fetch('http://files.example:$FRONT/named/file/x', {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0)"
	page_do "await fetch('http://files.example:$FRONT/told/file/x', {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0)"
	all_refused() { (($(grep -c '"POST /file/x" 403 .* cross-site$' access.log) == 2)); }
	eventually all_refused
	assert_equal "$(files_in "$STORE" | sed 's|.*/||' | tr '\n' ' ')" 'a c d '
}
