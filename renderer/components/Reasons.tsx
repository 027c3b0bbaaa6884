/** What an outcome rests on: failures, what is missing, and deviations, each named in a sentence. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Decision } from '../../preload/contract/outcome.ts';

/** Of each list, before the rest is asked for. */
const SHOWN = 6;

interface ListProps {
  title: string;
  tone: 'fail' | 'warn' | 'muted';
  items: readonly string[];
}

function Sentences({ title, tone, items }: ListProps) {
  const [all, setAll] = useState(false);
  if (items.length === 0) return null;
  const more = items.length - SHOWN;
  return (
    <div className="sentences" data-tone={tone}>
      <div className="sentences-title">
        {title} ({items.length})
      </div>
      <ul>
        {(all ? items : items.slice(0, SHOWN)).map((text, i) => (
          <li key={i}>{text}</li>
        ))}
      </ul>
      {more > 0 && (
        <Button size="compact-xs" variant="subtle" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show ${more} more`}
        </Button>
      )}
    </div>
  );
}

export function Reasons({ decision }: { decision: Decision }) {
  const { failures, missing, deviations } = decision;
  return (
    <div className="outcome">
      <Sentences title="Failed" tone="fail" items={failures} />
      <Sentences title="Missing" tone="muted" items={missing} />
      <Sentences title="Deviations" tone="warn" items={deviations} />
    </div>
  );
}
