# A headless Chromium for tests: load it behind penstock.bash.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what tests use, and what penstock.bash has
#
#	load ../lib/penstock
#	load ../lib/browser
#
#	@test "a page of another port may not upload" {
#		start_server
#		browser_start
#		run page_do "await fetch('$URL/file/a', {method: 'PUT', body: 'x'})"
#		assert_failure
#		assert_store_empty
#	}
#
# browser_start     starts Chromium (about a second) with an empty page of the
#                   origin $PAGE, http://127.0.0.1:$PAGE_PORT; the teardown ends
#                   it.  Call it directly, never with `run`.  Files in
#                   $T/pages are served there, too: $PAGE/up.html.
# browser_trusts FILE
#                   a certificate that vouches for itself and for those that it
#                   has signed; before browser_start.
# page_do 'JS'      runs the text in the page as the body of an async function
#                   (await is allowed) and prints what it returns: a string as it
#                   is, else as JSON.  What it throws is printed on stderr, and
#                   it fails then, as it does when nothing comes of it for
#                   $PENSTOCK_PATIENCE.
# page_goto URL     shows another page.  Every name there is leads to this
#                   machine, so a page of another site is
#                   http://other.example:$PAGE_PORT/.  Sec-Fetch-* is sent to
#                   127.0.0.1 and localhost only: to other names a browser sends it over
#                   https alone.
# page_files SELECTOR FILE...
#                   chooses files in an <input type=file> of the page.
# page_throttle UP [DOWN [MS]]
#                   bytes per second that the page sends and receives from now on
#                   (-1: any), and the latency: Chromium's own
#                   Network.emulateNetworkConditions.
#
# A resource's timing is there once its body has been read to its end.  A page
# says how long something took by performance.now(); blobs of any size
# are made by `new Blob([new Uint8Array(50e6)])`.  The browser's own messages are
# in $T/browser.out.

browser_start() {
	PAGE_PORT=$(free_port)
	PAGE=http://127.0.0.1:$PAGE_PORT
	HOME=$T PENSTOCK_TEST=$T PENSTOCK_PATIENCE=$PENSTOCK_PATIENCE \
		"$PYTHON" "$REPO/tests/lib/browser.py" serve "$T" "$PAGE_PORT" \
		>"$T/browser.out" 2>&1 </dev/null 3>&- 4>&- &
	BROWSER=$!
	SERVERS+=("$BROWSER")
	eventually _browser_has_started && is_running "$BROWSER" && return
	cat "$T/browser.out" >&2
	return 1
}

# Those that a user has imported are in NSS's files.
browser_trusts() {
	local db=$T/.pki/nssdb

	[[ -d $db ]] || { mkdir -p "$db" && certutil -d "sql:$db" -N --empty-password; } || return
	certutil -d "sql:$db" -A -t C,, -n "$1" -i "$1"
}

# Ended before it was ready counts too: the caller looks.
_browser_has_started() { [[ -S $T/browser.sock ]] || ! is_running "$BROWSER"; }

_browser_ask() { "$PYTHON" -S -E "$REPO/tests/lib/browser.py" ask "$T" "$@"; }

page_do() { _browser_ask "do" "$1"; }
page_goto() { _browser_ask goto "$1"; }
page_files() { _browser_ask files "$1" "${@:2}"; }
page_throttle() { _browser_ask throttle "$@"; }
