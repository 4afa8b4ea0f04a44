# TLS: what the README says works as it says, and what a plain port promises holds on
# one that speaks TLS: uploads whole, refusals that arrive, clocks, reloads without a cut.

load ../lib/penstock
load ../lib/tls

# recipe NAME: that block of the README, for this test's port and directory.
recipe() {
	local text

	text=$(readme_recipe "$1") || return
	sed "s|:8443|:$PORT|g; s| 8443| $PORT|g" <<<"$text"
}

@test "the README's certificate, configuration and upload, its certificates for clients, and who is locked out" {
	bash -c "$(recipe tls-certificate)" 2>openssl.err
	{
		echo "pid_file $T/penstock.pid; error_log $T/error.log info; worker_processes 1;"
		recipe tls-conf | sed "s|server {|server { access_log $T/access.log;|"
	} >tls.conf
	start_conf "$T/tls.conf"
	bash -c "$(recipe tls-upload)"
	assert_same hello.txt uploads/hello.txt
	bash -c "$(recipe tls-clients)" 2>openssl.err
	sed -i 's/location/ssl_client_certificate ca.pem; ssl_verify_client on; location/' tls.conf
	reload_all
	run curl -sS --cacert cert.pem -T hello.txt "https://localhost:$PORT/file/none"
	assert_output --partial 'none came'
	curl -sSf --cacert cert.pem --cert ann.pem --key ann.key -T hello.txt "https://localhost:$PORT/file/anns"
	assert_same hello.txt uploads/anns
	eventually access_has '"PUT /file/anns" 201 .* client="CN=ann"$'
	eventually access_has '"PUT /file/none" 400 in=0 .* client-certificate$'
	# One is locked out, and another one is not.
	signed bob ca
	bash -ec "$(recipe tls-authority)"
	bash -ec "$(recipe tls-revoke)" 2>openssl.err
	sed -i 's/ssl_client_certificate/ssl_crl crl.pem; &/' tls.conf
	run -0 penstock -c tls.conf -s reload
	assert_output ''
	run -0 curl -sS --cacert cert.pem --cert ann.pem --key ann.key -T hello.txt "https://localhost:$PORT/file/again"
	assert_output --partial 'revoked'
	curl -sSf --cacert cert.pem --cert bob.pem --key bob.key -T hello.txt "https://localhost:$PORT/file/bobs"
	assert_same hello.txt uploads/bobs
	run -0 penstock -c tls.conf -s status
	assert_line -e "^ssl_crl $T/crl.pem: the next list is due in (29|30) days, "
}

# bats test_tags=engine
@test "uploads and downloads of all kinds, with both versions" {
	start_tls 'overwrite on;'
	random_file body 3000000
	for v in '--tls-max 1.2' --tlsv1.3; do
		upload PUT /file/a body $v
		assert_same body "$STORE/a"
		upload PUT /file/b - $v <body
		assert_same body "$STORE/b"
		request GET /file/a $v
		assert_status 200
		assert_same body answer
		request GET /file/a $v -r 1000000-1999999
		assert_status 206
		cmp answer <(tail -c +1000001 body | head -c 1000000)
		request HEAD /file/a $v
		assert_header Content-Length 3000000
	done
	assert_equal "$(py tlsclients pipeline 20)" 20
}

@test "records of one byte, and records cut anywhere" {
	start_tls
	assert_equal "$(py tlsclients records one 1 500)" 201
	assert_equal "$(stat -c %s "$STORE/one")" 500
	assert_equal "$(py tlsclients pieces bytes 500 1)" 201
	assert_equal "$(py tlsclients pieces cut 200000 1447)" 201
	assert_equal "$(stat -c %s "$STORE/cut")" 200000
	assert_equal "$(py tlsclients records large 16384 100)" 201
	assert_equal "$(stat -c %s "$STORE/large")" 1638400
}

# told REGEX: a line of what -t has printed.
told() { assert_line -e "^penstock.conf:[0-9]+:[0-9]+: $1"; }

@test "-t: pairs that do not match, files that are missing, encrypted, expired or something else" {
	certificate server
	certificate other
	openssl pkey -in server.key -aes256 -passout pass:x -out locked.key
	try() {
		write_tls '' "ssl_certificate $T/$1; ssl_certificate_key $T/$2;"
		run -1 penstock -c penstock.conf -t
	}
	try none.pem server.key
	told "ssl_certificate $T/none.pem: cannot be read: No such file"
	try server.pem none.key
	told "ssl_certificate_key $T/none.key: cannot be read: No such file"
	try server.pem other.key
	told "ssl_certificate_key $T/other.key: it is not the key of the certificate"
	try server.pem locked.key
	told "ssl_certificate_key $T/locked.key: it is encrypted"
	try server.key server.key
	told "ssl_certificate $T/server.key: there is no certificate in it"
	try server.pem server.pem
	told "ssl_certificate_key $T/server.pem: there is no private key in it"
	write_tls '' 'ssl_ciphers nonsense;'
	run -1 penstock -c penstock.conf -t
	told 'ssl_ciphers nonsense: OpenSSL cannot use it'
	write_tls '' "ssl_client_certificate $T/server.key; ssl_verify_client on;"
	run -1 penstock -c penstock.conf -t
	told "ssl_client_certificate $T/server.key: there is no certificate in it"
}

