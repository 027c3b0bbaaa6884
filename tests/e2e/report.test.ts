/** The archive's page in a real browser without a network, and on paper: accessible, whole, the same again. */
import AxeBuilder from '@axe-core/playwright';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readZip } from '../../main/services/archive/zip.ts';
import { Journal } from '../../main/journal/journal.ts';
import { makeArchive, type Paper } from '../../main/services/archive.ts';
import { printPage } from '../../main/services/print.ts';
import { boxSession, plans, play } from '../unit/report/box.ts';
import { fillScreen, shot } from './looks.ts';
import { openReport } from './report.ts';
import { Display, openApp, whyNoWindow, type OpenWindow } from './window.ts';

const why = whyNoWindow();

describe.runIf(why === null)(`the report${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let display: Display;
  let open: OpenWindow;
  let first: ReadonlyMap<string, Buffer>;

  /** Without a display: as on a machine that has none. */
  async function made(out: string, paper: Paper = 'A4'): Promise<Buffer> {
    const journal = Journal.open(join(dir, 'home/journal.db'), { readOnly: true });
    try {
      const [session] = journal.sessions();
      const order = { appVersion: 'test', key: null, print: printPage, paper };
      const { zip, noPdf } = await makeArchive(journal, session?.id ?? '', join(dir, out), order);
      expect(noPdf).toBeNull();
      return readFileSync(zip);
    } finally {
      journal.close();
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vault-cube-report-'));
    mkdirSync(join(dir, 'home'), { mode: 0o700 });
    const journal = Journal.open(join(dir, 'home/journal.db'));
    const session = boxSession();
    journal.saveSession(session);
    // Practice, and not complete: every mark there is.
    for (const plan of plans({ preflight: { evidence: 'practice' }, checks1: { end: null } }))
      play(journal, session, plan);
    journal.close();
    first = readZip(await made('first'));
    display = await Display.open();
    open = await openApp(display, join(dir, 'home'));
    await fillScreen(open);
  });
  afterAll(async () => {
    await open?.app.close();
    display?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const text = (name: string) => first.get(name)?.toString('latin1') ?? '';

  it('is printed to a tagged PDF, with a title, a language and the marks on each page', () => {
    const pdf = text('report.pdf');
    for (const part of ['/StructTreeRoot', '/MarkInfo', '/Lang (en)', '/Title (VC-0042'])
      expect(pdf).toContain(part);
    expect(pdf.match(/\/Type ?\/Page\b/g)?.length).toBeGreaterThan(3);
    expect(pdf).toMatch(/\/CreationDate \(D:20\d{12}\+00'00'\)/);
  });

  it('made again is the same, the PDF in it, too', async () => {
    const again = readZip(await made('again'));
    const differ = [...first]
      .filter(([name, bytes]) => !again.get(name)?.equals(bytes))
      .map(([name]) => name);
    expect([differ, again.size]).toEqual([[], first.size]);
  });

  it('is as long and as wide as the paper that is asked for', async () => {
    const box = (pdf: string) => [...new Set(pdf.match(/\/MediaBox ?\[[^\]]*\]/g))];
    const letter =
      readZip(await made('letter', 'Letter'))
        .get('report.pdf')
        ?.toString('latin1') ?? '';
    expect(box(text('report.pdf')).join()).toMatch(/\[0 0 59[45][.\d]* 84[12][.\d]*\]$/);
    expect(box(letter).join()).toMatch(/\[0 0 612 792\]$/);
    for (const part of ['/StructTreeRoot', '/Lang (en)']) expect(letter).toContain(part);
  });

  it('is looked at in the window before, where it runs no script, and exported from there', async () => {
    const { page } = open;
    await page
      .getByRole('button', { name: /VC-0042/ })
      .first()
      .click();
    await page
      .getByRole('button', { name: /Report/ })
      .first()
      .click();
    await page
      .getByLabel('Customer', { exact: true })
      .fill(
        'Société Générale d’Exploitation des Centres de Calcul Intensif, Établissement de Saint-Germain-en-Laye',
      );
    await page.getByRole('button', { name: 'Preview' }).click();
    const frame = page.frameLocator('iframe.report-preview');
    await frame.getByText('PRACTICE · INCOMPLETE').first().waitFor();
    await frame.getByText(/Société Générale/).waitFor();
    // Its buttons come with its script.
    expect(await frame.locator('.tools').isVisible()).toBe(false);
    // Its own paper: a column of it is narrower than the frame, as the style has it.
    const [paper, sheet] = await Promise.all([
      page.locator('iframe.report-preview').boundingBox(),
      frame.locator('main').boundingBox(),
    ]);
    expect(sheet?.width).toBeLessThan(paper?.width ?? 0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      if (process.env['SHOTS'])
        await page.screenshot({ path: join(process.env['SHOTS'], `preview-${colorScheme}.png`) });
    }
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Export archive' }).click();
    const there = page.getByRole('status', { name: 'The archive that was exported' });
    await there.waitFor();
    await there.getByRole('button', { name: 'Verify it' }).click();
    await page.getByText('Whole in itself, but not signed').waitFor();
    await page.getByRole('region', { name: 'Hand over' }).scrollIntoViewIfNeeded();
    await shot(page, 'report-step');
  });

  it('asks for nothing but itself, lacks nothing, and is accessible', async () => {
    const path = join(dir, 'report.html');
    writeFileSync(path, first.get('report.html') ?? '');
    const page = await openReport(open, path);
    const asked: string[] = [];
    const failed: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('requestfailed', (request) => failed.push(request.url()));
    page.on('console', (message) => void (message.type() === 'error' && failed.push(message.text())));
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText('PRACTICE · INCOMPLETE').first().waitFor();
    expect(asked).toEqual([`file://${path}`]);
    expect(failed).toEqual([]);
    expect(await page.locator('figure.chart svg[role="img"]').count()).toBe(7);
    for (const media of ['screen', 'print'] as const) {
      await page.emulateMedia({ media });
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      expect(violations.map((v) => `${media} ${v.id}: ${v.nodes[0]?.html.slice(0, 300)}`)).toEqual([]);
    }
    const style = `(({ display, position }) => [display, position])(getComputedStyle(document.querySelector('.watermark')))`;
    expect(await page.evaluate(style)).toEqual(['block', 'fixed']);
    await page.close();
  });
});
