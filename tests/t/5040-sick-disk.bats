# A disk is sick when its oldest operation has taken disk_stall_timeout: its
# uploads end with 503, new ones are told so before their bodies, and all that
# is not held by the kernel goes back.  It is well again when that operation
# returns.  Other disks do not notice, and the server can be stopped and reloaded.

load ../lib/penstock

SICK='the disk does not answer: an operation has taken [0-9]+s; its uploads get 503 until it does'
WELL='the disk answers again'
FORGOTTEN='.* was the last that had found a disk sick'

teardown() {
	[[ -z ${FROZEN:-} ]] || fsfreeze -u "$FROZEN" 2>/dev/null
	penstock_teardown
}

# begin [LOCATION [TOP]]: /slow on the slow disk, /file in memory, one worker.
begin() {
	memory_dir
	mkdir "$MEMORY/backing"
	ln -s "$MEMORY/backing" backing
	slowfs_start
	begin_at "$T/slow/up" "$@"
}

begin_direct() {
	begin 'direct_io on; direct_io_min 64k;'
}

begin_at() {
	SLOW=$1
	start_server "output_dir $MEMORY/files;" "location /slow { output_dir $SLOW; ${2:-} }
		location /disk { output_dir $T/uploads; }" \
		"worker_processes ${WORKERS:-1}; disk_stall_timeout ${STALL:-1s}; ${3:-}"
	WORKER=$(workers)
	random_file body 300K
	upload PUT /slow/stored body
	assert_status 201
}

# bulk N [SIZE]: so many uploads at once to the slow location, which go on to
# whatever comes of them; what came of them is in load.json.
bulk() {
	"$PENSTOCK_TOOLS/load" --json --allow-errors -c "$1" -n "$1" -s "${2:-1m}" -g 20 -d 1 \
		-u "/slow/bulk-%d" "$ADDRESS:$PORT" >load.json 2>load.err 3>&- 4>&- &
	BULK=$!
	eventually in_connections "$1"
}

in_connections() {
	local n

	n=$(grep -c " 0100007F:$(printf %04X "$PORT") .* 01 " /proc/net/tcp) || true
	((n >= $1))
}

in_stall() { (($(slowfs_ctl count waiting) >= $1)); }

# all_got STATUS N: each of the uploads in bulk was answered so.
all_got() {
	wait "$BULK" || fail "$(cat load.err)"
	jq -e ".status == {\"$1\": $2} and ([.errors[]] | add) == 0" load.json || fail "$(cat load.json)"
}

is_sick() { log_has "$SLOW: $SICK"; }
is_well() { log_has "$SLOW: $WELL"; }

# said SICK-TIMES WELL-TIMES
said() {
	assert_equal "$(_count "$SLOW: $SICK" error.log)" "$1"
	assert_equal "$(_count "$SLOW: $WELL" error.log)" "$2"
}

# A new upload is refused before its body, of whatever size, and by the way the
# client asks.
new_ones_are_refused() {
	local how head='PUT /slow/new HTTP/1.1\r\nHost: x\r\n'

	upload PUT /slow/new body --max-time "$PENSTOCK_PATIENCE"
	refused
	upload POST /slow body --max-time "$PENSTOCK_PATIENCE"
	refused
	for how in 'Content-Length: 1000' 'Content-Length: 10000000' 'Transfer-Encoding: chunked' \
		'Content-Length: 1000\r\nExpect: 100-continue'; do
		run -0 raw -w 5 "$head$how\r\n\r\n"
		refute_output --partial '100 Continue'
		refused
	done
}

refused() {
	assert_status 503
	header Retry-After | grep -qE '^[1-9][0-9]*$'
	assert_problem 'location /slow'
}

works_again() {
	eventually uploads_again
	assert_same body "$SLOW/again"
	request GET /slow/stored --max-time "$PENSTOCK_PATIENCE"
	assert_same body answer
}

uploads_again() {
	upload PUT /slow/again body --max-time 5 && assert_status 201
}

others_go_on() {
	upload PUT "/file/$RANDOM-$1" body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	upload PUT "/disk/$RANDOM-$1" body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	request GET / --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
}

