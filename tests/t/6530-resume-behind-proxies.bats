# Resumable uploads through the proxies of the README, each configured as it says there: URLs of
# uploads get through, answers come, and 104 reaches nobody who would take it for the answer.
#
# The kind of fault: an upload that works without the proxy, and hangs or is not found
# behind it.

load ../lib/penstock
load ../lib/resume

setup() {
	penstock_setup
	FRONT=$(free_port)
}

# behind COMMAND...: a server on a socket, and a proxy before it, through which all goes
# from now on.
behind() {
	start_resuming '' "listen unix:$T/sock mode=0666; server_name 127.0.0.1 x;"
	PENSTOCK_TEST=$T "$@" >front.log 2>&1 3>&- 4>&- &
	SERVERS+=($!)
	eventually front_listens
	PORT=$FRONT
	URL=http://$ADDRESS:$FRONT
}
front_listens() { (exec {fd}<>"/dev/tcp/$ADDRESS/$FRONT") 2>/dev/null; }

# recipe NAME: the README's block, for this test.
recipe() {
	readme_recipe "$1" | sed -e "s|/srv/uploads|$STORE|g; s|/run/penstock.sock|$T/sock|g; s|:8080|:$FRONT|g; s| 8080;| $FRONT;|g" \
		-e '/auth_basic/d' -e "s|^uploads.example.org|http://:$FRONT|"
}

# clients: each stores 20 MB, and what a cut has left is gone on with.
clients() {
	random_file large 20000000
	for v in 4 5; do
		by_node $v large '"metadata": {"filename": "a"}, "chunkSize": 7000000'
		has_said 'POST 201' 'PATCH 204' 'PATCH 204' 'PATCH 204' 'done'
		stored
	done
	by_node 4 large '"metadata": {"filename": "a"}, "protocol": "ietf-draft-05", "chunkSize": 7000000'
	is_done
	stored
	for version in 6 8 10; do
		by_hand "ietf-$version" /file/a large 0
		assert_equal "$(cut -d' ' -f2- said)" 'resumed 0 created 1'
		stored
		by_hand "ietf-$version" /file/a large 7000000
		stored
	done
	by_hand tus /file/ large 7000000 'metadata=filename YQ=='
	stored
}

stored() {
	assert_same large "$STORE/a"
	rm "$STORE/a"
}

# a_cut_is_survived KIND TARGET [OPTION]: through a link to the proxy.
a_cut_is_survived() {
	SERVER_PORT=$FRONT link_start cut cut 9000000 2
	by_hand "$1" "$2" large 0 "${@:3}"
	[[ $(cat said) == *' created '[12] ]]
	stored
	kill "$LINK"
	PORT=$FRONT
	URL=http://$ADDRESS:$FRONT
}

@test "nginx, as the README has it" {
	{
		echo "daemon off; pid $T/nginx.pid; error_log stderr; user root;"
		echo "events {} http { access_log off; client_body_temp_path $T/nginx; proxy_temp_path $T/nginx;"
		echo "fastcgi_temp_path $T/nginx; uwsgi_temp_path $T/nginx; scgi_temp_path $T/nginx;"
		recipe nginx
		echo "}"
	} >nginx.conf
	behind nginx -c "$T/nginx.conf"
	clients
	a_cut_is_survived tus /file/ 'metadata=filename YQ=='
	a_cut_is_survived ietf-8 /file/a empty
}

@test "HAProxy, as the README has it" {
	{
		echo "global"
		recipe haproxy
	} >haproxy.cfg
	behind haproxy -db -f haproxy.cfg
	clients
	a_cut_is_survived tus /file/ 'metadata=filename YQ=='
	a_cut_is_survived ietf-10 /file/a
}

@test "Caddy, as the README has it" {
	{
		printf '{\nadmin off\n}\n'
		recipe caddy
	} >Caddyfile
	XDG_DATA_HOME=$T/caddy XDG_CONFIG_HOME=$T/caddy HOME=$T behind caddy run --config Caddyfile --adapter caddyfile
	clients
	a_cut_is_survived tus /file/ 'metadata=filename YQ=='
}
