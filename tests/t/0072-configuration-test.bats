# -t tries what a start would need, and leaves no trace: what it says is what the
# start would say, and nothing is there afterwards that was not before.

load ../lib/penstock

# What is in $T, with its times, as far as the server could have changed it.
snapshot() { find . -printf '%p %y %s %T@ %m\n' | sort; }

# check STATUS: -t ends with it, says $output, and changes nothing.
check() {
	local before

	before=$(snapshot)
	run -"$1" penstock -c penstock.conf -t
	assert_equal "$(snapshot)" "$before"
}

@test "-t tells all that a start would lack, and makes nothing" {
	cat >penstock.conf <<-END
		user nobody-of-that-name;
		error_log $T/none/error.log;
		pid_file $T/none/x.pid;
		server {
		  listen unix:$T/none/s;
		  access_log $T/none/access.log;
		  location /a { output_dir $T/a; }
		}
	END
	check 1
	assert_line "penstock.conf:1:1: user nobody-of-that-name: there is no such user"
	assert_line -p "penstock.conf:2:1: error_log $T/none/error.log: cannot be opened: No such file or directory"
	assert_line -p "penstock.conf:3:1: pid_file $T/none/x.pid: No such file or directory"
	assert_line -p "penstock.conf:5:3: listen: unix:$T/none/s: No such file or directory"
	assert_line -p "penstock.conf:6:3: access_log $T/none/access.log: cannot be opened: No such file or directory"
	assert_equal "${#lines[@]}" 5
}

@test "-t looks at each output directory, as the user that will write there" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	mkdir theirs others old old/.penstock
	echo precious >file
	chown nobody theirs old
	chown daemon others # so root makes nothing there
	cat >penstock.conf <<-END
		user nobody;
		server {
		  listen 127.0.0.1:$PORT;
		  location /a { output_dir $T/others/a/b; }
		  location /b { output_dir $T/theirs/a/b; }
		  location /c { output_dir $T/file; }
		  location /d { output_dir $T/file/a; }
		  location /e { output_dir $T/old; }
		}
	END
	check 1
	assert_line -p "penstock.conf:4:17: output_dir: $T/others/a/b: it is not there, and user nobody may not make it: make it (install -d -o nobody DIRECTORY), or choose another path"
	assert_line -p "penstock.conf:6:17: output_dir: $T/file: cannot be written: Not a directory"
	assert_line -p "penstock.conf:7:17: output_dir: $T/file/a: cannot be written: Not a directory"
	assert_line -p "penstock.conf:8:17: output_dir: $T/old: its .penstock cannot be written: Permission denied, as user nobody"
	assert_equal "${#lines[@]}" 4
	sed -i '/location .[acde] /d' penstock.conf
	check 0
	assert_output 'penstock: penstock.conf: the configuration is good'
}

@test "-t, a start and a reload look whether marks of links can be made, as the user that will make them" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	mkdir theirs
	mkdir -m 700 spent
	chown nobody theirs
	penstock key "$T/links" k1
	write_conf "output_dir $T/theirs; signed_link_keys $T/links; signed_link_spent $T/spent;" '' 'user nobody;'
	check 1
	assert_line --regexp "^penstock.conf:[0-9]+:[0-9]+: signed_link_spent $T/spent: cannot be written: Permission denied, as user nobody: let that user write there"
	assert_equal "${#lines[@]}" 1
	run -1 penstock -c penstock.conf
	assert_output --partial "signed_link_spent $T/spent: cannot be written"
	chown nobody spent
	check 0
	start_conf penstock.conf
	chown root spent
	run ! reload
	log_has "reload: .*signed_link_spent $T/spent: cannot be written|signed_link_spent $T/spent: cannot be written"
}

@test "-t: a log, pid file or socket path that is something else" {
	mkdir dir
	mkfifo fifo
	ln -s nowhere link
	echo text >file
	cat >penstock.conf <<-END
		error_log $T/dir;
		pid_file $T/link;
		server {
		  listen unix:$T/file;
		  access_log $T/file/log;
		  location /a { output_dir $T/a; }
		}
		server {
		  listen 127.0.0.1:$PORT;
		  access_log $T/fifo;
		  location /a { output_dir $T/a; }
		}
	END
	check 1
	assert_line -p "penstock.conf:1:1: error_log $T/dir: cannot be opened: Is a directory"
	assert_line -p "penstock.conf:2:1: pid_file $T/link: it is a symbolic link, which is not followed"
	assert_line -p "penstock.conf:4:3: listen: unix:$T/file: File exists: the path exists and is no socket"
	assert_line -p "penstock.conf:5:3: access_log $T/file/log: cannot be opened: Not a directory"
	# A FIFO's reader is not told of us: whether there is one is seen at the start.
	refute_output -p fifo
}

@test "-t beside the server that runs with that configuration is good" {
	start_server '' "listen unix:$T/s;"
	run -0 penstock -c penstock.conf -t
	assert_line 'penstock: penstock.conf: the configuration is good'
	curl -sf --unix-socket s -T penstock.conf http://x/file/a
}

@test "-t refuses an output_dir that is a link which leads nowhere, as the start does" {
	ln -s nowhere link
	for dir in link link/below; do
		echo "server { listen 127.0.0.1:$PORT; location /file { output_dir $T/$dir; } }" >penstock.conf
		run -1 penstock -c penstock.conf -t
		assert_output -p "output_dir: $T/$dir: cannot be written: No such file or directory"
	done
}
