/**
 * The path *flash over the network* in the real window, on a stand-in box that plays its live system: connected to, looked at, its disk
 * flashed with first-boot settings, closed in the middle and gone on with, then met as the system that was flashed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageManifest } from '../../preload/contract/image.ts';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import { BoxDisk } from '../integration/boxdisk.ts';
import { SEEDED, asSeeded, seedOn, seededImage } from '../integration/firstboot.ts';
import { Desk, proofOf } from '../integration/flash.ts';
import { Hands } from './hands.ts';
import { accessible, answerMessageBox, fillScreen, killApp, messageBoxes, shot } from './looks.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const RIG_MS = 600_000;
const why = whyNoRig() ?? whyNoWindow();
const NAME = 'VC-0042';
const SUDO = 'network Sudo 1';
const END = 'The last four characters of the serial';

/** With a manifest beside it, as the image of a factory has one. */
async function goldenImage(desk: Desk, layers: number[]): Promise<string> {
  const image = seededImage(desk, 'golden.raw');
  const { diskRoot } = proofOf(await desk.flash(image, desk.file('golden.out')));
  const manifest: ImageManifest = {
    ...{ v: 1, name: 'vault-cube-demo-box', version: '1.0', file: basename(image) },
    ...{ virtualSize: SEEDED.size, fileSha256: '0'.repeat(64), diskRoot, hash: 'sha256' },
    ...{ chunkBytes: 4 * 1024 * 1024, created: new Date().toISOString() },
    ...{ labels: ['GPU layers installed, not proven'], layers },
  };
  writeFileSync(join(dirname(image), 'manifest.json'), JSON.stringify(manifest));
  return image;
}

