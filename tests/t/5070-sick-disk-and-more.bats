# A disk that is sick, and what goes on beside that: its path leads elsewhere
# meanwhile, others read from it, we were stopped ourselves, or it was not the
# disk at all.

load ../lib/penstock

SICK='the disk does not answer: an operation has taken'
FAILED='the disk could not make an upload durable'
WELL='the disk answers again'

# begin [LOCATION [TOP]]: /slow is where $T/up leads to, the slow disk.
begin() {
	slowfs_start
	mkdir slow/up other
	ln -s "$T/slow/up" up
	STORES+=("$T/backing/up" "$T/other")
	start_server '' "location /slow { output_dir $T/up; ${1:-} }" \
		"worker_processes 1; disk_stall_timeout 1s; ${2:-}"
	WORKER=$(workers)
	random_file body 300K
	upload PUT /slow/stored body
	assert_status 201
}

said() { assert_equal "$(_count "$1" error.log)" "$2"; }

_takes() { upload PUT "/slow/$1" body --max-time 5 && [[ $STATUS == 201 ]]; }

takes_again() {
	eventually _takes "again-$BATS_TEST_NUMBER-$RANDOM"
}

# in_flight NAME: an upload of which a part came, on $FD.
in_flight() { upload_part "/slow/$1" body; }

# ends FD STATUS: the rest of it is sent, and this is the answer.
ends() { upload_rest "$1" body "$2"; }

@test "the path of a disk that hangs is led elsewhere: uploads go there" {
	local new
	begin
	slowfs_ctl stall write
	upload PUT /slow/one body --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	eventually log_has "$SICK"
	ln -sfn "$T/other" up
	takes_again
	# What the old disk gives back then is no business of the new one's.
	in_flight new
	new=$FD
	slowfs_ctl resume
	takes_again
	ends "$new" 201
	assert_same body other/new
	assert_equal "$(files_in backing/up)" backing/up/stored
	said "$SICK" 1
}

@test "nor do those in another directory end when the disk of the old one hangs" {
	local old new
	begin
	in_flight old
	old=$FD
	ln -sfn "$T/other" up
	upload PUT /slow/found-out body # by this one, perhaps
	takes_again
	in_flight new
	new=$FD
	slowfs_ctl stall all
	ends "$old" 503
	takes_again
	ends "$new" 201
	assert_same body other/new
	slowfs_ctl resume
	takes_again
	eventually _only_stored
}

_only_stored() { [[ $(files_in backing/up) == backing/up/stored ]]; }

@test "a disk that failed is tried though its directory is another one now" {
	begin
	slowfs_ctl fail fsync EIO
	upload PUT /slow/one body
	assert_status 500
	eventually log_has "$FAILED"
	mv slow/up slow/moved
	STORES+=("$T/backing/moved")
	mkdir slow/up
	eventually log_has 'up: is not the directory any more that it was'
	eventually log_has 'up: open again'
	upload PUT /slow/two body
	assert_status 503
	slowfs_ctl clear
	takes_again
	said "$WELL" 1
	assert_equal "$(files_in backing/moved)" backing/moved/stored
}

@test "a download goes on though a sync fails" {
	local line
	begin
	random_file big 30M
	cp big "$T/slow/up/big"
	connect
	say "$FD" 'GET /slow/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	read -t 10 -r -u "$FD" line
	[[ $line == 'HTTP/1.1 200 '* ]]
	slowfs_ctl fail fsync EIO
	upload PUT /slow/one body
	assert_status 500
	eventually log_has "$FAILED"
	cat <&"$FD" >rest
	hang_up "$FD"
	tail -c $((30 * 1024 * 1024)) rest >content
	assert_same big content
	rm "$T/slow/up/big"
	slowfs_ctl clear
	takes_again
}

@test "a disk that hangs is not read from: 503, and others are" {
	begin
	slowfs_ctl stall all
	upload PUT /slow/one body --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	request GET /slow/stored --max-time "$PENSTOCK_PATIENCE"
	assert_status 503
	header Retry-After | grep -qE '^[1-9][0-9]*$'
	assert_problem 'location /slow'
	slowfs_ctl resume
	takes_again
	request GET /slow/stored
	assert_same body answer
}

