# GET of a location: the newest finished upload, whichever worker took it; and keep
# latest, which removes the one before.

load ../lib/penstock

# put NAME: store a file that holds its name.
put() {
	echo "$1" >body
	upload PUT "/file/$1" body
	assert_status 201
}

# newest_is NAME
newest_is() {
	request GET /file
	assert_status 200
	assert_equal "$(cat answer)" "$1"
	assert_header Content-Location "/file/$1"
}

@test "none yet: 404 that says so" {
	start_server
	request GET /file
	assert_status 404
	assert_problem '^No file uploaded yet$'
	request HEAD /file
	assert_status 404
}

@test "each upload is the newest at once, for every worker" {
	start_server '' '' 'worker_processes 4;'
	for ((i = 0; i < 25; i++)); do
		put "f$i"
		newest_is "f$i"
	done
}

@test "an upload that is not finished, or was refused, is not the newest" {
	start_server
	put a
	connect
	say $FD 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell'
	newest_is a
	hang_up $FD
	upload PUT /file/a body
	assert_status 409
	newest_is a
}

@test "nested, encoded and generated names" {
	start_server
	put d/e/f
	newest_is d/e/f
	echo x >body
	upload PUT '/file/with%20space' body
	request GET /file
	assert_header Content-Location '/file/with%20space'
	upload PUT /file body
	location=$(header Location)
	request GET /file
	assert_header Content-Location "$location"
}

@test "HEAD, ranges and conditions work on the newest, too" {
	start_server
	put abcdefgh
	request HEAD /file
	assert_status 200
	assert_header Content-Length 9
	etag=$(header ETag)
	request GET /file -r 2-3
	assert_status 206
	assert_equal "$(cat answer)" cd
	request GET /file -H "If-None-Match: $etag"
	assert_status 304
}

@test "after a restart, and after a reload, it is still known" {
	start_server
	put a
	put d/b
	stop_server QUIT
	start_conf penstock.conf
	newest_is d/b
	reload
	newest_is d/b
	put c
	newest_is c
	reload
	newest_is c
}

@test "after a restart the last that was completed counts, whatever was done to others since" {
	start_server
	put a
	put b
	put c
	stop_server
	start_conf penstock.conf
	newest_is c
	is_portable && return # and knows of no births: it has the mtimes only
	touch -d '2001-01-01' "$STORE/c"
	stop_server
	start_conf penstock.conf
	newest_is c
	stop_server
	touch -d '2030-01-01' "$STORE/c"
	chmod 600 "$STORE/a"
	chown 1:1 "$STORE/a"
	ln "$STORE/b" "$STORE/tmp" && rm "$STORE/tmp"
	touch -d '2030-01-01' "$STORE/b"
	start_conf penstock.conf
	newest_is c
	stop_server
	echo more >>"$STORE/a"
	start_conf penstock.conf
	request GET /file
	assert_header Content-Location /file/a
}

@test "what is no upload is not the newest after a restart" {
	mkdir -p "$STORE/dir" "$STORE/.penstock" "$STORE/.hidden"
	echo first >"$STORE/first"
	echo no >"$STORE/.penstock/x"
	echo no >"$STORE/.hidden/x"
	echo no >"$STORE/.dot"
	ln -s first "$STORE/link"
	mkfifo "$STORE/fifo"
	start_server
	newest_is first
}

@test "an output_dir with many files is looked through, whatever their order" {
	mkdir -p "$STORE"
	(cd "$STORE" && seq 1 3000 | split -l 1 -a 4 - f)
	mkdir "$STORE/x"
	echo x/newest >"$STORE/x/newest"
	start_server
	newest_is x/newest
}

@test "a newest file that was removed from outside: then the one before, then 404" {
	start_server
	put a
	put b
	rm "$STORE/b"
	newest_is a
	rm "$STORE/a"
	request GET /file
	assert_status 404
	assert_problem '^No file uploaded yet$'
	put c
	newest_is c
}

