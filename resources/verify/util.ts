/** What the checks ask of node:util, in a browser (scripts/build-verify.mjs puts it in its place). Both sides come from JSON. */
type Named = Record<string, unknown>;

const isNamed = (value: unknown): value is Named => typeof value === 'object' && value !== null;

export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  if (!isNamed(a) || !isNamed(b)) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [names, others] = [Object.keys(a), Object.keys(b)];
  return (
    names.length === others.length &&
    names.every((name) => Object.hasOwn(b, name) && isDeepStrictEqual(a[name], b[name]))
  );
}
