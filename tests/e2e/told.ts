/** An error as the window tells it, held against the table of errors: the sentence, what to do now, the folded detail, the copy. */
import { expect } from 'vitest';
import type { Locator } from '@playwright/test';
import { AppError, type ErrorCode } from '../../preload/contract/errors.ts';
import { ERRORS } from '../../preload/contract/error-table.ts';
import { forWindow } from '../../preload/contract/window-actions.ts';
import { clipboard, setClipboard } from './looks.ts';
import type { OpenWindow } from './window.ts';

/** What no person is to read: gaps, other languages' nothing, a programmer's words. */
const UNFIT = /\{|\(\w+ unknown\)|undefined|\bnull\b|\[object|NaN|Traceback|\bat \S+ \(|\.m?[jt]s:\d/;

/** A sentence of the table with anything in its gaps. */
const withGaps = (text: string): RegExp =>
  new RegExp(
    text
      .split(/\{\w+\}/)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[\\s\\S]+'),
  );

/** The window's words for what to do now. Gaps are those of the table. */
const actionOf = (code: ErrorCode): string => {
  const gaps = ERRORS[code].nextAction.match(/\{\w+\}/g) ?? [];
  const named = Object.fromEntries(gaps.map((gap) => [gap.slice(1, -1), gap]));
  return forWindow(new AppError(code, named).toReply()).nextAction;
};

/**
 * Resolves when the window tells this error, and only this, with its sentence and next action; `says`: words of it. The detail
 * is folded, and what is copied names the code.
 */
export async function tells(
  { app, page }: OpenWindow,
  code: ErrorCode,
  says: RegExp = /./,
  within: Locator = page.getByRole('main'),
): Promise<void> {
  const alert = within.getByRole('alert').filter({ hasText: withGaps(ERRORS[code].message) });
  await alert.waitFor({ timeout: 30_000 });
  expect(await within.getByRole('alert').count()).toBe(1);
  const text = await alert.innerText();
  expect(text).toMatch(says);
  expect(text).toMatch(withGaps(actionOf(code)));
  expect(text).not.toMatch(UNFIT);
  // The code is for support, not for the engineer.
  expect(text).not.toContain(code);
  const detail = alert.getByRole('button', { name: 'Detail', exact: true });
  if ((await detail.count()) > 0) {
    await detail.click();
    await alert.getByText(code).waitFor();
    await alert.getByRole('button', { name: 'Hide detail' }).click();
  }
  await setClipboard(app, '');
  await alert.getByRole('button', { name: 'Copy for support' }).click();
  await expect.poll(() => clipboard(app)).toMatch(new RegExp(`^${code}: .+\\n.+`));
}
