# Storing: the methods, the names, the receipt.

# bats file_tags=engine,portable
load ../lib/penstock

GENERATED='^/file/[0-9]{8}T[0-9]{9}Z-[0-9a-f]{16}$'

@test "PUT stores the body under the name of its path" {
	start_server
	random_file body 100K
	upload PUT /file/a.bin body
	assert_status 201
	assert_header Location /file/a.bin
	assert_same body "$STORE/a.bin"
	assert_equal "$(files_in "$STORE")" "$STORE/a.bin"
}

@test "PUT to the location stores under a generated name" {
	start_server
	random_file body 100K
	upload PUT /file body
	assert_status 201
	location=$(header Location)
	assert_regex "$location" "$GENERATED"
	assert_same body "$STORE/${location#/file/}"
	assert_equal "$(receipt name)" "${location#/file/}"
	# Its time is now, in UTC.
	now=$(date -u +%Y%m%d%H%M%S)
	name=$(receipt name)
	stamp=${name:0:8}${name:9:6}
	[ "$stamp" -le "$now" ]
	[ "$stamp" -ge "$(date -u -d '1 minute ago' +%Y%m%d%H%M%S)" ]
}

@test "POST stores under a generated name, another one each time" {
	start_server
	random_file body 10K
	for ((i = 0; i < 5; i++)); do
		request POST /file --data-binary @body
		assert_status 201
		assert_regex "$(header Location)" "$GENERATED"
		assert_same body "$STORE/$(receipt name)"
	done
	assert_equal "$(files_in "$STORE" | wc -l)" 5
}

@test "PUT behind the slash is 400: a name is missing" {
	start_server
	echo hello >body
	request PUT /file/ --data-binary @body
	assert_status 400
	assert_problem 'add a name after the slash'
	assert_store_empty
}

@test "curl -T adds the file's name to a URL that ends in a slash" {
	start_server
	random_file some.bin 1000
	upload PUT /file/ some.bin
	assert_status 201
	assert_header Location /file/some.bin
	upload PUT /file/dir/ some.bin
	assert_status 201
	assert_same some.bin "$STORE/some.bin"
	assert_same some.bin "$STORE/dir/some.bin"
}

@test "directories of the path are made" {
	start_server
	echo one >one
	echo two >two
	upload PUT /file/a/b/c/d one
	assert_status 201
	upload PUT /file/a/b/two two
	assert_status 201
	assert_same one "$STORE/a/b/c/d"
	assert_same two "$STORE/a/b/two"
	path=1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16
	upload PUT /file/$path one
	assert_status 201
	assert_same one "$STORE/$path"
}

@test "the query is not part of the name" {
	start_server
	echo hello >body
	upload PUT '/file/a?x=/../y&z' body
	assert_status 201
	assert_header Location /file/a
	assert_same body "$STORE/a"
}

@test "an absolute target is taken, by any name of the server" {
	start_server '' 'server_name elsewhere.example;'
	raw 'PUT http://elsewhere.example/file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
	assert_status 201
	assert_header Location /file/a
	assert_equal "$(cat "$STORE/a")" hello
}

@test "names are decoded once, and encoded again in Location" {
	start_server
	echo hello >body
	upload PUT '/file/with%20space/%C3%A4%25%41%2B+%22%3F%23' body
	assert_status 201
	assert_header Location '/file/with%20space/%C3%A4%25A++%22%3F%23'
	assert_equal "$(receipt name)" 'with space/ä%A++"?#'
	assert_equal "$(receipt location)" "$(header Location)"
	assert_same body "$STORE/with space/ä%A++\"?#"
	upload PUT '/file/%252e%252e' body
	assert_status 201
	assert_same body "$STORE/%2e%2e"
	# What Location says can be asked for.
	request GET '/file/with%20space/%C3%A4%25A++%22%3F%23'
	assert_status 200
	assert_same body answer
}

