# What a page in a real browser can do, and what it is told: a headless Chromium.

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
