/** Telemetry, and the jobs with their records: what rests on which lines, and whether those are whole. */
import type { Report, ReportJob, ReportTelemetry } from '../../../preload/contract/report.ts';
import { charts, CHARTS } from './charts.ts';
import { evidenceWord, sign } from './front.ts';
import { html, type Markup } from './markup.ts';
import { duration, localTime, number, plural, STATES } from './words.ts';
import { timeline } from './timeline.ts';
import { T } from './texts.ts';

/** A row a GPU, so that eight of them fit as well as two. */
function summary(telemetry: ReportTelemetry): Markup {
  const series = (k: (typeof CHARTS)[number]) =>
    telemetry.fields.find((f) => f.field === k.field)?.series ?? [];
  const shown = CHARTS.map((k) => ({ k, all: series(k) })).filter(({ all }) => all.length);
  const names = [...new Set(shown.flatMap(({ all }) => all.map((s) => s.name)))];
  const rows = names.map((name) => {
    const cells = shown.map(({ k, all }) => {
      const s = all.find((one) => one.name === name);
      const text = s ? [s.min, s.mean, s.max].map((n) => number(n / k.per, k.digits)).join(' / ') : '–';
      return html`<td class="num">${text}</td>`;
    });
    return html`<tr>
      <td class="time">${T.telemetry.gpu(name)}</td>
      ${cells}
    </tr>`;
  });
  const heads = shown.map(
    ({ k }) => html`<th class="num">${k.title}<span class="note">${k.unit}</span></th>`,
  );
  return html`<table class="summary">
    <thead>
      <tr>
        <th>${T.telemetry.series}</th>
        ${heads}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

export function telemetry(report: Report): Markup {
  const all = report.telemetry.map((t) => {
    const samples = Math.max(0, ...t.fields.flatMap((f) => f.series.map((s) => s.count)));
    return html`<section class="telemetry">
      <h3>${t.title}</h3>
      <p class="quiet">${T.telemetry.about(duration(t.seconds), plural(samples, T.telemetry.sample))}</p>
      ${summary(t)}
      <div class="charts">${charts(t)}</div>
      ${timeline(t)}
    </section>`;
  });
  return html`<section id="telemetry">
    <h2>${T.telemetry.heading}</h2>
    ${all.length ? all : html`<p class="quiet">${T.telemetry.none}</p>`}
  </section>`;
}

function chain(j: ReportJob): Markup {
  if (j.chain.ok)
    return sign({
      icon: '✓',
      word: j.events ? T.record.whole : T.record.noLine,
      style: j.events ? 'good' : 'none',
    });
  return html`${sign({ icon: '✕', word: T.front.chainBroken, style: 'bad' })}<span class="note"
      >${j.chain.detail}</span
    >`;
}

function job(j: ReportJob, zone: string): Markup {
  const boots =
    j.boots.length > 1
      ? `${plural(j.boots.length, T.record.boot)}: ${j.boots.join(', ')}`
      : (j.boots[0] ?? '–');
  const counts =
    j.counts && T.record.counts(j.counts.ok, j.counts.changed, j.counts.failed, j.counts.skipped);
  const more: [string, string | null][] = [
    [T.record.why, j.detail ?? j.code],
    [T.record.counted, counts],
    [T.record.job, T.record.jobIs(j.job, j.attempt)],
    [T.record.bootTitle, boots],
    [T.record.spec, T.record.sha256(j.specSha256)],
    [T.record.lastLine, j.headSha256 ? T.record.sha256(j.headSha256) : T.record.thereIsNone],
    [
      T.record.unreadable,
      j.unknown.length ? j.unknown.map((u) => T.record.line(u.seq, u.kind, u.why)).join('; ') : null,
    ],
  ];
  return html`<tbody class="job">
    <tr>
      <td>${j.title}<span class="note">${T.record.kindAttempt(j.kind, j.attempt)}</span></td>
      <td class="time">${localTime(j.startedAt ?? j.createdAt, zone)}</td>
      <td class="num">${duration(j.seconds)}</td>
      <td>${sign(STATES[j.state])}</td>
      <td>${j.laptop.name}<span class="note">${j.laptop.user}</span></td>
      <td>${evidenceWord(j.evidence)}</td>
      <td class="num">${number(j.events, 0)}</td>
      <td>${chain(j)}</td>
    </tr>
    <tr class="under">
      <td colspan="8">
        <dl>
          ${more.map(([name, text]) =>
            text
              ? html`<div>
                  <dt>${name}</dt>
                  <dd>${text}</dd>
                </div>`
              : null,
          )}
        </dl>
      </td>
    </tr>
  </tbody>`;
}

export function record({ jobs, made }: Report): Markup {
  const whole = jobs.filter((j) => j.chain.ok).length;
  const told = jobs.length
    ? html`<p>
        ${T.record.hashed}
        ${whole === jobs.length ? T.record.allWhole(plural(whole, T.record.record)) : html`<strong class="bad">${T.record.broken(plural(jobs.length - whole, T.record.record), jobs.length)}</strong>`}
      </p>`
    : html`<p class="quiet">${T.record.noJob}</p>`;
  const { heads } = T.record;
  const numbers: readonly string[] = [heads.took, heads.lines];
  return html`<section id="record">
    <h2>${T.record.heading}</h2>
    ${told}${
      jobs.length
        ? html`<table class="jobs">
            <thead>
              <tr>
                ${Object.values(heads).map((h) => html`<th${numbers.includes(h) ? html` class="num"` : null}>${h}</th>`)}
              </tr>
            </thead>
            ${jobs.map((j) => job(j, made.zone))}
          </table>`
        : null
    }
  </section>`;
}
