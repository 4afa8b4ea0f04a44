# TLS as openssl's client and worse ones send it: records that are cut, or end in the
# middle, changes of keys, renegotiation, early data, handshakes by the hundred; and
# whose session may go on where.

load ../lib/penstock
load ../lib/tls

# open_client ARGS...: openssl's client; what is written to $TO goes to it, what it
# says is in `said`.
open_client() {
	rm -f to said
	mkfifo to
	stdbuf -o0 timeout "$PENSTOCK_PATIENCE" openssl s_client -connect "$ADDRESS:$PORT" "$@" <to >said 2>&1 3>&- 4>&- &
	CLIENT=$!
	exec {TO}>to
	eventually grep -q 'Verify return code' said
}
close_client() {
	exec {TO}>&-
	wait "$CLIENT" || true
}
write() { printf '%b' "$1" >&"$TO"; }
# change_keys COUNT: for the so many-th time.
change_keys() {
	write 'K\n'
	eventually eval "((\$(grep -c '^KEYUPDATE' said) == $1))"
}
answers() { (($(grep -c '^HTTP/1.1 ' said) >= $1)); }

GET=$'GET /cert/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r'

# bats test_tags=engine
@test "records of 16 KiB that are cut anywhere are one body" {
	start_tls
	random_file body 2000000
	assert_equal "$(py tlsclients cut_anywhere a body)" 201
	assert_same body "$STORE/a"
}

@test "an upload whose last record ends in its middle is none" {
	start_tls
	for sent in 1 4 5 6 -1; do
		assert_equal "$sent $(py tlsclients truncated "a$sent" "$sent")" "$sent 0"
		eventually access_has "\"PUT /file/a$sent\" 0 .* client-gone"
	done
	assert_store_empty
	# The whole of it is one, without close_notify.
	assert_equal "$(py tlsclients truncated b 1000)" 201
	assert_equal "$(cat "$STORE/b")" hello
}

@test "keys are changed in the middle of an upload; renegotiation ends one" {
	start_tls
	open_client -tls1_3
	write 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello'
	eventually _worker_has_it
	change_keys 1
	write 'world'
	eventually answers 1
	# And the server's, too, which it changes when it answers.
	change_keys 2
	write 'PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	eventually answers 2
	close_client
	assert_equal "$(cat "$STORE/a" "$STORE/b")" helloworldhello

	open_client -tls1_2
	write 'PUT /file/c HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello'
	eventually _worker_has_it
	write 'R\n'
	eventually grep -q 'no renegotiation' said
	close_client
	eventually access_has '"PUT /file/c" 0 .* client-gone'
	refute test -e "$STORE/c"
	echo hello >body
	upload PUT /file/d body
	assert_status 201
}
# What it has of it is in a file that has no name yet.
_worker_has_it() {
	local pid

	for pid in $(workers); do
		ls -l "/proc/$pid/fd" | grep -qE "$STORE/.*(\.part|\(deleted\))\$" && return
	done
	return 1
}

# bats test_tags=engine
@test "clients that leave at any point leave nothing, and take nobody with them" {
	start_tls
	random_file body 300000
	start_py tlsclients leave 5 >left
	for i in 1 2 3 4 5; do
		upload PUT "/file/$i" body
		assert_status 201
		assert_same body "$STORE/$i"
		rm "$STORE/$i"
	done
	wait "$PY"
	assert_equal "$(cat left)" 100
	kernel_has_let_go
	assert_store_empty
	upload PUT /file/a body
	assert_status 201
	assert_same body "$STORE/a"
}

@test "nothing is taken before the handshake" {
	start_tls
	s_client -tls1_3 -sess_out session -ign_eof <<<"$GET" >said
	printf 'PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello' >early
	s_client -tls1_3 -sess_in session -early_data early -ign_eof <<<"$GET" >said
	grep -q '^Reused, TLSv1.3' said
	grep -q '^Early data was not sent' said
	grep -q 'Max Early Data: 0' said
	assert_store_empty
}

@test "handshakes that come slowly, by the hundred, hold up no upload, and end well" {
	start_tls '' 'handshake_timeout 60s;'
	start_py tlsclients dribble 300 go >done
	eventually test -e dribbling
	echo hello >body
	for i in 1 2 3 4 5; do
		upload PUT "/file/$i" body
		assert_status 201
	done
	touch go
	wait "$PY"
	# They were in it all the while.
	assert_equal "$(cat done)" '300 300'
}

# comes BLOCK SESSION ARGS...: whether SESSION was resumed at the block of this name, and
# the status; by the version $V.
comes() {
	s_client "-tls1_$V" -servername "$1" -sess_in "$2" -ign_eof "${@:3}" <<<"$GET" >said || true
	echo "$(grep -oE '^(Reused|New)' said | head -n 1) $(grep -oE '^HTTP/1.1 [0-9]+' said | cut -d' ' -f2)"
}

@test "a session with a client certificate goes on in its own server block only" {
	certificate ca
	certificate stranger
	signed ann ca
	write_tls '' "server_name first; ssl_client_certificate $T/ca.pem; ssl_verify_client optional;
		location /cert { output_dir $STORE; auth_client_certificate on; }"
	for n in second third; do
		cat >>penstock.conf <<-END
			server {
				listen $ADDRESS:$PORT ssl; server_name $n; access_log $T/$n.log;
				ssl_certificate $T/server.pem; ssl_certificate_key $T/server.key;
				ssl_client_certificate $T/$([[ $n == second ]] && echo ca || echo stranger).pem; ssl_verify_client optional;
				location /cert { output_dir $STORE; auth_client_certificate on; }
			}
		END
	done
	start_conf penstock.conf
	echo hello >"$STORE/a"
	for V in 2 3; do
		s_client "-tls1_$V" -servername first -cert ann.pem -key ann.key -sess_out ann -ign_eof <<<"$GET" >said
		s_client "-tls1_$V" -servername first -sess_out nobody -ign_eof <<<"$GET" >said
		assert_equal "$V $(comes first ann)" "$V Reused 200"
		assert_equal "$V $(comes first nobody)" "$V Reused 403"
		# Nobody is not ann for having one now.
		assert_equal "$V $(comes first nobody -cert ann.pem -key ann.key)" "$V Reused 403"
		for n in second third; do
			assert_equal "$V $n $(comes $n ann)" "$V $n New 403"
		done
		assert_equal "$V $(comes second nobody -cert ann.pem -key ann.key)" "$V New 200"
		# The authority of this one is another.
		assert_equal "$V $(comes third nobody -cert ann.pem -key ann.key)" "$V New 400"
		assert_equal "$V $(comes first ann)" "$V Reused 200"
	done
	eventually access_has '"GET /cert/a" 200 .* user="CN=ann"'
}