@test "a certificate that has expired is a mistake; one that soon will, and an open key, get a warning" {
	certificate server -days 5
	chmod 644 server.key
	write_tls
	run -0 penstock -c penstock.conf -t
	assert_output --regexp "warning: penstock.conf:[0-9]+:[0-9]+: ssl_certificate $T/server.pem: it expires in [45] days: renew it"
	assert_output --regexp "warning: penstock.conf:[0-9]+:[0-9]+: ssl_certificate_key $T/server.key: every user of this machine can read it"
	start_conf penstock.conf
	log_has 'ssl_certificate .*: it expires in [45] days'
	# Over: the server goes on with what it has.
	certificate_between 20200101000000Z 20200201000000Z
	reload || true
	log_has 'ssl_certificate .*: it has expired'
	log_has 'reload: nothing was changed'
	run -1 penstock -c penstock.conf -t
	assert_output --partial 'it has expired'
	assert_equal "$(subject_of)" server
}

@test "the name that a client asks for chooses the server block" {
	certificate first
	certificate second
	certificate third
	write_tls '' "ssl_certificate $T/first.pem; ssl_certificate_key $T/first.key;"
	for n in second third; do
		cat >>penstock.conf <<-END
			server {
				listen $ADDRESS:$PORT ssl;
				server_name $n $([[ $n == third ]] && echo '*.example.org');
				ssl_certificate $T/$n.pem; ssl_certificate_key $T/$n.key;
				access_log $T/$n.log;
				location /file { output_dir $T/$n; }
			}
		END
	done
	start_conf penstock.conf
	assert_equal "$(subject_of)" first
	assert_equal "$(subject_of -servername nobody)" first
	assert_equal "$(subject_of -servername second)" second
	assert_equal "$(subject_of -servername x.example.org)" third
	echo hello >body
	for n in second third; do
		curl -sSf --cacert "$n.pem" --resolve "$n:$PORT:127.0.0.1" -T body "https://$n:$PORT/file/a"
		assert_same body "$n/a"
		eventually grep -q '"PUT /file/a" 201' "$n.log"
	done
	refute test -e "$STORE/a"
	refute grep -q PUT access.log
}

@test "RSA and ECDSA: each client gets what it can use" {
	certificate server
	certificate rsa -newkey rsa:2048
	start_tls '' "ssl_certificate $T/server.pem; ssl_certificate_key $T/server.key;
		ssl_certificate $T/rsa.pem; ssl_certificate_key $T/rsa.key;"
	assert_equal "$(subject_of)" server
	assert_equal "$(subject_of -sigalgs RSA-PSS+SHA256)" rsa
	assert_equal "$(subject_of -tls1_2 -cipher aRSA)" rsa
}

@test "plain HTTP on a port for TLS is told so, whatever its method" {
	start_tls
	for method in GET HEAD PUT POST PATCH OPTIONS MKCOL PROPFIND DELETE CONNECT; do
		raw -c $([[ $method == HEAD ]] && echo -H) "$method /file/a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n\\r\\n" >/dev/null
		assert_status 400
		assert_header Connection close
		[[ $method == HEAD ]] || assert_problem 'this port speaks TLS.*https://'
		eventually access_has "\"$method /file/a\" 400 in=0 .* plain-on-tls-port$"
	done
	raw -c 'nonsense\r\n\r\n' >/dev/null
	assert_status 400
	assert_problem 'this port speaks TLS'
	# It arrives, though the client sends all of its body first.
	random_file body 3000000
	run -0 curl -sS -T body "http://localhost:$PORT/file/a"
	assert_output --partial 'this port speaks TLS'
	assert_store_empty
}

@test "versions, ALPN and renegotiation" {
	start_tls '' 'ssl_protocols TLSv1.3;'
	run s_client -tls1_2 </dev/null
	assert_output --partial 'alert protocol version'
	eventually log_has 'TLS: the handshake with 127.0.0.1:[0-9]+ failed: unsupported protocol'
	run s_client -tls1_3 -alpn h2 </dev/null
	assert_output --partial 'no application protocol'
	run s_client -tls1_3 -alpn h2,http/1.1 </dev/null
	assert_output --partial 'ALPN protocol: http/1.1'
	echo hello >body
	upload PUT /file/a body --http2
	assert_status 201
	sed -i 's/TLSv1.3/TLSv1.2/' penstock.conf
	reload_all
	run s_client -tls1_3 </dev/null
	assert_output --partial 'alert protocol version'
	# R asks for it.
	run s_client -tls1_2 <<<R
	assert_output --partial 'no renegotiation'
}

