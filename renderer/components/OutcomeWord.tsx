/** An outcome as icon, word and colour: never colour alone. */
import { OUTCOME_WORDS, type Outcome } from '../../preload/contract/outcome.ts';

const LOOKS: Record<Outcome, { icon: string; colour: string }> = {
  passed: { icon: '✓', colour: 'var(--pass)' },
  passed_with_deviations: { icon: '!', colour: 'var(--warn)' },
  failed: { icon: '✕', colour: 'var(--fail)' },
  incomplete: { icon: '–', colour: 'var(--muted)' },
};

export function OutcomeWord({ outcome }: { outcome: Outcome }) {
  const { icon, colour } = LOOKS[outcome];
  return (
    <span className="verdict" data-outcome={outcome} style={{ color: colour }}>
      <span aria-hidden className="verdict-icon">
        {icon}
      </span>
      {OUTCOME_WORDS[outcome]}
    </span>
  );
}
