/** One measured run of layer 1 on a box of its own: by the app, or by `ansible-playbook` from the laptop. Times in s. */
import assert from 'node:assert/strict';
import { PASSED, eventIn, told } from '../../faults/stage.ts';
import { ControlNode } from '../../integration/control.ts';
import type { Fork, Start } from './start.ts';

export interface Took {
  /** From the command to its end. */
  total: number;
  /** From the first sign of each part to that of the next one, by the name of a job or a play. */
  parts: Record<string, number>;
}

const seconds = (since: number) => (performance.now() - since) / 1000;

/** Notes when each part begins. */
class Parts {
  readonly #began = performance.now();
  readonly #marks: [string, number][] = [['start', 0]];

  begin(name: string): void {
    this.#marks.push([name, seconds(this.#began)]);
  }

  end(): Took {
    const total = seconds(this.#began);
    const ends = [...this.#marks.slice(1).map(([, at]) => at), total];
    const parts = this.#marks.map(([name, at], n): [string, number] => [name, (ends[n] ?? total) - at]);
    return { total, parts: Object.fromEntries(parts) };
  }
}

/** `vault-cube provision --layers 1`: bundle, role, hardening, and the health check, which the other does not have. */
export async function byApp(
  start: Start,
  { box, laptop }: Fork,
  during?: (title: string) => void,
): Promise<Took> {
  const parts = new Parts();
  const run = laptop.start('provision', '--box', start.name, '--layers', '1', '--bundle', box.bundle);
  run.watch((record) => {
    const event = eventIn(record);
    if (event?.['kind'] !== 'started') return;
    parts.begin(String(event['title']));
    during?.(String(event['title']));
  });
  const ended = await run.ended;
  const took = parts.end();
  assert.equal(ended.code, PASSED, told(ended));
  return took;
}

/** `ansible-playbook bundle.yml site.yml` with the project's ansible.cfg, which has pipelining and keeps connections. */
export async function byAnsible(start: Start, { box, laptop }: Fork): Promise<Took> {
  const member = {
    box,
    groups: ['offline'],
    vars: { site_bundle_dir: box.bundle, site_bundle_sets: ['l1'] },
  };
  const node = new ControlNode({ cube: member }, start.key, laptop.secrets.sudoPassword ?? '', {});
  try {
    const parts = new Parts();
    const tags = ['--tags', 'bundle,l1,hardening'];
    const child = node.start('bundle.yml', 'site.yml', ...tags, '-e', JSON.stringify(start.vars));
    let said = '';
    child.stderr?.on('data', (data: Buffer) => (said += data.toString('utf8')));
    child.stdout?.on('data', (data: Buffer) => {
      const text = data.toString('utf8');
      said += text;
      for (const [, play] of text.matchAll(/^PLAY \[(.*)\]/gm)) parts.begin(play ?? '');
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const took = parts.end();
    assert.equal(code, 0, said.slice(-4000));
    // What it leaves is what the app leaves: by the app's own look.
    const looked = await laptop.run('check', '--box', start.name, '--layers', '1');
    assert.equal(looked.code, PASSED, told(looked));
    return took;
  } finally {
    await node.end();
  }
}
