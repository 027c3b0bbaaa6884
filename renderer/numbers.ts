/** Numbers with their units, as every place of the window writes them. */

const two = (n: number) => String(n).padStart(2, '0');

/** `2:51`, `1:02:03`; whole seconds, never negative. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A duration in words as short as it can be read: `0.4 s`, `12 s`, `2 min 51 s`, `1 h 2 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${(Math.round(Math.max(0, seconds) * 10) / 10).toString()} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  const minutes = Math.round(s / 60);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes in powers of a thousand, three digits: `204 MB`, `1.25 GB`. */
export function bytes(count: number): string {
  let [n, at] = [Math.max(0, count), 0];
  while (n >= 999.5 && at < SIZES.length - 1) [n, at] = [n / 1000, at + 1];
  return `${at === 0 ? Math.round(n) : Number(n.toPrecision(3))} ${SIZES[at] ?? ''}`;
}

/** With at most so many digits behind the point, thousands apart by a narrow space. */
export function number(value: number, digits: number): string {
  const [whole = '', part] = Math.abs(value).toFixed(digits).split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return `${value < 0 ? '−' : ''}${apart}${part === undefined ? '' : `.${part}`}`;
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;
