/** How it stands, part by part, with every check and its evidence. */
import type { Expectation } from '../../../preload/contract/outcome.ts';
import type { Report, ReportPart } from '../../../preload/contract/report.ts';
import { evidenceWord, partSign, sentences, sign } from './front.ts';
import { html, type Markup } from './markup.ts';
import { duration, localTime, number, plural, VERDICTS } from './words.ts';
import { T } from './texts.ts';

type ReportCheck = ReportPart['checks'][number];

/** `8 pass, 1 fail`, in the order of the verdicts. */
function tally({ checks }: ReportPart): string {
  return Object.entries(VERDICTS)
    .map(([verdict, { word }]) => ({ word, n: checks.filter((c) => c.result.verdict === verdict).length }))
    .filter(({ n }) => n > 0)
    .map(({ word, n }) => `${n} ${word}`)
    .join(', ');
}

function lastRun(part: ReportPart, report: Report): string {
  const job = report.jobs.find((j) => j.job === part.basis?.job && j.attempt === part.basis.attempt);
  return job?.startedAt ? localTime(job.startedAt, report.made.zone) : '–';
}

export function overview(report: Report): Markup {
  const rows = report.parts.map(
    (p) =>
      html`<tr>
        <td><a href="#${p.attempts ? `part-${p.id}` : 'not-run'}">${p.title}</a></td>
        <td>
          ${sign(partSign(p))}${p.stale ? html` <span class="stale">${T.checks.outOfDate}</span>` : null}
        </td>
        <td>${tally(p) || '–'}</td>
        <td>${evidenceWord(p.evidence)}</td>
        <td class="num">${p.attempts}</td>
        <td class="time">${lastRun(p, report)}</td>
      </tr>`,
  );
  return html`<section id="standing">
    <h2>${T.checks.standing}</h2>
    <table class="overview">
      <thead>
        <tr>
          <th>${T.checks.notRunHeads.part}</th>
          <th>${T.checks.standingHeads.outcome}</th>
          <th>${T.checks.standingHeads.checks}</th>
          <th>${T.checks.standingHeads.evidence}</th>
          <th class="num">${T.checks.standingHeads.attempts}</th>
          <th>${T.checks.standingHeads.last}</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </section>`;
}

function amount({ value, unit }: ReportCheck['result']): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? T.yes : T.no;
  const text = typeof value === 'number' ? number(value, 3) : value;
  return unit ? `${text} ${unit}` : text;
}

function regarded(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'required':
      return T.checks.required;
    case 'informative':
      return T.checks.informative(expectation.why);
    case 'expected': {
      const words = expectation.verdicts.map((v) => VERDICTS[v].word).join(T.checks.or);
      return T.checks.mayBe(words, expectation.context);
    }
  }
}

function line(name: string, value: Markup | string | null): Markup | null {
  return value === null || value === ''
    ? null
    : html`<dt>${name}</dt>
        <dd>${value}</dd>`;
}

function check({ result, expectation, waiver, attempt, times }: ReportCheck, zone: string): Markup {
  const { verdict, title, reason, nextAction } = result;
  const open = verdict === 'fail' || verdict === 'error';
  const waived = waiver && T.checks.waivedBy(waiver.name, localTime(waiver.at, zone), waiver.reason);
  const notes = [reason, waived && verdict === 'fail' ? T.checks.waived(waived) : null]
    .filter(Boolean)
    .join('; ');
  return html`<details class="check" data-verdict="${verdict}" ${open ? html` open` : null}>
    <summary>
      <span class="verdict">${sign(VERDICTS[verdict])}</span
      ><span class="name">${title}${notes ? html`<span class="note">${notes}</span>` : null}</span
      ><span class="value">${amount(result)}</span><span class="threshold">${result.threshold ?? '–'}</span>
    </summary>
    <dl>
      ${line(T.checks.nextAction, nextAction)}${line(T.checks.thresholdFrom, result.source)}${line(T.checks.countsAs, regarded(expectation))}${line(T.checks.waivedTitle, waived)}${line(T.checks.check, T.checks.ran(result.id, attempt, duration(result.seconds), plural(times, T.checks.time)))}${line(T.checks.evidence, result.evidence ? html`<pre>${result.evidence}</pre>` : null)}
    </dl>
  </details>`;
}

