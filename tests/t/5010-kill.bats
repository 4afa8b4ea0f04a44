# kill -9 of a worker in the middle of an upload: nothing of it is ever visible,
# what the old one left is swept, and a retry works.

load ../lib/penstock

# begin_upload TARGET: of `big`, slowly, as a curl in the background.
begin_upload() {
	curl -sS -o /dev/null --limit-rate 2m -T big "$URL$1" 2>curl.err 3>&- 4>&- &
	CLIENT=$!
}

visible_files() { find "$1" -name .penstock -prune -o -type f -print; }

some_written() { (($(slowfs_ctl count bytes) > 200000)); }

worker_has_file_in() {
	ls -l "/proc/$WORKER/fd" 2>/dev/null | grep -q -- "-> $1/.*\(deleted\|\.part\)"
}

other_worker() {
	local now

	now=$(workers)
	[[ -n $now && $now != "$WORKER" ]]
}

ready_again() { (($(grep -c 'worker ready' error.log) >= 2)); }

# The client was told of no success.
refute_stored() {
	! wait "$CLIENT" || fail "the upload ended well"
}

kill_worker() {
	kill -KILL "$WORKER"
	refute_stored
	eventually other_worker
	eventually ready_again
	eventually log_has "worker $WORKER .* ended by signal 9"
}

@test "published by O_TMPFILE: nothing to be seen, nothing to be swept" {
	start_server '' '' 'worker_processes 1;'
	WORKER=$(workers)
	random_file big 20M
	begin_upload /file/a
	eventually worker_has_file_in "$STORE"
	assert_equal "$(visible_files "$STORE")" ''
	kill_worker
	assert_store_empty
	upload PUT /file/a big
	assert_status 201
	assert_same big "$STORE/a"
}

@test "published by temp name: not visible, and swept after the restart" {
	slowfs_start 4m
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 1;'
	WORKER=$(workers)
	random_file big 20M
	begin_upload /slow/a
	eventually some_written
	assert_equal "$(visible_files backing/up)" ''
	request GET /slow/a
	assert_status 404
	request GET /slow
	assert_status 404
	assert_equal "$(find backing/up/.penstock -name '*.part' | wc -l)" 1
	kill_worker
	assert_store_empty "$T/backing/up"
	eventually log_has '1 unfinished uploads? of a worker that died'
	slowfs_ctl rate 0
	upload PUT /slow/a big
	assert_status 201
	assert_same big backing/up/a
}

@test "what another worker is writing is not swept" {
	local first second

	slowfs_start 4m
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 2;'
	random_file big 6M
	curl -sS -o answer.1 -w '%{http_code}' -T big "$URL/slow/a" >status.1 3>&- 4>&- &
	first=$!
	eventually some_written
	for WORKER in $(workers); do
		! worker_has_file_in "$T/slow/up" || continue
		kill -KILL "$WORKER"
		break
	done
	eventually log_has "worker $WORKER .* ended by signal 9"
	eventually three_ready
	slowfs_ctl rate 0
	wait "$first"
	assert_equal "$(cat status.1)" 201
	assert_same big backing/up/a
}

three_ready() { (($(grep -c 'worker ready' error.log) >= 3)); }

@test "the whole server is killed: the next start sweeps" {
	slowfs_start 4m
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 2;'
	random_file big 20M
	begin_upload /slow/a
	eventually some_written
	kill -KILL $(workers) "$MASTER"
	refute_stored
	eventually not_running "$MASTER"
	assert_equal "$(find backing/up/.penstock -name '*.part' | wc -l)" 1
	slowfs_ctl rate 0
	touch backing/up/.penstock/notes.txt
	start_conf "$T/penstock.conf"
	eventually test -z "$(find backing/up -name '*.part')"
	assert_equal "$(visible_files backing/up)" ''
	[[ -e backing/up/.penstock/notes.txt ]]
	upload PUT /slow/a big
	assert_status 201
	assert_same big backing/up/a
}

@test "a client that leaves in the middle leaves nothing" {
	slowfs_start 4m
	STORES+=("$T/backing/up")
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 1;'
	WORKER=$(workers)
	random_file big 20M
	begin_upload /slow/a
	eventually some_written
	kill "$CLIENT"
	assert_store_empty "$T/backing/up"
	eventually access_has client-gone
	begin_upload /file/a
	eventually worker_has_file_in "$STORE"
	kill "$CLIENT"
	assert_store_empty
	eventually lets_go_of "$STORE"
}

lets_go_of() { ! worker_has_file_in "$1"; }
