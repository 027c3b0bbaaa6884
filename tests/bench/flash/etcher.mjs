// One flash by Etcher's SDK with trim, in a process of its own: `node etcher.mjs SDK RAW DEVICE BYTES verify|write`, where SDK is the
// folder that it was installed into. The last line is a JSON object: its seconds, the discard before and the fsync after among them.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [sdk, raw, device, bytes, mode] = process.argv.slice(2);
const { multiWrite, sourceDestination } = createRequire(join(sdk, 'package.json'))('etcher-sdk');

const begun = performance.now();
// It writes no zeros where it trims: without this the disk keeps what it had there.
execFileSync('blkdiscard', ['-f', device]);
const drive = {
  ...{ device, devicePath: device, raw: device, displayName: device, description: 'a loop device' },
  ...{ size: Number(bytes), blockSize: 512, logicalBlockSize: 512, busType: 'UNKNOWN', mountpoints: [] },
  ...{
    isReadOnly: false,
    isSystem: false,
    isRemovable: true,
    isVirtual: false,
    isUSB: false,
    emitsProgress: false,
  },
};
const source = new sourceDestination.File({ path: raw });
const destination = new sourceDestination.BlockDevice({
  drive,
  unmountOnSuccess: false,
  write: true,
  direct: true,
});
const { failures, bytesWritten } = await multiWrite.decompressThenFlash({
  source,
  destinations: [destination],
  onFail: () => undefined,
  onProgress: () => undefined,
  verify: mode === 'verify',
  numBuffers: 16,
  trim: true,
});
execFileSync('sync', [device]);
const seconds = (performance.now() - begun) / 1000;
for (const error of failures.values()) throw error;
console.log(JSON.stringify({ seconds, bytesWritten }));
// Watchers of its own may still be there.
process.exit(0);
