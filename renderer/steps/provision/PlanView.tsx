/** The plan: which layers, out of which bundle, and what would happen in which order. Nothing has begun. */
import { Checkbox, Stack, Text } from '@mantine/core';
import type { BoxState } from '../../../preload/contract/calls.ts';
import type { JobKind } from '../../../preload/contract/job.ts';
import { LAYERS, type Part } from '../../../preload/contract/standing.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { PartCard } from '../../components/PartCard.tsx';
import { plural } from '../../numbers.ts';
import { phasesOf } from '../../phases.ts';
import { BundleField } from './BundleField.tsx';
import type { Plan } from './usePlan.ts';

/** What each kind of job does, for who has not seen it yet. */
const DOES: Partial<Record<JobKind, string>> = {
  fetch: 'Files of the bundle, each compared by its hash. What the box has already is not sent again.',
  bootstrap: "Repairs dpkg, waits for apt's lock, puts ansible-core in a place of its own.",
  layer: 'Ansible, run on the box itself. Tasks that find their work done change nothing.',
  harden: 'Firewall, SSH, root. A new key login confirms it, else the box puts the old rules back.',
  reboot: 'Only where one is due: asked, counted down, and waited for until the box is back.',
  checks: 'An independent look. The next layer opens when this one is healthy.',
};

/** What a person has to know before an optional layer is chosen, by its number. */
const OPTIONAL: Record<number, string> = {
  6: 'Optional: audit, AIDE, AppArmor, OpenSCAP. It closes SSH forwarding last: no bundle reaches the box from then on.',
};

/** Optional layers that this box has not begun; none where it has no layers above the base system. */
const offered = (parts: readonly Part[]) =>
  LAYERS.filter(
    ({ layer, optional }) =>
      optional && parts.some((p) => (p.layer ?? 0) > 1) && !parts.some((p) => p.layer === layer),
  );

interface Props {
  box: BoxState;
  layers: readonly Part[];
  chosen: readonly number[];
  onChoose: (layers: number[]) => void;
  bundle: string;
  onBundle: (folder: string) => void;
  plan: Plan;
}

export function PlanView({ box, layers, chosen, onChoose, bundle, onBundle, plan }: Props) {
  const toggle = (layer: number, on: boolean) =>
    onChoose([...chosen.filter((l) => l !== layer), ...(on ? [layer] : [])].sort((a, b) => a - b));
  return (
    <Stack gap="md" pb="md">
      <BundleField value={bundle} onChange={onBundle} />
      <Stack gap="xs" role="group" aria-label="Layers">
        {layers.map((part) => {
          const { layer } = part;
          if (layer === null) return null;
          return (
            <PartCard
              key={part.id}
              part={part}
              phases={part.attempts > 0 ? phasesOf(box, { layer }) : []}
              session={box.session.id}
              choice={
                <Checkbox
                  className="part-title"
                  label={part.title}
                  checked={chosen.includes(layer)}
                  onChange={(e) => toggle(layer, e.currentTarget.checked)}
                />
              }
            />
          );
        })}
        {offered(layers).map(({ layer, title }) => (
          <Checkbox
            key={layer}
            mx="md"
            label={title}
            description={OPTIONAL[layer]}
            checked={chosen.includes(layer)}
            onChange={(e) => toggle(layer, e.currentTarget.checked)}
          />
        ))}
      </Stack>
      {plan.error && <ErrorView error={plan.error} />}
      {!plan.run && !plan.error && (
        <Text size="sm" c="var(--muted)">
          {plan.asking
            ? 'Reading the bundle.'
            : 'With a layer and a bundle chosen, the plan is shown here. Nothing begins before.'}
        </Text>
      )}
      {plan.run && (
        <section aria-label="What will happen" className="plan" data-asking={plan.asking}>
          <Text fw={600} size="sm">
            What will happen, in {plural(plan.run.phases.length, 'job')} on the box
          </Text>
          <ol>
            {plan.run.phases.map((phase) => (
              <li key={phase.id}>
                <span className="plan-title">{phase.title}</span>
                <span className="plan-does">{DOES[phase.kind]}</span>
              </li>
            ))}
          </ol>
          {plan.run.software.length > 0 && (
            <>
              <Text fw={600} size="sm" mt="sm">
                Versions, decided by the profile out of this bundle
              </Text>
              <ul>
                {plan.run.software.map((text) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            </>
          )}
        </section>
      )}
    </Stack>
  );
}