# What was stalled has left nothing; only these names are there.
only() {
	eventually _only "$@" || {
		files_in "$SLOW" >&2
		return 1
	}
}

_only() { [[ $(files_in "$SLOW") == "$(printf "$SLOW/%s\n" "$@")" ]]; }

# ---- one upload, at each step

# stalls_at OP STATUS WORD LEFT...: an upload that hangs there ends so; LEFT is
# there when the disk is back.
stalls_at() {
	local op=$1 status=$2 word=$3
	shift 3

	slowfs_ctl stall "$op"
	upload PUT /slow/one body --max-time "$PENSTOCK_PATIENCE"
	assert_status "$status"
	eventually access_has "\"PUT /slow/one\" $status .* $word"
	eventually is_sick
	new_ones_are_refused
	others_go_on "$op"
	slowfs_ctl resume
	eventually is_well
	works_again
	said 1 1
	only "$@"
}

@test "a write that hangs: 503, nothing is left" {
	begin
	stalls_at write 503 disk-stalled again stored
}

# bats test_tags=long
@test "a write that hangs, O_DIRECT: 503, nothing is left" {
	begin_direct
	stalls_at write 503 disk-stalled again stored
}

# bats test_tags=long
@test "the making of the file hangs: 503, nothing is left" {
	begin
	stalls_at create 503 disk-stalled again stored
}

@test "the sync hangs: 503, nothing is left" {
	begin
	stalls_at fsync 503 disk-stalled again stored
	refute test -e "$SLOW/one"
}

@test "the directory's sync hangs: 500 outcome unknown, and the name stays" {
	begin
	stalls_at fsyncdir 500 outcome-unknown again one stored
	assert_same body "$SLOW/one"
}

@test "the giving of the name hangs: 500 outcome unknown, and it comes later" {
	begin
	stalls_at link 500 outcome-unknown again one stored
	assert_same body "$SLOW/one"
}

@test "the answer says where, when to try again, and is no reset" {
	begin
	random_file big 40M
	slowfs_ctl stall write
	upload PUT /slow/one big --max-time "$PENSTOCK_PATIENCE"
	refused
	run -0 raw -f big 'PUT /slow/two HTTP/1.1\r\nHost: x\r\nContent-Length: 41943040\r\n\r\n'
	refused
	slowfs_ctl resume
	works_again
	only again stored
}

@test "a small upload that hangs: 503, nothing is left" {
	begin
	slowfs_ctl stall write
	head -c 1000 body >small
	upload PUT /slow/one small --max-time "$PENSTOCK_PATIENCE"
	refused
	eventually access_has '"PUT /slow/one" 503 .* disk-stalled'
	slowfs_ctl resume
	works_again
	only again stored
}

@test "a client that pauses is told, too: its disk is sick" {
	begin
	connect
	say "$FD" 'PUT /slow/pausing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin'
	slowfs_ctl stall write
	upload PUT /slow/one body --max-time "$PENSTOCK_PATIENCE"
	refused
	run -0 hear "$FD"
	assert_line --partial 'HTTP/1.1 503'
	assert_line --partial 'Retry-After:'
	hang_up "$FD"
	slowfs_ctl resume
	works_again
	only again stored
}

# ---- many

# hangs N: so many uploads, the process of the disk stopped under them.
hangs() {
	slowfs_ctl rate 8m
	bulk "$1"
	slowfs_hang
	eventually is_sick
	all_got 503 "$1"
	eventually ended_as_stalled "$1"
	new_ones_are_refused
	others_go_on "$1"
	said 1 0
	is_running "$WORKER"
}

ended_as_stalled() { (($(_count '"PUT /slow/bulk-[0-9]+" 503 .* disk-stalled' access.log) == $1)); }

recovers() {
	slowfs_wake
	slowfs_ctl rate 0
	eventually is_well
	works_again
	said 1 1
	only again stored
	assert_equal "$(workers)" "$WORKER"
}

@test "4 uploads to a disk that hangs, and comes back" {
	begin
	hangs 4
	recovers
}

# bats test_tags=long
@test "32 uploads to a disk that hangs, and comes back" {
	begin
	hangs 32
	recovers
}

