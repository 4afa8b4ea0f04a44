// tus-js-client 5 for pages of the tests, as `tus5`.
export * from 'tus-js-client-5';
