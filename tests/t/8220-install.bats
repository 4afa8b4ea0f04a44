# make install lays everything, with its paths; what people have changed stays; and the
# configuration that was installed is read without -c.

load ../lib/penstock

# install_to DIR ARGS...: of the program that is tested, without building.
install_to() {
	make -s -C "$REPO" install-files "PROGRAM=$PENSTOCK" "DESTDIR=$1" "${@:2}" 3>&- 4>&-
}

@test "what is installed has the paths that were asked for, and a second time keeps the configuration" {
	local conf=$T/root/etc/penstock/penstock.conf

	run -0 install_to "$T/root" PREFIX=/usr
	run -0 bash -c "cd '$T/root' && find . -type f | sort"
	assert_output "./etc/logrotate.d/penstock
./etc/penstock/penstock.conf
./usr/lib/systemd/system/penstock.service
./usr/lib/systemd/system/penstock.socket
./usr/sbin/penstock
./usr/share/bash-completion/completions/penstock
./usr/share/man/man5/penstock.conf.5
./usr/share/man/man8/penstock.8"
	run ! grep -rl /usr/local "$T/root/usr/lib" "$T/root/usr/share" "$T/root/etc"
	grep -qx 'ExecReload=/usr/sbin/penstock -c /etc/penstock/penstock.conf -s reload' \
		root/usr/lib/systemd/system/penstock.service
	cmp "$PENSTOCK" root/usr/sbin/penstock
	run -0 "$T/root/usr/sbin/penstock" -c "$conf" -T
	assert_output -e 'pid_file +/run/penstock/penstock.pid;'
	assert_output -e 'output_dir +/var/lib/penstock/uploads;'
	assert_output -e 'access_log +/var/log/penstock/access.log;'
	run ! grep -E '^ *(pid_file|output_dir|access_log|error_log) +[^/s ]' "$conf"

	echo '# mine' >>"$conf"
	run -0 install_to "$T/root" PREFIX=/usr
	assert_output -p "kept $conf as it is"
	assert_equal "$(tail -n 1 "$conf")" '# mine'
	run -0 make -s -C "$REPO" uninstall "DESTDIR=$T/root" PREFIX=/usr
	run -0 bash -c "cd '$T/root' && find . -type f | sort"
	assert_output "./etc/logrotate.d/penstock
./etc/penstock/penstock.conf"
}

@test "what is installed serves, and its configuration is what the unit is for" {
	run -0 install_to "$T/root" STATEDIR="$T/var" RUNDIR="$T/run" SYSCONFDIR="$T/etc" DESTDIR=
	mkdir -p var/lib/penstock var/log/penstock run/penstock
	STORES=("$T/var/lib/penstock/uploads")
	sed -i "s|127.0.0.1:8000|$ADDRESS:$PORT|" etc/penstock/penstock.conf
	start_conf "$T/etc/penstock/penstock.conf"
	random_file body 1000
	upload PUT /file/a body
	assert_status 201
	assert_same body var/lib/penstock/uploads/a
	eventually grep -q '"PUT /file/a" 201' var/log/penstock/access.log
	run -0 curl -sS -o answer -w '%{http_code}' "$URL/healthz"
	assert_output 200
	run -0 curl -sS --unix-socket run/penstock/admin.sock http://localhost/metrics
	assert_output -p penstock_
	# Uploads may take as long as the unit lets them, and are then cut by us, not killed.
	run -0 penstock -c etc/penstock/penstock.conf -T
	assert_output -e 'shutdown_timeout +14m;'
	grep -qx 'TimeoutStopSec=15min' "$REPO/conf/penstock.service"
}

@test "without -c the installed file is read if it is there, else the defaults hold; -h says which" {
	[[ $EUID == 0 ]] || skip 'needs root for an /etc of its own'
	mkdir -p etc/penstock
	cp /etc/passwd /etc/group etc
	in_etc() { unshare -m bash -c "mount --bind '$T/etc' /etc && exec \"\$@\"" - "$PENSTOCK" "$@" 3>&- 4>&-; }
	run -0 in_etc -h
	assert_output -p '/etc/penstock/penstock.conf, if it exists, and else'
	run -0 in_etc -t
	assert_output -p 'built-in defaults: the configuration is good'
	write_conf
	mv penstock.conf etc/penstock/penstock.conf
	run -0 in_etc -t
	assert_output -p 'penstock: /etc/penstock/penstock.conf: the configuration is good'
	echo 'nonsense;' >>etc/penstock/penstock.conf
	run -1 in_etc -t
	assert_output -p '/etc/penstock/penstock.conf:'
	write_conf
	run -0 in_etc -c "$T/penstock.conf" -t
	assert_output -p "$T/penstock.conf: the configuration is good"
}
