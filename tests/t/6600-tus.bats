# tus 1.0.0: what its core and its extensions say of each request and its answer.

load ../lib/penstock
load ../lib/parts

start_tus() { start_server "resume on; ${1:-}" "${2:-}" "${3:-}"; }

# ---- the core ----

@test "every answer has Tus-Resumable, refusals too" {
	start_tus
	begin -H 'Upload-Length: 5'
	assert_header Tus-Resumable 1.0.0
	for path in "$UP" "/file/.penstock/0123" /file/name; do
		tus HEAD "$path"
		assert_header Tus-Resumable 1.0.0
		tus DELETE "$path"
		assert_header Tus-Resumable 1.0.0
	done
	tus POST /file -H 'Upload-Length: x'
	assert_status 400
	assert_header Tus-Resumable 1.0.0
}

@test "another version is 412 with Tus-Version, and nothing is done" {
	start_tus
	request POST /file -H 'Tus-Resumable: 0.2.2' -H 'Upload-Length: 5'
	assert_status 412
	assert_header Tus-Version 1.0.0
	begin -H 'Upload-Length: 5'
	printf hello >f
	request PATCH "$UP" -H 'Tus-Resumable: 2.0.0' -H 'Upload-Offset: 0' --data-binary @f \
		-H 'Content-Type: application/offset+octet-stream'
	assert_status 412
	request HEAD "$UP"
	assert_status 412
	assert_header Tus-Version 1.0.0
	up_at 0
}

@test "OPTIONS is 200, with all that is spoken, whatever version it has" {
	start_tus 'max_body_size 1g;'
	for path in /file /file/ /file/name; do
		request OPTIONS "$path" -H 'Tus-Resumable: 0.1'
		assert_status 200
		assert_header Tus-Version 1.0.0
		assert_header Tus-Extension 'creation,creation-with-upload,creation-defer-length,expiration,checksum,checksum-trailer,termination,concatenation'
		assert_header Tus-Max-Size 1073741824
		[[ ,$(header Tus-Checksum-Algorithm), == *,sha1,* ]]
		assert_header Upload-Limit 'max-size=1073741824, max-age=86400'
	done
}

@test "HEAD says the offset, the length and the metadata as it was sent, and is not to be stored" {
	start_tus
	begin -H 'Upload-Length: 5' -H 'Upload-Metadata: b YQ==,a Yg==, empty'
	up_at 0
	assert_header Upload-Length 5
	assert_header Upload-Metadata 'b YQ==,a Yg==, empty'
	assert_header Cache-Control no-store
	printf hello >f
	patch 0 f
	up_at 5
	assert_header Upload-Length 5
}

@test "what is not there is 404 without an offset" {
	start_tus
	for path in /file/.penstock/00000000000000000000000000000000 /file/name /file/.penstock/x; do
		tus HEAD "$path"
		assert_status 404
		refute_header Upload-Offset
		tus PATCH "$path" -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: 0' --data-binary x
		assert_status 404
		tus DELETE "$path"
		assert_status 404
	done
}

@test "PATCH: another type is 415, no offset 400, a wrong one 409, and nothing changes" {
	start_tus
	begin -H 'Upload-Length: 10'
	printf hello >f
	tus PATCH "$UP" -H 'Content-Type: text/plain' -H 'Upload-Offset: 0' --data-binary @f
	assert_status 415
	tus PATCH "$UP" -H 'Content-Type: application/offset+octet-stream' --data-binary @f
	assert_status 400
	for offset in 1 5 100 9223372036854775807; do
		patch "$offset" f
		assert_status 409
		assert_header Upload-Offset 0
	done
	for offset in -1 +0 00 0x0 ' ' 99999999999999999999; do
		patch "$offset" f
		assert_status 400
	done
	up_at 0
	patch 0 f
	assert_status 204
	assert_header Upload-Offset 5
	patch 0 f
	assert_status 409
	grep -q 'there are 5' answer
	up_at 5
}

