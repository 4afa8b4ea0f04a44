// A form by fetch and FormData: node form_node.mjs URL; the file f, under two names, a field,
// and a file without a name.
import { readFile } from 'node:fs/promises';

const bytes = await readFile('f');
const form = new FormData();
form.append('note', 'ü');
form.append('up', new File([bytes], 'f'));
form.append('up', new File([bytes], 'a "b" ä.txt', { type: 'text/plain' }));
form.append('none', new File([], ''));
const answer = await fetch(process.argv[2], { method: 'POST', body: form });
console.log(answer.status, ...(await answer.json()).files.map(f => f.name));
