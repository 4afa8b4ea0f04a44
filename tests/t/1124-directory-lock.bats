# One lock for one directory, whichever way leads there: a location beneath another
# one, the same directory by a symbolic link or a bind mount, a second server.
# Guards read-modify-write by If-Match: no update is lost.  Each client adds 1
# to a counter, if it is still the one that it has read.

load ../lib/penstock

# count_over SECONDS URL URL...: a process for each; $WON additions were
# acknowledged, and the counter stands at $COUNTER in the end.
count_over() {
	local seconds=$1 url n=0 pids=()
	shift

	printf 0 >zero
	upload PUT "$1" zero
	for url; do
		n=$((n + 1))
		start_py uploads add_by_if_match "$seconds" "$url" >"won.$n"
		pids+=("$PY")
	done
	for n in "${pids[@]}"; do wait "$n"; done
	request GET "$1"
	COUNTER=$(cat answer)
	WON=$(awk '{ n += $1 } END { print n }' won.*)
	echo "won $WON, counted $COUNTER"
	# They have met.
	awk '{ n += $2 } END { exit n == 0 }' won.*
}

setup() {
	penstock_setup
	memory_dir
	STORE=$MEMORY
	mkdir "$STORE/sub"
}

@test "one lock: a location beneath another, where replacing takes its time" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=/rename.* -e inject=/rename.*:delay_enter=3000 %s "$@"\n' \
		"$PENSTOCK" >slow
	chmod +x slow
	PENSTOCK=$T/slow
	start_server "output_dir $STORE; overwrite on;" \
		"location /b { output_dir $STORE/sub; overwrite on; }"
	count_over 1.5 "$URL/file/sub/n" "$URL/b/n" "$URL/file/sub/n" "$URL/b/n"
	assert_equal "$COUNTER" "$WON"
}

@test "one lock: a location beneath another" {
	start_server "output_dir $STORE; overwrite on;" \
		"location /b { output_dir $STORE/sub; overwrite on; }"
	count_over 1.5 "$URL/file/sub/n" "$URL/b/n" "$URL/file/sub/n" "$URL/b/n"
	assert_equal "$COUNTER" "$WON"
}

# bats test_tags=long
@test "one lock: three deep, and the name deeper" {
	mkdir -p "$STORE/sub/deep/name"
	start_server "output_dir $STORE; overwrite on;" \
		"location /b { output_dir $STORE/sub; overwrite on; }
		location /c { output_dir $STORE/sub/deep; overwrite on; }"
	count_over 1.5 "$URL/file/sub/deep/name/n" "$URL/b/deep/name/n" "$URL/c/name/n"
	assert_equal "$COUNTER" "$WON"
}

# bats test_tags=long
@test "one lock: the same directory by a symbolic link" {
	ln -s "$STORE/sub" "$T/link"
	start_server "output_dir $STORE/sub; overwrite on;" \
		"location /b { output_dir $T/link; overwrite on; }"
	count_over 1.5 "$URL/file/n" "$URL/b/n" "$URL/file/n" "$URL/b/n"
	assert_equal "$COUNTER" "$WON"
}

@test "one lock: a bind mount of a directory beneath" {
	mkdir "$T/bound"
	mount --bind "$STORE/sub" "$T/bound"
	start_server "output_dir $STORE; overwrite on;" \
		"location /b { output_dir $T/bound; overwrite on; }"
	count_over 1.5 "$URL/file/sub/n" "$URL/b/n" "$URL/file/sub/n" "$URL/b/n"
	assert_equal "$COUNTER" "$WON"
}

# bats test_tags=long
@test "one lock: another server, beneath" {
	start_server "output_dir $STORE; overwrite on;"
	local one=$URL/file/sub/n
	PORT=$(free_port)
	write_conf "output_dir $STORE/sub; overwrite on;"
	sed -i 's/error\.log/second.log/; s/penstock\.pid/second.pid/; s/access\.log/access2.log/' penstock.conf
	start_conf "$T/penstock.conf"
	count_over 1.5 "$one" "http://$ADDRESS:$PORT/file/n" "$one" "http://$ADDRESS:$PORT/file/n"
	assert_equal "$COUNTER" "$WON"
}

@test "one lock: while a cleaning job removes .penstock again and again" {
	start_server "output_dir $STORE; overwrite on;" \
		"location /b { output_dir $STORE/sub; overwrite on; }"
	(while [[ ! -e over ]]; do
		find "$STORE" -mindepth 1 -type d -empty -delete 2>/dev/null || true
		sleep 0.01
	done) 3>&- 4>&- &
	local cleaner=$!
	count_over 1.5 "$URL/file/sub/n" "$URL/b/n" "$URL/file/sub/n" "$URL/b/n"
	touch over
	wait "$cleaner"
	assert_equal "$COUNTER" "$WON"
}

# They have the lock together, and let in who has to have it alone.
@test "one lock: beside uploads without conditions, which share it" {
	local plain=() pid

	start_server "output_dir $STORE; overwrite on;" \
		"location /b { output_dir $STORE/sub; overwrite on; }" 'worker_processes 2;'
	for name in file/same file/sub/same; do
		"$PENSTOCK_TOOLS/load" -c 8 -d 2 -s 4k -u "/$name" "127.0.0.1:$PORT" 3>&- 4>&- &
		plain+=("$!")
	done
	count_over 1.5 "$URL/file/sub/n" "$URL/b/n" "$URL/file/sub/n" "$URL/b/n"
	for pid in "${plain[@]}"; do wait "$pid"; done
	assert_equal "$COUNTER" "$WON"
	((WON >= 20)) # of some thousands
}

@test "one lock: that of a location beneath is no name of the one above" {
	start_server "output_dir $STORE; overwrite on; dotfiles on;" \
		"location /b { output_dir $STORE/sub; overwrite on; }"
	[[ -d $STORE/sub/.penstock ]]
	echo body >body
	for name in sub/.penstock sub/.penstock/x sub/.PENSTOCK/x; do
		upload PUT "/file/$name" body
		assert_status 400
		request GET "/file/$name"
		assert_status 400
	done
	assert_equal "$(files_in "$STORE")" ''
}
