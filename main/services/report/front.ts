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

/** The head of every page. Its word and stripes are there whenever anything was not measured on the real machine. */
export function stamp({ evidence, box, made }: Report): Markup {
  const right = html`<span class="where">${box.name}, ${made.local}</span>`;
  if (evidence === null || evidence === 'real')
    return html`<div class="head">Vault Cube report ${right}</div>`;
  const { word } = EVIDENCE[evidence];
  return html`<div class="head stamp" data-evidence="${evidence}"><strong>${word}</strong> ${right}</div>`;
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

export function front(report: Report): Markup {
  const { box, profile, app, made, outcome, gates, parts } = report;
  const { icon, word, style } = OUTCOMES[outcome];
  const about = countedParts(parts, profile?.document.gates.ship ?? []).map((p) => p.title);
  const zone = made.local.endsWith(` ${made.zone}`) ? '' : ` (${made.zone})`;
  return html`<header class="front">
    <p class="kind">Vault Cube report</p>
    <h1>${box.name}</h1>
    <p class="sub">${profile ? profile.document.title : 'No profile recorded'}</p>
    <p class="sub">Made ${made.local}${zone} by Vault Cube Provisioner ${app}</p>
    <p class="outcome ${style}"><span class="icon" aria-hidden="true">${icon}</span><span>${word}</span></p>
    <p class="about">Decided over ${about.join(', ')}.</p>
    ${evidence(report)}
    <div class="gates">${gates.map((g) => gate(g, parts))}</div>
    ${named(report)}
  </header>`;
}
