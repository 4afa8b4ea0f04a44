# What the README tells people to type or to put into a file works as it stands
# there, but for names of directories, ports and hosts.  A recipe is the fenced
# block that follows `<!-- recipe: NAME -->`.

load ../lib/penstock
load ../lib/browser

# recipe NAME: print that block, for this test's directories and ports.
recipe() {
	local text

	text=$(readme_recipe "$1") || return
	sed -e "s|/srv/uploads|$STORE|g; s|/srv/health|$T/health|g; s|/run/penstock.sock|$T/sock|g" \
		-e "s|127.0.0.1:8000|$ADDRESS:$PORT|g; s|:8080|:$FRONT|g; s| 8080;| $FRONT;|g" \
		-e "s|/etc/nginx/uploads.htpasswd|$T/htpasswd|g" <<<"$text"
}

setup() {
	penstock_setup
	FRONT=$(free_port)
}

# The server of the README's "Behind a proxy".
start_behind() {
	recipe unix-conf >behind
	! is_portable || sed -i '/^user /d' behind # it stays root
	{
		grep -E '^(worker_processes|error_log|pid_file)' <(write_conf '' '' 'worker_processes 1;' && cat penstock.conf)
		cat behind
	} >proxied.conf
	install -d -o www-data "$STORE"
	start_conf "$T/proxied.conf"
}

# start_front COMMAND...: a proxy, which listens on $FRONT when this returns.
start_front() {
	"$@" >front.log 2>&1 3>&- 4>&- &
	FRONT_PID=$!
	eventually front_listens
}
front_listens() { (exec {fd}<>"/dev/tcp/$ADDRESS/$FRONT") 2>/dev/null; }
front() { request PUT "/file/$1" -T body --url "http://$ADDRESS:$FRONT/file/$1" "${@:2}"; }

@test "an upload in CI: it fails when it is refused, and is tried again when the server is away" {
	local line

	line=$(sed -n 's|^\(curl .*--retry .*-T\) build.tar.zst "http://artifacts:8000/file/$JOB/build.tar.zst"$|\1|p' "$REPO/README.md")
	assert [ -n "$line" ]
	start_server 'max_body_size 64k; overwrite on;'
	random_file small 1000
	random_file large 70000
	$line small "$URL/file/job/build"
	run -22 $line large "$URL/file/job/build"
	assert_output -p 'max_body_size 64k'
	assert_same small "$STORE/job/build"

	stop_server
	$line large "${URL%:*}:$PORT/file/job/later" >later 2>&1 &
	local client=$!
	start_server 'overwrite on;'
	wait "$client"
	assert_same large "$STORE/job/later"
}

@test "nginx in front: a password, the body passed on, and a list" {
	start_behind
	random_file body 300000
	echo "ann:$(openssl passwd -apr1 secret)" >htpasswd
	{
		echo "daemon off; pid $T/nginx.pid; error_log stderr; user www-data;"
		echo "events {} http { access_log off; client_body_temp_path $T/nginx; proxy_temp_path $T/nginx;"
		echo "fastcgi_temp_path $T/nginx; uwsgi_temp_path $T/nginx; scgi_temp_path $T/nginx;"
		recipe nginx
		echo "}"
	} >nginx.conf
	start_front nginx -c "$T/nginx.conf"

	run -0 curl -s -o answer -w '%{http_code}' -T body "http://$ADDRESS:$FRONT/file/a/b"
	assert_output 401
	assert_store_empty
	run -0 curl -s -o answer -w '%{http_code}' -u ann:secret -T body "http://$ADDRESS:$FRONT/file/a/b"
	assert_output 201
	assert_same body "$STORE/a/b"
	run -0 curl -s -u ann:secret "http://$ADDRESS:$FRONT/list/a/"
	assert_output -p '<a href="b">b</a>'
	run -0 curl -s -o answer -w '%{http_code}' -u ann:secret "http://$ADDRESS:$FRONT/list/.penstock/"
	assert_output 404
	# A refusal comes before the body has been sent.
	run -0 curl -s -o answer -w '%{http_code} %{size_upload}' -u ann:secret \
		-H 'Expect: 100-continue' --limit-rate 100K -T body "http://$ADDRESS:$FRONT/file/a/b"
	assert_output -e '^409 '
	kill "$FRONT_PID"
}

