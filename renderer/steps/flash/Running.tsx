/** A flash on its way: what it does now, how far the whole is, its phases, and what a person should know of it. */
import { Progress, Stack, Text } from '@mantine/core';
import { flashOf } from '../../../preload/contract/flash.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import { Waiting } from '../../components/Waiting.tsx';
import { clock } from '../../numbers.ts';
import { useDesk, type JobMirror } from '../../stores/desk.ts';
import { Notes } from './Notes.tsx';
import { amountsOf, amountsTold, phasesOf, type PhaseState } from './progress.ts';

const LOOKS: Record<PhaseState, { icon: string; word: string }> = {
  waits: { icon: '·', word: 'waits' },
  running: { icon: '▶', word: 'running' },
  ok: { icon: '✓', word: 'done' },
  failed: { icon: '✕', word: 'failed' },
  skipped: { icon: '–', word: 'left out' },
};

function Phases({ mirror, network }: { mirror: JobMirror; network: boolean }) {
  return (
    <ol className="phases" aria-label="Phases">
      {phasesOf(mirror, network).map(({ id, title, state, seconds }) => (
        <li key={id} className="phase" data-state={state === 'ok' ? 'passed' : state}>
          <div className="phase-head">
            <span aria-hidden className="phase-icon">
              {LOOKS[state].icon}
            </span>
            <span className="phase-title">{title}</span>
            <Text size="xs" span className="phase-word">
              {LOOKS[state].word}
            </Text>
            <Text size="xs" span className="phase-time">
              {seconds === null ? '' : clock(seconds)}
            </Text>
          </div>
        </li>
      ))}
    </ol>
  );
}

/** `network`: the job is the box's, and has steps of its own. */
export function Running({ row, mirror, network }: { row: JobRow; mirror: JobMirror; network: boolean }) {
  const told = useDesk((s) =>
    s.flash && s.flash.job === row.job && s.flash.attempt === row.attempt ? s.flash.progress : null,
  );
  const image = useDesk((s) => s.box?.session.flash?.image ?? null);
  const { phase, text, fraction } = network && told ? amountsTold(told) : amountsOf(mirror, told);
  const { waiting, steps } = mirror.view;
  const part = fraction === null ? null : Math.floor(fraction * 1000) / 10;
  return (
    <Stack gap="md" pb="md">
      <section aria-label={row.title} className="part" data-running="true">
        <Text size="sm" fw={600} className="flash-long">
          {row.title}
        </Text>
        <Text size="xs" c="var(--muted)" className="flash-long">
          {flashOf(row).image ?? image}
        </Text>
        <div className="flash-now">
          <Text size="sm" span role="status">
            {phase}
          </Text>
          <Text size="sm" span className="job-amount">
            {text}
          </Text>
          <Text size="sm" span className="flash-percent">
            {part === null ? '' : `${part.toFixed(1)} %`}
          </Text>
        </div>
        <Progress.Root size="lg">
          <Progress.Section
            value={part ?? 0}
            aria-label={part === null ? `${phase}, how far is not known` : `${part} % of the whole flash`}
          />
        </Progress.Root>
        {steps.some((s) => s.id === 'permit' && s.state === 'running') && (
          <Text size="sm" className="waiting" role="status">
            This laptop asks for a password. Its dialog may be behind this window.
          </Text>
        )}
        {waiting && <Waiting waiting={waiting} />}
        <Phases mirror={mirror} network={network} />
      </section>
      <Notes mirror={mirror} />
      <Text size="sm">
        {network
          ? 'Leave the cable in, and box and laptop on. While the cable is out the box waits and goes on by itself. If something ends the flash before its time, the disk starts no machine, and the same flash goes on where it stood.'
          : 'Leave the disk plugged in and the laptop on. If something ends the flash before its time, the disk starts no machine, and the flash goes on where it stood.'}
      </Text>
    </Stack>
  );
}
