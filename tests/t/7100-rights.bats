# Who may upload: each rule, method and way of satisfying them, by a table; ways around
# them by names, hosts, fields and PROXY lines; links that are changed, late, or used
# twice; and that no secret gets into any output.
#
# The kind of fault: what a rule denies is done all the same, or is told to who has no
# right to know it.

load ../lib/penstock

# make_secrets: a token for `ci`, a password for `ann`, and a key for links.
make_secrets() {
	TOKEN=$(penstock token "$T/tokens" ci "$@")
	PASSWORD=correct-horse
	echo "ann:$(openssl passwd -6 -salt saltsalt "$PASSWORD")" >users
	chmod 600 users
	penstock key "$T/links" k1
	KEY=$(cut -d' ' -f2 links)
	mkdir -m 700 spent
	ALL="auth_basic lab; auth_basic_user_file $T/users; auth_bearer_file $T/tokens;
		signed_link_keys $T/links; signed_link_spent $T/spent;"
}

# link METHOD PATH EXPIRES [MAX [ONCE]]: a target, signed as the README says.
link() {
	local sig
	sig=$(printf 'penstock link 1\n%s\n%s\n%s\n%s\n%s\n' "$1" "$2" "$3" "${4:-0}" "${5:-}" |
		openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -hex | sed 's/.* //')
	echo "$2?exp=$3${4:+&max=$4}${5:+&once=$5}&key=k1&sig=$sig"
}

# status METHOD TARGET [CURL ARGS...]: of a request without, or with an empty body.
status() {
	local method=$1 target=$2
	shift 2
	case $method in
	PUT | POST)
		: >"$T/empty"
		request "$method" "$target" -T "$T/empty" "$@"
		;;
	*) request "$method" "$target" "$@" ;;
	esac
	echo "$STATUS"
}

bearer() { echo "Authorization: Bearer ${1:-$TOKEN}"; }

# recipe NAME: that block of the README, for this test's port.
recipe() {
	local text

	text=$(readme_recipe "$1") || return
	sed "s|127.0.0.1:8000|$ADDRESS:$PORT|g" <<<"$text"
}

@test "the README's secrets, configuration and uploads" {
	mkdir bin
	ln -s "$PENSTOCK" bin/penstock
	PATH=$T/bin:$PATH bash -c "$(recipe rights-secrets)"
	{
		echo "pid_file $T/penstock.pid; error_log $T/error.log info; worker_processes 2; io_engine $PENSTOCK_ENGINE;"
		recipe rights-conf | sed "s|listen|access_log $T/access.log; listen|"
	} >rights.conf
	start_conf "$T/rights.conf"
	PATH=$T/bin:$PATH bash -c "$(recipe rights-upload)" >said 2>/dev/null
	for name in ann ci/ci link; do assert_equal "$(cat "uploads/$name.txt")" hello; done
	assert [ ! -e uploads/nobody.txt ]
	assert_equal "$(grep -c '"remote_user":' said)" 3
	assert_equal "$(tail -n 1 said)" hello
	recipe rights-python >sign.py
	run -0 curl -s -T hello.txt "$(python3 sign.py)"
	assert_output --partial '"remote_user":"link:k1"'
	assert_equal "$(cat 'uploads/from python.txt')" hello
	PATH=$T/bin:$PATH bash -c "$(recipe rights-new-key)"
	rm 'uploads/from python.txt'
	run -0 curl -s -T hello.txt "$(python3 sign.py)"
	assert_output --partial '"remote_user":"link:k2"'
	eventually access_has '"PUT /file/nobody.txt" 401 '
	eventually access_has '"PUT /file/link.txt.*" 403 '
}

