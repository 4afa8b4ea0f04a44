# What the tests in tests/t are written with; tests/README.md is the manual.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2120 # what tests use is not seen here
#
# Every test gets its own directory ($T, also the current one), its own port
# ($PORT, $URL) and its own store ($STORE).  Nothing that is started outlives
# it: the teardown stops it all and fails the test for what must never be.
#
#	PENSTOCK          the binary (build/penstock)
#	PENSTOCK_ENGINE   io_uring, threads or auto (auto)
#	PENSTOCK_TOOLS    where load and slowfs are (build/linux)
#	PENSTOCK_TMP      where the directories of the tests are (TMPDIR, /tmp)
#	PENSTOCK_PATIENCE seconds before `eventually` gives up (30)
#	PENSTOCK_KEEP     1: keep the directories of tests that passed, too
#	PENSTOCK_PROGRESS a file that gets a line for each test as it ends

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

REPO=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
PENSTOCK=${PENSTOCK:-$REPO/build/penstock}
PENSTOCK_TOOLS=${PENSTOCK_TOOLS:-$REPO/build/linux}
PENSTOCK_ENGINE=${PENSTOCK_ENGINE:-auto}
PENSTOCK_PATIENCE=${PENSTOCK_PATIENCE:-30}
[[ $PENSTOCK == /* ]] || PENSTOCK=$PWD/$PENSTOCK
[[ $PENSTOCK_TOOLS == /* ]] || PENSTOCK_TOOLS=$PWD/$PENSTOCK_TOOLS
PYTHON=/usr/bin/python3
[[ -x $PYTHON ]] || PYTHON=python3

# ---- before and after each test ----

setup() { penstock_setup; }
teardown() { penstock_teardown; }

# What scripts/test shows while the tests run.  $1: of the teardown.
_penstock_progress() {
	local word=ok ms

	[[ -n ${PENSTOCK_PROGRESS:-} ]] || return 0
	ms=$(((${EPOCHREALTIME/[.,]/} - _BEGAN) / 1000))
	if [[ $1 != 0 || (-z $BATS_TEST_COMPLETED && -z $BATS_TEST_SKIPPED) ]]; then
		word=FAILED
	elif [[ -n $BATS_TEST_SKIPPED ]]; then
		word=skipped
	fi
	printf '%s\t%d\t%s: %s\n' "$word" "$ms" "${BATS_TEST_FILENAME##*/}" \
		"$BATS_TEST_DESCRIPTION" >>"$PENSTOCK_PROGRESS"
}

penstock_setup() {
	local tmp=${PENSTOCK_TMP:-${TMPDIR:-/tmp}}

	_BEGAN=${EPOCHREALTIME/[.,]/}
	T=$(mktemp -d "$tmp/penstock.XXXXXX")
	chmod 755 "$T" # a worker that became another user has to get in
	cd "$T" || return
	STORE=$T/uploads
	STORES=("$STORE") # where no temp file may be left
	SERVERS=()        # masters to be stopped
	OTHERS=()         # directories elsewhere to be removed
	MASTER=
	SLOWFS=
	STATUS=
	ADDRESS=127.0.0.1
	PORT=$(free_port)
	URL=http://$ADDRESS:$PORT
}

# free_port: print a TCP port that is free and that no other test will get.
free_port() {
	local lock=/tmp/.penstock-test-port port hex tries

	(
		flock 9
		port=$(cat "$lock.next" 2>/dev/null)
		[[ $port =~ ^[0-9]+$ ]] || port=$((10000 + $$ % 20000))
		for ((tries = 0; tries < 20000; tries++)); do
			port=$((port < 10000 || port >= 31999 ? 10000 : port + 1))
			hex=$(printf ':%04X ' "$port")
			cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
				grep -q "^ *[0-9]*: [0-9A-F]*$hex" || break
		done
		echo "$port" >"$lock.next"
		echo "$port"
	) 9>>"$lock"
}

