# What happened to the output directory before a request came, and is over, is
# no reason to refuse it.  The path leads to another directory (it was renamed
# and made anew, a symbolic link was moved to the new day): the request that
# finds out has it opened there and then, and is served from it.  (What is not
# there to be opened, and uploads that had begun in the old one: 5060.)

load ../lib/penstock

# bats file_tags=engine

# begin [LOCATION [TOP]]: a store in $T/today, a symbolic link to $DAYS/1.
begin() {
	DAYS=${DAYS:-$T/days}
	STORES+=("$DAYS")
	mkdir -p "$DAYS/1" "$DAYS/2"
	ln -s "$DAYS/1" "$T/today"
	DAY=2
	random_file small 3000
	random_file large 300k
	start_server "output_dir $T/today; ${1:-}" '' "${2:-worker_processes 1;}"
	upload PUT /file/first small
	assert_status 201
}

# memory_disks N...: these days are disks of their own, before begin.
memory_disks() {
	local n

	for n in "$@"; do
		mkdir -p "$T/days/$n"
		mount -t tmpfs -o size=8m none "$T/days/$n"
	done
}

# next_day: the link leads to the next directory, which is empty.
next_day() {
	mkdir -p "$DAYS/$DAY"
	ln -sfn "$DAYS/$DAY" "$T/tomorrow"
	mv -T "$T/tomorrow" "$T/today"
	DAY=$((DAY + 1))
}

# follows NAME FILE CURL...: the upload that meets it is stored in the new one.
follows() {
	next_day
	upload PUT "/file/$1" "$2" "${@:3}"
	assert_status 201
	assert_same "$2" "$DAYS/$((DAY - 1))/$1"
	refute [ -e "$DAYS/$((DAY - 2))/$1" ]
}

all_follow() {
	local n=0 file how

	for file in small large; do
		for how in 'Expect:' 'Expect: 100-continue' 'Transfer-Encoding: chunked'; do
			n=$((n + 1))
			follows "a$n" $file -H "$how"
			follows "d$n/e" $file -H "$how"
		done
	done
	eventually log_has 'notice .*: is not the directory any more that it was'
	eventually log_has 'notice .*: open again'
	refute access_has '" 50[03] '
	refute log_has ' error ' # that a link was moved is none
}

@test "the link is moved to another directory: the next upload is in that one" {
	begin
	all_follow
}

@test "... with checksums, which are right" {
	begin 'checksum sha256;'
	all_follow
	next_day
	upload PUT /file/x large -H "Repr-Digest: sha-256=:$(openssl dgst -sha256 -binary large | base64):"
	assert_status 201
	next_day
	upload PUT /file/y small -H "Repr-Digest: sha-256=:$(openssl dgst -sha256 -binary small | base64):" -H Expect:
	assert_status 201
	next_day
	upload PUT /file/z small -H "Repr-Digest: sha-256=:$(openssl dgst -sha256 -binary large | base64):" -H Expect:
	assert_status 400
}

@test "... on a disk without nameless files" {
	slowfs_start
	DAYS=$T/slow/days
	begin
	all_follow
}

@test "... into memory, and out of it" {
	begin
	memory_dir
	for n in 2 3 4 5 6 7; do
		rm -rf "${DAYS:?}/$n"
		if ((n % 2 == 0)); then
			mkdir "$MEMORY/$n"
			ln -s "$MEMORY/$n" "$DAYS/$n"
		fi
	done
	follows a small -H Expect:
	follows b small -H Expect:
	follows c large
	follows d large
	follows e large -H 'Transfer-Encoding: chunked'
	follows f large -H 'Transfer-Encoding: chunked'
}

