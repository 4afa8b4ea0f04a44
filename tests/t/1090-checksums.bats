# Checksums: what a location computes, and what a client claims.

load ../lib/penstock

# b64 ALGORITHM FILE: its digest as fields have it.
b64() { openssl dgst "-$1" -binary "$2" | base64 -w 0; }

# In the shape of `sha256sum FILE`, without the name.
hex() { openssl dgst "-$1" -r "$2" | cut -d ' ' -f 1; }

# A server with a location in memory too; $MEMORY_LOCATION.
in_memory() {
	memory_dir
	MEMORY_LOCATION="location /mem { output_dir $MEMORY; checksum sha256; overwrite on; }"
}

@test "checksum off: no digest, no field, no time for it" {
	start_server
	random_file body 100K
	upload PUT /file/a body
	assert_status 201
	assert_equal "$(jq -r 'has("digest"), (.ms | has("hash"))' answer | xargs)" 'false false'
	refute_header Repr-Digest
}

# bats test_tags=long
@test "checksum sha256: of every size, however it comes" {
	local size path

	in_memory
	start_server 'checksum sha256; direct_io_min 1m;' "$MEMORY_LOCATION"
	# The largest takes more than one turn of the hashing job.
	for size in 0 1 63 64 65535 65536 65537 1048576 1048577 5000000 40000000; do
		random_file body "$size"
		for path in /file /mem; do
			upload PUT "$path/a$size" body
			assert_status 201
			assert_equal "$(receipt 'digest["sha-256"]')" "$(hex sha256 body)"
			assert_header Repr-Digest "sha-256=:$(b64 sha256 body):"
			jq -e '.ms.hash >= 0' answer
			upload PUT "$path/c$size" - <body
			assert_status 201
			assert_equal "$(receipt 'digest["sha-256"]')" "$(hex sha256 body)"
		done
		assert_same body "$STORE/a$size"
		assert_same body "$STORE/c$size"
	done
	eventually access_has 'hash=[0-9.]+ saved='
}

@test "checksum crc32c: as iSCSI has it" {
	start_server 'checksum crc32c;'
	printf 123456789 >body
	upload PUT /file/a body
	assert_status 201
	assert_equal "$(receipt digest.crc32c)" e3069283
	assert_header Repr-Digest 'crc32c=:4waSgw==:'
}

@test "in pieces, with pauses, and with others at the same time" {
	local i pids=()

	start_server 'checksum sha256;' '' 'buffer_memory 1m;'
	random_file body 700K
	for i in 1 2 3 4 5 6; do
		curl -sS -T body --limit-rate 1m "$URL/file/p$i" -o "answer$i" &
		pids+=($!)
	done
	raw -p 150 'PUT /file/q HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n' hell o, wor ld.
	assert_status 201
	printf 'hello,world.' >small
	assert_equal "$(receipt 'digest["sha-256"]')" "$(hex sha256 small)"
	wait "${pids[@]}"
	for i in 1 2 3 4 5 6; do
		assert_equal "$(jq -r '.digest["sha-256"]' "answer$i")" "$(hex sha256 body)"
		assert_same body "$STORE/p$i"
	done
}

@test "as many chunks as a turn of the hashing job takes, and those that wait then" {
	start_server 'checksum sha256;'
	# A turn is 16 MiB; with three digests to compute 8 chunks wait at its end.
	random_file body 18M
	upload PUT /file/a body -H "Content-MD5: $(b64 md5 body)" \
		-H "Content-Digest: sha-512=:$(b64 sha512 body):" --max-time 60
	assert_status 201
	assert_equal "$(receipt 'digest["sha-256"]')" "$(hex sha256 body)"
}

@test "what the client claims holds: stored, and told" {
	start_server
	random_file body 300K
	upload PUT /file/a body -H "Content-Digest: sha-256=:$(b64 sha256 body):"
	assert_status 201
	assert_equal "$(receipt 'digest["sha-256"]')" "$(hex sha256 body)"
	upload PUT /file/b body -H "Repr-Digest: sha-512=:$(b64 sha512 body):, unknown=:AA==:"
	assert_status 201
	assert_equal "$(receipt 'digest["sha-512"]')" "$(hex sha512 body)"
	upload PUT /file/c body -H "Content-MD5: $(b64 md5 body)" \
		-H "Content-Digest: sha-512=:$(b64 sha512 body):" -H "Content-Digest: sha-256=:$(b64 sha256 body):"
	assert_status 201
	assert_equal "$(jq -r '.digest | keys | join(" ")' answer)" 'md5 sha-256 sha-512'
}

@test "what the client claims does not hold: 400, nothing is kept, the old file stays" {
	local size field

	in_memory
	start_server 'overwrite on; checksum crc32c; direct_io_min 1m;' "$MEMORY_LOCATION"
	echo other >other
	for size in 10 200K 3M; do
		random_file body "$size"
		for field in "Content-Digest: sha-256=:$(b64 sha256 other):" \
			"Repr-Digest: sha-512=:$(b64 sha512 other):" \
			"Content-MD5: $(b64 md5 other)" \
			"Content-Digest: sha-256=:$(b64 sha256 body):, sha-512=:$(b64 sha512 other):"; do
			upload PUT /file/a body -H "$field"
			assert_status 400
			assert_problem 'does not have the checksum'
			upload PUT /mem/a body -H "$field"
			assert_status 400
			upload PUT /file/c - -H "$field" <body
			assert_status 400
		done
	done
	assert_store_empty
	eventually access_has 'digest-differs'
	upload PUT /file/a other
	assert_status 201
	upload PUT /file/a body -H "Content-MD5: $(b64 md5 other)"
	assert_status 400
	assert_same other "$STORE/a"
}

@test "what cannot be read is refused before the body" {
	local field

	start_server
	random_file body 3M
	for field in 'Content-Digest: sha-256=:AAAA:' 'Content-Digest: sha-256=AAAA' \
		'Repr-Digest: sha-512' 'Content-MD5: AAAA' 'Content-Digest: sha-256=:AAAA'; do
		upload PUT /file/a body -H "$field" -H 'Expect: 100-continue'
		assert_status 400
	done
	run ! grep -q '100 Continue' headers
	assert_store_empty
}
