/** What the site bundle offers, beside what the profile and the hardware want: decided here as it is when layers are planned. */
import { AppError } from '../../../preload/contract/errors.ts';
import { resolveSoftware } from '../../../preload/contract/software.ts';
import { otherSystem } from '../bundle.ts';
import { notRun, pass, unnamed, type Finding, type Look, type PreflightCheck } from './judge.ts';

const LATER = 'versions are decided when the layers are planned';

function software({ profile, facts, when: { bundle } }: Look): Finding {
  const wanted = profile.software ?? [];
  if (wanted.length === 0) return unnamed('software above the base system');
  if (!bundle) return notRun(`no site bundle was named; ${LATER}`, null);
  const evidence = `bundle: ${bundle.dir}`;
  if ('problem' in bundle) return notRun(`${bundle.problem} So ${LATER}.`, bundle.nextAction, { evidence });
  if (!facts.distribution)
    return notRun(`the distribution could not be read, so ${LATER}`, null, { evidence });
  const { id, version } = facts.distribution;
  const wrong = otherSystem(bundle.distribution, { id, version: version ?? 'unknown' });
  if (wrong) return { verdict: 'fail', value: wrong.message, nextAction: wrong.nextAction, evidence };
  const layers = [...new Set(wanted.map((c) => c.layer))];
  const { components, refusals } = resolveSoftware(wanted, bundle.offered, layers);
  if (refusals.length) {
    const { nextAction } = new AppError('versions_unmet', { detail: '' });
    return { verdict: 'fail', value: refusals.join(' '), nextAction, evidence };
  }
  return pass(components.map((c) => c.named).join(', '), {
    threshold: "floors of the specification and of the hardware, in the profile's software",
    evidence: [evidence, ...components.map((c) => c.text)].join('\n'),
  });
}

export const SOFTWARE: readonly PreflightCheck[] = [
  { id: 'pf_software', title: 'Versions of the software to be installed', judge: software },
];