@test "the README's wishes, and its configuration behind a proxy" {
	penstock token "$T/tokens" ci >token
	penstock key "$T/links" k1
	echo "ann:$(openssl passwd -6 x)" >users
	chmod 600 users tokens
	mkdir -m 700 spent
	local n=0 rule
	while read -r rule; do
		n=$((n + 1))
		echo "server { listen 127.0.0.1:$PORT; location /file { output_dir $T/up; $rule } }" >wish.conf
		run -0 penstock -c wish.conf -t
		refute_output --regexp 'warning: [^c]'
	done < <(awk '/^<!-- recipe: rights-wishes/ { found = 1; next } found && !/^\|/ { exit } found' "$REPO/README.md" |
		sed -n 's/.*| `\(.*\)` |$/\1/p')
	assert_equal "$n" 6
	{
		echo "pid_file $T/penstock.pid; error_log $T/error.log info; worker_processes 1; io_engine $PENSTOCK_ENGINE;"
		recipe proxied-conf | sed "s|listen|access_log $T/access.log; listen|; s|allow|overwrite on; allow|"
	} >proxied.conf
	start_conf "$T/proxied.conf"
	assert_equal "$(status PUT /file/a -H 'X-Forwarded-For: 192.0.2.1')" 201
	assert_equal "$(status PUT /file/a -H 'X-Forwarded-For: 192.0.2.1, 198.51.100.1')" 403
	assert_equal "$(status PUT /file/a)" 403
}

@test "each rule, with each method, and all or any to be satisfied" {
	make_secrets
	start_server '' "location /free { output_dir $T/free; }
		location /deny { output_dir $T/deny; deny all; }
		location /near { output_dir $T/near; allow 127.0.0.1; deny all; }
		location /any { output_dir $T/any; satisfy any; allow 127.0.0.2; deny all; $ALL }
		location /all { output_dir $T/all; allow 127.0.0.2; deny all; $ALL }
		location /read { output_dir $T/read; limit_except GET { $ALL } }
		location /drop { output_dir $T/drop; deny all; limit_except GET { allow all; } }
		location /login { output_dir $T/login; $ALL }"
	local path from put get head with_token with_password n=0
	while read -r path from put get head with_token with_password; do
		n=$((n + 1))
		for want in "PUT $put" "POST $put" "GET $get" "HEAD $head"; do
			assert_equal "$path $want: $(status "${want% *}" "/$path/x" --interface "$from")" "$path $want: ${want#* }"
			rm -f "$T/$path/x"
		done
		assert_equal "$path token: $(status PUT "/$path/x" --interface "$from" -H "$(bearer)")" "$path token: $with_token"
		rm -f "$T/$path/x"
		assert_equal "$path password: $(status PUT "/$path/x" --interface "$from" -u "ann:$PASSWORD")" "$path password: $with_password"
		rm -f "$T/$path/x"
	done <<-END
		free  127.0.0.1 201 404 404 201 201
		deny  127.0.0.1 403 403 403 403 403
		near  127.0.0.1 201 404 404 201 201
		near  127.0.0.2 403 403 403 403 403
		any   127.0.0.1 401 401 401 201 201
		any   127.0.0.2 201 404 404 201 201
		all   127.0.0.1 403 403 403 403 403
		all   127.0.0.2 401 401 401 201 201
		read  127.0.0.1 401 404 404 201 201
		drop  127.0.0.1 201 403 403 201 201
		login 127.0.0.1 401 401 401 201 201
	END
	assert_equal "$n" 11
}

@test "who may not is told before the body, in the right words, and nothing is stored" {
	make_secrets
	start_server "$ALL"
	random_file body 3M
	upload PUT /file/a body -H 'Expect: 100-continue'
	assert_status 401
	assert_problem 'say who sends this: a name and a password .curl: -u NAME., a token '
	assert_problem ' or a signed link .penstock sign makes them. is needed here'
	grep -qix 'WWW-Authenticate: Basic realm="lab", charset="UTF-8".' headers
	grep -qix 'WWW-Authenticate: Bearer realm="lab".' headers
	upload PUT /file/a body --digest -u "ann:$PASSWORD"
	assert_status 401
	upload PUT /file/a body -u ann:wrong
	assert_status 401
	assert_problem 'the name or the password is wrong'
	upload PUT /file/a body -H "$(bearer pst_0)"
	assert_status 401
	assert_store_empty
	# curl asks first, without a body, and then sends it with the password.
	upload PUT /file/a body --anyauth -u "ann:$PASSWORD"
	assert_status 201
	assert_same body "$STORE/a"
	assert_equal "$(receipt remote_user)" ann
	upload PUT /file/b body -H "$(bearer)"
	assert_equal "$(receipt remote_user)" ci
	eventually access_has '"PUT /file/b" 201 .* user="ci"$'
	eventually access_has '"PUT /file/a" 401 in=0 .* unauthorized$'
}

