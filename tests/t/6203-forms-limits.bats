# The limits on forms are exact: parts, fields, files and the whole; they hold over all its
# parts, for a slow client, too; and a refusal comes as early as that of a PUT.

load ../lib/penstock

@test "form_max_parts counts files and fields; one more is 413" {
	start_server 'form_max_parts 3;'
	echo hello >f
	request POST /file -F up=@f -F a=1 -F b=2
	assert_status 201
	rm "$STORE/f"
	request POST /file -F a=1 -F b=2 -F c=3 -F up=@f
	assert_status 413
	assert_problem 'form_max_parts 3'
	assert_store_empty
	eventually access_has ' 413 .* form-limit'
}

@test "form_max_field_size is of all fields, with their names" {
	start_server 'form_max_field_size 100;'
	echo hello >f
	# 3 + 47 bytes, twice
	value=$(printf 'v%.0s' {1..47})
	request POST /file -F "abc=$value" -F up=@f -F "def=$value"
	assert_status 201
	rm "$STORE/f"
	request POST /file -F "abc=$value" -F "def=${value}v" -F up=@f
	assert_status 413
	assert_problem 'form_max_field_size 100'
	assert_store_empty
}

@test "form_max_file_size is of each file, and max_body_size of the form" {
	start_server 'form_max_file_size 100k; max_body_size 1m;'
	random_file f 102400
	random_file over 102401
	random_file large 1100000
	request POST /file -F up=@f -F up=@over
	assert_status 413
	assert_problem 'form_max_file_size 100k'
	assert_equal "$(jq -r '.files[] | "\(.name) \(.status)"' answer)" $'f 201\nover 413'
	assert_same f "$STORE/f"
	refute test -e "$STORE/over"
	request POST /file -F up=@large -H 'Expect: 100-continue' -v 2>trace
	assert_status 413
	assert_problem 'max_body_size 1m'
	refute grep -q '100 Continue' trace
	request POST /file -F up=@large -H 'Transfer-Encoding: chunked' -H Expect:
	assert_status 413
	refute test -e "$STORE/large"
}

@test "a file that is refused is read on a little way only, and the answer comes early" {
	start_server '' '' 'chunk_size 256k;'
	random_file f 1000
	request POST /file -F up=@f
	assert_status 201
	head -c 60M /dev/zero >large
	request POST /file -F 'up=@large;filename=f' -H Expect: --limit-rate 20M
	assert_status 409
	in_at_most() { (($(sed -nE 's/.*"POST \/file" 409 in=([0-9]+) .*/\1/p' access.log) < 20000000)); }
	eventually in_at_most
}

@test "ten thousand tiny files in one form" {
	start_server 'form_max_parts 10000; sync off;'
	{
		for ((i = 0; i < 10000; i++)); do
			printf -- '--B\r\nContent-Disposition: form-data; name="a"; filename="%d"\r\n\r\n%d\r\n' "$i" "$i"
		done
		printf -- '--B--'
	} >body
	request POST /file --data-binary @body -H 'Content-Type: multipart/form-data; boundary=B'
	assert_status 201
	assert_equal "$(files_in "$STORE" | wc -l)" 10000
	assert_equal "$(cat "$STORE/9999")" 9999
	assert_equal "$(jq '.files | length' answer)" 10000
}

@test "a silent client gets 408 in any part, and a slow one by its rate over all parts" {
	start_server 'min_rate 1k; min_rate_grace 1s;' 'body_timeout 2s;'
	CD='Content-Disposition: form-data; name="a"'
	head="POST /file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 100000\r\n\r\n"
	connect
	say "$FD" "$head--B\r\n$CD; filename=f\r\n\r\nhel"
	hear "$FD" >answer
	grep -q '^HTTP/1.1 408' answer
	hang_up "$FD"
	connect
	say "$FD" "$head--B\r\n$CD"
	hear "$FD" >answer
	grep -q '^HTTP/1.1 408' answer
	hang_up "$FD"
	# Each part alone would be in time.
	connect
	say "$FD" "$head--B\r\n"
	(
		for ((i = 0; i < 100; i++)); do
			say "$FD" "$CD\r\n\r\n1\r\n--B\r\n" || break
			sleep 0.1
		done
	) 2>/dev/null &
	sender=$!
	hear "$FD" >answer
	kill "$sender" 2>/dev/null || true
	wait "$sender" || true
	grep -q '^HTTP/1.1 408' answer
	hang_up "$FD"
	# It was told while it still sent, after a fifth of its parts or so.
	is_told_early() { (($(sed -nE '$s/.* 408 in=([0-9]+) .* below-rate.*/\1/p' access.log) < 3000)); }
	three_in_log() { (($(grep -c ' 408 ' access.log) == 3)); }
	eventually three_in_log
	is_told_early
	assert_store_empty
}

@test "a client that leaves in the middle leaves the files that were whole" {
	start_server
	CD='Content-Disposition: form-data; name="a"'
	head="POST /file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 100000\r\n\r\n"
	connect
	say "$FD" "$head--B\r\n$CD; filename=f\r\n\r\none\r\n--B\r\n$CD; filename=g\r\n\r\ntw"
	eventually test -e "$STORE/f"
	hang_up "$FD"
	eventually access_has '"POST /file" 0 in=[0-9]+ .* client-gone .* name="f"$'
	assert_equal "$(files_in "$STORE")" "$STORE/f"
	assert_equal "$(cat "$STORE/f")" one
}

@test "a form on a slow disk holds no other up" {
	slowfs_start
	start_server '' "location /slow { output_dir $T/slow/up; }" 'worker_processes 1;'
	random_file f 300000
	slowfs_hang
	curl -sS -F up=@f "$URL/slow" -o slow.answer &
	slow=$!
	request POST /file -F up=@f -F up=@f
	assert_equal "$STATUS" 409
	assert_same f "$STORE/f"
	slowfs_wake
	wait "$slow"
}