@test "HAProxy in front, also with HTTP/2 to it" {
	start_behind
	random_file body 3000000
	{
		echo "global"
		echo "    tune.h2.initial-window-size 1048576"
		echo "    nbthread 1" # so that there is one set of connections only
		recipe haproxy
	} >haproxy.cfg
	start_front haproxy -db -f haproxy.cfg
	run -0 curl -s -o answer -w '%{http_code}' -T body "http://$ADDRESS:$FRONT/file/a"
	assert_output 201
	run -0 curl -s --http2-prior-knowledge -o answer -w '%{http_code}' -T body "http://$ADDRESS:$FRONT/file/b"
	assert_output 201
	assert_same body "$STORE/a"
	assert_same body "$STORE/b"
	# What one client has just made, although empty, is not another one's to replace.
	run -0 py connections two_behind_a_proxy "$FRONT"
	assert_output '201 409'
	kill "$FRONT_PID"
}

@test "Caddy in front" {
	start_behind
	random_file body 3000000
	{
		echo "{"
		echo "    admin off"
		echo "}"
		recipe caddy | sed "s|^uploads.example.org|http://:$FRONT|"
	} >Caddyfile
	XDG_DATA_HOME=$T/caddy XDG_CONFIG_HOME=$T/caddy HOME=$T start_front \
		caddy run --config Caddyfile --adapter caddyfile
	run -0 curl -s -o answer -w '%{http_code}' -T body "http://$ADDRESS:$FRONT/file/a"
	assert_output 201
	assert_same body "$STORE/a"
	kill "$FRONT_PID"
}

@test "the probe fails when uploads do, and says so" {
	local probe

	recipe probe-conf >location
	start_server '' "$(cat location)"
	probe=$(recipe probe)
	run -0 bash -c "$probe"
	refute_output -p 'takes no uploads'
	run -0 bash -c "$probe" # again: it replaces what it left
	refute_output -p 'takes no uploads'
	stop_server
	run -0 bash -c "$probe"
	assert_output -p 'takes no uploads'
}

@test "the cleaning job removes what is old, and nothing of the server's own" {
	start_server 'overwrite on;'
	echo old >body
	upload PUT /file/a/old body
	assert_status 201
	upload PUT /file/a/new body
	upload PUT /file/a/new body # so that there is a .penstock
	assert_status 200
	touch -d '40 days ago' "$STORE/a/old" "$STORE/.penstock/1.part" "$STORE/.penstock-1.part"
	# Names that are collected may be new files' by the time they are removed.
	refute grep -qe '-exec' <(recipe clean)
	run -0 bash -c "$(recipe clean)"
	assert_output "$STORE/a/old"
	refute [ -e "$STORE/a/old" ]
	assert [ -e "$STORE/a/new" ]
	assert [ -e "$STORE/.penstock/1.part" ]
	assert [ -e "$STORE/.penstock-1.part" ]
	rm "$STORE/.penstock/1.part" "$STORE/.penstock-1.part"
	upload PUT /file/a/new body
	assert_status 200
}

@test "what is added to the unit is taken by systemd" {
	mkdir penstock.service.d
	sed "s|/usr/local/sbin/penstock|$PENSTOCK|" "$REPO/conf/penstock.service" >penstock.service
	recipe unit >penstock.service.d/override.conf
	run -0 systemd-analyze verify --man=no "$T/penstock.service"
	refute_output -p penstock
}

