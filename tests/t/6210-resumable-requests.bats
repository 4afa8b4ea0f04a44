# A request of a protocol for resumable uploads that is not spoken here: it must
# leave no empty file and no part of one, and its client must give up, and not
# try again for ever.  A client that sends a whole file and only offers to resume it
# is served.

load ../lib/penstock

# refused: the last answer to such a request, and nothing was stored.
refused() {
	assert_status 400
	assert_problem 'nothing was stored: send the whole file'
	assert_store_empty
}

# Bytes of tus-js-client 4.3.1 in node, but for fields that say nothing here.
tus() {
	local method=$1 path=$2 fields=$3 body=$4

	raw -c "$method $path HTTP/1.1\\r\\nTus-Resumable: 1.0.0\\r\\n$fields\\r\\nHost: $ADDRESS:$PORT\\r\\nConnection: close\\r\\nContent-Length: ${#body}\\r\\n\\r\\n$body"
}

@test "tus: a creation is 400, and leaves no empty file" {
	start_server
	tus POST /file/ 'Upload-Length: 11' ''
	refused
	tus POST /file 'Upload-Length: 11\r\nUpload-Metadata: filename Zg==' ''
	refused
	tus POST /file/name 'Upload-Defer-Length: 1' ''
	refused
	# With its first bytes, and for PATCH in the clothes of POST.
	tus POST /file 'Upload-Length: 11\r\nContent-Type: application/offset+octet-stream' hello
	refused
	tus POST /file/name 'X-HTTP-Method-Override: PATCH\r\nUpload-Offset: 0' hello
	refused
	eventually access_has '"POST /file/name" 400 in=0 out=[0-9]+ ms=[0-9.]+ resumable$'
}

@test "tus: asking for an upload, going on with it and ending it are 400" {
	start_server
	echo hello >"$STORE/name"
	tus PATCH /file/name 'Upload-Offset: 2\r\nContent-Type: application/offset+octet-stream' abc
	assert_status 400
	assert_problem tus
	tus DELETE /file/name 'X: y' ''
	assert_status 400
	raw -H "HEAD /file/name HTTP/1.1\\r\\nTus-Resumable: 1.0.0\\r\\nHost: x\\r\\n\\r\\n"
	assert_status 400
	# Reading is reading, and OPTIONS is not to look at it.
	request GET /file/name -H 'Tus-Resumable: 1.0.0'
	assert_status 200
	request OPTIONS /file/ -H 'Tus-Resumable: 1.0.0'
	assert_status 204
	assert_equal "$(cat "$STORE/name")" hello
}

@test "the IETF drafts: what is a part, or begins one, is 400" {
	start_server
	echo hello >f
	for field in 'Upload-Complete: ?0' 'Upload-Incomplete: ?1' 'Upload-Offset: 6' 'Upload-Offset: 0'; do
		for method in PUT POST; do
			request $method /file/a --data-binary @f -H 'Upload-Draft-Interop-Version: 6' -H "$field"
			refused
			# As tus-js-client begins.
			request $method /file --data '' -H "$field" -H 'Upload-Length: 6'
			refused
		done
	done
	request POST /file --data '' -H 'Upload-Length: 6'
	refused
	request PUT /file/a --data-binary @f -H 'Upload-Complete: ?1' -H 'Upload-Length: 7'
	refused
}

# As URLSession of Apple's systems sends each upload task.
@test "the IETF drafts: a whole file is stored, whatever else is offered" {
	start_server
	echo hello >f
	n=0
	for field in 'Upload-Complete: ?1' 'Upload-Incomplete: ?0'; do
		for length in 'Upload-Length: 6' 'X: y'; do
			for coding in 'Expect:' 'Transfer-Encoding: chunked'; do
				n=$((n + 1))
				request PUT /file/$n --data-binary @f -H 'Upload-Draft-Interop-Version: 8' \
					-H "$field" -H "$length" -H "$coding"
				assert_status 201
				assert_same f "$STORE/$n"
			done
		done
	done
}

@test "a POST that stands for another method changes nothing" {
	start_server 'overwrite on;'
	echo hello >"$STORE/a"
	for method in DELETE PATCH delete; do
		request POST /file/a --data '' -H "X-HTTP-Method-Override: $method"
		assert_status 400
		assert_problem X-HTTP-Method-Override
	done
	assert_equal "$(cat "$STORE/a")" hello
	request POST /file/a --data again -H 'X-HTTP-Method-Override: PUT'
	assert_status 200
	assert_equal "$(cat "$STORE/a")" again
}

# As boto3 sends them, when a file is larger than its multipart_threshold.
@test "S3: what begins a multipart upload, is a part of one, or deletes is 400" {
	start_server
	echo hello >f
	request POST '/file/bucket/big?uploads' --data ''
	refused
	request PUT '/file/bucket/big?partNumber=1&uploadId=x' --data-binary @f
	refused
	request POST '/file/bucket?delete' --data-binary '<Delete/>'
	refused
	request PUT '/file/bucket/small?x-id=PutObject' --data-binary @f
	assert_status 201
}
