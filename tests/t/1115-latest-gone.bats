# GET of a location when the newest upload is not there any more: it is the next
# newest, for every client, and 404 only when there is none.
#
# The kind of fault: a record of what is on a disk that is believed when the disk
# says otherwise.

load ../lib/penstock

# put NAME: store a file that holds its name.
put() {
	echo "$1" >body
	upload PUT "/file/$1" body
	assert_status 201
}

# newest_is NAME, for each of several connections.
newest_is() {
	for ((n = 0; n < 6; n++)); do
		request GET /file
		assert_status 200
		assert_equal "$(cat answer)" "$1"
		assert_header Content-Location "/file/$1"
	done
}

# bats test_tags=engine
@test "removed, moved, replaced by a directory, a link, a FIFO: the next newest" {
	start_server '' '' 'worker_processes 4;'
	for name in a b c d/e f g h i; do put $name; done
	# Old ones, which ctime would take for new.
	is_portable || chmod 600 "$STORE/a" "$STORE/b"
	rm "$STORE/i"
	newest_is h
	rm "$STORE/h"
	mkdir "$STORE/h"
	newest_is g
	rm "$STORE/g"
	ln -s a "$STORE/g"
	newest_is f
	rm "$STORE/f"
	mkfifo "$STORE/f"
	newest_is d/e
	mv "$STORE/d" "$T/away"
	newest_is c
	rm "$STORE/c"
	ln -s "$T/away" "$STORE/d"
	newest_is b
	mv "$STORE/b" "$STORE/moved"
	request GET /file
	assert_header Content-Location /file/moved
	put last
	newest_is last
}

# A copy that has kept an older mtime counts as that: nothing tells it from one
# that was there.
# bats test_tags=portable
@test "where nothing has a birth time it goes by mtimes, which chmod does not change" {
	loop_disk ext4 64M -I 128
	STORE=$DISK/up
	start_server '' '' 'worker_processes 4;'
	for name in a b c; do put $name; done
	# They are of whole seconds there.
	touch -d '1 minute ago' "$STORE/b"
	touch -d '2 minutes ago' "$STORE/a"
	_is_a_second_later() { (($(date +%s) > $(stat -c %Z "$STORE/a"))); }
	eventually _is_a_second_later
	chmod 600 "$STORE/a"
	rm "$STORE/c"
	newest_is b
	echo future >"$STORE/future"
	touch -d '2037-01-01' "$STORE/future" # then it is when that was set
	cp -p "$STORE/a" "$STORE/copied"
	rm "$STORE/b"
	newest_is future
}

@test "a parent that became a file or a link hides its newest" {
	start_server
	put a
	put d/b
	rm -r "$STORE/d"
	echo file >"$STORE/d"
	touch -d '2001-01-01' "$STORE/d"
	rm "$STORE/d"
	ln -s "$T" "$STORE/d"
	newest_is a
}

@test "404 only when none is left, and for as long as none comes" {
	start_server
	put a
	put d/b
	rm -r "$STORE"/*
	for ((n = 0; n < 4; n++)); do
		request GET /file
		assert_status 404
		assert_problem '^No file uploaded yet$'
		request HEAD /file
		assert_status 404
	done
	put c
	newest_is c
}

@test "keep latest: what is found then is not removed, what is stored then is" {
	start_server 'keep latest;'
	echo theirs >theirs
	put a
	cp theirs "$STORE/theirs"
	rm "$STORE/a"
	request GET /file
	assert_header Content-Location /file/theirs
	put b
	put c
	_both() { [[ $(ls "$STORE" | tr '\n' ' ') == "c theirs " ]]; }
	eventually _both
	newest_is c
}

# bats test_tags=long
@test "many who ask at once wait for one who looks" {
	local looks call=openat2 tracers=()
	! is_portable || call=openat
	mkdir -p "$STORE/many"
	(cd "$STORE/many" && seq 1 4000 | split -l 1 -a 4 - f)
	start_server '' '' 'worker_processes 4;'
	put a
	put b
	rm "$STORE/b"
	for pid in $(workers); do
		strace -qq -f -p "$pid" -e "trace=$call" -o "strace.$pid" 3>&- 4>&- &
		tracers+=($!)
	done
	_traced() { ! grep -L 'TracerPid:.[1-9]' $(workers | sed 's|.*|/proc/&/status|') | grep -q .; }
	eventually _traced
	run -0 py uploads read_newest_at_once 40
	assert_output '40 200 /file/a'
	# Each directory is entered once, by one of all workers.
	looks=$(cat strace.* | grep -c '"many"')
	assert_equal "$looks" 1
	kill "${tracers[@]}"
	# The leak check of a sanitized build cannot be traced.
	_untraced() { ! grep -L 'TracerPid:.0' $(workers | sed 's|.*|/proc/&/status|') | grep -q .; }
	eventually _untraced
}

@test "a directory that is looked through for the first time: who asks waits" {
	mkdir -p "$STORE/many"
	(cd "$STORE/many" && seq 1 3000 | split -l 1 -a 4 - f)
	write_conf '' '' 'worker_processes 2;'
	start_conf penstock.conf
	run -0 py uploads read_newest_at_once 10
	assert_output --regexp '^10 200 /file/many/f[a-z]{4}$'
}

# bats test_tags=long
@test "on FUSE, too" {
	mkdir -p backing fuse
	bindfs backing "$T/fuse" 3>&-
	STORE=$T/fuse/up
	STORES+=("$STORE")
	start_server
	for name in a b c; do put $name; done
	is_portable || chmod 600 "$STORE/a"
	rm "$STORE/c"
	newest_is b
	stop_server
	start_conf penstock.conf
	newest_is b
}