@test "a token does what its line says, and no more" {
	make_secrets --methods PUT --prefix /file/ci --expires 1h --max-size 1k
	start_server "auth_bearer_file $T/tokens;"
	random_file small 1024
	random_file large 1025
	upload PUT /file/ci/a small -H "$(bearer)"
	assert_status 201
	upload PUT /file/%63i/b small -H "$(bearer)"
	assert_status 201
	upload PUT /file/ci/c large -H "$(bearer)"
	assert_status 413
	assert_problem 'larger than the 1024 bytes that this token allows'
	upload PUT /file/ci/c - -H "$(bearer)" <large
	assert_status 413
	for target in /file/cix /file/x /file/CI/a /file; do
		assert_equal "$(status PUT "$target" -H "$(bearer)")" 403
	done
	assert_equal "$(status GET /file/ci/a -H "$(bearer)")" 403
	assert_equal "$(status POST /file/ci/d -H "$(bearer)")" 403
	assert_equal "$(status PUT /file/ci/../x --path-as-is -H "$(bearer)")" 400
	assert_equal "$(files_in "$STORE" | wc -l)" 2
}

@test "no spelling of a path leads around the rules of its location" {
	start_server 'dotfiles on;' "location / { output_dir $T/root; }
		location /file/in { output_dir $T/in; deny all; }"
	mkdir -p "$T/root/file/in"
	for target in /file/in/x /file/in /%66ile/in/x /file/%69n/x /file%2fin/x /file//in/x \
		//file/in/x /file/./in/x /file/a/../in/x /file/%2e%2e/file/in/x '/file\in/x' \
		/file/in%2fx '/file/in/x?a=/file/x' http://h/file/in/x; do
		raw "PUT $target HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n\\r\\n" >/dev/null
		[[ $STATUS == 40[034] ]] || fail "$target: $STATUS"
	done
	# Another name is another file, as it is to the file system.
	assert_equal "$(status PUT /file/IN/x)" 201
	assert_equal "$(status PUT /file/%2569n)" 201
	for host in other.example localhost '[::1]' x; do
		assert_equal "$(status PUT /file/in/x -H "Host: $host" | sed s/421/403/)" 403
	done
	assert_store_empty "$T/in"
	assert [ ! -e "$T/root/file/in/x" ]
}

@test "an address is believed from a proxy that is named, and from nobody else" {
	start_server 'allow 192.0.2.0/24; deny all;' \
		'trusted_proxies 127.0.0.2; real_ip_header X-Forwarded-For;'
	n=0
	while read -r from forwarded want; do
		n=$((n + 1))
		assert_equal "$from $forwarded $(status PUT "/file/$n" --interface "$from" -H "X-Forwarded-For: $forwarded" -H 'X-Real-IP: 192.0.2.9' -H 'Forwarded: for=192.0.2.9')" \
			"$from $forwarded $want"
	done <<-END
		127.0.0.1 192.0.2.1 403
		127.0.0.2 192.0.2.1 201
		127.0.0.2 192.0.2.1,198.51.100.1 403
		127.0.0.2 198.51.100.1,192.0.2.1 201
		127.0.0.2 192.0.2.1,127.0.0.2 201
		127.0.0.2 unknown 403
		127.0.0.2 192.0.2.1:99 201
		127.0.0.2 ::ffff:192.0.2.7 201
	END
	eventually access_has ' 192.0.2.1 [0-9]+ "PUT /file/2" 201 '
	eventually access_has ' 127.0.0.1:[0-9]+ [0-9]+ "PUT /file/1" 403 '
	status PUT /file/x --interface 127.0.0.2 -H 'X-Forwarded-For: 198.51.100.1'
	assert_problem 'this address, 198.51.100.1, may not do that here'
	# One that says nothing does not pass its clients off as itself.
	write_conf 'allow 127.0.0.2; deny all;' 'trusted_proxies 127.0.0.2; real_ip_header X-Forwarded-For;'
	reload
	assert_equal "$(status PUT /file/x --interface 127.0.0.2)" 403
	assert_problem 'the proxy does not tell yours'
	eventually log_has 'real_ip_header: the proxy 127.0.0.2:[0-9]+ has sent a request without X-Forwarded-For: its client is not known'
}

