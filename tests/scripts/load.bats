# tests/lib/load: what scripts/bench relies on, beside what tests/t shows anyhow.

load ../lib/penstock
load ../lib/tls

upload_with() { "$PENSTOCK_TOOLS/load" --json "$@" "127.0.0.1:$PORT"; }

@test "load -N: names go round, and only so many are used" {
	start_server 'overwrite on;'
	run -0 upload_with -n 10 -N 3 -u /file/n%d
	assert_output --partial '"201":3'
	assert_output --partial '"200":7'
	run -0 ls "$STORE"
	assert_output "$(printf 'n0\nn1\nn2')"
}

@test "load -m GET: what was read is counted, and names go round" {
	start_server
	run -0 upload_with -n 2 -s 100k -u /file/g%d
	run -0 upload_with -m GET -n 5 -N 2 -c 2 -u /file/g%d
	assert_output --partial '"requests":5,"ok":5'
	assert_output --partial '"bytes":512000'
}

@test "load -a: a body that is sent apart from its head is the same" {
	start_server
	run -0 upload_with -n 1 -s 5000 -u /file/whole
	run -0 upload_with -a -n 1 -s 5000 -u /file/apart
	cmp "$STORE/whole" "$STORE/apart"
}

@test "load -b: bodies come from other places of the memory, and are whole" {
	start_server
	run -0 upload_with -b 4m -n 2 -s 3m -u /file/m%d
	assert_equal "$(stat -c %s "$STORE/m0" "$STORE/m1")" "$(printf '3145728\n3145728')"
	cmp <(tail -c +1048577 "$STORE/m0") <(head -c 2097152 "$STORE/m1")
	run ! cmp -s "$STORE/m0" "$STORE/m1"
}

@test "load -S: over TLS a body of many records is the same, and answers are read" {
	start_tls
	run -0 upload_with -n 2 -s 100k -u /file/plain%d -S
	cmp "$STORE/plain0" "$STORE/plain1"
	run -0 curl -fsS "$URL/file/plain0" -o got
	cmp got "$STORE/plain0"
	run -0 upload_with -m GET -n 5 -N 2 -c 2 -u /file/plain%d -S
	assert_output --partial '"bytes":512000'
	run -0 upload_with -n 3 -m GET -N 1 -u /file/plain%d -S -H 'Connection: close'
	assert_output --partial '"requests":3,"ok":3'
}

@test "load -S -E: a client shows its certificate" {
	certificate server
	cat server.pem server.key >both.pem
	start_tls '' "ssl_client_certificate $T/server.pem; ssl_verify_client on;"
	run -1 upload_with -n 1 -S
	assert_output --partial '"400":1'
	run -0 upload_with -n 1 -S -E both.pem
}

@test "load -U: the targets are the lines of a file" {
	start_server 'overwrite on;'
	printf '/file/one\n/file/two\n' >targets
	run -0 upload_with -n 3 -U targets
	run -0 ls "$STORE"
	assert_output "$(printf 'one\ntwo')"
}

@test "load -F: a body is the file of a form, and what is stored is the same" {
	start_server
	for size in 5000 200k; do
		run -0 upload_with -n 1 -s $size -u /file/plain
		run -0 upload_with -F -m POST -n 2 -s $size -u /file/form%d
		assert_output --partial '"201":2'
		cmp "$STORE/plain" "$STORE/form0"
		rm "$STORE"/*
	done
}

@test "load -R: a creation of tus and its bytes are one upload" {
	start_server 'resume on;'
	for size in 5000 200k; do
		run -0 upload_with -n 1 -s $size -u /file/plain
		run -0 upload_with -R -n 2 -c 2 -s $size -u /file/
		assert_output --partial '"requests":2,"ok":2'
		assert_output --partial '"204":2'
		for f in "$STORE"/*-*; do cmp "$STORE/plain" "$f"; done
		rm "$STORE"/*
	done
}

@test "load -m HEAD: what is answered has no content, and lines of -H are all sent" {
	start_server 'resume on;'
	run -0 upload_with -m POST -n 1 -s 100 -u /file/ -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 200' \
		-H 'Content-Type: application/offset+octet-stream'
	assert_output --partial '"201":1'
	basename -s .info "$STORE"/.penstock/*.info | sed 's|^|/file/.penstock/|' >urls
	run -0 upload_with -m HEAD -n 3 -U urls -H 'Tus-Resumable: 1.0.0'
	assert_output --partial '"requests":3,"ok":3'
}
