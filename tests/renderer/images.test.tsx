/** The page of golden images: an order, a build as it goes, from the cache, failed, built; a set that is verified. */
import { act, screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { NOT_PROVEN } from '../../preload/contract/image-build.ts';
import type { BuildRun, ImageDeskState, ImageSet, StageRun } from '../../preload/contract/image-desk.ts';
import type { ShownOrder } from '../../preload/contract/image-order.ts';
import { ImagesPage } from '../../renderer/images/ImagesPage.tsx';
import { useFrame } from '../../renderer/stores/frame.ts';
import { showBuild, useImages } from '../../renderer/stores/images.ts';
import { FakeMain, linesOf } from './main.ts';
import { put } from './page.tsx';

const BUILD = '6a0d36a1-41d4-4ac5-8b3f-9d0b8f8a0a01';
const OLD = '6a0d36a1-41d4-4ac5-8b3f-9d0b8f8a0a02';
const JOB = '0c27a8cf-35bb-4c5e-9c1f-0a5d6f5b1c01';

const ORDER: ShownOrder = {
  ...{ source: { kind: 'disk', path: '/images/noble.qcow2', sha256: null }, profile: 'vault-cube' },
  ...{ layers: [1, 2, 5], bundle: null, name: 'box', version: '1.0', work: '/w', out: '/w/sets/box-v1.0' },
  ...{
    project: '/p',
    signerId: null,
    accel: 'tcg',
    memoryMiB: 1024,
    cpus: 2,
    diskSize: '2G',
    secondRun: true,
  },
};

const stage = (more: Partial<StageRun> = {}): StageRun => ({
  ...{ stage: 'P1', title: 'Pre-build validation', nominalSeconds: 120, attempt: 1, job: JOB },
  ...{ createdAt: '2026-11-29T12:00:00.000Z', state: 'passed', seconds: 23, detail: null, nextAction: null },
  ...{ error: null, outcome: 'passed', evidence: 'real', cache: null },
  checks: { passed: 1, failed: 0, notRun: 0 },
  ...more,
});

const build = (more: Partial<BuildRun> = {}): BuildRun => ({
  ...{ build: BUILD, image: 'box-v1.0', work: '/w', createdAt: '2026-11-29T12:00:00.000Z', state: 'failed' },
  ...{
    outcome: null,
    seconds: 23,
    evidence: 'real',
    goesOnWith: 'P2',
    labels: ['layers 1, 2, 5'],
    order: ORDER,
  },
  stages: [stage()],
  ...more,
});

const state = (more: Partial<ImageDeskState> = {}): ImageDeskState => ({
  ...{ whyNot: null, root: 'plain', running: null, error: null, builds: [] },
  defaults: {
    ...{ name: 'vault-cube-demo-box', version: '1.0', layers: [1, 2, 3, 4, 5], profile: 'vault-cube' },
    ...{ memoryMiB: 4096, cpus: 4, diskSize: '46G', work: '/home/kim/images', project: '/product' },
  },
  ...more,
});

const event = (seq: number, kind: string, body: Record<string, unknown>): string =>
  JSON.stringify({
    ...{ v: 1, job: JOB, attempt: 1, seq, boot: 'b', mono: seq, t: '2026-11-29T12:00:00.000Z', kind },
    ...{ prev: 'a'.repeat(64), evidence: 'real', ...body },
  });
const check = (id: string, verdict: string, value: string | null, reason: string | null) => ({
  check: {
    ...{ id, title: `Check ${id}`, layer: null, suite: null, verdict, value, unit: null, threshold: null },
    ...{ source: null, reason, nextAction: null, evidence: null, seconds: 0.1 },
  },
});
const LOG = [
  event(1, 'started', {
    ...{ jobKind: 'image', title: 'P1', specSha256: 'b'.repeat(64), runner: '1', pid: 1 },
    laptop: { name: 'a', user: 'b' },
  }),
  event(2, 'step', {
    id: 'P1',
    title: 'Pre-build validation',
    state: 'begin',
    watchdog: null,
    nominalSeconds: 120,
  }),
  event(3, 'log', { step: 'P1', stream: 'stdout', text: 'packer says hello' }),
  event(4, 'check', check('one', 'pass', 'all there', null)),
  event(5, 'check', check('gpu', 'not_run', null, 'there is no GPU in an image build')),
];

async function page(images: ImageDeskState, main = new FakeMain()) {
  main
    .answer('image.state', () => images)
    .answer('profiles.list', () => [{ id: 'vault-cube', title: 'Vault Cube' }])
    .answer('job.lines', (order) => linesOf(LOG, order));
  useImages.setState(useImages.getInitialState(), true);
  if (images.builds[0]) showBuild(images.builds[0].build);
  return { ...(await put(<ImagesPage />, main)), main };
}
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const card = (name: RegExp) => screen.getByRole('region', { name });

describe('a new build', () => {
  it('begins with what the command line begins with, and sends what was entered', async () => {
    const { user, main } = await page(state());
    screen.getByText('No image was built here yet.');
    expect(button('Build')).toHaveProperty('disabled', true);
    main.answer('image.build', () =>
      state({ running: { image: 'x', since: '', stopping: false, build: null } }),
    );
    await user.click(screen.getByRole('textbox', { name: 'Disk image' }));
    await user.paste(' /images/noble.qcow2 ');
    await user.click(screen.getByRole('checkbox', { name: 'L4 AI frameworks' }));
    await user.click(button('Build'));
    expect(main.of('image.build')).toEqual([
      {
        ...{ source: { kind: 'disk', path: '/images/noble.qcow2', sha256: null }, profile: 'vault-cube' },
        ...{ layers: [1, 2, 3, 5], bundle: null, name: 'vault-cube-demo-box', version: '1.0', accel: 'auto' },
        ...{
          memoryMiB: 4096,
          cpus: 4,
          diskSize: '46G',
          secondRun: true,
          work: null,
          out: null,
          project: null,
        },
        sign: null,
      },
    ]);
    screen.getByText(/^Preparing the build of x/);
    expect(button('Build')).toHaveProperty('disabled', true);
  });

  it('says what is wrong with a field, and what main refuses', async () => {
    const { user, main } = await page(state());
    main.refuse('image.build', 'image_order_bad', { detail: 'there is no source /x.' });
    await user.click(screen.getByRole('textbox', { name: 'Disk image' }));
    await user.paste('/x');
    await user.click(screen.getByLabelText('Name'));
    await user.paste(' A');
    screen.getByText('The name "vault-cube-demo-box A" is none of small letters, digits, dots and dashes.');
    expect(button('Build')).toHaveProperty('disabled', true);
    await user.clear(screen.getByLabelText('Name'));
    await user.paste('box');
    await user.click(button('Build'));
    screen.getByText('No image can be built from this: there is no source /x.');
    screen.getByText('Correct what is named.');
  });

  it('where none can be built says why; sets are verified all the same', async () => {
    await page(state({ whyNot: 'Images are built on Linux.' }));
    screen.getByText('No image can be built here: Images are built on Linux.');
    button('Verify a set');
  });
});

describe('a build', () => {
  it('shows stages as they go: what runs, what waits, the newest line, checks with reasons', async () => {
    const running = build({
      ...{ state: 'running', goesOnWith: null },
      stages: [stage({ state: 'running', seconds: null, outcome: null })],
    });
    const mine = { image: 'box-v1.0', since: '', stopping: false, build: BUILD };
    const { user, main } = await page(state({ builds: [running], running: mine }));
    expect(card(/^P1/).dataset['state']).toBe('running');
    expect(card(/^P4/).dataset['state']).toBe('waits');
    within(card(/^P1/)).getByText('packer says hello');
    await user.click(button('Show 2 checks of P1'));
    within(card(/^P1/)).getByText('there is no GPU in an image build', { selector: '.check-value' });
    within(card(/^P1/)).getByText('1 passed, 1 not run');
    // What main tells next is shown next.
    act(() =>
      main.tell('lines', {
        ...{ session: 'laptop', job: JOB, attempt: 1 },
        lines: [event(6, 'log', { step: 'P1', stream: 'stdout', text: 'and one more' })],
      }),
    );
    within(card(/^P1/)).getByText('and one more');
    main.answer('image.stop', () => undefined);
    await user.click(button('Stop…'));
    await user.keyboard('{Escape}');
    expect(main.of('image.stop')).toEqual([]);
    await user.click(button('Stop…'));
    await user.click(button('Stop the build'));
    expect(main.of('image.stop')).toHaveLength(1);
    act(() => main.tell('image', state({ builds: [running], running: { ...mine, stopping: true } })));
    screen.getByText('Stopping. Packer ends its machine first.');
  });

  it('from the cache is never called run, and leads to the build that made it', async () => {
    const cache = { build: OLD, seconds: 23, outcome: 'passed' as const };
    const old = build({ build: OLD, createdAt: '2026-11-28T12:00:00.000Z', image: 'old-v1.0' });
    const { user } = await page(state({ builds: [build({ stages: [stage({ cache, seconds: 0 })] }), old] }));
    const p1 = card(/^P1/);
    expect(p1.dataset['state']).toBe('cached');
    within(p1).getByText('from the cache');
    within(p1).getByText(/^Not run: the build of .* made it from the same inputs in 0:23\.$/);
    expect(within(p1).queryByText('passed')).toBeNull();
    await user.click(button('Open that build'));
    screen.getByRole('heading', { name: 'old-v1.0' });
  });

  it('that failed says why and goes on with that stage, by the same order', async () => {
    const error = {
      ...{
        code: 'image_stage_failed' as const,
        message: 'Stage P2 (Base image) of the image failed: no room.',
      },
      ...{ nextAction: 'Make room in the work folder.', retryable: true, exit: 8, detail: null },
    };
    const failed = stage({
      stage: 'P2',
      title: 'Base image',
      state: 'failed',
      outcome: null,
      error,
      attempt: 2,
    });
    const { user, main } = await page(state({ builds: [build({ stages: [stage(), failed] })] }));
    within(card(/^P2/)).getByText('Stage P2 (Base image) of the image failed: no room.');
    within(card(/^P2/)).getByText('Make room in the work folder.');
    within(card(/^P2/)).getByText('attempt 2');
    for (const id of [/^P3/, /^P4/, /^P5/, /^P6/]) expect(card(id).dataset['state']).toBe('not run');
    main.answer('image.build', () => state());
    await user.click(button('Go on with P2'));
    const { signerId: _, ...same } = ORDER;
    expect(main.of('image.build')).toEqual([{ ...same, sign: null }]);
  });

  it('that is signed wants its key again before it goes on', async () => {
    const signed = build({ order: { ...ORDER, signerId: '43D0BC47015187C1' } });
    const { user, main } = await page(state({ builds: [signed] }));
    await user.click(button('Go on with P2…'));
    expect(screen.getByRole('checkbox', { name: 'Sign the set' })).toHaveProperty('checked', true);
    expect(screen.getByRole('textbox', { name: 'Disk image' })).toHaveProperty(
      'value',
      '/images/noble.qcow2',
    );
    expect(button('Build')).toHaveProperty('disabled', true);
    expect(main.of('image.build')).toEqual([]);
  });

  it('that is built shows its labels, stand-in evidence and its set, which goes to a flash', async () => {
    const long = `/w/${'long-folder-name-'.repeat(12)}`;
    const set: ImageSet = {
      ...{
        dir: long,
        image: `${long}/box-v1.0.qcow2`,
        name: 'box',
        version: '1.0',
        created: '',
        build: BUILD,
      },
      ...{ labels: [NOT_PROVEN], evidence: 'stand-in', virtualSize: 2e9 },
      files: [{ file: 'box-v1.0.qcow2', bytes: 1.5e9 }],
    };
    const labels = ['layers 1, 2, 5', NOT_PROVEN, 'stand-in'];
    const made = build({
      ...{ state: 'built', goesOnWith: null, outcome: 'incomplete', labels, evidence: 'stand-in' },
      stages: [stage({ evidence: 'stand-in' }), stage({ stage: 'P6', title: 'Artefacts' })],
    });
    const main = new FakeMain().answer('image.set', () => set).answer('boxes.list', () => []);
    main.answer('practice.faults', () => []);
    const { user } = await page(state({ builds: [made] }), main);
    screen.getByText(NOT_PROVEN);
    expect(document.querySelector('[data-marking="STAND-IN"]')).not.toBeNull();
    await screen.findByText('1.5 GB');
    screen.getByText(long);
    await user.click(button('Flash it…'));
    expect(useFrame.getState()).toMatchObject({ page: null, flashWith: { image: set.image } });
  });
});
