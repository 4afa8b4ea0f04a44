# Started as root with a `user`, the server makes what is missing for that user before it
# becomes it: directories of uploads and logs, log files, and the directory of the pid file,
# which is root's.  Nothing is made where others than root could have put a trap.

load ../lib/penstock

setup() {
	penstock_setup
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	STORES+=("$T/srv/deep/uploads")
}

# conf USER: everything in directories that are not there.
conf() {
	write_conf "output_dir $T/srv/deep/uploads;" "access_log $T/logs/access/access.log;" "
		$1 error_log $T/logs/error/error.log info; pid_file $T/run/penstock/pid;"
}

up() { grep -qs 'worker ready' "$T/logs/error/error.log"; }

start() {
	(
		_penstock_env
		umask "${1:-022}"
		exec "$PENSTOCK" -c penstock.conf >>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually up || fail "$(cat stderr)"
}

assert_is() { assert_equal "$(stat -c %U:%a "$1")" "$2"; }

@test "directories and files are made and owned, and -t says so before" {
	conf 'user nobody;'
	run -0 penstock -c penstock.conf -t
	assert_output 'penstock: penstock.conf: the configuration is good'
	for dir in srv logs run; do refute [ -e "$dir" ]; done
	start 077
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	assert_is srv root:755
	assert_is srv/deep root:755
	assert_is srv/deep/uploads nobody:700
	assert_is srv/deep/uploads/a nobody:600
	assert_is logs/access nobody:700
	assert_is logs/access/access.log nobody:600
	assert_is logs/error/error.log nobody:600
	assert_is run root:755
	assert_is run/penstock root:700
	assert_is run/penstock/pid root:600
	eventually grep -q '"PUT /file/a" 201' logs/access/access.log
	grep -qF "$T/srv/deep/uploads: made, for user nobody" stderr

	# After a rotation, too.
	mv logs/access/access.log logs/access/old
	run -0 penstock -c penstock.conf -s reopen
	[[ $(stat -c %U logs/access/access.log) == nobody ]]
}

@test "a reload makes what it adds; a directory of uploads that is gone it does not make again" {
	mkdir -p srv/deep/uploads
	chown nobody srv/deep/uploads
	conf 'user nobody;'
	start
	sed -i "s|^\( *\)location /file|\1location /more { output_dir $T/srv/more; }\n&|" penstock.conf
	STORES+=("$T/srv/more")
	run -0 penstock -c penstock.conf -s reload
	assert_is srv/more nobody:755
	rmdir srv/more
	run penstock -c penstock.conf -s reload
	refute [ -e srv/more ]
}

@test "without a user the directories of logs and pid file are not made" {
	conf ''
	run -1 penstock -c penstock.conf -t
	assert_output -p 'make its directory first'
	run -1 penstock -c penstock.conf
	assert_output -p 'make its directory first'
	refute [ -e logs ]
}

@test "where others may write nothing is made, and no link of theirs is followed" {
	mkdir srv
	chmod 777 srv
	mkdir logs
	chown daemon logs
	conf 'user nobody;'
	run -1 penstock -c penstock.conf
	assert_output -p "logs/error/error.log: cannot be opened: No such file or directory: make its directory first"
	refute [ -e logs/error ]

	mkdir -p logs/error logs/access
	chown nobody logs/error logs/access
	touch theirs
	ln -s "$T/theirs" logs/access/access.log
	run -1 penstock -c penstock.conf
	assert_output -p 'access.log: it is a symbolic link, which root does not follow in a directory that others may write to'
	assert_equal "$(stat -c %s theirs)" 0
	# In one of root's it is followed, as somebody may want it.
	chown root logs/access logs
	start
	echo hello >body
	upload PUT /file/a body
	eventually grep -q '"PUT /file/a" 201' theirs
	# 0777 without the sticky bit: what root would have made there could be replaced.
	assert_is srv/deep nobody:755
}
