/** Versions as dpkg orders them (Debian policy, "Version"); plain numbers with dots are ordered the same way. */

/** dpkg's weight of a character outside numbers: `~` before the end, the end before letters, letters before all others. */
function weight(c: string | undefined): number {
  if (c === undefined) return 0;
  if (c === '~') return -1;
  return /[A-Za-z]/.test(c) ? c.charCodeAt(0) : c.charCodeAt(0) + 256;
}

/** Compares two parts of a version, by turns what is no number and what is one. */
function compareParts(a: string, b: string): number {
  const split = (text: string): string[] => [...(text.match(/\d+|\D+/g) ?? [])];
  const [left, right] = [split(a), split(b)];
  const isNumber = (text: string | undefined) => text !== undefined && /^\d/.test(text);
  // Both begin with what is no number, if only with nothing.
  if (isNumber(left[0])) left.unshift('');
  if (isNumber(right[0])) right.unshift('');
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [x = '', y = ''] = [left[at], right[at]];
    if (at % 2 === 1) {
      const difference = BigInt(x || '0') - BigInt(y || '0');
      if (difference !== 0n) return difference > 0n ? 1 : -1;
      continue;
    }
    for (let i = 0; i < Math.max(x.length, y.length); i += 1) {
      const difference = weight(x[i]) - weight(y[i]);
      if (difference !== 0) return Math.sign(difference);
    }
  }
  return 0;
}

function parts(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/** Below, equal to or above 0 as `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parts(a), parts(b)];
  return (
    compareParts(x.epoch, y.epoch) ||
    compareParts(x.upstream, y.upstream) ||
    compareParts(x.revision, y.revision)
  );
}

/** Whether a version begins with the series' numbers: 580.95.05 is of 580 and of 580.95, and 5800.1 is of neither. */
export function versionInSeries(version: string, series: string): boolean {
  const plain = version.replace(/^\d+:/, '');
  return plain === series || (plain.startsWith(series) && !/[0-9A-Za-z]/.test(plain[series.length] ?? ''));
}
