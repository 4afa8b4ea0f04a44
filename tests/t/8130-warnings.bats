# An operator is told in time, in one line, and what to do: of a disk that fills, and of one
# that is too slow for its uploads.

load ../lib/admin

# lines_have PATTERN: how many of the error log have it.
lines_have() { grep -cE "$1" error.log || true; }

# The room that is left on $MEMORY, in KiB.
leave() {
	local free

	rm -f "$MEMORY/filler"
	free=$(df --output=avail -k "$MEMORY" | tail -n 1)
	fallocate -l "$((free - $1))k" "$MEMORY/filler"
}

small_disk() {
	[[ $EUID == 0 ]] || skip 'a file system of its own needs root'
	MEMORY=$T/disk
	mkdir "$MEMORY"
	mount -t tmpfs -o size=64m tmpfs "$MEMORY"
	STORES+=("$MEMORY/up")
}

@test "a disk that fills is warned of before uploads are refused, once at each level" {
	small_disk
	start_admin "output_dir $MEMORY/up; warn_free 40m; alarm_free 20m; min_free 1m;"
	random_file small 4096
	metric_is 'penstock_disk_low{location="/file",level="warning"}' 0
	metric_is 'penstock_disk_low{location="/file",level="alarm"}' 0
	leave 30000
	eventually log_has 'warn .*location /file: 29.* MiB are free on the disk of .*less than warn_free 40m: make room'
	metric_is 'penstock_disk_low{location="/file",level="warning"}' 1
	metric_is 'penstock_disk_low{location="/file",level="alarm"}' 0
	leave 10000
	eventually log_has 'error .*location /file: 9.* less than alarm_free 20m'
	metric_is 'penstock_disk_low{location="/file",level="alarm"}' 1
	upload PUT /file/a small
	assert_status 201
	leave 50000
	eventually log_has 'notice .*location /file: there is room again: 4[0-9].* MiB'
	metric_is penstock_disk_low 0
	assert_equal "$(lines_have 'less than (warn|alarm)_free')" 2
}

@test "a level that uploads never see is refused in words" {
	while IFS='|' read -r levels says; do
		write_conf "$levels"
		run -1 penstock -c penstock.conf -t
		assert_output -p "$says"
	done <<-'END'
		warn_free 1g; min_free 1g;|warn_free: it has to be more than min_free
		alarm_free 1m; min_free 1g;|alarm_free: it has to be more than min_free
		warn_free 1g; alarm_free 2g;|warn_free: it has to be more than alarm_free
	END
	write_conf 'warn_free 3g; alarm_free 2g; min_free 1g;'
	run -0 penstock -c penstock.conf -t
}

# bats test_tags=long
@test "a location that is write-bound for long is told of, by one worker, once" {
	local pids=()

	slowfs_start 1m
	STORES+=("$T/backing/up")
	start_admin "output_dir $T/slow/up; sync off; queue_depth 2; warn_write_bound 4s;" '' 'worker_processes 2;'
	random_file body 12M
	for i in 1 2 3 4; do
		curl -sS -o "up.$i" -T body "$URL/file/$i" 3>&- 4>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	eventually log_has 'warn .*location /file: uploads have waited for the disk of .* most of the last 4s \(write-bound\)'
	assert_equal "$(lines_have 'write-bound\)')" 1
}

@test "one whose clients are slow is not" {
	start_admin 'warn_write_bound 1s;'
	random_file body 1M
	upload PUT /file/a body --limit-rate 300k
	assert_status 201
	assert_equal "$(lines_have 'write-bound\)')" 0
}

@test "a client that sends again what never is stored is told of once, over all workers" {
	local i

	start_admin '' '' 'worker_processes 2;'
	random_file small 4096
	upload PUT /file/there small
	for ((i = 0; i < 15; i++)); do
		upload PUT /file/there small -H Expect:
		assert_status 409
	done
	eventually log_has 'warn .*client 127.0.0.1 has sent /file/there 10 times in [0-9]+ seconds, and never was it stored; the last time it was exists \(409\)'
	assert_equal "$(lines_have 'never was it stored')" 1
}

@test "one that succeeds in between is not" {
	local i

	start_admin
	random_file small 4096
	for ((i = 0; i < 30; i++)); do
		upload PUT /file/there small -H Expect:
		((i % 6 != 5)) || rm "$STORE/there"
	done
	request GET /
	eventually access_has '"GET /" '
	assert_equal "$(lines_have 'never was it stored')" 0
}
