/** What verify found of an archive: the sentence first, then what is wrong, and what all of it proves. */
import { Stack, Text } from '@mantine/core';
import {
  verdictOf,
  verdictSentence,
  WHAT_IT_PROVES,
  type Verification,
} from '../../../preload/contract/verification.ts';
import { WORDS } from './words.ts';

/** Icon and word together: never by colour alone. */
const ICONS = { ok: '✓', incomplete: '!', unknownKey: '!', unsigned: '!', changed: '✕' } as const;

export function Verified({ found }: { found: Verification }) {
  const { problems, notes, report, signature } = found;
  return (
    <section className="part" aria-label={WORDS.verified} role="status">
      <Stack gap={4}>
        <Text fw={600}>
          {ICONS[verdictOf(found)]} {verdictSentence(found)}
        </Text>
        <Text size="sm" className="mono report-path">
          {found.path}
        </Text>
        <ul className="report-list">
          {[...problems, ...notes, ...(report?.missing ?? [])].map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
        {signature.keyId && (
          <Text size="sm">
            {WORDS.signedAt(signature.at ?? '–', signature.keyId)}. {WORDS.remark(signature.untrusted ?? '')}
          </Text>
        )}
        {WHAT_IT_PROVES.map((text) => (
          <Text key={text} size="sm" c="dimmed">
            {text}
          </Text>
        ))}
      </Stack>
    </section>
  );
}
