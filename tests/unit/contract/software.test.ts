import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { resolveSoftware, Software, type Offered } from '../../../preload/contract/software.ts';
import { compareVersions, versionInSeries } from '../../../preload/contract/versions.ts';

const offered = (apt: Record<string, string[]>, wheel: Record<string, string[]> = {}): Offered => ({
  apt: new Map(Object.entries(apt)),
  wheel: new Map(Object.entries(wheel)),
});

const RULES = Software.parse([
  {
    id: 'driver',
    title: 'NVIDIA driver',
    layer: 2,
    from: 'apt',
    packages: ['nvidia-open-580', 'nvidia-open'],
    floors: [
      { version: '550.127.05', what: 'specification', source: 'a' },
      { version: '570.26', what: 'RTX 5090 with open modules', source: 'b' },
    ],
  },
  {
    id: 'cuda',
    title: 'CUDA toolkit',
    layer: 2,
    from: 'apt',
    packages: ['cuda-toolkit'],
    floors: [{ version: '12.8', what: 'sm_120', source: 'c' }],
    needs: [{ from: '13.0', component: 'driver', version: '580.65.06', source: 'd' }],
  },
  {
    id: 'pytorch',
    title: 'PyTorch',
    layer: 4,
    from: 'wheel',
    packages: ['torch'],
    floors: [{ version: '2.0', what: 'specification', source: 'e' }],
    broken: [{ version: '2.7.0', why: 'its NCCL fails on two cards', source: 'f' }],
  },
]);

const LAYERS = [2, 4];
const taken = (o: Offered, layers = LAYERS) =>
  resolveSoftware(RULES, o, layers).components.map((c) => `${c.package} ${c.version}`);

describe('which versions are taken', () => {
  it('the newest that reaches every floor, with who asks for them', () => {
    const found = resolveSoftware(
      RULES,
      offered(
        {
          'nvidia-open-580': ['580.65.06-1ubuntu1', '580.95.05-1ubuntu1'],
          'cuda-toolkit': ['12.9.1-1', '13.0.2-1'],
        },
        { torch: ['2.9.1'] },
      ),
      LAYERS,
    );
    expect(found.refusals).toEqual([]);
    expect(found.components.map((c) => c.text)).toEqual([
      'NVIDIA driver 580.95.05 (specification ≥ 550.127.05, RTX 5090 with open modules ≥ 570.26)',
      'CUDA toolkit 13.0.2 (sm_120 ≥ 12.8)',
      'PyTorch 2.9.1 (specification ≥ 2.0)',
    ]);
  });

  it('an older one where the newest needs what is not there', () => {
    expect(
      taken(offered({ 'nvidia-open': ['575.57.08-1'], 'cuda-toolkit': ['12.9.1-1', '13.0.2-1'] }), [2]),
    ).toEqual(['nvidia-open 575.57.08-1', 'cuda-toolkit 12.9.1-1']);
  });

  it('not one that is known to fail', () => {
    expect(taken(offered({}, { torch: ['2.6.0', '2.7.0'] }), [4])).toEqual(['torch 2.6.0']);
  });

  it('none where a floor is missed: each offer with its reason', () => {
    const { components, refusals } = resolveSoftware(
      RULES,
      offered({ 'nvidia-open': ['560.35.05-1', '550.54.14-1'], 'cuda-toolkit': ['13.0.2-1'] }),
      [2],
    );
    expect(components).toEqual([]);
    expect(refusals).toEqual([
      'NVIDIA driver: nothing that fits (specification ≥ 550.127.05, RTX 5090 with open modules ≥ 570.26); ' +
        'nvidia-open 560.35.05-1: RTX 5090 with open modules needs 570.26 or newer; ' +
        'nvidia-open 550.54.14-1: specification needs 550.127.05 or newer.',
      'CUDA toolkit: nothing that fits (sm_120 ≥ 12.8); ' +
        'cuda-toolkit 13.0.2-1: it needs driver 580.65.06 or newer, and there is none.',
    ]);
  });

  it('only of the layers that are asked for, judged beside the others all the same', () => {
    const o = offered({ 'nvidia-open': ['580.95.05-1'] });
    expect(taken(o, [2])).toEqual(['nvidia-open 580.95.05-1']);
    expect(resolveSoftware(RULES, o, [2]).refusals).toEqual([
      'CUDA toolkit: the source offers no cuda-toolkit (sm_120 ≥ 12.8).',
    ]);
    expect(resolveSoftware(RULES, o, [4]).refusals).toHaveLength(1);
  });

  it('rules that lean on what comes after them are refused', () => {
    const wrong = Software.safeParse(RULES.toReversed());
    expect(wrong.error?.issues[0]?.message).toBe('cuda needs driver, which must stand before it');
  });
});

describe('versions', () => {
  const PAIRS: [string, string][] = [
    ['580.95.05-1ubuntu1', '580.65.06-1ubuntu1'],
    ['1.0', '1.0-1'],
    ['1.0~rc1', '1.0'],
    ['1.0+b1', '1.0'],
    ['1:0.9', '2.0'],
    ['9.14.0.64-1', '9.7'],
    ['2.28.3-1+cuda13.0', '2.27.5'],
    ['1.2a', '1.2.1'],
    ['010', '10'],
    ['a1', '1'],
    ['2.9.1+cu128', '2.9.1'],
  ];

  it.each(PAIRS)('%s and %s are ordered one way', (a, b) => {
    expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
    expect(compareVersions(a, a)).toBe(0);
  });

  const dpkg = process.platform === 'linux' && hasDpkg();

  it.runIf(dpkg).each(PAIRS)('%s and %s as dpkg orders them', (a, b) => {
    const says = (relation: string) => {
      try {
        execFileSync('dpkg', ['--compare-versions', a, relation, b], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    };
    const sign = Math.sign(compareVersions(a, b));
    expect([says('lt'), says('eq'), says('gt')]).toEqual([sign < 0, sign === 0, sign > 0]);
  });

  it('of a series', () => {
    expect(versionInSeries('580.95.05-1', '580')).toBe(true);
    expect(versionInSeries('580.95.05-1', '580.95')).toBe(true);
    expect(versionInSeries('5800.1', '580')).toBe(false);
    expect(versionInSeries('580', '580')).toBe(true);
  });
});

function hasDpkg(): boolean {
  try {
    execFileSync('dpkg', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
