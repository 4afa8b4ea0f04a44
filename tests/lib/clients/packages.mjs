// require() of what `install` has installed, which is not beside these files.

import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const where = process.env.PENSTOCK_CLIENTS || fileURLToPath(new URL('../../../build/clients', import.meta.url));
export const packaged = createRequire(where + '/package.json');
