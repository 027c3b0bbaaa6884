/**
 * The one error the app throws on purpose, and how it crosses a border. The table with its sentences is beside this file.
 */
import { z } from 'zod';
import { ERRORS } from './error-table.ts';

export { ERRORS };

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

export type ErrorFacts = Readonly<Record<string, string | number>>;

/** What crosses a border when something fails. `detail` is for the folded part and the log. */
export const ErrorReply = z.strictObject({
  code: ErrorCode,
  message: z.string(),
  nextAction: z.string(),
  retryable: z.boolean(),
  exit: z.number().int(),
  detail: z.string().nullable(),
});
export type ErrorReply = z.infer<typeof ErrorReply>;

const fill = (text: string, facts: ErrorFacts): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) =>
    Object.hasOwn(facts, name) ? String(facts[name]) : `(${name} unknown)`,
  );

/** The one error the app throws on purpose: code, human sentence, next action. `cause` keeps what led to it. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}, cause?: unknown) {
    super(fill(ERRORS[code].message, facts), cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }

  get nextAction(): string {
    return fill(ERRORS[this.code].nextAction, this.facts);
  }

  toReply(): ErrorReply {
    const { retryable, exit } = ERRORS[this.code];
    const cause = this.cause instanceof Error ? this.cause.message : null;
    return {
      code: this.code,
      message: this.message,
      nextAction: this.nextAction,
      retryable,
      exit,
      detail: cause,
    };
  }
}

/** Anything thrown, as an AppError; an unforeseen one becomes `internal` with its text as the detail. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // A wait that was ended: why, says who ended it.
  if (error instanceof Error && error.name === 'AbortError' && error.cause instanceof AppError)
    return error.cause;
  return new AppError('internal', { detail: error instanceof Error ? error.message : String(error) }, error);
}
