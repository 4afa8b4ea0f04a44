# What the system does not let a configuration have is told as its mistakes are:
# file, line and column of the directive, or that it holds by default; as which user
# it was tried; and not only the first that fails.

load ../lib/penstock

# bad_start [COMMAND...]: a start with penstock.conf, run by that command if there is
# one, fails; what it says, without time and process, is in $output and $lines.
bad_start() {
	run -1 start_by "$@"
	refute [ -e penstock.pid ]
	output=$(sed -nE 's/^[^ ]+ (error|warn) [0-9]+: //p' <<<"$output")
	mapfile -t lines <<<"$output"
}

start_by() (
	_penstock_env
	exec timeout "$((2 * PENSTOCK_PATIENCE))" "$@" "$PENSTOCK" -c penstock.conf 3>&- 4>&-
)

# as_nobody: $NOBODY are the words that run a command as the user nobody, to whom the
# binary is readable.
as_nobody() {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	cp "$PENSTOCK" binary
	chmod 755 binary
	PENSTOCK=$T/binary
	NOBODY=(setpriv --reuid nobody --regid nogroup --clear-groups)
}

@test "user, logs and pid file are told with file, line and column, all at once" {
	cat >penstock.conf <<-END
		user nobody-of-that-name;
		  error_log $T/none/error.log;
		server {
		  access_log $T/none/access.log;
		  location /a { output_dir $T/a; }
		}
		server { listen 127.0.0.1:$PORT; access_log $T/gone/access.log; location /a { output_dir $T/a; } }
		# The same file again is not told again.
		server { listen 127.0.0.1:$(free_port); access_log $T/gone/access.log; location /a { output_dir $T/a; } }
		# One that is inherited, from the line that gives it.
		access_log $T/top/access.log;
		server { listen 127.0.0.1:$(free_port); location /a { output_dir $T/a; } }
	END
	bad_start
	assert_line "penstock.conf:1:1: user nobody-of-that-name: there is no such user"
	assert_line -p "penstock.conf:2:3: error_log $T/none/error.log: cannot be opened: No such file or directory: make its directory first"
	assert_line -p "penstock.conf:4:3: access_log $T/none/access.log: cannot be opened: No such file"
	assert_line -p "penstock.conf:7:34: access_log $T/gone/access.log: cannot be opened: No such file"
	assert_line -p "penstock.conf:11:1: access_log $T/top/access.log: cannot be opened: No such file"
	assert_equal "${#lines[@]}" 5
	refute [ -e a ]
	write_conf '' '' "pid_file $T/none/x.pid;"
	bad_start
	assert_output -e "penstock\.conf:[0-9]+:1: pid_file $T/none/x.pid: No such file or directory: make its directory first"
}

@test "a directive of an included file is told by its place there" {
	echo "error_log $T/none/error.log;" >inner.conf
	write_conf '' '' 'include inner.conf;'
	sed -i "/^error_log/d" penstock.conf
	bad_start
	assert_output -p "inner.conf:1:1: error_log $T/none/error.log: cannot be opened"
}

@test "each address that cannot be bound is told, with what to do" {
	local one two

	start_server
	one=$(free_port)
	two=$(free_port)
	cat >penstock.conf <<-END
		pid_file off;
		access_log off;
		server {
		  listen 127.0.0.1:$PORT;
		  listen 127.0.0.1:$one;
		  location /a { output_dir $T/a; }
		}
		server {
		  listen 203.0.113.7:$two;
		  listen unix:$T/none/s;
		  location /a { output_dir $T/a; }
		}
	END
	run -1 penstock -c penstock.conf
	assert_output -p "penstock.conf:4:3: listen: 127.0.0.1:$PORT: Address already in use: somebody else listens there; stop that or choose another address"
	assert_output -p "penstock.conf:9:3: listen: 203.0.113.7:$two: Cannot assign requested address: this machine does not have that address"
	assert_output -p "penstock.conf:10:3: listen: unix:$T/none/s: No such file"
	assert_equal "$(grep -c ' error ' <<<"$output")" 3
}

@test "as which user it was tried: pid file, logs, sockets, directories" {
	as_nobody
	cat >penstock.conf <<-END
		pid_file $T/penstock.pid;
		error_log $T/error.log;
		server {
		  listen 127.0.0.1:$PORT;
		  location /a { output_dir $T/a; }
		}
	END
	bad_start "${NOBODY[@]}"
	assert_output -p "penstock.conf:2:1: error_log $T/error.log: cannot be opened: Permission denied, as user nobody: let that user write there, or choose another path"
	sed -i /error_log/d penstock.conf
	bad_start "${NOBODY[@]}"
	assert_output -p "penstock.conf:1:1: pid_file $T/penstock.pid: Permission denied, as user nobody"
	sed -i 's/^pid_file.*/pid_file off;/' penstock.conf
	bad_start "${NOBODY[@]}"
	assert_output -p "penstock.conf:4:17: output_dir: $T/a: it is not there, and user nobody may not make it: make it (install -d -o nobody DIRECTORY), or choose another path"
	sed -i "s,listen .*;,listen 127.0.0.1:80; listen unix:$T/s;," penstock.conf
	bad_start unshare -n sh -c 'ip link set lo up
		echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start
		exec "$@"' - "${NOBODY[@]}"
	assert_output -p 'listen: 127.0.0.1:80: Permission denied, as user nobody: a port below 1024 needs root or CAP_NET_BIND_SERVICE'
	assert_output -p "listen: unix:$T/s: Permission denied, as user nobody: a UNIX socket needs a directory that this user can write"
}

@test "what \`user\` may not write is told with that name" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	mkdir "$STORE"
	write_conf '' '' 'user nobody;'
	bad_start
	assert_output -e "penstock\.conf:[0-9]+:1: output_dir: $STORE: cannot be written: Permission denied, as user nobody: let that user write there"
}

@test "a path by default that cannot be had: told that it is the default" {
	as_nobody
	cat >penstock.conf <<-END
		server {
		  listen 127.0.0.1:$PORT;
		  location /a { }
		}
	END
	bad_start "${NOBODY[@]}"
	assert_output -p "pid_file $T/penstock.pid (by default): Permission denied, as user nobody"
	sed -i '1i pid_file off;' penstock.conf
	bad_start "${NOBODY[@]}"
	assert_output -p "penstock.conf:4:3: output_dir: $STORE (by default): it is not there, and user nobody may not make it"
}

@test "a reload that is refused tells the place, too" {
	start_server
	sed -i "s,^access_log .*,  access_log $T/none/access.log;," penstock.conf
	refute reload
	log_has 'error .*penstock\.conf:[0-9]+:3: access_log .*/none/access\.log: cannot be opened: No such file'
	run -1 penstock -c penstock.conf -s reload
	assert_output -e 'penstock\.conf:[0-9]+:3: access_log .*/none/access\.log: cannot be opened'
}
