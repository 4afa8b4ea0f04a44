# keep latest: exactly one file stays, whatever is done to it beside its content;
# and what others put in its place is never removed.
#
# The kind of fault: whether a file is the one that was stored was judged by its
# ctime, and a removal that failed was forgotten; so the disk filled, silently.

load ../lib/penstock

# put NAME [CURL...]: store a file that holds its name.
put() {
	echo "$1" >body
	upload PUT "/file/$1" body "${@:2}"
	assert_status 201
}

# only NAMES...: what is in the store; eventually.
_only() { [[ $(cd "$STORE" && find . -type f -not -path './.penstock/*' | sort) == $(printf './%s\n' "$@") ]]; }
only() {
	eventually _only "$@" || {
		ls -l "$STORE" >&2
		fail "there is not $* only"
	}
}

# one_stays: after all that leaves the content alone.
one_stays() {
	local n=0 act

	for act in true 'chmod 600' 'chown 1:1' 'py disks set_attribute' 'touch -a' cat; do
		put "f$n"
		$act "$STORE/f$n" >/dev/null
		put "d/g$n"
		only "d/g$n"
		$act "$STORE/d/g$n" >/dev/null
		n=$((n + 1))
	done
	put last
	only last
	ln "$STORE/last" "$STORE/link"
	put next
	only link next # that is somebody else's
}

# bats test_tags=engine
@test "after chmod, chown, ln, setfattr and reading one stays" {
	needs_births
	start_server 'keep latest;' '' 'worker_processes 4;'
	one_stays
}

@test "the same on FUSE, which makes up ctimes" {
	needs_births
	fuse_disk
	STORE=$DISK/up
	start_server 'keep latest;'
	one_stays
}

# bats test_tags=long
@test "the same on ntfs-3g" {
	needs_births
	truncate -s 16M ntfs.img
	mkntfs -q -F ntfs.img >/dev/null
	mkdir ntfs
	ntfs-3g ntfs.img "$T/ntfs" 3>&-
	STORE=$T/ntfs/up
	start_server 'keep latest;'
	for name in a b c; do
		put $name
		chmod 600 "$STORE/$name"
		only $name
	done
}

# theirs_stays: whatever way they have put it in the name of the newest.
theirs_stays() {
	echo theirs >theirs
	put moved
	cp theirs moved
	mv moved "$STORE/moved"
	put copied
	cp theirs "$STORE/copied" # in place: the same inode
	put kept
	cp -p "$STORE/kept" before
	echo kepT >"$STORE/kept.new" # as rsync -t does
	touch -r before "$STORE/kept.new"
	mv "$STORE/kept.new" "$STORE/kept"
	put appended
	echo more >>"$STORE/appended"
	put again
	rm "$STORE/again"
	echo again >"$STORE/again"
	put last
	put end
	only again appended copied end kept moved
	assert_equal "$(cat "$STORE"/{again,appended,copied,kept,moved})" \
		$'again\nappended\nmore\ntheirs\nkepT\ntheirs'
	eventually log_has 'notice .*: moved is kept'
}

@test "what others have put in its name, or written to it, stays" {
	start_server 'keep latest;'
	theirs_stays
}

@test "the same on FUSE" {
	needs_births
	fuse_disk
	STORE=$DISK/up
	start_server 'keep latest;'
	theirs_stays
}

@test "where nothing tells a file from theirs, none is removed, and the log says so" {
	needs_births
	fuse_disk --xattr-none
	STORE=$DISK/up
	start_server 'keep latest;'
	put a
	put b
	only a b
	eventually log_has 'notice .*: a is kept: .*nothing tells it from what others put there'
}

# locked FILE, unlocked FILE: it cannot be removed, or can.  That changes its ctime,
# where files have births.
locked() { if is_portable; then mount --bind "$1" "$1"; else chattr +i "$1"; fi; }
unlocked() { if is_portable; then umount "$1"; else chattr -i "$1"; fi; }

