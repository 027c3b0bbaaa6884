/** What each check shows, of a box as of an image: its line, which opens the rest, and its evidence. */
import { Box, UnstyledButton } from '@mantine/core';
import type { CheckResult } from '../../preload/contract/events.ts';
import { valueText } from './Attempts.tsx';
import { Verdict } from './Verdict.tsx';

interface HeadProps {
  check: CheckResult;
  open: boolean;
  onToggle: () => void;
  /** Id of what it opens. */
  body: string;
  waived?: boolean;
}

export function CheckHead({ check, open, onToggle, body, waived = false }: HeadProps) {
  const value = valueText(check);
  return (
    <UnstyledButton className="check-head" aria-expanded={open} aria-controls={body} onClick={onToggle}>
      <Verdict verdict={check.verdict} />
      <span className="check-title">
        {check.title}
        {waived && <span className="check-waived"> waived</span>}
      </span>
      <span className="check-value" data-reason={value === '' || undefined}>
        {value || check.reason}
      </span>
      <span className="check-threshold">{check.threshold}</span>
      <span aria-hidden className="check-caret">
        {open ? '▾' : '▸'}
      </span>
    </UnstyledButton>
  );
}

export function Evidence({ check }: { check: CheckResult }) {
  if (!check.evidence) return null;
  return (
    <Box component="pre" className="evidence mono" tabIndex={0} aria-label={`Evidence of ${check.title}`}>
      {check.evidence}
    </Box>
  );
}
