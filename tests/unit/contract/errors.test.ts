/** Every error says what is wrong and what to do, and whoever throws one gives the facts that its sentences name. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  AppError,
  ERRORS,
  ErrorReply,
  asAppError,
  type ErrorCode,
} from '../../../preload/contract/errors.ts';
import type { ErrorEntry } from '../../../preload/contract/error-table.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TABLE = Object.entries(ERRORS) as [ErrorCode, ErrorEntry][];

const named = (text: string): string[] => [
  ...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '')),
];
const placeholders = ({ message, nextAction }: ErrorEntry): string[] => named(`${message} ${nextAction}`);

describe('the table', () => {
  it.each(TABLE)('%s: a sentence, a next action, an exit code of its own', (_code, entry) => {
    expect(entry.message).toMatch(/^([A-Z{]|sudo |apt |dpkg ).*(\.|\})$/);
    expect(entry.nextAction).toMatch(/^\S.*\S$/);
    // A brace that is no placeholder would be shown as it stands.
    const rest = `${entry.message}${entry.nextAction}`.replaceAll(/\{\w+\}/g, '');
    expect(rest).not.toMatch(/[{}]/);
    expect(entry.message).not.toMatch(/something went wrong|unexpected error/i);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 30, 31]).toContain(entry.exit);
  });

  it.each(TABLE)('%s: filled in it has no gap, and without facts it says what is unknown', (code, entry) => {
    const names = placeholders(entry);
    const full = new AppError(code, Object.fromEntries(names.map((n) => [n, `<${n}>`])));
    expect(`${full.message} ${full.nextAction}`).not.toMatch(/\{|unknown\)/);
    for (const name of names) expect(`${full.message} ${full.nextAction}`).toContain(`<${name}>`);
    const empty = new AppError(code);
    for (const name of names) expect(`${empty.message} ${empty.nextAction}`).toContain(`(${name} unknown)`);
    expect(ErrorReply.parse(full.toReply())).toMatchObject({ code, exit: entry.exit, detail: null });
  });
});

describe('an error', () => {
  it('keeps what led to it for the folded part', () => {
    const error = new AppError('link_lost', { host: 'box', seconds: 3 }, new Error('ECONNRESET'));
    expect(error.message).toBe('The connection to box broke and did not come back within 3 s.');
    expect(error.toReply()).toMatchObject({
      code: 'link_lost',
      retryable: true,
      exit: 3,
      detail: 'ECONNRESET',
    });
    expect(asAppError(error)).toBe(error);
  });

  it('that nobody foresaw is internal, with its text', () => {
    expect(asAppError(new TypeError('x is not a function'))).toMatchObject({ code: 'internal' });
    expect(asAppError('text').message).toContain('text');
  });

  it('takes facts as they are: no placeholder in a fact is filled', () => {
    expect(new AppError('usage', { what: 'a {what} {host}' }).message).toBe('a {what} {host}');
    expect(new AppError('unknown_box', { name: '$&' }).message).toContain('$&');
  });
});

describe('whoever throws an error', () => {
  interface Throw {
    where: string;
    codes: string[];
    /** Names given for certain; null where the program builds them at run time. */
    given: string[] | null;
    /** Whether only its next action is taken from it. */
    actionOnly: boolean;
  }

  /** Every `new AppError(…)` of the product, with what the compiler knows of its arguments. */
  function throws(): Throw[] {
    const files = ['main', 'preload'].flatMap((dir) =>
      readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(ROOT, dir, name)),
    );
    const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
    const program = ts.createProgram(files, options);
    const checker = program.getTypeChecker();
    const found: Throw[] = [];
    const visit = (node: ts.Node, source: ts.SourceFile): void => {
      ts.forEachChild(node, (child) => visit(child, source));
      if (!ts.isNewExpression(node) || node.expression.getText(source) !== 'AppError') return;
      const [code, facts] = node.arguments ?? [];
      if (!code) return;
      const type = checker.getTypeAtLocation(code);
      const codes = (type.isUnion() ? type.types : [type]).flatMap((t) =>
        t.isStringLiteral() ? [t.value] : [],
      );
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push({
        where: `${source.fileName.slice(ROOT.length)}:${line + 1}`,
        codes,
        actionOnly:
          ts.isPropertyAccessExpression(node.parent) && node.parent.name.getText(source) === 'nextAction',
        given: facts ? namesOf(checker, checker.getTypeAtLocation(facts)) : [],
      });
    };
    for (const path of files) {
      const source = program.getSourceFile(path);
      if (source) visit(source, source);
    }
    return found;
  }

  function namesOf(checker: ts.TypeChecker, type: ts.Type): string[] | null {
    // A map of any names is known at run time only.
    if (checker.getIndexInfosOfType(type).length) return null;
    return checker
      .getPropertiesOfType(type)
      .filter((p) => !(p.flags & ts.SymbolFlags.Optional))
      .map((p) => p.name);
  }

  it('names a known code and gives every fact that its sentences name', { timeout: 60_000 }, () => {
    const all = throws();
    expect(all.length).toBeGreaterThan(100);
    const wrong = all.flatMap(({ where, codes, given, actionOnly }) =>
      codes.flatMap((code) => {
        const entry = (ERRORS as Record<string, ErrorEntry>)[code];
        if (!entry) return [`${where}: no code ${code}`];
        if (given === null) return [];
        const wanted = actionOnly ? named(entry.nextAction) : placeholders(entry);
        const missing = wanted.filter((name) => !given.includes(name));
        return missing.length ? [`${where}: ${code} lacks ${missing.join(', ')}`] : [];
      }),
    );
    expect(wrong).toEqual([]);
    // Most are seen: if the compiler stopped telling, this test would see nothing and pass.
    const seen = all.filter((t) => t.codes.length > 0 && t.given !== null);
    expect(seen.length / all.length).toBeGreaterThan(0.8);
  });
});

describe('a wait that was ended', () => {
  it('is told as what its end was for', async () => {
    const { setTimeout: delay } = await import('node:timers/promises');
    const left = new AbortController();
    const wait = delay(60_000, undefined, { signal: left.signal });
    left.abort(new AppError('left'));
    const known = await wait.then(
      () => null,
      (error: unknown) => asAppError(error),
    );
    expect(known?.code).toBe('left');
  });
});
