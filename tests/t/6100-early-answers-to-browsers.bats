# A browser reads no answer while it sends, so one that is refused early is told
# by closing its connection as soon as it has the answer: within some 2 s, and not
# when it has sent everything, or after lingering_time.  All other clients may
# send on for lingering_time, since a reset may take the answer along.
#
# The kind of fault: an answer that was given at once is seen only when the client
# has done all that the answer was to spare it.

load ../lib/penstock
load ../lib/browser

# deaf HEADER_LINES [NAME]: what Chromium does, as bytes: sends on and on
# and reads nothing until it cannot send any more.  Prints the seconds that this
# took and the first line of what it had been sent.
deaf() {
	py connections send_without_reading "$@"
}

# told_within SECONDS STATUS HEADER_LINES [NAME]
told_within() {
	local took status

	read -r took _ status _ < <(deaf "${@:3}")
	assert_equal "$status" "$2"
	[[ $(awk -v t="$took" -v most="$1" 'BEGIN { print (t < most) }') == 1 ]] ||
		fail "it was told after $took s, and not within $1 s: $3"
}

@test "who sends Sec-Fetch-* or Origin and never reads is told long before lingering_time" {
	needs_acks
	start_server
	head -c 300000 /dev/zero >body
	upload PUT /file/b body
	# A third of lingering_time is left to a machine that is busy.
	told_within 10 409 'Sec-Fetch-Mode: cors\r\n' &
	mode=$!
	told_within 10 409 'Origin: http://x\r\n'
	wait "$mode"
}

@test "507 and 413 are told as early as 409" {
	needs_acks
	mkdir small
	mount -t tmpfs -o size=4m none "$T/small"
	STORES+=("$T/small/up")
	start_server "output_dir $T/small/up;"
	told_within 10 507 'sec-fetch-site: same-origin\r\n'
	stop_server
	start_server 'max_body_size 1m;'
	told_within 10 413 'sec-fetch-mode: no-cors\r\n'
}

# Its head was not read to the end, but the fields are there.
@test "so are 414, 431 and 400 of a head that is refused itself" {
	needs_acks
	start_server '' 'max_header_size 4k; max_request_line 300;'
	long=$(printf 'x%.0s' {1..5000})
	told_within 10 431 "Origin: http://x\\r\\nCookie: $long\\r\\n" &
	first=$!
	told_within 10 400 'Origin: http://x\r\nX: \x01\r\n' &
	second=$!
	told_within 10 414 'Origin: http://x\r\n' "$(printf 'x%.0s' {1..400})"
	wait "$first"
	wait "$second"
}

@test "all others may send on for lingering_time" {
	needs_acks
	start_server 'max_body_size 1m;' 'lingering_time 3s;'
	# The same for both, but for that field.
	deaf 'Sec-Fetch-Mode: cors\r\n' >browser &
	client=$!
	read -r took _ status _ < <(deaf '')
	assert_equal "$status" 413
	[[ $(awk -v t="$took" 'BEGIN { print (t >= 2.7) }') == 1 ]] ||
		fail "it was cut after $took s: lingering_time is 3s"
	wait "$client"
	read -r other _ <browser
	[[ $(awk -v t="$took" -v b="$other" 'BEGIN { print (b < t) }') == 1 ]] ||
		fail "the browser was told after $other s, others after $took s"
}

# Apache sends all of the body and looks for no answer when it is reset meanwhile:
# its 502 would be all that the page sees.
@test "a browser's request that a proxy hands on lingers like all others" {
	start_server 'max_body_size 1m;' 'lingering_time 3s;'
	deaf 'Sec-Fetch-Mode: cors\r\nVia: 1.1 proxy\r\n' >via &
	client=$!
	read -r took _ status _ < <(deaf 'Origin: http://x\r\nX-Forwarded-Host: x\r\nX-Forwarded-For: 192.0.2.1\r\n')
	assert_equal "$status" 413
	[[ $(awk -v t="$took" 'BEGIN { print (t >= 2.7) }') == 1 ]] ||
		fail "it was cut after $took s: lingering_time is 3s"
	wait "$client"
	read -r took _ <via
	[[ $(awk -v t="$took" 'BEGIN { print (t >= 2.7) }') == 1 ]] ||
		fail "with Via it was cut after $took s: lingering_time is 3s"
}

