/** The outcome of a part of the box as icon, word and colour; `not run` before anything of it ran. */
import { OUTCOME_WORDS, type Outcome as Kind } from '../../preload/contract/outcome.ts';
import type { Part } from '../../preload/contract/parts.ts';

const LOOKS: Record<Kind, { icon: string; colour: string }> = {
  passed: { icon: '✓', colour: 'var(--pass)' },
  passed_with_deviations: { icon: '!', colour: 'var(--warn)' },
  failed: { icon: '✕', colour: 'var(--fail)' },
  incomplete: { icon: '–', colour: 'var(--muted)' },
};

export function Outcome({ part }: { part: Pick<Part, 'state' | 'outcome'> }) {
  const { icon, colour } = LOOKS[part.state === 'not_run' ? 'incomplete' : part.outcome];
  const word = part.state === 'ended' ? OUTCOME_WORDS[part.outcome] : part.state.replace('_', ' ');
  return (
    <span className="verdict" data-outcome={part.outcome} style={{ color: colour }}>
      <span aria-hidden className="verdict-icon">
        {icon}
      </span>
      {word}
    </span>
  );
}
