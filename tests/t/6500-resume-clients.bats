# Resumable uploads by what people upload with: tus-js-client 4 and 5, tuspy, requests, curl,
# and clients by hand for the drafts that nobody else speaks yet.  Each stores what it was
# given, byte by byte, under the name that it tells, with no more requests than it takes.
#
# The kind of fault: an answer that is right by the text and of which a client makes
# something else, as a second upload from zero.

load ../lib/penstock
load ../lib/browser
load ../lib/resume

# nothing_waits: no upload is unfinished.
nothing_waits() { [[ -z $(find "$STORE/.penstock" -name '*.data') ]]; }

# stored FILE NAME: and nothing else, now or to come.
stored() {
	assert_same "$1" "$STORE/$2"
	assert_equal "$(cd "$STORE" && find . -type f -not -path './.penstock/*')" "./$2"
	eventually nothing_waits
	rm "$STORE/$2"
}

# three_files: of no bytes, some, and 20 MB.
three_files() {
	: >empty
	random_file small 5000
	random_file large 20000000
}

named() { printf '"metadata": {"filename": "%s"}' "$1"; }

@test "tus-js-client 4 and 5: files of any size, in one PATCH and in several" {
	start_resuming
	three_files
	for v in 4 5; do
		by_node $v empty "$(named a)"
		has_said 'POST 201' 'done'
		stored empty a
		by_node $v small "$(named 'b c')"
		has_said 'POST 201' 'PATCH 204' 'done'
		stored small 'b c'
		by_node $v large "$(named d), \"chunkSize\": 7000000"
		has_said 'POST 201' 'PATCH 204' 'PATCH 204' 'PATCH 204' 'done'
		stored large d
	done
}

@test "tus-js-client 4 and 5: bytes that come with the creation" {
	start_resuming
	three_files
	for v in 4 5; do
		for f in small large; do # of an empty one it cannot
			by_node $v $f "$(named a), \"uploadDataDuringCreation\": true"
			has_said 'POST 201' 'done'
			stored $f a
		done
		by_node $v large "$(named a), \"uploadDataDuringCreation\": true, \"chunkSize\": 7000000"
		has_said 'POST 201' 'PATCH 204' 'PATCH 204' 'done'
		stored large a
	done
}

# One that ends where a chunk does never ends for it: findings/.
@test "tus-js-client 4 and 5: a stream, whose length comes with its end" {
	start_resuming
	three_files
	for v in 4 5; do
		for f in small large; do
			by_node $v $f "$(named a), \"uploadLengthDeferred\": true, \"chunkSize\": 7000000, \"stream\": true"
			is_done
			stored $f a
		done
	done
}

# It tells the length again, with the rest of the part that had it: findings/.
@test "tus-js-client 4: a stream that was cut in its last part ends" {
	start_resuming
	three_files
	link_start cut cut 15000000 1
	by_node 4 large "$(named a), \"uploadLengthDeferred\": true, \"chunkSize\": 7000000, \"stream\": true"
	link_end
	is_done
	grep -qx 'HEAD 200' said
	stored large a
}

@test "tus-js-client 4 and 5: several parts at once become one file" {
	start_resuming
	three_files
	for v in 4 5; do
		for f in small large; do
			by_node $v $f "$(named a), \"parallelUploads\": 3, \"chunkSize\": 3000000"
			is_done
			assert_equal "$(grep -c '^POST 201' said)" 4
			run ! grep -v -e '^POST 201' -e '^PATCH 204' -e '^done' said
			# The parts stay until they expire: another file may be made of them.
			assert_same $f "$STORE/a"
			rm "$STORE/a"
		done
	done
}

@test "tus-js-client 4 and 5: POST stands for PATCH where PATCH does not get through" {
	start_resuming
	three_files
	for v in 4 5; do
		by_node $v large "$(named a), \"overridePatchMethod\": true, \"chunkSize\": 7000000"
		has_said 'POST 201' 'POST 204' 'POST 204' 'POST 204' 'done'
		stored large a
	done
}

