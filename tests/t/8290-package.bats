# The package that `make deb` makes: lintian has nothing against it, and on a bare Debian
# without systemd it is installed, started, upgraded, removed and purged, whatever of that
# was done before; uploads stay.

load ../lib/debian

# configuration: of the package that was unpacked into root.
configuration() { sed 's/[ 	]*#.*//' root/etc/penstock/penstock.conf; }

@test "lintian finds nothing, and the configuration is that of a service: JSON, a UNIX socket, a user" {
	package 1
	run -0 lintian --allow-root --fail-on error,warning --suppress-tags \
		initial-upload-closes-no-bugs,init.d-script-does-not-source-init-functions "$DEB"
	assert_output ''
	dpkg-deb -x "$DEB" root
	configuration >conf
	grep -qE '^user +penstock;' conf
	grep -qE '^ +access_log +/var/log/penstock/access.log json;' conf
	grep -qE '^ +listen unix:/run/penstock/admin.sock mode=0660;' conf
	run ! grep -rl /usr/local root
	for name in control conffiles; do dpkg-deb -I "$DEB" "$name" >"$name"; done
	# All of /etc is kept when it was changed.
	assert_equal "$(cd root && find etc -type f | sort | sed 's|^|/|')" "$(sort conffiles)"
	grep -qE '^Depends: .*libev4 .*libssl3 ' control
}

@test "made twice it is the same, byte for byte" {
	package 1
	mv "$DEB" first
	package 1
	cmp first "$DEB"
}

master() { cat root/run/penstock/penstock.pid; }

# bats test_tags=long
@test "on a bare Debian it installs, starts, reloads, upgrades while uploads run, and purges all but uploads" {
	local before uploading

	bare_debian
	no_systemd
	head -c 3000000 /dev/urandom >root/packages/body

	run -0 inside dpkg -i /packages/1.deb
	eventually serves
	assert_equal "$(put /packages/body a)" 201
	cmp root/packages/body root/var/lib/penstock/uploads/a
	assert_equal "$(inside stat -c %U:%G /var/lib/penstock/uploads/a)" penstock:penstock
	assert_equal "$(inside stat -c %U:%G:%a /run/penstock/admin.sock)" penstock:penstock:660
	assert_equal "$(inside stat -c %U:%G:%a /var/log/penstock)" penstock:penstock:750
	logged() { tail -n 1 root/var/log/penstock/access.log | jq -e '.path == "/file/a" and .status == 201' >/dev/null; }
	eventually logged
	run -0 inside curl -fsS --unix-socket /run/penstock/admin.sock http://localhost/metrics
	assert_output -p penstock_build_info
	# All of it is that user's.
	assert_equal "$(ps -o uid= -p "$(pgrep -d, --ns "$ONE" --nslist pid penstock)" | tr -d " " | sort -u)" "$(inside id -u penstock)"

	# As often as one likes.
	before=$(master)
	run -0 inside /var/lib/dpkg/info/penstock.postinst configure
	run -0 inside invoke-rc.d penstock start
	assert_equal "$(master)" "$before"
	echo '# mine' >>root/etc/penstock/penstock.conf
	run -0 inside invoke-rc.d penstock reload
	run -0 inside invoke-rc.d penstock status
	assert_equal "$(master)" "$before"

	# An upload that runs is finished by the old one, and nobody is refused meanwhile.
	put /packages/body slow --limit-rate 300K >slow &
	uploading=$!
	eventually are_uploading 1
	run -0 inside dpkg -i /packages/2.deb
	serves
	are_uploading 1
	assert_equal "$(put /packages/body meanwhile)" 201
	wait "$uploading"
	assert_equal "$(cat slow)" 201
	cmp root/packages/body root/var/lib/penstock/uploads/slow
	eventually serves
	assert_not_equal "$(master)" "$before"
	assert_equal "$(tail -n 1 root/etc/penstock/penstock.conf)" '# mine'

	# A configuration that the new version refuses leaves the old one at work.
	old_is_gone() { refute [ -e root/run/penstock/penstock.pid.oldbin ]; }
	eventually old_is_gone
	before=$(master)
	cp root/etc/penstock/penstock.conf good
	echo 'nonsense;' >>root/etc/penstock/penstock.conf
	run -0 inside dpkg -i /packages/1.deb
	assert_output -p 'this version refuses the configuration (penstock -t): what ran runs on'
	serves
	assert_equal "$(master)" "$before"
	cat good >root/etc/penstock/penstock.conf

	# What was removed is stopped; it comes back as it was.
	run -0 inside dpkg -r penstock
	runs_none
	assert [ -e root/etc/penstock/penstock.conf ]
	run -0 inside dpkg -i /packages/2.deb
	eventually serves
	assert_equal "$(tail -n 1 root/etc/penstock/penstock.conf)" '# mine'
	cmp root/packages/body root/var/lib/penstock/uploads/a

	echo secret >root/etc/penstock/tokens
	run -0 inside dpkg -P penstock
	runs_none
	cmp root/packages/body root/var/lib/penstock/uploads/a
	cmp root/packages/body root/var/lib/penstock/uploads/slow
	assert_equal "$(find root/etc root/run root/var/log -path '*penstock*' ! -type d)" root/etc/penstock/tokens
	end_debian
}
