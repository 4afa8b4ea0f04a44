# Directories with project ids of their own (XFS quotas per directory): files
# can be made there, and replaced, and belong to that project.  Guards every
# rename or link out of `.penstock` that is EXDEV, and what then stands beside:
# it is never a name, and nothing of it is left, not by a crash either.

load ../lib/penstock

# project DIR ID: what is made in it from now on has this id.
project() { xfs_io -c "chproj $2" -c 'chattr +P' "$1"; }
project_of() { xfs_io -r -c stat "$1" | sed -n 's/^fsxattr.projid = //p'; }

setup() {
	penstock_setup
	loop_disk xfs 300M
	STORE=$DISK/up
	STORES+=("$STORE")
	mkdir -p "$STORE/a" "$STORE/b"
	project "$STORE/a" 42
	project "$STORE/b" 43
	echo one >one
	echo two >two
}

# Make and replace files in all of them; the store may be seen elsewhere.
_store_there() {
	local dir=${1:-$STORE} at

	for at in '' a/ b/ a/new/; do
		upload PUT "/file/${at}x" one
		assert_status 201
		upload PUT "/file/${at}x" two
		assert_status 200
		upload PUT "/file/${at}x" one -H 'If-Match: *'
		assert_status 200
		assert_same one "$dir/${at}x"
	done
	assert_equal "$(project_of "$STORE/a/x")" 42
	assert_equal "$(project_of "$STORE/b/x")" 43
	assert_equal "$(project_of "$STORE/a/new/x")" 42
	assert_equal "$(find "$STORE" -name '.penstock?*')" ''
	assert_equal "$(find "$STORE/.penstock" -type f -not -name lock)" ''
}

@test "projects: of directories below output_dir" {
	start_server "output_dir $STORE; overwrite on;"
	_store_there
	assert_equal "$(project_of "$STORE/x")" 0
}

# bats test_tags=long
@test "projects: of output_dir too, also for what was there before" {
	project "$STORE" 7
	mkdir -m 700 "$STORE/.penstock"
	start_server "output_dir $STORE; overwrite on;"
	_store_there
	assert_equal "$(project_of "$STORE/x")" 7
	# It stays the staging place, since it hands down nothing.
	is_portable || refute_regex "$(xfs_io -r -c lsattr "$STORE/.penstock" | cut -d ' ' -f 1)" P
}

# bats test_tags=long
@test "projects: keep latest, each upload in another one" {
	start_server "output_dir $STORE; overwrite on; keep latest;"
	for at in a/ b/ '' a/; do
		upload PUT "/file/${at}x" one
		request GET /file
		assert_same one answer
	done
	_one() { [[ $(files_in "$STORE") == "$STORE/a/x" ]]; }
	eventually _one
}

# bats test_tags=long
@test "projects: a .penstock that is not ours to change" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	project "$STORE" 7
	mkdir -m 777 "$STORE/.penstock"
	chmod 777 "$STORE" "$STORE/a" "$STORE/b"
	start_server "output_dir $STORE; overwrite on;" '' 'user nobody;'
	_store_there
}

@test "projects: without O_TMPFILE (bindfs)" {
	project "$STORE" 7
	mkdir "$T/seen"
	bindfs "$STORE" "$T/seen"
	start_server "output_dir $T/seen; overwrite on;"
	log_has 'published by temp name and link'
	_store_there "$T/seen"
}

@test "projects: a directory that somebody makes while the body comes" {
	! is_portable || skip 'PORTABLE: POSIX has no call for project ids'
	random_file body 200K
	start_server "output_dir $STORE; overwrite on;"
	upload_part /file/late/x body
	local fd=$FD
	mkdir "$STORE/late"
	project "$STORE/late" 44
	upload_rest "$fd" body 201
	assert_same body "$STORE/late/x"
	assert_equal "$(project_of "$STORE/late/x")" 44
}

@test "projects: where nothing works, the answer says why" {
	random_file body 200K
	mkdir "$T/seen"
	bindfs "$STORE" "$T/seen"
	start_server "output_dir $T/seen; overwrite on;"
	upload_part /file/late/x body
	local fd=$FD
	mkdir "$STORE/late"
	project "$STORE/late" 44
	tail -c +100001 body >&"$fd"
	hear "$fd" >heard
	hang_up "$fd"
	grep -q '^HTTP/1.1 500 ' heard
	grep -q 'another project id' heard
	eventually access_has ' apart '
	# Not for ever: the next one finds out.
	upload PUT /file/late/x body
	assert_status 201
	assert_equal "$(project_of "$STORE/late/x")" 44
	assert_equal "$(find "$STORE" -name '.penstock?*')" ''
}

# An upload whose file stands beside, 100,000 bytes of it; $BESIDE is its name.
_upload_beside() {
	project "$STORE" 7
	mkdir "$T/seen"
	bindfs "$STORE" "$T/seen"
	random_file body 200K
	start_server "output_dir $T/seen; overwrite on; dotfiles on;" '' 'worker_processes 1;'
	upload_part /file/a/x body
	BESIDE=$(cd "$STORE/a" && echo .penstock-*.part)
	[[ -e $STORE/a/$BESIDE ]]
}

@test "projects: what stands beside is nobody's name" {
	_upload_beside
	local fd=$FD
	for method in GET PUT; do
		request "$method" "/file/a/$BESIDE" -T one
		assert_status 400
		assert_problem '\.penstock'
	done
	upload PUT /file/a/.Penstock-x one
	assert_status 400
	request GET /file
	assert_status 404
	# A server that starts beside it leaves it alone, and does not see it.
	write_conf "output_dir $T/seen; overwrite on; dotfiles on;"
	sed -i "s/listen .*;/listen $ADDRESS:$(free_port);/; s/error\.log/second.log/; s/penstock\.pid/second.pid/" penstock.conf
	start_conf "$T/penstock.conf"
	[[ -e $STORE/a/$BESIDE ]]
	request GET "http://$(sed -n 's/.*listen \(.*\);/\1/p' penstock.conf)/file"
	assert_status 404
	upload_rest "$fd" body 201
	assert_same body "$STORE/a/x"
	assert_equal "$(find "$STORE" -name '.penstock?*')" ''
}

@test "projects: what stands beside goes with its client" {
	_upload_beside
	hang_up "$FD"
	_gone() { [[ -z $(find "$STORE" -name '.penstock?*') ]]; }
	eventually _gone
	assert_store_empty
}

@test "projects: what stands beside after a crash is swept" {
	_upload_beside
	kill -KILL "$(workers)"
	_gone() { [[ -z $(find "$STORE" -name '.penstock?*') ]]; }
	eventually _gone
	assert_store_empty
	hang_up "$FD"
	log_has '1 unfinished uploads'
}
