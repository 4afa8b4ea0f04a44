# Workers that serve as root, and a `user` that has no effect, are warned of: once, at
# the start and by -t, with the place of the directive if there is one.

load ../lib/penstock

setup() {
	penstock_setup
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
}

# count_warnings REGEX: how many of the server have it.
count_warnings() {
	cat "$T/error.log" "$T/stderr" 2>/dev/null | grep -cE " warn .*: $1" || true
}

@test "started as root without user: one warning, and what to do" {
	start_server
	assert_equal "$(count_warnings 'clients are served as root, since there is no user: write user NAME; at top level, or start it as another user$')" 1
	reload
	assert_equal "$(count_warnings 'clients are served as root')" 1
	run -0 penstock -c penstock.conf -t
	assert_line 'warning: clients are served as root, since there is no user: write user NAME; at top level, or start it as another user'
	assert_line 'penstock: penstock.conf: the configuration is good'
	assert_equal "${#lines[@]}" 2
}

@test "user root is no other one: a warning with its place" {
	write_conf '' '' '  user root;'
	start_conf penstock.conf
	assert_equal "$(count_warnings 'penstock.conf:6:3: user root: clients are served as root: name another one$')" 1
	run -0 penstock -c penstock.conf -t
	assert_line 'warning: penstock.conf:6:3: user root: clients are served as root: name another one'
}

@test "a user that is another one: no warning" {
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	mkdir "$STORE"
	chown nobody "$STORE"
	start_server '' '' 'user nobody;'
	assert_equal "$(count_warnings 'clients are served')" 0
	run -0 penstock -c penstock.conf -t
	assert_output 'penstock: penstock.conf: the configuration is good'
}

@test "user where penstock was not started as root: ignored, which is said" {
	local as=(setpriv --reuid nobody --regid nogroup --clear-groups) pid

	cp "$PENSTOCK" binary
	chmod 755 binary
	mkdir theirs
	chown nobody theirs
	cat >penstock.conf <<-END
		user daemon;
		pid_file $T/theirs/pid;
		worker_processes 1;
		server { listen 127.0.0.1:$PORT; access_log off; location /file { output_dir $T/theirs/up; } }
	END
	run -0 "${as[@]}" ./binary -c penstock.conf -t
	assert_line 'warning: penstock.conf:1:1: user daemon: it is ignored, since penstock was not started as root: clients are served as nobody'
	(
		_penstock_env
		exec "${as[@]}" ./binary -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	assert_equal "$(count_warnings 'penstock.conf:1:1: user daemon: it is ignored')" 1
	for pid in $(workers); do
		assert_equal "$(stat -c %U "/proc/$pid")" nobody
	done
	# A server that is that user anyway runs as it says.
	sed -i 's/^user .*/user nobody;/' penstock.conf
	run -0 "${as[@]}" ./binary -c penstock.conf -t
	assert_output 'penstock: penstock.conf: the configuration is good'
}