@test "the page uploads what is chosen, and says what became of each file" {
	start_server 'max_body_size 64k;'
	browser_start
	recipe page | sed "s|'/file/'|'$URL/file/'|" >pages/up.html
	sed -i "s|location /file {|&\nallow_origin $PAGE;|" penstock.conf
	reload
	page_goto "$PAGE/up.html"
	page_do "
		const chosen = new DataTransfer();
		chosen.items.add(new File(['hello'], 'a b.txt'));
		chosen.items.add(new File([new Uint8Array(70000)], 'large'));
		const files = document.getElementById('files');
		files.files = chosen.files;
		await files.onchange({target: files});
		return document.getElementById('list').innerText" >page
	assert_equal "$(head -n 1 page)" 'a b.txt: synced'
	assert_equal "$(cat "$STORE/a b.txt")" hello
	run -0 tail -n 1 page
	assert_output -p 'max_body_size 64k'
}

@test "forms: the commands store what they say, and the page uploads with progress" {
	start_server
	browser_start
	echo one >a.txt
	echo two >b.txt
	recipe forms >forms
	run -0 bash -euc "$(sed "s|http://127.0.0.1:8000|$URL|; s|^curl|curl -sS --fail-with-body|" forms)"
	assert_equal "$(cat "$STORE/a.txt" "$STORE/b.txt" "$STORE/dir/a.txt" "$STORE/other.txt")" $'one\ntwo\none\none'
	recipe forms-page | sed "s|action=/file|action=$URL/file|" >pages/form.html
	sed -i "s|location /file {|&\nallow_origin $PAGE;|" penstock.conf
	reload
	page_goto "$PAGE/form.html"
	head -c 2000000 /dev/zero >large
	page_files '[name=up]' "$T/large"
	page_do "
		form.requestSubmit();
		while (said.textContent === '')
			await new Promise(done => setTimeout(done, 20));
		return [bar.value, said.textContent]" >page
	assert_equal "$(cat page)" '[1, "large: synced"]'
	assert_same large "$STORE/large"
}

@test "logrotate rotates the logs, and all lines behind that are in the new one" {
	local client

	mkdir logs
	write_conf '' "access_log $T/logs/access.log;"
	mv penstock.conf rotated.conf
	start_conf "$T/rotated.conf"
	random_file body 200000
	curl -s -o answer --limit-rate 100K -T body "$URL/file/slow" &
	client=$!
	eventually busy
	sed "/su penstock/d; s|/var/log/penstock|$T/logs|; s|/usr/local/sbin/penstock -c /etc/penstock/penstock.conf|$PENSTOCK -c $T/rotated.conf|" "$REPO/conf/penstock.logrotate" >rotate
	logrotate -f -s state "$T/rotate" || cat error.log
	upload PUT /file/new body
	assert_status 201
	wait "$client"
	eventually grep -q '"PUT /file/slow" 201' logs/access.log
	eventually grep -q '"PUT /file/new" 201' logs/access.log
	[ -e logs/access.log.1.gz ]
}
busy() { ss -tnH state established "sport = :$PORT" | grep -q .; }

@test "a resumable upload by hand, of tus and of a draft, as the README says" {
	recipe resume-conf >resume.conf
	{
		grep -E '^(worker_processes|error_log|pid_file|io_engine)' <(write_conf && cat penstock.conf)
		sed "s|listen .*|listen $ADDRESS:$PORT; access_log $T/access.log;|" resume.conf
	} >server.conf
	start_conf "$T/server.conf"
	text_file random.txt 100000
	bash -euc "$(recipe resume-tus)" >said
	assert_same random.txt "$STORE/resumed.txt"
	jq -e '.bytes == 100000 and .parts >= 2' said
	# Whole, and asked again for its end; and cut, by a limit on its time.
	bash -euc "$(recipe resume-ietf)" >said
	grep -q '^HTTP/1.1 104' head.txt
	assert_same random.txt "$STORE/draft.txt"
	[[ $(grep -c '"name":"draft.txt"' said) == 2 ]]
	bash -uc "$(recipe resume-ietf | sed '1s/curl/curl --limit-rate 20k -m 1/; s,draft.txt,cut.txt,')" >said
	assert_same random.txt "$STORE/cut.txt"
	jq -e '.bytes == 100000 and .parts == 2' said
}
