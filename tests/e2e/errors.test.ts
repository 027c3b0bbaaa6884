/**
 * Every family of errors, reached in the window as an engineer runs into it: what happened and what to do now stand there, the
 * detail is folded, nothing that was entered is lost. What causes them is what the command line's table of bad input does.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../../main/journal/journal.ts';
import { newSession } from '../../main/services/sessions.ts';
import { Bench, penaltiesOff, smallDisk } from '../integration/bad-input/bench.ts';
import { PASSPHRASE } from '../integration/bad-input/keyfiles.ts';
import type { Item } from '../integration/bad-input/row.ts';
import { FIRST_CONTACT } from '../integration/bad-input/table.ts';
import { Laptop } from '../integration/cli.ts';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { Hands } from './hands.ts';
import { accessible, answerPicker, fillScreen, shot } from './looks.ts';
import { tells } from './told.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

/** The first box of a machine is built from packages. */
const RIG_MS = 600_000;
const why = whyNoRig() ?? whyNoWindow();
const OWN = 'VC-OWN';
const NAME = 'VC-0042';

/** Here sshd is restarted faster than systemd allows elsewhere. */
function setup(root: string): void {
  penaltiesOff(root);
  const dir = join(root, 'etc/systemd/system/ssh.service.d');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'rows.conf'), '[Unit]\nStartLimitIntervalSec=0\n');
}