@test "a file in parts is the file, and its receipt is that of all parts" {
	start_tus
	random_file f 300000
	head -c 100000 f >a
	tail -c +100001 f >b
	begin -H 'Upload-Length: 300000' -H "Upload-Metadata: $(metadata filename x.bin)"
	patch 0 a
	assert_status 204
	assert_header Upload-Offset 100000
	run ! test -e "$STORE/x.bin"
	patch 100000 b
	assert_status 204
	assert_header Upload-Offset 300000
	assert_header Content-Location /file/x.bin
	assert_same f "$STORE/x.bin"
	tus GET "$UP"
	assert_equal "$(receipt bytes) $(receipt parts) $(receipt durability)" '300000 2 synced'
	eventually access_has '"PATCH /file/.penstock/[0-9a-f]*" 204 in=100000 .* part .* part=0-100000/300000 name="x.bin"'
	eventually access_has '204 in=200000 .* stored .* part=100000-300000/300000 '
}

@test "what came before a client left is kept, and the rest makes it whole" {
	start_tus
	begin -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename x)"
	stall 0 10 hell
	hang_up "$FD"
	eventually access_has 'client-gone .* part=0-4/10 '
	up_at 4
	printf o-more >f
	patch 4 f
	assert_status 204
	assert_equal "$(cat "$STORE/x")" hello-more
}

@test "X-HTTP-Method-Override stands for the method, on POST" {
	start_tus
	begin -H 'Upload-Length: 5'
	printf hello >f
	tus POST "$UP" -H 'X-HTTP-Method-Override: PATCH' -H 'Content-Type: application/offset+octet-stream' \
		-H 'Upload-Offset: 0' --data-binary @f
	assert_status 204
	assert_header Upload-Offset 5
	tus GET "$UP" -H 'X-HTTP-Method-Override: DELETE'
	assert_status 200
	tus POST "$UP" -H 'X-HTTP-Method-Override: HEAD' -d ''
	assert_status 200
	assert_header Upload-Offset 5
	tus POST "$UP" -H 'X-HTTP-Method-Override: DELETE' -d ''
	assert_status 204
	tus HEAD "$UP"
	assert_status 404
}

# ---- creation ----

@test "a creation is 201 with a path as Location, also without a Content-Length" {
	start_tus
	begin -H 'Upload-Length: 5'
	[[ $UP =~ ^/file/\.penstock/[0-9a-f]{32}$ ]]
	raw -c 'POST /file/ HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nConnection: close\r\n\r\n'
	assert_status 201
}

@test "a creation says the length once: neither, both, or no number is 400" {
	start_tus
	tus POST /file
	assert_status 400
	tus POST /file -H 'Upload-Length: 5' -H 'Upload-Defer-Length: 1'
	assert_status 400
	tus POST /file -H 'Upload-Defer-Length: 2'
	assert_status 400
	for length in -1 +1 01 1.0 1e3 ' ' 9223372036854775808 99999999999999999999999; do
		tus POST /file -H "Upload-Length: $length"
		assert_status 400
		assert_problem Upload-Length
	done
	assert_store_empty
}

@test "the name is that of the URL, of filename, or of name; else it is made" {
	start_tus
	: >f
	tus POST /file/sub/a -H 'Upload-Length: 0' -H "Upload-Metadata: $(metadata filename b)"
	assert_status 201
	[[ -e $STORE/sub/a ]]
	begin -H 'Upload-Length: 0' -H "Upload-Metadata: $(metadata name d),$(metadata filename c)"
	[[ -e $STORE/c ]]
	begin -H 'Upload-Length: 0' -H "Upload-Metadata: $(metadata name 'a%20b é')"
	[[ -e "$STORE/a%20b é" ]]
	begin -H 'Upload-Length: 0'
	[[ $(find "$STORE" -maxdepth 1 -name '20*Z-*' | wc -l) == 1 ]]
}

