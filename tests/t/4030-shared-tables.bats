# What all workers share stands in tables of a fixed size: the newest upload of a
# directory, where directories were, what is owed on a disk, which disks are
# sick.  Directories and disks come and go for as long as the server runs, so
# whatever has an end must be given back: after more of them than any table
# holds (1,024 directories, 256 disks, for a few locations), each location does
# all that it did at the start.

load ../lib/penstock

# locations COUNT PREFIX: locations.conf has so many, in PREFIX0, PREFIX1 ...
locations() {
	seq 0 $(($1 - 1)) |
		sed "s|.*|location /l& { output_dir $2&; keep latest; sync off; }|" >locations.conf
}

@test "a symbolic link is moved to 1,100 directories: each keeps its newest only" {
	memory_dir
	mkdir "$MEMORY/0"
	ln -s "$MEMORY/0" "$MEMORY/now"
	start_server '' "location /turn { output_dir $MEMORY/now; keep latest; sync off; }" 'worker_processes 1;'
	py directories newest_of_many_targets "$MEMORY" 1100
	run ! log_has 'too many'
}

@test "300 locations at once: each has its newest, and keeps no other" {
	memory_dir
	locations 300 "$MEMORY/"
	start_server '' 'include locations.conf;' 'worker_processes 1;'
	py directories newest_of_locations_together "$MEMORY/" 300
	run ! log_has 'too many'
}

@test "reloads that name 420 directories in all: the last ones work as the first" {
	memory_dir
	for ((day = 0; day < 7; day++)); do
		locations 60 "$MEMORY/$day."
		if ((day == 0)); then
			start_server '' 'include locations.conf;' 'worker_processes 1;'
		else
			reload
		fi
		py directories newest_of_locations "$MEMORY/$day." 60
	done
	run ! log_has 'too many'
	# What is known of them lasts over a reload.
	reload
	py directories newest_are_known 60
}

# promises_count N: of two uploads that fit alone the second one is refused before
# its body, and so is what is larger than what is left.
promises_count() {
	upload_part "/disk/one$1" part
	upload PUT "/disk/two$1" part -H 'Expect: 100-continue'
	assert_status 507
	upload_rest "$FD" part 201
	upload PUT "/disk/three$1" part -H 'Expect: 100-continue'
	assert_status 507
}

# remount COUNT: as many disks, one after the other at $UP, each of which has its
# newest upload, and keeps no other.  Each has a number (st_dev) of its own.
remount() {
	py directories newest_of_mounts "$UP" "$1"
}

unmount_all() { xargs -n 20 umount < <(yes "$UP" | head -n "$1"); }

@test "300 remounts: what an upload is promised counts on the last disk, too" {
	UP=$T/up
	mkdir "$UP"
	mount -t tmpfs -o size=1m,mode=777 none "$UP"
	start_server '' "location /disk { output_dir $UP; sync off; keep latest; }" 'worker_processes 1;'
	random_file part 700000
	promises_count 0
	remount 300
	promises_count 1
	run ! log_has 'too many'
	stop_server
	unmount_all 301
}

_sick() { log_has 'the disk does not answer: an operation has taken'; }

# bats test_tags=long
@test "300 remounts: a worker that finds the last disk sick tells the other" {
	local i

	UP=$T/up
	slowfs_start
	mkdir "$UP"
	ln -s "$UP" now
	start_server '' "location /disk { output_dir $T/now; sync off; keep latest; }" \
		'worker_processes 1; disk_stall_timeout 3s;'
	remount 300
	# A second worker, by a reload: the first one ends.
	mkdir slow/up
	ln -sfn slow/up now
	sed -i 's/^worker_processes 1;/worker_processes 2;/' penstock.conf
	reload
	random_file body 300K
	for i in 1 2 3 4; do
		upload PUT "/disk/well$i" body
		assert_status 201
	done
	slowfs_ctl stall write
	curl -sS -o hung.answer -T body "$URL/disk/hung" 3>&- 4>&- &
	eventually _sick
	for i in {1..12}; do
		upload PUT "/disk/new$i" body
		assert_status 503
	done
	assert_equal "$(grep -c 'the disk does not answer: an operation' error.log)" 1
	slowfs_ctl resume
	eventually log_has 'the disk answers again'
	stop_server
	unmount_all 300
}

@test "a reload that names more directories than there is room for is refused, with the line" {
	memory_dir
	ulimit -n 4096
	locations 1 "$MEMORY/"
	start_server 'sync off;' 'include locations.conf;' 'worker_processes 1;'
	locations 1100 "$MEMORY/"
	run -0 penstock -t -c penstock.conf # it is good for a start
	run ! reload
	log_has 'reload: .*/locations.conf:1100:[0-9]+: output_dir: there are 1101 of them, and this penstock was started with room for 1024: restart it'
	echo hello >body
	upload PUT /l0/a body
	assert_status 201
	# As many locations that share a few directories are no such thing.
	sed -i "s|output_dir .*/[0-9]*\([0-9]\);|output_dir $MEMORY/\1;|" locations.conf
	reload
	upload PUT /l1099/b body
	assert_status 201
	assert_same "$MEMORY/9/b" body
	stop_server
	locations 1100 "$MEMORY/"
	start_conf penstock.conf
	upload PUT /l1099/c body
	assert_status 201
	assert_same "$MEMORY/1099/c" body
}

@test "directories that earlier workers still have open count, too: it is said" {
	memory_dir
	ulimit -n 4096
	locations 1 "$MEMORY/"
	start_server 'sync off;' 'include locations.conf;' 'worker_processes 1;'
	locations 600 "$MEMORY/one"
	reload
	random_file part 200000
	upload_part /l5/held part
	run ! log_has 'is room for'
	locations 600 "$MEMORY/two"
	reload
	log_has 'warn .*: reload: 600 output directories beside 60[0-9] that earlier workers have open are more than the 1024 that there is room for: some locations may get 503 until those have ended'
	upload_rest "$FD" part 201
	# The same ones again are no more than they were.
	_are_gone() { [ "$(workers | wc -l)" = 1 ]; }
	eventually _are_gone
	: >error.log
	reload
	run ! log_has 'is room for'
}

@test "a reload with more connections than limits can count: it says so" {
	start_server '' '' 'worker_processes 1; worker_connections 100;'
	sed -i 's/worker_connections 100;/worker_connections 300;/' penstock.conf
	reload
	log_has 'warn .*: reload: 1 workers of worker_connections 300, and one for workers of before, are 600 connections; this penstock was started with room for 200'
	sed -i 's/worker_connections 300;/worker_connections 50;/' penstock.conf
	: >error.log
	reload
	run ! log_has 'worker_connections'
}
