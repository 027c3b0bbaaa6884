/** A verdict as icon, word and colour: never colour alone. */
import type { Verdict as Kind } from '../../preload/contract/outcome.ts';

const LOOKS: Record<Kind, { icon: string; word: string; colour: string }> = {
  pass: { icon: '✓', word: 'pass', colour: 'var(--pass)' },
  warn: { icon: '!', word: 'warn', colour: 'var(--warn)' },
  fail: { icon: '✕', word: 'fail', colour: 'var(--fail)' },
  error: { icon: '⚡', word: 'error', colour: 'var(--fail)' },
  not_run: { icon: '–', word: 'not run', colour: 'var(--muted)' },
  not_supported: { icon: '∅', word: 'not supported', colour: 'var(--muted)' },
};

export function Verdict({ verdict }: { verdict: Kind }) {
  const { icon, word, colour } = LOOKS[verdict];
  return (
    <span className="verdict" data-verdict={verdict} style={{ color: colour }}>
      <span aria-hidden className="verdict-icon">
        {icon}
      </span>
      {word}
    </span>
  );
}