@test "what says no name in its metadata may say it in Content-Disposition, in tus and in the drafts" {
	local said

	# as NAME FIELD...: by each protocol it is stored as that.
	as() {
		local name=$1
		shift
		tus POST /file -H 'Upload-Length: 0' "$@"
		assert_status 201
		[[ -e $STORE/$name ]] || fail "$name: $(ls "$STORE")"
		rm "$STORE/$name"
		draft 10 POST /file -H 'Upload-Complete: ?1' "$@" -d ''
		assert_status 201
		[[ -e $STORE/$name ]] || fail "$name: $(ls "$STORE")"
		rm "$STORE/$name"
	}
	start_tus
	as a.txt -H 'Content-Disposition: attachment; filename=a.txt'
	as 'a b.txt' -H 'Content-Disposition: inline; filename="a b.txt"' -H 'Upload-Metadata: type dGV4dA=='
	as 'b é.txt' -H "Content-Disposition: inline; filename=a.txt; filename*=UTF-8''b%20%C3%A9.txt"
	as a.txt -H 'Content-Disposition: inline; filename="C:\dir\a.txt"'
	as passwd -H 'Content-Disposition: inline; filename="/etc/passwd"'
	as c -H 'Content-Disposition: inline; filename=a.txt' -H "Upload-Metadata: $(metadata filename c)"
	tus POST /file/d -H 'Upload-Length: 0' -H 'Content-Disposition: inline; filename=a.txt'
	[[ -e $STORE/d ]]
	for said in 'filename=a b' 'filename="../a"' 'filename=".."' 'filename=".penstock/a"' "filename*=UTF-8''a%00" "filename*=UTF-8''a%0D" \
		'filename=a; filename=b' 'filename="a'; do
		tus POST /file -H 'Upload-Length: 0' -H "Content-Disposition: inline; $said"
		assert_status 400
	done
	assert_equal "$(find "$STORE" -type f -not -path '*/.penstock/*')" "$STORE/d"
	for said in inline 'attachment; filename=""' 'inline; size=5'; do
		begin -H 'Upload-Length: 0' -H "Content-Disposition: $said"
	done
	assert_equal "$(find "$STORE" -maxdepth 1 -name '20*Z-*' | wc -l)" 3
}

@test "an upload of 0 bytes is finished by its creation" {
	start_tus
	for more in '' 'Content-Length: 0\r\n' 'Content-Type: application/offset+octet-stream\r\nTransfer-Encoding: chunked\r\n'; do
		body=
		[[ $more == *chunked* ]] && body='0\r\n\r\n'
		raw -c "POST /file HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 0\r\nConnection: close\r\n$more\r\n$body"
		assert_status 201
		assert_header Upload-Offset 0
		take_up
		up_at 0
		assert_header Upload-Length 0
	done
	[[ $(find "$STORE" -maxdepth 1 -type f | wc -l) == 3 ]]
}

@test "a creation longer than max_body_size is 413" {
	start_tus 'max_body_size 64k;'
	tus POST /file -H 'Upload-Length: 65537'
	assert_status 413
	assert_problem 'max_body_size 64k'
	begin -H 'Upload-Length: 65536'
}

@test "an empty Upload-Metadata is none" {
	start_tus
	begin -H 'Upload-Length: 5' -H 'Upload-Metadata;'
	tus HEAD "$UP"
	assert_status 200
}

# ---- creation-with-upload ----