# bats test_tags=long
@test "200 uploads to a disk that hangs, and comes back" {
	begin
	hangs 200
	recovers
}

@test "32 uploads to a disk that hangs, and comes back, O_DIRECT" {
	begin_direct
	hangs 32
	recovers
}

@test "a disk that hangs again is sick again, and both are said" {
	local n

	begin
	for n in 1 2 3; do
		slowfs_ctl stall write
		upload PUT /slow/one body --max-time "$PENSTOCK_PATIENCE"
		assert_status 503
		eventually is_said "$n" "$((n - 1))"
		slowfs_ctl resume
		eventually is_said "$n" "$n"
	done
	works_again
}

is_said() { said "$@" 2>/dev/null; }

@test "a disk that is slow is not sick: it moves" {
	begin
	slowfs_ctl rate 2m # an operation takes half a second, all of them 3 s
	bulk 4 1500k
	all_got 201 4
	said 0 0
}

@test "at most one probe is in flight" {
	local before n

	begin
	slowfs_ctl stall all
	bulk 32
	eventually is_sick
	all_got 503 32
	before=$(slowfs_ctl count waiting)
	for ((n = 0; n < 20; n++)); do
		upload PUT "/slow/n$n" body --max-time "$PENSTOCK_PATIENCE"
		assert_status 503
		(($(slowfs_ctl count waiting) <= before + 1))
	done
	said 1 0
	slowfs_ctl resume
	eventually is_well
	works_again
}

@test "the chunks of a sick disk are everybody's at once" {
	begin '' 'buffer_memory 2m;'
	slowfs_ctl stall write
	bulk 64
	eventually is_sick
	all_got 503 64
	# As many as there are chunks but for what the kernel holds: no upload has
	# to wait for one.
	run -0 "$PENSTOCK_TOOLS/load" -c 8 -n 64 -s 1m -g 60 -u /disk/other-%d "$ADDRESS:$PORT"
	upload PUT /disk/last body
	assert_status 201
	(($(receipt 'ms.memory | floor') < 100))
	slowfs_ctl resume
	works_again
}

@test "disk_stall_timeout is 30 s unless it is said, and 100 ms at least" {
	run -0 penstock -T
	assert_line --regexp '^disk_stall_timeout +30s;'
	write_conf '' '' 'disk_stall_timeout 99ms;'
	run -1 penstock -c penstock.conf -t
	assert_output --partial disk_stall_timeout
	write_conf '' '' 'disk_stall_timeout 100ms;'
	run -0 penstock -c penstock.conf -t
}

# ---- others do not notice

# rate PORT: small uploads per second, to memory.
rate() {
	"$PENSTOCK_TOOLS/load" --json -c 8 -d 0.7 -s 4k -u "/file/$RANDOM-%d" "$ADDRESS:$1" 3>&- 4>&- |
		jq '.rate | floor'
}

# A second server that has no sick disk is the measure: what else goes on here
# slows down both.  One of some pairs is enough; what hangs, hangs in all.
others_keep_nine_tenths() {
	local beside alone first=$MASTER second

	second=$(free_port)
	sed "s/:$PORT;/:$second;/; s|$T/|$T/second/|g; s|$MEMORY/files|$MEMORY/second|" \
		penstock.conf >second.conf
	mkdir second
	start_conf "$T/second.conf"
	MASTER=$first
	for _ in 1 2 3 4 5 6; do
		alone=$(rate "$second")
		beside=$(rate "$PORT")
		echo "# alone $alone/s, beside $beside/s"
		((beside * 10 < alone * 9)) || return 0
	done
	return 1
}

beside() {
	! is_sanitized || skip 'speed is measured in the plain build only'
	begin
	slowfs_ctl rate 8m
	bulk "$1"
	slowfs_hang
	eventually is_sick
	others_keep_nine_tenths
	recovers
}

# bats test_tags=long
@test "small uploads keep 9/10 of their rate beside 4 stalled ones" {
	beside 4
}

# bats test_tags=long
@test "small uploads keep 9/10 of their rate beside 32 stalled ones" {
	beside 32
}

