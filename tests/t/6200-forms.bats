# A form is no file: its envelope must not be stored with 201 as if it were what
# the user sent.  Where forms are not taken (form off) it is refused with 415, before
# its body, in words that say what to do; and what only looks like a form, since
# clients say so of any file, is stored as it is.

load ../lib/penstock
load ../lib/browser

FILES_ONLY='application/octet-stream'
URLENCODED='application/x-www-form-urlencoded'

# refused: the last answer is that to a form, and nothing was stored.
refused() {
	assert_status 415
	assert_problem 'curl -T FILE'
	assert_problem 'fetch\(url'
	assert_header Accept "$FILES_ONLY"
	refute_header Accept-Encoding
	assert_store_empty
}

@test "curl -F is 415, to a location, behind its slash and to a name" {
	start_server 'form off;'
	echo hello >f
	for path in /file /file/ /file/a /file/a/b; do
		request POST "$path" -F file=@f
		refused
		request PUT "$path?x" -F file=@f -F name=value -H 'Content-Type: Multipart/Form-Data ; charset=utf-8'
		[[ $path == /file/ && $STATUS == 400 ]] || refused
	done
	eventually access_has '"POST /file/a" 415 in=0 out=[0-9]+ ms=[0-9.]+ form$'
	# What it says to do works.
	upload PUT /file/a f
	assert_status 201
	assert_same f "$STORE/a"
}

@test "a large form is refused before it is sent" {
	start_server 'form off;'
	head -c 3M /dev/zero >f
	request POST /file -F file=@f -H 'Expect: 100-continue' -v 2>trace
	refused
	refute grep -q '100 Continue' trace
	request POST /file -F file=@f -H Expect:
	refused
	request POST /file -F file=@f -H 'Transfer-Encoding: chunked'
	refused
	eventually access_has '"POST /file" 415 in=0 '
}

# Bytes of Chromium 156, but for fields that say nothing here.
page() {
	local type=$1 mode=$2 dest=$3 body=$4

	raw -c "POST /file HTTP/1.1\\r\\nHost: $ADDRESS:$PORT\\r\\nConnection: close\\r\\nContent-Length: ${#body}\\r\\nCache-Control: max-age=0\\r\\nOrigin: $URL\\r\\nContent-Type: $type\\r\\nUpgrade-Insecure-Requests: 1\\r\\nSec-Fetch-Site: same-origin\\r\\nSec-Fetch-Mode: $mode\\r\\nSec-Fetch-User: ?1\\r\\nSec-Fetch-Dest: $dest\\r\\n\\r\\n$body"
}

@test "the forms of a web page are 415, in each of their three encodings" {
	start_server 'form off;'
	page "$URLENCODED" navigate document 'a=1&b=%41'
	refused
	page 'multipart/form-data; boundary=----WebKitFormBoundaryAbC' navigate document \
		'------WebKitFormBoundaryAbC--'
	refused
	page text/plain navigate iframe 'a=1'
	refused
	# URLSearchParams, by fetch(); a page of an older browser, or of a plain
	# address, where there is no Sec-Fetch-Mode.
	page "$URLENCODED;charset=UTF-8" cors empty 'a=1'
	refused
	assert_problem 'application/octet-stream' # jQuery says the same of a file
	request POST /file --data a=1 -H "Origin: $URL"
	refused
	# What fetch() sends of files.
	page text/plain same-origin empty 'some text'
	assert_status 201
	page 'text/plain;charset=UTF-8' cors empty 'some text'
	assert_status 201
	page image/png cors empty 'some bytes'
	assert_status 201
}

@test "what only says that it is a form is stored as it is" {
	start_server 'form off;'
	printf 'a=%%41&b\n\0c' >f
	request POST /file/curl --data-binary @f
	assert_status 201
	assert_same f "$STORE/curl"
	for type in multipart/mixed multipart/related multipart/form-data2 'multipart/form-data x' \
		'application/octet-stream; was="multipart/form-data"'; do
		rm -f "$STORE/other"
		request POST /file/other --data-binary @f -H "Content-Type: $type; boundary=x"
		assert_status 201
		assert_same f "$STORE/other"
	done
	# A file that is a form itself, in the way that the answer names.
	printf -- '--x\r\n\r\n--x--\r\n' >form
	request PUT /file/form --data-binary @form -H 'Content-Type: multipart/form-data; boundary=x'
	assert_status 415
	assert_problem 'application/octet-stream'
	request PUT /file/form --data-binary @form -H 'Content-Type: application/octet-stream'
	assert_status 201
	assert_same form "$STORE/form"
}

# send_form ENCTYPE: a form of the page, with a file, is sent into a frame; prints
# what the frame shows then.
send_form() {
	page_do "
		const frame = document.createElement('iframe');
		frame.name = 'answer';
		document.body.append(frame);
		const form = document.createElement('form');
		form.method = 'POST';
		form.action = '/file';
		form.target = frame.name;
		form.enctype = '$1';
		const input = document.createElement('input');
		input.type = 'file';
		input.name = 'up';
		const files = new DataTransfer();
		files.items.add(new File(['hello'], 'a.txt'));
		input.files = files.files;
		form.append(input);
		document.body.append(form);
		const loaded = new Promise(done => frame.onload = done);
		form.submit();
		await loaded;
		const text = frame.contentDocument.body.textContent;
		frame.remove();
		form.remove();
		return text"
}

@test "a real browser: its forms are refused, and what it fetches with a file as the body is stored" {
	start_server 'form off;' 'server_name files.example;'
	browser_start
	# Over plain http it sends Sec-Fetch-Mode to the second one only.
	for site in "http://files.example:$PORT" "$URL"; do
		page_goto "$site/"
		for type in multipart/form-data "$URLENCODED" text/plain; do
			send_form "$type" >shown
			grep -q 'curl -T FILE' shown
		done
		page_do "return (await fetch('/file/text', {method: 'POST', body: 'text'})).status" >shown
		assert_equal "$(cat shown)" 201
		rm "$STORE/text"
	done
	page_do "
		const form = new FormData();
		form.append('up', new File(['hello'], 'a.txt'));
		const r = await fetch('/file', {method: 'POST', body: form});
		const s = await fetch('/file', {method: 'POST', body: new URLSearchParams('a=b')});
		return [r.status, (await r.json()).detail, s.status]" >shown
	assert_equal "$(jq -r '.[0], .[2]' shown)" $'415\n415'
	jq -r '.[1]' shown | grep -q 'fetch(url'
	assert_store_empty
	# What the answers tell to do.
	page_do "
		const body = new File(['some text'], 'a.txt', {type: 'text/plain'});
		const r = await fetch('/file/a.txt', {method: 'PUT', body});
		const s = await fetch('/file/b.txt', {method: 'POST', body});
		return [r.status, s.status]" >shown
	assert_equal "$(cat shown)" '[201, 201]'
	assert_equal "$(cat "$STORE/a.txt" "$STORE/b.txt")" 'some textsome text'
	eight_in_log() { (($(grep -c '"POST /file" 415 .* form$' access.log) == 8)); }
	eventually eight_in_log
}