@test "a creation may bring bytes, of the right type" {
	start_tus
	printf hello >f
	tus POST /file/a -H 'Upload-Length: 10' -H 'Content-Type: text/plain' --data-binary @f
	assert_status 415
	tus POST /file/a -H 'Upload-Length: 4' -H 'Content-Type: application/offset+octet-stream' --data-binary @f
	assert_status 413
	tus POST /file/a -H 'Upload-Length: 10' -H 'Content-Type: application/offset+octet-stream' --data-binary @f
	assert_status 201
	assert_header Upload-Offset 5
	take_up
	patch 5 f
	assert_status 204
	assert_equal "$(cat "$STORE/a")" hellohello
	tus POST /file/b -H 'Upload-Length: 5' -H 'Content-Type: application/offset+octet-stream' -H 'Expect: 100-continue' --data-binary @f
	assert_status 201
	assert_header Upload-Offset 5
	[[ $(header Location) == /file/.penstock/* ]]
	assert_equal "$(cat "$STORE/b")" hello
	grep -q '^HTTP/1.1 100' headers
}

# In $FD: a creation that sends these bytes of 10, and no more.
stall_creation() {
	connect
	say "$FD" "POST /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Length: 10\r\nContent-Length: 10\r\n\r\n$1"
}

@test "a creation whose bytes end early is told where those are that came, by an error, too" {
	start_tus '' 'body_timeout 300ms;'
	stall_creation hell
	hear "$FD" >told
	grep -q '^HTTP/1.1 503' told
	grep -q '^Upload-Offset: 4' told
	UP=$(sed -n 's/^Location: //p' told)
	up_at 4
}

@test "a creation that is told by a server that stops where its bytes are goes on after that" {
	start_tus
	stall_creation hell
	eventually data_has 4
	kill -TERM "$MASTER"
	hear "$FD" >told
	grep -q '^Upload-Offset: 4' told
	UP=$(sed -n 's/^Location: //p' told)
	eventually not_running "$MASTER"
	start_conf penstock.conf
	up_at 4
}

@test "of a creation that nobody can go on with nothing is kept" {
	start_tus 'max_resumable 1;'
	stall_creation hell
	eventually data_has 4
	hang_up "$FD"
	eventually access_has 'client-gone .* part=0-0/10 '
	eventually begin -H 'Upload-Length: 5'
	tus DELETE "$UP"
	raw -c 'POST /file HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\nContent-Type: application/offset+octet-stream\r\nTrailer: Upload-Checksum\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
	assert_status 400
	refute_header Location
	eventually begin -H 'Upload-Length: 5'
}

# dropped: what waited is gone, and there is room for another one.
dropped() {
	eventually begin -H 'Upload-Length: 5'
	assert_equal "$(find "$T/backing/up/.penstock" -name '*.data' | wc -l)" 1
	tus DELETE "$UP"
	assert_status 204
}

@test "of a creation whose bytes the disk does not take nothing is kept: its client never learns where it is" {
	slowfs_start
	STORES+=("$T/backing/up")
	STORE=$T/backing/up
	start_tus "output_dir $T/slow/up; max_resumable 1; resume_interim off;" 'body_timeout 500ms;'
	for op in write fsync; do
		stall_creation hell
		eventually data_has 4
		slowfs_ctl fail $op ENOSPC once
		[[ $op == fsync ]] || say "$FD" o
		hear "$FD" >told
		grep -q '^HTTP/1.1 507' told
		run ! grep -q '^Location:' told
		slowfs_ctl clear
		dropped
	done
	slowfs_ctl fail link EIO once
	draft 6 POST /file/a -H 'Upload-Complete: ?1' -d hello
	assert_status 500
	refute_header Location
	dropped
}

# ---- creation-defer-length ----

@test "a deferred length is said once, with bytes or without" {
	start_tus
	printf hello >f
	: >none
	begin -H 'Upload-Defer-Length: 1' -H "Upload-Metadata: $(metadata filename a)"
	up_at 0
	assert_header Upload-Defer-Length 1
	refute_header Upload-Length
	patch 0 f
	assert_header Upload-Offset 5
	patch 5 f -H 'Upload-Length: 4'
	assert_status 400
	patch 5 f -H 'Upload-Length: 12'
	assert_status 204
	up_at 10
	assert_header Upload-Length 12
	refute_header Upload-Defer-Length
	# What was said is what counts; the same again is the answer that got lost.
	patch 10 none -H 'Upload-Length: 13'
	assert_status 400
	patch 10 none -H 'Upload-Length: 12'
	assert_status 204
	head -c 2 f >two
	patch 10 two
	assert_header Upload-Offset 12
	assert_equal "$(cat "$STORE/a")" hellohellohe
	begin -H 'Upload-Defer-Length: 1' -H "Upload-Metadata: $(metadata filename b)"
	patch 0 f
	patch 5 none -H 'Upload-Length: 5'
	assert_status 204
	assert_equal "$(cat "$STORE/b")" hello
}

# ---- expiration ----

@test "a part that brings nothing does not put off when an upload expires" {
	local before

	start_tus 'resume_expire 1h;'
	begin -H 'Upload-Length: 6'
	before=$(header Upload-Expires)
	sleep 1.1
	: >f
	patch 0 f
	assert_status 204
	assert_equal "$(header Upload-Expires)" "$before"
	up_at 0
	assert_equal "$(header Upload-Expires)" "$before"
	printf hello >f
	patch 0 f
	[ "$(header Upload-Expires)" != "$before" ] || fail "$before"
}

@test "Upload-Expires is in each answer while it will expire, as a date" {
	start_tus 'resume_expire 1h;'
	soon() {
		local left=$(($(date -d "$(header Upload-Expires)" +%s) - $(date +%s)))
		((left > 3500 && left <= 3600)) || fail "$left"
	}
	begin -H 'Upload-Length: 6'
	soon
	printf hello >f
	patch 0 f
	soon
	up_at 5
	soon
	printf '!' >one
	patch 5 one
	assert_header Upload-Offset 6
	up_at 6
	refute_header Upload-Expires
}

# ---- checksum ----

checksum() { printf '%s %s' "$1" "$(openssl dgst "-$1" -binary "$2" | base64 -w0)"; }

@test "a part whose checksum is right counts; one that differs is 460, and the offset stays" {
	start_tus
	random_file f 70000
	random_file other 70000
	begin -H 'Upload-Length: 210000' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f -H "Upload-Checksum: $(checksum sha1 other)"
	assert_status 460
	up_at 0
	patch 0 f -H "Upload-Checksum: $(checksum sha1 f)"
	assert_status 204
	up_at 70000
	for algorithm in md5 sha256 sha512; do
		patch 70000 f -H "Upload-Checksum: $(checksum "$algorithm" other)"
		assert_status 460
	done
	up_at 70000
	patch 70000 f -H "Upload-Checksum: $(checksum md5 f)"
	assert_status 204
	patch 140000 f -H "Upload-Checksum: $(checksum sha256 f)"
	assert_status 204
	cat f f f >whole
	assert_same whole "$STORE/a"
}

@test "an unknown algorithm is 400, half a checksum too, and one of another length 460" {
	start_tus
	printf hello >f
	begin -H 'Upload-Length: 5'
	for bad in 'sha3 AAAA' 'sha1' 'sha1 !!!!' ' AAAA'; do
		patch 0 f -H "Upload-Checksum: $bad"
		assert_status 400
	done
	patch 0 f -H "Upload-Checksum: sha1 $( (openssl dgst -sha1 -binary f; printf x) | base64 -w0)"
	assert_status 460
	up_at 0
	patch 0 f -H 'Upload-Checksum: crc32c mnG7TA=='
	assert_status 204
}

@test "crc32c of a part is compared" {
	start_tus
	printf 123456789 >f
	begin -H 'Upload-Length: 9'
	patch 0 f -H 'Upload-Checksum: crc32c AAAAAA=='
	assert_status 460
	patch 0 f -H 'Upload-Checksum: crc32c 4waSgw=='
	assert_status 204
}

@test "a creation whose first bytes have another checksum begins nothing" {
	start_tus
	printf hello >f
	tus POST /file/a -H 'Upload-Length: 5' -H 'Content-Type: application/offset+octet-stream' \
		-H "Upload-Checksum: $(checksum sha1 /dev/null)" --data-binary @f
	assert_status 460
	run ! test -e "$STORE/a"
}

trailer() {
	raw -c "PATCH $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nTrailer: Upload-Checksum\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n$1\r\n"
}

@test "a checksum may come in the trailer" {
	start_tus
	printf hello >f
	begin -H 'Upload-Length: 5'
	trailer "Upload-Checksum: $(checksum sha1 /dev/null)\r\n"
	assert_status 460
	up_at 0
	trailer ''
	assert_status 400
	up_at 0
	trailer "Upload-Checksum: $(checksum sha1 f)\r\nUpload-Checksum: $(checksum sha1 f)\r\n"
	assert_status 400
	up_at 0
	trailer "Upload-Checksum:  $(checksum sha256 f) \r\n"
	assert_status 204
	up_at 5
}

@test "a part with a checksum that is cut counts nothing" {
	start_tus
	begin -H 'Upload-Length: 10'
	connect
	say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nUpload-Checksum: $(checksum sha1 /dev/null)\r\nContent-Length: 10\r\n\r\nhello"
	hang_up "$FD"
	eventually access_has 'client-gone .* part=0-0/10 '
	up_at 0
}

# ---- termination ----

@test "DELETE is 204, and then it is not there; also one that is finished" {
	start_tus
	printf hello >f
	begin -H 'Upload-Length: 9'
	patch 0 f
	tus DELETE "$UP"
	assert_status 204
	tus HEAD "$UP"
	assert_status 404
	tus DELETE "$UP"
	assert_status 404
	[[ -z $(find "$STORE/.penstock" -name '*.data' -o -name '*.info') ]]
	begin -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f
	tus DELETE "$UP"
	assert_status 204
	assert_same f "$STORE/a" # what is stored is not the upload any more
}

# ---- concatenation ----

@test "a final upload is its parts, which may be used again" {
	start_tus
	random_file f 200000
	random_file g 70000
	begin -H 'Upload-Concat: partial' -H 'Upload-Length: 200000'
	first=$UP
	patch 0 f
	assert_status 204
	up_at 200000
	assert_header Upload-Concat partial
	begin -H 'Upload-Concat: partial' -H 'Upload-Length: 70000' -H "Upload-Metadata: $(metadata filename no)"
	patch 0 g
	second=$UP
	[[ -z $(find "$STORE" -maxdepth 1 -type f) ]]
	begin -H "Upload-Concat: final;$first $URL$second $first" -H "Upload-Metadata: $(metadata filename all)"
	cat f g f >whole
	assert_same whole "$STORE/all"
	run ! test -e "$STORE/no"
	up_at 470000
	assert_header Upload-Length 470000
	assert_header Upload-Concat "final;$first $URL$second $first"
	patch 470000 /dev/null
	assert_status 403
	begin -H "Upload-Concat: final;$second" -H "Upload-Metadata: $(metadata filename again)"
	assert_same g "$STORE/again"
}

@test "a final upload waits for a part that another one, a sweep, has for a moment" {
	local id begun

	start_tus
	printf hello >f
	begin -H 'Upload-Length: 5' -H 'Upload-Concat: partial'
	patch 0 f
	assert_status 204
	id=${UP##*/}
	flock "$STORE/.penstock/$id.info" sh -c ': >held; sleep 1' 3>&- 4>&- &
	eventually test -e held
	begun=$EPOCHREALTIME
	tus POST /file -H "Upload-Concat: final;$UP" -H "Upload-Metadata: $(metadata filename whole)"
	assert_status 201
	assert_same f "$STORE/whole"
	((${EPOCHREALTIME/./} - ${begun/./} < 3000000))
}

@test "a final upload of what is not finished, or not there, or no part, is 400" {
	start_tus
	printf hello >f
	begin -H 'Upload-Concat: partial' -H 'Upload-Length: 9'
	patch 0 f
	partial=$UP
	begin -H 'Upload-Length: 5'
	for url in "$partial" "$UP" /file/.penstock/00000000000000000000000000000000 /file/name "/x$partial"; do
		tus POST /file -H "Upload-Concat: final;$url"
		assert_status 400
	done
	tus POST /file -H "Upload-Concat: final;$partial" -H 'Upload-Length: 9'
	assert_status 400
	tus POST /file -H 'Upload-Concat: whole' -H 'Upload-Length: 9'
	assert_status 400
	[[ -z $(find "$STORE" -maxdepth 1 -type f) ]]
}

# ---- finishing ----

@test "an empty PATCH at the end of a finished upload is 204, and stores nothing again" {
	start_tus
	printf hello >f
	: >none
	begin -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename a)"
	patch 0 f
	mv "$STORE/a" kept
	patch 5 none
	assert_status 204
	assert_header Upload-Offset 5
	run ! test -e "$STORE/a"
}

