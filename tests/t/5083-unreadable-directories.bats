# Directories of another user may let us search them and not read them (0711, 0733).  Reading is needed for nothing but a sync of the directory: that
# is no reason to fail an upload, nor to acknowledge one that is not durable.

load ../lib/penstock

# begin [LOCATION]: a server that becomes the user nobody, in $UP.
begin() {
	is_portable && skip 'a PORTABLE build cannot become another user'
	UP=$T/others/up
	mkdir -p others/up/mine others/up/search/mine others/up/drop "$STORE"
	chown nobody others/up others/up/mine others/up/search/mine "$STORE"
	chmod 711 others others/up/search
	chmod 733 others/up/drop
	random_file small 3000
	random_file large 300k
	start_server '' "location /up { output_dir $UP; ${1:-} }" 'worker_processes 1; user nobody;'
}

stored() {
	local file name=$1

	for file in small large; do
		upload PUT "/up/$name$file" $file -H 'Expect:'
		assert_status 201
		assert_same $file "$UP/$name$file"
		upload PUT "/up/$name$file.2" $file -H 'Expect: 100-continue'
		assert_status 201
	done
}

all_stored() {
	begin "$1"
	[ "$(ps -o user= "$(workers)")" = nobody ]
	stored ''
	stored mine/
	stored search/mine/
	stored search/mine/new/er/
	stored drop/
	stored drop/new/er/
	request GET /up/drop/small
	assert_status 200
	assert_same small answer
	request GET /up/search/mine/new/er/large
	assert_status 200
	refute access_has '" 500 '
}

@test "above a directory of ours, and beneath the output directory: uploads are stored" {
	all_stored 'sync on;'
}

@test "... with sync off" {
	all_stored 'sync off;'
}

@test "... and they can be replaced, under conditions" {
	begin 'overwrite on;'
	local name
	for name in drop/a search/mine/a drop/d/a; do
		upload PUT "/up/$name" small
		assert_status 201
		upload PUT "/up/$name" large -H 'If-Match: *'
		assert_status 200
		assert_same large "$UP/$name"
	done
}

@test "an output directory that is made in one that cannot be read" {
	is_portable && skip 'a PORTABLE build cannot become another user'
	mkdir drop "$STORE"
	chmod 733 drop
	chown nobody "$STORE"
	start_server '' "location /up { output_dir $T/drop/new/up; }" 'worker_processes 1; user nobody;'
	random_file small 3000
	upload PUT /up/a small
	assert_status 201
	assert_same small drop/new/up/a
}

# What a directory cannot be synced for, the disk is: the whole of it, and only
# where a name is new to us.
@test "the names in them are durable all the same: the disk is synced as a whole" {
	begin 'sync on;'
	local tracer n
	synced() {
		strace -qq -f -e trace=syncfs -o syncs -p "$(workers)" 3>&- &
		tracer=$!
		_traced() { ! grep -q 'TracerPid:.0$' "/proc/$(workers)/status"; }
		eventually _traced
		for n in 1 2 3; do
			upload PUT "/up/$1$n" small -H "$2"
			assert_status 201
		done
		kill -INT $tracer
		wait $tracer || true
		assert_equal "$(grep -c 'syncfs(.*= 0$' syncs)" "$3"
	}
	synced mine/a Expect: 0
	synced search/mine/a Expect: 1
	synced search/mine/b 'Expect: 100-continue' 0
	synced drop/a Expect: 3
	synced drop/new/a Expect: 1
}