@test "tus-js-client 4 and 5: an upload that is given up is gone" {
	start_resuming
	three_files
	for v in 4 5; do
		by_node $v large "$(named a), \"chunkSize\": 7000000, \"terminate\": 7000000"
		grep -qx 'DELETE 204' said
		grep -q '^terminated' said
		assert_store_empty_of_bytes
		request HEAD "$(sed -n 's/^terminated //p' said)" -H 'Tus-Resumable: 1.0.0'
		[[ $(cat status) == 4[01][40] ]]
	done
}

assert_store_empty_of_bytes() {
	nothing_waits
	assert_equal "$(find "$STORE" -type f -not -path '*/.penstock/*')" ''
}

@test "tus-js-client 4 and 5: another process goes on where a killed one was" {
	start_resuming
	three_files
	for v in 4 5; do
		! by_node $v large "$(named a), \"chunkSize\": 7000000, \"storage\": \"$T/urls$v\", \"leave\": 14000000"
		has_said 'POST 201' 'PATCH 204' 'PATCH 204'
		by_node $v large "$(named a), \"chunkSize\": 7000000, \"storage\": \"$T/urls$v\""
		has_said 'HEAD 200' 'PATCH 204' 'done'
		stored large a
	done
}

# draft VERSION DRAFT FILE [OPTIONS]: it is created once.
draft() {
	by_node "$1" "$3" "$(named a), \"protocol\": \"ietf-draft-$2\"${4:+, $4}"
	is_done
	assert_equal "$(grep -c '^POST 201' said)" 1
	run ! grep -vE '^(POST 201|PATCH 20[014]|done .*)$' said
	stored "$3" a
}

@test "tus-js-client 4 and 5: the drafts of the IETF as it speaks them" {
	start_resuming
	three_files
	for v in 4 5; do
		for draft in 03 05; do
			draft $v $draft large '"chunkSize": 7000000'
			assert_equal "$(grep -c '^PATCH 20[014]' said)" 3
		done
	done
}

# bats test_tags=long
@test "tus-js-client 4 and 5: files of any size by the drafts, and what a killed one has left" {
	start_resuming
	three_files
	for v in 4 5; do
		for draft in 03 05; do
			for f in empty small large; do draft $v $draft $f; done
			! by_node $v large "$(named a), \"protocol\": \"ietf-draft-$draft\", \"chunkSize\": 7000000,
				\"storage\": \"$T/urls$v$draft\", \"leave\": 7000000"
			by_node $v large "$(named a), \"protocol\": \"ietf-draft-$draft\", \"chunkSize\": 7000000,
				\"storage\": \"$T/urls$v$draft\""
			is_done
			run ! grep -q POST said
			stored large a
		done
	done
}

@test "tus-js-client 4: Location as a path, as a whole URL, and at another name" {
	three_files
	for url in relative absolute "http://localhost:$PORT"; do
		start_resuming "resume_url $url;" "server_name 127.0.0.1 localhost;"
		by_node 4 large "$(named a), \"chunkSize\": 15000000"
		has_said 'POST 201' 'PATCH 204' 'PATCH 204' 'done'
		stored large a
		case $url in
		http*) grep -q "^done $url/file/.penstock/[0-9a-f]*$" said ;;
		*) grep -q "^done $URL/file/.penstock/[0-9a-f]*$" said ;;
		esac
		stop_server
	done
}

# by_tuspy FILE [OPTIONS]: JSON.
by_tuspy() {
	/usr/bin/python3 "$REPO/tests/lib/clients/with_tuspy.py" tuspy "$URL/file/" "$@" >said 2>client.err || fail "$(cat said client.err)"
}

