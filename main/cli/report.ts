/** The commands of the hand-over: report, verify, signing-key, trust. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES, OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import { Handover, type Session } from '../../preload/contract/session.ts';
import {
  verdictOf,
  verdictSentence,
  VERIFY_EXIT,
  WHAT_IT_PROVES,
  type Verification,
} from '../../preload/contract/verification.ts';
import { APP_VERSION } from '../services/app.ts';
import { makeArchive, WITHOUT_PDF, type Paper } from '../services/archive.ts';
import { keyId, publicKeyLine } from '../services/archive/signature.ts';
import { makeSigningKey, openSigningKey } from '../services/archive/signing.ts';
import { distrustKey, publicKeyFrom, trustedKeys, trustKey } from '../services/archive/trust.ts';
import { dataHome } from '../services/datahome.ts';
import { privateFolder } from '../services/paths.ts';
import { printPage } from '../services/print.ts';
import { makeReport } from '../services/report.ts';
import { changeSession, requireSession } from '../services/sessions.ts';
import { Secrets } from '../services/secrets.ts';
import { verifyArchive } from '../services/verify.ts';
import { VERIFY_PAGE, writeVerifyPage } from '../services/verifypage.ts';
import { askSecret, readSecrets } from './ask.ts';
import { withApp, type CommonOptions, type Context } from './context.ts';
import { Output, table } from './output.ts';

interface ReportOptions extends CommonOptions {
  out?: string;
  sign?: string;
  customer?: string;
  site?: string;
  engineer?: string;
  pdf: boolean;
  paper?: string;
}
interface VerifyOptions extends CommonOptions {
  signature?: string;
  key?: string[];
}
interface PageOptions extends CommonOptions {
  out?: string;
}
interface KeyOptions extends CommonOptions {
  out?: string;
  name?: string;
}
interface TrustOptions extends CommonOptions {
  add?: string;
  name?: string;
  remove?: string;
}

const PAPERS: readonly Paper[] = ['A4', 'Letter'];
const FIELDS = ['customer', 'site', 'engineer'] as const;
const tells = (o: ReportOptions): boolean => FIELDS.some((field) => o[field] !== undefined);

/** What was said of the hand-over is kept with the box, so that the report made again says the same. Errors: usage. */
function keepHandover(ctx: Context, session: Session, o: ReportOptions): Session {
  const before = session.handover ?? { customer: '', site: '', engineer: '' };
  const said = Object.fromEntries(FIELDS.map((field) => [field, o[field] ?? before[field]]));
  const handover = Handover.safeParse(said);
  if (!handover.success)
    throw new AppError('usage', { what: 'Customer, site and engineer have at most 200 characters each.' });
  return changeSession(ctx.app, session.id, (s) => ({ ...s, handover: handover.data }));
}

/** Errors: usage. */
function paperOf(text: string | undefined): Paper {
  const paper = PAPERS.find((p) => p.toLowerCase() === (text ?? 'A4').toLowerCase());
  if (!paper) throw new AppError('usage', { what: `--paper wants A4 or Letter, not "${text ?? ''}".` });
  return paper;
}

