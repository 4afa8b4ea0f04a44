# The logs are opened again on USR1 and by -s reopen: in all workers, those of before a reload
# too, also where only root may open them; and nothing changes when that cannot be done.

load ../lib/penstock

rotate() { mv logs/access.log logs/access.old; mv logs/error.log logs/error.old; }

begin() {
	mkdir -p logs
	write_conf "${1:-}" "access_log $T/logs/access.log;" "error_log $T/logs/error.log info; ${2:-}"
	start_conf penstock.conf
	echo hello >body
}

@test "-s reopen waits until all workers write to new files" {
	begin '' 'worker_processes 4;'
	upload PUT /file/before body
	eventually grep -q before logs/access.log
	rotate
	run -0 penstock -c penstock.conf -s reopen
	assert_output ''
	for n in {1..12}; do upload PUT "/file/after$n" body; done
	after() { (($(grep -c after logs/access.log) == 12)); }
	eventually after
	refute grep -q after logs/access.old
	grep -q 'logs reopened' logs/error.log
}

@test "USR1 does the same, once for each" {
	begin
	for n in 1 2 3; do
		rotate
		kill -USR1 "$MASTER"
		eventually grep -qs 'logs reopened' logs/error.log
		upload PUT "/file/$n" body
		eventually grep -q "\"PUT /file/$n\"" logs/access.log
	done
}

@test "a worker of before a reload writes to the new file, too, also to one that is no more in the configuration" {
	local client

	begin
	random_file large 300000
	curl -s -o answer.slow --limit-rate 100K -T large "$URL/file/slow" &
	client=$!
	busy() { ss -tnH state established "sport = :$PORT" | grep -q .; }
	eventually busy
	write_conf '' "access_log $T/logs/other.log;" "error_log $T/logs/error.log info;"
	kill -HUP "$MASTER"
	eventually grep -q 'reloaded: generation 2' logs/error.log
	rotate
	run -0 penstock -c penstock.conf -s reopen
	wait "$client"
	eventually grep -q '"PUT /file/slow" 201' logs/access.log
	# It has ended: its log is not made any more.
	eventually grep -q 'worker .* is done' logs/error.log
	rm logs/access.log
	run -0 penstock -c penstock.conf -s reopen
	[ ! -e logs/access.log ]
}

@test "what cannot be opened is told, and nothing changes" {
	begin
	mv logs gone
	run -1 penstock -c penstock.conf -s reopen
	assert_line -p "$T/logs/access.log: cannot be opened: No such file or directory"
	assert_line -p 'reopen: nothing was changed'
	upload PUT /file/a body
	eventually grep -q '"PUT /file/a"' gone/access.log
}

@test "as another user, in a directory that only root may enter" {
	[[ $EUID == 0 ]] || skip 'needs root to become somebody else'
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	mkdir "$STORE"
	chown nobody "$STORE"
	mkdir -m 700 logs
	begin '' 'user nobody;'
	rotate
	run -0 penstock -c penstock.conf -s reopen
	upload PUT /file/a body
	assert_status 201
	eventually grep -q '"PUT /file/a"' logs/access.log
	assert_equal "$(stat -c %U:%a logs/access.log)" "$(stat -c %U:%a logs/access.old)"
}

@test "worker_processes 0 does it itself" {
	begin '' 'worker_processes 0;'
	rotate
	run -0 penstock -c penstock.conf -s reopen
	upload PUT /file/a body
	eventually grep -q '"PUT /file/a"' logs/access.log
}

@test "no line is lost while logs are moved and reopened under load" {
	local load

	begin 'sync off;' 'worker_processes 2;'
	puts() { for n in {1..150}; do curl -sS -o /dev/null -T body "$URL/file/$1$n" || return; done; }
	puts a & load=($!)
	puts b & load+=($!)
	for n in 1 2 3 4 5; do
		mv logs/access.log "logs/access.$n"
		run -0 penstock -c penstock.conf -s reopen
	done
	wait "${load[@]}"
	all() { (($(cat logs/access.* | grep -c '"PUT /file/[ab][0-9]*" 201') == 300)); }
	eventually all
	assert_equal "$(cat logs/access.* | grep -vcE '^20[^ ]+Z 127\.0\.0\.1:[0-9]+ [0-9]+ "')" 0
}
