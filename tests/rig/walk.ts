/** The walk of `npm start`, on the rig: boots a stand-in box and types the road's commands, as a person would. argv: data folder, report folder. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { RigBox } from './box.ts';
import { ROOT } from './host.ts';

const [home = '', reports = ''] = process.argv.slice(2);
/** Outcomes with which the road goes on: passed, with deviations, and what a stand-in cannot be. */
const GOES_ON = [0, 10, 20, 21];

async function type(secrets: Record<string, string>, ...args: string[]): Promise<void> {
  console.log(`\n$ vault-cube ${args.join(' ')}`);
  const child = spawn(process.execPath, [join(ROOT, 'out/cli.mjs'), ...args, '--secrets', '-'], {
    env: { ...process.env, VAULT_CUBE_HOME: home },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify(secrets));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 128));
  });
  if (!GOES_ON.includes(code)) throw new Error(`vault-cube ${args[0] ?? ''} ended with ${code}`);
}

console.log('Booting a stand-in box (the first time its packages are fetched, which takes a few minutes) …');
const box = await RigBox.start();
const stop = async () => {
  await box.stop();
  process.exit(130);
};
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
try {
  const sudo = randomBytes(12).toString('base64url');
  const name = 'STAND-IN';
  await type(
    { loginPassword: box.password },
    'inspect',
    ...['--box', name, '--host', box.host, '--user', box.user, '--profile', 'two-h100'],
    ...['--accept-host-key', box.fingerprint()],
  );
  const first = { loginPassword: box.password, newSudoPassword: sudo };
  await type(first, 'keys', '--box', name, '--generate', '--uid', 'keep');
  const later = { sudoPassword: sudo };
  await type(later, 'provision', '--box', name, '--layers', '0,1', '--bundle', box.bundle);
  await type(later, 'validate', '--box', name, '--suites', 'gpu-detection', '--watch', '5');
  await box.stop();
  console.log('\nThe box is off now; the report comes from the journal alone.');
  await type({}, 'report', '--box', name, '--out', reports);
} finally {
  await box.stop();
}
