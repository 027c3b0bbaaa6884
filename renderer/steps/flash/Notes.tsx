/** What a person should know of a flash, as it was said on the way. */
import { Text } from '@mantine/core';
import type { JobMirror } from '../../stores/desk.ts';

export function Notes({ mirror }: { mirror: JobMirror }) {
  const notes = mirror.events.flatMap((e) => (e.known && e.kind === 'log' ? [e.body.text] : []));
  if (notes.length === 0) return null;
  return (
    <ul className="flash-notes">
      {notes.map((text, at) => (
        <li key={at}>
          <Text size="sm" span className="flash-long">
            {text}
          </Text>
        </li>
      ))}
    </ul>
  );
}
