// @tus/server with its file store: what the bench compares with, and what the clients of
// tests are tried out with.
//
//	node tus_server.mjs PORT DIRECTORY PROCESSES
//
// It serves /files/ on 127.0.0.1, and says "ready" when each process does.

import cluster from 'node:cluster';
import {packaged} from './packages.mjs';
import {pathToFileURL} from 'node:url';

const [port, directory, processes] = process.argv.slice(2);
const load = name => import(pathToFileURL(packaged.resolve(name)));

if (cluster.isPrimary) {
	let ready = 0;
	for (let i = 0; i < processes; i++)
		cluster.fork();
	cluster.on('listening', () => ++ready == processes && console.log('ready'));
	process.on('SIGTERM', () => process.exit(0)); // its workers end with the channel to it
} else {
	const {Server} = await load('@tus/server');
	const {FileStore} = await load('@tus/file-store');
	new Server({path: '/files', datastore: new FileStore({directory})}).listen({host: '127.0.0.1', port});
}
