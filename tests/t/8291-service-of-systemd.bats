# A fresh Debian, with systemd: the package is a service with TLS and rights, that is reloaded,
# refuses a bad file, rotates its logs, and is upgraded while a large upload runs.

load ../lib/debian

unit_is() { [[ $(inside systemctl show -P "$1" penstock) == "$2" ]]; }

# Certificate, token and key as the README has them, and a server block of its own.
secure() {
	inside bash -ec 'cd /etc/penstock
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=localhost \
			-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
		penstock token tokens ci >/root/ci.token
		penstock key links k1
		chown penstock key.pem tokens links
		cat >>penstock.conf' <<-'END'
			server {
			    listen 127.0.0.1:8443 ssl;
			    access_log /var/log/penstock/access.log json;
			    ssl_certificate /etc/penstock/cert.pem;  ssl_certificate_key /etc/penstock/key.pem;
			    location /file {
			        output_dir /var/lib/penstock/secure;
			        auth_bearer_file /etc/penstock/tokens;
			        signed_link_keys /etc/penstock/links;
			    }
			}
		END
}

# bats test_tags=long
@test "a fresh Debian takes the package and serves with TLS and rights, over reloads, a rotation and an upgrade" {
	local before uploading link token

	bare_debian
	systemd
	run -0 inside dpkg -i /packages/1.deb
	unit_is ActiveState active
	unit_is UnitFileState enabled
	[[ $(inside systemctl show -P StatusText penstock) == 'serving: generation 1'* ]]
	serves
	echo hello >root/packages/small
	assert_equal "$(put /packages/small a)" 201

	run -0 secure
	run -0 inside systemctl reload penstock
	before=$(inside systemctl show -P MainPID penstock)
	BASE=https://127.0.0.1:8443
	token=$(cat root/root/ci.token)
	assert_equal "$(put /packages/small nobody --cacert /etc/penstock/cert.pem)" 401
	assert_equal "$(put /packages/small ci --cacert /etc/penstock/cert.pem -H "Authorization: Bearer $token")" 201
	link=$(inside penstock sign -c /etc/penstock/penstock.conf PUT /file/link --expires 1h --base "$BASE")
	run -0 inside curl -sS --cacert /etc/penstock/cert.pem -H Expect: -o /dev/null -w '%{http_code}' -T /packages/small "$link"
	assert_output 201
	assert_equal "$(ls root/var/lib/penstock/secure)" $'ci\nlink'

	# A file that is bad changes nothing, and systemctl says that it failed.
	cp root/etc/penstock/penstock.conf good
	echo 'nonsense;' >>root/etc/penstock/penstock.conf
	run ! inside systemctl reload penstock
	run -0 inside journalctl -u penstock --no-pager
	assert_output -p 'nonsense: no such directive'
	cat good >root/etc/penstock/penstock.conf
	unit_is ActiveState active
	unit_is MainPID "$before"

	run -0 inside logrotate -f /etc/logrotate.d/penstock
	assert_output ''
	assert [ -e root/var/log/penstock/access.log.1.gz ]
	assert_equal "$(put /packages/small b --cacert /etc/penstock/cert.pem -H "Authorization: Bearer $token")" 201
	rotated() { jq -es 'length == 1 and .[0].path == "/file/b" and .[0].tls == "TLSv1.3"' root/var/log/penstock/access.log >/dev/null; }
	eventually rotated

	# 1 GB runs while the package is upgraded: it is stored by the old one, and others are
	# served all the time.
	openssl enc -aes-128-ctr -nosalt -pass pass:x -pbkdf2 </dev/zero 2>/dev/null | head -c 1000000000 >root/packages/large || true
	put /packages/large large --cacert /etc/penstock/cert.pem -H "Authorization: Bearer $token" --limit-rate 50M >large.status &
	uploading=$!
	eventually are_uploading 1
	run -0 inside dpkg -i /packages/2.deb
	are_uploading 1
	assert_equal "$(BASE='' put /packages/small meanwhile)" 201
	wait "$uploading"
	assert_equal "$(cat large.status)" 201
	cmp root/packages/large root/var/lib/penstock/secure/large
	is_another() { unit_is ActiveState active && ! unit_is MainPID "$before" && ! unit_is MainPID 0; }
	eventually is_another
	serves
	run -0 inside systemctl reload penstock
	run -0 inside journalctl -u penstock --no-pager
	refute_output -p 'cannot be changed'

	# A stop waits for uploads, of a master that the old one has made, too.
	put /packages/large last --cacert /etc/penstock/cert.pem -H "Authorization: Bearer $token" --limit-rate 200M >last.status &
	uploading=$!
	eventually are_uploading 1
	run -0 inside systemctl stop penstock
	wait "$uploading"
	assert_equal "$(cat last.status)" 201
	unit_is Result success || fail "$(inside journalctl -u penstock --no-pager -n 40; inside systemctl status -l --no-pager penstock)"
	run -0 inside dpkg -P penstock
	runs_none
	cmp root/packages/small root/var/lib/penstock/uploads/a
	cmp root/packages/small root/var/lib/penstock/secure/link
	run inside systemctl show -P UnitFileState penstock
	assert_output ''
	end_debian
}
