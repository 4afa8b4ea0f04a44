# trace on: what reader and writer do, the reader at the left margin, the
# writer six tabs in, a new line each time the other side takes over.

load ../lib/penstock

WRITER=$'\t\t\t\t\t\t'
LABEL='[0-9]+'

_done() { [ "$(grep -c ': Done$' stdout)" -ge "$1" ]; }

# Each line is of a form that the trace has, in the words that it has.
assert_trace() {
	local word='(open|stream\(\)\.next|put|join|get|write|task_done|cancel|sync|publish)\(\)'

	word=${word/stream\\(\\)\\.next/stream\\(\\)\\.next}
	run grep -nvE "^($LABEL: (Starting( -> $word)*|Done)|($LABEL:)? ?($WRITER)?-> $word( -> $word)*)\$" stdout
	assert_output ''
}

# side reader|writer: the words of this side alone, a line.
side() {
	if [[ $1 == reader ]]; then
		grep -v $'\t' stdout | sed -E "s/^$LABEL: (Starting|Done)//; s/^$LABEL://"
	else
		grep $'\t' stdout | sed -E "s/^$LABEL://"
	fi | tr -d '\t' | tr '\n' ' ' | tr -s ' ' | sed 's/^ //; s/ $//'
}

@test "a slow disk: the writer switches away at write(), the reader at put()" {
	slowfs_start 4m
	STORE=$T/slow
	start_server 'trace on; queue_depth 3;'
	random_file body 1M
	upload PUT /file/a body
	assert_status 201
	assert_equal "$(receipt verdict)" write-bound
	eventually _done 1
	assert_trace
	head -n 1 stdout | grep -qE "^$LABEL: Starting -> open\(\) -> stream\(\)\.next\(\) -> put\(\)"
	tail -n 1 stdout | grep -qE "^$LABEL: Done$"
	# In the middle both pictures are always the same.
	sed -n '6,$p' stdout | grep -v 'join()\|Done\|cancel()' | grep . >middle
	[ "$(wc -l <middle)" -ge 10 ]
	assert_equal "$(grep -c "^$WRITER.*-> write()$" middle)" "$(grep -c "^$WRITER" middle)"
	assert_equal "$(grep -vc "^$WRITER" middle)" "$(grep -v "^$WRITER" middle | grep -c -- '-> put()$')"
	# The queue is full: three are written after the last was read.
	grep -A 1 'join()$' stdout | tail -n 1 >end
	[ "$(grep -o 'task_done()' end | wc -l)" -ge 3 ]
	grep -qE 'task_done\(\) -> get\(\) -> cancel\(\) -> sync\(\) -> publish\(\)$' end
}

@test "a slow client: the writer switches away at get(), the reader at stream().next() or put()" {
	start_server 'trace on;' '' 'chunk_size 4k;'
	random_file body 50K
	# curl has the first 64 KiB in the socket at once: send it less.
	upload PUT /file/a body --limit-rate 50K -H 'Expect:' --no-buffer --max-time 20
	assert_status 201
	eventually _done 1
	assert_trace
	upload PUT /file/b - --limit-rate 50K < <(cat body body body)
	assert_status 201
	assert_equal "$(receipt verdict)" read-bound
	eventually _done 2
	assert_trace
}

@test "read-bound at 50 KB/s: the writer waits at get() each time" {
	local piece

	# Longer than a chunk: it is not collected before there is a file.
	printf -v piece '%01500d' 0
	# A sync may take longer than the client does.
	memory_dir
	start_server "trace on; output_dir $MEMORY;" '' 'chunk_size 16k;'
	raw -p 30 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 24000\r\n\r\n' \
		"$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" \
		"$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece" "$piece"
	assert_status 201
	assert_equal "$(receipt verdict)" read-bound
	eventually _done 1
	assert_trace
	grep "^$WRITER" stdout | grep -v 'cancel()' >writer
	# Where this machine is busy some come together.
	[ "$(wc -l <writer)" -ge 6 ]
	assert_equal "$(grep -c -- '-> write() -> task_done() -> get()$' writer)" "$(wc -l <writer)"
	tail -n 2 stdout | head -n 1 | grep -qE -- '-> get\(\) -> cancel\(\) -> sync\(\) -> publish\(\)$'
}

@test "each side's steps, in their order" {
	start_server 'trace on;'
	random_file body 200000 # four chunks
	upload PUT /file/a body
	eventually _done 1
	assert_trace
	next='-> stream().next() -> put()'
	assert_regex "$(side reader)" "^-> open\(\)( -> stream\(\)\.next\(\) -> put\(\))+ -> join\(\)$"
	assert_regex "$(side writer)" '^-> get\(\) -> write\(\)( -> task_done\(\) -> get\(\) -> write\(\))* -> task_done\(\) -> get\(\) -> cancel\(\) -> sync\(\) -> publish\(\)$'
	# What is put is written.
	assert_equal "$(side reader | grep -o 'put()' | wc -l)" "$(side writer | grep -o 'write()' | wc -l)"
}

@test "sync off leaves out sync(), an empty upload write()" {
	start_server 'trace on; sync off;'
	request PUT /file/a --data-binary ''
	assert_status 201
	eventually _done 1
	assert_trace
	assert_equal "$(side reader)" '-> open() -> stream().next() -> join()'
	assert_regex "$(side writer)" '^-> get\(\) -> cancel\(\) -> publish\(\)$'
}

@test "an upload that is refused or cut says how it ended" {
	start_server 'trace on;'
	raw -e 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome' || true
	_ended() { tail -n 1 stdout | grep -qE "^$LABEL: "; }
	eventually _ended
	refute grep -q ': Done' stdout
	assert_store_empty
}

@test "two at once: each line starts with its label, and is whole" {
	start_server 'trace on;' '' 'chunk_size 4k;'
	connect
	a=$FD
	connect
	b=$FD
	for fd in $a $b; do
		say $fd 'PUT /file/x'$fd' HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n'
	done
	_both() { [ "$(find_traces)" == 2 ]; }
	find_traces() { log_has . && ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c "$STORE/#"; }
	random_file part 100
	_started() { [ "$(grep -c Starting stdout)" == 2 ]; }
	# The first piece of each makes its first line; from then on there are two.
	head -c 100 part >&$a
	head -c 100 part >&$b
	eventually _started
	_lines() { [ "$(wc -l <stdout)" -ge "$1" ]; }
	for ((i = 1; i < 10; i++)); do
		before=$(wc -l <stdout)
		cat part >&$a
		cat part >&$b
		eventually _lines $((before + 3))
	done
	hear $a | grep -q '^HTTP/1.1 201 '
	hear $b | grep -q '^HTTP/1.1 201 '
	eventually _done 2
	assert_trace
	# At most one line of the first was begun before the second was there.
	sed -n '1,/: Done$/p' stdout | grep -vcE "^$LABEL:" >unlabelled || true
	[ "$(cat unlabelled)" -le 2 ]
	assert_equal "$(grep -oE "^$LABEL:" stdout | sort -u | wc -l)" 2
}

@test "trace off: nothing" {
	start_server
	random_file body 100K
	upload PUT /file/a body
	assert_status 201
	stop_server QUIT
	refute [ -s stdout ]
}
