/** The layers as they go and as they stand: a card each. */
import { Stack } from '@mantine/core';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { LAYERS } from '../../../preload/contract/standing.ts';
import { RunBanner } from '../../components/RunBanner.tsx';
import { PartCard } from '../../components/PartCard.tsx';
import { phasesOf } from '../../phases.ts';

export function Layers({ box }: { box: BoxState }) {
  return (
    <>
      <RunBanner box={box} />
      <Stack gap="xs" pb="md">
        {box.standing.layers.map((part, i) => {
          const { layer } = part;
          if (layer === null) return null;
          const before = box.standing.layers[i - 1];
          return (
            <PartCard
              key={part.id}
              part={part}
              phases={phasesOf(box, { layer })}
              session={box.session.id}
              nominalSeconds={LAYERS.find((l) => l.layer === layer)?.nominalSeconds ?? null}
              waitsFor={before ? `after L${before.layer}` : null}
            />
          );
        })}
      </Stack>
    </>
  );
}
