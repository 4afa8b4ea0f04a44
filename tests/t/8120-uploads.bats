# The uploads that run: who watches sees them all, each with what it waits for, and can cut
# one, whose client is told.

load ../lib/admin

# uploads_are FILTER: what /uploads says now, as jq has it with -e.
uploads_are() {
	ask GET "/uploads${QUERY:-}"
	[[ $STATUS == 200 ]] || return
	jq -e "$1" answer >/dev/null || { cat answer && return 1; }
}

# slow_upload NAME [CURL ARGS...]: a PUT of `body` that takes long, in the background; PID.
slow_upload() {
	local name=$1
	shift
	curl -sS -o "$name.answer" -w '%{http_code}' --limit-rate 64k -T body "$@" \
		"$URL/file/$name" >"$name.status" 2>"$name.stderr" 3>&- 4>&- &
	PID=$!
}

# id_of NAME: of the upload that runs.
id_of() {
	ask GET /uploads
	jq -r ".uploads[] | select(.name == \"$1\") | .id" answer
}

is_listed() { [[ -n $(id_of "$1") ]]; }
has_ended() { uploads_are '.in_flight == 0'; }

@test "an upload that runs is listed with its client, name, bytes and what both sides do" {
	local id

	start_admin
	random_file body 4M
	slow_upload a%20b
	eventually uploads_are '.in_flight == 1 and .listed == 1 and .uploads[0].bytes > 0'
	uploads_are '.uploads[0] | .name == "a b" and .location == "/file" and .user == null'
	uploads_are '.uploads[0] | .length == 4194304 and .from == 0 and .stage == "receiving"'
	uploads_are '.uploads[0] | .reader == "network" and .writer == "data" and .queue_depth == 8'
	uploads_are '.uploads[0] | .client | test("^127.0.0.1:[0-9]+$")'
	eventually uploads_are '.uploads[0] | .verdict == "read-bound" and .rate > 0 and .rate_overall > 0'
	ask GET /uploads
	assert_header Content-Type application/json
	workers | grep -qx "$(jq '.uploads[0].worker' answer)"
	id=$(id_of 'a b')
	ask GET "/uploads/$id"
	assert_status 200
	jq -e ".id == $id and .stage == \"receiving\" and .age_ms > 0" answer
	kill "$PID"
	eventually has_ended
	ask GET "/uploads/$id"
	jq -e '.stage == "ended" and .outcome == "client-gone" and .status == 0' answer
}

@test "one that has ended is found by the id of its receipt, in whatever worker, with its outcome" {
	local id

	start_admin 'max_body_size 64k;' '' 'worker_processes 2;'
	random_file small 4096
	for i in 1 2 3 4; do
		upload PUT "/file/$i" small
		id=$(jq .id answer)
		eventually ended_with "$id" stored
		jq -e ".name == \"$i\" and .bytes == 4096 and .status == 201 and .took_ms > 0" answer
		jq -e '.ended | test("^20[0-9-]+T[0-9:.]+Z$")' answer
	done
	for worker in $(workers); do kill -KILL "$worker"; done
	eventually metric_is penstock_worker_restarts_total 2
	ended_with "$id" stored
	reload_all
	ended_with "$id" stored
}

# ended_with ID OUTCOME
ended_with() {
	ask GET "/uploads/$1"
	[[ $STATUS == 200 ]] && jq -e ".stage == \"ended\" and .outcome == \"$2\"" answer
}

@test "a paced disk is write-bound in the list while it is" {
	slowfs_start 1m
	STORES+=("$T/backing/up")
	start_admin "output_dir $T/slow/up; sync off; queue_depth 2;"
	random_file body 8M
	curl -sS -o up.answer -T body "$URL/file/a" 3>&- 4>&- &
	eventually uploads_are '.uploads[0] | .verdict == "write-bound" and .reader == "queue" and
		.writer == "write" and .queued == 2'
	wait $!
	eventually has_ended
}

