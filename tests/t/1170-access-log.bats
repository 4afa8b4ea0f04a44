# The log tells what happened: a line of the access log is written when its exchange
# has ended, so it says what was sent and not what was about to be; and each exchange
# has exactly one line, however it ended.
#
# The kind of fault: something is written down before it is done, or on some of
# the ways out only.

load ../lib/penstock

PUT5='HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n'

# reset_after BYTES...: send them, each on a connection of its own, and reset it,
# before the server does anything.
reset_after() {
	kill -STOP $(workers)
	py connections reset_after "$@"
	kill -CONT $(workers)
}

lines_are() { (($(wc -l <access.log) == $1)); }

@test "an answer of which no byte was sent has status 0, and its line says what became of the upload" {
	start_server
	reset_after "PUT /file/gone"{1..8}" ${PUT5}abcde"
	eventually lines_are 8
	assert_equal "$(grep -cE '"PUT /file/gone[1-8]" 0 in=5 out=0 ms=[0-9.]+ stored .* name="gone[1-8]" answer=client-gone$' access.log)" 8
	for n in 1 2 3 4 5 6 7 8; do
		assert_equal "$(cat "$STORE/gone$n")" abcde
	done
	# A client that stays has its answer, which the line shows, too.
	echo hello >body
	upload PUT /file/told body
	eventually access_has "\"PUT /file/told\" 201 in=6 out=$(wc -c <answer) .* stored .* name=\"told\"$"
}

@test "a download that nobody takes: status 0 if nothing was sent, else as much as was" {
	start_server '' '' 'worker_processes 1;'
	head -c 30M /dev/zero >"$STORE/big"
	# The client of the second request is known to be gone when it is answered.
	reset_after "PUT /file/a ${PUT5}abcdeGET /file/big HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
	eventually access_has '"GET /file/big" 0 in=0 out=0 ms=[0-9.]+ client-gone$'
	connect
	say "$FD" 'GET /file/big HTTP/1.1\r\nHost: x\r\n\r\n'
	head -c 100000 <&"$FD" >taken
	hang_up "$FD"
	eventually access_has '"GET /file/big" 200 in=0 out=[0-9]+ ms=[0-9.]+ client-gone$'
	out=$(sed -nE 's/.*"GET .* 200 .* out=([0-9]+) .*/\1/p' access.log)
	((out >= 100000 - 500 && out < 30 * 1024 * 1024)) || fail "out=$out"
}

@test "each way an exchange may end has one line" {
	start_server 'max_uploads 1;' 'header_timeout 300ms; body_timeout 300ms;' 'worker_processes 1;'
	echo hello >body
	# Kept, asked by HEAD, not modified, with 100 Continue, several at once.
	curl -sS -T body "$URL/file/kept" -o answer "$URL/file/kept" -o answer
	request HEAD /file/kept
	request GET /file/kept -H "If-None-Match: *"
	assert_status 304
	upload PUT /file/asked body -H 'Expect: 100-continue'
	raw -n 2 "PUT /file/p1 ${PUT5}aaaaaPUT /file/p2 ${PUT5}bbbbb"
	# Refused: the head, the name, the method; lingering after each.
	raw 'GET /file/bad HTTP/1.1\r\nHost : x\r\n\r\n'
	raw 'GET /file/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n'
	raw 'DELETE /file/name HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
	raw 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'
	# Too late: the head, the body.  Gone: in the head, in the body.
	raw 'GET /file/late HTTP/1.1\r\nHo'
	raw "PUT /file/slow ${PUT5}aaa"
	raw -e "PUT /file/half ${PUT5}aaa" || true # it has no answer
	connect
	say "$FD" 'GET /file/part HTTP/1.1\r\nHo'
	hang_up "$FD"
	# Connections on which nothing was asked have none.
	connect
	hang_up "$FD"
	connect
	say "$FD" '\r\n'
	hang_up "$FD"
	eventually lines_are 15
	sed -E 's/^[^"]*//; s/ ms=[0-9.]+ ([^ ]+).*/ \1/; s/ out=[1-9][0-9]*/ out=N/' access.log | sort >got
	sort >want <<'END'
"PUT /file/kept" 201 in=6 out=N stored
"GET /file/kept" 200 in=0 out=N sent
"HEAD /file/kept" 200 in=0 out=0 sent
"GET /file/kept" 304 in=0 out=0 conditional
"PUT /file/asked" 201 in=6 out=N stored
"PUT /file/p1" 201 in=5 out=N stored
"PUT /file/p2" 201 in=5 out=N stored
"GET /file/bad" 400 in=0 out=N refused
"GET /file/%2e%2e" 400 in=0 out=N refused
"DELETE /file/name" 405 in=0 out=N refused
"OPTIONS *" 204 in=0 out=0 -
"-" 408 in=0 out=N refused
"PUT /file/slow" 408 in=3 out=N too-slow
"PUT /file/half" 0 in=3 out=0 client-gone
"-" 0 in=0 out=0 client-gone
END
	diff got want
}

@test "those who are turned away have a line each" {
	start_server '' 'max_connections_per_ip 1;' 'worker_processes 1;'
	connect
	first=$FD
	say "$first" "PUT /file/a ${PUT5}abc"
	_turned_away() {
		raw -w 5 "PUT /file/b ${PUT5}abcde" && [[ $STATUS == 503 ]] && ((++asked))
	}
	asked=0
	_turned_away
	_turned_away
	say "$first" de
	eventually access_has '"PUT /file/a" 201 '
	hang_up "$first"
	eventually lines_are $((asked + 1))
	assert_equal "$(grep -cE '"PUT /file/b" 503 in=0 out=[0-9]+ ms=[0-9.]+ refused$' access.log)" "$asked"
}

@test "an answer that its client does not take is cut, and the line says so" {
	start_server '' 'send_timeout 300ms; keepalive_requests 1000000;' 'worker_processes 1;'
	py connections take_nothing_until_cut >asked
	eventually access_has ' answer=send-timeout$'
	eventually access_has ' answer=connection-cut$'
	# All that was sent whole and reached us is there once, in its order: first
	# those that were answered, one that was cut, and those of which
	# nothing could be sent any more.
	_settled() { [[ -z $(ss -Htn state established,close-wait,fin-wait-1,fin-wait-2 "sport = :$PORT") ]]; }
	eventually _settled
	sed -nE 's/.*"GET \/" ([0-9]+) in=0 out=([0-9]+) ms=[0-9.]+ -( answer=([a-z-]+))?$/\1 \4/p' access.log | uniq -c >runs
	cat runs
	[[ $(sed -n 1p runs) =~ ^\ *[0-9]+\ 200\ $ ]]
	[[ $(sed -n 2p runs) =~ ^\ *1\ (200|0)\ send-timeout$ ]]
	[[ $(sed -n 3p runs) =~ ^\ *[0-9]+\ 0\ connection-cut$ ]]
	assert_equal "$(wc -l <runs)" 3
	assert_equal "$(awk '{ print $3 }' access.log | sort -n | uniq -d | grep -vx 0)" ''
	(($(grep -c '"GET /"' access.log) <= $(cat asked)))
}
