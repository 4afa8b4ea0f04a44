# The forms of the access log: JSON is JSON for whatever a client sends, and says what the receipt
# says; combined is what nginx writes; each location has its own log, or none.

load ../lib/penstock

# line_of NAME: the members of the JSON line of that path.
line_of() { jq -ce "select(.path == \"$1\")" access.log; }
has_line_of() { line_of "$1" >/dev/null; }

@test "a line of JSON says what the receipt says, and who sent it" {
	start_server 'checksum sha256;' "access_log $T/access.log json;"
	random_file body 300000
	upload PUT /file/a/b body -A 'agent/1 "x"' -e 'http://a/?x=1&sig=abc' -H Expect:
	assert_status 201
	eventually has_line_of /file/a/b
	line_of /file/a/b >line
	jq -es '.[0] as $r | .[1] | .id == $r.id and .name == $r.name and .in == $r.bytes and
		.durability == $r.durability and .verdict == $r.verdict and .digest == $r.digest and
		.ms == $r.ms and .overlap_saved_ms == $r.overlap_saved_ms' answer line
	jq -e '.method == "PUT" and .status == 201 and .outcome == "stored" and .location == "/file" and
		.protocol == "HTTP/1.1" and .client == "127.0.0.1" and .port > 0 and .out > 100 and
		.user_agent == "agent/1 \"x\"" and .referer == "http://a/?x=1&sig=***" and
		.generation == 1 and (.worker == 0 or .worker == 1) and .duration_ms >= .ms.write and
		(has("cut") or has("user") or has("tls") or has("part") | not)' line
	assert_equal "$(jq -r .digest.\"sha-256\" line)" "$(sha256sum body | cut -d ' ' -f 1)"
}

@test "every byte a client can send leaves each line one object of JSON, and UTF-8" {
	local count

	start_server '' "access_log $T/access.log json;" 'worker_processes 1;'
	count=$(py logs hostile)
	((count > 1000))
	lines_are() { (($(wc -l <access.log) >= count)); }
	eventually lines_are
	iconv -f UTF-8 -t UTF-8 access.log >/dev/null
	refute grep -qP '[\x00-\x09\x0b-\x1f\x7f]' access.log
	# Each line alone is one object: jq would also read one that goes over lines.
	assert_equal "$(jq -ces 'map(type) | unique' access.log)" '["object"]'
	assert_equal "$(jq -cR 'fromjson | type' access.log | sort | uniq -c | tr -s ' ')" \
		" $(wc -l <access.log) \"object\""
	(($(awk '{ if (length($0) > m) m = length($0) } END { print m }' access.log) < 4096))
	assert_equal "$(jq -r 'select(.user_agent == "a\\\"z") | .user_agent' access.log | sort -u)" 'a\"z'
}

@test "combined is nginx's, byte for byte" {
	start_server '' "access_log $T/access.log combined;"
	echo hello >body
	upload PUT '/file/a?x="y' body -A 'a"b\c' -e 'http://r/é' -H Expect:
	assert_status 201
	cp answer answer.put
	request GET /none -A ''
	eventually grep -q none access.log
	run -0 cat access.log
	assert_line -e '^127\.0\.0\.1 - - \[[0-9]{2}/[A-Z][a-z]{2}/20[0-9]{2}(:[0-9]{2}){3} \+0000\] "PUT /file/a\?x=\\x22y HTTP/1\.1" 201 '"$(wc -c <answer.put)"' "http://r/\\xC3\\xA9" "a\\x22b\\x5Cc"$'
	assert_line -e '^127\.0\.0\.1 - - \[.*\] "GET /none HTTP/1\.1" 404 [0-9]+ "-" "-"$'
}

