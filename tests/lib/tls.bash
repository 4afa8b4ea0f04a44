# Servers that speak TLS, and certificates for them; beside penstock.bash.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what tests use is not seen here

# certificate NAME [ARGS...]: NAME.pem and NAME.key, which has signed itself, for
# NAME, localhost and 127.0.0.1; ARGS are of openssl req.  An elliptic key, which is
# made at once, unless they have another -newkey.
certificate() {
	local name=$1 kind=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
	shift

	[[ " $* " != *" -newkey "* ]] || kind=()
	openssl req -x509 -nodes -subj "/CN=$name" \
		-addext "subjectAltName=DNS:localhost,DNS:$name,IP:127.0.0.1" \
		-keyout "$name.key" -out "$name.pem" "${kind[@]}" "$@" 2>openssl.err ||
		fail "openssl: $(cat openssl.err)"
}

# signed NAME AUTHORITY: NAME.pem and NAME.key, signed by AUTHORITY.pem.
signed() {
	openssl req -nodes -subj "/CN=$1" -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-keyout "$1.key" -out "$1.csr" 2>openssl.err &&
		openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial \
			-days 30 -out "$1.pem" 2>openssl.err ||
		fail "openssl: $(cat openssl.err)"
}

# revocations AUTHORITY [ARGS...]: AUTHORITY.crl, its list of what it has revoked; ARGS are
# of openssl ca, as -crldays 9.
revocations() {
	local name=$1 conf
	shift

	conf=$(printf '%s\n' '[ca]' 'default_ca = d' '[d]' "database = $T/$name.index" 'default_md = sha256' 'default_crl_days = 30')
	touch "$name.index"
	openssl ca -config <(echo "$conf") -cert "$name.pem" -keyfile "$name.key" \
		-gencrl -out "$name.crl" "$@" 2>openssl.err || fail "openssl: $(cat openssl.err)"
}

# certificate_between START END: another certificate in place of server.pem, for the same
# key, good from START to END, as 20200101000000Z.  openssl req has no way to say when it
# begins, openssl ca has.
certificate_between() {
	mkdir -p ca
	: >ca/index
	openssl req -new -key server.key -subj /CN=server -out new.csr
	openssl ca -batch -selfsign -config <(printf '%s\n' '[ca]' 'default_ca = d' '[d]' "database = $T/ca/index" "new_certs_dir = $T/ca" \
		'default_md = sha256' 'policy = p' 'rand_serial = yes' '[p]' 'commonName = supplied') \
		-keyfile server.key -in new.csr -startdate "$1" -enddate "$2" -notext -out server.pem 2>openssl.err ||
		fail "openssl: $(cat openssl.err)"
}

# certificate_for_seconds N: the same, from now for N seconds.
certificate_for_seconds() {
	certificate_between "$(date -u -d '-1 minute' +%Y%m%d%H%M%SZ)" "$(date -u -d "+$1 seconds" +%Y%m%d%H%M%SZ)"
}

# write_tls [LOCATION [SERVER [TOP]]]: as write_conf, with ssl, and the pair `server`,
# which is made if need be; requests go to https://localhost.
write_tls() {
	local s=${2:-}

	[[ -e server.pem ]] || certificate server
	[[ $s == *ssl_certificate\ * ]] ||
		s+=" ssl_certificate $T/server.pem; ssl_certificate_key $T/server.key;"
	write_conf "${1:-}" "$s" "${3:-}"
	sed -i "s/^listen $ADDRESS:$PORT;/listen $ADDRESS:$PORT ssl;/" penstock.conf
	URL=https://localhost:$PORT
	export CURL_CA_BUNDLE=$T/server.pem
}

# start_tls [LOCATION [SERVER [TOP]]]
start_tls() { write_tls "$@" && start_conf "$T/penstock.conf"; }

# start_for_clients: three workers, and what clients of all kinds try: /file/, /small/ for
# 64k, /token/ with a token, /cert/ with a certificate; another block, into $T/named, for who
# asks for localhost; $STRANGER, a port whose certificate nobody trusts.  The files are
# body (3 MB), large (20 MB), token, ann.pem and ann.key.
start_for_clients() {
	certificate ca
	certificate stranger
	signed ann ca
	penstock token "$T/tokens" ci >token
	export STRANGER
	STRANGER=$(free_port)
	write_tls 'checksum sha256; overwrite on;' "server_name first; checksum sha256; overwrite on;
		ssl_client_certificate $T/ca.pem; ssl_verify_client optional;
		location /small { output_dir $STORE; max_body_size 64k; }
		location /token { output_dir $STORE; auth_bearer_file $T/tokens; }
		location /cert { output_dir $STORE; auth_client_certificate on; }" 'worker_processes 3;'
	cat >>penstock.conf <<-END
		server {
			listen $ADDRESS:$PORT ssl; server_name localhost; access_log $T/named.log;
			ssl_certificate $T/server.pem; ssl_certificate_key $T/server.key;
			location /file { output_dir $T/named; }
		}
		server {
			listen $ADDRESS:$STRANGER ssl; access_log $T/stranger.log;
			ssl_certificate $T/stranger.pem; ssl_certificate_key $T/stranger.key;
			location /file { output_dir $T/stranger; }
		}
	END
	start_conf penstock.conf
	random_file body 3000000
	head -c 20000000 /dev/zero >large
}

# s_client ARGS...: what openssl's client says of the handshake, and of what comes
# from the standard input.
s_client() {
	timeout "$PENSTOCK_PATIENCE" openssl s_client -connect "127.0.0.1:$PORT" "$@" 2>&1
}

# subject_of ARGS...: the CN of the certificate that such a client gets.
subject_of() {
	s_client "$@" </dev/null | sed -n 's/^subject=.*CN = //p'
}