# bats test_tags=long
@test "small uploads keep 9/10 of their rate beside 200 stalled ones" {
	beside 200
}

# ---- several workers

# all_refuse: whichever of them gets it, and long before it could find out.
all_refuse() {
	local i

	for i in {1..12}; do
		upload PUT /slow/new body --max-time "$PENSTOCK_PATIENCE"
		refused
		request GET /slow/stored --max-time "$PENSTOCK_PATIENCE"
		assert_status 503
	done
}

# bats test_tags=long
@test "of four workers one finds out: all refuse, and one says so" {
	local i

	WORKERS=4 STALL=3s begin
	slowfs_ctl stall write
	bulk 1
	eventually is_sick
	all_refuse
	others_go_on many
	all_got 503 1
	said 1 0
	slowfs_ctl resume
	eventually is_well
	for i in {1..12}; do
		upload PUT "/slow/well$i" body --max-time "$PENSTOCK_PATIENCE"
		assert_status 201
	done
	said 1 1
}

@test "of four workers one could not sync: all refuse until it can" {
	local i

	WORKERS=4 begin
	slowfs_ctl fail fsync EIO
	upload PUT /slow/lost body --max-time "$PENSTOCK_PATIENCE"
	assert_status 500
	for i in {1..12}; do
		upload PUT /slow/new body --max-time "$PENSTOCK_PATIENCE"
		refused
	done
	assert_equal "$(_count "$SLOW: the disk could not make an upload durable" error.log)" 1
	# Reading does not care.
	request GET /slow/stored --max-time "$PENSTOCK_PATIENCE"
	assert_status 200
	slowfs_ctl clear
	works_again
	assert_equal "$(_count "$SLOW: $WELL" error.log)" 1
}

@test "small uploads that were let in before the news are not begun after it" {
	local i line fds=()

	WORKERS=4 STALL=4s begin
	for i in {1..12}; do
		connect
		say "$FD" "PUT /slow/new$i HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
		fds+=("$FD")
	done
	slowfs_ctl stall write
	bulk 1
	eventually is_sick
	for i in "${!fds[@]}"; do # all of the body, or the half of it
		say "${fds[i]}" "$(printf '%0*d' $((1000 - i % 2 * 500)) 0)"
	done
	for i in "${fds[@]}"; do
		# Long before another worker could find out by itself.
		read -t 2 -r -u "$i" line
		assert_equal "${line%$'\r'}" 'HTTP/1.1 503 Service Unavailable'
		hang_up "$i"
	done
	all_got 503 1
	slowfs_ctl resume
	works_again
	only again stored
	said 1 1
}

@test "who had found out dies: the others try it again" {
	begin
	slowfs_ctl stall write
	bulk 1
	eventually is_sick
	kill -KILL "$WORKER"
	wait "$BULK"
	slowfs_ctl resume
	eventually log_has "worker $WORKER $FORGOTTEN"
	works_again
}

@test "a reload while it is sick: the new workers know" {
	STALL=3s begin
	slowfs_ctl stall write
	bulk 1
	eventually is_sick
	PENSTOCK_PATIENCE=20 reload
	all_refuse
	said 1 0
	slowfs_ctl resume
	# The old one may end before it says so.
	eventually log_has "$WELL|worker $WORKER $FORGOTTEN"
	works_again
	eventually is_gone "$WORKER"
	# What it could not remove any more, the next server does.
	stop_server
	start_server "output_dir $SLOW;"
	only again stored
}

# ---- a frozen ext4

begin_frozen() {
	memory_dir
	mkdir disk
	truncate -s 256M disk.img
	mkfs.ext4 -q -F disk.img
	mount -o loop disk.img disk
	FROZEN=$T/disk
	begin_at "$T/disk/up" "$@"
}

@test "an ext4 that is frozen, and thawed" {
	begin_frozen
	fsfreeze -f "$FROZEN"
	bulk 32
	eventually is_sick
	all_got 503 32
	new_ones_are_refused
	others_go_on frozen
	said 1 0
	fsfreeze -u "$FROZEN"
	eventually is_well
	works_again
	said 1 1
	only again stored
}

