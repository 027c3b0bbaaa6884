/** The installed app: the deb, an ordinary user, the system's sandbox on, the practice journey from first screen to report. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractAll } from '@electron/asar';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packBoxCode } from '../../main/services/boxcode.ts';
import { FOLDER, InstalledApp, builtDeb, whyNotInstalled } from './installed.ts';
import { Journey } from './journey.ts';
import { Display } from './window.ts';

const why = whyNotInstalled();

describe.runIf(why === null)(`the installed app${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let app: InstalledApp;
  let page: Page;
  const journey = new Journey(() => page);

  beforeAll(async () => {
    display = await Display.open();
    app = new InstalledApp();
    app.install(builtDeb() ?? '');
  });

  afterAll(async () => {
    await app?.dispose();
    display?.close();
  });

  /** A filter on system calls, no privilege now or later, no other process and no network to be seen. */
  function expectSandbox(): void {
    const { main, pages } = app.parts();
    expect(pages.length).toBeGreaterThan(0);
    for (const { status, namespaces } of pages) {
      expect(status).toMatchObject({ Seccomp: '2', NoNewPrivs: '1', CapEff: '0000000000000000' });
      expect(namespaces.pid).not.toBe(main?.namespaces.pid);
      expect(namespaces.net).not.toBe(main?.namespaces.net);
    }
  }

  it('has its pages in the sandbox also where ordinary users may not make user namespaces', async () => {
    const helper = statSync(join(FOLDER, 'chrome-sandbox'));
    expect([helper.mode & 0o7777, helper.uid]).toEqual([0o4755, 0]);
    page = await app.start(display, '--disable-namespace-sandbox');
    await page.getByRole('heading', { name: 'Vault Cube Provisioner' }).waitFor();
    expectSandbox();
    expect(await app.close()).toBe(0);
  });

  it('starts as an ordinary user, by the command that the package brings', async () => {
    page = await app.start(display);
    await page.getByRole('heading', { name: 'Vault Cube Provisioner' }).waitFor();
    expect(page.url()).toBe('app://vault-cube/');
  });

  it('has its pages in the sandbox of the system', () => {
    expectSandbox();
    const switches = app.processes().flatMap((p) => p.args);
    expect(switches.filter((arg) => /^--(no|disable)-.*sandbox/.test(arg))).toEqual(['--no-zygote-sandbox']);
  });

  it('walks the practice journey to the end', async () => {
    await journey.begin();
    await journey.connect();
    await journey.preflight();
    await journey.keys();
    await journey.provision('L0');
    await journey.validate();
    const path = await journey.report();
    expect(readFileSync(path, 'utf8')).toContain('PRACTICE');
    expect(statSync(path).uid).toBe(app.uid);
    expect(path.startsWith(`${app.home}/`)).toBe(true);
  });

  it('put on the box exactly the code that is in the package', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vault-cube-asar-'));
    try {
      extractAll(join(FOLDER, 'resources/app.asar'), folder);
      const disk = join(app.home, '.local/share/vault-cube/practice/PRACTICE-1/disk.json');
      const { code } = JSON.parse(readFileSync(disk, 'utf8')) as { code: string[] };
      expect(code).toEqual([(await packBoxCode(folder)).sha256]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('has a shell of this laptop, as the same user', async () => {
    await page.getByRole('tab', { name: 'Terminal' }).click();
    await page.getByRole('radiogroup', { name: 'Whose shell' }).getByText('Laptop', { exact: true }).click();
    await page
      .getByRole('region', { name: /^Terminal: laptop/ })
      .locator('textarea')
      .focus();
    await page.keyboard.type('id -un >from-the-shell.new && mv from-the-shell.new from-the-shell');
    await page.keyboard.press('Enter');
    const path = join(app.home, 'from-the-shell');
    await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8')).toBe(`${app.user}\n`);
  });

  it('can be purged, and then nothing of it is left but what the user made', async () => {
    expect(await app.close()).toBe(0);
    expect(app.purge()).toEqual([]);
    expect(existsSync(join(app.home, '.local/share/vault-cube/journal.db'))).toBe(true);
  });
});