@test "each location has its own newest" {
	start_server '' "location /other { output_dir $T/other; }"
	put a
	request GET /other
	assert_status 404
	echo o >body
	upload PUT /other/o body
	newest_is a
	request GET /other
	assert_header Content-Location /other/o
}

@test "two locations on one output_dir share their newest" {
	start_server '' "location /other { output_dir $STORE; }"
	put a
	request GET /other
	assert_status 200
	assert_header Content-Location /other/a
}

@test "keep all keeps all" {
	start_server
	put a
	put b
	put c
	assert_equal "$(files_in "$STORE" | wc -l)" 3
}

_only() { [[ $(files_in "$STORE") == "$STORE/$1" ]]; }

@test "keep latest: each upload removes the one before" {
	start_server 'keep latest;' '' 'worker_processes 4;'
	for ((i = 0; i < 10; i++)); do
		put "f$i"
		eventually _only "f$i"
		newest_is "f$i"
	done
	put d/deep
	eventually _only d/deep
	put last
	eventually _only last
}

@test "keep latest: many at once leave one, which is the newest" {
	start_server 'keep latest;' '' 'worker_processes 4;'
	run -0 "$PENSTOCK_TOOLS/load" -c 16 -n 200 -s 4k "127.0.0.1:$PORT"
	_one() { [[ $(files_in "$STORE" | wc -l) == 1 ]]; }
	eventually _one
	request GET /file
	assert_status 200
	assert_equal "$(header Content-Location)" "/file/$(basename "$(files_in "$STORE")")"
}

@test "keep latest: an upload that fails removes nothing" {
	start_server 'keep latest;'
	put a
	raw -e 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome' || true
	eventually access_has '"PUT /file/b" '
	echo x >body
	upload PUT /file/a body
	assert_status 409
	_only a
	newest_is a
}

@test "keep latest: replacing itself does not remove it" {
	start_server 'keep latest; overwrite on;'
	put a
	echo new >body
	upload PUT /file/a body
	assert_status 200
	request GET /file
	assert_same body answer
	_only a
}

@test "keep latest: a file that others put in the predecessor's place stays" {
	start_server 'keep latest;'
	put a
	echo theirs >"$T/theirs" # not of the inode number that becomes free
	mv "$T/theirs" "$STORE/a"
	put b
	newest_is b
	stop_server QUIT
	assert_equal "$(cat "$STORE/a")" theirs
}

@test "keep latest: files that others put there while it runs are never removed" {
	start_server 'keep latest;'
	put a
	echo theirs >"$STORE/after"
	put b
	put c
	stop_server QUIT
	assert_equal "$(cat "$STORE/after")" theirs
	assert_equal "$(ls "$STORE")" $'after\nc'
}

@test "keep latest: files that others put there before the start are never removed" {
	mkdir -p "$STORE"
	echo theirs >"$STORE/before"
	start_server 'keep latest;'
	put a
	put b
	stop_server QUIT
	assert_equal "$(cat "$STORE/before")" theirs
	assert_equal "$(ls "$STORE")" $'b\nbefore'
}

@test "keep latest: of two at once to one name one stays" {
	start_server 'overwrite on; keep latest;' '' 'worker_processes 2;'
	run -0 py uploads race_for_newest "$STORE" 150 same same
	assert_line 'bad 0, lost 0 of 150'
}

@test "keep latest: of six at once to three names one stays" {
	start_server 'overwrite on; keep latest;' '' 'worker_processes 2;'
	run -0 py uploads race_for_newest "$STORE" 60 a b c a b c
	assert_line 'bad 0, lost 0 of 60'
}

@test "keep latest: there always is a newest, whoever asks while uploads go on" {
	local pid
	start_server 'keep latest; sync off;' '' 'worker_processes 2;'
	put first
	"$PENSTOCK_TOOLS/load" -c 2 -d 3 -s 1k -u /file/n%d "$ADDRESS:$PORT" >load.out 2>&1 3>&- 4>&- &
	pid=$!
	run -0 py uploads read_newest 2.5
	wait "$pid"
	assert_output --regexp '^200: [0-9]+$'
}
