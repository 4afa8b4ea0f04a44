# Forms of web pages in a real browser: by its own form and by FormData, several files and
# folders, with progress, a redirect and early refusals.

load ../lib/penstock
load ../lib/browser

# form_page: a page of the server's own origin with a form, whose answer comes into a frame.
form_page() {
	page_goto "$URL/"
	page_do "
		document.body.innerHTML = '<iframe name=answer></iframe>' +
			'<form method=post enctype=multipart/form-data action=/file target=answer>' +
			'<input name=note value=ü><input type=file name=up multiple>' +
			'<input type=file name=none><input type=file name=dir webkitdirectory></form>'"
}

# submit: what the frame shows when the form was sent.
submit() {
	page_do "
		const frame = document.querySelector('iframe');
		const loaded = new Promise(done => frame.onload = done);
		document.querySelector('form').submit();
		await loaded;
		return frame.contentDocument.body.textContent"
}

@test "the form of a page: several files, none where none was chosen, and a folder" {
	start_server
	browser_start
	random_file 'ä "q".bin' 300000
	echo hello >b.txt
	mkdir -p folder/sub
	echo deep >folder/sub/c.txt
	form_page
	page_files '[name=up]' "$T/ä \"q\".bin" "$T/b.txt"
	submit >shown
	assert_equal "$(jq -r '.files[].name' shown)" $'ä "q".bin\nb.txt'
	assert_equal "$(jq -r '.fields[] | .name + "=" + .value' shown)" 'note=ü'
	assert_same 'ä "q".bin' "$STORE/ä \"q\".bin"
	assert_same b.txt "$STORE/b.txt"
	form_page
	page_files '[name=dir]' "$T/folder"
	submit >shown
	assert_equal "$(jq -r '.files[].name' shown)" folder/sub/c.txt
	assert_same folder/sub/c.txt "$STORE/folder/sub/c.txt"
}

@test "a page's form is answered with the page that form_redirect names; a script gets the receipts" {
	start_server 'form_redirect /file/thanks;'
	browser_start
	echo thanks >thanks
	upload PUT /file/thanks thanks
	echo hello >b.txt
	form_page
	page_files '[name=up]' "$T/b.txt"
	page_do "
		const frame = document.querySelector('iframe');
		document.querySelector('form').submit();
		return 1"
	eventually access_has '"POST /file" 303 '
	eventually access_has '"GET /file/thanks" 200 '
	page_do "
		const form = new FormData();
		form.append('up', new File(['hello'], 'c.txt'));
		const r = await fetch('/file', {method: 'POST', body: form});
		return [r.status, (await r.json()).files[0].name]" >shown
	assert_equal "$(cat shown)" '[201, "c.txt"]'
}

@test "XMLHttpRequest tells the progress of a form, and sees what is refused" {
	start_server 'max_body_size 30m;'
	browser_start
	page_goto "$URL/"
	page_do "
		const send = size => new Promise(done => {
			const form = new FormData(), x = new XMLHttpRequest();
			let seen = 0;
			form.append('up', new File([new Uint8Array(size)], 'large'));
			x.upload.onprogress = e => { seen = Math.max(seen, e.loaded); };
			x.onloadend = () => done([x.status, seen >= size]);
			x.open('POST', '/file');
			x.send(form);
		});
		return [await send(20e6), await send(100), await send(40e6)]" >shown
	assert_equal "$(cat shown)" '[[201, true], [409, true], [413, true]]'
	assert_equal "$(stat -c %s "$STORE/large")" 20000000
}
