/** One check of a stage: its verdict, value and threshold; it opens to why, what to do, and the evidence. */
import { Box } from '@mantine/core';
import { useId, useState } from 'react';
import type { CheckResult } from '../../preload/contract/events.ts';
import { valueText } from '../components/Attempts.tsx';
import { CheckHead, Evidence } from '../components/CheckParts.tsx';

export function StageCheck({ check }: { check: CheckResult }) {
  const [open, setOpen] = useState(false);
  const body = useId();
  const lines = [
    ['Value', valueText(check)],
    ['Why', check.reason],
    ['Do now', check.nextAction],
    ['Threshold', check.threshold],
    ['From', check.source],
  ].filter(([, text]) => text);
  return (
    <Box className="check" data-check={check.id}>
      <CheckHead {...{ check, open, body }} onToggle={() => setOpen(!open)} />
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
        <Evidence check={check} />
      </Box>
    </Box>
  );
}