# Processes that were started by this test and still run.
_penstock_left() {
	local f pid

	# A server writes its title over the begin of its environment, which may
	# be the first of these, but not both.
	for f in $(grep -lzxF -e "PENSTOCK_TEST=$T" -e "PENSTOCK_TEST_TOO=$T" /proc/[0-9]*/environ 2>/dev/null); do
		pid=${f#/proc/}
		pid=${pid%/environ}
		is_running "$pid" && echo "$pid"
	done
	return 0
}

_penstock_none_left() { [[ -z $(_penstock_left) ]]; }

# What must never be, a line each.
_penstock_faults() {
	local dir f

	grep -hE 'check failed|ended by signal (4|5|6|7|8|11|31) ' \
		"$T"/*.log "$T"/stderr* 2>/dev/null
	grep -hE 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|UndefinedBehaviorSanitizer|: runtime error: ' \
		"$T"/*.log "$T"/stderr* "$T"/stdout* 2>/dev/null
	for f in "$T"/san.*; do
		[[ -e $f ]] && head -n 40 "$f"
	done
	for dir in "$T" "${STORES[@]}"; do
		[[ -d $dir && ($dir == "$T" || $dir != "$T"/*) ]] || continue
		find "$dir" \( -path '*/.penstock/*.part' -o -path '*/.penstock/*.note' -o -name '.penstock-*' \) \
			-printf 'a temp file is left: %p\n' 2>/dev/null
	done
	return 0
}

# Stop a server that the test left running: TERM, and when that takes too long KILL.
_penstock_put_down() {
	local pid=$1

	is_running "$pid" || return 0
	kill -TERM "$pid" 2>/dev/null
	eventually not_running "$pid" >/dev/null 2>&1 && return 0
	echo "the server ($pid) did not stop on TERM"
	kill -KILL "$pid" 2>/dev/null
}

_penstock_unmount_all() {
	local mounts m dir

	for dir in "$T" "${OTHERS[@]}"; do
		mounts=$(awk -v t="$dir/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
		for m in $mounts; do
			umount "$m" 2>/dev/null || umount -l "$m"
		done
	done
}

_penstock_tails() {
	local f

	for f in "$T"/stderr* "$T"/*.log "$T"/headers "$T"/answer; do
		[[ -s $f ]] || continue
		echo "--- the end of ${f#"$T"/}"
		tail -n 25 "$f" | cut -c 1-400 | tr -cd '\11\12\40-\176\200-\377'
	done
}

penstock_teardown() {
	local rc=0

	_penstock_clean_up || rc=$?
	_penstock_progress "$rc"
	return "$rc"
}

_penstock_clean_up() {
	local faults pid

	cd / || return
	[[ -n $T && -d $T ]] || return 0
	if [[ -n $SLOWFS ]]; then
		kill -CONT "$SLOWFS" 2>/dev/null
		slowfs_ctl clear >/dev/null 2>&1
	fi
	faults=$(
		for pid in "${SERVERS[@]}"; do _penstock_put_down "$pid"; done
		if ! eventually _penstock_none_but_slowfs >/dev/null 2>&1; then
			for pid in $(_penstock_left); do
				[[ $pid != "$SLOWFS" ]] || continue
				echo "a process is left: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
				kill -KILL "$pid"
			done
		fi
		_penstock_faults
	)
	for pid in $(jobs -p); do
		[[ $pid == "$SLOWFS" ]] || kill -TERM "$pid" 2>/dev/null
	done
	if [[ -n $SLOWFS ]]; then
		kill -TERM "$SLOWFS" 2>/dev/null
		eventually not_running "$SLOWFS" >/dev/null 2>&1 || kill -KILL "$SLOWFS"
	fi
	_penstock_unmount_all
	if [[ -n $faults || (-z $BATS_TEST_COMPLETED && -z $BATS_TEST_SKIPPED) ]]; then
		[[ -z $faults ]] || printf 'found after the test:\n%s\n' "$faults"
		echo "kept: $T"
		_penstock_tails
		[[ -z $faults ]]
		return
	fi
	[[ ${PENSTOCK_KEEP:-} == 1 ]] || rm -rf --one-file-system "$T" "${OTHERS[@]}"
}

_penstock_none_but_slowfs() {
	local pid

	for pid in $(_penstock_left); do
		[[ $pid == "$SLOWFS" ]] || return 1
	done
	return 0
}

# ---- waiting ----

# eventually CMD...: until CMD succeeds; a failure after PENSTOCK_PATIENCE.
# Only CMD's own exit status counts: `set -e` does not work inside of it.
eventually() {
	local end=$((${EPOCHREALTIME/[.,]/} + PENSTOCK_PATIENCE * 1000000))

	until "$@" >/dev/null 2>&1; do
		if ((${EPOCHREALTIME/[.,]/} > end)); then
			echo "not within $PENSTOCK_PATIENCE s: $*" >&2
			"$@" >&2
			return
		fi
		sleep 0.02
	done
}

# kernel_has_let_go: no connection of the server is left, neither its own nor one that
# was closed and has bytes that the kernel goes on sending (for 38 s and more).
kernel_has_let_go() {
	PENSTOCK_PATIENCE=10 eventually _has_no_sockets
}

_has_no_sockets() {
	[[ -z $(ss -Htn state established state fin-wait-1 state last-ack "sport = :$PORT") ]]
}

# A process that has not ended; a zombie has.
is_running() {
	local stat

	kill -0 "$1" 2>/dev/null || return
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
	stat=${stat##*) }
	[[ ${stat:0:1} != Z && ${stat:0:1} != X ]]
}

not_running() { ! is_running "$1"; }

# ends_with STATUS PID: a child of this shell ends, with this status.
ends_with() {
	local got=0

	wait "$2" || got=$?
	[[ $got == "$1" ]] || fail "process $2 ended with status $got, not $1"
}

# What the binary is: some tests are of no use for some builds.
is_sanitized() { grep -qa -e __asan_init -e __tsan_init "$PENSTOCK"; }
is_portable() { ! grep -qa eventfd "$PENSTOCK"; }

# py FILE COMMAND ARGS...: a function of tests/lib/FILE.py: connections, uploads,
# directories, disks or launch; `tests/lib/commands.py FILE` says which there are.
py() { (_exec_py "$@") 3>&- 4>&-; }

# start_py FILE COMMAND ARGS...: in the background; $PY is its pid.
start_py() {
	_exec_py "$@" 3>&- 4>&- &
	PY=$!
}

# In a subshell, which becomes it.
_exec_py() {
	export PORT PENSTOCK_PATIENCE
	exec "$PYTHON" -S -E -X "pycache_prefix=$REPO/build/pycache" "$REPO/tests/lib/commands.py" "$@"
}

# has_directive NAME: the binary knows it.
has_directive() { penstock -M | grep -q "^| \`$1\` "; }

# ---- the server ----

_has() { [[ $1 =~ (^|[[:space:]\;\{\}])$2[[:space:]] ]]; }

# write_conf [LOCATION [SERVER [TOP]]]: make $T/penstock.conf of one server
# with one location /file, and these lines in them.  What is not given there:
# two workers, chunks of 64k, logs and pid file in $T, $STORE, a server_name.
write_conf() {
	local l=${1:-} s=${2:-} t=${3:-}

	{
		_has "$t" worker_processes || echo "worker_processes 2;"
		_has "$t" io_engine || echo "io_engine $PENSTOCK_ENGINE;"
		_has "$t" chunk_size || echo "chunk_size 64k;"
		_has "$t" pid_file || echo "pid_file $T/penstock.pid;"
		_has "$t" error_log || echo "error_log $T/error.log info;"
		echo "$t"
		echo "server {"
		echo "listen $ADDRESS:$PORT;"
		_has "$s" access_log || echo "access_log $T/access.log;"
		_has "$s" server_name || ! _knows_names || echo "server_name x h turns;"
		echo "$s"
		echo "location /file {"
		_has "$l" output_dir || echo "output_dir $STORE;"
		echo "$l"
		echo "}"
		echo "}"
	} >"$T/penstock.conf"
}

# The names that tests put into Host for short (6010 is about those that are not
# known); a binary of before has no such directive.
_knows_names() { grep -qa server_name "$PENSTOCK"; }

# penstock ARGS...: run the program in the foreground, for a limited time.
penstock() (
	_penstock_env
	exec timeout "$((2 * PENSTOCK_PATIENCE))" "$PENSTOCK" "$@" 3>&- 4>&-
)

# In the subshell that becomes a server: how it is found afterwards, and where
# sanitizers report.
_penstock_env() {
	local log=log_path=$T/san

	export PENSTOCK_TEST=$T PENSTOCK_TEST_TOO=$T
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}$log
	export UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:$log
	export TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}$log
	export LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}$log
}

# start_server [LOCATION [SERVER [TOP]]]: write_conf and start_conf.
start_server() {
	write_conf "$@" && start_conf "$T/penstock.conf"
}

# start_conf FILE [ARGS...]: start a server with a configuration of its own
# and wait until all its workers accept; $MASTER is its pid.  Its output goes
# to $T/stdout and $T/stderr.  Call it directly, never with `run`.
start_conf() {
	local file=$1 conf
	shift

	conf=$(penstock -c "$file" -T) || return
	_READY_LOG=$(awk '$1 == "error_log" { sub(/;.*/, ""); print $2, $3; exit }' <<<"$conf")
	_READY_COUNT=$(awk '$1 == "worker_processes" { print $2 + 0; exit }' <<<"$conf")
	[[ $conf =~ worker_processes\ +auto\; ]] && _READY_COUNT=$(nproc)
	((_READY_COUNT > 0)) || _READY_COUNT=1
	_READY_LISTEN=$(awk '$1 == "listen" { sub(/;.*/, ""); print $2; exit }' <<<"$conf")
	case $_READY_LOG in
	stderr*) _READY_LOG=$T/stderr${_READY_LOG#stderr} ;;
	stdout*) _READY_LOG=$T/stdout${_READY_LOG#stdout} ;;
	esac
	_READY_BEFORE=$(_count 'worker ready' "${_READY_LOG% *}")
	(
		_penstock_env
		exec "$PENSTOCK" -c "$file" "$@" \
			>>"$T/stdout" 2>>"$T/stderr" </dev/null 3>&- 4>&-
	) &
	MASTER=$!
	SERVERS+=("$MASTER")
	if ! eventually _has_started || ! is_running "$MASTER"; then
		echo "the server did not start:" >&2
		cat "$T/stderr" >&2
		return 1
	fi
}

