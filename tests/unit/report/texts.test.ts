/** Every word of the page comes from texts.ts, words.ts or the record: with all texts marked, nothing unmarked is left that is not told. */
import { describe, expect, it, vi } from 'vitest';
import { reportPage } from '../../../main/services/report.ts';
import { OUTCOMES, STATES, VERDICTS } from '../../../main/services/report/words.ts';
import { gatherReport } from '../../../main/services/report/gather.ts';
import { plans } from './box.ts';
import { openDesk } from './desk.ts';

const BEGIN = '\uE000';
const END = '\uE001';

vi.mock('../../../main/services/report/texts.ts', async (original) => {
  const mark = (value: unknown): unknown => {
    if (typeof value === 'string') return `\uE000${value}\uE001`;
    if (typeof value === 'function')
      return (...args: unknown[]) => `\uE000${String(Reflect.apply(value, undefined, args))}\uE001`;
    if (Array.isArray(value)) return value.map(mark);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, mark(v)]));
    return value;
  };
  return mark(await original());
});

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** What a reader sees of the page: the text between its tags, and what is read out to who does not see it. */
function shown(html: string): string[] {
  const bare = html.replace(/<(style|script)\b.*?<\/\1>/gs, '<hr>');
  const labels = [...bare.matchAll(/ aria-label="([^"]*)"/g)].map((m) => m[1] ?? '');
  const all = [...bare.split(/<[^>]*>/), ...labels];
  return all.map((text) => text.replace(/&([a-z]+|#39);/g, (_, name: string) => NAMED[name] ?? '').trim());
}

/** Without the marked texts, and what was put into them. */
function unmarked(text: string): string {
  const inner = new RegExp(`${BEGIN}[^${BEGIN}${END}]*${END}`, 'g');
  for (let before = text; ; before = text) {
    text = text.replace(inner, ' ');
    if (text === before) return text.trim();
  }
}

/** Every text of the record. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) => [key, ...texts(v)]);
}

/** Hashes, with what they are called; times. */
const HASHES = /SHA-256|\b[0-9a-f]{64}\b|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+/g;
/** Of numbers. */
const UNITS = /\b(?:GiB|MiB|MHz|min)\b/g;

describe('the words of the page', () => {
  const desk = openDesk();

  it('are all in one place, but for what the record holds', () => {
    desk.fill(
      plans({ preflight: { evidence: 'practice' }, checks1: { end: null }, harden: { end: 'cancelled' } }),
    );
    const { journal, session } = desk;
    const report = gatherReport(journal, session.id, 'x');
    const words = [OUTCOMES, VERDICTS, STATES].flatMap((of) => Object.values(of).map((s) => s.word));
    const known = [...texts(report), ...words].sort((a, b) => b.length - a.length);
    const left = shown(reportPage(journal, session.id, 'x'))
      .map(unmarked)
      .filter((text) => /\p{L}/u.test(text))
      .filter((text) => !text.startsWith('{'))
      .map((text) => text.replace(HASHES, ' '))
      .map((text) => known.reduce((t, k) => (k.length > 2 ? t.replaceAll(k, ' ') : t), text))
      .map((text) => text.replace(UNITS, ' ').trim())
      .filter((text) => /\p{L}{2}/u.test(text));
    expect([...new Set(left)]).toEqual([]);
  });
});
