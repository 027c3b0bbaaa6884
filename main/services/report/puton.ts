/** What was flashed and provisioned, with versions and hashes. */
import type { Report, ReportPut } from '../../../preload/contract/report.ts';
import { sign } from './front.ts';
import { html, type Markup } from './markup.ts';
import { STATES } from './words.ts';
import { T } from './texts.ts';

const line = (name: string, value: string): Markup =>
  html`<span class="each"><span class="quiet">${name}</span> <span class="code">${value}</span></span>`;

function row({ title, attempt, state, values, diskHash, specSha256 }: ReportPut): Markup {
  return html`<tr>
    <td>${title}${attempt > 1 ? html`<span class="note">${T.put.attempt(attempt)}</span>` : null}</td>
    <td>${sign(STATES[state])}</td>
    <td>
      ${values.map(({ name, value }) => line(name, value))}${diskHash ? line(T.put.diskHash, diskHash) : null}
      ${line(T.put.orders, specSha256)}
    </td>
  </tr>`;
}

export function putOn({ put }: Report): Markup {
  return html`<section id="put">
    <h2>${T.put.heading}</h2>
    ${
      put.length
        ? html`<table>
            <thead>
              <tr>
                <th>${T.put.heads.job}</th>
                <th>${T.put.heads.state}</th>
                <th>${T.put.heads.orders}</th>
              </tr>
            </thead>
            <tbody>
              ${put.map(row)}
            </tbody>
          </table>`
        : html`<p class="quiet">${T.put.none}</p>`
    }
  </section>`;
}
