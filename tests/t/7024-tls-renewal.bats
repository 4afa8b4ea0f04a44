# Certificates that are renewed again and again while large uploads run: each upload is
# whole, by the connection that it has, and who comes gets the new certificate at once.

load ../lib/penstock
load ../lib/tls

# A worker has a file for each of them, which has no name yet.
both_are_stored() {
	local pid n=0

	for pid in $(workers); do
		n=$((n + $(ls -l "/proc/$pid/fd" | grep -cE "$STORE/.*(\.part|\(deleted\))\$")))
	done
	((n == 2))
}

# bats test_tags=long,engine
@test "certificates are replaced three times during an upload of 1 GB" {
	local clients=()

	start_tls 'max_body_size 2g; checksum sha256; sync off;'
	cp server.pem first.pem
	truncate -s 1G large
	truncate -s 300M small
	want_large=$(sha256sum large | cut -d' ' -f1)
	want_small=$(sha256sum small | cut -d' ' -f1)
	for name in large small; do
		curl -sS --cacert first.pem -o "answer.$name" -w '%{http_code} %{num_connects}\n' -T "$name" \
			$([[ $name == large ]] && echo --limit-rate 30M || echo --tls-max 1.2 --limit-rate 9M) "$URL/file/$name" >"status.$name" 3>&- &
		clients+=($!)
	done
	eventually both_are_stored
	for n in second third fourth; do
		certificate "$n"
		cp "$n.pem" server.pem
		cp "$n.key" server.key
		reload
		eventually eval "[[ \$(subject_of) == $n ]]"
		# Every worker has it.
		for i in 1 2 3 4 5 6; do assert_equal "$(subject_of)" "$n"; done
		echo "$n" >body
		upload PUT "/file/$n" body
		assert_status 201
		for pid in "${clients[@]}"; do is_running "$pid" || fail "an upload has ended already: $(cat status.*)"; done
	done
	wait "${clients[@]}"
	assert_equal "$(cat status.large status.small)" $'201 1\n201 1'
	assert_equal "$(jq -r '.bytes, .digest."sha-256"' answer.large | xargs)" "$((1 << 30)) $want_large"
	assert_equal "$(jq -r '.bytes, .digest."sha-256"' answer.small | xargs)" "$((300 << 20)) $want_small"
	assert_same large "$STORE/large"
	assert_same small "$STORE/small"
}