@test "a name that was taken meanwhile is no 409, which would be tried again" {
	start_tus
	printf hello >f
	begin -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename a)"
	upload PUT /file/a f
	assert_status 201
	patch 0 f
	assert_status 403
	assert_problem 'a file of that name exists'
	tus POST /file -H 'Upload-Length: 5' -H "Upload-Metadata: $(metadata filename a)"
	assert_status 403
}

@test "a body longer than the rest is 413, and nothing of it is kept" {
	start_tus
	printf hello-more >f
	begin -H 'Upload-Length: 5'
	patch 0 f
	assert_status 413
	up_at 0
	patch 0 f -H 'Transfer-Encoding: chunked'
	assert_status 413
	up_at 0
}

# ---- one after the other ----

@test "PATCH with Expect gets its 100 at once, or what is wrong with it" {
	start_tus
	begin -H 'Upload-Length: 10'
	for at in 0 3; do
		connect
		say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: $at\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
		read -r -t "$PENSTOCK_PATIENCE" line <&"$FD"
		case $at in
		0) [[ $line == 'HTTP/1.1 100 Continue'* ]] || fail "$line" ;;
		3) [[ $line == 'HTTP/1.1 409 '* ]] || fail "$line" ;;
		esac
		hang_up "$FD"
	done
}

