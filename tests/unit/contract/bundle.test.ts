import { describe, expect, it } from 'vitest';
import { BundleManifest } from '../../../preload/contract/bundle.ts';
import { SAFE, UNSAFE } from './paths.ts';

const manifest = (path: string, more: Record<string, unknown> = {}) => ({
  v: 1,
  name: 'site',
  created: '2026-11-24T05:00:00.000Z',
  distribution: { id: 'ubuntu', version: '24.04', codename: 'noble', arch: 'amd64' },
  evidence: 'real',
  files: [{ path, size: 3, sha256: 'a'.repeat(64) }],
  sets: { l0: [path] },
  ...more,
});

describe('the manifest of a bundle', () => {
  it.each(SAFE)('takes the path %j', (path) => {
    expect(BundleManifest.parse(manifest(path)).files[0]?.path).toBe(path);
  });

  it.each(UNSAFE)('refuses the path %j, in its files and in its sets', (path) => {
    const found = BundleManifest.safeParse(manifest(path, { sets: {} }));
    expect(found.error?.issues[0]?.message).toMatch(/inside the bundle/);
    const inSet = BundleManifest.safeParse(manifest('apt/Packages', { sets: { l0: [path] } }));
    expect(inSet.error?.issues[0]?.message).toMatch(/inside the bundle/);
  });

  it('names the set whose file is not there', () => {
    const found = BundleManifest.safeParse(manifest('apt/Packages', { sets: { l1: ['apt/Release'] } }));
    expect(found.error?.issues[0]?.message).toBe(
      'the set l1 names apt/Release, which is no file of the bundle',
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['another version', { v: 2 }],
    ['an unknown kind of evidence', { evidence: 'probably' }],
    ['an unknown field', { more: true }],
    ['a hash that is none', { files: [{ path: 'a', size: 1, sha256: 'A'.repeat(64) }], sets: {} }],
    ['a negative size', { files: [{ path: 'a', size: -1, sha256: 'a'.repeat(64) }], sets: {} }],
  ])('refuses %s', (_what, more) => {
    expect(BundleManifest.safeParse(manifest('a', more)).success).toBe(false);
  });
});
