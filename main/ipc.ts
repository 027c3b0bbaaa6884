/**
 * The window's calls; the entry answers one channel beside them, that the app has started. Every call of the contract gets a handler, or this does not compile; each is checked
 * for its sender and its input, and answers `{ok: true, value}` or `{ok: false, error}`, never anything else.
 */
import { ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron';
import { z } from 'zod';
import { calls, type CallInput, type CallName, type CallOutput } from '../preload/contract/calls.ts';
import { AppError, asAppError } from '../preload/contract/errors.ts';
import { forWindow } from '../preload/contract/window-actions.ts';
import { notices, type Notice, type NoticeName } from '../preload/contract/notices.ts';

export type Handlers = {
  [K in CallName]: (input: CallInput<K>, from: WebContents) => CallOutput<K> | Promise<CallOutput<K>>;
};

/** Only our own page, and only as the top of its window, may call. */
export type IsOurs = (event: IpcMainInvokeEvent) => boolean;

export function serve(handlers: Handlers, isOurs: IsOurs, log: (text: string) => void): void {
  for (const name of Object.keys(calls) as CallName[]) {
    ipcMain.handle(name, (event, input: unknown) =>
      answer(name, handlers, isOurs(event), input, event.sender, log),
    );
  }
}

/** Answers every call with the error for which the app could not begin: the page shows it, and what to do now. */
export function serveError(error: AppError): void {
  for (const name of Object.keys(calls))
    ipcMain.handle(name, () => ({ ok: false as const, error: forWindow(error.toReply()) }));
}

async function answer<K extends CallName>(
  name: K,
  handlers: Handlers,
  ours: boolean,
  input: unknown,
  from: WebContents,
  log: (text: string) => void,
) {
  try {
    if (!ours) throw new AppError('internal', { detail: 'a call came from a page that is not this app' });
    const parsed = calls[name].input.safeParse(input);
    if (!parsed.success) {
      // The schema's own words name fields only: a value could be a secret.
      const fields = parsed.error.issues.map((i) => `${i.path.join('.') || 'input'}: ${i.code}`).join(', ');
      throw new AppError('input_invalid', { fields });
    }
    const value = await handlers[name](parsed.data as CallInput<K>, from);
    return { ok: true as const, value: calls[name].output.parse(value) };
  } catch (error) {
    const known =
      error instanceof z.ZodError
        ? new AppError('internal', { detail: `the answer to ${name} is not what the contract says` }, error)
        : asAppError(error);
    if (known.code === 'internal')
      log(`${name}: ${known.message} ${error instanceof Error ? (error.stack ?? '') : ''}`);
    return { ok: false as const, error: forWindow(known.toReply()) };
  }
}

/** Tells a window something unasked. What does not fit the contract is an error of ours, and is thrown. */
export function tell<K extends NoticeName>(to: WebContents, name: K, notice: Notice<K>): void {
  if (!to.isDestroyed()) to.send(name, notices[name].parse(notice));
}
