/** What a stage works with. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { ImageStage } from '../../../preload/contract/image-build.ts';
import { imageExpectation } from '../../../preload/contract/image-checks.ts';
import { decideOutcome, type Decision, type Evidence } from '../../../preload/contract/outcome.ts';
import { expectationOf, type Profile } from '../../../preload/contract/profile.ts';
import type { LocalJob } from '../../journal/localjob.ts';
import type { Accel } from './accel.ts';
import type { ImageOrder } from './order.ts';
import type { Entry, Store } from './store.ts';
import { StageFailed, type StageLog } from './tool.ts';

export interface Known {
  profile: Profile;
  profileSha256: string;
  bundle: { name: string; manifestSha256: string } | null;
  accel: Accel;
}

export class StageContext {
  readonly checks: CheckResult[] = [];
  /** For the stages behind it. */
  facts: Record<string, unknown> = {};

  constructor(
    readonly order: ImageOrder,
    readonly known: Known,
    readonly store: Store,
    readonly job: LocalJob,
    readonly log: StageLog,
    /** Its own folder: what lies here when it has passed is kept. */
    readonly dir: string,
    /** Beside its log, for what is looked at when it failed. */
    readonly logs: string,
    readonly done: ReadonlyMap<ImageStage, Entry>,
    readonly signal: AbortSignal,
  ) {}

  /** A stage before this one. */
  entry(stage: ImageStage): Entry {
    const found = this.done.get(stage);
    if (!found) throw new StageFailed({ cause: `stage ${stage} was not built.`, action: 'Build again.' });
    return found;
  }

  set evidence(evidence: Evidence) {
    this.job.evidence = evidence;
  }

  add(check: CheckResult): void {
    this.checks.push(check);
    this.job.check(check);
  }

  /** Runs it as a step and a check. What it throws fails the stage, after the check was recorded as failed. */
  async try<T>(
    id: string,
    title: string,
    fn: () => Promise<T>,
    told: (value: T) => string | null = () => null,
  ): Promise<T> {
    const begun = performance.now();
    const check = (verdict: 'pass' | 'fail', value: string | null, reason: string | null): CheckResult => ({
      ...{
        id,
        title,
        layer: null,
        suite: null,
        verdict,
        value,
        unit: null,
        threshold: null,
        source: null,
        reason,
      },
      ...{ nextAction: null, evidence: null, seconds: Math.round(performance.now() - begun) / 1000 },
    });
    try {
      const value = await this.job.step(id, title, fn);
      this.add(check('pass', told(value), null));
      return value;
    } catch (error) {
      if (!this.signal.aborted) this.add(check('fail', null, (error as Error).message));
      throw error;
    }
  }

  decide(): Decision {
    const { profile } = this.known;
    return decideOutcome(
      this.checks.map((check) => ({
        ...{ id: check.id, title: check.title, verdict: check.verdict, reason: check.reason },
        expectation: imageExpectation(check.reason, expectationOf(profile, check.id, this.job.evidence)),
      })),
    );
  }
}
