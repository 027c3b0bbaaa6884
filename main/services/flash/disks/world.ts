/** Where facts about disks are read: on this laptop as they are, or as a box told them in one look (resources/box/vcbox/disks.py). */
import { readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { z } from 'zod';
import { printed } from '../../programs.ts';

/** lsblk reads no data of a disk; one that does not answer at all would otherwise hold up all others. In ms. */
export const TOOL_MS = 15_000;

export interface Ran {
  stdout: string;
  stderr: string;
  /** The exit code, or the name of what kept it from running; null where it was ended for its time. */
  code: number | string | null;
}

/** All but `ran` answer null for what is not there: devices come and go while they are looked at. */
export interface World {
  readonly root: boolean;
  ran(command: string, args: readonly string[]): Promise<Ran>;
  /** A small file, trimmed. */
  read(path: string): string | null;
  names(dir: string): string[] | null;
  /** Where a link says it leads. */
  link(path: string): string | null;
  /** The path with all links followed. */
  real(path: string): string | null;
}

const orNull = <T>(fn: () => T): T | null => {
  try {
    return fn();
  } catch {
    return null;
  }
};

export const HERE: World = {
  root: process.getuid?.() === 0,
  ran: async (command, args) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const { stdout, stderr, error } = await printed(command, args, { timeout: TOOL_MS, env });
    return { stdout, stderr, code: error ? (error.code ?? null) : 0 };
  },
  read: (path) => orNull(() => readFileSync(path, 'utf8').trim()),
  names: (dir) => orNull(() => readdirSync(dir)),
  link: (path) => orNull(() => readlinkSync(path)),
  real: (path) => orNull(() => realpathSync(path)),
};

const Texts = z.record(z.string(), z.string());
const Ran = z.object({
  argv: z.array(z.string()),
  stdout: z.string(),
  stderr: z.string(),
  code: z.union([z.number().int(), z.string(), z.null()]),
});

/** One look at another machine, as text and nothing judged. */
export const Look = z.object({
  v: z.literal(1),
  root: z.boolean(),
  runs: z.array(Ran),
  files: Texts,
  dirs: z.record(z.string(), z.array(z.string())),
  links: Texts,
  reals: Texts,
});
export type Look = z.infer<typeof Look>;

/** What was not looked at is not there; a command that was not run there could not be. */
export function worldOf(look: Look): World {
  const of = <T>(map: Record<string, T>, key: string): T | null =>
    Object.hasOwn(map, key) ? (map[key] as T) : null;
  return {
    root: look.root,
    ran: (command, args) => {
      const asked = JSON.stringify([command, ...args]);
      const found = look.runs.find(({ argv }) => JSON.stringify(argv) === asked);
      return Promise.resolve(found ?? { stdout: '', stderr: `${command} was not run`, code: 'ENOENT' });
    },
    read: (path) => of(look.files, path)?.trim() ?? null,
    names: (dir) => of(look.dirs, dir),
    link: (path) => of(look.links, path),
    real: (path) => of(look.reals, path),
  };
}
