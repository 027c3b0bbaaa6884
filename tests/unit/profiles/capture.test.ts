/** A profile of the machine at hand: on what two H200 told and measured (docs/evidence), and on the rig's recorded H100. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readZip } from '../../../main/services/archive/zip.ts';
import { CARDS_COMMAND, parseCards } from '../../../main/services/capture/cards.ts';
import { capturedProfile, type CaptureOrder } from '../../../main/services/capture/profile.ts';
import { loadProfile } from '../../../main/services/profiles.ts';
import { CAPTURED, floorsOf } from '../../../preload/contract/captured.ts';
import { decideOutcome } from '../../../preload/contract/outcome.ts';
import { expectationOf, Profile } from '../../../preload/contract/profile.ts';
import { parseReport } from '../../../preload/contract/report.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ZIP = 'docs/evidence/2026-11-29-two-h200/vault-cube-LAB-20261129-131644.zip';
const FOUR = 'docs/evidence/2026-11-29-four-h200';
/** As T1 of that run told it, evidence/gpu-detection in the archive; what nvidia-smi prints for the question. */
const H200 = 'NVIDIA H200, 143771, 5, 16, 9.0, 700.00, 580.159.04\n'.repeat(2);

const dir = mkdtempSync(join(tmpdir(), 'vc-capture-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const reportOf = (zip: string) =>
  parseReport(
    JSON.parse(
      readZip(readFileSync(join(ROOT, zip)))
        .get('report.json')
        ?.toString('utf8') ?? '',
    ),
  ).data;
const report = reportOf(ZIP);
const facts = report?.facts;
if (!report || !facts) throw new Error('the evidence cannot be read');
const suites = report.parts.filter((p) => p.kind === 'suite') as CaptureOrder['suites'];
const order = (more: Partial<CaptureOrder> = {}): CaptureOrder => ({
  ...{ base: loadProfile('two-h100').profile, id: '2x-nvidia-h200', box: 'LAB', day: '2026-11-29' },
  ...{ evidence: 'real' as const, cards: parseCards(H200), facts, suites },
  ...more,
});

describe('the profile of two H200', () => {
  const { profile, notes } = capturedProfile(order());

  it('has the cards and the host as they told', () => {
    expect(profile.gpu).toMatchObject({
      count: { value: 2, source: 'captured from LAB on 2026-11-29, as nvidia-smi tells' },
      name: { value: 'NVIDIA H200' },
      pciDevice: { value: '0x2335' },
      memoryMiB: { value: 143_771 },
      pcieGen: { value: 5 },
      pcieWidth: { value: 16 },
      computeCapability: { value: '9.0' },
      powerLimitW: { value: 700 },
      bar1MiB: { min: 262_144 },
    });
    expect(profile.cpu).toMatchObject({ model: 'Intel(R) Xeon(R) Processor', cores: 32 });
    expect(profile.load?.watts).toMatchObject({ value: 1400 });
  });

  it('has floors at 0.75 of what its suites measured, each marked as captured', () => {
    const load = profile.load;
    expect(load?.ddp.imagesPerSecond).toEqual({
      min: 6951,
      source: 'captured from LAB on 2026-11-29: 9268.5 images/s measured (evidence real); floor 0.75 of it',
    });
    expect(load?.ddp.allreduceBusGBps?.min).toBe(246.4);
    expect(load?.bench.memoryGBps?.min).toBe(3198);
    expect([load?.bench.hostToDeviceGBps?.min, load?.bench.peerGBps?.min]).toEqual([41.56, 295.9]);
    const products = Object.entries(load?.bench.tflops ?? {}).map(([name, f]) => [name, f.min]);
    expect(products).toEqual([
      ['fp32', 38.45],
      ['tf32', 255.8],
      ['bf16', 492.4],
      ['fp16', 475.5],
      ['fp8', 895.9],
    ]);
    expect(load?.vllm.batchTokensPerSecond).toBeUndefined();
    expect(notes.join(' ')).toContain('Without a floor: t6_vllm.');
  });

  it('lets no captured floor decide: a fail of it fails nothing', () => {
    const captured = Object.entries(floorsOf(profile))
      .filter(([, floors]) => floors.some((f) => f.source.startsWith(CAPTURED)))
      .map(([check]) => check);
    expect(captured).toEqual([
      ...['gpu_bar1', 't2_images', 't2_allreduce', 't6_allreduce', 't6_gemm', 't6_memory'],
      ...['t6_host_to_device', 't6_device_to_host', 't6_peer'],
    ]);
    for (const id of captured) {
      const expectation = expectationOf(profile, id, 'real');
      expect(expectation).toEqual({ kind: 'informative', why: 'the floor was captured from the same GPUs' });
      const failed = { id, title: id, verdict: 'fail' as const, expectation };
      const passed = { ...failed, id: 'gpu_count', verdict: 'pass' as const };
      const required = { ...passed, expectation: expectationOf(profile, 'gpu_count', 'real') };
      expect(decideOutcome([failed, required]).outcome).toBe('passed');
    }
  });

  it('is a profile as any other, by its file; a captured floor that decides is refused', () => {
    const path = join(dir, 'captured.json');
    writeFileSync(path, JSON.stringify(profile));
    expect(loadProfile(path).profile).toEqual(profile);
    const { t2_images: _, ...expectations } = profile.expectations;
    expect(Profile.safeParse({ ...profile, expectations }).error?.issues).toMatchObject([
      { path: ['expectations', 't2_images'], message: expect.stringContaining('can only be informative') },
    ]);
    writeFileSync(path, JSON.stringify({ ...profile, expectations }));
    expect(() => loadProfile(path)).toThrow('expectations.t2_images: its floor was captured');
  });

  it('says nothing of what another kind of card was to reach', () => {
    expect(JSON.stringify(profile.gpu)).not.toContain('H100');
    expect(JSON.stringify(profile.load?.bench)).not.toMatch(/H100|Azure/);
    const cube = capturedProfile(order({ base: loadProfile('vault-cube').profile })).profile;
    expect(cube.power).toBeUndefined();
    expect([cube.cpu?.cores, cube.board]).toEqual([32, undefined]);
    expect(expectationOf(cube, 'pf_board', 'real').kind).toBe('informative');
  });
});

it('of four H200 is the one that the command wrote there', () => {
  const four = reportOf(join(FOUR, 'vault-cube-LAB-20261129-192248.zip'));
  if (!four?.facts || !four.profile) throw new Error('the evidence of four cards cannot be read');
  const there = Profile.parse(JSON.parse(readFileSync(join(ROOT, FOUR, 'captured.json'), 'utf8')));
  const { profile } = capturedProfile({
    ...order({ base: Profile.parse(four.profile.document), id: there.id, cards: parseCards(H200.repeat(2)) }),
    ...{ facts: four.facts, suites: four.parts.filter((p) => p.kind === 'suite') },
  });
  expect(profile).toEqual(there);
  expect([there.gpu.count.value, there.load?.ddp.imagesPerSecond?.min]).toEqual([4, 13_840]);
});

describe('a machine', () => {
  it('whose suites measured nothing, or failed, gives no floor', () => {
    const none = capturedProfile(order({ suites: [] }));
    expect(none.profile.load?.bench.tflops).toEqual({});
    expect(none.notes.join(' ')).toContain('run the suites pytorch-ddp and performance first');
    const failed = suites.map((p) => ({
      ...p,
      checks: p.checks.map((c) => ({ ...c, result: { ...c.result, verdict: 'fail' as const } })),
    }));
    expect(capturedProfile(order({ suites: failed })).profile.load?.ddp.imagesPerSecond).toBeUndefined();
    const stale = suites.map((p) => ({ ...p, stale: 'it is older than a layer' }));
    expect(capturedProfile(order({ suites: stale })).profile.load?.bench.memoryGBps).toBeUndefined();
  });

  it('of the kind that a profile was published for keeps what was published', () => {
    const h100 = loadProfile('two-h100').profile;
    const cards = { ...parseCards(H200), name: h100.gpu.name.value, memoryMiB: 81_559 };
    const { profile } = capturedProfile(order({ cards }));
    expect(profile.load?.bench.memoryGBps).toEqual(h100.load?.bench.memoryGBps);
    expect(expectationOf(profile, 't6_memory', 'real').kind).toBe('required');
    expect(profile.load?.ddp.imagesPerSecond?.source).toMatch(/^captured from/);
    expect(expectationOf(profile, 't2_images', 'real').kind).toBe('informative');
    const none = capturedProfile(order({ cards, suites: [] }));
    expect(none.notes.join(' ')).toContain('No floor was captured: what is published of these very cards');
  });

  it.each([
    ['no card', '', 'nvidia-smi lists no card'],
    ['two kinds', `${H200}NVIDIA H100 80GB HBM3, 81559, 5, 16, 9.0, 700.00, 580\n`, 'not all the same'],
    ['an untold memory', 'NVIDIA GB10, [N/A], 5, 16, 12.1, [N/A], 580\n', 'do not tell memory.total'],
  ])('with %s is no machine type', (_name, text, word) => {
    expect(() => parseCards(text)).toThrow(word);
  });

  it('tells it to the very question: the recorded H100 of the rig', () => {
    const [, ...words] = CARDS_COMMAND.split('nvidia-smi ');
    const env = {
      ...process.env,
      STAND_IN_DATA: join(ROOT, 'tests/fixtures/nvidia-smi-2xh100'),
      STAND_IN_SWITCH: join(dir, 'switch'),
      STAND_IN_EDITS: join(dir, 'edits'),
      STAND_IN_LIMITS: join(dir, 'limits'),
    };
    const told = spawnSync(
      'python3',
      [join(ROOT, 'tests/rig/standin/nvidia_smi.py'), ...(words[0] ?? '').split(' ')],
      {
        env,
        encoding: 'utf8',
      },
    );
    expect(parseCards(told.stdout)).toEqual({
      ...{ count: 2, name: 'NVIDIA H100 80GB HBM3', memoryMiB: 81_559, pcieGen: 5, pcieWidth: 16 },
      ...{ computeCapability: '9.0', powerLimitW: 700, driver: '580.159.04' },
    });
  });
});