_count() {
	local n

	n=$(grep -cE -e "$1" "$2" 2>/dev/null)
	echo "${n:-0}"
}

# Ended before it was ready counts too: the caller looks.
_has_started() {
	is_running "$MASTER" || return 0
	case $_READY_LOG in
	*' info' | *' debug')
		(($(_count 'worker ready' "${_READY_LOG% *}") >= _READY_BEFORE + _READY_COUNT))
		;;
	*)
		if [[ $_READY_LISTEN == unix:* ]]; then
			curl -s -o /dev/null --max-time 5 --unix-socket "${_READY_LISTEN#unix:}" http://x/
		else
			curl -s -o /dev/null --max-time 5 "http://${_READY_LISTEN/\*/127.0.0.1}/"
		fi
		;;
	esac
}

# workers: the pids of the workers, a line each.
workers() { pgrep -P "$MASTER"; }

# await_exit [STATUS]: the server ends by itself, with this status (0).
await_exit() {
	local want=${1:-0} got=0

	eventually not_running "$MASTER" || return
	wait "$MASTER" || got=$?
	[[ $got == "$want" ]] || fail "the server ended with status $got, not $want"
}

# stop_server [SIGNAL [STATUS]]: TERM by default; it ends, with this status.
stop_server() {
	kill -s "${1:-TERM}" "$MASTER" && await_exit "${2:-0}"
}

