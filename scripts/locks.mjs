// The lock files of layer 4: resolves ansible/roles/ai_frameworks/files/locks/*.in against the package index, with hashes.
// `--check` compares only. Exit 0: done or the same; 1: not the same, or it does not resolve; 3: the index does not answer.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE, ROOT, must, once, run } from './lib.mjs';

/** The resolver; pinned, since another version may write another file. */
const UV = 'uv==0.13.9';
/** What is newer than this is not looked at, so that making the files again gives the same ones. A month after vLLM 0.25.1. */
const AS_OF = '2026-08-15T00:00:00Z';
/** Ubuntu 24.04: its Python, and wheels for its glibc or an older one. */
const TARGET = ['--python-version', '3.12', '--python-platform', 'x86_64-manylinux_2_39'];
const FOLDER = join(ROOT, 'ansible', 'roles', 'ai_frameworks', 'files', 'locks');
/**
 * vLLM pins the most, so it comes first; what the others share with it they take in the same version: a site bundle carries each
 * wheel once, and the three environments have one PyTorch.
 */
const NAMES = ['vllm', 'torch', 'tensorflow'];
const NO_INDEX = 3;

const tools = join(CACHE, 'locks');
const uv = join(tools, 'bin', 'uv');

async function getUv() {
  await once(
    'locks',
    ['scripts/locks.mjs'],
    () => existsSync(uv),
    async () => {
      rmSync(tools, { recursive: true, force: true });
      await must('python3', ['-m', 'venv', tools]);
      await must(join(tools, 'bin', 'python3'), ['-m', 'pip', 'install', '-q', '--only-binary=:all:', UV]);
    },
  );
}

const lockOf = (folder, name) => join(folder, `${name}-py312.txt`);

async function resolve(name, out) {
  const constraints = name === NAMES[0] ? [] : ['--constraint', lockOf(out, NAMES[0])];
  const options = [
    '--quiet',
    '--no-config',
    '--no-header',
    '--no-annotate',
    '--cache-dir',
    join(CACHE, 'uv'),
  ];
  const policy = ['--generate-hashes', '--only-binary', ':all:', '--exclude-newer', AS_OF];
  const input = join(FOLDER, `${name}.in`);
  const text = await must(uv, ['pip', 'compile', ...options, ...policy, ...TARGET, ...constraints, input]);
  const header = `# Made from ${name}.in by scripts/locks.mjs, as of ${AS_OF.slice(0, 10)}; not to be edited.\n`;
  writeFileSync(lockOf(out, name), header + text);
}

/** Whether the index answers at all: a question about the resolver itself, which is small. */
async function answers() {
  const args = ['pip', 'compile', '--quiet', '--no-config', '--no-cache', '--no-deps', '-'];
  return (await run(uv, args, { input: `${UV}\n` })).code === 0;
}

const check = process.argv.includes('--check');
const work = mkdtempSync(join(tmpdir(), 'vault-cube-locks-'));
try {
  const got = await getUv().then(answers, (error) => (console.error(error.message), false));
  if (got) {
    for (const name of NAMES) await resolve(name, work);
    for (const name of NAMES) {
      const [now, next] = [FOLDER, work].map((folder) => {
        const path = lockOf(folder, name);
        return existsSync(path) ? readFileSync(path, 'utf8') : '';
      });
      if (now === next) console.log(`${name}: as it was`);
      else if (check) {
        console.error(`${name}-py312.txt is not what ${name}.in resolves to: run "node scripts/locks.mjs".`);
        process.exitCode = 1;
      } else {
        writeFileSync(lockOf(FOLDER, name), next);
        console.log(`${name}: written`);
      }
    }
  } else {
    console.error('the package index does not answer');
    process.exitCode = NO_INDEX;
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
