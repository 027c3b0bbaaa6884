/** The page that verifies without the app, in Chromium without a network: the same answers as `vault-cube verify`. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../../main/journal/journal.ts';
import { makeArchive, WITHOUT_PDF } from '../../main/services/archive.ts';
import { newSecretKey, publicKeyFile } from '../../main/services/archive/minisign.ts';
import { verifyArchive } from '../../main/services/verify.ts';
import { writeVerifyPage } from '../../main/services/verifypage.ts';
import { verdictOf, verdictSentence } from '../../preload/contract/verification.ts';
import { WORDS } from '../../resources/verify/words.ts';
import { edited } from '../unit/archive/desk.ts';
import { boxSession, plans, play } from '../unit/report/box.ts';
import { openReport } from './report.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();
const KIM = newSecretKey();
const LEE = newSecretKey();
const TRUSTED = [{ name: 'Kim', key: KIM, from: 'imported' as const }];

describe.runIf(why === null)(`the page that verifies${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let display: Display;
  let open: OpenWindow;
  let page: Page;
  /** Of the page: what the same version made is held against what it would make. */
  let version: string;
  let good: { zip: Buffer; signature: Buffer };
  const asked: string[] = [];
  const told: string[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vault-cube-page-'));
    writeVerifyPage(join(dir, 'verify.html'), TRUSTED);
    const built = readFileSync(join(dir, 'verify.html'), 'utf8');
    version = /"(\d+\.\d+\.\d+\+[0-9a-f]{12})"/.exec(built)?.[1] ?? '';
    const journal = Journal.open(join(dir, 'journal.db'));
    const session = boxSession();
    journal.saveSession(session);
    for (const plan of plans()) play(journal, session, plan);
    const order = { appVersion: version, key: KIM, print: WITHOUT_PDF };
    const made = await makeArchive(journal, session.id, dir, order);
    journal.close();
    good = { zip: readFileSync(made.zip), signature: readFileSync(`${made.zip}.minisig`) };
    display = await Display.open();
    open = await openApp(display, join(dir, 'home'));
    // The app has begun: what is asked of it before may be forgotten.
    await open.page.getByRole('heading').first().waitFor();
    page = await openReport(open, join(dir, 'verify.html'));
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => void (message.type() === 'error' && told.push(message.text())));
    await page.context().setOffline(true);
    await page.reload();
  });
  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** What the page says of the files, and what the command says. */
  async function both(path: string, signed = true) {
    const files = signed ? [path, `${path}.minisig`] : [path];
    await page.evaluate(`delete document.getElementById('result').dataset.verdict`);
    await page.locator('#files').setInputFiles(files);
    await page.locator('#result[data-verdict]').waitFor();
    const list = (title: string) =>
      page.locator(`#result h2:text-is("${title}") + ul > li`).allTextContents();
    const command = verifyArchive(path, { trusted: TRUSTED, version });
    return {
      page: {
        verdict: await page.locator('#result').getAttribute('data-verdict'),
        sentence: await page.locator('#result .verdict span:not(.icon)').textContent(),
        problems: await list('What is wrong'),
        missing: await list('What is missing'),
        notes: await list('What could not be looked at'),
      },
      command: {
        verdict: verdictOf(command),
        sentence: verdictSentence(command),
        problems: command.problems,
        missing: command.report?.missing ?? [],
        notes: command.notes,
      },
    };
  }

  async function archive(name: string, change: (path: string) => unknown = () => undefined): Promise<string> {
    const path = join(dir, `${name}.zip`);
    writeFileSync(path, good.zip);
    writeFileSync(`${path}.minisig`, good.signature);
    await change(path);
    return path;
  }

  const turned = (path: string, at: number) => {
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  const lines = (files: Map<string, Buffer>, change: (all: string[]) => string[]) => {
    const name = [...files.keys()].find((n) => /^attempts\/0001.*events\.jsonl$/.test(n)) ?? '';
    const all = (files.get(name) ?? Buffer.alloc(0)).toString('utf8').trimEnd().split('\n');
    files.set(name, Buffer.from(`${change(all).join('\n')}\n`));
  };
  const within = (path: string, name: string, from: string, to: string) =>
    edited(
      path,
      (files) => {
        const text = (files.get(name) ?? Buffer.alloc(0)).toString('utf8');
        expect(text).toContain(from);
        files.set(name, Buffer.from(text.replace(from, to)));
      },
      KIM,
    );

  it('says of a good one that it is intact, by whom, and complete', async () => {
    const found = await both(await archive('good'));
    expect(found.page).toEqual(found.command);
    expect(found.page.sentence).toBe('Intact, signed by Kim, complete.');
    expect(version).not.toBe('');
    const shots = process.env['SHOTS'];
    if (shots) await page.screenshot({ path: join(shots, 'verify-page.png'), fullPage: true });
  });

  it.each<[string, (path: string) => unknown]>([
    ['a byte in the middle', (path) => turned(path, good.zip.length >> 1)],
    ['a byte of the list of files', (path) => turned(path, good.zip.length - 40)],
    ['cut short', (path) => writeFileSync(path, good.zip.subarray(0, -1))],
    [
      'the signature',
      (path) =>
        writeFileSync(
          `${path}.minisig`,
          good.signature
            .toString()
            .replace(/(trusted comment: .)/, '$1x')
            .replace('timestamp:', 'timestamp:1'),
        ),
    ],
    [
      'an event left out, signed anew',
      (path) => edited(path, (f) => lines(f, (all) => all.toSpliced(1, 1)), KIM),
    ],
    [
      'events in another order, signed anew',
      (path) => edited(path, (f) => lines(f, ([a = '', b = '', ...more]) => [b, a, ...more]), KIM),
    ],
    [
      'the outcome in report.json, signed anew',
      (path) => within(path, 'report.json', '"outcome":"passed"', '"outcome":"failed"'),
    ],
    ['a word on the page, signed anew', (path) => within(path, 'report.html', '<h1>VC-0042', '<h1>VC-0043')],
    [
      'a telemetry value, signed anew',
      (path) =>
        edited(
          path,
          (f) => {
            const [name, csv] = [...f].find(([n]) => n.startsWith('telemetry/')) ?? ['', Buffer.alloc(0)];
            f.set(name, Buffer.concat([csv, Buffer.from('9\n')]));
          },
          KIM,
        ),
    ],
  ])('finds what the command finds: %s', async (name, change) => {
    const found = await both(await archive(name.replaceAll(/\W+/g, '-'), change));
    expect(found.page).toEqual(found.command);
    expect(found.page.verdict).toBe('changed');
    expect(found.page.problems.length).toBeGreaterThan(0);
  });

  it('says that it is not signed, and that a key is unknown until it is added', async () => {
    const path = await archive('unknown', (p) => edited(p, () => undefined, LEE));
    const bare = await archive('bare', (p) => rmSync(`${p}.minisig`));
    const unsigned = await both(bare, false);
    expect(unsigned.page).toEqual(unsigned.command);
    expect(unsigned.page.verdict).toBe('unsigned');
    const unknown = await both(path);
    expect(unknown.page).toEqual(unknown.command);
    expect(unknown.page.verdict).toBe('unknownKey');
    writeFileSync(join(dir, 'lee.pub'), publicKeyFile(LEE));
    await page.locator('#key').setInputFiles(join(dir, 'lee.pub'));
    await page.getByText('Intact, signed by lee.pub, added on this page, complete.').waitFor();
  });

  it('works beside itself, says how far it is, and forgets what it looked at when it is given another', async () => {
    const [first, second] = [await archive('first'), await archive('second')];
    const record = `window.said = []; window.watch = new MutationObserver(() => {
      const bar = document.querySelector('#result progress');
      if (bar) window.said.push([document.querySelector('#result p + p').textContent, bar.value]);
      else window.said.push(document.querySelector('#result .code')?.textContent ?? '');
    }); window.watch.observe(document.getElementById('result'), { childList: true, subtree: true, attributes: true, characterData: true })`;
    await page.evaluate(record);
    const worker = page.waitForEvent('worker');
    await page.evaluate(`delete document.getElementById('result').dataset.verdict`);
    await page.locator('#files').setInputFiles([first, `${first}.minisig`]);
    expect((await worker).url()).toMatch(/^blob:/);
    await page.locator('#files').setInputFiles([second, `${second}.minisig`]);
    await page.locator('#result[data-verdict] .code', { hasText: 'second.zip' }).waitFor();
    await page.evaluate('window.watch.disconnect()');
    const said = await page.evaluate<(string | [string, number])[]>('window.said');
    const bars = said.filter((one) => typeof one !== 'string');
    for (const words of Object.values(WORDS.doing)) expect(bars.map(([text]) => text)).toContain(words);
    expect(bars.some(([, part]) => part > 0)).toBe(true);
    expect(said).not.toContain('first.zip');
    // The one worker that was asked last has ended, too.
    expect(page.workers()).toEqual([]);
  });

  it('asked for nothing but itself, and is accessible', async () => {
    expect([...new Set(asked)]).toEqual([`file://${join(dir, 'verify.html')}`]);
    expect(told).toEqual([]);
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    expect(violations.map((v) => `${v.id}: ${v.nodes[0]?.html.slice(0, 300)}`)).toEqual([]);
    // What the policy says is what holds: even a script of the page's own origin could not send anything.
    const sent = `fetch('https://example.invalid/').then(() => 'sent', () => 'refused')`;
    expect(await page.evaluate(sent)).toBe('refused');
  });
});
