/**
 * The wizard on a stand-in box that really boots, from the first screen to an exported report: new box by its address, layers 0
 * and 1 with their hardening, a held apt lock, a kill in the middle, both shells.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { Bench } from '../integration/bad-input/bench.ts';
import { JOBS } from '../integration/bad-input/jobs.ts';
import { Laptop } from '../integration/cli.ts';
import { Hands } from './hands.ts';
import { accessible, fillScreen, killApp, shot } from './looks.ts';
import { recordOf } from './record.ts';
import { openReport } from './report.ts';
import { boxShellWorks, laptopShellWorks } from './shells.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

/** The first box of a machine is built from packages. */
const RIG_MS = 600_000;
/** Both layers on a machine that is busy with other tests; about a minute on one that is not. */
const LAYERS_MS = 500_000;
const why = whyNoRig() ?? whyNoWindow();
const NAME = 'VC-0042';
const SUDO = 'window Sudo-passw0rd ünïcode';

describe.runIf(why === null)(`the wizard on a rig box${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let box: RigBox;
  let bundle: string;
  let open: OpenWindow;
  let releaseApt: (() => Promise<void>) | undefined;
  let h: Hands;
  const page = () => open.page;

  const start = async () => {
    open = await openApp(display, home);
    await fillScreen(open);
    h = new Hands(open.page);
  };

  beforeAll(async () => {
    box = await RigBox.start();
    display = await Display.open();
    home = mkdtempSync(join(tmpdir(), 'vault-cube-rig-window-'));
    bundle = join(mkdtempSync(join(tmpdir(), 'site-')), 'bundle');
    symlinkSync(box.bundle, bundle);
    await start();
  }, RIG_MS);

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    await box?.stop();
    rmSync(home, { recursive: true, force: true });
    rmSync(dirname(bundle), { recursive: true, force: true });
  });

  it('a new box is made by its name, profile and address', async () => {
    await page().getByText('No box is known to this laptop yet.').waitFor();
    await shot(page(), 'first-screen');
    await h.field('Name').fill('VC 0042');
    await page().getByText('Letters, digits, dot, dash and underscore.').waitFor();
    await accessible(page());
    await h.fillNewBox({ name: NAME, profile: /^Two H100/, host: box.host, user: box.user });
    await h.button('Begin').click();
    await page().getByRole('heading', { name: 'Connect', level: 2 }).waitFor();
    await page().getByText(`${box.user}@${box.host}`).waitFor();
  });

  it('Connect shows the host key as the console does, and is told it is the same', async () => {
    await h.field(`Password of ${box.user}`).fill(box.password);
    await shot(page(), 'connect');
    await h.button('Connect').click();
    const dialog = page().getByRole('dialog');
    await dialog.getByText(box.fingerprint()).waitFor();
    await accessible(page());
    await shot(page(), 'host-key');
    await h.button('It is the same: go on').click();
    await h.live();
    expect(await page().getByRole('main').innerText()).toContain(box.fingerprint());
    await accessible(page());
  });

  it('Preflight compares it with its profile, and says from then on that it is a stand-in', async () => {
    await h.next('Preflight');
    await h.button('Look at the box').click();
    await page().getByText('Compared with profile two-h100').waitFor();
    expect(await page().locator('[data-marking]').innerText()).toBe('STAND-IN');
    await accessible(page());
    await shot(page(), 'preflight');
  });

  it('Keys asks who keeps UID 1000, and leaves it where it is told to', async () => {
    await h.next('Keys');
    await h.field('New sudo password').fill(SUDO);
    await h.field('The same again').last().fill(SUDO);
    // Nothing is chosen for the engineer.
    const keep = page().getByRole('radio', { name: `Leave it with ${box.user}` });
    await keep.waitFor();
    expect(await h.button('Set up keys').isEnabled()).toBe(false);
    await accessible(page());
    await keep.check();
    await shot(page(), 'keys');
    await h.button('Set up keys').click();
    await page().getByText('vaultadmin, UID 1001').waitFor({ timeout: 60_000 });
    await h.live();
    expect((await box.run(['id', '-u', 'vaultadmin'])).stdout.trim()).toBe('1001');
    await accessible(page());
    await shot(page(), 'keys-proven');
  });

  it('Provision says that it waits while somebody holds the lock of apt', async () => {
    const bench = new Bench(box, new Laptop(home), NAME);
    releaseApt = await JOBS.find((row) => row.item === 'apt lock held')?.cause(bench);
    bench.end();
    await h.next('Provision');
    await h.field('Site bundle').fill(bundle);
    await page()
      .getByText(/^What will happen/)
      .waitFor();
    await page()
      .getByText(/^NVIDIA driver 580\.\d+\.\d+ \(/)
      .waitFor();
    await accessible(page());
    await shot(page(), 'provision-plan');
    // The other layers are given in tests/integration/all-layers.test.ts.
    await h.upToLayer(1);
    await h.button('Provision L0, L1').click();
    await page()
      .getByText(/Waiting for apt's lock: held by \S*python3/)
      .waitFor({ timeout: 60_000 });
    await accessible(page());
    await shot(page(), 'waiting');
  });

  it('a kill in the middle of it comes back to the same screen and job', async () => {
    await killApp(open);
    await start();
    await page().locator('#step-title', { hasText: 'Provision' }).waitFor();
    // Followed with the key alone; the next job needs the sudo password, which was in memory only.
    await h.live();
    await page()
      .getByText(/Waiting for apt's lock: held by \S*python3/)
      .waitFor();
    await releaseApt?.();
    await h.give(SUDO, 60_000);
    await page()
      .getByText(/^task \d+ of \d+/)
      .waitFor({ timeout: 60_000 });
    await shot(page(), 'provision');
  });

  it('a pulled cable is no failure: it says so, and goes on by itself', async () => {
    await box.cutLink('drop');
    await page()
      .getByText(/The job goes on on the box; what it does shows when the link is back\./)
      .waitFor({ timeout: 30_000 });
    await accessible(page());
    await shot(page(), 'link-lost');
    await box.restoreLink();
    await h.live();
    expect(await page().getByRole('alert').count()).toBe(0);
    await h.button('Cancel…').click();
    await page()
      .getByText(/^End ".+" on the box\?$/)
      .waitFor();
    await accessible(page());
    await shot(page(), 'cancel');
    await h.button('Keep it running').click();
  });

  it('the shells work while a layer is put on the box', async () => {
    await boxShellWorks(open, box);
    await shot(page(), 'terminal');
    await laptopShellWorks(open, home);
    await accessible(page());
    await page().keyboard.press('Control+Backquote');
  });

  it(
    'Provision ends with both layers healthy, the hardening confirmed by a login of its own',
    async () => {
      await h.passed('L1 Base system', LAYERS_MS);
      await h.passed('L0 Bootstrap');
      expect((await box.run(['sshd', '-T'])).stdout).toContain('\npasswordauthentication no\n');
      await accessible(page());
      await shot(page(), 'provision-done');
      await shot(page(), 'provision-done-dark', 'dark');
    },
    LAYERS_MS,
  );

  it('Validate runs T1 and draws what the GPUs did', async () => {
    await h.goTo('Validate');
    await h.field('Watch the GPUs after the last check').fill('4');
    await accessible(page());
    await h.button('Validate').click();
    await page()
      .getByRole('figure', { name: /^Core temperature: GPU 0 \d/ })
      .waitFor({ timeout: 60_000 });
    await h.button('Next: Report').and(page().locator(':enabled')).waitFor();
    await expect.poll(() => h.steps.innerText(), { timeout: 60_000 }).not.toMatch(/running/);
    await accessible(page());
    await shot(page(), 'validate');
    await shot(page(), 'validate-dark', 'dark');
  });

  it('Report is exported, and says what it is', async () => {
    await h.next('Report');
    await h.button('Make report').click();
    await page().getByText('The report is there.').waitFor();
    const main = await page().getByRole('main').innerText();
    const path = /\/\S*vault-cube-report-VC-0042-[\d-]+\.html/.exec(main)?.[0] ?? '';
    expect(existsSync(path), main).toBe(true);
    await accessible(page());
    const report = await openReport(open, path);
    // What goes across every page is for paper alone.
    await report.getByText('STAND-IN').filter({ visible: true }).first().waitFor();
    expect(await report.locator('h1').innerText()).toContain(NAME);
    await accessible(report);
    await shot(report, 'report-page');
    await report.close();
  });

  it('nothing was lost or doubled: one attempt a job, and the journal holds what the box wrote', () => {
    const { rows, wrong, compared } = recordOf(home, NAME, join(box.root, 'var/lib/vault-cube/jobs'));
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(200);
    expect(rows.filter((r) => r.attempt !== 1 || r.state !== 'passed').map((r) => r.title)).toEqual([]);
  });
});
