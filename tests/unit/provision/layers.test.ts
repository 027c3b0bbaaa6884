import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { install, type Order } from '../../../main/services/layers.ts';
import { Profile } from '../../../preload/contract/profile.ts';
import { resolveSoftware } from '../../../preload/contract/software.ts';
import { makeSession } from '../journal/log.ts';

const FILE = join(import.meta.dirname, '../../../resources/profiles/vault-cube.json');
const profile = Profile.parse(JSON.parse(readFileSync(FILE, 'utf8')));
const offered = {
  apt: new Map([
    ['nvidia-open-580', ['580.95.05-1']],
    ['cuda-toolkit-13-0', ['13.0.2-1']],
    ['libcudnn9-cuda-13', ['9.14.0.64-1', '9.15.0.1-1']],
    ['libcudnn9-dev-cuda-13', ['9.14.0.64-1']],
    ['libnccl2', ['2.28.3-1+cuda13.0']],
    ['libnccl-dev', ['2.28.3-1+cuda13.0']],
    ['nvidia-container-toolkit', ['1.18.2-1']],
  ]),
  wheel: new Map<string, string[]>(),
};
const software = resolveSoftware(profile.software ?? [], offered, [2, 3]);
const order = (files: string[] = []): Order => ({
  session: makeSession(),
  profile,
  manifest: { files: files.map((path) => ({ path, size: 1, sha256: 'a'.repeat(64) })) },
  software: software.components,
});
const vars = (layer: number, o = order()) =>
  install(layer, o).find((p) => p.kind === 'layer')?.params['vars'] as Record<string, unknown>;

describe('what a layer is installed with', () => {
  it('exactly the versions that were decided, headers in the version of their library, from no other source', () => {
    expect(software.refusals).toEqual([]);
    expect(vars(2)).toEqual({
      driver_stack_packages: [
        ...['nvidia-open-580=580.95.05-1', 'cuda-toolkit-13-0=13.0.2-1'],
        ...['libcudnn9-cuda-13=9.14.0.64-1', 'libcudnn9-dev-cuda-13=9.14.0.64-1'],
        ...['libnccl2=2.28.3-1+cuda13.0', 'libnccl-dev=2.28.3-1+cuda13.0'],
      ],
      driver_stack_driver_floor: '570.26',
      driver_stack_repository_url: '',
    });
    expect(vars(3)).toEqual({
      gpu_runtime_packages: ['nvidia-container-toolkit=1.18.2-1'],
      gpu_runtime_toolkit_floor: '1.17.8',
    });
    expect(software.components[0]?.text).toBe(
      'NVIDIA driver 580.95.05 (specification ≥ 550.127.05, RTX 5090 with open modules ≥ 570.26)',
    );
  });

  it('lock files of a bundle that brings its own, else those of the role', () => {
    expect(vars(4)['ai_frameworks_locks_dir']).toBe('');
    expect(vars(4, order(['frameworks/torch.txt']))['ai_frameworks_locks_dir']).toMatch(/tree\/frameworks$/);
    expect(vars(5)).toEqual({ monitoring_profile: profile });
  });

  it('layer 6 with forwarding closed last, by a job that proves a new login', () => {
    expect(install(6, order()).map(({ kind, params }) => [kind, params['tags']])).toEqual([
      ['layer', ['l6']],
      ['harden', ['forwarding']],
    ]);
  });

  it('with a reboot before the driver stack and after it, each asked for', () => {
    expect(install(2, order()).map(({ kind, layer }) => [kind, layer])).toEqual([
      ['reboot', 2],
      ['layer', 2],
      ['reboot', 2],
    ]);
  });
});
