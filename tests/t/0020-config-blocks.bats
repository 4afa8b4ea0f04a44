# What a good configuration comes to: inheritance, include, several servers
# and locations.

load ../lib/penstock

@test "directives are inherited from top to server to location" {
	write_conf 'queue_depth 3;' '
		queue_depth 5; overwrite on;
		location /other { overwrite off; }' '
		queue_depth 7; sync off; overwrite off; header_timeout 3s;
		server { listen 127.0.0.1:1; location /third { output_dir third; } }'
	penstock -c penstock.conf -T >out
	# location of a directive in -T: the block it was printed in
	value() {
		awk -v want="$1" -v name="$2" '
			$1 == "location" { at = $2 }
			$1 == name && at == want { sub(/;.*/, "", $2); print $2 }' out
	}
	assert_equal "$(value /file queue_depth)" 3
	assert_equal "$(value /other queue_depth)" 5
	assert_equal "$(value /third queue_depth)" 7
	assert_equal "$(value /file overwrite)" on
	assert_equal "$(value /other overwrite)" off
	assert_equal "$(value /third overwrite)" off
	assert_equal "$(value /file sync)$(value /other sync)$(value /third sync)" offoffoff
	assert_equal "$(grep -c 'header_timeout *3s;' out)" 2
}

@test "include takes a glob, relative to the file it stands in" {
	mkdir -p inc/more
	echo 'include more/*.inc; sync off;' >inc/location.conf
	echo 'overwrite on;' >inc/more/1.inc
	echo 'queue_depth 9;' >inc/more/2.inc
	echo 'keep latest;' >inc/more/3.other
	mkdir sub
	write_conf 'include inc/*.conf;'
	cd sub
	run -0 penstock -c ../penstock.conf -T
	assert_line -e '^ +overwrite +on;'
	assert_line -e '^ +queue_depth +9;'
	assert_line -e '^ +sync +off;'
	assert_line -e '^ +keep +all;'
	cd ..
	# A mistake is told where it stands.
	echo 'overwrite perhaps;' >inc/more/1.inc
	run -1 penstock -c penstock.conf -t
	assert_output -e '^[^ ]*inc/more/1\.inc:1:11: overwrite: "perhaps"'
}

@test "include: nothing for a glob is fine, a file that is missing is not, a circle ends" {
	write_conf 'include none/*.conf;'
	run -0 penstock -c penstock.conf -t
	write_conf 'include none.conf;'
	run -1 penstock -c penstock.conf -t
	assert_output -p 'none.conf: cannot be read: No such file or directory'
	echo 'include circle.conf;' >circle.conf
	run -1 penstock -c circle.conf -t
	assert_output -e 'circle\.conf:1:[0-9]+: include: '
}

@test "quotes, comments, and spaces in a path" {
	write_conf "output_dir \"$T/with a # and \\\"quote\\\"\"; # not this } ;"
	start_conf penstock.conf
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	assert_same body "$T/with a # and \"quote\"/a"
}

@test "relative paths are of the working directory" {
	mkdir a b
	start_server 'output_dir store;' '' 'pid_file pid; error_log log info;'
	assert_equal "$(cat pid)" "$MASTER"
	[ -s log ]
	[ -d store ]
}

@test "the longest prefix wins, at slashes only" {
	start_server 'output_dir root/file;' '
		location /file/deep { output_dir deep; }
		location /file/deep/er { output_dir deeper; }
		location /filet { output_dir filet; }'
	echo hello >body
	for path in /file/a /file/deep/a /file/deep/er/a /file/deep/era /filet/a /file/filet; do
		upload PUT $path body
		assert_status 201
		assert_header Location $path
	done
	assert_equal "$(for dir in deep deeper filet root; do files_in $dir; done | tr '\n' ' ')" \
		'deep/a deep/era deeper/a filet/a root/file/a root/file/filet '
	upload PUT /filex body
	assert_status 404
	upload PUT /files/a body
	assert_status 404
	# Each prefix alone is its own collection.
	upload PUT /file/deep body
	assert_status 201
	[[ $(header Location) == /file/deep/20* ]]
	assert_equal "$(files_in deep | wc -l)" 3
}

@test "location / takes every path" {
	write_conf
	sed -i "s,location /file,location /," penstock.conf
	start_conf penstock.conf
	echo hello >body
	upload PUT /x/y body
	assert_status 201
	assert_header Location /x/y
	assert_same body "$STORE/x/y"
	request POST / --data-binary @body
	assert_status 201
	[[ $(header Location) == /20* ]]
	request GET "$(header Location)"
	assert_status 200
	assert_same body answer
}

@test "each location has its own limits" {
	start_server 'max_body_size 1k;' "
		location /big { output_dir $T/big; max_body_size 10k; }
		location /any { output_dir $T/any; max_body_size 0; }"
	random_file body 5000
	upload PUT /file/a body
	assert_status 413
	upload PUT /big/a body
	assert_status 201
	upload PUT /any/a body
	assert_status 201
	random_file body 20000
	upload PUT /big/b body
	assert_status 413
	upload PUT /any/b body
	assert_status 201
}

@test "several servers: each its locations and its own access log" {
	other=$(free_port)
	start_server '' '' "server {
		listen 127.0.0.1:$other;
		access_log $T/other.log;
		location /elsewhere { output_dir $T/elsewhere; }
	}"
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	upload PUT "http://127.0.0.1:$other/elsewhere/b" body
	assert_status 201
	upload PUT /elsewhere/c body
	assert_status 404
	upload PUT "http://127.0.0.1:$other/file/d" body
	assert_status 404
	assert_same body "$STORE/a"
	assert_same body elsewhere/b
	eventually access_has '"PUT /elsewhere/c" 404'
	eventually grep -q '"PUT /file/d" 404' other.log
	run -1 grep -E '/elsewhere/b|/file/d' access.log
	run -1 grep -E '/file/a|/elsewhere/c' other.log
}