# reload: HUP, and wait for what comes of it; fails if it was refused.
reload() {
	local good bad

	good=$(_count 'reloaded: generation' "$T/error.log")
	bad=$(_count 'reload: nothing was changed' "$T/error.log")
	kill -HUP "$MASTER"
	eventually _has_reloaded "$good" "$bad" || return
	(($(_count 'reloaded: generation' "$T/error.log") > good))
}

_has_reloaded() {
	(($(_count 'reloaded: generation' "$T/error.log") > $1 ||
		$(_count 'reload: nothing was changed' "$T/error.log") > $2))
}

# reload_all: the same, and until the workers of before are gone, which answer what
# comes by connections that they have by the old configuration.
reload_all() {
	local old

	old=$(workers)
	reload && eventually _are_gone "$old"
}
_are_gone() {
	local pid

	for pid in $1; do
		not_running "$pid" || return
	done
}

# worker_rss PID, worker_peak PID: resident memory now, and at most, in KiB.
worker_rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
worker_peak() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status"; }

# log_has REGEX, access_has REGEX: a line of the error log (or of stderr,
# where it goes during the start), of the access log.  Workers write both behind
# their answers: ask `eventually`.
log_has() { cat "$T/error.log" "$T/stderr" 2>/dev/null | grep -qE -e "$1"; }
access_has() { grep -qE -e "$1" "$T/access.log"; }

