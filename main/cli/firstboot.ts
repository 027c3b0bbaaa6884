/** First-boot settings as the command line takes them: a file of JSON, and the sudo password as every other secret. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ZodError } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import { FirstBootFile, type FirstBoot } from '../../preload/contract/firstboot.ts';
import type { Session } from '../../preload/contract/session.ts';
import type { FirstBootOrder } from '../services/flash/flash.ts';
import { boxToBe, expectHostKey, mustBeBox } from '../services/flash/seed/box.ts';
import { cryptPassword } from '../services/flash/seed/password.ts';
import { ADMIN_USER } from '../services/inspect.ts';
import { parsePublicKeys, readPublicKeys } from '../services/publickeys.ts';
import type { Context } from './context.ts';

const MAX_BYTES = 64 * 1024;

const said = (error: ZodError): string =>
  error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');

/** Errors: first_boot_invalid, key_missing, key_not_public. */
export function readFirstBoot(given: string): FirstBoot {
  const path = resolve(given);
  const invalid = (detail: string) => new AppError('first_boot_invalid', { path, detail });
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw invalid('there is no such file');
  if (found.size > MAX_BYTES) throw invalid('it is too large to be such settings');
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Without the parser's words: they quote the file, and somebody may have put a password into it.
    throw invalid('it is no JSON');
  }
  const parsed = FirstBootFile.safeParse(json);
  if (!parsed.success) throw invalid(said(parsed.error));
  const { hostname, authorizedKey, authorizedKeyFile, address } = parsed.data;
  const keys =
    authorizedKeyFile === undefined
      ? parsePublicKeys(authorizedKey ?? '', path)
      : readPublicKeys(resolve(dirname(path), authorizedKeyFile));
  return { hostname, authorizedKeys: keys.map(({ line }) => line), address: address ?? null };
}

export interface FirstBootChoice {
  order: FirstBootOrder;
  /** The box that --box names, which need not be known yet; null without. To be asked for once the flash is confirmed. */
  box: () => Session | null;
}

/** `secret`: over the network `sudoPassword` is that of the live system. Errors as above, usage, secret_missing, first_boot_password. */
export async function firstBootOf(
  { app, secrets, out }: Context,
  o: { firstBoot: string; box?: string | undefined },
  secret: 'sudoPassword' | 'newSudoPassword' = 'sudoPassword',
): Promise<FirstBootChoice> {
  const settings = readFirstBoot(o.firstBoot);
  const name = o.box;
  if (name !== undefined) mustBeBox(app, name);
  const password = await secrets.need(secret, `${ADMIN_USER} on ${settings.hostname}`);
  out.note('Hashing the sudo password takes some seconds.');
  const passwordHash = cryptPassword(password);
  const box = () => (name === undefined ? null : boxToBe(app, name));
  const onHostKey: FirstBootOrder['onHostKey'] = (hostKey, layers) => {
    const known = box();
    if (known) expectHostKey(app, known, settings, hostKey, layers);
    else out.note(`At the first login it is confirmed with --accept-host-key ${hostKey.fingerprint}`);
  };
  return { order: { settings, passwordHash, onHostKey }, box };
}
