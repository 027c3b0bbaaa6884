/** HTML from templates in which every value is escaped, unless it is markup made by the same templates. */

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | null | undefined | readonly Value[];

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * What a browser would not show as it is becomes U+FFFD: control characters (a NUL or a terminal's colours in the raw
 * evidence) and marks that turn the direction of text, with which a line could be made to read as another.
 */
// The linter's rule against control characters in patterns is met by building this one from code points.
const UNSHOWN = new RegExp(
  `[${[
    [0x00, 0x08],
    [0x0b, 0x0c],
    [0x0e, 0x1f],
    [0x7f, 0x9f],
    [0x202a, 0x202e],
    [0x2066, 0x2069],
  ]
    .map(([a, b]) => `\\u{${(a ?? 0).toString(16)}}-\\u{${(b ?? 0).toString(16)}}`)
    .join('')}]`,
  'gu',
);

export function escape(text: string): string {
  return text.replace(UNSHOWN, '\uFFFD').replace(/[&<>"']/g, (c) => NAMED[c] ?? c);
}

function show(value: Value): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value));
  return value.map(show).join('');
}

export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(strings.map((s, i) => s + (i < values.length ? show(values[i]) : '')).join(''));
}

/** JSON that can stand inside a script element: it holds no `<`, so nothing in it can end the element or begin another. */
export function scriptJson(data: unknown): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
