# form_atomic: all files of a form are stored or none of them, and none is seen before all
# are whole; what overwrite, keep and conditions do to the files of a form.

load ../lib/penstock

@test "all files of a form are stored, or none, when one is refused early, late or by its end" {
	start_server 'form atomic on; form_max_file_size 1m;'
	random_file a 300000
	random_file b 5000
	random_file large 1100000
	request POST /file -F up=@a -F up=@b
	assert_status 201
	assert_equal "$(jq -r '.files[].name' answer)" $'a\nb'
	assert_same a "$STORE/a"
	rm "$STORE/a"
	request POST /file -F up=@a -F up=@b
	assert_status 409
	assert_equal "$(jq -r '.files[] | "\(.name) \(.status)"' answer)" 'b 409'
	refute test -e "$STORE/a"
	rm "$STORE/b"
	request POST /file -F up=@a -F up=@large
	assert_status 413
	assert_store_empty
	request POST /file -F up=@a -F 'up=@b;filename=../b'
	assert_status 400
	assert_store_empty
	printf -- '--B\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\n1\r\n--B\r\nbroken' >body
	request POST /file --data-binary @body -H 'Content-Type: multipart/form-data; boundary=B'
	assert_status 400
	assert_store_empty
}

@test "what has its name already is taken back when another cannot have its own" {
	start_server 'form_atomic on;'
	random_file a 300000
	random_file b 5000
	# The second c is told only when the first one has its name.
	request POST /file -F up=@a -F 'up=@b;filename=c' -F 'up=@a;filename=c' -F 'up=@b;filename=d/e'
	assert_status 409
	assert_equal "$(jq -r '.files[] | "\(.name) \(.status)"' answer)" 'c 409'
	assert_equal "$(files_in "$STORE")" ''
	request POST /file -F up=@a -F 'up=@b;filename=c'
	assert_status 201
}

@test "the log names no file that was taken back, and each that could not be" {
	start_server 'form_atomic on; overwrite on; checksum sha256;' "access_log $T/access.log json;"
	# c/e finds out that c is a file only when that has its name.
	request POST /file -F 'up=hello;filename=b' -F 'up=hello;filename=c' -F 'up=hello;filename=c/e'
	assert_status 409
	said_of_form '[.status, .name, .durability, .digest] == [409, null, null, null]'
	request PUT /file/b -d old
	request POST /file -F 'up=hello;filename=b' -F 'up=hello;filename=c' -F 'up=hello;filename=c/e'
	assert_status 500
	assert_equal "$(files_in "$STORE")" "$STORE/b"
	said_of_form '[.status, .name] == [500, "b"]'
}
said_of_form() { eventually jq -se "map(select(.method == \"POST\")) | last | $1" access.log; }

@test "no file is seen before the form has ended, and a client that leaves leaves none" {
	start_server 'form_atomic on;'
	CD='Content-Disposition: form-data; name="a"'
	head="POST /file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n"
	first="--B\r\n$CD; filename=f\r\n\r\none\r\n--B\r\n$CD; filename=g\r\n\r\ntw"
	size=$(printf '%x' "$(printf '%b' "$first" | wc -c)")
	connect
	say "$FD" "$head$size\r\n$first\r\n"
	request GET /
	refute test -e "$STORE/f"
	say "$FD" "a\r\no\r\n--B--\r\n\r\n"
	refute test -e "$STORE/f"
	say "$FD" "0\r\n\r\n"
	eventually test -e "$STORE/g"
	assert_equal "$(cat "$STORE/f" "$STORE/g")" onetwo
	hang_up "$FD"
	rm "$STORE/f" "$STORE/g"
	connect
	say "$FD" "$head$size\r\n$first\r\n"
	hang_up "$FD"
	eventually access_has ' 0 in=[0-9]+ .* client-gone$'
	assert_store_empty
}

@test "kill -9 in the middle of a form leaves nothing that is half there" {
	start_server 'form_atomic on; sync off;' '' 'worker_processes 1;'
	random_file a 300000
	for round in 1 2 3 4 5; do
		curls=()
		for i in 1 2 3 4; do
			curl -s -m 20 -F up=@a -F "up=@a;filename=b$round-$i" -F "up=@a;filename=c$round-$i" \
				-F "up=@a;filename=a$round-$i" "$URL/file/$round-$i/" -o /dev/null &
			curls+=("$!")
		done
		pkill -9 -P "$MASTER"
		wait "${curls[@]}" || true
		eventually curl -sf "$URL/" -o /dev/null
	done
	while read -r f; do
		assert_same a "$f"
	done < <(files_in "$STORE")
	log_has 'ended by signal 9'
}

@test "a form of files that exist replaces them where that is allowed; keep latest keeps the last" {
	start_server 'overwrite on;' "location /latest { output_dir $T/latest; keep latest; }"
	echo one >a
	echo two >b
	request POST /file -F up=@a -F up=@b
	assert_status 201
	request POST /file -F 'up=@b;filename=a' -F 'up=@a;filename=b'
	assert_status 200
	assert_equal "$(jq -r '.files[].status' answer | sort -u)" 200
	assert_same b "$STORE/a"
	assert_same a "$STORE/b"
	request POST /latest -F up=@a -F up=@b
	assert_status 201
	assert_equal "$(files_in latest)" latest/b
	request POST /file/a -F up=@a -H 'If-None-Match: *'
	assert_status 412
	assert_same b "$STORE/a"
	request POST /file -F up=@a -H 'Content-MD5: AAAAAAAAAAAAAAAAAAAAAA=='
	assert_status 400
	assert_problem 'whole form'
}

@test "a page is sent on when all is stored, a script gets the receipts" {
	start_server 'form_redirect /thanks.html;'
	echo hello >a
	page='text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
	request POST /file -F up=@a -H "Accept: $page"
	assert_status 303
	assert_header Location /thanks.html
	assert_equal "$(jq -r '.files[0].name' answer)" a
	request POST /file -F up=@a -H "Accept: $page"
	assert_status 409
	for accept in '*/*' application/json 'application/json, text/html' 'text/html;q=0'; do
		rm "$STORE/a"
		request POST /file -F up=@a -H "Accept: $accept"
		assert_status 201
		assert_header Location /file/a
	done
}

# A sync that failed is not tried again: it would say 0 next.
@test "a form that cannot be made durable is told so, and its disk is known to have failed" {
	slowfs_start
	mkdir slow/up
	STORE=$T/slow/up
	STORES=("$T/backing/up")
	start_server "form_atomic on; sync on; output_dir $STORE;"
	random_file a 3000000
	slowfs_ctl fail fsync EIO
	request POST /file -F up=@a -F 'up=@a;filename=b'
	assert_status 500
	eventually log_has 'could not make an upload durable'
	slowfs_ctl clear
	assert_equal "$(files_in "$T/backing/up")" ''
	eventually log_has 'the disk answers again'
	request POST /file -F up=@a -F 'up=@a;filename=b'
	assert_status 201
}
