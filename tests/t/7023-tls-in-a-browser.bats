# Pages in a real browser upload over TLS, to a server whose certificate the user has made:
# with a token and with a link, as the README says, by connections that are kept; they
# are told why not, before their body; and not to a server that nobody vouches for.

load ../lib/penstock
load ../lib/tls
load ../lib/browser

# recipe NAME: that block of the README, for this test's port.
recipe() {
	local text

	text=$(readme_recipe "$1") || return
	sed "s|8443|$PORT|g" <<<"$text"
}

@test "with the README's certificate, token and link, from curl and from a page" {
	mkdir bin
	ln -s "$PENSTOCK" bin/penstock
	bash -c "$(recipe tls-certificate)" 2>openssl.err
	PATH=$T/bin:$PATH bash -c "$(recipe rights-secrets)"
	browser_trusts cert.pem
	browser_start
	rights="allow_origin $PAGE; auth_bearer_file tokens; signed_link_keys links; signed_link_spent spent;"
	{
		echo "pid_file $T/penstock.pid; error_log $T/error.log info; worker_processes 2; io_engine $PENSTOCK_ENGINE;"
		recipe tls-conf | sed "s|server {|& access_log $T/access.log;|; s|location /file { output_dir uploads;|& $rights|"
	} >tls.conf
	start_conf "$T/tls.conf"
	base=https://localhost:$PORT token=$(cat ci.token)
	sign() { penstock -c tls.conf sign PUT "/file/$1" --expires 1h --max-size 1m --once --base "$base"; }

	echo hello >hello.txt
	curl -sSf --cacert cert.pem -H "Authorization: Bearer $token" -T hello.txt "$base/file/ci/curl" >said
	curl -sSf --cacert cert.pem -T hello.txt "$(sign curl)" >said
	put="method: 'PUT', body: 'hello\\n'"
	run -0 page_do "const r = await fetch('$base/file/ci/nobody', {$put}); return [r.status, (await r.json()).detail]"
	assert_output --regexp '^\[401, "say who sends this'
	run -0 page_do "const r = await fetch('$base/file/ci/page', {$put, headers: {Authorization: 'Bearer $token'}}); return [r.status, (await r.json()).remote_user]"
	assert_output '[201, "ci"]'
	run -0 page_do "const link = '$(sign page)', file = new Blob(['hello\\n']); $(recipe rights-page | sed 's|//.*||')
		return [answer.status, receipt.remote_user]"
	assert_output '[201, "link:k1"]'
	for name in ci/curl curl ci/page page; do assert_same hello.txt "uploads/$name"; done
	assert_equal "$(files_in uploads | wc -l)" 4
}

# bats test_tags=long,engine
@test "megabytes with a verified receipt, kept connections, early refusals, both versions, and a stranger" {
	certificate stranger
	certificate server
	browser_trusts server.pem
	browser_start
	write_tls "checksum sha256; allow_origin $PAGE;" "server_name localhost; location /small { output_dir $STORE; max_body_size 64k; allow_origin $PAGE; }"
	for v in 2 3; do
		eval "V$v=$(free_port)"
		at="V$v"
		echo "server { listen $ADDRESS:${!at} ssl; ssl_protocols TLSv1.$v; ssl_certificate $T/server.pem; ssl_certificate_key $T/server.key;" \
			"location /file { output_dir $T/v$v; allow_origin $PAGE; } }" >>penstock.conf
	done
	STRANGER=$(free_port)
	echo "server { listen $ADDRESS:$STRANGER ssl; ssl_certificate $T/stranger.pem; ssl_certificate_key $T/stranger.key;" \
		"location /file { output_dir $T/stranger; allow_origin $PAGE; } }" >>penstock.conf
	start_conf penstock.conf
	whole="const bytes = new Uint8Array(3e6).map((_, i) => i * i >> 3);
		const hash = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map(b => b.toString(16).padStart(2, '0')).join('');
		const put = async name => {
			const r = await fetch(name, {method: 'PUT', body: new Blob([bytes])});
			const told = await r.json();
			return r.status + ' ' + (told.bytes === 3e6 && told.digest['sha-256'] === hash);
		};"
	run -0 page_do "$whole return [await put('$URL/file/a'), await put('$URL/file/b')]"
	assert_output '["201 true", "201 true"]'
	assert_same "$STORE/a" "$STORE/b"
	eventually access_has '"PUT /file/b" 201'
	assert_equal "$(sed -nE 's|.*(127.0.0.1:[0-9]+) [0-9]+ "PUT /file/[ab]" 201 .*|\1|p' access.log | sort -u | wc -l)" 1
	# It is told when it has sent all, or sees the end.
	run -0 page_do "const r = await fetch('$URL/small/c', {method: 'PUT', body: new Blob([new Uint8Array(20e6)])}); return [r.status, (await r.json()).detail]"
	assert_output --regexp '^\[413, ".*max_body_size 64k'
	for port in "$V2" "$V3"; do
		run -0 page_do "return (await fetch('https://localhost:$port/file/a', {method: 'PUT', body: 'hello'})).status"
		assert_output 201
	done
	run -1 page_do "await fetch('https://localhost:$STRANGER/file/a', {method: 'PUT', body: 'hello'})"
	assert_output --partial 'Failed to fetch'
	assert_store_empty stranger
	# A page of the server's own, over https; and after a reload.
	page_goto "$URL/file/none"
	run -0 page_do "$whole return [await put('/file/d'), location.protocol]"
	assert_output '["201 true", "https:"]'
	reload_all
	run -0 page_do "$whole return await put('/file/e')"
	assert_output '201 true'
	assert_same "$STORE/a" "$STORE/e"
}