@test "a newer PATCH takes the upload over, and the older one is told what was kept" {
	start_tus
	begin -H 'Upload-Length: 10' -H "Upload-Metadata: $(metadata filename a)"
	stall 0 10 hell
	older=$FD
	eventually data_has 4
	up_at 4
	hear "$older" >told
	grep -q '^HTTP/1.1 204' told
	grep -q '^Upload-Offset: 4' told
	grep -q '^Connection: close' told
	printf o-more >f
	patch 4 f
	assert_status 204
	assert_equal "$(cat "$STORE/a")" hello-more
	eventually access_has 'taken-over .* part=0-4/10 '
}

@test "DELETE takes over, too" {
	start_tus
	begin -H 'Upload-Length: 10'
	stall 0 10 hell
	eventually data_has 4
	tus DELETE "$UP"
	assert_status 204
	hear "$FD" >told
	grep -q '^HTTP/1.1 204' told
	tus HEAD "$UP"
	assert_status 404
}

@test "any worker goes on, and a server that was started again" {
	start_tus '' '' 'worker_processes 3;'
	random_file f 100000
	split -b 10000 -d f part
	begin -H 'Upload-Length: 100000' -H "Upload-Metadata: $(metadata filename a)"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		patch $((i * 10000)) part0$i
		assert_status 204
		if [[ $i == 4 ]]; then
			stop_server
			start_conf penstock.conf
		fi
	done
	assert_same f "$STORE/a"
}

