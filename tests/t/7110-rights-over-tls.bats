# Who may upload, over TLS: tokens, passwords and links as on the plain port, the
# certificates of clients, and addresses from a PROXY line before the handshake.

load ../lib/penstock
load ../lib/tls

@test "a certificate says who it is, where that is asked for" {
	certificate ca
	signed ann ca
	penstock token "$T/tokens" ci >token
	start_tls 'auth_client_certificate on;' "ssl_client_certificate $T/ca.pem; ssl_verify_client optional;
		location /open { output_dir $T/open; }
		location /some { output_dir $T/some; auth_client_certificate on; auth_bearer_file $T/tokens; }
		location /near { output_dir $T/near; auth_client_certificate on; deny all; }"
	echo hello >body
	upload PUT /file/a body
	assert_status 403
	assert_problem 'say who sends this: a certificate .curl: --cert FILE --key FILE. is needed here'
	upload PUT /file/a body --cert ann.pem --key ann.key
	assert_status 201
	assert_equal "$(receipt remote_user)" CN=ann
	eventually access_has '"PUT /file/a" 201 .* user="CN=ann" client="CN=ann"$'
	upload PUT /open/a body
	assert_status 201
	upload PUT /some/a body
	assert_status 401
	upload PUT /some/a body -H "Authorization: Bearer $(cat token)"
	assert_status 201
	upload PUT /some/b body --cert ann.pem --key ann.key
	assert_status 201
	upload PUT /near/a body --cert ann.pem --key ann.key
	assert_status 403
	write_tls 'auth_client_certificate on;'
	run -1 penstock -c penstock.conf -t
	assert_output --partial 'auth_client_certificate: no client is asked for a certificate'
}

@test "a PROXY line comes before the handshake, and its address is the client's" {
	port=$(free_port)
	start_tls 'allow 192.0.2.0/24; deny all;' "trusted_proxies 127.0.0.2;
		listen 127.0.0.1:$port ssl proxy_protocol;"
	echo hello >body
	run curl -sS --interface 127.0.0.1 --haproxy-protocol -T body "https://localhost:$port/file/a"
	assert_failure
	assert_equal "$(curl -sS --interface 127.0.0.2 --haproxy-protocol -T body -o answer -w '%{http_code}' "https://localhost:$port/file/a")" 403
	sed -i 's/allow 192.0.2.0/allow 127.0.0.0/; s/127.0.0.0.24/127.0.0.0\/8/' penstock.conf
	reload_all
	assert_equal "$(curl -sS --interface 127.0.0.2 --haproxy-protocol -T body -o answer -w '%{http_code}' "https://localhost:$port/file/a")" 201
	assert_same body "$STORE/a"
}
