/** How a part of the box stands: its outcome, `not run` before anything of it ran, `running` until it ended. */
import type { Part } from '../../preload/contract/parts.ts';
import { OutcomeWord } from './OutcomeWord.tsx';

export function Outcome({ part }: { part: Pick<Part, 'state' | 'outcome'> }) {
  if (part.state === 'ended') return <OutcomeWord outcome={part.outcome} />;
  return (
    <span className="verdict" style={{ color: 'var(--muted)' }}>
      <span aria-hidden className="verdict-icon">
        {part.state === 'running' ? '▶' : '–'}
      </span>
      {part.state.replace('_', ' ')}
    </span>
  );
}