@test "certificates of clients: on, optional, of a stranger, and resumed" {
	certificate ca
	certificate stranger
	signed ann ca
	start_tls '' "ssl_client_certificate $T/ca.pem; ssl_verify_client on;"
	echo hello >body
	upload PUT /file/a body
	assert_status 400
	assert_problem 'none came'
	upload PUT /file/a body --cert stranger.pem --key stranger.key
	assert_status 400
	assert_problem 'not accepted here: self.signed'
	upload PUT /file/a body --cert ann.pem --key ann.key
	assert_status 201
	eventually access_has '"PUT /file/a" 201 .* client="CN=ann"$'
	# A session goes on with who began it, and not with an authority that has gone.
	s_client -cert ann.pem -key ann.key -sess_out ann.sess -ign_eof <<<$'GET /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r' >said
	grep -q '^hello' said
	s_client -sess_in ann.sess -ign_eof <<<$'GET /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r' >said
	grep -q '^Reused' said
	grep -q '^hello' said
	sed -i 's/ca.pem/stranger.pem/' penstock.conf
	reload_all
	s_client -sess_in ann.sess -ign_eof <<<$'GET /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r' >said
	run ! grep -q '^Reused' said
	grep -q 'none came' said
	sed -i 's/ssl_verify_client on/ssl_verify_client optional/' penstock.conf
	reload_all
	upload PUT /file/b body
	assert_status 201
	upload PUT /file/c body --cert ann.pem --key ann.key
	assert_status 400
}

@test "sessions are resumed by all workers, and after a reload" {
	start_tls 'overwrite on;' '' 'worker_processes 3;'
	for v in 1.2 1.3; do
		rm -f go resumed-once
		py tlsclients resume "$v" 12 go >reused &
		client=$!
		eventually test -e resumed-once
		reload_all
		touch go
		wait "$client"
		assert_equal "$(tr '\n' ' ' <reused)" '12 12 '
	done
	sed -i 's/ssl_certificate /ssl_session_tickets off; &/' penstock.conf
	reload_all
	rm -f resumed-once
	assert_equal "$(py tlsclients resume 1.3 3 go | tr '\n' ' ')" '0 0 '
}

@test "a certificate is replaced while an upload runs, and a bad one is not" {
	start_tls
	start_py tlsclients hold_upload held 300000 go >status.held
	eventually test -e held
	certificate fresh
	cp fresh.pem server.pem
	# Without its key.
	run -1 penstock -c penstock.conf -s reload
	assert_output --partial 'it is not the key of the certificate'
	assert_equal "$(subject_of)" server
	cp fresh.key server.key
	reload
	_is_fresh() { [[ $(subject_of) == fresh ]]; }
	eventually _is_fresh
	refute test -e "$STORE/held"
	touch go
	wait "$PY"
	assert_equal "$(cat status.held)" 201
	assert_equal "$(stat -c %s "$STORE/held")" 300000
}

@test "handshakes that stall are cut by handshake_timeout and hold up nobody" {
	start_tls '' 'handshake_timeout 1s;'
	start_py tlsclients stall 50 50 >closed
	eventually test -e stalled
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	wait "$PY"
	assert_equal "$(cat closed)" 100
	log_has 'TLS: the handshake with .* failed: it took longer than handshake_timeout'
}

@test "an early refusal arrives, with close_notify behind it, and the client may go on sending" {
	start_tls 'max_body_size 64k;'
	random_file body 3000000
	upload PUT /file/a body
	assert_status 413
	assert_problem 'max_body_size 64k'
	assert_equal "$(py tlsclients refused_early a 3000000)" '413 close_notify'
	assert_store_empty
}

@test "a client that half-closes without close_notify is answered; one that leaves leaves nothing" {
	start_tls
	assert_equal "$(py tlsclients half_close a)" 201
	assert_equal "$(cat "$STORE/a")" hello
	rm "$STORE/a"
	py tlsclients cut b 100000 300000
	eventually access_has '"PUT /file/b" 0 .* client-gone'
	assert_store_empty
}

@test "addresses with TLS and without, and limits of connections for each block" {
	other=$(free_port)
	write_tls '' "max_connections_per_ip 1;"
	sed -i "s/^listen .*/&\nlisten 127.0.0.1:$other;/" penstock.conf
	start_conf penstock.conf
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	curl -sSf -T body "http://127.0.0.1:$other/file/b"
	assert_same body "$STORE/b"
	start_py tlsclients idle 1 go
	eventually test -e idle
	upload PUT /file/c body
	assert_status 503
	assert_problem 'max_connections_per_ip 1'
	touch go
}