@test "the longest names: 255 bytes a part, 16 parts, 1024 bytes in all" {
	start_server
	echo hello >body
	part=$(printf 'x%.0s' {1..255})
	upload PUT "/file/$part" body
	assert_status 201
	assert_same body "$STORE/$part"
	dir=${part//x/d}
	upload PUT "/file/$dir/$dir/$dir/$part" body
	assert_status 201
	assert_same body "$STORE/$dir/$dir/$dir/$part"
	upload PUT "/file/$(printf '%%C3%%A4%.0s' {1..127})" body
	assert_status 201
}

@test "dotfiles on allows names that begin with a dot" {
	start_server 'dotfiles on;'
	echo hello >body
	upload PUT /file/.profile body
	assert_status 201
	assert_same body "$STORE/.profile"
	upload PUT /file/.d/.e/f body
	assert_status 201
	request GET /file/.profile
	assert_status 200
}

@test "the receipt has exactly its keys, each of the right kind" {
	start_server
	random_file body 300K
	upload PUT /file/a body
	assert_header Content-Type application/json
	assert_equal "$(jq -c 'keys_unsorted' answer)" \
		'["name","location","bytes","durability","verdict","ms","overlap_saved_ms","id"]'
	assert_equal "$(jq -c '.ms | keys_unsorted' answer)" \
		'["network","queue","memory","data","write","sync","total"]'
	assert_equal "$(receipt name)" a
	assert_equal "$(receipt location)" /file/a
	assert_equal "$(receipt bytes)" 307200
	assert_equal "$(receipt durability)" synced
	assert_regex "$(receipt verdict)" '^(read-bound|write-bound|balanced)$'
	jq -e '[.ms[], .overlap_saved_ms] | all(type == "number" and . >= 0)' answer
}

@test "the times of the receipt add up, and go out as Server-Timing" {
	slowfs_start 8m
	STORE=$T/slow
	start_server 'queue_depth 3;'
	random_file body 1M
	upload PUT /file/a body
	assert_status 201
	# Each side's states are all of its life, within what rounding loses.
	jq -e '.ms | (.network + .queue + .memory) <= .total + 0.01' answer
	jq -e '.ms | (.data + .write + .sync - .total) | fabs < 0.02' answer
	jq -e '.ms.write > 90 and .ms.sync > 0 and .verdict == "write-bound"' answer
	jq -e '(.ms | .network + .write + .sync - .total) as $saved |
		(([$saved, 0] | max) - .overlap_saved_ms) | fabs < 0.02' answer
	want=$(jq -r '.ms | to_entries | map(.key + ";dur=" + (.value | tostring)) | join(" ")' answer)
	got=$(header Server-Timing | tr -d ',')
	# 1.500 is 1.5 in JSON
	assert_equal "$(sed -E 's/(\.[0-9]*[1-9])0+( |$)/\1\2/g; s/\.0+( |$)/\1/g' <<<"$got")" "$want"
}

@test "a client that is slow is named by the verdict" {
	memory_dir # a sync may take longer than the client does
	start_server "output_dir $MEMORY;"
	random_file body 200K
	upload PUT /file/a body --limit-rate 400K
	assert_status 201
	assert_equal "$(receipt verdict)" read-bound
	jq -e '.ms.network > 50' answer
}

@test "the access log has a line for each request" {
	start_server
	random_file body 10K
	upload PUT /file/a body
	upload PUT /file/a body
	request GET /file/a
	request GET /file/none
	eventually access_has '127\.0\.0\.1:[0-9]+ [0-9]+ "PUT /file/a" 201 in=10240 out=[0-9]+ ms=[0-9.]+ stored .*name="a"$'
	eventually access_has '"PUT /file/a" 409 in=0 .* exists'
	eventually access_has '"GET /file/a" 200 in=0 out=10240 ms=[0-9.]+ sent'
	eventually access_has '"GET /file/none" 404 .* not-found'
	# A client cannot write lines of its own into it.
	raw 'GET /file/"%0a\x9b\x22 HTTP/1.1\r\nHost: x\r\n\r\n'
	request GET '/file/%0a%22x'
	assert_status 400
	eventually access_has '"GET /file/%0a%22x" 400'
	assert_equal "$(LC_ALL=C grep -c '[^ -~]' access.log)" 0
}