describe.runIf(why === null)(`a flash over the network${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let home: string;
  let box: RigBox;
  let desk: Desk;
  let disk: BoxDisk;
  let image: string;
  let open: OpenWindow;
  let h: Hands;
  const page = () => open.page;
  const main = () => page().getByRole('main');

  const start = async () => {
    open = await openApp(display, home);
    await fillScreen(open);
    h = new Hands(open.page);
  };
  const connect = async () => {
    await h.field(`Password of ${box.user}`).fill(box.password);
    await h.button('Connect').click();
  };
  /** Says what the list holds instead. */
  const oneDisk = async () => {
    await main()
      .getByText(/ can be flashed/)
      .waitFor({ timeout: 60_000 });
    expect(await main().innerText()).toContain('1 disk can be flashed.');
  };
  /** First-boot settings and the end of the serial, up to the first byte. */
  const erase = async (button: string) => {
    await h.field('Sudo password of vaultadmin').fill(SUDO);
    await h.field('The same again').last().fill(SUDO);
    await h.button(button).click();
    await h.field(END).fill('7f3a');
    await h.button(`Erase and write ${disk.model} …7F3A`).click();
  };

  beforeAll(async () => {
    box = await RigBox.start();
    display = await Display.open();
    home = mkdtempSync(join(tmpdir(), 'vault-cube-net-window-'));
    desk = new Desk();
    image = await goldenImage(desk, [0]);
    disk = await BoxDisk.plugIn(box, SEEDED.size);
    await start();
  }, RIG_MS);

  afterAll(async () => {
    if (open) await killApp(open);
    display?.close();
    disk?.unplug();
    await box?.stop();
    desk?.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('is a path of its own, which says how a box comes into a live system', async () => {
    await page().getByText('Flash over the network', { exact: true }).click();
    await page().getByRole('heading', { name: 'Bring the box into its live system' }).waitFor();
    await accessible(page());
    await shot(page(), 'net-new-box');
    await h.fillNewBox({ name: NAME, profile: /^Two H100/, host: box.host, user: box.user });
    await h.button('Begin').click();
    await page().getByRole('heading', { name: 'Connect', level: 2 }).waitFor();
    expect((await h.steps.innerText()).split('\n').filter((line) => /^[A-Z]\w+$/.test(line))).toEqual([
      ...['Connect', 'Preflight', 'Flash', 'Reconnect', 'Validate', 'Report'],
    ]);
    await connect();
    await page().getByRole('dialog').getByText(box.fingerprint()).waitFor();
    await h.button('It is the same: go on').click();
    await h.live();
    expect(await h.steps.innerText()).toMatch(/Flash\s+blocked[\s\S]*Reconnect\s+blocked/);
  });

  it('Preflight looks at the machine from its live system', async () => {
    await h.next('Preflight');
    await h.button('Look at the box').click();
    await page().getByText('Compared with profile two-h100').waitFor({ timeout: 60_000 });
  });

  it("Flash offers the box's own disks, and wants key and password for its seed", async () => {
    await h.next('Flash');
    await oneDisk();
    await h.field('Image').fill(image);
    await main().getByText('vault-cube-demo-box 1.0').waitFor();
    await page()
      .getByRole('radio', { name: new RegExp(`^${disk.model}`) })
      .click();
    expect(await h.button('What will be lost…').isDisabled()).toBe(true);
    await accessible(page());
    await shot(page(), 'net-flash-choose');
    await shot(page(), 'net-flash-choose-dark', 'dark');
  });

  it('closing the window meanwhile asks, says what it means, and the box waits to be fed on', async () => {
    await erase('What will be lost…');
    const held = (signal: 'STOP' | 'CONT') => box.run(['pkill', `-${signal}`, '-f', 'vcbox/__main__.py run']);
    // The box's end of it stands still: it cannot end before the window is closed.
    await until('the job', async () => (await held('STOP')).code === 0, 60_000);
    await page().locator('.phase').first().waitFor();
    await answerMessageBox(open, 0);
    await closeWindow();
    const [asked] = await messageBoxes(open);
    expect(asked?.message).toBe('A flash is on its way');
    expect(asked?.detail).toMatch(/The box keeps what it has and waits/);
    expect(page().isClosed()).toBe(false);
    await shot(page(), 'net-flash-running');
    await answerMessageBox(open, 1);
    const gone = new Promise((resolve) => open.app.process().once('exit', resolve));
    await closeWindow();
    await gone;
    await held('CONT');
    await start();
    await page().getByRole('heading', { name: 'Flash', level: 2 }).waitFor();
    await main().getByText('A flash waits on the box to be fed').waitFor();
    await accessible(page());
    await shot(page(), 'net-flash-waits');
  });

  it('the same flash goes on, and is verified', async () => {
    await h.goTo('Connect');
    await connect();
    await h.live();
    await h.goTo('Flash');
    await oneDisk();
    await erase('Go on with the flash…');
    await page()
      .getByRole('heading', { name: /is written and verified$/ })
      .waitFor({ timeout: 90_000 });
    expect(await main().innerText()).toMatch(/Read back[\s\S]+First-boot settings/i);
    await accessible(page());
    await shot(page(), 'net-flash-verified');
    expect(await h.steps.innerText()).toMatch(
      /Flash\s+done[\s\S]*Reconnect\s+ready[\s\S]*Validate\s+blocked/,
    );
  });

  it('Reconnect meets the new system by the host key that was written, and checks the layers that the image claims', async () => {
    const { user } = seedOn(disk.flushed());
    // A container starts from no disk: what cloud-init does with the seed is done here, and what the image has of layer 0 stands in for it.
    await asSeeded(box, user);
    await box.sh(`mkdir -p /opt/vault-cube/ansible/bin
      printf '#!/bin/sh\\necho "ansible [core 2.19.0]"\\n' >/opt/vault-cube/ansible/bin/ansible
      chmod 755 /opt/vault-cube/ansible/bin/ansible`);
    await h.next('Reconnect');
    await main().getByText('Take the stick out when its screen goes dark.').waitFor();
    await accessible(page());
    await shot(page(), 'net-reconnect');
    const boot = await box.bootId();
    await h.button('Reboot and meet it').click();
    await page().getByRole('dialog').getByText('take the stick of the live system out').waitFor();
    await h.button('Reboot now').click();
    await page()
      .getByRole('heading', { name: `${NAME} runs from its flashed disk` })
      .waitFor({ timeout: 90_000 });
    expect(await box.bootId()).not.toBe(boot);
    await main().getByText("The image's manifest claims L0.").waitFor();
    await h.passed('L0 Bootstrap', 60_000);
    await h.live();
    const said = await main().innerText();
    expect(said).toMatch(/Login with the key alone[\s\S]+proven[\s\S]+sudo password[\s\S]+proven/);
    expect(said).toMatch(/Host name[\s\S]+vc-0042/);
    await accessible(page());
    await shot(page(), 'net-met');
    await shot(page(), 'net-met-dark', 'dark');
    expect(await h.steps.innerText()).toMatch(
      /Preflight\s+done[\s\S]*Flash\s+done[\s\S]*Reconnect\s+done[\s\S]*Validate\s+ready/,
    );
  });

  it('the road goes on to Validate and a report', async () => {
    await h.next('Validate');
    await h.next('Report');
    await h.button('Make report').click();
    await page().getByText('The report is there.').waitFor();
  });

  /** As the person does it by the window's own button. */
  const closeWindow = () =>
    open.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
});