@test "a location has its own log, in its own form, or none; what is in no location is the server's" {
	start_server '' "access_log $T/access.log;
		location /json { output_dir $T/json; access_log $T/json.log json; }
		location /off { output_dir $T/off; access_log off; }"
	echo hello >body
	for at in /file/a /json/a /off/a; do
		upload PUT "$at" body
		assert_status 201
	done
	request GET /none
	upload PUT /file/last body
	eventually access_has '"PUT /file/last"'
	eventually test -s json.log
	assert_equal "$(grep -oE '"[A-Z]+ [^"]*"' access.log | tr '\n' ' ')" '"PUT /file/a" "GET /none" "PUT /file/last" '
	assert_equal "$(jq -r .path json.log)" /json/a
	# And the other way round: only a location has one.
	write_conf "access_log $T/only.log;" 'access_log off;'
	reload
	request GET /none
	upload PUT /file/only body
	eventually grep -q '"PUT /file/only"' only.log
	assert_equal "$(wc -l <only.log)" 1
}

@test "what -T prints has the same logs when it is read again" {
	write_conf "access_log $T/a.log json;" 'access_log syslog:server=unix:/dev/log,tag=up;'
	penstock -c penstock.conf -T >first.conf
	grep -qE "^    access_log +syslog:server=unix:/dev/log,facility=local7,severity=info,tag=up;" first.conf
	grep -qE "^        access_log +$T/a.log json;" first.conf
	penstock -c first.conf -T >second.conf
	# But for the name of the file.
	cmp <(tail -n +2 first.conf) <(tail -n +2 second.conf)
}

@test "an id is in access log, error log, trace and receipt; none comes again after a restart" {
	local id

	start_server 'trace on;' "access_log $T/access.log json;"
	echo hello >body
	for n in 1 2 3 4 5; do upload PUT "/file/$n" body; done
	id=$(jq .id answer)
	eventually has_line_of /file/5
	assert_equal "$(line_of /file/5 | jq .id)" "$id"
	eventually grep -q "^$id: Done" stdout
	rm -r "$STORE"
	upload PUT /file/gone body
	eventually has_line_of /file/gone
	log_has "upload $(line_of /file/gone | jq .id): "
	stop_server
	mkdir "$STORE"
	start_conf penstock.conf
	for n in 1 2 3; do upload PUT "/file/new$n" body; done
	eventually has_line_of /file/new3
	assert_equal "$(jq .id access.log | sort | uniq -d)" ''
	(($(jq .id access.log | wc -l) == 9))
}

@test "to syslog, one datagram each; a receiver that is gone, or takes none, holds nothing up" {
	start_py logs syslog "$T/log" messages
	eventually test -e listening
	start_server '' "access_log syslog:server=unix:$T/log,facility=daemon,severity=notice,tag=up json;" 'worker_processes 1;'
	echo hello >body
	upload PUT /file/a body
	eventually grep -q file/a messages
	grep -qE '^<29>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} up\[[0-9]+\]: \{"time":.*\}$' messages
	kill "$PY"
	wait "$PY" || true
	rm listening
	upload PUT /file/lost body
	assert_status 201
	eventually log_has "log syslog:server=unix:$T/log.*: Connection refused: lines are lost"
	start_py logs syslog "$T/log" messages
	eventually test -e listening
	upload PUT /file/b body
	eventually grep -q file/b messages
	refute grep -q file/lost messages
	kill "$PY"
	wait "$PY" || true
	rm -f log listening
	start_py logs deaf_syslog "$T/log"
	eventually test -e listening
	# It is said now and then only: the receiver before was gone a moment ago.
	n=0
	_is_said() {
		upload PUT "/file/many$((n++))" body
		log_has "Resource temporarily unavailable: lines are lost"
	}
	eventually _is_said
	assert_status 201
	kill "$PY"
}

@test "the log's disk is full: uploads go on, and it is said that lines are lost" {
	start_server '' 'access_log /dev/full;'
	echo hello >body
	upload PUT /file/a body
	assert_status 201
	eventually log_has 'log /dev/full: No space left on device: lines are lost'
	upload PUT /file/b body
	assert_status 201
}

@test "what is no form, and no syslog, is refused in words" {
	write_conf '' "access_log $T/a.log xml;"
	run -1 penstock -c penstock.conf -t
	assert_line -p '"xml" is no form of a log; allowed: text, json or combined'
	write_conf '' 'access_log syslog:server=192.0.2.1:514;'
	run -1 penstock -c penstock.conf -t
	assert_line -p 'server= takes unix:/PATH only'
	write_conf '' 'access_log syslog:server=unix:/dev/log,facility=local9;'
	run -1 penstock -c penstock.conf -t
	assert_line -p '"facility=local9" is no parameter of syslog'
}
