// Uploads over TLS by node's https, and by its fetch (undici), as t/7020 wants them of each
// client; see there what is to be done, and what is to be said of it.

import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';

const {PORT, STRANGER} = process.env;
const ca = fs.readFileSync('server.pem');
const body = fs.readFileSync('body'), large = fs.readFileSync('large');
const token = 'Bearer ' + fs.readFileSync('token', 'utf8').trim();
const ann = {cert: fs.readFileSync('ann.pem'), key: fs.readFileSync('ann.key')};
const sha256 = crypto.createHash('sha256').update(body).digest('hex');

const whole = receipt =>
	receipt.digest['sha-256'] === sha256 && receipt.bytes === body.length ? 'whole' : 'not whole';
const problem = (status, told) => `${status} ${told.detail.split(':')[0]}`;

// The answer to a PUT, and the socket that it has come by.
function put(agent, path, content, {headers = {}, host = '127.0.0.1', port = PORT, length = true} = {}) {
	return new Promise((done, failed) => {
		const r = https.request({host, port, path, method: 'PUT', agent, family: 4,
			headers: {...(length && {'Content-Length': content.length}), ...headers}});
		r.on('error', failed);
		r.on('response', answer => {
			const {socket} = r;
			const version = socket.getProtocol(), resumed = socket.isSessionReused();
			let text = '';
			answer.on('data', more => text += more);
			answer.on('end', () => done({status: answer.statusCode, told: JSON.parse(text), version, resumed}));
		});
		if (length) {
			r.end(content);
			return;
		}
		for (let i = 0; i < content.length; i += 70001)
			r.write(content.subarray(i, i + 70001));
		r.end();
	});
}

async function resumed(agent, v, count) {
	let n = 0;
	for (let i = 0; i < count; i++)
		n += (await put(agent, `/cert/${v}-resumed`, Buffer.from('x'))).resumed;
	return n;
}

const exists = path => fs.existsSync(path);
const pause = ms => new Promise(done => setTimeout(done, ms));

async function uploads(v) {
	const say = (...what) => console.log(v, ...what);
	const only = {ca, minVersion: 'TLSv' + v, maxVersion: 'TLSv' + v};
	const agent = new https.Agent({keepAlive: true, maxSockets: 1, ...only});
	let a = await put(agent, `/file/${v}-put`, body);
	say('version', a.version);
	say('put', a.status, whole(a.told));
	a = await put(agent, `/file/${v}-again`, body);
	say('again', a.status, whole(a.told));
	a = await put(agent, `/file/${v}-stream`, body, {length: false});
	say('stream', a.status, whole(a.told));
	a = await put(agent, `/small/${v}-large`, large);
	say('large', problem(a.status, a.told));
	a = await put(agent, `/token/${v}-nobody`, large);
	say('nobody', problem(a.status, a.told));
	a = await put(agent, `/token/${v}-token`, body, {headers: {Authorization: token}});
	say('token', a.status, a.told.remote_user);
	const known = new https.Agent({keepAlive: false, ...only, ...ann});
	a = await put(known, `/cert/${v}-cert`, body);
	say('certificate', a.status, a.told.remote_user);
	a = await put(agent, `/file/${v}-name`, body, {host: 'localhost'});
	say('name', a.status);
	try {
		await put(agent, `/file/${v}-stranger`, body, {host: 'localhost', port: STRANGER});
		say('stranger served');
	} catch (e) {
		say('stranger', e.code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ? 'refused' : e.code);
	}
	say('resumed', await resumed(known, v, 6));
	fs.writeFileSync(`resumed-${v}`, '');
	while (!exists(`go-${v}`))
		await pause(10);
	say('resumed', await resumed(known, v, 6));
}

// fetch trusts $NODE_EXTRA_CA_CERTS, and chooses all else by itself.
async function fetches() {
	const v = 'fetch', say = (...what) => console.log(v, ...what);
	const put = async (path, what) => {
		const a = await fetch(`https://127.0.0.1:${PORT}${path}`, {method: 'PUT', ...what});
		return [a.status, await a.json()];
	};
	const file = name => ({duplex: 'half', body: fs.createReadStream(name)});
	for (const [name, what] of [['put', {body}], ['again', {body}], ['stream', file('body')]]) {
		const [status, told] = await put(`/file/${v}-${name}`, what);
		say(name, status, whole(told));
	}
	say('large', problem(...await put(`/small/${v}-large`, {body: large})));
	say('large', problem(...await put(`/small/${v}-large`, file('large'))));
	say('nobody', problem(...await put(`/token/${v}-nobody`, {body: large})));
	const [status, told] = await put(`/token/${v}-token`, {body, headers: {Authorization: token}});
	say('token', status, told.remote_user);
	try {
		await fetch(`https://127.0.0.1:${STRANGER}/file/x`, {method: 'PUT', body});
		say('stranger served');
	} catch (e) {
		say('stranger', e.cause.code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ? 'refused' : e.cause.code);
	}
}

await uploads('1.2');
await uploads('1.3');
await fetches();
process.exit(0);
