/** One check of a stage: its verdict, value and threshold; it opens to why, what to do, and the evidence. */
import { Box, UnstyledButton } from '@mantine/core';
import { useId, useState } from 'react';
import type { CheckResult } from '../../preload/contract/events.ts';
import { valueText } from '../components/Attempts.tsx';
import { Verdict } from '../components/Verdict.tsx';

export function StageCheck({ check }: { check: CheckResult }) {
  const [open, setOpen] = useState(false);
  const body = useId();
  const value = valueText(check);
  const lines = [
    ['Value', value],
    ['Why', check.reason],
    ['Do now', check.nextAction],
    ['Threshold', check.threshold],
    ['From', check.source],
  ].filter(([, text]) => text);
  return (
    <Box className="check" data-check={check.id}>
      <UnstyledButton
        className="check-head"
        aria-expanded={open}
        aria-controls={body}
        onClick={() => setOpen(!open)}
      >
        <Verdict verdict={check.verdict} />
        <span className="check-title">{check.title}</span>
        <span className="check-value" data-reason={value === '' || undefined}>
          {value || check.reason}
        </span>
        <span className="check-threshold">{check.threshold}</span>
        <span aria-hidden className="check-caret">
          {open ? '▾' : '▸'}
        </span>
      </UnstyledButton>
      <Box className="check-body" id={body} hidden={!open}>
        <dl className="details">
          {lines.map(([name, text]) => (
            <div key={name} className="image-line">
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        {lines.length === 0 && !check.evidence && (
          <span className="image-muted">Nothing more was recorded.</span>
        )}
        {check.evidence && (
          <Box
            component="pre"
            className="evidence mono"
            tabIndex={0}
            aria-label={`Evidence of ${check.title}`}
          >
            {check.evidence}
          </Box>
        )}
      </Box>
    </Box>
  );
}
