/** The shape of window.api, derived from the contract. */
import type { CallInput, CallName, CallOutput } from './calls.ts';
import type { ErrorReply } from './errors.ts';
import type { Notice, NoticeName } from './notices.ts';

export type Answer<T> = { ok: true; value: T } | { ok: false; error: ErrorReply };

export interface Api {
  call: { [K in CallName]: (input: CallInput<K>) => Promise<Answer<CallOutput<K>>> };
  /** Each returns what ends it. */
  on: { [K in NoticeName]: (listener: (notice: Notice<K>) => void) => () => void };
}