export async function runReport(ctx: Context, o: ReportOptions): Promise<number> {
  const { app, out } = ctx;
  const found = requireSession(app, o.box);
  const session = tells(o) ? keepHandover(ctx, found, o) : found;
  const folder = resolve(o.out ?? '.');
  const key = o.sign === undefined ? null : await openSigningKey(resolve(o.sign), ctx.secrets);
  const print = o.pdf ? printPage : WITHOUT_PDF;
  const archive = await makeArchive(app.journal, session.id, folder, {
    ...{ appVersion: app.version, key, print, paper: paperOf(o.paper) },
  });
  const made = await makeReport(app.journal, session.id, folder, { appVersion: app.version });
  out.line(`${session.name}: ${OUTCOME_WORDS[made.outcome]}`);
  if (archive.noPdf) out.note(`report.pdf is left out: ${archive.noPdf}.`);
  if (!archive.signature) out.note('Not signed: name a key with --sign FILE.');
  out.line(`archive: ${archive.zip}`);
  if (archive.signature) out.line(`signature: ${archive.signature}`);
  out.line(`data:   ${made.json}`);
  out.line(`report: ${made.html}`);
  const { html, json, outcome } = made;
  const { zip, signature, noPdf, sha256 } = archive;
  // The report was made, whatever it says; its own verdict is in the result.
  out.result({ ok: true, html, json, outcome, zip, signature, noPdf, sha256, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

function tellVerification(out: Output, found: Verification): void {
  const { report, signature, problems, notes } = found;
  out.line(verdictSentence(found));
  for (const problem of problems) out.line(`  ✕ ${problem}`);
  for (const note of notes) out.line(`  ! ${note}`);
  for (const missing of report?.missing ?? []) out.line(`  – ${missing}`);
  if (report) {
    const marked = report.evidence && report.evidence !== 'real' ? ` [${report.evidence}]` : '';
    out.line(`box       ${report.box}, serial ${report.serial}: ${OUTCOME_WORDS[report.outcome]}${marked}`);
    out.line(
      `recorded  ${report.asOf}, ${report.attempts} attempts, ${report.events} events, ${report.checks} checks`,
    );
    out.line(`profile   ${report.profile ?? 'none'}`);
  }
  if (signature.keyId) {
    out.line(
      `signed    ${signature.at ?? 'at an unknown time'}, key ${signature.keyId}, ${signature.by ?? 'unknown key'}`,
    );
    out.line(`          unsigned remark: ${signature.untrusted ?? ''}`);
  }
  for (const sentence of WHAT_IT_PROVES) out.line(`  ${sentence}`);
}

/** Needs no journal: only the keys that are known here. */
export async function verifyFile(o: VerifyOptions, path: string): Promise<number> {
  const out = new Output(o.json ?? false);
  const given = (o.key ?? []).map((text) => ({
    name: 'the key that was given',
    key: publicKeyFrom(text),
    from: 'imported' as const,
  }));
  const found = verifyArchive(resolve(path), {
    trusted: [...given, ...trustedKeys(dataHome())],
    signature: o.signature === undefined ? undefined : resolve(o.signature),
    version: APP_VERSION,
  });
  tellVerification(out, found);
  const verdict = verdictOf(found);
  const exit = VERIFY_EXIT[verdict];
  out.result({ ok: exit === 0, verdict, sentence: verdictSentence(found), ...found, exit });
  return exit;
}

async function runSigningKey(o: KeyOptions): Promise<number> {
  const out = new Output(o.json ?? false);
  if (!o.out || !o.name)
    throw new AppError('usage', { what: 'A signing key wants --out FILE and --name WHO.' });
  const path = resolve(o.out);
  const key = await makeSigningKey(path, new Secrets(askSecret, readSecrets(o.secrets)));
  trustKey(privateFolder(dataHome()), key, o.name);
  out.line(`secret key: ${path}`);
  out.line(`public key: ${path}.pub (${keyId(key.id)}), trusted on this laptop as ${o.name}`);
  const told = { secret: path, public: `${path}.pub`, keyId: keyId(key.id), key: publicKeyLine(key) };
  out.result({ ok: true, ...told, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runTrust(o: TrustOptions): Promise<number> {
  const out = new Output(o.json ?? false);
  const home = privateFolder(dataHome());
  if (o.add !== undefined) {
    if (!o.name) throw new AppError('usage', { what: 'A key that is to be trusted wants --name WHO.' });
    trustKey(home, publicKeyFrom(o.add), o.name);
  }
  if (o.remove !== undefined && !distrustKey(home, o.remove))
    throw new AppError('usage', { what: `No imported key has the id ${o.remove}.` });
  const keys = trustedKeys(home).map(({ name, key, from }) => ({ name, keyId: keyId(key.id), from }));
  if (keys.length === 0) out.line('No key is trusted on this laptop.');
  else for (const line of table(keys.map((k) => [k.keyId, k.from, k.name]))) out.line(line);
  out.result({ ok: true, keys, exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

async function runVerifyPage(o: PageOptions): Promise<number> {
  const out = new Output(o.json ?? false);
  const path = resolve(o.out ?? VERIFY_PAGE);
  const keys = trustedKeys(dataHome());
  writeVerifyPage(path, keys);
  out.line(`page: ${path}`);
  out.line(keys.length ? `It knows the keys of ${keys.map((k) => k.name).join(', ')}.` : 'It knows no key.');
  out.result({ ok: true, page: path, keys: keys.map((k) => keyId(k.key.id)), exit: EXIT_CODES.passed });
  return EXIT_CODES.passed;
}

const VERIFY_HELP = `
Without FILE: the hash chains of the journal. With FILE, an archive that "report" wrote:
exit codes 0 intact, signed by a known key, complete; 40 not intact; 41 not signed; 42 signed by an unknown key;
43 intact and signed, but required results are missing.`;

export function addReportCommands(
  add: (name: string, summary: string) => Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O, argument: string) => Promise<number>) => void,
  verifyJournal: (o: CommonOptions) => Promise<number>,
): void {
  run<ReportOptions>(
    add(
      'report',
      'Write the hand-over archive, and the report as one HTML file and report.json, from the journal alone',
    )
      .option('--out <folder>', 'where to (the current folder)')
      .option('--sign <file>', 'sign it with this secret key of minisign')
      .option('--customer <name>', 'whom it is for; kept with the box')
      .option('--site <name>', 'where the box stands; kept with the box')
      .option('--engineer <name>', 'who hands it over; kept with the box')
      .option('--paper <size>', 'what report.pdf is printed on: A4 or Letter (A4)')
      .option('--no-pdf', 'leave report.pdf out'),
    (o) => withApp({ ...o, readOnly: !tells(o) }, (ctx) => runReport(ctx, o)),
  );
  run<VerifyOptions>(
    add(
      'verify [file]',
      'Whether a report is intact, by whom, and complete; without a file, the journal’s hash chains',
    )
      .option('--signature <file>', 'where the signature lies (FILE.minisig)')
      .option('--key <key...>', 'a public key of minisign to trust this once: a file, or its line')
      .addHelpText('after', VERIFY_HELP),
    (o, file) => (file ? verifyFile(o, file) : verifyJournal(o)),
  );
  run<PageOptions>(
    add(
      'verify-page',
      'Write the page that verifies an archive in any browser, without the app and without a network',
    ).option('--out <file>', `where to (${VERIFY_PAGE}); it carries the keys that are trusted here`),
    runVerifyPage,
  );
  run<KeyOptions>(
    add('signing-key', 'Make a key to sign reports with, in minisign’s format, under a passphrase')
      .option('--out <file>', 'where the secret half goes; the public one beside it as FILE.pub')
      .option('--name <who>', 'whose it is'),
    runSigningKey,
  );
  run<TrustOptions>(
    add('trust', 'The keys whose signatures are known on this laptop')
      .option('--add <key>', 'a public key of minisign: a file, or its line')
      .option('--name <who>', 'whose it is')
      .option('--remove <id>', 'an imported key, by its id'),
    runTrust,
  );
}
