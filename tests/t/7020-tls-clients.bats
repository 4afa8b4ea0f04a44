# Uploads over TLS by what people upload with: curl, requests, node, Java.  Each client
# stores a file with a verified receipt, the next one by the same connection, and one whose
# length it does not tell; reads a refusal that comes before its body, shows a
# certificate, asks for a name, turns down a server that nobody has vouched for, and
# comes back with its session, to other workers and after a reload: with TLS 1.2 and 1.3.
#
# The kind of fault: a server that speaks TLS to OpenSSL only.

load ../lib/penstock
load ../lib/tls

# run_client COMMAND...: what it says is in `said`; the server is reloaded where it waits,
# which it does if it resumes sessions.
run_client() {
	local client v PENSTOCK_PATIENCE=$((4 * PENSTOCK_PATIENCE)) # Java has to compile first

	PORT=$PORT NODE_EXTRA_CA_CERTS=server.pem PENSTOCK_TEST=$T "$@" >said 2>client.err 3>&- 4>&- &
	client=$!
	for v in 1.2 1.3; do
		eventually eval "[[ -e resumed-$v ]] || ! is_running $client"
		reload_all
		touch "go-$v"
	done
	wait "$client" || fail "$(cat said client.err)"
}

# has_said VERSION LINES...
has_said() {
	local v=$1
	shift
	diff <(grep "^$v " said) <(printf "$v %s\n" "$@")
}

TOO_LARGE='413 larger than max_body_size 64k of location /small'
NOBODY='401 say who sends this'

# uploads_are_there NAME...: of all versions, whole.
uploads_are_there() {
	local v name

	for v in 1.2 1.3; do
		for name in put again stream token cert; do assert_same body "$STORE/$v-$name"; done
		assert_same body "named/$v-name"
		assert_equal "$(ports_of "$v-put" "$v-again" | sort -u | wc -l)" 1
	done
	for name in large nobody; do refute test -e "$STORE/1.3-$name"; done
	assert_store_empty stranger
}

# ports_of NAME...: the clients' ports of these uploads.
ports_of() {
	local name

	for name; do
		eventually access_has "\"PUT /file/$name\" 20"
		sed -nE "s|.* 127.0.0.1:([0-9]+) [0-9]+ \"PUT /file/$name\" 20.*|\\1|p" access.log
	done
}

all_lines() {
	has_said "$1" "version TLSv$1" 'put 201 whole' 'again 201 whole' 'stream 201 whole' "large $TOO_LARGE" \
		"nobody $NOBODY" 'token 201 ci' 'certificate 201 CN=ann' 'name 201' 'stranger refused' "${@:2}"
}

# put NAME [CURL ARGS...]: an upload of `body` to /file/NAME, unless there are others.
put() {
	curl -sS --cacert server.pem -w '%{http_code}\n' -o "answer.$1" -T "${FILE:-body}" \
		"https://${HOST:-127.0.0.1}:${TO:-$PORT}/${IN:-file}/$1" "${@:2}"
}

# whole NAME: the receipt of that upload says what was sent.
whole() {
	assert_equal "$(jq -r '.bytes, .digest."sha-256"' "answer.$1" | xargs)" "3000000 $(sha256sum body | cut -d' ' -f1)"
}

@test "curl" {
	start_for_clients
	for v in 1.2 1.3; do
		only=(--tls-max "$v" --tlsv1.2)
		[[ $v == 1.2 ]] || only=(--tlsv1.3)
		put "$v-put" "${only[@]}" -o "answer.$v-again" -T body "https://127.0.0.1:$PORT/file/$v-again"
		whole "$v-put"
		whole "$v-again"
		assert_equal "$(FILE=- put "$v-stream" "${only[@]}" <body)" 201
		whole "$v-stream"
		for expect in 'Expect: 100-continue' 'Expect:'; do
			assert_equal "$(FILE=large IN=small put "$v-large" "${only[@]}" -H "$expect")" 413
			assert_equal "$(jq -r .detail "answer.$v-large" | cut -d: -f1)" "${TOO_LARGE#413 }"
			assert_equal "$(FILE=large IN=token put "$v-nobody" "${only[@]}" -H "$expect")" 401
			assert_equal "$(jq -r .detail "answer.$v-nobody" | cut -d: -f1)" "${NOBODY#401 }"
		done
		assert_equal "$(IN=token put "$v-token" "${only[@]}" -H "Authorization: Bearer $(cat token)")" 201
		assert_equal "$(IN=cert put "$v-cert" "${only[@]}" --cert ann.pem --key ann.key)" 201
		assert_equal "$(jq -r .remote_user "answer.$v-cert")" CN=ann
		assert_equal "$(HOST=localhost put "$v-name" "${only[@]}")" 201
		TO=$STRANGER run -60 put "$v-stranger" "${only[@]}"
		# Connections that are closed, and sessions that go on; with 1.2 curl takes no tickets.
		put "$v-once" "${only[@]}" -v -H 'Connection: close' -T body "https://127.0.0.1:$PORT/file/$v-[2-5]" 2>verbose >closed
		assert_equal "$v $(grep -c 'SSL re-using session ID' verbose)" "$([[ $v == 1.2 ]] && echo "$v 0" || echo "$v 4")"
		assert_equal "$(grep -c "SSL connection using TLSv$v" verbose)" 5
	done
	uploads_are_there
}

# bats test_tags=long,engine
@test "requests" {
	start_for_clients
	run_client "$PYTHON" "$REPO/tests/lib/clients/with_requests.py"
	for v in 1.2 1.3; do all_lines "$v"; done
	uploads_are_there
}

# bats test_tags=long,engine
@test "node: https and fetch" {
	command -v node >/dev/null || skip 'there is no node'
	start_for_clients
	run_client node "$REPO/tests/lib/clients/with_node.mjs"
	for v in 1.2 1.3; do all_lines "$v" 'resumed 6' 'resumed 6'; done
	has_said fetch 'put 201 whole' 'again 201 whole' 'stream 201 whole' "large $TOO_LARGE" "large $TOO_LARGE" \
		"nobody $NOBODY" 'token 201 ci' 'stranger refused'
	uploads_are_there
	# It has several connections, and uses them again.
	assert [ -n "$(ports_of fetch-put fetch-again fetch-stream | sort | uniq -d)" ]
}

# bats test_tags=long,engine
@test "Java: HttpClient and HttpsURLConnection" {
	command -v javac >/dev/null || skip 'there is no JDK'
	start_for_clients
	openssl pkcs12 -export -in ann.pem -inkey ann.key -passout pass:secret -out ann.p12
	run_client java -XX:TieredStopAtLevel=1 "$REPO/tests/lib/clients/WithJava.java"
	for v in 1.2 1.3; do all_lines "$v" 'resumed 6' 'resumed 6'; done
	has_said url 'put 201 whole' 'again 201 whole' 'stream 201 whole' "large $TOO_LARGE" "large $TOO_LARGE" \
		'token 201 whole'
	uploads_are_there
	assert_equal "$(ports_of url-put url-again | sort -u | wc -l)" 1
}
