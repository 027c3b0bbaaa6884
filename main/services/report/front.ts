/** Page one: what came out, what it is worth, what deviates, and whether the box may be shipped or used. */
import type { Evidence } from '../../../preload/contract/outcome.ts';
import { countedParts } from '../../../preload/contract/parts.ts';
import type { Report, ReportPart } from '../../../preload/contract/report.ts';
import { html, type Markup } from './markup.ts';
import { OUTCOMES, plural, type Sign, VERDICTS } from './words.ts';

export function sign({ icon, word, style }: Sign): Markup {
  return html`<span class="sign ${style}"><span class="icon" aria-hidden="true">${icon}</span>${word}</span>`;
}

const EVIDENCE: Record<Evidence, { word: string; told: string }> = {
  real: { word: 'real', told: 'Everything was measured on the machine itself.' },
  'stand-in': {
    word: 'STAND-IN',
    told: 'Measured on a stand-in. It tests this app and proves nothing about a Vault Cube.',
  },
  practice: {
    word: 'PRACTICE',
    told: 'A practice run on a box of the app’s own. There is no machine behind it.',
  },
};

export const evidenceWord = (evidence: Evidence | null): string =>
  evidence === null ? '–' : EVIDENCE[evidence].word;

/** What has to be seen on every page: that it was not measured on the real machine, that it is not complete. */
function marks({ evidence, outcome }: Report): string[] {
  const weak = evidence === null || evidence === 'real' ? [] : [EVIDENCE[evidence].word];
  return outcome === 'incomplete' ? [...weak, 'INCOMPLETE'] : weak;
}

/** The head of every page, with stripes where there is such a mark. */
export function stamp(report: Report): Markup {
  const { evidence, box, made } = report;
  const right = html`<span class="where">${box.name}, ${made.local}</span>`;
  const all = marks(report);
  if (all.length === 0) return html`<div class="head">Vault Cube report ${right}</div>`;
  const weak = evidence === null || evidence === 'real' ? null : html`data-evidence="${evidence}"`;
  return html`<div class="head stamp" ${weak}><strong>${all.join(' · ')}</strong> ${right}</div>`;
}

/** The same across each printed page, under its text. */
export function watermark(report: Report): Markup | null {
  const all = marks(report);
  return all.length ? html`<div class="watermark" aria-hidden="true">${all.join(' ')}</div>` : null;
}

/** Why the system itself is not the one that customers run, where the profile says so. */
function otherSystem({ facts, profile }: Report): string | null {
  const found = facts?.distribution;
  const entry = profile?.document.distributions.find(
    (d) => d.id === found?.id && d.version === found.version,
  );
  return entry?.standIn ?? null;
}

function evidence(report: Report): Markup {
  const system = otherSystem(report);
  const about =
    report.evidence === null
      ? html`<p class="worth">Nothing was measured on this box yet.</p>`
      : html`<p class="worth">
          Evidence: <strong>${EVIDENCE[report.evidence].word}</strong>. ${EVIDENCE[report.evidence].told}
        </p>`;
  const newer =
    report.newerJournal === null
      ? null
      : html`<p class="worth">
          The journal was written by a newer version of the app (format ${report.newerJournal}). What this
          version does not know is not in this report.
        </p>`;
  const broken = report.jobs.filter((j) => !j.chain.ok).length;
  const spoilt = broken
    ? html`<p class="worth broken">
        ${sign({ icon: '✕', word: 'chain broken', style: 'bad' })} The record of ${plural(broken, 'attempt')}
        is not as it was written. See <a href="#record">Jobs and record</a>.
      </p>`
    : null;
  return html`${about}${system ? html`<p class="worth">${system}.</p>` : null}${newer}${spoilt}`;
}

const GATES = { ship: 'To be shipped', production: 'For production' } as const;

