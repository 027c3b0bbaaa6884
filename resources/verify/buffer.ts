/** Node's Buffer, which the checks work with, in a browser; esbuild puts it where it is named. */
export { Buffer } from 'buffer/';
