# Resumable uploads of the IETF's drafts: each version that is spoken, as its clients use
# it, and what they are told.

load ../lib/penstock
load ../lib/parts

start_ietf() { start_server "resume on; ${1:-}" "${2:-}" "${3:-}"; }

# The first head of an answer, without CR.
first_head() { tr -d '\r' <headers | sed '/^$/q'; }

# ---- creation ----

@test "an upload in one request is told early where it could go on, and is answered as any" {
	start_ietf
	random_file f 100000
	for version in 5 6 8 9 10; do
		draft $version PUT /file/a$version -H 'Upload-Complete: ?1' -T f
		assert_status 201
		[[ $(first_head | head -1) == 'HTTP/1.1 104 Upload Resumption Supported' ]]
		first_head | grep -q "^Upload-Draft-Interop-Version: $version$"
		first_head | grep -qE '^Location: /file/\.penstock/[0-9a-f]{32}$'
		assert_header Location /file/a$version
		assert_header Upload-Complete '?1'
		assert_header Upload-Offset 100000
		assert_equal "$(receipt bytes)" 100000
		assert_same f "$STORE/a$version"
	done
	draft 3 POST /file -H 'Upload-Incomplete: ?0' --data-binary @f
	assert_status 201
	[[ $(first_head | head -1) == 'HTTP/1.1 104 Upload Resumption Supported' ]]
	assert_header Upload-Incomplete '?0'
	assert_same f "$STORE/$(basename "$(header Location)")"
}

@test "a creation whose name was taken meanwhile says once that this is its last word" {
	start_ietf
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\nContent-Length: 10\r\n\r\nhello'
	eventually data_has 5
	echo other >f
	upload PUT /file/a f
	assert_status 201
	say "$FD" -more
	hear "$FD" | tr -d '\r' >told
	grep -q '^HTTP/1.1 409' told
	assert_equal "$(grep '^Upload-Complete' told)" 'Upload-Complete: ?1'
	assert_same f "$STORE/a"
}

@test "104 has limits where there are some, and comes beside 100" {
	start_ietf 'max_body_size 1m;'
	random_file f 100000
	request PUT /file/a -H 'Upload-Draft-Interop-Version: 8' -H 'Upload-Complete: ?1' -H 'Expect: 100-continue' -T f
	assert_status 201
	first_head | grep -q '^Upload-Limit: max-size=1048576, max-age=8\(6400\|6399\)$'
	[[ $(tr -d '\r' <headers | grep '^HTTP/' | tr '\n' ' ') == 'HTTP/1.1 104 Upload Resumption Supported HTTP/1.1 100 Continue HTTP/1.1 201 Created ' ]]
}

@test "104 only to a known version, never to HTTP/1.0, and not where a proxy is in between" {
	start_ietf '' 'trusted_proxies 127.0.0.2;'
	: >f
	none() { [[ $(grep -c '^HTTP/' headers) == 1 ]] || fail "$(cat headers)"; }
	request PUT /file/a -H 'Upload-Complete: ?1' --data-binary x
	none
	draft 7 PUT /file/b -H 'Upload-Complete: ?1' --data-binary x
	none
	assert_status 201
	draft 8 PUT /file/c -H 'Upload-Complete: ?1' --http1.0 --data-binary x
	none
	assert_status 201
	for field in 'Via: 1.1 proxy' 'X-Forwarded-For: 192.0.2.1' 'Forwarded: for=192.0.2.1' 'X-Forwarded-Proto: https'; do
		draft 8 POST /file -H 'Upload-Complete: ?1' -H "$field" --data-binary x
		none
		assert_status 201
	done
	draft 8 POST /file -H 'Upload-Complete: ?1' --interface 127.0.0.2 --data-binary x
	none
	stop_server
	start_ietf 'resume_interim off;'
	draft 8 POST /file -H 'Upload-Complete: ?1' --data-binary x
	none
	stop_server
	start_ietf 'resume_interim on;'
	draft 8 POST /file -H 'Upload-Complete: ?1' -H 'Via: 1.1 proxy' --data-binary x
	[[ $(grep -c '^HTTP/' headers) == 2 ]]
}