@test "filters are for location, user, client, verdict and worker, and limit is one" {
	local pids=()

	echo "alice:$(openssl passwd -6 secret)" >users
	start_admin "auth_basic x; auth_basic_user_file $T/users;" "location /other { output_dir $T/other; }"
	STORES+=("$T/other")
	random_file body 4M
	slow_upload a -u alice:secret
	pids+=("$PID")
	slow_upload b -u alice:secret
	pids+=("$PID")
	curl -sS -o c.answer --limit-rate 64k -T body "$URL/other/c" 3>&- 4>&- &
	pids+=($!)
	eventually uploads_are '.in_flight == 3 and all(.uploads[]; .verdict == "read-bound")'
	while IFS='|' read -r QUERY count; do
		uploads_are ".found == $count and .in_flight == 3"
	done <<-'END'
		?|3
		?location=/file|2
		?location=%2Fother|1
		?location=/fil|0
		?user=alice|2
		?user=bob|0
		?client=127.0.0.1|3
		?client=127.0.0.2|0
		?verdict=read-bound|3
		?verdict=write-bound|0
		?worker=1|0
		?user=alice&location=/other|0
		?user=alice&location=/file&client=127.0.0.1|2
	END
	QUERY="?worker=$(ask GET /uploads && jq '.uploads[0].worker' answer)" \
		uploads_are '.found > 0'
	QUERY='?limit=2' uploads_are '.found == 3 and (.uploads | length) == 2'
	uploads_are '[.uploads[].age_ms] | . == (sort | reverse)'
	kill "${pids[@]}"
	eventually has_ended
}

@test "a parameter that is wrong is refused in words" {
	local query says

	start_admin
	while IFS='|' read -r query says; do
		ask GET "/uploads?$query"
		assert_status 400
		assert_problem "$says"
	done <<-'END'
		colour=red|colour is no parameter of this page: there are client, limit
		limit=0|limit has to be a number from 1 on
		limit=x|limit has to be a number
		limit=|limit has to be
		limit=1&limit=2|limit is given twice
		verdict=slow|verdict has to be balanced, read-bound, write-bound or hash-bound
		worker=-1|worker has to be the number of a process
		location=|location has to be the prefix of a location
		user=%zz|user has to be a name
		user=a%00b|user has to be a name
		client=%|client has to be an address without a port
	END
	for id in 0 1 x 18446744073709551616 1/2; do
		ask GET "/uploads/$id"
		assert_status 404
	done
}

@test "forms and uploads that are resumed are listed, too" {
	load ../lib/resume
	start_admin 'resume on; form on;'
	random_file body 4M
	curl -sS -o form.answer --limit-rate 64k -F 'f=@body;filename=in a form' "$URL/file" 3>&- 4>&- &
	eventually uploads_are '.uploads[0] | .form and .name == "in a form" and .bytes > 0'
	kill $!
	eventually has_ended
	request POST /file -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 4194304' \
		-H "Upload-Metadata: filename $(printf resumed | base64)"
	assert_status 201
	head -c 65536 body >part
	tail -c +65537 body >rest
	header Location >location
	request PATCH "$(cat location)" -H 'Tus-Resumable: 1.0.0' -H 'Upload-Offset: 0' \
		-H 'Content-Type: application/offset+octet-stream' --data-binary @part
	assert_status 204
	curl -sS -o patch.answer --limit-rate 64k -X PATCH "$URL$(cat location)" -H 'Tus-Resumable: 1.0.0' \
		-H 'Upload-Offset: 65536' -H 'Content-Type: application/offset+octet-stream' \
		--data-binary @rest 3>&- 4>&- &
	eventually uploads_are '.uploads[0] | .name == "resumed" and .from == 65536 and .length == 4194304'
	kill $!
	eventually has_ended
}

# start_writing [LOCATION]: an admin that may cut.
start_writing() {
	start_server "${1:-}" '' "worker_processes 2; admin { listen unix:$T/admin.sock; admin_write on; }"
}

# cut NAME: ask for it.
cut_upload() {
	local id

	eventually is_listed "$1"
	id=$(id_of "$1")
	ask DELETE "/uploads/$id"
	ID=$id
}

@test "DELETE cuts an upload in any worker, and its client is told by whom" {
	start_writing
	random_file body 4M
	for i in 1 2 3 4; do
		slow_upload "$i"
		cut_upload "$i"
		assert_status 202
		jq -e ".id == $ID" answer
		wait "$PID"
		assert_equal "$(cat "$i.status")" 403
		jq -e '.detail | test("^an operator of this server has cut this upload: nothing was stored")' "$i.answer"
		eventually ended_with "$ID" cut
		eventually access_has "\"PUT /file/$i\" 403 .* cut"
		ask DELETE "/uploads/$ID"
		assert_status 409
		assert_problem 'has ended already'
	done
	metric_is penstock_uploads_total 4
	assert_store_empty
}

