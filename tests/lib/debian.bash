# The package, and a bare Debian to install it in: with its own processes, network (lo) and
# mounts, with systemd or without.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what tests use is not seen here

load ../lib/penstock

setup() {
	penstock_setup
	is_portable && skip 'PORTABLE: the package is of the plain build'
	is_sanitized && skip 'sanitizers: the plain build only'
	command -v lintian debootstrap dpkg-shlibdeps >/dev/null || skip 'no lintian, debootstrap or dpkg-dev: scripts/setup test'
}

# package REVISION: make it; $DEB is its path.
package() {
	DEB=$(cd "$REPO" && DEB_REVISION=$1 scripts/deb "$PENSTOCK" "$T" 2>"$T/deb.err") || fail "$(cat deb.err)"
	assert [ -e "$DEB" ]
}

# bare_debian: a Debian below root, with two versions of the package in /packages.
bare_debian() {
	[[ $EUID == 0 ]] || skip 'needs root for a Debian of its own'
	package 1
	"$REPO/tests/lib/bare-debian" "$REPO/build/bare-debian.tar" "$DEB" >bare.out 2>&1 3>&- 4>&- ||
		fail "$(tail -n 5 bare.out)"
	mkdir root
	tar -C root -xf "$REPO/build/bare-debian.tar"
	mkdir root/packages
	mv "$DEB" root/packages/1.deb
	package 2
	mv "$DEB" root/packages/2.deb
}

# _begin NAMESPACES COMMANDS: $ONE is process 1 in there.
_begin() {
	(
		_penstock_env
		exec unshare -mpfn "$1" --kill-child bash -ec "ip link set lo up; mount --make-rprivate /; $2"
	) >console 2>&1 </dev/null 3>&- 4>&- &
	UNSHARE=$!
	SERVERS+=("$UNSHARE")
	_is_begun() { ONE=$(pgrep -P "$UNSHARE") && [[ $(stat -Lc %i "/proc/$ONE/root/packages") == "$(stat -c %i root/packages)" ]]; }
	eventually _is_begun
}

# no_systemd: nothing runs but what waits for orphans.  Debian starts nothing then, unless it
# is told so.
no_systemd() {
	printf '#!/bin/sh\nexit 0\n' >root/usr/sbin/policy-rc.d
	chmod 755 root/usr/sbin/policy-rc.d
	_begin -i 'mount -t proc proc root/proc; exec chroot root bash -c "while :; do sleep 1; done"'
}

# systemd: it runs, as on any machine, but for what belongs to ours.
systemd() {
	local unit

	grep -qw cgroup2 /proc/filesystems || skip 'the kernel has no cgroup2'
	for unit in getty.target console-getty.service systemd-journald-audit.socket cron.service; do
		ln -sf /dev/null "root/etc/systemd/system/$unit"
	done
	_begin -iC 'mount --bind root root; mount -t proc proc root/proc; mount -t sysfs -o ro sysfs root/sys
		mount -t cgroup2 cgroup2 root/sys/fs/cgroup; mount -t tmpfs -o mode=755 tmpfs root/run
		cd root; pivot_root . mnt; umount -l /mnt
		exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target'
	_is_up() { inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }
	eventually _is_up || fail "$(cat console)"
}

# inside COMMAND...: there.
inside() {
	nsenter -t "$ONE" -m -p -n -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@" 3>&- 4>&-
}

end_debian() {
	kill -KILL "$ONE"
	eventually not_running "$UNSHARE"
}

serves() { inside curl -fsS -m 5 -o /dev/null http://127.0.0.1:8000/healthz; }

# put FILE NAME [CURL ARGS...]: prints the status.
put() { inside curl -sS -H Expect: -o /dev/null -w '%{http_code}\n' "${@:3}" -T "$1" "${BASE:-http://127.0.0.1:8000}/file/$2"; }

runs_none() { ! pgrep --ns "$ONE" --nslist pid penstock >/dev/null; }

# are_uploading N: so many uploads run.
are_uploading() {
	inside curl -fsS --unix-socket /run/penstock/admin.sock http://localhost/metrics | grep -qx "penstock_uploads_in_progress $1"
}