@test "a want of memory is not the disk's fault: 500, and the next one is stored" {
	begin
	slowfs_ctl fail fsync ENOMEM once
	upload PUT /slow/one body
	assert_status 500
	_takes two
	refute log_has "$FAILED"
	assert_equal "$(files_in backing/up)" $'backing/up/stored\nbacking/up/two'
}

# Each open(2) of a publish in turn: none is the disk's fault either.
@test "a want of descriptors, wherever: 503, and nothing is left" {
	local n status=()
	start_server '' '' 'worker_processes 1;'
	random_file body 300K
	for n in {1..9}; do
		strace -qq -f -e trace=openat -e "inject=openat:error=EMFILE:when=$n+40" \
			-o calls -p "$(workers)" 3>&- &
		_all_traced() { ! grep -hq '^TracerPid:[[:space:]]*0' /proc/"$(workers)"/task/*/status; }
		eventually _all_traced
		upload PUT "/file/d$n/e/f" body
		kill -INT $!
		wait $! || true
		status+=("$STATUS")
		if [[ $STATUS == 503 ]]; then
			assert_equal "$(find "uploads/d$n" -type f 2>/dev/null)" ''
		else
			assert_status 201
			assert_same body "uploads/d$n/e/f"
		fi
		eventually access_has "\"PUT /file/d$n/e/f\" $STATUS "
	done
	echo "${status[@]}"
	[[ ${status[*]} == *503* ]]
	refute log_has "$FAILED"
}

# bats test_tags=long
@test "we were stopped, with operations in flight: no disk is blamed" {
	local load
	begin
	slowfs_ctl rate 2m
	"$PENSTOCK_TOOLS/load" --json -c 4 -n 4 -s 1500k -g 20 -u /slow/bulk-%d \
		"$ADDRESS:$PORT" >load.json 2>load.err 3>&- 4>&- &
	load=$!
	_busy() { [[ -n $(find backing/up -size +100k -newer body ! -name stored) ]] || (($(slowfs_ctl count write) > 3)); }
	eventually _busy
	kill -STOP "$WORKER"
	sleep 2.5
	kill -CONT "$WORKER"
	wait "$load" || fail "$(cat load.err)"
	jq -e '.status == {"201": 4}' load.json
	said "$SICK" 0
}

@test "what is durable is answered so, though its disk hangs afterwards" {
	is_portable && skip 'a PORTABLE build unlinks temp names, which takes as long'
	start_server 'keep latest;' '' 'worker_processes 1; disk_stall_timeout 1s;'
	random_file body 300K
	upload PUT /file/first body
	assert_status 201
	# What it has replaced as the newest takes 3 s to be removed.
	strace -qq -f -e trace=unlinkat -e inject=unlinkat:delay_enter=3000000 -o calls \
		-p "$(workers)" 3>&- &
	_traced() { grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$(workers)/status"; }
	eventually _traced
	upload PUT /file/next body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	assert_same body uploads/next
	eventually log_has "$SICK"
	eventually log_has "$WELL"
	kill -INT $!
	wait $! || true
	grep -q first calls
	_only_next() { [[ $(files_in uploads) == uploads/next ]]; }
	eventually _only_next
}

@test "a file that takes a large one's place in memory: not on the loop" {
	local tid i=0
	is_portable && skip 'a PORTABLE build cannot know the kind of a file system'
	memory_dir
	start_server "output_dir $MEMORY/files; overwrite on;" '' 'worker_processes 1;'
	WORKER=$(workers)
	random_file small 1000
	head -c 64M /dev/zero >large
	upload PUT /file/large large
	assert_status 201
	strace -qq -f -e trace=linkat,rename,renameat,renameat2 -o calls -p "$WORKER" 3>&- &
	_attached() { upload PUT "/file/small-$((i += 1))" small -H Expect: && grep -q small- calls; }
	eventually _attached
	upload PUT /file/large small -H Expect:
	assert_status 200
	kill -INT $!
	wait $! || true
	assert_same small "$MEMORY/files/large"
	# A new name is given on the loop: that is what we look at.
	tid=$(awk '/"small-/ { print $1; exit }' calls)
	assert_equal "$tid" "$WORKER"
	tid=$(awk '/rename.*"large"/ { print $1; exit }' calls)
	[[ -n $tid && $tid != "$WORKER" ]]
}
