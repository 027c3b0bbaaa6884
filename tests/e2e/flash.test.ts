/**
 * A disk is flashed in the real window, by the real writing program, on a practice box: chosen, confirmed, stopped, loaded anew, killed and gone
 * on with, verified, and the way on to a report. The same by the keyboard alone. Of this machine's own disks only the list is looked at.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINUX, MIB, writeDisk } from '../unit/flash/partitions.ts';
import { Hands } from './hands.ts';
import { Keys } from './keys.ts';
import { accessible, answerPicker, fillScreen, killApp, shot } from './looks.ts';
import { tells } from './told.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();
const ERASE = 'Erase and write Practice disk …7F3A';
const END = 'The last four characters of the serial';
const NAME = 'PRACTICE-1';
/** Packing it takes a while on a machine that does other things as well. */
const IMAGE_MS = 180_000;

/** The writing program of this app, which is a child of it. */
function writerOf(app: number): number {
  const of = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch {
      return '';
    }
  };
  const writer = readdirSync('/proc')
    .filter((pid) => of(pid, 'cmdline').includes('vcflash'))
    .find((pid) => of(pid, 'status').includes(`\nPPid:\t${app}\n`));
  if (writer === undefined) throw new Error('no flash is written');
  return Number(writer);
}

/** Unpacked slowly enough to be held in the middle of it. */
function slowImage(dir: string): string {
  const raw = join(dir, 'slow.raw');
  const data = Array.from({ length: 8 }, (_, i) => ({ at: (8 + i * 56) * MIB, length: 8 * MIB, seed: i }));
  writeDisk(raw, { size: 480 * MIB, partitions: [{ type: LINUX, first: MIB, length: 470 * MIB }], data });
  const packed = `${raw}.gz`;
  writeFileSync(packed, gzipSync(readFileSync(raw), { level: 1 }));
  return packed;
}