# Three disks: what the flow of an upload charges its memory to is the first one,
# which is not open any more when the rest of the body comes.
@test "an upload that has followed to another disk goes on when the first one is let go" {
	memory_disks 1 2 3
	begin
	next_day
	connect
	say "$FD" 'PUT /file/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30\r\n\r\n0123456789'
	eventually log_has 'notice .*: open again'
	next_day
	upload PUT /file/other small
	assert_status 201
	assert_same small "$DAYS/3/other"
	say "$FD" '01234567890123456789'
	hear "$FD" >answers
	hang_up "$FD"
	grep -q '^HTTP/1.1 503 ' answers # it was in the second one
	upload PUT /file/last small
	assert_status 201
}

# _locks FILE: a process waits for its lock.
_is_waited_for() { grep -q -- "-> .*:$(stat -c %i "$1") " /proc/locks; }

# In memory, then on a disk that keeps it: an answer that comes late says what is true
# of the first.
@test "the receipt says what the sync was worth in the directory that the file is in" {
	local lock
	is_portable && skip 'a PORTABLE build cannot know the kind of a file system'
	memory_disks 1
	begin 'keep latest;'
	exec {lock}<"$DAYS/1/.penstock"
	flock "$lock"
	curl -sS -T small -o second.json "$URL/file/second" 3>&- 4>&- {lock}<&- & # waits to remove the first
	eventually _is_waited_for "$DAYS/1/.penstock"
	next_day
	upload PUT /file/third small
	assert_equal "$(receipt durability)" synced
	exec {lock}<&-
	wait $!
	assert_equal "$(jq -r .durability second.json)" memory
}

@test "renamed and made anew, under replacements: each condition is judged where it leads" {
	begin 'overwrite on;'
	upload PUT /file/first large
	assert_status 200
	next_day
	upload PUT /file/first small -H 'If-Match: *'
	assert_status 412
	next_day
	upload PUT /file/first small -H 'If-None-Match: *' -H Expect:
	assert_status 201
	mv "$DAYS/$((DAY - 1))" "$DAYS/moved"
	mkdir "$DAYS/$((DAY - 1))"
	upload PUT /file/first small -H Expect:
	assert_status 201
	upload PUT /file/first large
	assert_status 200
}

@test "a download sees what is there now: by its name, and the newest" {
	begin
	cp large "$DAYS/2/second"
	next_day
	request GET /file/second
	assert_status 200
	assert_same large answer
	mkdir "$DAYS/3"
	cp small "$DAYS/3/third"
	next_day
	request GET /file
	assert_status 200
	assert_header Content-Location /file/third
	assert_same small answer
	next_day
	request GET /file
	assert_status 404
	next_day
	request GET /file/third
	assert_status 404
	refute access_has '" 503 '
}

@test "each of many workers finds out by an upload that succeeds" {
	local n
	begin '' 'worker_processes 4;'
	for n in 1 2; do
		next_day
		for i in {1..16}; do
			upload PUT "/file/$i" small -H Expect:
			assert_status 201
		done
		assert_equal "$(files_in "$DAYS/$((DAY - 1))" | wc -l)" 16
	done
}

# Some find out together, some while it is being opened.
@test "100 uploads at once, while the link is moved ten times: all are stored" {
	local n
	begin 'sync off;'
	start_py directories upload_until "$T/moved" 100 >out
	n=$PY
	for i in {1..10}; do
		_more() { [[ $(files_in "$DAYS"/ | wc -l) -gt $((i * 60)) ]]; }
		eventually _more
		next_day
	done
	: >moved
	wait $n
	cat out
	grep -qx 'all stored' out
	refute access_has '" 50[03] '
}

@test "the new directory cannot be opened in time: 503, and not a client that waits for ever" {
	begin
	slowfs_start
	mkdir "$T/slow/up"
	slowfs_ctl stall opendir
	ln -sfn "$T/slow/up" "$T/tomorrow"
	mv -T "$T/tomorrow" "$T/today"
	upload PUT /file/a small -H Expect: --max-time 10
	assert_status 503
	slowfs_ctl clear
	_is_stored() { upload PUT /file/b small && [[ $STATUS == 201 ]]; }
	eventually _is_stored
}