@test "a file of a form that is cut ends the form" {
	start_writing 'form on;'
	random_file body 4M
	curl -sS -o form.answer -w '%{http_code}' --limit-rate 64k -F 'a=@body;filename=one' \
		"$URL/file" >form.status 3>&- 4>&- &
	cut_upload one
	assert_status 202
	wait $!
	assert_equal "$(cat form.status)" 403
	assert_store_empty
}

@test "one that can be resumed keeps what had arrived, and goes on from there" {
	local at

	start_writing 'resume on;'
	random_file body 4M
	request POST /file -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 4194304' \
		-H "Upload-Metadata: filename $(printf resumed | base64)"
	header Location >location
	curl -sS -o patch.answer -w '%{http_code}' --limit-rate 64k -X PATCH "$URL$(cat location)" \
		-H 'Tus-Resumable: 1.0.0' -H 'Upload-Offset: 0' -H Expect: \
		-H 'Content-Type: application/offset+octet-stream' --data-binary @body \
		>patch.status 3>&- 4>&- &
	eventually uploads_are '.uploads[0].bytes > 0'
	cut_upload resumed
	assert_status 202
	wait $!
	assert_equal "$(cat patch.status)" 403
	request HEAD "$(cat location)" -H 'Tus-Resumable: 1.0.0'
	at=$(header Upload-Offset)
	((at > 0 && at < 4194304))
	tail -c +$((at + 1)) body >rest
	request PATCH "$(cat location)" -H 'Tus-Resumable: 1.0.0' -H "Upload-Offset: $at" \
		-H 'Content-Type: application/offset+octet-stream' --data-binary @rest
	cmp body "$STORE/resumed"
}

@test "one that is whole is stored, whatever is asked" {
	slowfs_start
	STORES+=("$T/backing/up")
	start_writing "output_dir $T/slow/up; sync on;"
	random_file body 1M
	upload PUT /file/first body
	slowfs_ctl stall fsync
	curl -sS -o up.answer -w '%{http_code}' -T body "$URL/file/a" >up.status 3>&- 4>&- &
	eventually uploads_are '.uploads[0].stage == "committing"'
	cut_upload a
	assert_status 409
	assert_problem 'it is being stored'
	slowfs_ctl resume
	wait $!
	assert_equal "$(cat up.status)" 201
}

@test "without admin_write, or from a page of another site, nothing is cut" {
	start_admin
	random_file body 4M
	slow_upload a
	cut_upload a
	assert_status 403
	assert_problem 'admin_write on'
	sed -i 's/admin { /&admin_write on; /' penstock.conf
	reload
	ask DELETE "/uploads/$ID" -H 'Origin: http://evil.example'
	assert_status 403
	ask PUT "/uploads/$ID"
	assert_status 405
	assert_header Allow 'GET, HEAD, DELETE'
	uploads_are '.in_flight == 1'
	kill "$PID"
	eventually has_ended
}

@test "admin_write wants a rule on an address, and stands in admin alone" {
	write_conf '' '' "admin { listen 127.0.0.1:$(free_port); admin_write on; }"
	run -1 penstock -c penstock.conf -t
	assert_output -p 'admin_write: whoever reaches this address could cut uploads'
	write_conf '' '' "admin { listen 127.0.0.1:$(free_port); admin_write on; allow 127.0.0.1; deny all; }"
	run -0 penstock -c penstock.conf -t
	write_conf '' 'admin_write on;' ''
	run -1 penstock -c penstock.conf -t
	assert_output -p 'admin_write: not allowed in server; allowed in admin'
	write_conf '' '' "admin { listen unix:$T/a.sock; admin_write on; }"
	penstock -c penstock.conf -T >printed.conf
	assert_equal "$(grep -c 'admin_write *on;' printed.conf)" 1
	assert_equal "$(grep -c admin_write printed.conf)" 1
	run -0 penstock -c printed.conf -t
}

@test "what a worker had that is killed vanishes from the list" {
	local worker

	start_admin
	random_file body 4M
	slow_upload a
	eventually is_listed a
	ask GET /uploads
	worker=$(jq '.uploads[0].worker' answer)
	kill -KILL "$worker"
	eventually metric_is penstock_worker_restarts_total 1
	eventually has_ended
	uploads_are '.listed == 0'
}
