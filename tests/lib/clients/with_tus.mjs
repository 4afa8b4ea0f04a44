// Uploads by tus-js-client in node.
//
//	node with_tus.mjs 4|5 FILE '{"endpoint": "http://...", ...}'
//
// The options are the client's own, and these:
//
//	"storage": "PATH"    where it notes the URLs of its uploads; with it, it goes on with
//	                     what another run has begun
//	"stream": true       FILE is read as a stream, of which it knows no more than that it ends
//	"leave": BYTES       ends, as if it were killed, when that much was accepted
//	"terminate": BYTES   ... gives the upload up then, and has it deleted
//
// Says each request with its status, as `PATCH 204`, then `done URL`, or `failed` and why.

import fs from 'node:fs';
import {PassThrough} from 'node:stream';
import {packaged} from './packages.mjs';

const [version, file, text] = process.argv.slice(2);
const tus = packaged(version === '5' ? 'tus-js-client-5' : 'tus-js-client');
const {storage, stream, leave, terminate, ...options} = JSON.parse(text);

function storageAt(path) {
	if (version !== '5')
		return new tus.FileUrlStorage(path);
	return new (packaged('tus-js-client-5/node/FileUrlStorage').FileUrlStorage)(path);
}

// The status of an answer; none: the connection has ended before.
function say(request, response) {
	console.log(request.getMethod(), response ? response.getStatus() : 'nothing');
}

// From a file's own stream it takes no more than the path.
const opened = fs.createReadStream(file);
const input = stream ? opened.pipe(new PassThrough()) : opened;
const upload = new tus.Upload(input, {
	retryDelays: [0, 100, 200, 400, 800, 1600, 3200],
	...(storage && {urlStorage: storageAt(storage)}),
	...options,
	onAfterResponse: say,
	onShouldRetry(error) {
		const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
		if (!status)
			say(error.originalRequest, null);
		return !status || status < 400 || status >= 500 || status === 409 || status === 423;
	},
	onError(error) {
		console.log('failed', String(error.message).split('\n')[0]);
		process.exit(1);
	},
	onSuccess() {
		console.log('done', upload.url);
		process.exit(0);
	},
	async onChunkComplete(size, accepted) {
		if (leave && accepted >= leave)
			process.kill(process.pid, 'SIGKILL');
		if (terminate && accepted >= terminate) {
			await upload.abort(true);
			console.log('terminated', upload.url);
			process.exit(0);
		}
	},
});
if (storage) {
	const [previous] = await upload.findPreviousUploads();
	if (previous)
		upload.resumeFromPreviousUpload(previous);
}
upload.start();
