/** The marks and bands of the charts in words: what a dashed line stands for must not be left to guessing. */
import { Popover, Text, UnstyledButton } from '@mantine/core';
import type { Band, Mark } from '../charts/marks.ts';
import { clock, plural } from '../numbers.ts';

const SIGNS: Record<Mark['tone'], string> = { plain: '·', warn: '!', fail: '✕' };
/** A card that is slowed down each minute of a day would fill the screen. */
const MOST = 200;

export function ChartMarks({ marks, bands }: { marks: readonly Mark[]; bands: readonly Band[] }) {
  const loud = marks.filter((m) => m.tone !== 'plain');
  const all = [
    ...marks.map((m) => ({ at: m.at, text: m.text, tone: m.tone })),
    ...bands.map((b) => ({
      at: b.from,
      text: `${b.text}, ${b.to === null ? 'not ended' : `until ${clock(b.to)}`}`,
      tone: 'plain' as const,
    })),
  ].sort((a, b) => a.at - b.at);
  if (all.length === 0) return null;
  return (
    <Popover position="bottom-end" shadow="md" trapFocus={false} returnFocus>
      <Popover.Target>
        <UnstyledButton className="marks-button">
          {loud.length > 0 ? (
            <span className="marks-loud">
              <span aria-hidden>! </span>
              {plural(loud.length, 'event')}: {loud[0]?.text} at {clock(loud[0]?.at ?? 0)}
            </span>
          ) : (
            [
              bands.length > 0 && plural(bands.length, 'step'),
              marks.length > 0 && plural(marks.length, 'event'),
            ]
              .filter(Boolean)
              .join(' and ')
          )}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className="marks-list">
        <ol>
          {all.slice(0, MOST).map((m, i) => (
            <li key={i} data-tone={m.tone}>
              <span className="mono">{clock(m.at)}</span>
              <span aria-hidden>{SIGNS[m.tone]}</span>
              <span>{m.text}</span>
            </li>
          ))}
        </ol>
        {all.length > MOST && (
          <Text size="xs">{`${all.length - MOST} more are in the event list and in the report.`}</Text>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
