/** The bridge that preload exposes, typed by the contract. A failed call throws its error as the table has it. */
import type { Api } from '../preload/contract/api.ts';
import type { CallInput, CallName, CallOutput } from '../preload/contract/calls.ts';
import type { ErrorReply } from '../preload/contract/errors.ts';

declare global {
  interface Window {
    api: Api;
  }
}

/** What main answered instead of a value: a sentence, what to do, and the detail for the folded part. */
export class CallError extends Error {
  readonly reply: ErrorReply;

  constructor(reply: ErrorReply) {
    super(reply.message);
    this.reply = reply;
  }
}

export async function call<K extends CallName>(name: K, input: CallInput<K>): Promise<CallOutput<K>> {
  const answer = await window.api.call[name](input);
  if (!answer.ok) throw new CallError(answer.error);
  return answer.value;
}

/** Anything thrown in the window as what the screen shows; a mistake of ours says so. */
export function replyOf(error: unknown): ErrorReply {
  if (error instanceof CallError) return error.reply;
  return {
    code: 'internal',
    message: 'The window met a state its authors did not foresee.',
    nextAction: 'Go to another step and come back; what runs on the box goes on.',
    retryable: false,
    exit: 1,
    detail: error instanceof Error ? error.message : String(error),
  };
}
