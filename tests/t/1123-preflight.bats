# The start tries all that the configuration will need: locks, links,
# replacements, removals.  Guards what would else show at the first upload of
# that kind, as a 500 to a client; and the preflight itself: it leaves nothing,
# beside a server that runs and after a crash.

load ../lib/penstock

# with_fault CALLS WHAT: a server of which these system calls do that; $PENSTOCK.
with_fault() {
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=%s -e inject=%s:%s %s "$@"\n' \
		"$1" "$1" "$2" "$PENSTOCK" >faulty
	chmod +x faulty
	WHOLE=$PENSTOCK
	PENSTOCK=$T/faulty
}

# refused LOCATION TEXT: the start is, and says so of output_dir.
refused() {
	write_conf "$1"
	run -1 penstock -c "$T/penstock.conf"
	assert_output --regexp "penstock.conf:[0-9]+:[0-9]+: output_dir: $STORE: .*$2"
}

_nothing_left() { [[ -z $(find "$STORE" -name '.penstock-*') && -z $(files_in "$STORE") ]]; }

setup() {
	penstock_setup
	echo body >body
}

@test "no locks: said at the start, with what to do" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	! is_portable || skip 'a PORTABLE build locks with fcntl, as it does much else'
	with_fault flock error=ENOLCK
	refused 'overwrite on;' 'cannot be locked.*mounted with locks.*overwrite off'
	refused 'keep latest;' 'cannot be locked'
	# Where they are not needed, all is well.
	start_server
	upload PUT /file/a body
	assert_status 201
}

@test "no locks, and no nameless files" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	! is_portable || skip 'a PORTABLE build locks with fcntl, as it does much else'
	mkdir -p backing "$STORE"
	bindfs backing "$STORE"
	with_fault flock error=ENOLCK
	refused '' 'cannot be locked.*mounted with locks'
}

@test "no replacements: said at the start" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	with_fault '/rename.*' error=EPERM
	refused 'overwrite on;' 'cannot be replaced'
	eventually _nothing_left
	start_server 'keep latest;' # which needs none
	upload PUT /file/a body
	assert_status 201
}

@test "no names for files: said at the start" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	! is_portable || skip 'a PORTABLE build has no nameless files'
	with_fault linkat error=EACCES
	refused '' 'cannot be given names'
	refused 'overwrite on;' 'cannot be given names'
}

@test "files that cannot be removed: said at the start, and swept when they can" {
	loop_disk ext4 64M
	STORE=$DISK/up
	mkdir -p "$STORE/.penstock"
	chattr +a "$STORE"
	refused "output_dir $STORE; overwrite on;" 'cannot be replaced'
	refused "output_dir $STORE; keep latest;" 'cannot be removed'
	chattr -a "$STORE"
	start_server "output_dir $STORE; overwrite on;"
	eventually _nothing_left
	upload PUT /file/a body
	assert_status 201
}

@test "killed in the middle: what it left is swept, and was no upload" {
	! is_sanitized || skip 'sanitizers and strace: in the plain build only'
	with_fault '/rename.*' signal=KILL
	write_conf 'overwrite on; dotfiles on;'
	run penstock -c "$T/penstock.conf"
	[[ $status != 0 ]]
	[[ -n $(find "$STORE" -name '.penstock-*') ]]
	PENSTOCK=$WHOLE
	start_server 'overwrite on; dotfiles on;'
	request GET /file
	assert_status 404
	eventually _nothing_left
}

@test "beside a server that runs, in the same directory: neither disturbs the other" {
	local n

	start_server 'overwrite on; keep latest;' '' 'worker_processes 2;'
	(while [[ ! -e over ]]; do
		curl -sS -o /dev/null -w '%{http_code}\n' -T body "$URL/file/a"
	done >codes) 3>&- 4>&- &
	local client=$!
	for n in 1 2 3 4; do reload; done
	touch over
	wait "$client"
	assert_equal "$(sort -u codes | xargs)" '200 201'
	assert_equal "$(files_in "$STORE")" "$STORE/a"
	assert_equal "$(find "$STORE" -name '.penstock-*')" ''
}
