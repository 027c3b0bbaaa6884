/** First-boot settings as the window gives them: the key is chosen or made, the password hashed, and the box knows its host key beforehand. */
import type { FirstBoot, FirstBootChoice } from '../../../../preload/contract/firstboot.ts';
import type { Session } from '../../../../preload/contract/session.ts';
import type { App } from '../../app.ts';
import { ADMIN_USER } from '../../inspect.ts';
import { chooseKey } from '../../keys.ts';
import type { Secrets } from '../../secrets.ts';
import type { FirstBootOrder } from '../flash.ts';
import { expectHostKey } from './box.ts';
import { cryptPassword } from './password.ts';

/** crypt(3) of a password, somewhere where its seconds of computing hold nothing up. Errors: first_boot_password. */
export type HashPassword = (password: string) => Promise<string>;

/** In this process, which answers nobody meanwhile. */
export const hashHere: HashPassword = (password) => Promise.resolve().then(() => cryptPassword(password));

export interface FirstBootGiven {
  order: FirstBootOrder;
  /** With the key as it is now: one that was to be made is a file. */
  choice: FirstBootChoice;
}

/** `newSudoPassword` is asked for where it was not given. Errors: those of chooseKey, secret_missing, first_boot_password. */
export async function firstBootOrder(
  app: App,
  session: Session,
  { secrets, choice, hash }: { secrets: Secrets; choice: FirstBootChoice; hash: HashPassword },
): Promise<FirstBootGiven> {
  const { hostname, key, address } = choice;
  const password = await secrets.need('newSudoPassword', `${ADMIN_USER} on ${hostname}`);
  const passwordHash = await hash(password);
  const generated = { kind: 'generate' as const, path: null, withPassphrase: secrets.has('passphrase') };
  const wanted = key.kind === 'generate' ? generated : key;
  const { publicKey, reference, fingerprint } = await chooseKey(app, session, secrets, wanted);
  const settings: FirstBoot = { hostname, authorizedKeys: [publicKey], address };
  // A practice box is never started from its disk: its host key stays.
  const onHostKey: FirstBootOrder['onHostKey'] = (hostKey, layers) =>
    session.practice ? undefined : expectHostKey(app, session, settings, hostKey, layers);
  const now =
    reference.kind === 'file'
      ? { kind: 'file' as const, path: reference.path }
      : { kind: 'agent' as const, fingerprint };
  return { order: { settings, passwordHash, onHostKey }, choice: { hostname, key: now, address } };
}