@test "tuspy: in pieces, with sha1 of each, and after a stop" {
	start_resuming
	three_files
	by_tuspy large "{$(named a), \"chunk_size\": 7000000}"
	stored large a
	by_tuspy large "{$(named a), \"chunk_size\": 7000000, \"upload_checksum\": true}"
	stored large a
	by_tuspy large "{$(named a), \"chunk_size\": 7000000, \"stop_at\": 7000000}"
	stored large a
	# Without metadata it sends an empty field: the server finds a name.
	by_tuspy small
	assert_same small "$STORE"/*-*
}

@test "requests: tus by hand, one half after the other" {
	start_resuming
	three_files
	/usr/bin/python3 "$REPO/tests/lib/clients/with_tuspy.py" requests "$URL/file/" large >said
	is_done
	stored large large
}

@test "requests and http.client: an upload that they do not know to be resumable is stored, and no 104 comes" {
	start_resuming 'resume_interim on;'
	random_file small 5000
	/usr/bin/python3 -c "
import requests
a = requests.put('$URL/file/a', data=open('small', 'rb'), headers={'Upload-Complete': '?1'})
b = requests.put('$URL/file/b', data=open('small', 'rb'))
print(a.status_code, b.status_code)" >said
	assert_equal "$(cat said)" '201 201'
	assert_same small "$STORE/a"
	assert_same small "$STORE/b"
}

@test "curl: tus, in two halves" {
	start_resuming
	random_file f 10000
	tus=(-H 'Tus-Resumable: 1.0.0' -H Expect:)
	request POST /file/ "${tus[@]}" -H 'Upload-Length: 10000' -H "Upload-Metadata: filename $(printf 'a b' | base64)"
	assert_status 201
	url=$(header Location)
	head -c 6000 f | request PATCH "$url" "${tus[@]}" -H 'Upload-Offset: 0' -H 'Content-Type: application/offset+octet-stream' --data-binary @-
	assert_status 204
	assert_header Upload-Offset 6000
	request HEAD "$url" "${tus[@]}"
	assert_header Upload-Offset 6000
	assert_header Upload-Length 10000
	tail -c +6001 f | request PATCH "$url" "${tus[@]}" -H 'Upload-Offset: 6000' -H 'Content-Type: application/offset+octet-stream' --data-binary @-
	assert_status 204
	assert_header Upload-Offset 10000
	stored f 'a b'
}

@test "curl: a draft of the IETF, cut in the middle, which 104 has told where to go on" {
	start_resuming
	random_file f 3000000
	link_start cut cut 1000000 1 2000000
	! curl -sS --max-time 20 -T f -D headers -H Expect: -H 'Upload-Draft-Interop-Version: 8' -H 'Upload-Complete: ?1' "$URL/file/a" >answer 2>client.err
	link_end
	grep -q '^HTTP/1.1 104 ' headers
	url=$(header Location)
	request HEAD "$url" -H 'Upload-Draft-Interop-Version: 8'
	assert_status 204
	assert_header Upload-Complete '?0'
	at=$(header Upload-Offset)
	tail -c "+$((at + 1))" f | request PATCH "$url" -H Expect: -H 'Upload-Draft-Interop-Version: 8' -H 'Upload-Complete: ?1' \
		-H "Upload-Offset: $at" -H 'Content-Type: application/partial-upload' --data-binary @-
	[[ $(cat status) == 20[01] ]]
	assert_header Upload-Complete '?1'
	stored f a
}

# tus_by_hand SIZES OPTIONS...: each of the files, each way; nothing has to be sent again.
tus_by_hand() {
	local files=$1 options f
	shift

	for options; do
		for f in $files; do
			# shellcheck disable=SC2086 # several, or none
			by_hand tus /file/ "$f" 400000 'metadata=filename YQ==' $options
			assert_equal "$(cut -d' ' -f2- said)" 'resumed 0 created 1'
			stored "$f" a
		done
	done
}

# drafts_by_hand VERSIONS SIZES OPTIONS...
drafts_by_hand() {
	local versions=$1 files=$2 version options f
	shift 2

	for version in $versions; do
		for options; do
			for f in $files; do
				# shellcheck disable=SC2086 # several, or none
				by_hand "ietf-$version" /file/a "$f" 400000 $options
				assert_equal "$(cut -d' ' -f2- said)" 'resumed 0 created 1'
				stored "$f" a
			done
		done
	done
}

# For many of them.
some_files() {
	: >empty
	random_file small 5000
	random_file large 1000000
}

@test "by hand: tus in its forms" {
	start_resuming
	some_files
	tus_by_hand large '' deferred with_upload override checksum=sha1
	tus_by_hand empty '' 'deferred with_upload'
}

# bats test_tags=long
@test "by hand: tus in all its forms, and files of any size" {
	start_resuming
	some_files
	tus_by_hand 'empty small large' '' deferred with_upload override checksum=sha1 checksum=sha256 checksum=md5 'deferred with_upload checksum=sha1'
}

@test "by hand: each version of the draft, in parts" {
	start_resuming
	some_files
	drafts_by_hand '0 3 5 6 8 9 10' large ''
	drafts_by_hand 10 'empty large' empty digest
}

# bats test_tags=long
@test "by hand: each version of the draft, whole and in parts, with digests and without" {
	start_resuming
	some_files
	drafts_by_hand '0 3 5 6 8 9 10' 'empty small large' '' empty digest method=POST
}

# cut_by_hand KINDS FAULTS
cut_by_hand() {
	local kind fault piece target

	random_file large 6000000
	for kind in $1; do
		target=(/file/a large)
		[[ $kind != tus ]] || target=(/file/ large)
		for fault in $2; do
			link_start cut "$fault" 1500000 3
			piece=0
			[[ $fault != deaf ]] || piece=1600000
			by_hand "$kind" "${target[@]}" $piece 'metadata=filename YQ=='
			[[ $(cat said) == *' created '[01] ]]
			assert_equal "$(link_count "$fault")" 3
			link_end
			# A creation whose URL was not heard of waits for its end.
			assert_same large "$STORE/a"
			rm "$STORE/a"
		done
	done
}

@test "by hand: what a cut has left is gone on with" {
	start_resuming
	cut_by_hand 'tus ietf-10' 'cut deaf'
}

# bats test_tags=long
@test "by hand: what any end of a connection has left is gone on with, in tus and in each version" {
	start_resuming
	cut_by_hand 'tus ietf-3 ietf-5 ietf-6 ietf-8 ietf-9 ietf-10' 'cut fin half deaf'
}

# uploads_from_page: 20 MB by each of the clients, which have the page's own storage.
uploads_from_page() {
	for client in 'byTus(tus,' 'byTus(tus5,' 'byUppy('; do
		page_do 'localStorage.clear()'
		page_upload large "$client {endpoint: '$URL/file/', chunkSize: 7000000})"
		page_await
		has_said 'POST 201' 'PATCH 204' 'PATCH 204' 'PATCH 204' 'done'
		stored large large
	done
}

@test "Chromium: tus-js-client 4 and 5 and Uppy upload from a page of another origin" {
	PAGE_PORT=$(free_port)
	browser_start
	start_resuming "allow_origin $PAGE;"
	three_files
	open_page
	uploads_from_page
	# One that has no bytes, and one that is refused: the page reads why.
	page_do 'localStorage.clear()'
	page_upload empty "byUppy({endpoint: '$URL/file/'})"
	page_await
	has_said 'POST 201' 'done'
	stored empty empty
}

@test "Chromium: a refusal of another origin is read, and comes once" {
	browser_start
	start_resuming "allow_origin $PAGE; max_body_size 1m;"
	three_files
	open_page
	for client in 'byTus(tus,' 'byTus(tus5,' 'byUppy('; do
		page_do 'localStorage.clear()'
		page_upload large "$client {endpoint: '$URL/file/'})"
		page_await
		assert_equal "$(grep -c ^POST said)" 1
		grep -qx 'POST 413' said
		grep -q '^failed' said
	done
	assert_store_empty_of_bytes
}

@test "Chromium: an upload goes on after its page was loaded again" {
	browser_start
	start_resuming "allow_origin $PAGE;"
	three_files
	open_page
	for client in 'byTus(tus,' 'byTus(tus5,'; do
		page_do 'localStorage.clear()'
		page_throttle 8000000
		page_upload large "$client {endpoint: '$URL/file/', chunkSize: 5000000})"
		eventually page_is_at 12000000
		page_throttle -1
		page_goto "$PAGE/uploads.html"
		page_upload large "$client {endpoint: '$URL/file/', chunkSize: 5000000})"
		page_await
		assert_equal "$(head -n 1 said)" 'HEAD 200'
		(($(grep -c '^PATCH 204' said) <= 2))
		stored large large
	done
}
