/** Jobs on a rig box through the real launch path, started inside as root: without the app and without SSH. */
import { createHash, randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packBoxCode } from '../../main/services/boxcode.ts';
import { TREE } from '../../main/services/layers.ts';
import type { RigBox } from '../rig/box.ts';

interface Event {
  kind: string;
  name?: string;
  state?: string;
  code?: string | null;
  detail?: string | null;
  outcome?: string;
  counts?: Record<string, number>;
  check?: { id: string; verdict: string; value: unknown };
}

/** How a job ended, what its tasks changed, and its checks by id. */
export interface Ended {
  outcome: string;
  detail: string;
  changed: string[];
  counts: Record<string, number>;
  verdicts: Map<string, string>;
}

export class BoxJobs {
  readonly #box: RigBox;
  readonly #sha256: string;

  private constructor(box: RigBox, sha256: string) {
    this.#box = box;
    this.#sha256 = sha256;
  }

  /** Gives the box the code that runs there, and the whole bundle as if it had been fetched. */
  static async on(box: RigBox): Promise<BoxJobs> {
    const code = await packBoxCode();
    const tree = join(box.root, TREE);
    mkdirSync(tree, { recursive: true });
    cpSync(box.bundle, tree, { recursive: true });
    writeFileSync(join(box.root, 'root/box.tar'), code.tar);
    writeFileSync(join(box.root, 'root/stage0.py'), code.stage0);
    return new BoxJobs(box, code.sha256);
  }

  /** Runs a script as root inside; rejects unless it ends with 0. */
  async sh(script: string, input = ''): Promise<string> {
    const ran = await this.#box.sh(script, { input });
    if (ran.code !== 0) throw new Error(`${script}\nended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  /** Runs a job to its end. */
  async run(kind: string, params: object): Promise<Ended> {
    const laptop = { name: 'laptop', user: 'engineer' };
    const spec = JSON.stringify({ v: 1, job: randomUUID(), attempt: 1, kind, title: kind, laptop, params });
    await this.sh('cat > /root/spec.json', spec);
    const hash = createHash('sha256').update(spec).digest('hex');
    const argv = ['/root/stage0.py', '/root/box.tar', this.#sha256, '/root/spec.json', hash];
    const said = JSON.parse(await this.sh(`python3 -I ${argv.join(' ')}`, '\n')) as {
      ok: boolean;
      dir: string;
    };
    if (!said.ok) throw new Error(`the job did not start: ${JSON.stringify(said)}`);
    const log = await this.sh(
      `cd ${said.dir} && for i in $(seq 1500); do [ -e result.json ] && exec cat events.jsonl; sleep 0.2; done; exit 1`,
    );
    const events = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    const last = events.at(-1);
    if (last?.kind !== 'finished') throw new Error(`the job has not ended: ${log.slice(-1000)}`);
    const changed = events.filter((e) => e.kind === 'task' && e.state === 'changed');
    return {
      outcome: last.outcome ?? '',
      detail: last.detail ?? '',
      changed: changed.map((e) => e.name ?? ''),
      counts: last.counts ?? {},
      verdicts: new Map(events.flatMap((e) => (e.check ? [[e.check.id, e.check.verdict]] : []))),
    };
  }

  /** Layers by their tags, in one run of the playbook. */
  layers(tags: readonly string[], vars: object): Promise<Ended> {
    return this.run('layer', { layer: Number(tags.at(-1)?.slice(1)), playbook: 'site.yml', tags, vars });
  }

  /** What they would change now, which nothing does. */
  drift(tags: readonly string[], vars: object): Promise<Ended> {
    return this.run('drift', { layer: Number(tags.at(-1)?.slice(1)), playbook: 'site.yml', tags, vars });
  }

  /** Checks of the given layers that did not pass, with their verdicts. */
  async findings(suites: readonly string[], profile: object): Promise<Record<string, string>> {
    const found: [string, string][] = [];
    for (const suite of suites) {
      const { verdicts } = await this.run('checks', { suite, checks: [], profile, telemetry: null });
      if (verdicts.size === 0) throw new Error(`no check of ${suite} has run`);
      found.push(...[...verdicts].filter(([, verdict]) => verdict !== 'pass'));
    }
    return Object.fromEntries(found);
  }
}
