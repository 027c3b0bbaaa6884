/** Page one: what came out, what it is worth, what deviates, and whether the box may be shipped or used. */
import type { Evidence } from '../../../preload/contract/outcome.ts';
import { countedParts } from '../../../preload/contract/parts.ts';
import type { Report, ReportPart } from '../../../preload/contract/report.ts';
import { html, type Markup } from './markup.ts';
import { OUTCOMES, plural, type Sign, VERDICTS } from './words.ts';
import { T } from './texts.ts';

export function sign({ icon, word, style }: Sign): Markup {
  return html`<span class="sign ${style}"><span class="icon" aria-hidden="true">${icon}</span>${word}</span>`;
}

const EVIDENCE: Record<Evidence, { word: string; told: string }> = {
  real: { word: T.front.words.real, told: T.front.real },
  'stand-in': {
    word: T.front.words.standIn,
    told: T.front.standIn,
  },
  practice: {
    word: T.front.words.practice,
    told: T.front.practice,
  },
};

export const evidenceWord = (evidence: Evidence | null): string =>
  evidence === null ? '–' : EVIDENCE[evidence].word;

/** What has to be seen on every page: that it was not measured on the real machine, that it is not complete. */
function marks({ evidence, outcome }: Report): string[] {
  const weak = evidence === null || evidence === 'real' ? [] : [EVIDENCE[evidence].word];
  return outcome === 'incomplete' ? [...weak, T.front.incompleteMark] : weak;
}

/** The head of every page, with stripes where there is such a mark. */
export function stamp(report: Report): Markup {
  const { evidence, box, made } = report;
  const right = html`<span class="where">${box.name}, ${made.local}</span>`;
  const all = marks(report);
  if (all.length === 0) return html`<div class="head">${T.kind} ${right}</div>`;
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
  const why = entry?.standIn;
  return why ? `${why.charAt(0).toUpperCase()}${why.slice(1)}` : null;
}

function evidence(report: Report): Markup {
  const system = otherSystem(report);
  const about =
    report.evidence === null
      ? html`<p class="worth">${T.front.nothingMeasured}</p>`
      : html`<p class="worth">
          ${T.front.evidence} <strong>${EVIDENCE[report.evidence].word}</strong>.
          ${EVIDENCE[report.evidence].told}
        </p>`;
  const newer =
    report.newerJournal === null
      ? null
      : html`<p class="worth">${T.front.newerJournal(report.newerJournal)}</p>`;
  const broken = report.jobs.filter((j) => !j.chain.ok).length;
  const spoilt = broken
    ? html`<p class="worth broken">
        ${sign({ icon: '✕', word: T.front.chainBroken, style: 'bad' })}
        ${T.front.spoilt(plural(broken, T.front.attempt))}
        <a href="#record">${T.record.heading}</a>.
      </p>`
    : null;
  return html`${about}${system ? html`<p class="worth">${system}.</p>` : null}${newer}${spoilt}`;
}

function gate({ id, suites, outcome }: Report['gates'][number], parts: readonly ReportPart[]): Markup {
  const rows = suites.map((suite) => {
    const part = parts.find((p) => p.id === suite);
    return html`<li>
      <span>${part?.title ?? suite}</span>${sign(part ? partSign(part) : VERDICTS.not_run)}
    </li>`;
  });
  return html`<section class="gate">
    <h3>${T.front.gates[id]}</h3>
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
    ? { icon: '▶\uFE0E', word: T.front.running, style: 'none' }
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
  const accepted = waivers.map((w) => T.front.accepted(w.check, w.name, w.reason));
  const lists = [
    sentences(T.front.failed, 'bad', decision.failures),
    sentences(T.front.missing, 'none', decision.missing),
    sentences(T.front.deviations, 'warn', decision.deviations),
    sentences(T.front.waivers, 'warn', accepted),
  ].filter((l) => l !== null);
  if (lists.length) return html`<div class="lists">${lists}</div>`;
  return outcome === 'passed' ? html`<p class="worth">${T.front.nothingToNote}</p>` : html``;
}

/** The verdict, and what it rests on or fails by, in one sentence. */
function sentence({ box, outcome, decision }: Report): string {
  const counts = [
    decision.failures.length && plural(decision.failures.length, T.front.failure),
    decision.missing.length && T.front.countMissing(decision.missing.length),
    decision.deviations.length && plural(decision.deviations.length, T.front.deviation),
  ].filter(Boolean);
  const verb = outcome === 'incomplete' ? T.front.isIncomplete : OUTCOMES[outcome].word;
  return T.front.sentence(box.name, verb, counts.join(', '));
}

function handedOver({ handover }: Report): Markup | null {
  if (!handover) return null;
  const { customer, site, engineer } = handover;
  const said = [
    customer && T.front.customer(customer),
    site && T.front.site(site),
    engineer && T.front.engineer(engineer),
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
    <p class="kind">${T.kind}</p>
    <h1>${box.name}</h1>
    <p class="sub">${profile ? profile.document.title : T.front.noProfile}</p>
    <p class="sub">${T.front.asOf(`${made.local}${zone}`, app)}</p>
    ${handedOver(report)}
    <p class="outcome ${style}"><span class="icon" aria-hidden="true">${icon}</span><span>${word}</span></p>
    <p class="sentence">${sentence(report)}</p>
    <p class="about">${T.front.decided(about.join(', '))}</p>
    ${evidence(report)} ${table}
    <div class="gates">${gates.map((g) => gate(g, parts))}</div>
    ${named(report)}
  </header>`;
}
