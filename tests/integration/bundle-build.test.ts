/**
 * A site bundle from a real flat repository and a real package index on loopback, by the real apt and pip, for a recorded Ubuntu:
 * killed twice, gone on with, verified, damaged and mended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BundleManifest } from '../../preload/contract/bundle.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import { Apt } from '../../main/services/bundle/apt.ts';
import { has } from '../../main/services/programs.ts';
import { Bundle } from '../../main/services/bundle.ts';
import { PYTHON, ROOT } from '../rig/host.ts';
import { CLI } from './cli.ts';
import { LARGE, Site } from './site.ts';

const STATUS = join(ROOT, 'tests/fixtures/ubuntu-24.04-cuda13/dpkg-status.gz');
const WHEEL = /^vllm-.*\.whl$/;

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  const tools = ['apt-get', 'apt-ftparchive', 'dpkg-deb', 'gpg', 'gpgv', 'flock', 'setpriv'];
  const missing = tools.find((tool) => !has(tool));
  if (missing) return `no ${missing}`;
  return existsSync(PYTHON) ? null : "the project's Python tools are not set up";
}
const why = whyNot();

type Result = Record<string, unknown> & { problems: { path: string; kind: string }[] };

describe.runIf(why === null)(`bundle build and verify${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let site: Site;
  let out: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vcg-'));
    out = join(dir, 'bundle');
    mkdirSync(join(dir, 'model'));
    writeFileSync(join(dir, 'model/config.json'), '{}');
    site = await Site.open(dir);
  });
  afterAll(async () => {
    await site?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const start = (args: readonly string[]) =>
    spawn(process.execPath, [CLI, 'bundle', ...args, '--json'], { env: { ...process.env, ...site.env } });
  const building = () => {
    const target = ['--layers', '2,3,4', '--status', STATUS, '--stand-in', '--model', join(dir, 'model')];
    return start(['build', '--out', out, ...target, ...site.options, '--python', PYTHON]);
  };
  async function ended(
    child: ReturnType<typeof start>,
  ): Promise<{ code: number; last: Result; lines: string[] }> {
    const [[code], stdout, stderr] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ]);
    const lines = stdout.trim().split('\n');
    if (!lines.at(-1)) throw new Error(`ended with ${String(code)}: ${stderr}`);
    return { code: code as number, last: JSON.parse(lines.at(-1) ?? '') as Result, lines };
  }
  /** Names of the packages and wheels that lie in the folder whole; apt and pip put them there when they are. */
  const here = () =>
    ['.build/apt/archives', 'apt', 'frameworks']
      .flatMap((at) => (existsSync(join(out, at)) ? readdirSync(join(out, at)) : []))
      .filter((name) => /\.(deb|whl)$/.test(name));
  /** Kills the build in the middle of this file, with a signal that nobody can catch. Answers with what is there whole. */
  async function killedAt(name: string): Promise<string[]> {
    const reached = site.stallAt(name);
    const child = building();
    const end = ended(child);
    await Promise.race([
      reached,
      end.then(({ last }) => expect(last, 'ended before it was killed').toBeNull()),
    ]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await end.catch(() => undefined); // its last line may be torn
    return here();
  }
  const verify = () => ended(start(['verify', out]));
  const wheel = () => readdirSync(join(dir, 'frameworks')).find((name) => WHEEL.test(name)) ?? '';
  const manifest = () => BundleManifest.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));

  it('killed twice, it goes on: nothing whole is fetched again, and the manifest is written last', async () => {
    const first = await killedAt(LARGE);
    expect(existsSync(join(out, 'manifest.json'))).toBe(false);
    expect((await ended(start(['verify', out]))).last['code']).toBe('bundle_missing');
    expect(site.payload().get(LARGE)).toMatchObject([{ whole: false }]);

    const second = await killedAt(wheel());
    expect(second.filter((name) => name.endsWith('.deb')).length).toBeGreaterThan(20);
    expect(existsSync(join(out, 'manifest.json'))).toBe(false);
    // apt went on in the middle of the file.
    const [, rest] = site.payload().get(LARGE) ?? [];
    expect(rest).toMatchObject({ status: 206, whole: true });
    expect(rest?.from).toBeGreaterThan(0);

    const { code, last } = await ended(building());
    expect(last).toMatchObject({ type: 'result', ok: true, evidence: 'stand-in' });
    expect(code).toBe(0);
    const served = site.payload();
    const twice = [...first, ...second].filter(
      (name) => served.get(name)?.filter((s) => s.whole).length !== 1,
    );
    expect(twice).toEqual([]);
    // The wheel in whose middle it was killed, and those that pip still had in its hands, are all that came anew.
    const again = [...served].filter(([, answers]) => answers.length > 1).map(([name]) => name);
    expect(again.filter((name) => name !== LARGE && second.includes(name))).toEqual([]);
    expect(existsSync(join(out, '.build'))).toBe(false);
  });

  it('holds what the target lacks, in the versions that the profile decides', async () => {
    const { sets, files, distribution } = manifest();
    expect(distribution).toEqual({ id: 'ubuntu', version: '24.04', codename: 'noble', arch: 'amd64' });
    expect(Object.keys(sets)).toEqual(['l2', 'l3', 'l4', 'models']);
    const names = files.map((f) => f.path);
    expect(names).toContain('apt/nvidia-open-580_580.159.04-1_amd64.deb');
    expect(names.join(' ')).not.toContain('590.10');
    // Installed on the target in just this version: not needed, and not taken.
    expect(names.join(' ')).not.toContain('cuda-nvcc-13-0');
    // Installed there, too; but the bundle must show what it offers of it.
    expect(names.join(' ')).toMatch(/apt\/libnccl2_/);
    expect(sets['l3']).toContain('apt/nvidia-container-toolkit_1.18.2-1_amd64.deb');
    expect(sets['l4']).toContain('frameworks/vllm.txt');
    expect(sets['models']).toEqual(['models/model/config.json']);
    expect(new Bundle(out).manifest.name).toContain('layers 2, 3, 4');
  });

  it("the target's apt installs from it, by the bundle's own signature", async () => {
    const sources = join(dir, 'box.list');
    writeFileSync(sources, `deb [signed-by=${out}/apt/key.gpg] file:${out}/apt ./\n`);
    const work = join(dir, 'box');
    const apt = new Apt({ work, sources, keyrings: [], status: STATUS, arch: 'amd64' });
    await apt.update();
    const debs = await apt.plan('layer 2', ['install', 'nvidia-open-580', 'cuda-toolkit-13-0', 'dkms']);
    expect(debs.map((deb) => deb.file)).toEqual(
      expect.arrayContaining([LARGE, 'dctrl-tools_2.24-3_amd64.deb']),
    );
  });

  it('verify: whole; then every damage is named', async () => {
    const whole = await verify();
    expect([whole.code, whole.last.problems]).toEqual([0, []]);
    expect(whole.last['manifestSha256']).toBe(new Bundle(out).manifestSha256);

    const debs = readdirSync(join(out, 'apt')).filter((name) => name.endsWith('.deb'));
    const [missing = '', short = '', changed = ''] = debs.map((name) => `apt/${name}`);
    rmSync(join(out, missing));
    truncateSync(join(out, short), 10);
    const bytes = readFileSync(join(out, changed));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(out, changed), bytes);
    writeFileSync(join(out, 'wheels.txt'), 'not ours');
    appendFileSync(join(out, 'frameworks/vllm.txt'), '# longer\n');
    const signature = readFileSync(join(out, 'apt/Release.gpg'), 'utf8');
    writeFileSync(join(out, 'apt/Release.gpg'), signature.replace(/\n[A-Za-z0-9+/]{4}/, '\nAAAA'));

    const { code, last } = await verify();
    expect(code).toBe(20);
    const found = last.problems.map(({ path, kind }) => `${kind} ${path}`);
    expect(found.sort()).toEqual(
      [
        ...[`missing ${missing}`, `short ${short}`, `changed ${changed}`, 'surplus wheels.txt'],
        ...['long frameworks/vllm.txt', 'changed apt/Release.gpg', 'repository apt'],
      ].sort(),
    );
  });

  it('built again, only what was broken is fetched', async () => {
    rmSync(join(out, 'wheels.txt'));
    const before = manifest();
    site.served.clear();
    const { code } = await ended(building());
    expect(code).toBe(0);
    expect(site.payload().size).toBe(3);
    const debsOf = ({ files }: BundleManifest) => files.filter((f) => /\.(deb|whl)$/.test(f.path));
    expect(debsOf(manifest())).toEqual(debsOf(before));
    expect((await verify()).code).toBe(0);
    site.served.clear();
    expect((await ended(building())).code).toBe(0);
    expect(site.payload().size).toBe(0);
  });

  it('refuses a folder of other files, and versions that the profile does not take', async () => {
    const taken = await ended(
      start(['build', '--out', dir, '--layers', '2', '--status', STATUS, ...site.options]),
    );
    expect([taken.code, taken.last['code']]).toEqual([2, 'bundle_folder_taken']);
    const profile = JSON.parse(
      readFileSync(join(ROOT, 'resources/profiles/vault-cube.json'), 'utf8'),
    ) as Profile;
    const driver = profile.software?.find((c) => c.id === 'driver');
    if (driver) driver.series = '570';
    writeFileSync(join(dir, 'profile.json'), JSON.stringify(profile));
    site.served.clear();
    const other = ['--profile', join(dir, 'profile.json'), '--out', join(dir, 'other'), '--layers', '2'];
    const unmet = await ended(start(['build', ...other, '--status', STATUS, ...site.options]));
    expect([unmet.code, unmet.last['code']]).toEqual([6, 'bundle_versions_unmet']);
    expect(unmet.last['message']).toContain('not of the series 570');
    expect(site.payload().size).toBe(0);
  });
});
