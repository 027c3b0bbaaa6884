/** The page that verifies an archive without the app (resources/verify/): written out with the keys that are trusted on this laptop. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../preload/contract/errors.ts';
import { replaceSynced } from '../synced.ts';
import { publicKeyLine } from './archive/signature.ts';
import type { TrustedKey } from './archive/trust.ts';
import { productRoot } from './paths.ts';
import { scriptJson } from './report/markup.ts';

/** What it is called where nobody names it. */
export const VERIFY_PAGE = 'vault-cube-verify.html';

const TRUST = '<script type="application/json" id="trust">[]</script>';

/** Errors: output_unwritable; internal where the page was not built. */
export function writeVerifyPage(path: string, trusted: readonly TrustedKey[]): void {
  const built = join(productRoot(), 'out/verify/page.html');
  let page: string;
  try {
    page = readFileSync(built, 'utf8');
  } catch (error) {
    throw new AppError('internal', { detail: `${built} was not built.` }, error);
  }
  const keys = trusted.map(({ name, key }) => ({ name, key: publicKeyLine(key) }));
  const [before, after, ...more] = page.split(TRUST);
  if (before === undefined || after === undefined || more.length)
    throw new AppError('internal', { detail: `${built} has no place for keys.` });
  try {
    replaceSynced(path, before + TRUST.replace('[]', () => scriptJson(keys)) + after, 0o644);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('output_unwritable', { path, detail }, error);
  }
}
