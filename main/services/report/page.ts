/** The report as one HTML file that needs nothing else: style, script, charts and data are in it (resources/report/). */
import { createHash } from 'node:crypto';
import type { Report } from '../../../preload/contract/report.ts';
import { access, facts, identity, profile } from './box.ts';
import { notRun, overview, parts } from './checks.ts';
import { front, stamp, watermark } from './front.ts';
import { escape, html } from './markup.ts';
import { putOn } from './puton.ts';
import { record, telemetry } from './record.ts';
import { template } from './template.ts';
import { T } from './texts.ts';

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** `json` is the text of report.json, made by scriptJson: it stands in the page as it is. */
export function page(report: Report, json: string): string {
  const style = template('report.css');
  const script = template('report.js');
  const sha256 = createHash('sha256').update(`${json}\n`).digest('hex');
  const body = html`${watermark(report)}
    <div class="sheet">
      <div class="top" role="banner">${stamp(report)}</div>
      <div class="body">
        <main>
          <div class="tools" hidden>
            <button type="button" data-do="open">${T.openAll}</button
            ><button type="button" data-do="close">${T.closeAll}</button
            ><button type="button" data-do="odd" aria-pressed="false">${T.onlyOdd}</button>
          </div>
          ${front(report, overview(report))} ${identity(report)} ${putOn(report)} ${parts(report)}
          ${notRun(report)} ${telemetry(report)} ${facts(report)} ${access(report)} ${record(report)}
          ${profile(report)}
          <footer>
            ${T.sameData}
            <span class="code">${sha256}</span>
          </footer>
        </main>
      </div>
    </div>`;
  const filled: Record<string, string> = {
    policy: `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`,
    title: escape(T.title(report.box.name, report.made.local)),
    style: `<style>${style}</style>`,
    body: body.text,
    data: `<script type="application/json" id="report">${json}</script>`,
    script: `<script>${script}</script>`,
  };
  return template('page.html').replace(/\{\{(\w+)\}\}/g, (_, name: string) => filled[name] ?? '');
}
