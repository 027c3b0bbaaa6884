/** Golden images in the real window: orders, stages as they run and fail, cache, stop, closing, history, and a set that is verified. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecretKey } from '../../main/services/archive/minisign.ts';
import { Factory, whyNoBuild } from '../integration/image/project.ts';
import { NAME, makeSet } from '../integration/image/set.ts';
import { until } from '../rig/host.ts';
import { Hands } from './hands.ts';
import {
  accessible,
  answerMessageBox,
  answerPicker,
  fillScreen,
  messageBoxes,
  shot,
  shrink,
} from './looks.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow() ?? whyNoBuild();
const OTHER = 'ab'.repeat(32);
/** A stage's own limit: programs start slowly on a machine that does much else. */
const STAGE_MS = 120_000;

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe.runIf(why === null)(`golden images in the window${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let factory: Factory;
  let display: Display;
  let open: OpenWindow;
  let page: Page;
  let hands: Hands;
  let work: string;

  const stage = (id: string): Locator => page.locator(`section[data-part="${id}"]`);
  const state = (id: string, wanted: string): Promise<void> =>
    page.locator(`section[data-part="${id}"][data-state="${wanted}"]`).waitFor({ timeout: STAGE_MS });
  const builds = () => page.getByRole('navigation', { name: 'Builds' });
  const start = async () => {
    open = await openApp(display, join(dir, 'home'));
    ({ page } = open);
    hands = new Hands(page);
    await fillScreen(open);
  };
  /** QEMU of the stage that runs, by the file into which it writes its number. */
  const machine = async (): Promise<number> => {
    let pid = 0;
    await until(
      'QEMU',
      () => {
        const found = readdirSync(join(work, 'builds'), { recursive: true, encoding: 'utf8' }).filter((one) =>
          one.endsWith('qemu.pid'),
        );
        const [newest] = found
          .map((one) => Number(readFileSync(join(work, 'builds', one), 'utf8')))
          .filter(alive);
        pid = newest ?? 0;
        return pid > 0;
      },
      STAGE_MS,
    );
    return pid;
  };
  const fill = async (name: string, sha256: string) => {
    await hands.field('Disk image').last().fill(join(factory.dir, 'base.qcow2'));
    await hands.field('SHA-256 (optional)').fill(sha256);
    for (const layer of ['L1 Base system', 'L2 Driver stack', 'L3 GPU runtime', 'L4 AI frameworks'])
      await page.getByRole('checkbox', { name: layer }).uncheck();
    await hands.field('Name').fill(name);
    await hands.button('Show machine and folders').click();
    await page.getByText('Software', { exact: true }).click();
    await hands.field('Memory, MiB').fill('1024');
    await hands.field('Disk in the image').fill('2G');
    await hands.field('Work folder').fill(work);
    await hands.field('Project').fill(factory.project);
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vc-images-'));
    factory = new Factory();
    work = join(dir, 'work');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(factory.dir, 'base.qcow2'), '64M']);
    display = await Display.open();
    await start();
  });
  afterAll(async () => {
    await answerMessageBox(open, 1).catch(() => undefined);
    await open?.app.close();
    display?.close();
    factory?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is reached from the first screen, and refuses what cannot be built in the words of the command line', async () => {
    await hands.button('Golden images').click();
    await page.getByRole('heading', { name: 'New build' }).waitFor();
    await page.getByText('No image was built here yet.').waitFor();
    await accessible(page);
    await shot(page, 'images-new');
    expect(await hands.button('Build').isDisabled()).toBe(true);
    await fill('A box', 'abc');
    await page.getByText('The name "A box" is none of small letters, digits, dots and dashes.').waitFor();
    await page.getByText('SHA-256 wants 64 hexadecimal digits.').waitFor();
    expect(await hands.button('Build').isDisabled()).toBe(true);
    await accessible(page);
    await shot(page, 'images-faults', 'dark');
    await hands.field('Name').fill('box');
    await hands.field('SHA-256 (optional)').fill(OTHER);
    await hands.field('Disk image').last().fill(join(dir, 'nowhere.qcow2'));
    await hands.button('Build').click();
    await page
      .getByText(`No image can be built from this: there is no source ${join(dir, 'nowhere.qcow2')}.`)
      .waitFor();
    await hands.field('Disk image').last().fill(join(factory.dir, 'base.qcow2'));
  });

  it(
    'shows the stages as they run, and stops at the one that fails with its cause',
    { timeout: 2 * STAGE_MS },
    async () => {
      await hands.button('Build').click();
      await state('P1', 'running');
      await shot(page, 'images-running');
      await accessible(page);
      await state('P2', 'failed');
      const failed = stage('P2');
      await failed
        .getByText(/the checksum of .*base\.qcow2 is [0-9a-f]{64}, and (ab){32}/)
        .first()
        .waitFor();
      await failed.getByText(/or correct its SHA-256\. What was built before is untouched/).waitFor();
      for (const id of ['P3', 'P4', 'P5', 'P6'])
        expect(await stage(id).getAttribute('data-state')).toBe('not run');
      expect(await stage('P1').locator('.part-head').innerText()).toMatch(
        /P1 Pre-build validation\s+✓\s*passed[\s\S]*of ~2:00/,
      );
      await page.getByRole('button', { name: 'Show 6 checks of P1' }).click();
      await stage('P1')
        .locator('[data-check="p1_bundle"]')
        .locator('.check-value')
        .getByText('packages come from the sources')
        .waitFor();
      await page.getByRole('button', { name: 'Show log of P1' }).click();
      await stage('P1')
        .getByRole('log', { name: 'Log of P1' })
        .getByText(/ansible-lint/)
        .first()
        .waitFor();
      await accessible(page);
      await shot(page, 'images-failed');
      await shot(page, 'images-failed-dark', 'dark');
      await shrink(open);
      await accessible(page);
      await shot(page, 'images-narrow');
      await fillScreen(open);
      await builds()
        .getByRole('button', { name: /box-v1\.0.*failed in P2/ })
        .waitFor();
    },
  );

  it(
    'goes on with the stage that failed: what passed is from the cache and never called run',
    { timeout: 2 * STAGE_MS },
    async () => {
      await hands.button('Go on with P2').click();
      await state('P1', 'cached');
      await page
        .locator('section[data-part="P2"][data-state="failed"]')
        .getByText('attempt 2')
        .waitFor({ timeout: STAGE_MS });
      await stage('P1')
        .getByText(/^Not run again: this build made it from the same inputs in \d+:\d\d\.$/)
        .waitFor();
      await expect
        .poll(() =>
          builds()
            .getByRole('button', { name: /box-v1\.0/ })
            .count(),
        )
        .toBe(1);
    },
  );

  it('is stopped by a second press; Esc stops nothing', { timeout: 3 * STAGE_MS }, async () => {
    await hands.button('Build like this…').click();
    await page.getByRole('heading', { name: 'New build' }).waitFor();
    await hands.field('SHA-256 (optional)').fill('');
    await hands.button('Build').click();
    await state('P2', 'running');
    const pid = await machine();
    await shot(page, 'images-p2');
    await hands.button('Stop…').click();
    await page.keyboard.press('Escape');
    await page.getByText('Stop the build of box-v1.0?').waitFor({ state: 'hidden' });
    expect(alive(pid)).toBe(true);
    await hands.button('Stop…').click();
    await hands.button('Stop the build').click();
    await state('P2', 'cancelled');
    await hands.button('Go on with P2').waitFor();
    await until('the end of QEMU', () => !alive(pid), 30_000);
    expect(existsSync(join(work, 'lock'))).toBe(false);
    await shot(page, 'images-stopped');
  });

  it('closing asks, and ends the build as it says', { timeout: 3 * STAGE_MS }, async () => {
    await hands.button('Go on with P2').click();
    await state('P2', 'running');
    const pid = await machine();
    await hands.button('All boxes').click();
    await page.getByText(/The image box-v1\.0 is being built: P2 Base image\./).waitFor();
    await accessible(page);
    await shot(page, 'images-first-screen');
    const close = () => open.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await answerMessageBox(open, 0);
    await close();
    await until('the question', async () => (await messageBoxes(open)).length > 0, 10_000);
    expect(await messageBoxes(open)).toMatchObject([
      {
        message: 'An image is being built',
        detail:
          'The build of box-v1.0 is stopped in P2 Base image. Stages that have passed are kept; the same build, begun again, goes on with the one that was running.',
      },
    ]);
    expect(alive(pid)).toBe(true);
    await answerMessageBox(open, 1);
    const gone = new Promise((resolve) => open.app.process().once('exit', resolve));
    await close().catch(() => undefined);
    await gone;
    await until('the end of QEMU', () => !alive(pid), 60_000);
    await until('the end of the build', () => !existsSync(join(work, 'lock')), 60_000);
    await start();
    await hands.button('Golden images').click();
    await state('P2', 'lost');
    await stage('P2')
      .getByText('The building process ended before the build did: the app was closed.')
      .waitFor();
    expect(await stage('P1').getAttribute('data-state')).toBe('cached');
    await hands.button('Go on with P2').waitFor();
    await accessible(page);
    await shot(page, 'images-lost');
  });

  it('verifies a set and gives it to a flash', { timeout: STAGE_MS }, async () => {
    const key = newSecretKey();
    const set = join(dir, 'set');
    await makeSet(set, key);
    await builds().getByRole('button', { name: 'Verify a set' }).click();
    await shot(page, 'images-verify-empty');
    await answerPicker(open, set);
    await hands.button('Browse… Folder of the set').click();
    await hands.button('Verify').click();
    await page
      .getByText(/^vault-cube-demo-box 1\.0: whole, signed by a key that is not known here \(/)
      .waitFor();
    expect(await page.getByRole('region', { name: 'Result' }).getAttribute('data-outcome')).toBe(
      'incomplete',
    );
    await accessible(page);
    await shot(page, 'images-verified');
    writeFileSync(join(set, 'of-somebody'), 'x');
    await hands.button('Verify').click();
    await page.getByText('of-somebody is in the folder and not in the manifest.').waitFor();
    expect(await hands.button('Flash it…').isDisabled()).toBe(true);
    await shot(page, 'images-broken-set', 'dark');
    rmSync(join(set, 'of-somebody'));
    await hands.button('Verify').click();
    await hands.button('Flash it…').click();
    await page.getByText(/^It is flashed with vault-cube-demo-box 1\.0/).waitFor();
    await shot(page, 'images-flash');
    await hands.field('Name').fill('VC-0042');
    await hands.button('Begin').click();
    await page.getByRole('heading', { name: 'Flash', level: 2 }).waitFor();
    expect(await hands.field('Image').inputValue()).toBe(join(set, `${NAME}.qcow2`));
  });
});
