/** What a stage's time went into, from the times that Packer puts before its lines and Ansible's own list of tasks. Pure. */
import { plain } from './cause.ts';

export interface Phase {
  name: string;
  seconds: number;
}

/** Each begins with a line of Packer's and ends with the next one's. */
const BEGINS: readonly (readonly [line: RegExp, name: string])[] = [
  [/: Retrieving ISO/, 'disk'],
  [/: Starting VM/, 'start to SSH'],
  [/: Connected to SSH!/, 'files'],
  [/: Provisioning with Ansible/, 'roles'],
  [/: (?:Uploading|Downloading) /, 'files'],
  [/: Provisioning with shell script: .*checks/, 'checks'],
  [/: Provisioning with shell script/, 'script'],
  [/: Gracefully halting/, 'shutdown'],
  [/: Build '[^']*' finished/, 'end'],
];
const TIMED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(: ==> .*|: Build '.*|: ==> Builds finished.*)$/;

/** Of one Packer build's log, in order; phases of the same name are one. Whole seconds: Packer has no finer ones. */
export function phasesOf(log: string): Phase[] {
  const seconds = new Map<string, number>();
  let now: { name: string; since: number } | null = null;
  for (const line of log.split('\n')) {
    const [, time = '', text = ''] = TIMED.exec(line) ?? [];
    const name = text === '' ? undefined : BEGINS.find(([begin]) => begin.test(text))?.[1];
    if (name === undefined) continue;
    const since = Date.parse(time) / 1000;
    if (now) seconds.set(now.name, (seconds.get(now.name) ?? 0) + since - now.since);
    now = { name, since };
  }
  return [...seconds].map(([name, took]) => ({ name, seconds: took }));
}

/** A line of Ansible's callback profile_tasks. */
const TASK = /^(\S.*?) -{2,} ([\d.]+)s$/;
const MOST_TASKS = 8;

/** The slowest tasks of the roles, as profile_tasks lists them at a play's end. */
export const slowestTasks = (log: string): Phase[] =>
  plain(log)
    .split('\n')
    .flatMap((line) => {
      const [, name, took] = TASK.exec(line) ?? [];
      return name === undefined ? [] : [{ name, seconds: Number(took) }];
    })
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, MOST_TASKS);
