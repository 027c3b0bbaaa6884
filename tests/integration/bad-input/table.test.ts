/** The table itself: everything on the list has a row, and no two things on it are told by the same sentence. */
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../preload/contract/errors.ts';
import { ITEMS, nameOf, type Row } from './row.ts';
import { AT_WORK, FIRST_CONTACT, ONLY_ROOT } from './table.ts';

const FILES: readonly (readonly Row[])[] = [FIRST_CONTACT, ONLY_ROOT, AT_WORK];
const ROWS = FILES.flat();

/** Rows that end with an error, with its code. */
const failing = (rows: readonly Row[]) =>
  rows.flatMap((row) => (row.code === null ? [] : [{ row, code: row.code }]));

describe('the table of bad input', () => {
  it.each(ITEMS)('has a row for: %s', (item) => {
    expect(ROWS.filter((row) => row.item === item)).not.toHaveLength(0);
  });

  it('names each row once', () => {
    const names = ROWS.map(nameOf);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('has the exit codes that the errors have', () => {
    for (const { row, code } of failing(ROWS)) expect(row.exit, nameOf(row)).toBe(ERRORS[code].exit);
  });

  it('has one item to a code; where two share one, their sentences are compared on one box', () => {
    const shared = failing(ROWS).filter(({ row, code }) =>
      failing(ROWS).some((other) => other.code === code && other.row.item !== row.item),
    );
    expect(new Set(shared.map(({ code }) => code))).toEqual(new Set<ErrorCode>(['clock_wrong']));
    for (const { row } of shared) expect(FIRST_CONTACT).toContain(row);
  });

  it('has another sentence and next action for each code', () => {
    const codes = [...new Set(failing(ROWS).map(({ code }) => code))];
    const texts = codes.map((code) => `${ERRORS[code].message}\n${ERRORS[code].nextAction}`);
    expect(new Set(texts).size).toBe(codes.length);
  });

  it('is typed by a person once for each family of errors', () => {
    const families = new Set(failing(ROWS).map(({ row }) => row.exit));
    const typed = ROWS.filter((row) => row.person);
    expect(new Set(typed.map((row) => row.exit))).toEqual(families);
  });
});
