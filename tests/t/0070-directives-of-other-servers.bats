# A configuration with directives of another server.  The answer to each has its
# place, and says what it is called here or what to do instead, also inside of a
# block that does not exist here; and a variable is never taken for a part of a path.

load ../lib/penstock

# told LINE:COLUMN REGEX: one of the lines that were printed.
told() {
	assert_line -e "^theirs\.conf:$1: $2"
}

@test "nginx's configuration: each line says what it is here" {
	cat >theirs.conf <<-'END'
		pid /run/nginx.pid;
		events { worker_connections 768; use epoll; }
		http {
		  sendfile on;
		  client_max_body_size 1g;
		  client_header_timeout 10s;
		  keepalive_timeout 75s 60s;
		  server {
		    listen 443 ssl http2;
		    ssl_session_cache shared:SSL:10m;
		    root /srv/www;
		    auth_basic "closed";
		    location = /x { proxy_pass http://$backend; }
		    location ~ \.php$ { fastcgi_pass unix:/run/php.sock; }
		    location /up {
		      dav_methods PUT;
		      limit_req zone=one;
		      overwirte on;
		    }
		  }
		}
	END
	run -1 penstock -c theirs.conf -t
	told 1:1 'pid: here it is pid_file$'
	told 2:1 'events: there is no such block here: write what is in it at top level$'
	told 2:34 'use: .*leave it out'
	told 3:1 'http: there is no such block here'
	told 4:3 'sendfile: .*leave it out'
	told 5:3 'client_max_body_size: here it is max_body_size$'
	told 6:3 'client_header_timeout: here it is header_timeout$'
	told 7:25 'keepalive_timeout: it takes one time'
	told 9:20 'listen: HTTP/1.1 is all that is spoken here'
	told 10:5 'ssl_session_cache: .*made by themselves: leave it out; see ssl_session_tickets$'
	told 11:5 'root: here it is output_dir'
	told 12:5 'auth_basic: nobody could know a password: name the file with auth_basic_user_file'
	told 13:14 'location: a location is of a prefix only'
	told 13:21 'proxy_pass: penstock passes nothing on'
	told 14:14 'location: a location is of a prefix only'
	told 14:25 'fastcgi_pass: penstock passes nothing on'
	told 16:7 'dav_methods: PUT and POST store'
	told 17:7 'limit_req: .*see max_connections_per_ip and max_uploads'
	# What is near to one of ours is still told so.
	told 18:7 'overwirte: no such directive; did you mean overwrite\?$'
	# A hint is all that is said of a directive, whatever its values are.
	assert_equal "${#lines[@]}" 19
}

@test "words of Apache, HAProxy and tusd" {
	cat >theirs.conf <<-'END'
		LimitRequestBody 1000;
		<Directory /srv>;
		maxconn 100;
		bind *:80;
		upload-dir /srv;
		max-size 100;
		server { location /x { } }
	END
	run -1 penstock -c theirs.conf -t
	told 1:1 'LimitRequestBody: here it is max_body_size$'
	told 2:1 '<Directory: a block is written NAME \{ \.\.\. \}'
	told 3:1 'maxconn: here it is worker_connections; see max_connections_per_ip$'
	told 4:1 'bind: here it is listen'
	told 5:1 'upload-dir: here it is output_dir$'
	told 6:1 'max-size: here it is max_body_size$'
	assert_equal "${#lines[@]}" 6
}

@test "a variable in a path is told, and a \$ in quotes is a \$" {
	cat >theirs.conf <<-END
		error_log $T/\$pid.log;
		server {
		  access_log $T/\${host}.log;
		  location /x { output_dir $T/up\$x; }
		}
	END
	run -1 penstock -c theirs.conf -t
	told 1:11 'error_log: there are no variables: if the \$ belongs to the name, write it in quotes$'
	told 3:14 'access_log: there are no variables'
	told 4:28 'output_dir: there are no variables'
	assert_equal "${#lines[@]}" 3
	start_server "output_dir \"$T/up\$x\";"
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	assert_same body "$T/up\$x/a"
	run -0 penstock -c penstock.conf -T
	assert_line -p "\"$T/up\$x\";"
}

@test "of very many mistakes the first are told, and how many more there are" {
	for n in {1..500}; do
		echo "nonsense$n 1;"
	done >theirs.conf
	echo 'server { location /x { } }' >>theirs.conf
	run -1 penstock -c theirs.conf -t
	assert_equal "${#lines[@]}" 21
	told 20:1 'nonsense20: no such directive$'
	assert_line 'and 480 more'
}