@test "a PROXY line of a proxy tells the client; a stranger's connection is closed" {
	start_server 'allow 192.0.2.0/24; deny all;' "trusted_proxies 127.0.0.2;
		listen 127.0.0.1:$(free_port >port; cat port) proxy_protocol;"
	: >empty
	put() { curl -s -o answer -w '%{http_code}' --interface "$1" -T empty "${@:2}" "http://127.0.0.1:$(cat port)/file/$RANDOM"; }
	# curl sends its own address.
	assert_equal "$(put 127.0.0.2 --haproxy-protocol)" 403
	run put 127.0.0.1 --haproxy-protocol
	assert_failure
	run put 127.0.0.2
	assert_failure
	eventually log_has 'proxy_protocol: a connection of 127.0.0.1:[0-9]+ was closed: it is none of trusted_proxies'
	eventually log_has 'proxy_protocol: a connection of 127.0.0.2:[0-9]+ was closed: what it sent is no PROXY line'
	proxied() {
		run -0 py proxied send 127.0.0.2 "$(cat port)" "$1"
		assert_output "$2"
	}
	proxied 'PROXY TCP4 192.0.2.1 10.0.0.1 1000 80\r\n' 201
	proxied 'PROXY TCP4 198.51.100.1 10.0.0.1 1000 80\r\n' 403
	proxied 'PROXY UNKNOWN\r\n' 403
	proxied '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\x0a\0\0\1\x03\xe8\0\x50' 201
	eventually access_has ' 192.0.2.1:1000 [0-9]+ "POST /file" 201 '
	# The plain port does not take one.
	raw -c 'PROXY TCP4 192.0.2.1 10.0.0.1 1000 80\r\nPUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n' >/dev/null
	assert_status 400
}