@test "what is not the last is 201 with Location, and Upload-Complete ?0" {
	start_ietf
	printf hello >f
	for version in 5 6 8 9 10; do
		draft $version POST /file -H 'Upload-Complete: ?0' --data-binary @f
		assert_status 201
		[[ $(header Location) == /file/.penstock/* ]]
		assert_header Upload-Complete '?0'
		assert_header Upload-Offset 5
		draft $version POST /file -H 'Upload-Complete: ?0' -d ''
		assert_status 201
		assert_header Upload-Offset 0
		[[ $(header Location) == /file/.penstock/* ]]
		((version < 6)) || header Upload-Limit
	done
	draft 3 POST /file -H 'Upload-Incomplete: ?1' -d ''
	assert_status 201
	assert_header Upload-Incomplete '?1'
}

@test "an empty upload that is complete is stored, with a body or without" {
	start_ietf
	draft 8 PUT /file/a -H 'Upload-Complete: ?1' -d ''
	assert_status 201
	assert_header Upload-Complete '?1'
	[[ -e $STORE/a ]]
	raw -c 'POST /file/b HTTP/1.1\r\nHost: x\r\nUpload-Draft-Interop-Version: 6\r\nUpload-Complete: ?0\r\nUpload-Length: 0\r\nConnection: close\r\n\r\n'
	[[ -e $STORE/b ]]
	[[ $(header Location) == /file/.penstock/* ]]
}

@test "PUT keeps its name and its conditions" {
	start_ietf 'overwrite on;'
	printf hello >f
	upload PUT /file/a f
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -H 'If-None-Match: *' --data-binary @f
	assert_status 412
	assert_header Upload-Complete '?1' # nothing was begun
	draft 8 PUT /file/b -H 'Upload-Complete: ?0' -H 'If-None-Match: *' --data-binary @f
	assert_status 201
	take_up
	upload PUT /file/b f
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 412
	assert_equal "$(cat "$STORE/b")" hello
}

# ---- going on ----

@test "after a cut the upload goes on where HEAD says" {
	start_ietf
	random_file f 300000
	for version in 6 8 9 10; do
		connect
		say "$FD" "PUT /file/a$version HTTP/1.1\r\nHost: x\r\nUpload-Draft-Interop-Version: $version\r\nUpload-Complete: ?1\r\nContent-Length: 300000\r\n\r\n"
		UP=$(timeout 10 sed -n 's/^Location: \(.*\)\r$/\1/p;/^\r$/q' <&"$FD")
		head -c 100000 f >&"$FD"
		hang_up "$FD"
		eventually access_has "\"PUT /file/a$version\" 0 .* client-gone .* part=0-[0-9]*/300000 "
		draft $version HEAD "$UP"
		assert_status 204
		assert_header Upload-Complete '?0'
		assert_header Upload-Length 300000
		assert_header Cache-Control no-store
		offset=$(header Upload-Offset)
		((offset > 0 && offset <= 100000))
		tail -c "+$((offset + 1))" f >rest
		draft $version PATCH "$UP" -H "Upload-Offset: $offset" -H 'Upload-Complete: ?1' --data-binary @rest
		assert_status 201
		assert_header Upload-Complete '?1'
		assert_header Upload-Offset 300000
		assert_header Location "/file/a$version"
		assert_same f "$STORE/a$version"
	done
}

@test "a part is told early, too: with the offset, without Location; and the connection goes on" {
	start_ietf
	printf hello >f
	for version in 8 9 10; do
		draft $version POST /file -H 'Upload-Complete: ?0' --data-binary @f
		take_up
		connect
		for at in 5 10; do
			[[ $at == 5 ]] && last='?0' end= || last='?1' end='Connection: close\r\n'
			say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nUpload-Draft-Interop-Version: $version\r\nContent-Type: application/partial-upload\r\nUpload-Offset: $at\r\nUpload-Complete: $last\r\nContent-Length: 5\r\n$end\r\nhello"
		done
		hear "$FD" >told
		assert_equal "$(grep -aE '^HTTP/1.1' told | cut -d' ' -f2 | tr '\n' ' ')" '104 204 104 201 '
		assert_equal "$(sed -n '/ 104 /,/^$/p' told | grep -E '^(Upload-Offset|Location)' | tr '\n' ' ')" 'Upload-Offset: 5 Upload-Offset: 10 '
	done
}

@test "the last part in chunks has all that is missing, or is not the last" {
	start_ietf
	printf hello >f
	draft 10 PUT /file/a -H 'Upload-Complete: ?0' -H 'Upload-Length: 10' --data-binary @f
	take_up
	draft 10 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' -H 'Transfer-Encoding: chunked' --data-binary hel
	assert_status 400
	assert_header Upload-Complete '?0'
	grep -q inconsistent-upload-length answer
	draft 10 HEAD "$UP"
	assert_header Upload-Complete '?0'
	at=$(header Upload-Offset)
	tail -c $((10 - at)) <(cat f f) >rest
	draft 10 PATCH "$UP" -H "Upload-Offset: $at" -H 'Upload-Complete: ?1' -H 'Transfer-Encoding: chunked' --data-binary @rest
	assert_status 201
	assert_equal "$(cat "$STORE/a")" hellohello
}

@test "a wrong offset is 409 with the right one, and a problem that has both" {
	start_ietf
	printf hello >f
	draft 8 POST /file -H 'Upload-Complete: ?0' --data-binary @f
	take_up
	for version in 8 9 10; do
		draft $version PATCH "$UP" -H 'Upload-Offset: 3' -H 'Upload-Complete: ?0' --data-binary @f
		assert_status 409
		assert_header Upload-Offset 5
		assert_header Upload-Complete '?0'
		assert_equal "$(jq -r '.type, ."expected-offset", ."provided-offset"' answer | tr '\n' ' ')" \
			'https://iana.org/assignments/http-problem-types#mismatching-upload-offset 5 3 '
	done
	draft 6 PATCH "$UP" -H 'Upload-Offset: 3' -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 409
	assert_equal "$(jq -r .type answer)" about:blank
}

@test "the type of a part is that of its version" {
	start_ietf
	printf hello >f
	draft 5 POST /file -H 'Upload-Complete: ?0' -d ''
	take_up
	draft 5 PATCH "$UP" -H 'Upload-Offset: 0' -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 204
	assert_header Upload-Offset 5
	draft 3 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Incomplete: ?1' --data-binary @f
	assert_status 204
	for version in 6 8 9 10; do
		request PATCH "$UP" -H "Upload-Draft-Interop-Version: $version" -H 'Upload-Offset: 10' -H 'Upload-Complete: ?0' --data-binary @f
		assert_status 415
	done
}

@test "lengths that cannot all be true are 400, a problem of their own, and change nothing" {
	start_ietf
	printf hello >f
	inconsistent() {
		assert_status 400
		[[ $(jq -r .type answer) == *'#inconsistent-upload-length' ]]
	}
	draft 8 POST /file -H 'Upload-Complete: ?1' -H 'Upload-Length: 6' --data-binary @f
	inconsistent
	draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 4' --data-binary @f
	inconsistent
	draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 20' --data-binary @f
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?0' -H 'Upload-Length: 21' --data-binary @f
	inconsistent
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	inconsistent
	draft 8 HEAD "$UP"
	assert_header Upload-Offset 5
	# A chunked body shows it at its end only: what came is kept.
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' -H 'Transfer-Encoding: chunked' --data-binary @f
	inconsistent
	draft 8 HEAD "$UP"
	assert_header Upload-Offset 10
	[[ -z $(find "$STORE" -maxdepth 1 -type f) ]]
}

@test "a part beyond the length is refused, and ends the upload" {
	start_ietf
	printf hello >f
	for how in 'Content-Length: 5' 'Transfer-Encoding: chunked'; do
		draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 4' -d ''
		take_up
		draft 8 PATCH "$UP" -H 'Upload-Offset: 0' -H 'Upload-Complete: ?0' -H "$how" --data-binary @f
		assert_status 400
		draft 8 HEAD "$UP"
		assert_status 410
	done
}

@test "what reaches the length is finished, whatever Upload-Complete says" {
	start_ietf
	printf hello >f
	: >none
	draft 6 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename a)" -d ''
	take_up
	draft 6 PATCH "$UP" -H 'Upload-Offset: 0' -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 201
	assert_header Upload-Offset 5
	assert_same f "$STORE/a"
	# As tus-js-client ends a stream.
	for complete in '?0' '?1'; do
		draft 6 PATCH "$UP" -H 'Upload-Offset: 5' -H "Upload-Complete: $complete" -H 'Transfer-Encoding: chunked' --data-binary @none
		assert_status 201
		assert_header Upload-Offset 5
	done
	[[ $(find "$STORE" -maxdepth 1 -type f | wc -l) == 1 ]]
}

@test "the final answer is said again to who asks again" {
	start_ietf
	printf hello >f
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -d ''
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 0' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 201
	cp answer first
	stop_server
	start_conf penstock.conf
	draft 8 HEAD "$UP"
	assert_status 204
	assert_header Upload-Complete '?1'
	assert_header Upload-Offset 5
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' -d ''
	assert_status 201
	assert_header Location /file/a
	assert_header Upload-Complete '?1'
	assert_same first answer
}

@test "who repeats the end of a stored upload is told its end, whatever the request leaves out" {
	local version form body last more

	start_ietf
	printf hello >f
	for version in 3 5 6 8 9 10; do
		last='Upload-Complete: ?1' more='Upload-Complete: ?0'
		((version > 3)) || last='Upload-Incomplete: ?0' more='Upload-Incomplete: ?1'
		draft $version PUT /file/a$version -H "$more" -d ''
		take_up
		draft $version PATCH "$UP" -H 'Upload-Offset: 0' -H "$last" --data-binary @f
		assert_status 201
		cp answer first
		for form in '' "$last\\r\\n" 'Upload-Offset: 5\r\n' "Upload-Offset: 5\\r\\n$last\\r\\n"; do
			for body in '\r\n' 'Content-Length: 0\r\n\r\n' 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'; do
				raw -c "PATCH $UP HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpload-Draft-Interop-Version: $version\r\n$form$body"
				assert_status 201
				assert_header Upload-Offset 5
				assert_header Location /file/a$version
				assert_same first answer
			done
		done
		# It is not the last word, but says where that is to be asked for.
		draft $version PATCH "$UP" -H 'Upload-Offset: 4' -d ''
		assert_status 409
		assert_header Upload-Offset 5
		assert_header "${more%%:*}" "${more##* }"
	done
	assert_equal "$(find "$STORE" -maxdepth 1 -type f | wc -l)" 6
}

@test "a name that was taken meanwhile comes from the file: Upload-Complete ?1" {
	start_ietf
	printf hello >f
	for version in 6 10; do
		draft $version PUT /file/a$version -H 'Upload-Complete: ?0' -d ''
		take_up
		connect
		say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpload-Draft-Interop-Version: $version\r\nContent-Type: application/partial-upload\r\nUpload-Offset: 0\r\nUpload-Complete: ?1\r\nContent-Length: 5\r\n\r\nhell"
		eventually data_has 4
		upload PUT /file/a$version f
		say "$FD" o
		hear "$FD" >told
		grep -q '^Upload-Complete: ?1' told
		if [[ $version == 10 ]]; then
			grep -q '^HTTP/1.1 409' told
		else
			grep -q '^HTTP/1.1 403' told
		fi
		draft $version HEAD "$UP"
		assert_status 410
		assert_header Upload-Complete '?1'
	done
}

@test "DELETE ends it, also while a part is on its way" {
	start_ietf
	draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 10' -d ''
	take_up
	connect
	say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nUpload-Draft-Interop-Version: 8\r\nContent-Type: application/partial-upload\r\nUpload-Offset: 0\r\nUpload-Complete: ?0\r\nContent-Length: 10\r\n\r\nhell"
	eventually data_has 4
	draft 8 DELETE "$UP"
	assert_status 204
	draft 8 HEAD "$UP"
	assert_status 404
}

@test "GET of an upload says how far it is, and then what became of it" {
	start_ietf
	printf hello >f
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' --data-binary @f
	take_up
	draft 8 GET "$UP"
	assert_status 200
	assert_header Upload-Offset 5
	assert_equal "$(receipt phase) $(receipt offset)" 'open 5'
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	draft 8 GET "$UP"
	assert_equal "$(receipt bytes) $(receipt name)" '10 a'
}

@test "a field that is no structured field is ignored, or refused where it is needed" {
	start_ietf
	printf hello >f
	draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: -5' --data-binary @f
	assert_status 201
	take_up
	draft 8 HEAD "$UP"
	refute_header Upload-Length
	for offset in -5 ?1 '"5"' 5.0; do
		draft 8 PATCH "$UP" -H "Upload-Offset: $offset" -H 'Upload-Complete: ?0' --data-binary @f
		assert_status 400
	done
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: 1' --data-binary @f
	assert_status 400
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5;x=1' -H 'Upload-Complete: ?0;y' --data-binary @f
	assert_status 204
}

@test "OPTIONS says the limits" {
	start_ietf 'resume_expire 1h;'
	request OPTIONS /file
	assert_header Upload-Limit max-age=3600
	stop_server
	start_ietf 'resume_versions tus; max_body_size 5;'
	request OPTIONS /file
	refute_header Upload-Limit
	assert_header Tus-Max-Size 5
	stop_server
	start_ietf 'resume_versions 8 10;'
	request OPTIONS /file
	refute_header Tus-Version
	assert_header Upload-Limit max-age=86400
}

@test "max_body_size is of the whole upload, and 413 says so in Upload-Limit" {
	start_ietf 'max_body_size 8;'
	printf hello >f
	draft 8 POST /file -H 'Upload-Complete: ?0' -H 'Upload-Length: 9' -d ''
	assert_status 413
	[[ $(header Upload-Limit) == max-size=8,* ]]
	draft 8 POST /file -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 201
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 413
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' -H 'Transfer-Encoding: chunked' --data-binary @f
	assert_status 413
	draft 8 HEAD "$UP"
	assert_header Upload-Offset 5
}

# ---- digests ----

sf_digest() { printf 'sha-256=:%s:' "$(openssl dgst -sha256 -binary "$1" | base64 -w0)"; }

@test "Content-Digest is of the part: if it differs nothing is appended" {
	start_ietf
	printf hello >f
	printf other >other
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -H "Content-Digest: $(sf_digest f)" --data-binary @f
	assert_status 201
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' -H "Content-Digest: $(sf_digest f)" --data-binary @other
	assert_status 400
	draft 8 HEAD "$UP"
	assert_header Upload-Offset 5
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' -H "Content-Digest: $(sf_digest other)" --data-binary @other
	assert_status 201
	assert_equal "$(cat "$STORE/a")" helloother
}

@test "a creation whose Content-Digest differs begins nothing, unless it was told early where it is" {
	start_ietf 'max_resumable 1;'
	printf hello >f
	printf other >other
	differs=(PUT /file/a -H 'Upload-Complete: ?1' -H "Content-Digest: $(sf_digest f)" --data-binary @other)
	draft 8 "${differs[@]}" -H 'X-Forwarded-For: 192.0.2.1'
	assert_status 400
	assert_header Upload-Complete '?1'
	refute_header Upload-Offset
	begins() { draft 8 "${differs[@]}" && [[ $STATUS == 400 ]]; }
	eventually begins
	UP=$(first_head | sed -n 's/^Location: //p')
	assert_header Location "$UP"
	assert_header Upload-Complete '?0'
	assert_header Upload-Offset 0
	draft 8 PATCH "$UP" -H 'Upload-Offset: 0' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 201
	assert_equal "$(cat "$STORE/a")" hello
}

@test "Repr-Digest of the creation is of the whole: if it differs nothing is stored" {
	start_ietf
	printf hello >f
	printf hellohello >whole
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -H "Repr-Digest: $(sf_digest whole)" --data-binary @f
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 201
	assert_header Repr-Digest "$(sf_digest whole)"
	draft 8 PUT /file/b -H 'Upload-Complete: ?0' -H "Repr-Digest: $(sf_digest f)" --data-binary @f
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 400
	assert_header Upload-Complete '?1'
	run ! test -e "$STORE/b"
	draft 8 HEAD "$UP"
	assert_status 410
}

@test "Want-Repr-Digest of the creation is answered at the end" {
	start_ietf
	printf hello >f
	printf hellohello >whole
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -H 'Want-Repr-Digest: sha-256=1' --data-binary @f
	take_up
	draft 8 PATCH "$UP" -H 'Upload-Offset: 5' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 201
	assert_header Repr-Digest "$(sf_digest whole)"
}

# ---- others ----

@test "the protocols are chosen by the request, on one URL" {
	start_ietf
	printf hello >f
	draft 8 PUT /file/a -H 'Upload-Complete: ?0' -H 'Upload-Length: 15' --data-binary @f
	take_up
	patch 5 f
	assert_status 204
	assert_header Upload-Offset 10
	draft 10 PATCH "$UP" -H 'Upload-Offset: 10' -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 201
	assert_equal "$(cat "$STORE/a")" hellohellohello
	# Who speaks no version is understood by what began it.
	request HEAD "$UP"
	assert_status 204
	assert_header Upload-Complete '?1'
}

@test "versions that are not listed are not spoken: a whole file is stored, a part refused" {
	start_ietf 'resume_versions 6;'
	printf hello >f
	draft 8 PUT /file/a -H 'Upload-Complete: ?1' --data-binary @f
	assert_status 201
	[[ $(grep -c '^HTTP/' headers) == 1 ]]
	draft 8 PUT /file/b -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 400
	tus POST /file -H 'Upload-Length: 5'
	assert_status 400
	draft 6 PUT /file/c -H 'Upload-Complete: ?0' --data-binary @f
	assert_status 201
}

@test "Incremental: the file is begun before its body is here" {
	start_ietf
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nIncremental: ?1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe'
	upload PUT /file/b /dev/null
	say "$FD" llo
	hear "$FD" | grep -q '^HTTP/1.1 201'
	assert_equal "$(cat "$STORE/a")" hello
}
