# Every mistake of a configuration is told in one run, with its place, what is
# allowed and, for a name, what may have been meant; and nothing is started.

load ../lib/penstock

# mistake LINE:COLUMN REGEX: one of the lines that were printed.
mistake() {
	assert_line -e "^bad\.conf:$1: $2"
}

# bad_conf COUNT: the configuration on standard input has that many mistakes.
# A good server is put behind it, unless it brings one.
bad_conf() {
	cat >bad.conf
	grep -q server bad.conf || echo 'server { location /x { } }' >>bad.conf
	run -1 --separate-stderr penstock -c bad.conf
	assert_equal "$output" ''
	output=$stderr
	lines=("${stderr_lines[@]}")
	assert_equal "${#lines[@]}" "$1"
	refute [ -e penstock.pid ]
	refute [ -e uploads ]
}

@test "every mistake is told, each with file, line and column" {
	bad_conf 12 <<-'END'
		chunk_sze 64k;
		worker_processes 2;
		worker_processes 3;
		buffer_memory 12q;
		server {
		  listen 127.0.0.1:1;
		  pid_file x.pid;
		  header_timeout 5parsecs;
		  location /file {
		    queue_depth 1;
		    listen 8002;
		    sync maybe;
		    keep lates;
		  }
		  location file { }
		}
		server {
		  listen 127.0.0.1:1;
		  location /file { overwrite; }
		}
	END
	mistake 1:1 'chunk_sze: no such directive; did you mean chunk_size\?$'
	mistake 3:1 'worker_processes: .*twice.*bad.conf:2:1'
	mistake 4:15 'buffer_memory: "12q" .*256k.*allowed: 1m to 1024g'
	mistake 7:3 'pid_file: not allowed in server; allowed at top level'
	mistake 8:18 'header_timeout: "5parsecs" .*allowed: 1ms to 365d'
	mistake 10:17 'queue_depth: 1 is below 2'
	mistake 11:5 'listen: not allowed in location; allowed in server'
	mistake 12:10 'sync: "maybe" .*on or off'
	mistake 13:10 'keep: "lates" .*all or latest'
	mistake 15:12 'location: "file" .*slash'
	mistake 18:3 'listen: 127.0.0.1:1 .*bad.conf:6:3'
	mistake 19:20 'overwrite: .*missing.*on or off'
}

@test "a near miss is suggested, nonsense is not" {
	bad_conf 4 <<-'END'
		Worker_Processes 2;
		overwirte on;
		buffermemory 1m;
		zzzzzzzz 1;
	END
	mistake 1:1 'Worker_Processes: .*did you mean worker_processes\?'
	mistake 2:1 'overwirte: .*did you mean overwrite\?'
	mistake 3:1 'buffermemory: .*did you mean buffer_memory\?'
	mistake 4:1 'zzzzzzzz: no such directive'
	refute_line -e 'zzzzzzzz: .*did you mean'
}

@test "sizes, times, numbers and words outside of their range" {
	bad_conf 11 <<-'END'
		chunk_size 5000;
		buffer_memory 1k;
		worker_processes 257;
		worker_connections 0;
		keepalive_timeout -1;
		io_engine epoll;
		error_log stderr loud;
		shutdown_timeout 1s1h;
		body_timeout 0;
		max_body_size 99999999999999999999;
		keepalive_requests 1.5;
	END
	mistake 1:12 'chunk_size: 5000 .*multiple of 4k'
	mistake 2:15 'buffer_memory: 1k is below 1m'
	mistake 3:18 'worker_processes: 257 is above 256'
	mistake 4:20 'worker_connections: 0 is below 1'
	mistake 6:11 'io_engine: "epoll" .*auto, io_uring or threads'
	mistake 7:18 'error_log: "loud"'
	mistake 8:18 'shutdown_timeout: "1s1h"'
	mistake 9:14 'body_timeout: 0 is below 1ms'
	mistake 5:19 'keepalive_timeout: "-1"'
	mistake 10:15 'max_body_size: '
	mistake 11:20 'keepalive_requests: "1.5"'
}

@test "two servers on one address, wildcards and UNIX sockets included" {
	bad_conf 3 <<-'END'
		server { listen 127.0.0.1:81; listen unix:s.sock; listen [::1]:83; location / { } }
		server { listen *:81; location / { } }
		server { listen unix:s.sock; location / { } }
		server { listen [::]:83; location / { } }
		server { listen 127.0.0.2:82; listen [::1]:82; location / { } }
	END
	mistake 2:10 'listen: [*0.]+:81 overlaps 127.0.0.1:81 at bad.conf:1:10'
	mistake 3:10 'listen: unix:.*s.sock .*bad.conf:1:31'
	mistake 4:10 'listen: \[::\]:83 overlaps \[::1\]:83'
}

@test "listen wants an address that is one" {
	bad_conf 5 <<-'END'
		server {
		  listen example.com:80;
		  listen 127.0.0.1:0;
		  listen 127.0.0.1:65536;
		  listen 300.0.0.1:80;
		  listen unix:;
		  location / { }
		}
	END
	for line in 2 3 4 5 6; do
		mistake $line:10 'listen: '
	done
}

@test "a location given twice, and keep latest in a directory of keep all" {
	bad_conf 2 <<-'END'
		server {
		  location /a { output_dir x; }
		  location /a { output_dir y; }
		  location /b { output_dir x; keep latest; }
		}
	END
	mistake 3:3 'location: /a .*bad.conf:2:3'
	mistake '4:[0-9]+' 'output_dir: .*keep latest.*keep all'
}

@test "blocks, braces, quotes and semicolons that do not fit" {
	bad_conf 1 <<-'END'
		server {
		  location /file { overwrite on; }
	END
	assert_output -e '^bad.conf:1:1: server: .*never closed'
	bad_conf 1 <<<'}'
	assert_output -e '^bad.conf:1:1: '
	bad_conf 1 <<<'server { listen 127.0.0.1:1; location / { sync on } }'
	assert_output -e '^bad.conf:1:[0-9]+: sync: .*;'
	bad_conf 1 <<<'pid_file "x;'
	assert_output -e '^bad.conf:1:10: '
	bad_conf 1 < <(printf 'pid_file a\0b;\n')
	bad_conf 1 <<<'server 127.0.0.1 { }'
	assert_output -e '^bad.conf:1:[0-9]+: server: '
}

@test "control characters of a file cannot reach the terminal" {
	bad_conf 1 <<<$'pid\033[2Jfile x;'
	refute_output -p $'\033'
}

@test "a server wants a location, a configuration a server" {
	: >bad.conf
	run -1 penstock -c bad.conf
	assert_output -e '^bad\.conf:1:1: server: there is none; write server \{'
	bad_conf 1 <<<'server { listen 127.0.0.1:1; }'
	assert_output -e '^bad\.conf:1:1: server: it has no location; write location /'
}

@test "user must exist" {
	write_conf '' '' 'user nobody-of-that-name;'
	run -1 penstock -c penstock.conf
	assert_output -p 'user nobody-of-that-name: there is no such user'
	refute [ -e penstock.pid ]
}