describe.runIf(why === null)(`errors in the window${why ? ` (not run: ${why})` : ''}`, () => {
  let display: Display;
  let box: RigBox;
  let bench: Bench;
  let unmount: (() => void) | undefined;
  let open: OpenWindow;
  let h: Hands;
  const page = () => open.page;
  const password = () => h.field(`Password of ${box.user}`);

  const start = async () => {
    open = await openApp(display, bench.laptop.home);
    await fillScreen(open);
    h = new Hands(open.page);
  };

  /** Does what the command line's row of this name does, for as long as `act` takes. */
  const under = async (item: Item, which: string | undefined, act: () => Promise<void>): Promise<void> => {
    const row = FIRST_CONTACT.find((r) => r.item === item && r.which === which);
    if (!row) throw new Error(`the table has no row for ${item}`);
    const undo = await row.cause(bench);
    try {
      await act();
    } finally {
      await undo();
    }
  };

  beforeAll(async () => {
    box = await RigBox.start({ setup });
    display = await Display.open();
    const laptop = new Laptop(mkdtempSync(join(tmpdir(), 'vault-cube-errors-')));
    bench = new Bench(box, laptop, NAME);
    unmount = smallDisk(laptop.home, '64m');
    // A box whose profile is a file of the engineer's own.
    const journal = Journal.open(join(laptop.home, 'journal.db'));
    const { host, port, user } = box;
    const profile = bench.file('profile.json');
    journal.saveSession(newSession({ name: OWN, profile, address: { host, port }, user }));
    journal.close();
    await start();
  }, RIG_MS);

  afterAll(async () => {
    await open?.app.close();
    display?.close();
    unmount?.();
    bench?.end();
    bench?.laptop.remove();
    await box?.stop();
  });

  it.each([
    ['profile truncated', 'profile_truncated', /profile\.json/],
    ['profile of a newer version', 'profile_newer', /format 99/],
  ] as const)('%s', async (item, code, says) => {
    await under(item, undefined, async () => {
      const card = h.button(`Open ${OWN}`);
      await card.or(h.button('Change…')).or(h.button('Save')).waitFor();
      if (await card.isVisible()) await card.click();
      const change = h.button('Change…');
      if (!(await h.button('Save').isVisible())) await change.click();
      await h.field('Port').fill('2222');
      await h.button('Save').click();
      await tells(open, code, says);
      expect(await h.field('Port').inputValue()).toBe('2222');
    });
  });

  it('a name that another box has', async () => {
    await accessible(page());
    await page().keyboard.press('Control+K');
    await page().getByRole('option', { name: 'All boxes' }).click();
    await h.button('New box').click();
    const fields = { name: OWN, profile: /^Two H100/, host: box.host, user: box.user };
    await h.fillNewBox(fields);
    await h.button('Begin').click();
    await tells(open, 'box_name_taken', /VC-OWN/);
    await accessible(page());
    expect(await h.field('Address').inputValue()).toBe(box.host);
    await h.field('Name').fill(NAME);
    await h.button('Begin').click();
    await page().getByRole('heading', { name: 'Connect', level: 2 }).waitFor();
  });

  it('unknown host', async () => {
    await h.changeAddress('no-such-box.invalid');
    await password().fill('not the Passw0rd');
    await h.button('Connect').click();
    await tells(open, 'host_unknown', /no-such-box\.invalid/);
    await accessible(page());
    expect(await password().inputValue()).toBe('not the Passw0rd');
    await h.changeAddress(box.host);
  });

  it.each([
    ['refused port', 'port_refused'],
    ['not SSH', 'not_ssh'],
  ] as const)('%s', async (item, code) => {
    await under(item, undefined, async () => {
      await h.button('Connect').click();
      await tells(open, code);
      expect(await password().inputValue()).toBe('not the Passw0rd');
    });
  });

  it('wrong password, once the host key is compared', async () => {
    await h.button('Connect').click();
    await h.button('It differs: stop').click();
    await tells(open, 'host_key_unconfirmed', new RegExp(box.fingerprint().replace(/[+/]/g, '\\$&')));
    await h.button('Connect').click();
    await h.button('It is the same: go on').click();
    await tells(open, 'login_password_wrong', /installer/);
    await shot(page(), 'error-password');
    expect(await password().inputValue()).toBe('not the Passw0rd');
  });

  it.each([
    ['password login off', 'login_password_off', /publickey/],
    ['forced password change', 'login_password_expired', /installer/],
    ['noisy shell rc', 'login_shell_noisy', /Welcome to the lab/],
  ] as const)('%s', async (item, code, says) => {
    await under(item, undefined, async () => {
      await password().fill(box.password);
      await h.button('Connect').click();
      await tells(open, code, says);
    });
  });

  it('another host key', async () => {
    const pinned = box.fingerprint();
    const key = '/etc/ssh/ssh_host_ed25519_key';
    await bench.sh(`mkdir /root/first && mv ${key} ${key}.pub /root/first
ssh-keygen -q -t ed25519 -N '' -f ${key} && systemctl restart ssh`);
    await h.button('Connect').click();
    await page().getByText('Which of these is it?').waitFor();
    await tells(
      open,
      'host_key_changed',
      /Nothing was sent to it/,
      page().getByRole('alert').first().locator('..'),
    );
    const text = await page().getByRole('main').innerText();
    expect(text).toContain(pinned);
    expect(text).toContain(box.fingerprint());
    await accessible(page());
    await shot(page(), 'host-key-changed');
    await bench.sh(`mv /root/first/* /etc/ssh/ && systemctl restart ssh`);
  });

  it.each([
    ['key file missing', 'key_missing', ''],
    ['key file not a key', 'key_not_a_key', ''],
    ['key file world-readable', 'key_world_readable', ''],
    ['key file RSA 1024', 'key_too_weak', ''],
    ['key file wrong passphrase', 'key_passphrase_wrong', 'wrong Passphrase'],
  ] as const)('%s', async (item, code, passphrase) => {
    const which = item === 'key file not a key' ? 'the public half' : undefined;
    await under(item, which, async () => {
      await page().getByText('Key file', { exact: true }).click();
      await h.field('Private key').fill(bench.file('key'));
      await h.field('Passphrase of the key').fill(passphrase);
      await h.button('Connect').click();
      await tells(open, code);
      expect(await h.field('Private key').inputValue()).toBe(bench.file('key'));
    });
  });

  it('the right passphrase then connects, also after the app was closed: passwords are forgotten then', async () => {
    await accessible(page());
    await open.app.close();
    await start();
    await page().getByText('Key file', { exact: true }).click();
    await h.field('Private key').fill(bench.file('key'));
    await h.field('Passphrase of the key').fill(PASSPHRASE);
    await h.button('Connect').click();
    await h.live();
    await h.next('Preflight');
  });

  it('wrong sudo password', async () => {
    await h.button('Look at the box').click();
    await accessible(page());
    await h.give('not the Sudo-passw0rd');
    await tells(open, 'sudo_password_wrong', /installer/);
  });

  it('no python3', async () => {
    await under('no python3', undefined, async () => {
      await h.button('Look at the box').click();
      // Asked again: a password that was refused is not kept.
      await h.give(box.password);
      await tells(open, 'python_missing');
      await accessible(page());
    });
  });

  it('a clock in 1970, which nobody may set', async () => {
    await under('clock at 1970', undefined, async () => {
      await h.button('Look at the box').click();
      await page().getByRole('heading', { name: '1 blocker' }).waitFor();
      const blocker = await page().getByRole('region', { name: '1 blocker' }).innerText();
      expect(blocker).toMatch(/5\d years behind/);
      await accessible(page());
      await shot(page(), 'blocker');
      await h.button('Set clock from this laptop').click();
      await tells(open, 'clock_not_set', /Operation not permitted/);
    });
    await h.button('Look at the box').or(h.button('Look again')).click();
    await page().getByText('passed with deviations').first().waitFor();
  });

  it('laptop disk full', async () => {
    await under('laptop disk full', 'before anything is begun', async () => {
      await h.button('Look again').click();
      await tells(open, 'laptop_disk_full');
    });
    await h.button('Look again').click();
    await page().locator('button[data-loading="true"]').waitFor({ state: 'detached' });
    expect(await page().getByRole('alert').count()).toBe(0);
  });

  /** What needs no writing in the journal. */
  const lookAndReport = async () => {
    const card = h.button(`Open ${NAME}`);
    await card.or(h.steps).first().waitFor();
    if (await card.isVisible()) await card.click();
    await h.goTo('Preflight');
    await page().getByText('Compared with profile two-h100').waitFor();
    await h.goTo('Report');
    await answerPicker(open, bench.files);
    await h.button('Another folder…').click();
    await page().getByRole('main').getByText(bench.files).waitFor();
    await h.button('Make report').click();
    await page().getByText('The report is there.').waitFor();
    await accessible(page());
  };

  it.each([
    ['journal read-only', 'journal_readonly', /journal\.db/],
    ['journal of a newer version', 'journal_newer', /format 99, this one knows/],
  ] as const)('%s: what is recorded can be looked at, and a report made of it', async (item, code, says) => {
    await open.app.close();
    await under(item, undefined, async () => {
      try {
        await start();
        await tells(open, code, says);
        await lookAndReport();
      } finally {
        await open.app.close();
      }
    });
    await start();
    await page().getByText(NAME).first().waitFor();
    expect(await page().getByRole('alert').count()).toBe(0);
  });
});
