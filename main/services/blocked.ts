/** Preflight's blockers as the error that stops what comes after: one as its own sentence, several together. */
import { AppError } from '../../preload/contract/errors.ts';
import type { CheckResult } from '../../preload/contract/events.ts';
import { blockersOf } from '../../preload/contract/preflight.ts';
import type { Standing } from '../../preload/contract/standing.ts';

const said = (check: CheckResult) => String(check.value ?? check.reason ?? check.verdict);

/** `where`: whose box it is, for the sentences that name it. */
export function blockedBy(
  blockers: readonly CheckResult[],
  where: { user: string; profile: string },
): AppError {
  const [only] = blockers;
  if (blockers.length !== 1 || !only) {
    return new AppError('preflight_blocked', {
      detail: blockers.map((c) => `${c.title}: ${said(c)}`).join('; '),
    });
  }
  switch (only.id) {
    case 'pf_clock':
      return new AppError('clock_wrong', { skew: said(only) });
    case 'pf_distribution':
      return new AppError('box_unsupported', {
        found: said(only),
        profile: where.profile,
        wanted: only.threshold ?? 'a system that the profile names',
      });
    case 'pf_systemd':
      return new AppError('systemd_missing');
    case 'pf_python':
      return new AppError('python_missing');
    case 'pf_sudo':
      return new AppError('login_no_root_way', { user: where.user });
    case 'pf_free_space':
      return new AppError('box_disk_full', { detail: `${said(only)}; wanted: ${only.threshold ?? 'more'}.` });
    default:
      return new AppError('preflight_blocked', { detail: `${only.title}: ${said(only)}` });
  }
}

/** Errors: what blockedBy makes of the last preflight's blockers, where there are some. */
export function mustBeUnblocked(
  now: Pick<Standing, 'preflight'>,
  where: { user: string; profile: string },
): void {
  const blockers = blockersOf(now.preflight).map((c) => c.result);
  if (blockers.length) throw blockedBy(blockers, where);
}