@test "an ext4 that is frozen under its uploads, and thawed, O_DIRECT" {
	begin_frozen 'direct_io on; limit_rate 500k;'
	bulk 32
	eventually has_files 32
	fsfreeze -f "$FROZEN"
	eventually is_sick
	all_got 503 32
	others_go_on frozen
	fsfreeze -u "$FROZEN"
	eventually is_well
	works_again
	only again stored
}

has_files() { (($(find "/proc/$WORKER/fd" -lname "$SLOW/*" | wc -l) >= $1)); }

# ---- stuck for good: stop and reload

# has_threads PID: some of it is in the kernel still, be its first thread dead.
has_threads() { cat "/proc/$1/task"/*/stat 2>/dev/null | grep -q ') [^ZX] '; }

is_gone() { ! has_threads "$1"; }

has_blocked_thread() { cat "/proc/$WORKER/task"/*/stat 2>/dev/null | grep -q ') D '; }

# ends SIGNAL: the server ends, its clients see an answer or the end, and a new
# one has the port at once; the stuck worker goes when the disk is back.
ends() {
	stop_server "$1" 1
	eventually log_has "worker $WORKER cannot end: [0-9]+ operations wait for the disk under $SLOW"
	wait "$BULK" || fail "$(cat load.err)"
	jq -e '.errors.hung == 0 and .errors.reset == 0' load.json || fail "$(cat load.json)"
	has_threads "$WORKER"
	MASTER=
	start_server "output_dir $MEMORY/new;"
	upload PUT /file/new body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	disk_returns
	eventually is_gone "$WORKER"
	upload PUT /file/newer body --max-time "$PENSTOCK_PATIENCE"
	assert_status 201
	# What the stuck worker could not remove, the next server does.
	stop_server
	start_server "output_dir $SLOW;"
	only stored
}

disk_returns() { slowfs_wake; }

# An upload that the worker has not begun to store is not stuck: it waits until
# some of them have their files.
stuck() {
	begin
	slowfs_ctl rate 2m
	bulk "$1"
	eventually has_files 2
	slowfs_hang
}

@test "TERM with 4 uploads stuck for good" {
	stuck 4
	ends TERM
}

@test "TERM with 200 uploads stuck for good" {
	stuck 200
	ends TERM
}

@test "TERM after the disk was found sick" {
	stuck 32
	eventually is_sick
	ends TERM
}

@test "QUIT with 4 uploads stuck for good" {
	stuck 4
	ends QUIT
}

# bats test_tags=long
@test "QUIT with 200 uploads stuck for good" {
	stuck 200
	ends QUIT
}

@test "QUIT after the disk was found sick" {
	stuck 32
	eventually is_sick
	ends QUIT
}

@test "TERM with an ext4 that stays frozen" {
	begin_frozen
	fsfreeze -f "$FROZEN"
	bulk 32
	eventually has_blocked_thread
	disk_returns() { fsfreeze -u "$FROZEN"; }
	ends TERM
}

# HUP: the new worker serves at once, the old one goes when the disk is back.
reloads() {
	PENSTOCK_PATIENCE=20 reload
	run ! test "$(workers | head -n 1)" = "$(workers | tail -n 1)"
	others_go_on reloaded
	has_threads "$WORKER"
	wait "$BULK" || fail "$(cat load.err)"
	jq -e ".status == {\"503\": $1} and ([.errors[]] | add) == 0" load.json || fail "$(cat load.json)"
	upload PUT /slow/new body --max-time "$PENSTOCK_PATIENCE"
	refused
	slowfs_wake
	slowfs_ctl rate 0
	eventually is_gone "$WORKER"
	works_again
	! is_portable || reload # it looks for what others left when a worker starts
	only again stored
}

# bats test_tags=long
@test "HUP with 4 uploads stuck for good" {
	stuck 4
	reloads 4
}

# bats test_tags=long
@test "HUP with 200 uploads stuck for good" {
	stuck 200
	reloads 200
}

# bats test_tags=long
@test "HUP after the disk was found sick" {
	stuck 32
	eventually is_sick
	reloads 32
}
