/** Validate: suites of checks as jobs on the box, with telemetry beside them (spec W6, T1). */
import { AppError } from '../../preload/contract/errors.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Run, Session } from '../../preload/contract/session.ts';
import { SUITES_HERE, SUITE_TITLES } from '../../preload/contract/suites.ts';
import type { App } from './app.ts';
import { makeRun, standingOf } from './runs.ts';

/** "gpu-detection,…" as suite ids. Errors: suite_unknown. */
export function parseSuites(text: string): string[] {
  const suites = text.split(',').map((s) => s.trim());
  for (const suite of suites) {
    if (!SUITES_HERE.includes(suite)) {
      throw new AppError('suite_unknown', { suite, known: SUITES_HERE.join(', ') });
    }
  }
  return [...new Set(suites)];
}

/**
 * `watchSeconds`: how long the GPUs are watched after the last check of each suite; `hz`: samples a second.
 * Errors: keys_needed, preflight_missing.
 */
export function planValidate(
  app: App,
  session: Session,
  profile: Profile,
  suites: readonly string[],
  telemetry: { hz: number; watchSeconds: number },
): Run {
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  if (!standingOf(app.journal, session).preflight.basis) {
    throw new AppError('preflight_missing', { box: session.name });
  }
  return makeRun(
    'validate',
    `Validate ${suites.join(', ')}`,
    null,
    suites.map((suite) => ({
      id: suite,
      title: SUITE_TITLES[suite] ?? suite,
      kind: 'checks' as const,
      layer: null,
      suite,
      params: {
        suite,
        checks: [],
        profile,
        telemetry: { hz: telemetry.hz, seconds: telemetry.watchSeconds },
      },
    })),
  );
}
