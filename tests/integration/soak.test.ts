/**
 * A soak with cards that are held to less, on a box that really stands there: the cable is cut, the app is killed, and it goes on. With MEND=all
 * only, since a box is started for it; in CI the same is seen on the real runner and follower, without a box (tests/box/test_load_follow.py), and cables
 * and kills with other jobs (tests/faults).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { CheckResult } from '../../preload/contract/events.ts';
import { isEvent, Stage } from '../faults/stage.ts';
import { whyNoRig } from '../rig/box.ts';
import { ROOT } from '../rig/host.ts';
import { byHand } from './byhand.ts';
import { kindIn } from './cli.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 540_000 });

const why = whyNoRig();
const SECONDS = 40;
const PYTHON = '/usr/local/bin/stand-in-torch';
const LIMITS = '/run/vault-cube-stand-in-limits.json';
/** What soak.py prints of two cards, in its own time. */
const SOAKS = `#!/usr/bin/python3
import json, sys, time
p = json.loads(sys.argv[-1])
tell = lambda at, **more: print(json.dumps({"at": at, "mono": time.monotonic(), **more}), flush=True)
counts = lambda n: {"rounds": n, "products": 100 * n, "checkedMiB": n, "wrongProducts": 0, "wrongWords": 0}
for gpu in (0, 1):
    tell("card", gpu=gpu, uuid=None, memoryMiB=1024)
tell("begin", window="soak")
start = time.monotonic()
while (now := time.monotonic() - start) < p["seconds"]:
    time.sleep(min(1.0, p["seconds"] - now))
    done = min(time.monotonic() - start, p["seconds"])
    tell("progress", done=round(done, 1), total=p["seconds"])
    for gpu in (0, 1):
        tell("round", gpu=gpu, **counts(int(done) + 1))
tell("end", window="soak")
for gpu in (0, 1):
    tell("measured", what="soak", gpu=gpu, seconds=p["seconds"], **counts(int(p["seconds"])))
tell("done")
`;

describe.runIf(why === null)(`a soak${why ? ` (not run: ${why})` : ''}`, () => {
  let stage: Stage;

  beforeAll(async () => {
    if (process.env['MEND'] !== 'all') return;
    stage = await Stage.open({}, 'VC-SOAK');
    await stage.box.run(['sh', '-c', `cat >${PYTHON} && chmod 755 ${PYTHON}`], { input: SOAKS });
    const profile = JSON.parse(readFileSync(join(ROOT, 'resources/profiles/two-h100.json'), 'utf8')) as {
      load: Record<string, unknown>;
    };
    profile.load['python'] = { torch: { value: PYTHON, source: 'the test' } };
    const path = join(stage.laptop.home, 'profile.json');
    writeFileSync(path, JSON.stringify(profile));
    const looked = await stage.run('inspect', '--profile', path);
    expect(looked.last.type).toBe('result');
  });
  afterAll(() => stage?.close());

  const limits = async (): Promise<unknown> =>
    Object.values(JSON.parse((await stage.box.run(['cat', LIMITS])).stdout) as object);
  const progressed = (seconds: number) => (r: Parameters<ReturnType<typeof isEvent>>[0]) =>
    isEvent({ kind: 'progress', unit: 'seconds' })(r) &&
    Number((r['event'] as { done: number }).done) >= seconds;

  byHand('goes on through a cut cable and a killed app, in one piece, with every reading', async () => {
    const order = ['--suites', 'stress', '--soak', String(SECONDS), '--watch', '0', '--power-limit', '425'];
    const run = stage.start('validate', ...order, '--agree-load', '850');
    await run.until('load', progressed(5));
    expect(await limits()).toEqual(['425.00 W', '425.00 W']);
    await stage.box.cutLink('drop');
    await delay(5_000);
    await stage.box.restoreLink();
    await run.until('more of it', progressed(14));
    await run.kill('SIGKILL');
    await delay(5_000);
    expect(await limits()).toEqual(['425.00 W', '425.00 W']);
    const ended = await stage.run('resume');
    expect(ended.last.type, JSON.stringify(ended.last)).toBe('result');

    const rows = stage.journal.jobs(stage.session.id).filter((r) => r.spec.params['suite'] === 'stress');
    expect(rows.map((r) => [r.attempt, r.state])).toEqual([[1, 'passed']]);
    const view = stage.journal.view(rows[0]?.job ?? '', 1);
    const of = (id: string) => view.checks.find((c: CheckResult) => c.id === id);
    expect(of('t7_length')).toMatchObject({ verdict: 'pass', value: '0.7 min' });
    expect(of('t7_results')?.verdict).toBe('pass');
    expect(of('t7_telemetry')?.verdict).toBe('pass');
    expect(of('t7_power')?.verdict).toBe('pass');
    // One reading a second of each card, from before the cut to after the kill, in the laptop's journal.
    const lines = stage.journal.sampleLines(rows[0]?.job ?? '', 1, { fields: ['power.limit'], points: 1000 });
    expect(lines).toHaveLength(2);
    for (const { points } of lines) {
      const gaps = points.slice(1).map((p, n) => p.mono - (points[n]?.mono ?? 0));
      expect(points.length).toBeGreaterThan(SECONDS - 3);
      expect(Math.max(...gaps)).toBeLessThan(2.5);
      expect(new Set(points.map((p) => p.value))).toEqual(new Set([425]));
    }
    expect(await limits()).toEqual(['700.00 W', '700.00 W']);
    expect(kindIn(ended.records, 'finished')).toHaveLength(1);
    // What was run so is a deviation of the suite and of the box, by name.
    const deviation = 'T7 Stress ran with a power limit of 425 W a card, lowered from 700 W for the supply';
    expect(stage.session.deviations.map((d) => d.text)).toContain(deviation);
    const status = await stage.run('status');
    const parts = status.last['parts'] as { id: string; deviations: string[] }[];
    expect(parts.find((p) => p.id === 'stress')?.deviations).toContain(deviation);
  });

  byHand('gives the cards their power back after a cancel', async () => {
    const order = ['--suites', 'stress', '--soak', '600', '--watch', '0', '--power-limit', '425'];
    const run = stage.start('validate', ...order, '--agree-load', '850');
    await run.until('load', progressed(3));
    expect(await limits()).toEqual(['425.00 W', '425.00 W']);
    await stage.must(0, 'cancel');
    expect(await limits()).toEqual(['700.00 W', '700.00 W']);
    await run.ended;
  });

  byHand('its machine can be captured as a profile, over SSH, and used', async () => {
    const out = join(stage.laptop.home, 'captured.json');
    const made = await stage.must(0, 'profile', 'capture', '--out', out);
    expect(made.last).toMatchObject({ profile: '2x-nvidia-h100-80gb-hbm3', path: out });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({
      gpu: { count: { value: 2, source: expect.stringMatching(/^captured from VC-SOAK on \d{4}-/) } },
    });
    const again = await stage.run('profile', 'capture', '--out', out);
    expect(again.last).toMatchObject({ type: 'error', code: 'usage' });
    const looked = await stage.run('inspect', '--profile', out);
    expect(looked.last.type).toBe('result');
    const run = await stage.run('validate', '--suites', 'gpu-detection', '--watch', '0');
    expect(run.last.type).toBe('result');
    const one = await stage.run('validate', '--checks', 'gpu_memory', '--watch', '0');
    expect(one.last.type).toBe('result');
    const attempts = await stage.must(0, 'jobs', '--check', 'gpu_memory');
    expect(attempts.last['attempts']).toHaveLength(2);
  });
});
