// What a page of the tests has of Uppy, as `uppy`.
export {default as Uppy} from '@uppy/core';
export {default as Tus} from '@uppy/tus';