@test "a server that stops keeps what came, and says so" {
	start_tus
	begin -H 'Upload-Length: 10'
	stall 0 10 hell
	eventually data_has 4
	kill -TERM "$MASTER"
	hear "$FD" >told
	grep -q '^HTTP/1.1 503' told
	grep -q '^Upload-Offset: 4' told
	grep -q '4 bytes of the upload are kept: go on from there' told
	eventually not_running "$MASTER"
	start_conf penstock.conf
	up_at 4
}

@test "a part that comes too slowly is 503, with what was kept: 408 would end the upload" {
	start_tus '' 'body_timeout 300ms;'
	begin -H 'Upload-Length: 10'
	stall 0 10 hell
	hear "$FD" >told
	grep -q '^HTTP/1.1 503' told
	grep -q '^Upload-Offset: 4' told
	grep -q '4 bytes of the upload are kept: go on from there' told
	up_at 4
}

# ---- what an independent suite of tests for tus expects ----

@test "where tus leaves room: the answers that a suite of others wants" {
	start_tus 'resume_url absolute; max_body_size 100;'
	printf hello >f
	request OPTIONS /file/
	assert_status 200
	begin -H 'Upload-Length: 5'
	[[ $UP == "$URL"/file/.penstock/* ]]
	tus HEAD "$UP"
	assert_status 200
	request HEAD "$UP"
	assert_status 412
	tus POST /file/ -H 'Upload-Length: 5' -H 'Content-Type: text/plain' --data-binary @f
	assert_status 415
	tus PATCH "$UP" -H 'Content-Type: text/plain' -H 'Upload-Offset: 0' --data-binary @f
	assert_status 415
	tus PATCH "$UP" -H 'Content-Type: application/offset+octet-stream' --data-binary @f
	assert_status 400
	tus POST /file/ -H 'Upload-Length: 101'
	assert_status 413
	patch 0 f -H "Upload-Checksum: sha1 $(head -c 21 /dev/zero | base64)"
	assert_status 460
	tus POST /file/ -H "Upload-Concat: final;$UP"
	assert_status 400
	patch 0 f
	assert_status 204
	tus DELETE "$UP"
	assert_status 204
}

# ---- URLs ----

@test "resume_url absolute: the URL is that of the request, or what a trusted proxy says" {
	start_tus 'resume_url absolute;' 'trusted_proxies 127.0.0.1;'
	begin -H 'Upload-Length: 5' -H 'Host: x:99'
	[[ $UP == http://x:99/file/.penstock/* ]]
	begin -H 'Upload-Length: 5' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Host: files.example.org'
	[[ $UP == https://files.example.org/file/.penstock/* ]]
	stop_server
	start_tus 'resume_url absolute;'
	begin -H 'Upload-Length: 5' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Host: evil.example.org'
	[[ $UP == "$URL"/file/.penstock/* ]]
	stop_server
	start_tus 'resume_url https://files.example.org;'
	begin -H 'Upload-Length: 5'
	[[ $UP == https://files.example.org/file/.penstock/* ]]
}

# ---- pages ----

@test "CORS: a page may send all that tus has, and read each answer, refusals too" {
	start_tus 'allow_origin https://a.example;'
	page=(-H 'Origin: https://a.example')
	request OPTIONS /file "${page[@]}" -H 'Access-Control-Request-Method: POST' \
		-H 'Access-Control-Request-Headers: tus-resumable,upload-length,upload-metadata,authorization'
	assert_status 200
	assert_header Access-Control-Allow-Headers tus-resumable,upload-length,upload-metadata,authorization
	header Access-Control-Max-Age
	begin "${page[@]}" -H 'Upload-Length: 5'
	request OPTIONS "$UP" "${page[@]}" -H 'Access-Control-Request-Method: PATCH'
	assert_status 200
	for method in PATCH HEAD DELETE POST; do
		[[ $(header Access-Control-Allow-Methods) == *$method* ]]
	done
	for status in 200 404 409 412; do
		case $status in
		200) tus HEAD "$UP" "${page[@]}" ;;
		404) tus HEAD /file/.penstock/x "${page[@]}" ;;
		409) patch 3 /dev/null "${page[@]}" ;;
		412) request HEAD "$UP" "${page[@]}" -H 'Tus-Resumable: 9' ;;
		esac
		assert_status "$status"
		assert_header Access-Control-Allow-Origin https://a.example
		for field in Location Upload-Offset Upload-Length Upload-Expires Upload-Complete Tus-Resumable Tus-Version; do
			[[ ", $(header Access-Control-Expose-Headers)," == *", $field,"* ]] || fail "$field"
		done
	done
}

@test "a page of another site may append nothing, and drop nothing" {
	start_tus
	begin -H 'Upload-Length: 5'
	tus PATCH "$UP" -H 'Origin: https://evil.example' -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: 0' --data-binary x
	assert_status 403
	tus DELETE "$UP" -H 'Origin: https://evil.example'
	assert_status 403
	up_at 0
}

# ---- limits ----

@test "max_resumable: one more that waits is 503, and there is room again when one is dropped" {
	start_tus 'max_resumable 2;'
	begin -H 'Upload-Length: 10'
	begin -H 'Upload-Length: 10'
	tus POST /file -H 'Upload-Length: 10'
	assert_status 503
	assert_problem 'max_resumable 2'
	header Retry-After
	tus DELETE "$UP"
	assert_status 204
	begin -H 'Upload-Length: 10'
}

@test "max_uploads counts what is in flight, and not what waits" {
	start_tus 'max_uploads 1;'
	printf hello >f
	begin -H 'Upload-Length: 10'
	first=$UP
	begin -H 'Upload-Length: 10'
	stall 0 10 hell
	second=$UP UP=$first
	eventually _is_full
	UP=$second
	up_at 4
	UP=$first
	patch 0 f
	assert_status 204
}
_is_full() {
	patch 0 f
	[[ $STATUS == 503 ]]
}