_removed_line() { log_has "notice .*: $1 is removed now"; }

@test "what cannot be removed is said once, and removed when it can be" {
	start_server 'keep latest;' '' 'worker_processes 1;'
	put a
	locked "$STORE/a"
	put b
	locked "$STORE/b"
	put c
	only a b c
	eventually log_has 'warn .*: a cannot be removed'
	put d
	only a b d
	unlocked "$STORE/a"
	only b d
	unlocked "$STORE/b"
	only d
	eventually _removed_line b
	assert_equal "$(grep -c 'cannot be removed' error.log)" 1
}

# bats test_tags=long
@test "at a reload the old worker tries a last time, and says what stays" {
	start_server 'keep latest;' '' 'worker_processes 1;'
	put a
	locked "$STORE/a"
	put b
	eventually log_has 'warn .*: a cannot be removed'
	reload
	eventually log_has 'error .*: a stays, although'
	unlocked "$STORE/a"
	rm "$STORE/a"
	put c
	only c
}

# bats test_tags=long
@test "at a stop, too: what can be removed by then is" {
	start_server 'keep latest;' '' 'worker_processes 1;'
	put a
	put b
	locked "$STORE/b"
	put c
	eventually log_has 'warn .*: b cannot be removed'
	unlocked "$STORE/b"
	stop_server
	only c
}

# held FILE: its lock is ours, until `exec {LOCK}<&-`.
held() {
	if ! is_portable; then
		exec {LOCK}<"$1"
		flock "$LOCK"
		return
	fi
	# It locks a file in there, with fcntl.
	exec {LOCK}> >(_exec_py disks hold_file "$1/lock" 3>&- 4>&-)
	eventually test -e held
}

# In memory there is nothing else that the loop might wait for.
@test "the path leads elsewhere while somebody has the lock: the loop does not wait" {
	! is_portable || skip 'PORTABLE: one thread of a process at a time waits for locks on a disk'
	memory_dir
	STORE=$MEMORY/a
	mkdir "$MEMORY/a" "$MEMORY/b"
	ln -s "$MEMORY/a" link
	start_server "output_dir $T/link; keep latest;" '' 'worker_processes 1;'
	put a
	locked "$STORE/a"
	put b
	eventually log_has 'warn .*: a cannot be removed'
	held "$STORE/.penstock"
	ln -sfn "$MEMORY/b" link
	put c --max-time 10
	put d --max-time 10
	exec {LOCK}<&-
	eventually log_has 'error .*: a stays, although'
	unlocked "$STORE/a"
	STORE=$MEMORY/b only d
}

@test "a worker ends while somebody has the lock" {
	local worker
	start_server 'keep latest;' '' 'worker_processes 1; disk_stall_timeout 1s;'
	worker=$(workers)
	put a
	locked "$STORE/a"
	put b
	eventually log_has 'warn .*: a cannot be removed'
	held "$STORE/.penstock"
	kill -TERM "$worker"
	_is_gone() { refute is_running "$worker"; }
	PENSTOCK_PATIENCE=10 eventually _is_gone
	exec {LOCK}<&-
	unlocked "$STORE/a"
}

@test "without descriptors for it, too: later it goes" {
	! is_portable || skip 'a PORTABLE build removes its temp names with the call that fails here'
	local worker
	start_server 'keep latest;' '' 'worker_processes 1;'
	worker=$(workers)
	put a
	# The lock that a removal takes is the first that needs a new one.
	strace -qq -f -p "$worker" -e trace=unlinkat -e inject=unlinkat:error=EMFILE:when=1..2 \
		-o strace.out 3>&- 4>&- &
	eventually grep -q "TracerPid:.[1-9]" "/proc/$worker/status"
	put b
	eventually log_has 'warn .*: a cannot be removed.*open files'
	only b
	put c
	only c
	kill $!
	# The leak check of a sanitized build cannot be traced.
	eventually grep -q "TracerPid:.0" "/proc/$worker/status"
}