@test "lingering_time ends it also for a browser, if that is shorter" {
	start_server 'max_body_size 1m;' 'lingering_time 200ms;'
	read -r took _ status _ < <(deaf 'Origin: http://x\r\n')
	assert_equal "$status" 413
	# Less than the grace that a browser would get.
	[[ $(awk -v t="$took" 'BEGIN { print (t < 1.0) }') == 1 ]] ||
		fail "it was cut after $took s: lingering_time is 200ms"
}

# One whose body is complete is not hurried: it has been read, and a proxy that
# handed the fields on may be slow in closing.
@test "a browser that was answered after its body is not hurried" {
	start_server '' 'lingering_timeout 2s;'
	connect
	say "$FD" 'PUT /file/a HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
	hear "$FD" >heard # until the server's side is shut down
	head -n 1 heard
	grep -q '^HTTP/1.1 201 ' heard
	from=${EPOCHREALTIME/[.,]/}
	# What the kernel keeps of it has no process then.
	_gone() { ! ss -Htnp "sport = :$PORT" | grep users: | grep -v LISTEN; }
	eventually _gone
	took=$((${EPOCHREALTIME/[.,]/} - from))
	((took > 1600000)) || fail "it was closed after $took us: lingering_timeout is 2s"
	hang_up "$FD"
}

# A UNIX socket has no acknowledgements that say anything.
@test "on a UNIX socket a browser's request lingers like all others" {
	start_server 'max_body_size 1m;' "listen unix:$T/sock; lingering_timeout 2s;"
	py connections wait_when_refused sock >seconds
	[[ $(awk '{ print ($1 >= 1.7) }' seconds) == 1 ]] || fail "it was closed after $(cat seconds) s"
}

@test "a page in Chromium that sends 4 MB/s shows a 413, a 409 and a 507 within 3 s" {
	needs_acks
	mkdir small
	mount -t tmpfs -o size=4m none "$T/small"
	STORES+=("$T/small/up")
	start_server '' "location /tiny { output_dir $T/tiny; max_body_size 1m; }
		location /full { output_dir $T/small/up; }"
	echo hello >"$STORE/b"
	browser_start
	page_goto "$URL/"
	page_throttle 4000000
	deaf 'Sec-Fetch-Mode: cors\r\n' >reference &
	client=$!
	page_do "
		const body = new Blob([new Uint8Array(100e6)]);
		const one = async path => {
			const began = performance.now();
			const r = await fetch(path, {method: 'PUT', body: body});
			const detail = (await r.json()).detail;
			return [r.status, detail.length > 0, (performance.now() - began) / 1000];
		};
		return await Promise.all(['/tiny/a', '/file/b', '/full/c'].map(one));" >page
	wait "$client"
	cat page reference
	assert_equal "$(jq -c '[.[][:2]]' page)" '[[413,true],[409,true],[507,true]]'
	# 3 s, or what that is on a machine where the bytes alone take longer than the
	# 1.3 s that they take; sending all takes 25 s and more, lingering_time is 30 s.
	jq -e --argjson bytes "$(cut -d' ' -f1 reference)" 'all(.[]; .[2] < 3 / 1.3 * $bytes)' page
}

# Node's fetch sends Sec-Fetch-Mode, a script may send Origin: a client that reads
# while it sends has its answer before the connection is closed, and one that looks
# when it cannot send any more finds it.
@test "clients that are no browsers and send these fields have their answer, whole" {
	start_server 'max_body_size 1m;'
	head -c 40M /dev/zero >body
	for framing in 'Expect: 100-continue' 'Expect:'; do
		upload PUT /file/a body -H "Origin: http://x" -H "Host: x" -H "$framing" --limit-rate 4M
		assert_status 413
		assert_problem max_body_size
		upload PUT /file/a - -H "Sec-Fetch-Mode: cors" -H "$framing" <body
		assert_status 413
		assert_problem max_body_size
	done
	py connections read_when_it_cannot_send
}
