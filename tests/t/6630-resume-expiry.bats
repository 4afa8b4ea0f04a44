# Uploads that wait to be resumed: how long, how many, and the room that is kept for them;
# also after their worker, or the server, has died.

load ../lib/penstock
load ../lib/parts

start_tus() { start_server "resume on; ${1:-}" "${2:-}" "${3:-}"; }

up_is() { tus HEAD "$UP" && assert_status "$1"; }

# ---- how long ----

@test "an upload that nobody came back for is 410, and later 404; its bytes go at once" {
	start_tus 'resume_expire 1s;'
	begin -H 'Upload-Length: 10'
	printf hello >f
	patch 0 f
	assert_status 204
	eventually up_is 410
	run ! ls "$STORE"/.penstock/*.data
	patch 5 f
	assert_status 410
	eventually up_is 404
	assert_store_empty
	grep -q '1 uploads that nobody came back for have expired' error.log
}

@test "one that never says its length expires as any, with what it has brought" {
	start_tus 'resume_expire 1s;'
	begin -H 'Upload-Defer-Length: 1'
	printf hello >f
	patch 0 f
	assert_status 204
	eventually up_is 410
	run ! ls "$STORE"/.penstock/*.data
	eventually up_is 404
	assert_store_empty
}

@test "each request puts it off" {
	start_tus 'resume_expire 2s;'
	begin -H 'Upload-Length: 10'
	printf . >f
	for i in 0 1 2 3; do
		sleep 0.8 # in all longer than that time
		patch "$i" f
		assert_status 204
	done
	up_at 4
}

@test "one that is on its way does not expire, however long it takes" {
	start_tus 'resume_expire 1s;'
	begin -H 'Upload-Length: 10'
	stall 0 10 hell
	begin_other
	eventually other_is 410
	say "$FD" 'o, all'
	hear "$FD" >told
	grep -q '^HTTP/1.1 204' told
	[[ $(find "$STORE" -maxdepth 1 -type f | wc -l) == 1 ]]
}

begin_other() {
	local first=$UP
	begin -H 'Upload-Length: 10'
	OTHER=$UP UP=$first
}
other_is() { tus HEAD "$OTHER" && assert_status "$1"; }

@test "one that is stored is forgotten, and its file stays" {
	start_tus 'resume_expire 1s;'
	printf hello >f
	begin -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f
	assert_status 204
	up_at 5
	eventually up_is 404
	assert_same f "$STORE/a"
	run ! ls "$STORE"/.penstock/*.info
}

@test "what died with its worker expires, too" {
	start_tus 'resume_expire 1s;' '' 'worker_processes 2;'
	begin -H 'Upload-Length: 10'
	stall 0 10 hell
	eventually data_has 4
	for pid in $(workers); do kill -9 "$pid"; done
	eventually up_is 410
	eventually up_is 404
	assert_store_empty
}

@test "a record that is far too large is swept, and ends no worker" {
	mkdir -p "$STORE/.penstock"
	head -c 300000 /dev/zero >"$STORE/.penstock/0123456789abcdef0123456789abcdef.info"
	touch -d '1 hour ago' "$STORE"/.penstock/*
	start_tus 'resume_expire 1s;'
	before=$(workers)
	_is_gone() { [[ ! -e $STORE/.penstock/0123456789abcdef0123456789abcdef.info ]]; }
	eventually _is_gone
	begin -H 'Upload-Length: 5'
	assert_equal "$(workers)" "$before"
}

@test "what is not the server's stays in .penstock, and is not followed" {
	mkdir -p "$STORE/.penstock"
	id=0123456789abcdef0123456789abcdef
	printf secret >victim
	ln -s "$T/victim" "$STORE/.penstock/$id.info"
	mkdir "$STORE/.penstock/${id//0/1}.info"
	printf x >"$STORE/.penstock/notes"
	printf x >"$STORE/.penstock/${id//0/2}.info"
	touch -h -d '1 hour ago' "$STORE"/.penstock/*
	start_tus 'resume_expire 1s;'
	for each in "$id" "${id//0/1}" "${id//0/2}"; do
		UP=/file/.penstock/$each
		up_is 404
	done
	eventually no_nonsense
	[[ -L $STORE/.penstock/$id.info && -d $STORE/.penstock/${id//0/1}.info && -f $STORE/.penstock/notes ]]
	[[ $(<victim) == secret ]]
	rm -r "$STORE/.penstock"
}
no_nonsense() { [[ ! -e $STORE/.penstock/2123456789abcdef2123456789abcdef.info ]]; }

# ---- how many ----

@test "max_resumable: one more is refused before its body, until one is gone" {
	start_tus 'max_resumable 2;' '' 'worker_processes 3;'
	begin -H 'Upload-Length: 10'
	begin -H 'Upload-Length: 10'
	for i in 1 2 3 4; do
		tus POST /file -H 'Upload-Length: 10'
		assert_status 503
		assert_problem 'max_resumable'
	done
	tus DELETE "$UP"
	assert_status 204
	begin -H 'Upload-Length: 5'
	tus POST /file -H 'Upload-Length: 10'
	assert_status 503
	printf hello >f
	patch 0 f
	assert_status 204
	begin -H 'Upload-Length: 10' # the other one is stored
	upload PUT /file/plain f     # that waits for nobody
	assert_status 201
}

@test "max_resumable_per_client counts each by its address" {
	start_tus 'max_resumable_per_client 1;' 'real_ip_header X-Forwarded-For; trusted_proxies 127.0.0.1;'
	begin -H 'Upload-Length: 10' -H 'X-Forwarded-For: 192.0.2.1'
	tus POST /file -H 'Upload-Length: 10' -H 'X-Forwarded-For: 192.0.2.1'
	assert_status 503
	assert_problem 'max_resumable 10000 or max_resumable_per_client 1 allows'
	begin -H 'Upload-Length: 10' -H 'X-Forwarded-For: 192.0.2.2'
}

@test "the count outlives its worker, a reload and the server" {
	start_tus 'max_resumable 3;' '' 'worker_processes 2;'
	for i in 1 2 3; do begin -H 'Upload-Length: 10'; done
	for pid in $(workers); do kill -9 "$pid"; done
	eventually is_full
	reload
	is_full
	kill -9 "$MASTER"
	eventually not_running "$MASTER"
	start_conf penstock.conf
	eventually is_full
	tus DELETE "$UP"
	assert_status 204
	begin -H 'Upload-Length: 10'
	is_full
}

# What is let in meanwhile goes again.
is_full() {
	tus POST /file -H 'Upload-Length: 10' || return
	if [[ $(<status) == 201 ]]; then
		tus DELETE "$(header Location)"
		return 1
	fi
	assert_status 503
}

@test "a count that a dead worker has left too high is set right" {
	start_tus 'max_resumable 1; resume_expire 4s;' '' 'worker_processes 2;'
	begin -H 'Upload-Length: 10'
	rm "$STORE"/.penstock/*.info "$STORE"/.penstock/*.data # as if nobody had counted that
	eventually begin -H 'Upload-Length: 10'
}

# ---- room ----

on_small_disk() {
	needs_room
	loop_disk ext4 64M
	mkdir -p "$DISK/up"
	start_tus "output_dir $DISK/up;" '' 'worker_processes 2;'
	truncate -s 30M large
}
needs_room() { [[ $(id -u) == 0 ]] || skip 'only root mounts'; }

refuses_large() {
	upload PUT /file/large large -H Expect: || return
	[[ $(<status) == 507 ]]
}

@test "room that an upload still needs is kept for it, until it is gone" {
	on_small_disk
	begin -H "Upload-Length: $((40 << 20))"
	printf hello >f
	patch 0 f
	assert_status 204
	refuses_large
	tus DELETE "$UP"
	assert_status 204
	upload PUT /file/large large
	assert_status 201
}

@test "that room is its own: it fits when it goes on" {
	on_small_disk
	truncate -s 40M whole
	head -c 5 whole >f
	tail -c +6 whole >rest
	begin -H "Upload-Length: $((40 << 20))" -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f
	assert_status 204
	patch 5 rest
	assert_status 204
	cmp whole "$DISK/up/a"
}

@test "it is kept over kill -9 of all workers and of the server" {
	on_small_disk
	begin -H "Upload-Length: $((40 << 20))"
	printf hello >f
	patch 0 f
	assert_status 204
	for pid in $(workers); do kill -9 "$pid"; done
	eventually refuses_large
	kill -9 "$MASTER"
	eventually not_running "$MASTER"
	start_conf penstock.conf
	eventually refuses_large_again
}
refuses_large_again() {
	rm -f "$DISK/up/large"
	refuses_large
}