# ---- files ----

# random_file NAME SIZE, text_file NAME SIZE: SIZE as head -c has it (64K, 5M).
random_file() { head -c "$2" /dev/urandom >"$1"; }
text_file() { base64 -w 72 /dev/urandom 2>/dev/null | head -c "$2" >"$1"; }

# readme_recipe NAME: the block of the README behind `<!-- recipe: NAME -->`.
readme_recipe() {
	local text

	text=$(awk -v name="$1" '
		$0 == "<!-- recipe: " name " -->" { found = 1; next }
		found && /^```/ { if (inside) exit; inside = 1; next }
		inside { print }
	' "$REPO/README.md")
	[[ -n $text ]] || {
		echo "README.md has no recipe $1" >&2
		return 1
	}
	printf '%s\n' "$text"
}

assert_same() { cmp -- "$1" "$2"; }

# files_in DIR: all files beneath it, sorted, .penstock included; but for the
# lock that a PORTABLE build keeps there.
files_in() { find "$1" -type f -not -path '*/.penstock/lock' | sort; }

_no_file_in() { [[ -z $(files_in "$1" 2>&1) ]]; }

# assert_store_empty [DIR]: no file at all, .penstock included; eventually.
assert_store_empty() {
	local dir=${1:-$STORE}

	[[ -d $dir ]] || fail "there is no $dir" || return
	eventually _no_file_in "$dir" || {
		files_in "$dir" >&2
		fail "$dir has files"
	}
}

# memory_dir: $MEMORY becomes a new directory on a tmpfs.
memory_dir() {
	MEMORY=$(mktemp -d /dev/shm/penstock.XXXXXX) || return
	chmod 755 "$MEMORY"
	OTHERS+=("$MEMORY")
	STORES+=("$MEMORY")
}

# loop_disk KIND SIZE [MKFS ARGS...]: a new ext4, XFS or btrfs, which is a file of
# ours, at $DISK; a store in it is to be $DISK/up.
loop_disk() {
	local kind=$1 size=$2
	shift 2

	DISK=$T/disk
	mkdir -p "$DISK"
	truncate -s "$size" "$T/disk.img"
	case $kind in
	ext4) mkfs.ext4 -q -F -b 4096 -m 0 "$@" "$T/disk.img" ;;
	xfs) mkfs.xfs -q -f "$@" "$T/disk.img" ;;
	btrfs) mkfs.btrfs -q -f "$@" "$T/disk.img" ;;
	esac || return
	mount -o loop "$T/disk.img" "$DISK" || return
	STORES+=("$DISK/up")
}

# fuse_disk [OPTIONS]: $T/backing seen through FUSE (bindfs) at $DISK, which is a
# file system that has no birth times, and whose ctimes the kernel makes up for a
# second; a store in it is to be $DISK/up.
fuse_disk() {
	DISK=$T/fuse
	mkdir -p "$T/backing" "$DISK"
	bindfs "$@" "$T/backing" "$DISK" 3>&- || return
	STORES+=("$DISK/up")
}

# needs_births: for tests of what a PORTABLE build cannot know, the birth times of
# files.
needs_births() { ! is_portable || skip 'a PORTABLE build knows of no births of files'; }

# needs_stamps: for tests of when bytes came to this host, as the kernel says.  In
# a PORTABLE build bytes come when they are read (shared/arrivals.h).
# The kernel begins to note when bytes come some time after the first socket has asked for it,
# and ends when the last is closed; here one keeps it going.
needs_stamps() {
	! is_portable || skip 'PORTABLE: heads count by when they are read'
	py uploads keep_stamps &
	eventually test -e stamping
}

# needs_acks: for tests of what the client's system has acknowledged of an answer.
needs_acks() { ! is_portable || skip 'a PORTABLE build cannot know what the kernel still has of an answer'; }

# needs_direct: for tests of direct I/O.
needs_direct() { ! is_portable || skip 'a PORTABLE build has no direct I/O'; }

# ---- requests with curl ----

# request METHOD TARGET [CURL ARGS...]: TARGET is a path or a whole URL.  The
# status goes to $STATUS (and the file status, so that `run` works too), head
# and content of the answer to the files headers and answer.
request() {
	local method=$1 url=$2 out=$T/answer rc=0
	shift 2

	[[ $url == http://* ]] || url=$URL$url
	rm -f "$T/headers" "$T/answer" "$T/status"
	case $method in
	HEAD)
		set -- --head "$@"
		out=/dev/null # curl writes the head there
		;;
	*) set -- -X "$method" "$@" ;;
	esac
	curl -sS --max-time 120 -D "$T/headers" -o "$out" \
		-w '%{http_code}' "$@" "$url" >"$T/status" || rc=$?
	[[ -e $T/answer ]] || : >"$T/answer"
	STATUS=$(cat "$T/status")
	return "$rc"
}

# upload METHOD TARGET FILE [CURL ARGS...]: as `request`, FILE is the body;
# "-" is standard input.
upload() {
	local method=$1 target=$2 file=$3
	shift 3

	request "$method" "$target" -T "$file" "$@"
}

assert_status() {
	local got

	got=$(cat "$T/status" 2>/dev/null)
	[[ $got == "$1" ]] && return
	cat "$T/headers" "$T/answer" 2>/dev/null | head -c 2000 >&2
	fail "the status is ${got:-none}, not $1"
}

# header NAME: its value in the last answer; fails if it is not there.
header() {
	tr -d '\r' <"$T/headers" | awk -v want="${1,,}" '
		/^HTTP\// { n = 0; next }
		{ at = index($0, ":"); if (at == 0) next
		  if (tolower(substr($0, 1, at - 1)) == want) {
			v = substr($0, at + 1); sub(/^[ \t]+/, "", v); value = v; n = 1 } }
		END { if (n) print value; exit !n }'
}

assert_header() {
	local got

	got=$(header "$1") || fail "there is no header $1" || return
	[[ $got == "$2" ]] || fail "header $1 is \"$got\", not \"$2\""
}

refute_header() {
	! header "$1" >/dev/null || fail "there is a header $1: $(header "$1")"
}

# assert_problem REGEX: the answer is a problem (RFC 9457), one line, says its
# status, and its detail matches.
assert_problem() {
	local detail

	assert_header Content-Type application/problem+json || return
	[[ $(wc -l <"$T/answer") -le 1 ]] || fail "the problem is more than one line" || return
	detail=$(jq -er .detail "$T/answer") ||
		fail "no JSON with a detail: $(head -c 500 "$T/answer")" || return
	[[ $(jq -r .status "$T/answer") == "$(cat "$T/status")" ]] ||
		fail "its status is not that of the answer: $(cat "$T/answer")" || return
	[[ $detail =~ $1 ]] || fail "the detail \"$detail\" does not match \"$1\""
}

# receipt KEY: from the answer; such as bytes, ms.total
receipt() { jq -er ".$1" "$T/answer"; }

# ---- requests byte by byte ----

# raw [OPTIONS] 'bytes with \r\n' ...: send them, each argument in a piece of
# its own, and print what comes back, without the CRs.  Status, headers and
# content of the last answer are left as `request` does; $T/statuses has all.
#
#	-b MS   every byte alone, MS milliseconds apart (0: none)
#	-p MS   a pause between the pieces
#	-f FILE send the file after the bytes
#	-e      shut our sending side down after the last byte
#	-n N    wait for N answers (1); interim ones do not count
#	-c      wait until the server closes
#	-H      the answers have no content (HEAD)
#	-u PATH to this UNIX socket       -P PORT to another port
#	-w S    wait for at most S seconds ($PENSTOCK_PATIENCE)
#
# 0, or 1: it took too long, 2: reset, 3: closed before N answers were whole.
raw() {
	local rc=0

	rm -f "$T/headers" "$T/answer" "$T/status" "$T/statuses"
	_RAW_PORT=$PORT _RAW_T=$T _RAW_PATIENCE=$PENSTOCK_PATIENCE "$PYTHON" -S -E "$REPO/tests/lib/raw.py" "$@" 3>&- 4>&- || rc=$?
	STATUS=$(cat "$T/status" 2>/dev/null)
	return "$rc"
}

# assert_statuses N...: of all answers to the last `raw`.
assert_statuses() {
	assert_equal "$(tr '\n' ' ' <"$T/statuses")" "$* "
}

# connect, then say FD 'bytes', hear FD, hang_up FD: a client whose every step
# the test decides.  `connect` sets $FD; the bytes are as printf %b has them.
# `hear` prints what comes until the server closes.  Background jobs that are
# started meanwhile hold the connection open, too: give them {FD}>&-.
connect() { exec {FD}<>"/dev/tcp/$ADDRESS/${1:-$PORT}"; }
say() (
	trap '' PIPE # the server may have gone: say so by our status
	printf '%b' "$2" >&"$1"
)
hear() { timeout "$PENSTOCK_PATIENCE" cat <&"$1" | tr -d '\r'; }
hang_up() {
	local fd=$1

	exec {fd}>&-
}

# upload_part PATH FILE: an upload of which 100,000 bytes were sent, on $FD; its
# file is open, as the 100 says that came before.
upload_part() {
	local line

	connect
	say "$FD" "PUT $1 HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nExpect: 100-continue\\r\\nContent-Length: $(stat -c %s "$2")\\r\\n\\r\\n"
	read -t "$PENSTOCK_PATIENCE" -r -u "$FD" line
	[[ $line == 'HTTP/1.1 100 '* ]] || return
	read -t "$PENSTOCK_PATIENCE" -r -u "$FD" line
	head -c 100000 "$2" >&"$FD"
}

# upload_rest FD FILE STATUS: the rest of it is sent, and this is the answer.
upload_rest() {
	(
		trap '' PIPE # it may have been answered already
		tail -c +100001 "$2" >&"$1"
	) 2>/dev/null || true
	hear "$1" | grep '^HTTP/1.1 ' >last
	hang_up "$1"
	cat last
	grep -q "^HTTP/1.1 $3 " last
}

# ---- the slow disk ----

# slowfs_start [RATE]: $T/backing is seen at $T/slow, written at RATE.
slowfs_start() {
	mkdir -p "$T/backing" "$T/slow"
	PENSTOCK_TEST=$T "$PENSTOCK_TOOLS/slowfs" "$T/backing" "$T/slow" "$T/slowfs.ctl" \
		${1:+"rate $1"} >>"$T/slowfs.log" 2>&1 </dev/null 3>&- 4>&- &
	SLOWFS=$!
	eventually slowfs_ctl ping || {
		cat "$T/slowfs.log" >&2
		return 1
	}
}

# slowfs_ctl COMMAND...: see the top of tests/lib/slowfs.c
slowfs_ctl() { "$PENSTOCK_TOOLS/slowfs" --ctl "$T/slowfs.ctl" "$@"; }

# The disk hangs for good, until it wakes.
slowfs_hang() { kill -STOP "$SLOWFS"; }
slowfs_wake() { kill -CONT "$SLOWFS"; }
