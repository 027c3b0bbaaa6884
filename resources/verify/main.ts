/** The page that verifies an archive without the app: files in, the same answer as `vault-cube verify` out. */
import { z } from 'zod';
import { keyId, parsePublicKey } from '../../main/services/archive/signature.ts';
import type { TrustedKey } from '../../main/services/archive/trust.ts';
import { OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import {
  verdictOf,
  verdictSentence,
  WHAT_IT_PROVES,
  type Verdict,
  type Verification,
} from '../../preload/contract/verification.ts';
import { look } from './look.ts';
import { WORDS } from './words.ts';

// The page's policy forbids code that is made from text, which the library would use to be faster.
z.config({ jitless: true });

/** Icon, and the class of its colour; the sentence beside it says the same. */
const SIGNS: Record<Verdict, [icon: string, style: string]> = {
  ok: ['✓', 'good'],
  incomplete: ['!', 'warn'],
  unknownKey: ['!', 'warn'],
  unsigned: ['!', 'warn'],
  changed: ['✕', 'bad'],
};

const Listed = z.array(z.strictObject({ name: z.string(), key: z.string() }));

const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks ${id}`);
  return found;
};

function element(tag: string, text: string, style = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

function list(title: string, all: readonly string[]): HTMLElement[] {
  if (!all.length) return [];
  const items = document.createElement('ul');
  items.append(...all.map((text) => element('li', text)));
  return [element('h2', title), items];
}

function about({ report, signature }: Verification): HTMLElement[] {
  const lines = report
    ? [
        WORDS.box(report.box, report.serial),
        WORDS.outcome(OUTCOME_WORDS[report.outcome], report.evidence === 'real' ? null : report.evidence),
        WORDS.recorded(report.asOf, report.attempts, report.events, report.checks),
        WORDS.profile(report.profile),
      ]
    : [];
  if (signature.keyId) {
    lines.push(WORDS.signed(signature.at, signature.keyId, signature.by));
    lines.push(WORDS.remark(signature.untrusted ?? ''));
  }
  return lines.map((text) => element('p', text));
}

function show(found: Verification): void {
  const [icon, style] = SIGNS[verdictOf(found)];
  const verdict = element('p', '', `verdict ${style}`);
  verdict.append(element('span', icon, 'icon'), element('span', verdictSentence(found)));
  const result = byId('result');
  result.dataset['verdict'] = verdictOf(found);
  result.replaceChildren(
    verdict,
    element('p', found.path, 'code'),
    ...list(WORDS.problems, found.problems),
    ...list(WORDS.missing, found.report?.missing ?? []),
    ...list(WORDS.notes, found.notes),
    ...about(found),
    ...list(WORDS.proves, WHAT_IT_PROVES),
  );
}

function say(text: string): void {
  const result = byId('result');
  delete result.dataset['verdict'];
  result.replaceChildren(element('p', text));
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const known: TrustedKey[] = Listed.parse(JSON.parse(byId('trust').textContent ?? '[]')).map(
  ({ name, key }) => ({ name, key: parsePublicKey(key), from: 'shipped' }),
);

function showKeys(): void {
  const keys = byId('keys');
  if (known.length) keys.replaceChildren(...known.map((k) => element('li', `${keyId(k.key.id)} ${k.name}`)));
  else keys.replaceChildren(element('li', WORDS.noKeys));
}

/** What was looked at last: a key that is added may change what is said of it. */
let last: readonly File[] = [];

async function take(files: readonly File[]): Promise<void> {
  const zips = files.filter((f) => f.name.endsWith('.zip'));
  const [zip] = zips;
  if (!zip) return say(WORDS.noZip);
  if (zips.length > 1) return say(WORDS.twoZips);
  last = files;
  say(WORDS.reading(zip.name));
  // Drawn before the work begins, which holds the page.
  await new Promise((resolve) => setTimeout(resolve, 50));
  try {
    show(await look(zip, files.find((f) => f.name.endsWith('.minisig')) ?? null, known));
  } catch (error) {
    say(WORDS.failed(said(error)));
  }
}

async function addKey(file: File): Promise<void> {
  try {
    const key = parsePublicKey((await file.text()).slice(0, 4096));
    known.push({ name: `${file.name}, ${WORDS.added}`, key, from: 'imported' });
  } catch (error) {
    return say(WORDS.badKey(file.name, said(error)));
  }
  showKeys();
  if (last.length) await take(last);
}

/** Files that were given, however: an archive with its signature, and public keys. */
async function given(files: Iterable<File>): Promise<void> {
  const all = [...files];
  for (const file of all.filter((f) => f.name.endsWith('.pub'))) await addKey(file);
  const others = all.filter((f) => !f.name.endsWith('.pub'));
  if (others.length) await take(others);
}

const filesOf = (id: string): HTMLInputElement => byId(id) as HTMLInputElement;

for (const [id, text] of Object.entries({
  ...{ title: WORDS.title, intro: WORDS.intro, 'choose-label': WORDS.choose, 'keys-title': WORDS.keys },
  ...{ origin: WORDS.origin, 'key-label': WORDS.keyFile, version: WORDS.version(__APP_VERSION__) },
}))
  byId(id).textContent = text;
document.title = WORDS.title;
showKeys();
for (const id of ['files', 'key'])
  filesOf(id).addEventListener('change', () => void given(filesOf(id).files ?? []));
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  void given(event.dataTransfer?.files ?? []);
});
byId('page').hidden = false;
