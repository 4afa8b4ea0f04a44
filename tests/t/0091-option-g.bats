# -g: directives from the command line, over those of a file.  The fault guarded
# here is that the two are mixed up: which one holds, where a mistake stands, and
# what is left of it after a reload.

load ../lib/penstock

# says NAME: the value in what -T has printed.
says() { sed -nE "s/^ *$1 +([^;]*);.*/\1/p" shown; }

@test "-g wins over what the file has outside of its blocks, and nowhere else" {
	write_conf '' 'header_timeout 7s;' 'worker_processes 3; queue_depth 5; header_timeout 5s;'
	penstock -c penstock.conf -g 'worker_processes 1; queue_depth 9; header_timeout 9s;
		error_log stderr warn; user nobody;' -T >shown
	assert_equal "$(says worker_processes)" 1
	assert_equal "$(says queue_depth)" 9
	assert_equal "$(says error_log)" 'stderr warn'
	assert_equal "$(says user)" nobody
	assert_equal "$(says header_timeout)" 7s # the server has its own
	assert_equal "$(says output_dir)" "$STORE"
	head -n 1 shown | grep -qF "with -g worker_processes 1; queue_depth 9;"
	# It is a configuration that gives all this again, without -g.
	penstock -c shown -T >again
	diff <(tail -n +2 shown) <(tail -n +2 again)
	# Over the built-in defaults, too.
	penstock -g 'worker_processes 2;' -T >shown
	assert_equal "$(says worker_processes)" 2
	penstock -g '' -T >shown
	assert_equal "$(says worker_processes)" auto
}

@test "its mistakes stand at -g:1:COLUMN, those of the file where they are" {
	write_conf
	run -1 penstock -c penstock.conf -t -g 'sync maybe; queue_dept 4; chunk_size 1k'
	assert_line -e '^-g:1:6: sync: "maybe" is neither'
	assert_line -e '^-g:1:13: queue_dept: .*queue_depth'
	assert_line -e '^-g:1:40: chunk_size: ; is missing'
	for block in 'server { location /x { } }' 'location /x { }' 'include other.conf;'; do
		run -1 penstock -c penstock.conf -t -g "$block"
		assert_output -e "^-g:1:1: ${block%% *}: cannot be given with -g: write it into the file$"
	done
	run -1 penstock -c penstock.conf -t -g 'listen 8000;'
	assert_output -e '^-g:1:1: listen: not allowed at top level'
	run -1 penstock -c penstock.conf -t -g 'sync on; sync off;'
	assert_output -e '^-g:1:10: sync: given twice in this block, first at -g:1:1'
	# A mistake of the file is one, whatever -g says instead.
	write_conf '' '' 'queue_depth none;'
	run -1 penstock -c penstock.conf -t -g 'queue_depth 4;'
	assert_output -e '^penstock.conf:[0-9]+:[0-9]+: queue_depth: "none"'
	run -0 penstock -g 'queue_depth 4;' -t
}

@test "-g stays over reloads, and -s finds a server by it" {
	write_conf '' '' 'worker_processes 2;'
	(
		_penstock_env
		exec "$PENSTOCK" -c penstock.conf -g "worker_processes 1; pid_file $T/other.pid;" \
			>>stdout 2>>stderr </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	eventually log_has 'worker ready'
	assert_equal "$(cat other.pid)" "$MASTER"
	refute [ -e penstock.pid ]
	# The file changes what -g does not say.
	write_conf 'max_body_size 3;' '' 'worker_processes 3;'
	run -0 penstock -c penstock.conf -g "pid_file $T/other.pid;" -s reload
	eventually log_has 'worker .* is done'
	assert_equal "$(workers | wc -l)" 1
	refute log_has 'needs a restart'
	echo hello >body
	upload PUT /file/a body
	assert_status 413
	run -1 penstock -c penstock.conf -s stop
	assert_output -p 'no penstock runs'
	run -0 penstock -c penstock.conf -g "pid_file $T/other.pid;" -s stop
	await_exit
	refute [ -e other.pid ]
}
