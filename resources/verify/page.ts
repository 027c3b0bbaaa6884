/** The page itself: files in, the same answer as `vault-cube verify` out. The work is done beside it (beside.ts), so that it answers meanwhile. */
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
import { Beside } from './beside.ts';
import { WORDS } from './words.ts';

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

/** Where the work stands, while it is done. */
function waiting(name: string): { doing: HTMLElement; bar: HTMLProgressElement } {
  const doing = element('p', '');
  const bar = document.createElement('progress');
  bar.setAttribute('aria-label', WORDS.progress);
  const result = byId('result');
  delete result.dataset['verdict'];
  result.replaceChildren(element('p', WORDS.reading(name)), doing, bar);
  return { doing, bar };
}

function say(text: string): void {
  const result = byId('result');
  delete result.dataset['verdict'];
  result.replaceChildren(element('p', text));
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const known: TrustedKey[] = [];

function showKeys(): void {
  const keys = byId('keys');
  if (known.length) keys.replaceChildren(...known.map((k) => element('li', `${keyId(k.key.id)} ${k.name}`)));
  else keys.replaceChildren(element('li', WORDS.noKeys));
}

let beside: Beside | null = null;
/** What was looked at last: a key that is added may change what is said of it. */
let last: readonly File[] = [];

async function take(files: readonly File[]): Promise<void> {
  const zips = files.filter((f) => f.name.endsWith('.zip'));
  const [zip] = zips;
  if (!zip) return say(WORDS.noZip);
  if (zips.length > 1) return say(WORDS.twoZips);
  last = files;
  const { doing, bar } = waiting(zip.name);
  const answer = await beside?.look({
    ...{ zip, signature: files.find((f) => f.name.endsWith('.minisig')) ?? null, trusted: known },
    tell: (what, part) => {
      if (doing.textContent !== WORDS.doing[what]) doing.textContent = WORDS.doing[what];
      if (part === null) bar.removeAttribute('value');
      else bar.value = part;
    },
  });
  // Nothing: another archive was given meanwhile, which has a look of its own.
  if (!answer) return;
  if ('found' in answer) show(answer.found);
  else say(WORDS.failed(answer.failed));
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

/** `script`: the text of the script that runs here, which does the work beside the page, too. */
export function startPage(script: string): void {
  beside = new Beside(script);
  const listed = Listed.parse(JSON.parse(byId('trust').textContent ?? '[]'));
  known.push(
    ...listed.map(({ name, key }) => ({ name, key: parsePublicKey(key), from: 'shipped' as const })),
  );
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
}
