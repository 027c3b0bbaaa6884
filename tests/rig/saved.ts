/**
 * Boxes that were kept: what a box wrote above the built root, and Docker's data, in a folder from which other boxes start.
 * The tree is only ever a lower layer there, so that starting costs no copy of it and many can start from one.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './host.ts';
import type { Names } from './resources.ts';

/** What a kept box was; its tree names its own host keys, machine id and users. */
export interface Saved {
  /** The built root that its tree lies on. */
  root: string;
  /** Trees of kept boxes between its own and the root, the upper one first: it began as the first of them. */
  under?: string[];
  bundle: string;
  port: number;
  user: string;
  password: string;
}

const FILE = 'box.json';
const copy = (from: string, to: string) => must('cp', ['-aT', '--reflink=auto', from, to]);

/** Keeps a box that is off in `dir`, which must not be there yet and appears when it is whole. */
export async function saveBox(dir: string, names: Names, saved: Saved): Promise<void> {
  const work = `${dir}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const part of ['upper', 'docker']) await copy(join(names.dir, part), join(work, part));
  writeFileSync(join(work, FILE), JSON.stringify(saved));
  renameSync(work, dir);
}

/** What a box is that begins as the one that is kept in `dir`. */
export function readSaved(dir: string): Saved {
  const saved = JSON.parse(readFileSync(join(dir, FILE), 'utf8')) as Saved;
  return { ...saved, under: [join(dir, 'upper'), ...(saved.under ?? [])] };
}

/** The layers that a box's own tree lies on, the upper one first; nothing may write to them. */
export const layersOf = ({ under = [], root }: Saved): string[] => [...under, root];

/** Docker's data of a kept box, for a new one. */
export async function copyDocker(dir: string, names: Names): Promise<void> {
  await copy(join(dir, 'docker'), join(names.dir, 'docker'));
}
