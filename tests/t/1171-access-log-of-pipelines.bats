# A client sends several requests at once and leaves: each that was received whole
# is carried out, though it can be told nothing, and each has its line.
#
# The kind of fault: bytes that this server has taken vanish without a trace since
# the connection, which they do not need any more, has ended.

load ../lib/penstock

LENGTH='Content-Length: 5\r\n\r\nabcde'
CHUNKED='Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n'

# leave_after HOW BYTES...: send them; `close`, `reset`, before the server does
# anything, or `half`: shut the sending side down and take all answers.
leave_after() {
	[[ $1 != reset ]] || kill -STOP $(workers)
	py connections leave_after "$@"
	[[ $1 != reset ]] || kill -CONT $(workers)
}

# puts NAME BODY: five of them, as arguments.
puts() {
	PUTS=()
	for n in 1 2 3 4 5; do
		PUTS+=("PUT /file/$1$n HTTP/1.1\\r\\nHost: x\\r\\n$2")
	done
}

lines_are() { (($(_count "$1" access.log) == $2)); }

@test "five uploads at once, then the client leaves: all are stored, each has its line" {
	start_server
	for body in "$LENGTH" "$CHUNKED"; do
		for how in close reset half; do
			name=$how${#body}
			puts "$name" "$body"
			leave_after "$how" "${PUTS[@]}" >told
			eventually lines_are "\"PUT /file/$name[1-5]\" (0|201) in=5 out=[0-9]+ ms=[0-9.]+ stored " 5
			for n in 1 2 3 4 5; do
				assert_equal "$(cat "$STORE/$name$n")" abcde
				lines_are "\"PUT /file/$name$n\"" 1
			done
			[[ $how != half ]] || assert_equal "$(cat told)" 5
			[[ $how != reset ]] || lines_are "\"PUT /file/$name[1-5]\" 0 .* answer=(client-gone|connection-cut)$" 5
		done
	done
}

@test "one that is not whole is not stored, and has its line, too" {
	start_server
	puts part "$LENGTH"
	leave_after reset "${PUTS[@]:0:2}" 'PUT /file/cut HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc'
	leave_after close "${PUTS[@]:2:2}" 'PUT /file/head HTTP/1.1\r\nHo'
	eventually lines_are '"PUT /file/part[1-4]" (0|201) .* stored ' 4
	eventually lines_are '"PUT /file/cut" 0 in=3 out=0 .* client-gone ' 1
	eventually lines_are ' 0 "-" 0 in=0 out=0 ms=[0-9.]+ client-gone$' 1
	[[ ! -e $STORE/cut && ! -e $STORE/head ]]
	lines_are . 6
}

@test "uploads behind a download that its client does not wait for are stored" {
	start_server
	head -c 30M /dev/zero >"$STORE/big"
	puts behind "$LENGTH"
	leave_after reset 'GET /file/big HTTP/1.1\r\nHost: x\r\n\r\n' "${PUTS[@]}"
	eventually lines_are '"PUT /file/behind[1-5]" 0 .* stored .* answer=connection-cut$' 5
	for n in 1 2 3 4 5; do
		assert_equal "$(cat "$STORE/behind$n")" abcde
	done
	lines_are '"GET /file/big" (0|200) .* client-gone$' 1
}

# Its client is there still, and must see the end of what it got a part of, at once.
@test "a download that the disk cuts: the client sees the end, and what came behind is stored" {
	mkdir backing
	head -c 20M /dev/zero >backing/big
	slowfs_start
	start_server '' "location /slow { output_dir $T/slow; }" 'worker_processes 1;'
	slowfs_ctl fail read EIO after 4
	# 3: closed before the answer was whole, and not reset.
	raw -c 'GET /slow/big HTTP/1.1\r\nHost: x\r\n\r\nPUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcdePUT /file/b HT' >heard || closed=$?
	assert_equal "$closed" 3
	grep -qa '^HTTP/1.1 200 ' heard
	refute grep -qa '^HTTP/1.1 201 ' heard
	eventually lines_are '"PUT /file/a" 0 in=5 out=0 .* stored .* answer=connection-cut$' 1
	# Its client leaves when it sees the end, perhaps before this is looked at.
	eventually lines_are ' 0 "-" 0 in=0 out=0 ms=[0-9.]+ (unread|client-gone)$' 1
	lines_are . 3
	assert_equal "$(cat "$STORE/a")" abcde
	# What the line counts is what came, behind the head.
	out=$(sed -nE 's/.*"GET \/slow\/big" 200 in=0 out=([0-9]+) ms=[0-9.]+ disk-error$/\1/p' access.log)
	head=$(awk '{ n += length($0) + 2 } /^$/ { print n; exit }' heard)
	((out > 0 && out < 20 * 1024 * 1024))
	assert_equal "$(($(wc -c <heard) + $(awk '/^$/ { print NR; exit }' heard)))" "$((head + out))"
}

# They lie in the kernel, behind what is read at once, when the client has gone.
@test "what the kernel has taken whole is stored, though the client has gone meanwhile" {
	start_server '' '' 'worker_processes 1;'
	kill -STOP "$(workers)"
	py connections leave_long_pipelines
	kill -CONT "$(workers)"
	eventually lines_are '"PUT /file/(close|reset)-(length|chunked)-[0-4]" (0|201) in=8000 .* stored ' 20
	lines_are . 20
	assert_equal "$(files_in "$STORE" | wc -l)" 20
	assert_equal "$(find "$STORE" -type f -size 8000c | wc -l)" 20
}

@test "what comes behind the last request of a connection has a line for all of it" {
	start_server '' 'keepalive_requests 2;'
	for body in "$LENGTH" "$CHUNKED"; do
		puts "last${#body}" "$body"
		raw -c "$(printf %s "${PUTS[@]}")" # at once: what comes later is not looked at
		assert_statuses 201 201
		assert_header Connection close
		eventually lines_are "\"PUT /file/last${#body}[12]\" 201 .* stored " 2
	done
	eventually lines_are ' 0 "-" 0 in=0 out=0 ms=0.0 unread$' 2
	lines_are . 6
}
