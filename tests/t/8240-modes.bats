# file_mode and dir_mode are exact, whatever the umask of the server and whichever way a
# file is published; without them the umask decides, as for any file.

load ../lib/penstock

mode_of() { stat -c %a "$STORE/$1"; }

# stored LOCATION: a small and a large file, new, replaced, on a form, in new directories.
stored() {
	local file

	start_server "overwrite on; $1"
	random_file small 1000
	random_file large 3000000
	for file in small large; do
		upload PUT "/file/$file" "$file"
		assert_status 201
		upload PUT "/file/$file" "$file"
		assert_status 200
		upload PUT "/file/a/b/$file" "$file"
		assert_status 201
	done
	run -0 curl -sS --fail-with-body -F "up=@small;filename=formed" "$URL/file/a/"
	run -0 stat -c '%n %a' "$STORE"/{small,large,a/b/small,a/b/large,a/formed}
}

@test "files and directories have exactly the modes that are named" {
	local umask

	for umask in 077 000; do
		umask "$umask"
		stored 'file_mode 0604; dir_mode 0751;'
		assert_equal "$(grep -c ' 604$' <<<"$output")" 5
		assert_equal "$(mode_of a)" 751
		assert_equal "$(mode_of a/b)" 751
		stop_server
		rm -rf "$STORE"
	done
}

@test "an upload that goes on has them, too, and a directory keeps the group that it hands down" {
	umask 077
	mkdir "$STORE"
	chmod 2770 "$STORE"
	start_server 'resume on; file_mode 0664; dir_mode 0755;'
	random_file body 5000
	run -0 curl -sS -i -X POST -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 5000' -H 'Content-Type: application/offset+octet-stream' \
		-H "Upload-Metadata: filename $(echo -n d/e | base64)" --data-binary @body "$URL/file/"
	assert_output -e '^HTTP/1.1 201'
	eventually [ -n "$(find "$STORE" -name .penstock -prune -o -type f -print)" ]
	run -0 find "$STORE" -name .penstock -prune -o -type f -printf '%m\n'
	assert_output 664
	upload PUT /file/x/y body
	assert_status 201
	assert_equal "$(mode_of x)" 2755
}

@test "without them the umask decides" {
	umask 027
	stored ''
	assert_equal "$(grep -c ' 640$' <<<"$output")" 5
	assert_equal "$(mode_of a/b)" 750
}

@test "a mode that would shut the server out, or is none, is a mistake" {
	local line

	for line in 'file_mode 0440' 'dir_mode 0600' 'file_mode 4644' 'file_mode rw' 'file_mode 64' 'dir_mode 00755'; do
		write_conf "$line;"
		run -1 penstock -c penstock.conf -t
		assert_output -e "${line% *}: \"${line#* }\" is no mode.*allowed: umask or a mode from 0[67]00 to 0777"
	done
	write_conf 'file_mode 640; dir_mode umask;'
	run -0 penstock -c penstock.conf -T
	assert_output -e 'file_mode +0640;'
	assert_output -e 'dir_mode +umask;'
}