function tasks({ layer }: ReportPart, report: Report): Markup | null {
  if (layer === null) return null;
  const all = report.changed.filter((t) => t.layer === layer);
  if (all.length === 0) return html`<p class="quiet">${T.checks.noTask}</p>`;
  return html`<details class="more">
    <summary>${T.checks.changed(plural(all.length, T.checks.task))}</summary>
    <ol>
      ${all.map((t) => html`<li>${t.name}${t.role ? html` <span class="quiet">${t.role}</span>` : null}</li>`)}
    </ol>
  </details>`;
}

function part(p: ReportPart, report: Report): Markup {
  const heads = html`<div class="check-head">
    <span>${T.checks.heads.verdict}</span><span>${T.checks.heads.check}</span
    ><span>${T.checks.heads.value}</span><span>${T.checks.heads.threshold}</span>
  </div>`;
  const list = p.checks.length
    ? html`<div class="checks">${heads}${p.checks.map((c) => check(c, report.made.zone))}</div>`
    : html`<p class="quiet">${p.state === 'not_run' ? T.checks.notRunSoNothing : T.checks.noCheck}</p>`;
  // What is out of date is told above them.
  const gaps = p.gaps.filter((g) => g.verdict !== 'pass' && !(p.stale && g.reason === p.stale));
  const proofs = p.gaps.filter((g) => g.verdict === 'pass');
  return html`<section class="part" id="part-${p.id}">
    <h3>${p.title} ${sign(partSign(p))}</h3>
    ${p.stale ? html`<p class="stale">${T.checks.stale(p.stale)}</p>` : null}
    ${
      gaps.length
        ? html`<ul class="gaps">
            ${gaps.map((g) => html`<li>${sign(VERDICTS[g.verdict])} ${g.title}${g.reason ? `: ${g.reason}` : ''}</li>`)}
          </ul>`
        : null
    }
    ${
      proofs.length
        ? html`<ul class="gaps">
            ${proofs.map((g) => html`<li>${sign(VERDICTS[g.verdict])} ${g.title}</li>`)}
          </ul>`
        : null
    }
    ${sentences(T.checks.deviations, 'warn', p.deviations)}
    ${p.checks.length || p.kind !== 'keys' ? list : null}${tasks(p, report)}
  </section>`;
}

/** Parts that never ran are told in one list, not each in an empty chapter. */
export function parts(report: Report): Markup {
  const ran = report.parts.filter((p) => p.attempts > 0);
  return html`<section id="parts">
    <h2>${T.checks.heading}</h2>
    ${ran.length ? ran.map((p) => part(p, report)) : html`<p class="quiet">${T.checks.noJob}</p>`}
  </section>`;
}

export function notRun(report: Report): Markup {
  const rows = report.notRun.map(
    (n) =>
      html`<tr>
        <td>${n.part}</td>
        <td>${n.what === n.part ? T.checks.allOfIt : n.what}</td>
        <td>${sign(VERDICTS[n.verdict])}</td>
        <td>${n.why}</td>
      </tr>`,
  );
  return html`<section id="not-run">
    <h2>${T.checks.notRun}</h2>
    ${
      rows.length
        ? html`<table>
            <thead>
              <tr>
                <th>${T.checks.notRunHeads.part}</th>
                <th>${T.checks.notRunHeads.what}</th>
                <th>${T.checks.notRunHeads.verdict}</th>
                <th>${T.checks.notRunHeads.why}</th>
              </tr>
            </thead>
            <tbody>
              ${rows}
            </tbody>
          </table>`
        : html`<p class="quiet">${T.checks.allRun}</p>`
    }
  </section>`;
}
