/** Calls that belong together, and who is told of what was stored. */
import { describe, expect, it, vi } from 'vitest';
import { benchForEach } from './bench.ts';
import { makeSession, makeSpec } from './log.ts';

const bench = benchForEach();

/** Every event told, as `kind seq`. */
function listen(): string[] {
  const told: string[] = [];
  bench().journal.onAppend((_job, _attempt, events) =>
    told.push(...events.map((e) => `${e.kind} ${e.env.seq}`)),
  );
  return told;
}

describe('together', () => {
  it('stores all and tells afterwards, once an append and in order', () => {
    const { log, job } = bench().begin();
    const told: string[] = [];
    const reader = bench().open({ readOnly: true });
    bench().journal.onAppend((j, attempt, events) => {
      // Whoever is told finds it stored, from another connection too.
      expect(reader.position(j, attempt).seq).toBe(2);
      told.push(`${attempt}: ${events.map((e) => e.env.seq).join()}`);
    });
    const result = bench().journal.together(() => {
      bench().journal.append(job, 1, [log.started()]);
      bench().journal.append(job, 1, [log.log('x')]);
      expect(told).toEqual([]);
      return bench().journal.together(() => 'inner');
    });
    expect(result).toBe('inner');
    expect(told).toEqual(['1: 1', '1: 2']);
  });

  it('takes everything back when one call throws: session, attempt, lines, and the view of them', () => {
    const { log, job, session } = bench().begin();
    const told = listen();
    const other = makeSpec();
    const line = log.started();
    expect(() =>
      bench().journal.together(() => {
        bench().journal.saveSession({ ...session, user: 'changed' });
        bench().journal.createAttempt(session.id, other.spec, other.bytes);
        bench().journal.append(job, 1, [line, log.log('x')]);
        expect(bench().journal.view(job, 1).lastSeq).toBe(2);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(bench().journal.session(session.id)?.user).toBe('installer');
    expect(bench().journal.attempt(other.spec.job, 1)).toBeNull();
    expect(told).toEqual([]);
    bench().journal.append(job, 1, [line]);
    expect(bench().journal.view(job, 1)).toMatchObject({ lastSeq: 1, state: 'running' });
    expect(told).toEqual(['started 1']);
  });

  it('an append that diverges inside keeps its good lines only if the whole is kept', () => {
    const { log, job } = bench().begin();
    const told = listen();
    expect(() =>
      bench().journal.together(() => bench().journal.append(job, 1, [log.started(), Buffer.from('{')])),
    ).toThrow();
    expect(bench().journal.position(job, 1).seq).toBe(0);
    expect(told).toEqual([]);
  });
});

describe('onAppend', () => {
  it('may write to the journal, and is told of each event once all the same', () => {
    const { log, job, session } = bench().begin();
    const told = listen();
    const second = makeSpec();
    bench().journal.onAppend((_job, _attempt, events) => {
      bench().journal.saveSession({ ...session, deviations: [] });
      if (events.some((e) => e.kind === 'finished'))
        bench().journal.createAttempt(session.id, second.spec, second.bytes);
    });
    bench().journal.append(job, 1, [log.started()]);
    bench().journal.append(job, 1, [log.finished()]);
    expect(told).toEqual(['started 1', 'finished 2']);
    expect(bench().journal.latest(second.spec.job)?.state).toBe('starting');
  });

  it('that appends is told of that, too', () => {
    const { log, job } = bench().begin();
    const told: number[] = [];
    bench().journal.onAppend((_job, _attempt, events) => {
      told.push(...events.map((e) => e.env.seq));
      if (events.some((e) => e.kind === 'started')) bench().journal.append(job, 1, [log.log('answer')]);
    });
    bench().journal.append(job, 1, [log.started()]);
    expect(told).toEqual([1, 2]);
  });

  it('that throws keeps neither the event from the record nor the others from knowing', async () => {
    const { log, job } = bench().begin();
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
    const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    bench().journal.onAppend(() => {
      throw new Error('a listener broke');
    });
    const told = listen();
    expect(bench().journal.append(job, 1, [log.started()])).toHaveLength(1);
    expect(told).toEqual(['started 1']);
    expect((await warning).message).toBe('a listener broke');
    quiet.mockRestore();
  });

  it('hears nothing of what was there already, of other processes with its own next line, nothing after it ended', () => {
    const { log, job } = bench().begin();
    const line = log.started();
    bench().journal.append(job, 1, [line]);
    const told = listen();
    bench().journal.append(job, 1, [line]);
    bench()
      .open()
      .append(job, 1, [log.log('elsewhere')]);
    expect(told).toEqual([]);
    const off = bench().journal.onAppend(() => told.push('late'));
    off();
    bench().journal.append(job, 1, [log.log('here')]);
    expect(told).toEqual(['log 2', 'log 3']);
  });

  it('is no part of a write that stores no line', () => {
    bench().begin();
    const told = listen();
    bench().journal.saveSession(makeSession());
    expect(told).toEqual([]);
  });
});
