# Uploads that can be resumed, and who means no good: by what other servers had holes, in
# kind.  Whose an upload is.

load ../lib/penstock
load ../lib/parts

start_hostile() { start_server "resume on; ${1:-}" "${2:-}" "${3:-}"; }

# Nothing but .penstock and what is named is in the store, and nothing beside it.
only() { diff <(find "$STORE" -mindepth 1 -path "$STORE/.penstock" -prune -o -type f -printf '%P\n' | sort) <(printf '%s\n' "$@" | sed '/^$/d' | sort); }

@test "no path leads out of .penstock, or to anything but an upload" {
	start_hostile 'dotfiles on;'
	begin -H 'Upload-Length: 5'
	id=${UP##*/}
	echo secret >"$STORE/.penstock/secret"
	for path in "../$id" "..%2f$id" "%2e%2e/$id" "$id/" "$id/../$id" "$id%00" "$id%2f" "./$id" "/$id" "${id^^}" "$id.data" "$id.info" \
		secret '..%5c..%5cetc' "${id:0:31}" "${id}0" "${id:0:31}%30" '%' ''; do
		for method in HEAD PATCH DELETE GET; do
			flags=-c
			[[ $method != HEAD ]] || flags=-cH
			raw $flags "$method /file/.penstock/$path HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
			[[ $STATUS =~ ^(400|404|405)$ ]] || fail "$method $path: $STATUS"
		done
	done
	# In capitals, or in escapes, it is a name, and a reserved one.
	for path in ".PENSTOCK/$id" "%2epenstock/$id" ".penstock%2f$id" ".penstock/$id"; do
		request PUT "/file/$path" --data-binary x
		[[ $STATUS == 40[05] ]] || fail "PUT $path: $STATUS"
	done
	up_at 0
	[[ $(cat "$STORE/.penstock/secret") == secret ]]
	rm "$STORE/.penstock/secret"
}

@test "a name in metadata is any bytes, and becomes no file outside, and no field" {
	start_hostile
	for name in '../x' '/etc/x' 'a/../../x' '..' '.' '.hidden' '.penstock/x' 'a//b' 'a/' '/' \
		$'a\r\nX-Evil: 1' $'a\nb' $'\x1b[31m' $'a\x7f' $'\xff\xfe' $'a\xe2\x80\xaeb' "$(printf 'a%.0s' {1..300})"; do
		tus POST /file -H 'Upload-Length: 0' -H "Upload-Metadata: $(metadata filename "$name")"
		[[ $STATUS == 4?? ]] || fail "$(printf %q "$name"): $STATUS"
		refute_header X-Evil
	done
	tus POST /file -H 'Upload-Length: 0' -H "Upload-Metadata: filename $(printf 'a\0b' | base64)"
	assert_status 400
	only ''
	[[ ! -e $T/x ]]
}

@test "metadata is told as it was sent, and no line is added by it" {
	start_hostile
	field="a $(printf 'x\r\nX-Evil: 1' | base64),b $(printf '\0' | base64)"
	begin -H 'Upload-Length: 5' -H "Upload-Metadata: $field"
	up_at 0
	assert_header Upload-Metadata "$field"
	refute_header X-Evil
	# What a field may not have at all never gets so far.
	raw -c 'POST /file HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nUpload-Metadata: a\0b YQ==\r\nConnection: close\r\n\r\n'
	assert_status 400
	raw -c 'POST /file HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nUpload-Metadata: a YQ==\rX-Evil: 1\r\nConnection: close\r\n\r\n'
	assert_status 400
	raw -c 'POST /file HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nUpload-Metadata: a YQ==\r\nUpload-Metadata: b YQ==\r\nConnection: close\r\n\r\n'
	assert_status 400
}

@test "metadata that is no list of keys and base64 is 400" {
	start_hostile
	for field in 'a YQ==,a YQ==' 'a !' 'a YQ==x' 'a Y' 'a YQ== b' "$(printf 'k%s,' {1..65})"; do
		tus POST /file -H 'Upload-Length: 5' -H "Upload-Metadata: $field"
		assert_status 400
		assert_problem Upload-Metadata
	done
	only ''
	[[ -z $(find "$STORE/.penstock" -name '*.info' 2>/dev/null) ]]
}

@test "large metadata is kept as far as a head goes" {
	start_hostile '' 'max_header_size 64k;'
	printf 'Upload-Metadata: a %s' "$(head -c 20000 /dev/zero | base64 -w0)" >field
	begin -H 'Upload-Length: 5' -H @field
	up_at 0
	[[ $(header Upload-Metadata | wc -c) == 26671 ]]
	printf 'Upload-Metadata: a %s' "$(head -c 28000 /dev/zero | base64 -w0)" >field
	tus POST /file -H 'Upload-Length: 5' -H @field
	assert_status 431
}

@test "lengths and offsets beyond all numbers are refused, and no room is asked for them" {
	start_hostile
	for n in 9223372036854775808 18446744073709551615 18446744073709551616 99999999999999999999999999; do
		tus POST /file -H "Upload-Length: $n"
		assert_status 400
	done
	tus POST /file -H 'Upload-Length: 9223372036854775807'
	assert_status 507
	begin -H 'Upload-Defer-Length: 1'
	for n in 1 9223372036854775807 18446744073709551615; do
		tus PATCH "$UP" -H 'Content-Type: application/offset+octet-stream' -H "Upload-Offset: $n" -H 'Expect:' --data-binary x
		[[ $STATUS == 40[09] ]] || fail "$n: $STATUS"
	done
	raw -c "PATCH $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nUpload-Length: 5\r\nContent-Length: 9223372036854775807\r\nConnection: close\r\n\r\nx"
	assert_status 413
	draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 999999999999999' -d ''
	assert_status 507
	patch 0 /dev/null -H 'Upload-Length: 9223372036854775807'
	assert_status 507
	# And nothing of it is kept from others.
	begin -H 'Upload-Length: 5'
	up_at 0
}

@test "Content-Disposition that stands twice matters only where it names an upload" {
	start_hostile
	twice=(-H 'Content-Disposition: inline; filename=a' -H 'Content-Disposition: inline; filename=b')
	printf hello >f
	upload PUT /file/x f "${twice[@]}"
	assert_status 201
	tus POST /file -H 'Upload-Length: 5' "${twice[@]}"
	assert_status 400
	grep -q 'Content-Disposition is given twice' answer
	tus POST /file/named -H 'Upload-Length: 5' "${twice[@]}"
	assert_status 201
}

@test "what has reached max_body_size gets not one byte more, whatever is known of its length" {
	start_hostile 'max_body_size 10;'
	printf hello >f
	printf x >one
	begin -H 'Upload-Defer-Length: 1' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f
	patch 5 f
	assert_header Upload-Offset 10
	patch 10 one -H 'Transfer-Encoding: chunked'
	assert_status 413
	up_at 10
	draft 8 PUT /file/b -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 201
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 204
	draft 8 PATCH "$UP" -H 'Upload-Offset: 10' -H 'Upload-Complete: ?1' -H 'Transfer-Encoding: chunked' --data-binary @one
	assert_status 413
	[ ! -e "$STORE/b" ]
}

@test "fields that stand twice are refused" {
	start_hostile
	begin -H 'Upload-Length: 5'
	for field in Upload-Offset Upload-Length Upload-Checksum Upload-Concat Upload-Defer-Length Upload-Complete X-HTTP-Method-Override; do
		raw -c "PATCH $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n$field: 0\r\n$field: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
		assert_status 400
	done
	up_at 0
}

@test "Host and X-Forwarded-... of strangers get into no Location" {
	start_hostile
	begin -H 'Upload-Length: 5' -H 'X-Forwarded-Host: evil.example.org' -H 'X-Forwarded-Proto: https' -H 'Forwarded: host=evil.example.org'
	[[ $UP == /file/.penstock/* ]]
	stop_server
	start_hostile 'resume_url absolute;' 'trusted_proxies 127.0.0.1; server_name x;'
	for host in 'evil example.org' 'a"b' '<script>' 'a/b'; do
		tus POST /file -H 'Upload-Length: 5' -H "X-Forwarded-Host: $host" -H 'X-Forwarded-Proto: javascript'
		[[ $(header Location) == http://"$ADDRESS:$PORT"/file/.penstock/* ]] || fail "$(header Location)"
	done
}

# ---- whose it is ----

users() {
	printf 'alice:%s\nbob:%s\n' "$(openssl passwd -6 a)" "$(openssl passwd -6 b)" >users
	chmod 644 users
}

@test "an upload is that of who began it: to others it is not there" {
	users
	start_hostile "auth_basic uploads; auth_basic_user_file $T/users;"
	printf hello >f
	tus POST /file/a -H 'Upload-Length: 5'
	assert_status 401
	begin -u alice:a -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f -u alice:a
	assert_status 204
	for who in bob:b; do
		tus HEAD "$UP" -u $who
		assert_status 404
		refute_header Upload-Offset
		patch 5 f -u $who
		assert_status 404
		tus DELETE "$UP" -u $who
		assert_status 404
		tus GET "$UP" -u $who
		assert_status 404
		tus POST /file -u $who -H "Upload-Concat: final;$UP"
		assert_status 400
		draft 8 PATCH "$UP" -u $who -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
		assert_status 404
	done
	tus HEAD "$UP"
	assert_status 401
	tus HEAD "$UP" -u alice:b
	assert_status 401
	patch 5 f -u alice:a
	assert_status 204
	assert_equal "$(cat "$STORE/a")" hellohello
	tus HEAD "$UP" -u bob:b
	assert_status 404
	tus GET "$UP" -u alice:a
	assert_equal "$(receipt remote_user)" alice
}

@test "a finished part is that of who sent it: others make no file of it" {
	users
	start_hostile "auth_basic uploads; auth_basic_user_file $T/users;"
	printf hello >f
	begin -u alice:a -H 'Upload-Length: 5' -H 'Upload-Concat: partial'
	patch 0 f -u alice:a
	assert_status 204
	tus POST /file -u bob:b -H "Upload-Concat: final;$UP" -H "Upload-Metadata: $(metadata filename b)"
	assert_status 400
	grep -q 'no upload of yours' answer
	[ ! -e "$STORE/b" ]
	tus POST /file -u alice:a -H "Upload-Concat: final;$UP" -H "Upload-Metadata: $(metadata filename a)"
	assert_status 201
	assert_equal "$(cat "$STORE/a")" hello
}

@test "the rules that hold are those of the name that it gets, as for PUT" {
	start_hostile 'limit_except GET { deny all; }'
	tus POST /file -H 'Upload-Length: 5'
	assert_status 403
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -d ''
	assert_status 403
	stop_server
	# Allowed when it was begun, and not any more.
	start_hostile
	begin -H 'Upload-Length: 5'
	stop_server
	start_hostile 'limit_except GET { deny all; }'
	for method in HEAD DELETE PATCH; do
		tus $method "$UP" -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: 0'
		assert_status 403
	done
}

@test "of two tokens each has its own uploads" {
	one=$(penstock token "$T/tokens" one)
	two=$(penstock token "$T/tokens" two)
	start_hostile "auth_bearer_file $T/tokens;"
	begin -H 'Upload-Length: 5' -H "Authorization: Bearer $one"
	tus HEAD "$UP" -H "Authorization: Bearer $two"
	assert_status 404
	tus HEAD "$UP" -H "Authorization: Bearer $one"
	assert_status 200
}

@test "who is not its owner, or has no rights, does not interrupt an upload that is being received" {
	one=$(penstock token "$T/tokens" one)
	two=$(penstock token "$T/tokens" two)
	start_hostile "auth_bearer_file $T/tokens;"
	mine=(-H "Authorization: Bearer $one")
	begin -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename a)" "${mine[@]}"
	slowly() {
		connect
		say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $one\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello"
		eventually data_has 5
	}
	slowly
	for method in HEAD PATCH DELETE GET; do
		ask=(tus $method "$UP" -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: 0')
		"${ask[@]}"
		assert_status 401
		"${ask[@]}" -H "Authorization: Bearer $two"
		assert_status 404
		refute_header Upload-Offset
	done
	say "$FD" world
	hear "$FD" >told
	grep -q '^HTTP/1.1 204' told
	assert_equal "$(cat "$STORE/a")" helloworld
	# In one part, and nobody has taken it.
	eventually access_has ' part=0-10/10 '
	[[ $(grep -c taken-over "$T/access.log") == 0 ]]
	# Whose it is has it at once.
	begin -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename b)" "${mine[@]}"
	slowly
	tus HEAD "$UP" "${mine[@]}"
	assert_status 200
	assert_header Upload-Offset 5
	eventually access_has 'taken-over .* part=0-5/10 '
}

@test "a signed link begins an upload of its name, and goes on with it; no other link does" {
	penstock key "$T/links" k1
	start_hostile "signed_link_keys $T/links;"
	sign() { penstock -c penstock.conf sign "$@" --expires 1h | sed "s|^http://[^/]*||"; }
	printf hello >f
	one=$(sign PUT /file/a)
	begin_at() {
		tus POST "$1" -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename evil)"
	}
	begin_at "$one"
	assert_status 201
	take_up
	[[ $UP == /file/.penstock/*"?${one#*\?}" ]]
	plain=${UP%%\?*}
	tus HEAD "$plain"
	assert_status 403
	# One for the same name that was signed anew is not the same.
	two=$(sign PUT /file/a --max-size 1000)
	tus HEAD "$plain?${two#*\?}"
	assert_status 404
	three=$(sign PUT /file/b)
	tus HEAD "$plain?${three#*\?}"
	assert_status 403
	patch 0 f
	assert_status 204
	assert_same f "$STORE/a"
	only a
}

@test "a link that is good once is spent by what is stored, and not by what is begun" {
	penstock key "$T/links" k1
	mkdir -m 700 spent
	start_hostile "signed_link_keys $T/links; signed_link_spent $T/spent;"
	printf hello >f
	one=$(penstock -c penstock.conf sign PUT /file/a --expires 1h --once | sed 's|^http://[^/]*||')
	tus POST "$one" -H 'Upload-Length: 10'
	assert_status 201
	take_up
	patch 0 f
	assert_status 204
	patch 5 f
	assert_status 204
	assert_equal "$(cat "$STORE/a")" hellohello
	# It can still be asked what became of it, and begin nothing any more.
	tus HEAD "$UP"
	assert_status 200
	patch 10 /dev/null
	assert_status 204
	tus POST "$one" -H 'Upload-Length: 10'
	assert_status 403
}

@test "a link that is good once is spent, too, when it is a look that has the upload stored" {
	penstock key "$T/links" k1
	mkdir -m 700 spent
	start_hostile "signed_link_keys $T/links; signed_link_spent $T/spent; overwrite on;"
	one=$(penstock -c penstock.conf sign PUT /file/a --expires 1h --once | sed 's|^http://[^/]*||')
	for _ in 1 2; do
		tus POST "$one" -H 'Upload-Length: 5'
		assert_status 201
		ups+=("$(header Location)")
	done
	# All bytes, and no end of the body: who looks takes it over, and has it stored.
	connect
	say "$FD" "PATCH ${ups[0]} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n"
	eventually _has_hello
	tus HEAD "${ups[0]}"
	assert_status 200
	assert_equal "$(cat "$STORE/a")" hello
	tus POST "$one" -H 'Upload-Length: 5'
	assert_status 403
	assert_problem 'good for one upload'
	# Nor is the other one stored by it, whoever asks for that.
	connect
	say "$FD" "PATCH ${ups[1]} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nother\r\n"
	hear "$FD" >told
	grep -q '^HTTP/1.1 403' told
	assert_equal "$(cat "$STORE/a")" hello
}
_has_hello() { grep -q hello "$STORE"/.penstock/*.data; }

@test "an upload of nobody in particular is that of who knows its ID" {
	start_hostile
	begin -H 'Upload-Length: 5'
	# 128 bits, never the same.
	first=$UP
	begin -H 'Upload-Length: 5'
	[[ ${UP##*/} != "${first##*/}" ]]
	[[ ${UP##*/} =~ ^[0-9a-f]{32}$ ]]
	# It is neither listed nor guessed from another one.
	request GET /file/.penstock/
	[[ $STATUS == 40[04] ]]
	request GET /file/.penstock
	[[ $STATUS == 40[04] ]]
}

@test "a HEAD is never told 5xx: what cannot be looked at now is 423" {
	start_hostile
	begin -H 'Upload-Length: 5'
	mv "$STORE" "$STORE.away"
	tus HEAD "$UP"
	[[ $STATUS == 423 ]] || fail "$STATUS"
	tus POST "$UP" -H 'X-HTTP-Method-Override: HEAD'
	[[ $STATUS == 423 ]] || fail "$STATUS"
	patch 0 /dev/null
	[[ $STATUS == 50[03] ]] || fail "$STATUS"
	mv "$STORE.away" "$STORE"
	eventually up_at 0
}

# Nobody asks for one of them: who sweeps finds it out, before it counts what there is now.
@test "another .penstock in the place of the one that has an upload is told of by the sweep, too" {
	start_hostile 'resume_expire 4s;' '' 'worker_processes 1;'
	begin -H 'Upload-Length: 10'
	mv "$STORE/.penstock" "$STORE/away"
	mkdir "$STORE/.penstock"
	eventually log_has "warn .*: $STORE/.penstock was removed, or another one has its place: up to 1 uploads .* 404 .*, unless it is put back"
}

@test "another .penstock in the place of the one that has an upload: 404, also to who sends just then; put back it goes on" {
	start_hostile '' '' 'worker_processes 1;'
	begin -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename a)"
	stall 0 10 hell
	eventually data_has 4
	mv "$STORE/.penstock" "$STORE/away"
	mkdir "$STORE/.penstock"
	# Whoever asks for what is not in the old one finds that there is another.
	tus HEAD "${UP%/*}/00112233445566778899aabbccddeeff"
	assert_status 404
	eventually log_has "warn .*: $STORE/.penstock was removed, or another one has its place: up to 1 uploads .* 404 .*, unless it is put back"
	say "$FD" o-more
	hear "$FD" >told
	grep -q '^HTTP/1.1 503' told
	grep -q 'nothing was stored: try again' told
	refute test -e "$STORE/a"
	tus HEAD "$UP"
	assert_status 404
	echo hello-more >f
	patch 0 f
	assert_status 404
	assert_problem 'begin a new one'
	tus DELETE "$UP"
	assert_status 404
	rm -r "$STORE/.penstock"
	mv "$STORE/away" "$STORE/.penstock"
	up_at 10
	patch 10 /dev/null
	assert_status 204
	assert_equal "$(cat "$STORE/a")" hello-more
}

@test "without its .penstock an upload is gone, and the next one is made" {
	start_hostile '' '' 'worker_processes 1;'
	begin -H 'Upload-Length: 10'
	rm -r "$STORE/.penstock"
	tus HEAD "$UP"
	assert_status 404
	printf hello-more >f
	patch 0 f
	assert_status 404
	begin -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f
	assert_status 204
	assert_same f "$STORE/a"
	log_has 'error' && fail "$(cat error.log)" || true
}

@test "a crowd is no 5xx to a HEAD" {
	start_hostile '' 'max_connections_per_ip 1;'
	begin -H 'Upload-Length: 5'
	connect
	say "$FD" 'GET /file HTTP/1.1\r\n'
	raw -cH "HEAD $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nConnection: close\r\n\r\n"
	assert_status 423
	header Retry-After
	raw -c "PATCH $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nConnection: close\r\n\r\n"
	assert_status 503
	hang_up "$FD"
}

@test "a HEAD whose head comes late gets no answer, which would be 408, and so is asked again" {
	local part

	start_hostile '' 'header_timeout 300ms; max_connections_per_ip 1;'
	begin -H 'Upload-Length: 5'
	for part in "HEAD $UP HTTP/1.1\r\nHost: x\r\nTus-Res" 'HEAD /fi' 'HE' '\r\nH'; do
		run -0 raw -cH "$part"
		assert_output ''
		refute [ -s headers ]
	done
	eventually access_has '"-" 0 .* too-slow'
	connect # the only place
	say "$FD" 'GE'
	run -0 raw -cH "HEAD $UP HTTP/1.1\r\n"
	refute [ -s headers ]
	hang_up "$FD"
	for part in 'HEAP /' 'GET /fi'; do
		eventually _is_late "$part"
	done
	up_at 0
}
_is_late() { raw -c "$1" && [[ $STATUS == 408 ]]; }

@test "where resume is off nothing of it is there" {
	start_server
	request OPTIONS /file
	assert_status 204
	refute_header Tus-Version
	refute_header Upload-Limit
	tus HEAD /file/.penstock/00000000000000000000000000000000
	assert_status 400
	draft 8 PUT /file/a -H 'Upload-Complete: ?1' --data-binary x
	assert_status 201
	[[ $(grep -c '^HTTP/' headers) == 1 ]]
	[[ -z $(find "$STORE/.penstock" -name '*.info' 2>/dev/null) ]]
}