@test "a link is for one method and one path until it expires, with no byte changed" {
	make_secrets
	start_server "$ALL"
	random_file body 1000
	target=$(penstock -c penstock.conf sign PUT '/file/a b' --expires 1h --max-size 1k)
	upload PUT "$target" body
	assert_status 201
	assert_same body "$STORE/a b"
	assert_equal "$(receipt remote_user)" link:k1
	later=$(($(date +%s) + 100)) past=$(($(date +%s) - 100))
	assert_equal "$(status PUT "$(link PUT /file/b "$later")")" 201
	assert_equal "$(status PUT "$(link PUT /file/c "$past")")" 403
	assert_equal "$(jq -r .detail answer)" 'the link has expired: ask for another one'
	good=$(link PUT /file/d "$later" 500)
	upload PUT "$good" body
	assert_status 413
	for i in $(seq 9 7 ${#good}); do
		c=${good:$i:1}
		bad=${good:0:$i}$([[ $c == 0 ]] && echo 1 || echo 0)${good:$((i + 1))}
		[[ $(status PUT "$bad") == 4* ]] || fail "$bad: $STATUS"
	done
	assert_equal "$(status POST "$good" | cut -c1)" 4
	assert_equal "$(status GET "$good" | cut -c1)" 4
	assert [ ! -e "$STORE/d" ]
	assert_equal "$(status GET "$(link GET /file/b "$later")")" 200
	assert_equal "$(status HEAD "$(link GET /file/b "$later")")" 200
}

@test "a link that is good once stores one upload, of all that try, and is spent after a restart" {
	make_secrets
	start_server "$ALL overwrite on;" '' 'worker_processes 2;'
	random_file body 200k
	target=$(penstock -c penstock.conf sign PUT /file/once --expires 1h --once)
	# Not by one that is refused, or cut.
	assert_equal "$(status PUT "$target" -H 'If-Match: "x"')" 412
	assert_equal "$(files_in spent | wc -l)" 0
	run curl -s -T body --limit-rate 20k --max-time 0.5 "$target"
	assert_failure
	eventually _no_file_in "$T/spent"
	pids=()
	for i in 1 2 3 4 5 6 7 8; do
		curl -s -o /dev/null -w '%{http_code}\n' -T body --limit-rate 400k "$target" >>statuses 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	assert_equal "$(sort statuses | uniq -c | xargs)" '1 201 7 403'
	assert_same body "$STORE/once"
	stop_server
	start_conf penstock.conf
	upload PUT "$target" body
	assert_status 403
	assert_problem 'good for one upload'
	assert_equal "$(files_in spent | wc -l)" 1
}

@test "what is taken out of a file is taken away by a reload; a bad file changes nothing" {
	make_secrets
	start_server "$ALL"
	assert_equal "$(status PUT /file/a -H "$(bearer)")" 201
	assert_equal "$(status PUT /file/b -u "ann:$PASSWORD")" 201
	: >tokens
	: >users
	assert_equal "$(status PUT /file/c -H "$(bearer)")" 201
	reload
	assert_equal "$(status PUT /file/d -H "$(bearer)")" 401
	assert_equal "$(status PUT /file/e -u "ann:$PASSWORD")" 401
	echo 'ci what-a-secret' >tokens
	run ! reload
	log_has "reload: .*penstock.conf:[0-9]+:[0-9]+: auth_bearer_file $T/tokens: line 1: behind the name"
	run -1 penstock -c penstock.conf -t
	assert_output --partial 'auth_bearer_file'
	refute_output --partial 'what-a-secret'
	: >tokens
	chmod 644 tokens
	run -0 penstock -c penstock.conf -t
	assert_output --regexp 'warning: .*any user of this machine can read it'
	chmod 666 tokens
	run -1 penstock -c penstock.conf -t
	assert_output --partial 'any user of this machine can write it'
}

@test "-t warns of secrets that pass where all can read them, and of files that let nobody in" {
	echo "# nobody yet" >tokens
	chmod 600 tokens
	warned() { # warned SERVER REGEX...: all the warnings of -t, but that it is root
		echo "server { $1 location /file { output_dir $T/up; auth_bearer_file $T/tokens; } location /b { output_dir $T/up; auth_bearer_file $T/tokens; } }" >one.conf
		run -0 penstock -c one.conf -t
		printf '%s\n' "${lines[@]}" | grep ^warning | grep -v 'as root' >warnings || true
		assert_equal "$(wc -l <warnings)" $(($# - 1))
		for regex in "${@:2}"; do grep -qE "^warning: one.conf:1:[0-9]+: $regex" warnings || fail "$regex: $(cat warnings)"; done
	}
	local none="auth_bearer_file $T/tokens: nobody is let in by it: it has no line"
	warned "listen 0.0.0.0:$PORT;" "listen 0.0.0.0:$PORT: passwords, tokens and links can be read on the way" "$none"
	warned "listen 127.0.0.1:$PORT; listen [::1]:$PORT; listen unix:$T/s;" "$none"
	warned "listen 0.0.0.0:$PORT; trusted_proxies 192.0.2.1;" "$none"
	echo "ci sha256:$(printf x | sha256sum | cut -c1-64) expires=2020-01-01" >tokens
	warned "listen 127.0.0.1:$PORT;" "auth_bearer_file $T/tokens: nobody is let in by it: all of its tokens have expired"
	echo "ci2 sha256:$(printf y | sha256sum | cut -c1-64)" >>tokens
	warned "listen 127.0.0.1:$PORT;"
	[[ $EUID == 0 ]] && ! is_portable || skip 'only root can become somebody else'
	mkdir up
	chown nobody tokens up
	echo "user nobody; $(cat one.conf)" >one.conf
	run -0 penstock -c one.conf -t
	assert_line --regexp "^warning: one.conf:1:[0-9]+: auth_bearer_file $T/tokens: it belongs to the user of the workers"
}

@test "who guesses is slowed, over all workers, and others are not" {
	make_secrets
	start_server "$ALL"
	for i in $(seq 100); do
		[[ $(status PUT /file/a -u "ann:$i") == 401 ]] || break
	done
	((i > 20)) || fail "after $i"
	assert_equal "$(cat status)" 429
	assert_header Retry-After "$(header Retry-After | grep -x '[123]')"
	status PUT /file/a -u ann:x
	status PUT /file/a -u ann:x
	eventually log_has 'rights: too many wrong passwords, tokens or links came from 127.0.0.1: it gets 429'
	assert_equal "$(grep -c 'too many wrong passwords' error.log)" 1
	assert_equal "$(status PUT /file/a -H "$(bearer)")" 201
	assert_equal "$(status PUT /file/b --interface 127.0.0.3 -u "ann:$PASSWORD")" 201
	eventually access_has '"PUT /file/a" 429 .* guessing$'
}

@test "while somebody guesses, a password is later than now for an upload that can be resumed, and not the end" {
	make_secrets
	start_server "$ALL resume on;" '' 'worker_processes 1;'
	tus=(-H 'Tus-Resumable: 1.0.0')
	assert_equal "$(status POST /file/a -H "$(bearer)" "${tus[@]}" -H 'Upload-Length: 5')" 201
	up=$(header Location)
	for i in $(seq 100); do
		[[ $(status PUT /file/b -u "ann:$i") == 401 ]] || break
	done
	assert_equal "$(cat status)" 429
	# One attempt in three seconds is looked at.
	told() {
		for i in 1 2 3; do
			request "$2" "$3" -u ann:wrong "${@:4}"
			[[ $STATUS == 401 ]] || break
		done
		assert_status "$1"
		header Retry-After
	}
	told 503 POST /file "${tus[@]}" -H 'Upload-Length: 5' -d ''
	told 503 PATCH "$up" "${tus[@]}" -H 'Upload-Offset: 0' -d ''
	told 423 HEAD "$up" "${tus[@]}"
	told 429 PUT /file/b -d ''
	eventually access_has '"POST /file" 503 .* guessing$'
}

@test "passwords that take long to compute hold up nobody who has another right" {
	make_secrets
	# The cost is in the hash: this one takes some 30 times as long.
	echo "slow:$(openssl passwd -6 -salt 'rounds=150000$saltsalt' x)" >>users
	start_server "$ALL"
	echo hello >body
	pids=()
	for i in $(seq 16); do
		curl -s -o /dev/null -T body -u "slow:$i" --interface "127.0.0.$((i + 10))" "$URL/file/wrong" 3>&- &
		pids+=($!)
	done
	for i in 1 2 3 4 5; do
		assert_equal "$(status PUT "/file/$i" -H "$(bearer)")" 201
	done
	assert_equal "$(status GET /file/1 -H "$(bearer)")" 200
	# Some of those wait still.
	running=0
	for pid in "${pids[@]}"; do ! is_running "$pid" || running=$((running + 1)); done
	((running > 0)) || fail 'all passwords were computed before five uploads were stored'
	wait "${pids[@]}"
	assert [ ! -e "$STORE/wrong" ]
	eventually eval '(($(grep -c "\"PUT /file/wrong\" 401 " access.log) == 16))'
}

@test "many connections that begin at once with one right password are no guesses" {
	make_secrets
	# As slow as this, none has been found right when the last one comes.
	echo "slow:$(openssl passwd -6 -salt 'rounds=150000$saltsalt' x)" >>users
	start_server "$ALL"
	echo hello >body
	curl -sS --parallel --parallel-immediate --parallel-max 48 -o /dev/null -w '%{http_code}\n' -T body -u slow:x "$URL/file/many-[1-48]" >codes 2>curl.err
	assert_equal "$(sort codes | uniq -c | xargs)" '48 201'
	# They are no credit for guesses, either.
	for i in $(seq 100); do
		[[ $(status PUT /file/a -u "ann:$i") == 401 ]] || break
	done
	((i > 20 && i < 40)) || fail "after $i"
}

@test "a page may read why it was refused, and its preflight needs no right" {
	make_secrets
	start_server "$ALL allow_origin https://www.example;"
	request OPTIONS /file/a -H 'Origin: https://www.example' \
		-H 'Access-Control-Request-Method: PUT' -H 'Access-Control-Request-Headers: authorization'
	assert_status 204
	assert_header Access-Control-Allow-Headers authorization
	for args in "X-None: 1" "$(bearer pst_0)"; do
		status PUT /file/a -H 'Origin: https://www.example' -H "$args"
		assert_status 401
		assert_header Access-Control-Allow-Origin https://www.example
	done
	assert_equal "$(status PUT /file/a -H 'Origin: https://www.example' -H "$(bearer)")" 201
	write_conf "$ALL allow_origin *;"
	run -1 penstock -c penstock.conf -t
	assert_output --partial 'allow_origin: * lets pages of all sites in'
}

@test "no secret is in any log, trace, answer or list" {
	make_secrets
	start_server "$ALL trace on; overwrite on;" '' "error_log $T/error.log debug;"
	random_file body 100k
	later=$(($(date +%s) + 100))
	good=$(link PUT /file/a "$later") sig=${good##*=} once=$(penstock -c penstock.conf sign PUT /file/o --expires 1h --once)
	{
		for args in "-u ann:$PASSWORD" "-u ann:x$PASSWORD" "-u $PASSWORD:" "-H Authorization:Bearer\ $TOKEN" "-H Authorization:Bearer\ x$TOKEN" ''; do
			eval "curl -s -i -T body $args $URL/file/a" || :
			eval "curl -s -i $args $URL/file/a -o /dev/null -D -" || :
			eval "curl -s -i $args $URL/" || :
		done
		for target in "$good" "${good}0" "/file/b?${good#*\?}" "/file/../x?sig=$sig" "/none?sig=$sig&x=1"; do
			curl -s -i --path-as-is -T body "$URL$target" || :
			curl -s -i --path-as-is "$URL$target" -e "$URL$target" || :
		done
		curl -s -i -T body "$once" || :
		curl -s -i -T body "$once" || :
		raw -c "PUT $good HTTP/9.9\\r\\nHost: x\\r\\n\\r\\n" || :
		raw -c "PUT $good x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" || :
		raw -c "Authorization: Bearer $TOKEN\\r\\n\\r\\n" || :
		penstock -c penstock.conf -T
		penstock -c penstock.conf -t 2>&1
	} >seen 2>&1
	stop_server
	cat access.log error.log stdout stderr >>seen
	grep -q 'sig=\*\*' access.log
	for secret in "$PASSWORD" "$TOKEN" "$sig" "${once##*=}" "$KEY" "$(cut -d: -f2 users)" \
		"$(printf %s "ann:$PASSWORD" | base64)" "$(cut -d: -f2 tokens | cut -c1-64)"; do
		[[ -n $secret ]] || fail 'a secret is empty'
		refute grep -qF -e "$secret" seen
	done
}

@test "the commands say what is wrong, and add nothing then" {
	for args in 'token' 'token f' 'token f a b' 'token f a --nonsense' 'token f a --methods' 'token f a --once' \
		'token f a --methods put' 'token f a --prefix x' 'token f a --expires soon' 'token f a --max-size 0' \
		'token f a --expires 2020-01-01' 'token f a --expires 90' 'token f a --expires 1h --expires 2h' 'key f' 'key f a --expires 1h'; do
		run -2 --separate-stderr penstock $args
		assert_equal "$output" ''
		assert_regex "$stderr" '^penstock'
	done
	run -1 penstock token f 'a b'
	run -1 penstock key f 'a@b'
	run -1 penstock key none/f a
	assert [ ! -e f ]
	run -0 penstock key f a
	assert_equal "$(stat -c %a f)" 600
	truncate -s -1 f # no newline at its end
	run -0 penstock key f b
	run -0 penstock key f c --first
	assert_equal "$(cut -d' ' -f1 f | xargs)" 'c a b'
	assert_equal "$(stat -c %a f)" 600
	run -1 penstock key f a
	assert_output 'penstock: key: this name stands in an earlier line'
	# Not into a file of another kind, nor twice the same name.
	run -0 --separate-stderr penstock token tokens ci --prefix /file/ --expires 90d
	assert_regex "$stderr" '^penstock: the token is good until 20'
	grep -q ' prefix=/file ' tokens
	cp tokens before
	run -1 penstock token tokens ci
	assert_output --partial 'there is a token of this name'
	run -1 penstock key tokens k
	assert_output --partial 'tokens: nothing was added, since this is no file for signed_link_keys: line 1: '
	cmp tokens before
	run -1 penstock token f t
	assert_output --partial 'f: nothing was added, since this is no file for auth_bearer_file: line 1: '
	assert_equal "$(wc -l <f)" 3
	write_conf "signed_link_keys $T/keys;"
	for args in 'sign PUT' 'sign PUT /file/a' 'sign put /file/a --expires 1h' 'sign PUT /file/a --expires x' \
		'sign DELETE /file/a --expires 1h' 'sign PUT file/a --expires 1h' 'sign PUT http://h/file/a --expires 1h' \
		'sign PUT /file/a --expires 2020-01-01' 'sign GET /file/a --expires 1h --once'; do
		run -2 penstock -c penstock.conf $args
	done
	run -1 penstock -c penstock.conf sign PUT /file/a --expires 1h
	assert_output --partial "$T/keys: No such file"
	penstock key keys k
	run -1 penstock -c penstock.conf sign PUT /file/a --expires 1h --once
	assert_output --partial 'signed_link_spent'
	run -1 penstock -c penstock.conf sign PUT /other --expires 1h
	assert_output --partial 'no location has this path'
	run -0 penstock sign -c penstock.conf PUT /file/a --expires 1h
	write_conf "signed_link_keys $T/keys; limit_except PUT { signed_link_keys off; }"
	run -1 penstock -c penstock.conf sign GET /file/a --expires 1h
	assert_output --partial 'takes no links for GET, but for other methods (limit_except)'
	run -0 penstock -c penstock.conf sign PUT /file/a --expires 1h
	for listen in '[::]:1234' 1234; do
		echo "server { listen $listen; location /file { signed_link_keys $T/keys; } }" >any.conf
		run -0 penstock -c any.conf sign PUT /file/a --expires 1h
		assert_output --partial 'http://localhost:1234/file/a?exp='
	done
}

@test "a signed link leads to the name of its server block; what is a guess is said to be one" {
	penstock key keys k
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout key.pem -out cert.pem 2>openssl.err
	local pair="ssl_certificate $T/cert.pem; ssl_certificate_key $T/key.pem;" guess='penstock: sign: the link has a guess for an address: --base https://HOST'
	# leads_to START NOTE SERVER
	leads_to() {
		echo "server { $3 location /file { output_dir $T/up; signed_link_keys $T/keys; } }" >one.conf
		run -0 --separate-stderr penstock -c one.conf sign PUT /file/a --expires 1h
		[[ $output == "$1/file/a?exp="* ]] || fail "$3: $output"
		[[ $stderr == "$2"* ]] && [[ -n $2 || -z $stderr ]] || fail "$3: $stderr"
	}
	leads_to https://b.example:1443 '' "listen 127.0.0.1:1443 ssl; server_name *.a.example b.example c.example; $pair"
	leads_to https://b.example '' "listen unix:$T/s; listen 443 ssl; server_name b.example; $pair"
	leads_to http://b.example '' 'listen 80; server_name b.example;'
	leads_to http://b.example:8080 '' 'listen [::]:8080; server_name b.example;'
	leads_to https://localhost:1443 "$guess" "listen 1443 ssl; server_name *.a.example; $pair"
	# A proxy's: what it is called outside is not known here.
	leads_to http://127.0.0.1:8080 "$guess" 'listen 127.0.0.1:8080; server_name b.example;'
	leads_to '' 'penstock: sign: the link has no address' "listen unix:$T/s; server_name b.example;"
	run -0 --separate-stderr penstock -c one.conf sign PUT /file/a --expires 1h --base https://c.example/
	assert_equal "$stderr" ''
	[[ $output == "https://c.example/file/a?exp="* ]]
}
