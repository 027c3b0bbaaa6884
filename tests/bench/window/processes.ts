/** What the processes of an app weigh and use, read from /proc. */
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ElectronApplication } from '@playwright/test';

const TICKS_PER_S = 100;

/** A file of the process; empty when it has just ended. */
function of(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Fields of /proc/PID/stat behind the name, which may hold anything. */
const stat = (pid: number): string[] =>
  of(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');

/** The process and all below it. */
export function tree(root: number): number[] {
  const parents = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .map((pid) => ({ pid, parent: Number(stat(pid)[1]) }));
  const found = [root];
  for (const pid of found) found.push(...parents.filter((p) => p.parent === pid).map((p) => p.pid));
  return found;
}

/** Proportional set size in MB: memory that several share is counted once between them. */
export function pss(pids: readonly number[]): number {
  const kB = pids.map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(of(pid, 'smaps_rollup'))?.[1] ?? 0));
  return kB.reduce((a, b) => a + b, 0) / 1000;
}

/** Seconds of one core that the processes have used so far. */
export const cpuSeconds = (pids: readonly number[]): number =>
  pids.map((pid) => Number(stat(pid)[11] ?? 0) + Number(stat(pid)[12] ?? 0)).reduce((a, b) => a + b, 0) /
  TICKS_PER_S;

/** The process of the page. */
export async function rendererOf(app: ElectronApplication): Promise<number> {
  return app.evaluate(
    ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? 0,
  );
}

/** After its start an app has things to do for a moment. */
const SETTLE_MS = 5_000;
const IDLE_MS = 30_000;

export interface Idle {
  /** Of all processes of the app together. */
  MB: number;
  /** Part of one core, in per cent. */
  cpu: number;
  processes: number;
  /** The same of each process that used any, by what it is. */
  each: Record<string, number>;
}

/** What Chromium calls the process; the one that it all began with is main. */
const kindOf = (pid: number): string =>
  /--utility-sub-type=([^\s\0]*)/.exec(of(pid, 'cmdline'))?.[1] ??
  /--type=([^\s\0]*)/.exec(of(pid, 'cmdline'))?.[1] ??
  'main';

/** What an app weighs and uses while nobody touches it. */
export async function idleOf(root: number): Promise<Idle> {
  await delay(SETTLE_MS);
  const before = tree(root);
  const from = performance.now();
  const used = new Map(before.map((pid) => [pid, cpuSeconds([pid])]));
  await delay(IDLE_MS);
  const seconds = (performance.now() - from) / 1000;
  const part = (pid: number) => (100 * (cpuSeconds([pid]) - (used.get(pid) ?? 0))) / seconds;
  const parts = before.map((pid) => [kindOf(pid), part(pid)] as const).filter(([, cpu]) => cpu > 0);
  return {
    cpu: parts.reduce((sum, [, cpu]) => sum + cpu, 0),
    each: Object.fromEntries(parts),
    MB: pss(tree(root)),
    processes: before.length,
  };
}
