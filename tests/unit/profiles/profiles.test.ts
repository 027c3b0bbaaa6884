import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../preload/contract/errors.ts';
import { expectationOf, type Profile } from '../../../preload/contract/profile.ts';
import { loadProfile, profileNames } from '../../../main/services/profiles.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-profiles-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const cube = (): Profile => loadProfile('vault-cube').profile;

function refused(name: string, text: string): AppError {
  const path = join(dir, `${name}.json`);
  writeFileSync(path, text);
  try {
    loadProfile(path);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the profiles of the app', () => {
  it.each(profileNames())('%s is whole, and named as its file is', (name) => {
    const { profile, sha256, path } = loadProfile(name);
    expect(profile.id).toBe(name);
    expect(sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
    expect(loadProfile(path)).toEqual({ profile, sha256, path });
  });

  it('are those of the machine types at hand', () => {
    expect(profileNames()).toEqual(['practice', 'two-h100', 'vault-cube']);
    expect(cube().gpu).toMatchObject({
      count: { value: 4 },
      pcieGen: { value: 5 },
      pcieWidth: { value: 16 },
    });
  });

  it.each([
    ['two-h100', 'nvidia-smi-2xh100'],
    ['practice', 'nvidia-smi-4xh200'],
  ])('%s is what nvidia-smi told of these cards', (name, fixture) => {
    const xml = readFileSync(`tests/fixtures/${fixture}/q-idle.xml`, 'utf8');
    const all = (tag: string) => [...xml.matchAll(new RegExp(`<${tag}>(.*)</${tag}>`, 'g'))].map((m) => m[1]);
    const { gpu } = loadProfile(name).profile;
    expect(all('product_name')).toEqual(Array(gpu.count.value).fill(gpu.name.value));
    expect(new Set(all('pci_device_id'))).toEqual(new Set([`${gpu.pciDevice?.value.slice(2)}10DE`]));
    const section = (part: string) => new RegExp(`<${part}>\\s*<total>(\\d+) MiB`).exec(xml)?.[1];
    expect(section('fb_memory_usage')).toBe(String(gpu.memoryMiB.value));
    expect(section('bar1_memory_usage')).toBe(String(gpu.bar1MiB?.min));
    expect(new Set(all('max_device_link_gen'))).toEqual(new Set([String(gpu.pcieGen.value)]));
  });
});

describe('a profile that cannot be used', () => {
  it('is missing: the known ones are named', () => {
    expect(() => loadProfile('vault-sphere')).toThrowError(
      expect.objectContaining({ code: 'profile_missing' }),
    );
    try {
      loadProfile(join(dir, 'none.json'));
    } catch (error) {
      expect((error as AppError).nextAction).toContain('practice, two-h100, vault-cube');
    }
  });

  it('is cut off', () => {
    const text = JSON.stringify(cube());
    expect(refused('cut', text.slice(0, text.length / 2)).code).toBe('profile_truncated');
    expect(refused('empty', '').code).toBe('profile_truncated');
  });

  it.each<[string, (p: Record<string, unknown>) => void, RegExp]>([
    ['a number without its source', (p) => (p['clockSkewSeconds'] = { max: 60 }), /clockSkewSeconds\.source/],
    ['no GPUs named', (p) => delete p['gpu'], /gpu/],
    ['a field of no meaning', (p) => (p['gpus'] = 4), /gpus/],
    ['a wrong verdict', (p) => (p['expectations'] = { pf_cpu: { kind: 'ignored' } }), /expectations\.pf_cpu/],
    ['no distribution', (p) => (p['distributions'] = []), /distributions/],
    ['no format', (p) => delete p['v'], /v:/],
  ])('has %s', (name, spoil, field) => {
    const profile = { ...cube() } as Record<string, unknown>;
    spoil(profile);
    const error = refused(name.replaceAll(' ', '-'), JSON.stringify(profile));
    expect(error.code).toBe('profile_invalid');
    expect(error.message).toMatch(field);
  });

  it('is of a newer format, whatever else is in it', () => {
    const error = refused('newer', JSON.stringify({ v: 2, machine: {} }));
    expect(error.code).toBe('profile_newer');
    expect(error.message).toContain('format 2');
  });
});

describe('expectationOf', () => {
  const informative = { kind: 'informative' } as const;
  const expected = { kind: 'expected', verdicts: ['not_run'], context: 'stand-in box' } as const;
  const profile: Profile = {
    ...cube(),
    expectations: { a: informative, b: informative },
    standInExpectations: { b: { ...expected, verdicts: ['not_run'] } },
  };

  it.each([
    ['a', 'real', informative],
    ['a', 'stand-in', informative],
    ['b', 'real', informative],
    ['b', 'stand-in', expected],
    ['b', 'practice', expected],
    ['c', 'stand-in', { kind: 'required' }],
    ['toString', 'real', { kind: 'required' }],
  ] as const)('%s on a %s box', (check, evidence, wanted) => {
    expect(expectationOf(profile, check, evidence)).toEqual(wanted);
  });
});