describe.runIf(why === null)(`a flash in the window${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let dir: string;
  let slow: string;
  let open: OpenWindow;
  let h: Hands;
  const page = () => open.page;
  const home = () => join(dir, 'home');
  const disk = () => join(home(), 'practice', NAME, 'disk.img');
  const verified = (ms = 60_000) =>
    page()
      .getByRole('heading', { name: /is written and verified$/ })
      .waitFor({ timeout: ms });
  const phase = (title: string) =>
    page().locator('.phase[data-state="running"]', { hasText: title }).waitFor({ timeout: 60_000 });
  const main = () => page().getByRole('main');

  /** Does `act` while the writing program stands still, as behind a disk that does not answer. Up to half a minute is no error. */
  async function held(act: () => Promise<void>): Promise<void> {
    const writer = writerOf(open.app.process().pid ?? 0);
    process.kill(writer, 'SIGSTOP');
    try {
      await act();
    } finally {
      process.kill(writer, 'SIGCONT');
    }
  }

  const start = async () => {
    open = await openApp(display, home());
    await fillScreen(open);
    h = new Hands(open.page);
  };

  /** From the choice to the first byte. */
  const erase = async (button = 'What will be lost…') => {
    await h.button(button).click();
    await h.field(END).fill('7f3a');
    await h.button(ERASE).click();
  };

  beforeAll(async () => {
    display = await Display.open();
    dir = mkdtempSync(join(tmpdir(), 'vault-cube-window-flash-'));
    slow = slowImage(dir);
    await start();
  }, IMAGE_MS);

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('a new box is asked for its path first', async () => {
    await page().getByText('Flash a disk here', { exact: true }).click();
    await page().getByRole('heading', { name: 'What is needed' }).waitFor();
    await accessible(page());
    await h.button('Practice box').click();
    await page().getByRole('menuitem', { name: 'With its disk flashed first' }).click();
    await page().getByRole('heading', { name: 'Flash', level: 2 }).waitFor();
    await page().getByText('PRACTICE', { exact: true }).first().waitFor();
    expect(await h.steps.innerText()).toMatch(/^\S+\s+Flash\s+ready[\s\S]*Connect\s+blocked/);
  });

  it('the image and the disks are shown with all that decides', async () => {
    await main().getByText('Practice image 1.0').waitFor();
    await main().getByText('1 disk can be flashed.').waitFor();
    await accessible(page());
    const text = await main().innerText();
    expect(text).toContain("is the disk of this laptop's running system");
    expect(text).toContain('Use a larger disk, or an image that was made for this size.');
    expect(await h.button('What will be lost…').isDisabled()).toBe(true);
    await page()
      .getByRole('radio', { name: /^Practice disk/ })
      .click();
    await shot(page(), 'flash-choose');
  });

  it('a file that is no image is refused where it is chosen', async () => {
    const notes = join(dir, 'notes.txt');
    writeFileSync(notes, 'no disk\n'.repeat(1000));
    await answerPicker(open, notes);
    await h.button('Browse…').click();
    await tells(open, 'image_not_supported', /neither a partition table nor a boot sector/);
    await accessible(page());
    await answerPicker(open, slow);
    await h.button('Browse…').click();
    await main().getByText('how large, tells only the end of the file').waitFor();
    await main().getByText('nothing shows that the image is whole').waitFor();
  });

  it('what will be lost is shown, and nothing else than the end of the serial erases it', async () => {
    await h.button('What will be lost…').click();
    await page().getByRole('heading', { name: 'What will be lost' }).waitFor();
    expect(await main().innerText()).toMatch(/1 vfat "EFI"[\s\S]+2 ext4 "old-system"/);
    await h.field(END).fill('0000');
    await main().getByText('That is not the end of this serial.').waitFor();
    expect(await h.button(ERASE).isDisabled()).toBe(true);
    await accessible(page());
    await h.field(END).fill('7F3A');
    await accessible(page());
    await shot(page(), 'flash-confirm');
    await h.button(ERASE).click();
    await page().locator('.phase').first().waitFor();
  });

  it('is on its way; its rate falls while nothing moves, and a page that is loaded anew shows the same', async () => {
    await phase('Write');
    // Held before its first byte, it would have no rate.
    await expect.poll(() => main().innerText(), { timeout: 60_000 }).toMatch(/[1-9][\d.]* MB of [\d.]+ MB/);
    await held(async () => {
      await expect.poll(() => main().innerText()).toMatch(/MB of [\d.]+ MB · [\d.]+ .B\/s · about .+ left/);
      await shot(page(), 'flash-running');
      await expect.poll(() => main().innerText()).toMatch(/MB of [\d.]+ MB · 0 B\/s · remaining unknown/);
      await page().reload();
      await page().getByRole('heading', { name: 'Flash', level: 2 }).waitFor();
      await expect.poll(() => main().innerText()).toMatch(/MB of [\d.]+ MB · 0 B\/s · remaining unknown/);
    });
  });

  it('is stopped after a second press, and says what that means', async () => {
    await phase('Write');
    await held(async () => {
      await h.button('Cancel…').click();
      await accessible(page());
      await h.button('Stop the flash').click();
      await main()
        .getByText(/^Stopping\./)
        .waitFor();
    });
    await main()
      .getByText(/^The flash of Practice disk .+ was stopped/)
      .waitFor({ timeout: 30_000 });
    await main()
      .getByText('It starts no machine until a flash of it is finished', { exact: false })
      .waitFor();
    await accessible(page());
    // What starts a disk is written last.
    expect(
      readFileSync(disk())
        .subarray(0, 4096)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  it('a kill in the middle loses nothing: it goes on where it stood', async () => {
    await erase('Go on with the flash…');
    await phase('Write');
    await held(() => killApp(open));
    await start();
    await page().getByRole('heading', { name: 'Flash', level: 2 }).waitFor();
    await tells(open, 'flash_lost', /Practice disk/);
    await erase('Go on with the flash…');
    await verified(90_000);
    await accessible(page());
    expect(await main().innerText()).toMatch(/chunks of this image were written to this target before/);
    expect(readFileSync(disk()).equals(readFileSync(join(dir, 'slow.raw')))).toBe(true);
  });

  it('its own image has a manifest: the disk hash is compared, and Connect is open', async () => {
    await h.button('Flash again…').click();
    const image = h.field('Image');
    await image.fill(join(home(), 'practice', 'flash-image-2', 'vault-cube-practice.raw'));
    await main().getByText('Practice image 1.0').waitFor();
    await h.field('Tell the system its name, key and address').check();
    await h.field('Host name').fill('VC 42');
    await main().getByText('a host name has 1 to 63 small letters').waitFor();
    expect(await h.button('What will be lost…').isDisabled()).toBe(true);
    await h.field('Host name').fill('vc-0042');
    await main().getByText('One fixed address', { exact: true }).click();
    await h.field('Network card').fill('enp5s0');
    await h.field('Address with its network').fill('192.168.10.5/24');
    await h.field('Sudo password of vaultadmin').fill('a practice Sudo 1');
    await h.field('The same again').last().fill('a practice Sudo 1');
    await accessible(page());
    await shot(page(), 'flash-first-boot');
    await erase();
    await verified();
    expect(await main().innerText()).toMatch(/First-boot settings[\s\S]+vc-0042/i);
    expect(await main().innerText()).toMatch(/Disk hash[\s\S]+[0-9a-f]{64}[\s\S]+as manifest\.json says/);
    await shot(page(), 'flash-verified');
    await accessible(page());
  });

  it('the road goes on to a report that has the flash in it', async () => {
    await h.next('Connect');
    await h.connectPractice();
    await h.next('Preflight');
    await h.button('Look at the box').click();
    await page().getByText('passed with deviations').first().waitFor({ timeout: 60_000 });
    await h.goTo('Report');
    await h.button('Make report').click();
    await page().getByText('The report is there.').waitFor();
    const path = /\S+\.html/.exec(await main().innerText())?.[0] ?? '';
    expect(readFileSync(path, 'utf8')).toContain('Flash Practice disk');
  });

  it('the disks of this laptop are listed for a real box, each that is not offered with its reason', async () => {
    await page().keyboard.press('Control+K');
    await page().getByRole('option', { name: 'All boxes' }).click();
    await h.button('New box').click();
    await page().getByText('Flash a disk here', { exact: true }).click();
    await h.field('Name').fill('VC-0042');
    await h.button('Begin').click();
    await page().getByRole('heading', { name: 'Flash', level: 2 }).waitFor();
    await main()
      .getByText(/can be flashed|No disk is seen/)
      .or(page().getByRole('alert'))
      .first()
      .waitFor();
    await accessible(page());
  });

  it('the keyboard alone flashes a disk', async () => {
    const keys = new Keys(page);
    await keys.command('all boxes');
    await page().getByRole('heading', { name: 'Boxes on this laptop' }).waitFor();
    await keys.act('Practice box');
    await page().getByRole('menuitem', { name: 'With its disk flashed first' }).waitFor();
    await keys.to('With its disk flashed first', 'ArrowDown');
    await keys.press('Enter');
    await main().getByText('1 disk can be flashed.').waitFor();
    await keys.to(/^Practice disk/);
    await keys.press('Space');
    await keys.act('What will be lost…');
    await page().getByRole('heading', { name: 'What will be lost' }).waitFor();
    await expect.poll(async () => (await keys.focus()).name).toBe(END);
    await keys.type('7F3A');
    await keys.press('Enter');
    await verified();
    await keys.act('Next: Connect');
    await page().getByRole('heading', { name: 'Connect', level: 2 }).waitFor();
  });
});
