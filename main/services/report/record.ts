/** Telemetry, and the jobs with their records: what rests on which lines, and whether those are whole. */
import type { Report, ReportJob, ReportTelemetry } from '../../../preload/contract/report.ts';
import { charts, CHARTS } from './charts.ts';
import { evidenceWord, sign } from './front.ts';
import { html, type Markup } from './markup.ts';
import { duration, localTime, number, plural, STATES } from './words.ts';

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
      <td class="time">GPU ${name}</td>
      ${cells}
    </tr>`;
  });
  const heads = shown.map(
    ({ k }) => html`<th class="num">${k.title}<span class="note">${k.unit}</span></th>`,
  );
  return html`<table class="summary">
    <thead>
      <tr>
        <th>Series</th>
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
      <p class="quiet">
        ${duration(t.seconds)}, ${plural(samples, 'sample')} a GPU; the table gives lowest / mean / highest,
        the lines the lowest and the highest of each stretch.
      </p>
      ${summary(t)}
      <div class="charts">${charts(t)}</div>
    </section>`;
  });
  return html`<section id="telemetry">
    <h2>Telemetry</h2>
    ${all.length ? all : html`<p class="quiet">No telemetry is recorded.</p>`}
  </section>`;
}

function chain(j: ReportJob): Markup {
  if (j.chain.ok)
    return sign({ icon: '✓', word: j.events ? 'whole' : 'no line', style: j.events ? 'good' : 'none' });
  return html`${sign({ icon: '✕', word: 'chain broken', style: 'bad' })}<span class="note"
      >${j.chain.detail}</span
    >`;
}

function job(j: ReportJob, zone: string): Markup {
  const boots =
    j.boots.length > 1 ? `${plural(j.boots.length, 'boot')}: ${j.boots.join(', ')}` : (j.boots[0] ?? '–');
  const counts =
    j.counts &&
    `${j.counts.ok} ok, ${j.counts.changed} changed, ${j.counts.failed} failed, ${j.counts.skipped} skipped`;
  const more: [string, string | null][] = [
    ['Why', j.detail ?? j.code],
    ['Counted', counts],
    ['Job', `${j.job}, attempt ${j.attempt}`],
    ['Boot', boots],
    ['Spec', `SHA-256 ${j.specSha256}`],
    ['Last line', j.headSha256 ? `SHA-256 ${j.headSha256}` : 'there is none'],
    [
      'Not readable here',
      j.unknown.length ? j.unknown.map((u) => `line ${u.seq} (${u.kind}): ${u.why}`).join('; ') : null,
    ],
  ];
  return html`<tbody class="job">
    <tr>
      <td>${j.title}<span class="note">${j.kind}${j.attempt > 1 ? `, attempt ${j.attempt}` : ''}</span></td>
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
        Every line of a job’s log carries the SHA-256 of the line before it, from the job’s orders on. All of
        them were hashed anew for this report:
        ${whole === jobs.length ? html`all ${plural(whole, 'record')} whole.` : html`<strong class="bad">${plural(jobs.length - whole, 'record')} of ${jobs.length} broken.</strong>`}
      </p>`
    : html`<p class="quiet">No job is recorded.</p>`;
  const heads = ['Job', 'Started', 'Took', 'State', 'From', 'Evidence', 'Lines', 'Record'];
  return html`<section id="record">
    <h2>Jobs and record</h2>
    ${told}${
      jobs.length
        ? html`<table class="jobs">
            <thead>
              <tr>
                ${heads.map((h) => html`<th${h === 'Took' || h === 'Lines' ? html` class="num"` : null}>${h}</th>`)}
              </tr>
            </thead>
            ${jobs.map((j) => job(j, made.zone))}
          </table>`
        : null
    }
  </section>`;
}
