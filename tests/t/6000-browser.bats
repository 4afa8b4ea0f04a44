# What a page in a real browser can do, and what it is told: a headless Chromium,
# also with a page of another port of this machine, which is another origin.  (How
# requests are judged is 6010 to 6030's.)

load ../lib/penstock
load ../lib/browser

@test "a page of the server's own uploads, and reads receipt, ETag and Server-Timing" {
	start_server
	browser_start
	page_goto "$URL/"
	page_do "
		const r = await fetch('/file/a', {method: 'PUT', body: 'hello'});
		const bytes = (await r.json()).bytes;
		const t = performance.getEntriesByName('$URL/file/a')[0].serverTiming;
		return [r.status, r.headers.get('ETag') != null, bytes,
			t.map(e => e.name).includes('sync')]" >page
	assert_equal "$(cat page)" '[201, true, 5, true]'
	assert_equal "$(cat "$STORE/a")" hello
}

# A form of that page, which needs no leave to be sent, in a frame; when what is
# answered has come.
send_form() {
	page_do "
		const frame = document.createElement('iframe');
		frame.name = 'f' + Math.random();
		document.body.append(frame);
		const form = document.createElement('form');
		form.method = 'POST';
		form.action = '$URL/file';
		form.target = frame.name;
		form.enctype = '$1';
		form.innerHTML = '<input name=a value=b>';
		document.body.append(form);
		const loaded = new Promise(done => frame.onload = done);
		form.submit();
		await loaded"
}

@test "a page of another origin stores nothing by fetch, by beacon or by form, until allow_origin names it" {
	start_server
	browser_start
	# A preflight comes before this one, and it is not sent.
	run page_do "await fetch('$URL/file/a', {method: 'PUT', body: 'x'})"
	assert_failure
	assert_output -p 'Failed to fetch'
	eventually access_has '"OPTIONS /file/a" 403 .* cross-site$'
	# These are sent without one.
	page_do "await fetch('$URL/file', {method: 'POST', mode: 'no-cors', body: 'x'})"
	page_do "navigator.sendBeacon('$URL/file', 'x')"
	send_form text/plain
	send_form application/x-www-form-urlencoded
	send_form multipart/form-data
	all_refused() { (($(grep -c '"POST /file" 403 .* cross-site$' access.log) == 5)); }
	eventually all_refused
	# A page of another site altogether, and one without an origin.
	page_goto "http://other.example:$PAGE_PORT/"
	page_do "await fetch('$URL/file', {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0)"
	page_goto 'data:text/html,x'
	page_do "await fetch('$URL/file', {method: 'POST', mode: 'no-cors', body: 'x'}).catch(() => 0)"
	assert_store_empty

	sed -i "s|location /file {|&\nallow_origin $PAGE;|" penstock.conf
	reload_all
	page_goto "$PAGE/"
	page_do "
		const r = await fetch('$URL/file/a b', {method: 'PUT', body: 'hello',
			headers: {'X-Own': 'y', 'Content-Type': 'text/x'}});
		const bytes = (await r.json()).bytes;
		const t = performance.getEntriesByName('$URL/file/a%20b').at(-1).serverTiming;
		const again = await fetch('$URL/file/a b', {method: 'PUT', body: 'hello'});
		const read = await fetch('$URL/file/a b', {headers: {Range: 'bytes=1-2'}});
		return [r.status, r.headers.get('Location'), r.headers.get('ETag').length,
			bytes, t.some(e => e.name == 'sync' && e.duration >= 0),
			again.status, (await again.json()).detail.includes('overwrite'),
			read.status, read.headers.get('Content-Range'), await read.text()]" >page
	assert_equal "$(cat page)" '[201, "/file/a%20b", 34, 5, true, 409, true, 206, "bytes 1-2/5", "el"]'
	assert_equal "$(cat "$STORE/a b")" hello
	# Others still may not.
	page_goto "http://localhost:$PAGE_PORT/"
	run page_do "await fetch('$URL/file/b', {method: 'PUT', body: 'x'})"
	assert_failure
	assert_equal "$(files_in "$STORE")" "$STORE/a b"
}

@test "a name that leads here all of a sudden shows nothing, until it is a server_name" {
	start_server
	echo secret >secret
	upload PUT /file/a secret
	browser_start
	page_goto "http://rebound.example:$PORT/file/a"
	page_do "return (await fetch('/file/a')).status" >page
	page_do "return (await fetch('/file/b', {method: 'PUT', body: 'x'})).status" >>page
	sed -i 's/server_name/& rebound.example/' penstock.conf
	reload_all
	page_do "return (await fetch('/file/a')).status" >>page
	page_do "return (await fetch('/file/b', {method: 'PUT', body: 'x'})).status" >>page
	assert_equal "$(cat page)" $'421\n421\n200\n201'
	assert_equal "$(files_in "$STORE")" "$STORE/a"$'\n'"$STORE/b"
}
