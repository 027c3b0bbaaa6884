/** Errors of no step: why nothing can be recorded, which stays, and what an act of the frame ended with, which can go. */
import { Stack } from '@mantine/core';
import { clearProblem, useFrame } from '../stores/frame.ts';
import { ErrorView } from './ErrorView.tsx';

export function Problems() {
  const problem = useFrame((s) => s.problem);
  const lasting = useFrame((s) => s.lasting);
  // An act that fails for the reason that stays is not told of twice.
  const other = problem?.code === lasting?.code ? null : problem;
  if (!lasting && !other) return null;
  return (
    <Stack gap="sm" className="problems">
      {lasting && <ErrorView error={lasting} />}
      {other && <ErrorView error={other} onClose={clearProblem} />}
    </Stack>
  );
}