function gate({ id, suites, outcome }: Report['gates'][number], parts: readonly ReportPart[]): Markup {
  const rows = suites.map((suite) => {
    const part = parts.find((p) => p.id === suite);
    return html`<li>
      <span>${part?.title ?? suite}</span>${sign(part ? partSign(part) : VERDICTS.not_run)}
    </li>`;
  });
  return html`<section class="gate">
    <h3>${GATES[id]}</h3>
    <p class="gate-word">${sign(OUTCOMES[outcome])}</p>
    <ul>
      ${rows}
    </ul>
  </section>`;
}

/** Before its first job a part is not run, which says more than incomplete. */
export function partSign(part: ReportPart): Sign {
  if (part.state === 'not_run') return VERDICTS.not_run;
  return part.state === 'running'
    ? { icon: '▶\uFE0E', word: 'running', style: 'none' }
    : OUTCOMES[part.outcome];
}

export function sentences(title: string, style: Sign['style'], all: readonly string[]): Markup | null {
  if (all.length === 0) return null;
  return html`<section class="sentences ${style}">
    <h3>${title} <span class="count">${all.length}</span></h3>
    <ul>
      ${all.map((s) => html`<li>${s}</li>`)}
    </ul>
  </section>`;
}

function named({ decision, waivers, outcome }: Report): Markup {
  const accepted = waivers.map((w) => `${w.check}, by ${w.name}: ${w.reason}`);
  const lists = [
    sentences('Failed', 'bad', decision.failures),
    sentences('Missing', 'none', decision.missing),
    sentences('Deviations', 'warn', decision.deviations),
    sentences('Waivers', 'warn', accepted),
  ].filter((l) => l !== null);
  if (lists.length) return html`<div class="lists">${lists}</div>`;
  return outcome === 'passed'
    ? html`<p class="worth">No failure, nothing missing, no deviation.</p>`
    : html``;
}

/** The verdict, and what it rests on or fails by, in one sentence. */
function sentence({ box, outcome, decision }: Report): string {
  const counts = [
    decision.failures.length && plural(decision.failures.length, 'failure'),
    decision.missing.length && `${decision.missing.length} missing`,
    decision.deviations.length && plural(decision.deviations.length, 'deviation'),
  ].filter(Boolean);
  const verb = outcome === 'incomplete' ? 'is incomplete' : OUTCOMES[outcome].word;
  return `${box.name} ${verb}${counts.length ? `: ${counts.join(', ')}` : ', with nothing to note'}.`;
}

function handedOver({ handover }: Report): Markup | null {
  if (!handover) return null;
  const { customer, site, engineer } = handover;
  const said = [
    customer && `Customer: ${customer}`,
    site && `Site: ${site}`,
    engineer && `Handed over by ${engineer}`,
  ].filter(Boolean);
  return said.length ? html`<p class="sub">${said.join(' · ')}</p>` : null;
}

/** `table`: how each part stands. */
export function front(report: Report, table: Markup): Markup {
  const { box, profile, app, made, outcome, gates, parts } = report;
  const { icon, word, style } = OUTCOMES[outcome];
  const about = countedParts(parts, profile?.document.gates.ship ?? []).map((p) => p.title);
  const zone = made.local.endsWith(` ${made.zone}`) ? '' : ` (${made.zone})`;
  return html`<header class="front">
    <p class="kind">Vault Cube report</p>
    <h1>${box.name}</h1>
    <p class="sub">${profile ? profile.document.title : 'No profile recorded'}</p>
    <p class="sub">As recorded by ${made.local}${zone}, told by Vault Cube Provisioner ${app}</p>
    ${handedOver(report)}
    <p class="outcome ${style}"><span class="icon" aria-hidden="true">${icon}</span><span>${word}</span></p>
    <p class="sentence">${sentence(report)}</p>
    <p class="about">Decided over ${about.join(', ')}.</p>
    ${evidence(report)} ${table}
    <div class="gates">${gates.map((g) => gate(g, parts))}</div>
    ${named(report)}
  </header>`;
}
