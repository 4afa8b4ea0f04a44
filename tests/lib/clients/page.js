// What a page does with tus-js-client 4 (`tus`), 5 (`tus5`) and Uppy (`uppy`); lib/resume.bash
// loads it.  Uploads run in the background: `said` has the lines of clients/with_tus.mjs,
// and `accepted` how far they are.

var said = [], accepted = 0;

const delays = [0, 100, 200, 400, 800, 1600, 3200];
const chosen = () => document.querySelector('input').files[0];

const failed = error => said.push('failed ' + String(error.message).split('\n')[0]);

function say(request, response) {
	said.push(request.getMethod() + ' ' + (response ? response.getStatus() : 'nothing'));
}

// By lib, tus or tus5; it goes on with what was begun before, if it knows of that.
async function byTus(lib, options) {
	const upload = new lib.Upload(chosen(), {
		retryDelays: delays,
		metadata: {filename: chosen().name},
		...options,
		onAfterResponse: say,
		onProgress: sent => accepted = sent,
		onError: failed,
		onSuccess: () => said.push('done ' + upload.url),
	});
	const [previous] = await upload.findPreviousUploads();
	if (previous)
		upload.resumeFromPreviousUpload(previous);
	upload.start();
}

function byUppy(options) {
	const u = new uppy.Uppy().use(uppy.Tus, {retryDelays: delays, ...options, onAfterResponse: say});
	u.on('upload-progress', (_, progress) => accepted = progress.bytesUploaded);
	u.on('upload-error', (_, error) => failed(error));
	u.on('upload-success', (_, answer) => said.push('done ' + answer.uploadURL));
	u.addFile({name: chosen().name, type: chosen().type, data: chosen()});
	u.upload();
}
