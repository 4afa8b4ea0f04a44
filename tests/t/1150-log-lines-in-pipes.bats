# bats file_tags=engine
# Lines that several workers write to one pipe are whole: a program that collects the
# log at the other end (a supervisor, `| rotatelogs`) reads each as it was.  The
# kind of fault: a write to a shared pipe that is longer than what the kernel keeps
# together (PIPE_BUF).

load ../lib/penstock

# The server's stdout is $PIPE, which is full and not read: so all workers have much to
# write by the time it is.
stdout_is_full_pipe() {
	mkfifo stdout
	exec {PIPE}<>stdout
	"$@"
	rm stdout
	head -c 65536 /dev/zero | tr '\0' '\n' >&"$PIPE"
}

# The file `lines` is what the pipe gives from here on.
read_pipe() {
	timeout "$PENSTOCK_PATIENCE" grep --line-buffered . <&"$PIPE" >lines 3>&- 4>&- &
	READER=$!
}

_has_lines() { (($(wc -l <lines) >= $1)); }

@test "the access log of all workers into a full pipe: each line is whole" {
	local target

	target=/file/$(head -c 201 /dev/zero | tr '\0' x)
	stdout_is_full_pipe start_server '' 'access_log stdout;' 'worker_processes 4;'
	py connections ask_in_rounds "$target" 100
	read_pipe
	eventually _has_lines 1200
	kill $READER
	assert_equal "$(grep -cE '^20[0-9TZ.:-]+ 127\.0\.0\.1:[0-9]+ [0-9]+ "GET '"$target"'" 404 in=0 out=[0-9]+ ms=[0-9.]+ not-found$' lines)" 1200
	assert_equal "$(wc -l <lines)" 1200
}

# A target is clipped, so that its line can be written as one.
@test "lines of the longest targets are whole, too" {
	local target

	target=/file/$(head -c 1100 /dev/zero | tr '\0' '"')
	stdout_is_full_pipe start_server '' 'access_log stdout;' 'worker_processes 4;'
	py connections ask_in_rounds "$target" 20
	read_pipe
	eventually _has_lines 240
	kill $READER
	assert_equal "$(grep -cE '^20[0-9TZ.:-]+ 127\.0\.0\.1:[0-9]+ [0-9]+ "GET /file/[^ ]*\.\.\." 4[0-9][0-9] in=0 out=[0-9]+ ms=[0-9.]+ [a-z-]+$' lines)" 240
	assert_equal "$(wc -l <lines)" 240
}

@test "the trace and the access log of all workers into a full pipe" {
	local n

	stdout_is_full_pipe start_server 'trace on;' 'access_log stdout;' 'worker_processes 4;'
	random_file body 2M
	for n in 1 2 3 4 5 6 7 8; do
		(exec curl -sS -o /dev/null --max-time 60 -T body "$URL/file/a$n" 3>&- 4>&-) &
	done
	py connections ask_in_rounds "/file/none-$(head -c 200 /dev/zero | tr '\0' x)" 30
	eventually _all_there
	read_pipe
	eventually _has_all_ends
	kill $READER
	# What is no line of the access log is one of a trace.
	run grep -vE '^20[0-9TZ.:-]+ 127\.0\.0\.1:[0-9]+ [0-9]+ "(GET|PUT) /[^ ]*" [24]0[0-9] .*[a-z"]$|^([0-9.]+[^ :]*:? ?)?	*(-> |[^ ]+: Starting|[^ ]+: [A-Za-z]+)' lines
	assert_output ''
}

_all_there() { [[ $(files_in "$STORE" | wc -l) == 8 ]]; }
_has_all_ends() { (($(grep -c '"PUT /file/a' lines) >= 8 && $(grep -c '"GET /file/none' lines) >= 360)); }
