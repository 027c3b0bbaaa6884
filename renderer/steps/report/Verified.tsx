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

function Listed({ title, all }: { title: string; all: readonly string[] }) {
  if (all.length === 0) return null;
  return (
    <>
      <Text size="sm" fw={600} mt={4}>
        {title}
      </Text>
      <ul className="report-list" aria-label={title}>
        {all.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
}

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
        <Listed title={WORDS.problems} all={problems} />
        <Listed title={WORDS.missing} all={report?.missing ?? []} />
        <Listed title={WORDS.notes} all={notes} />
        {signature.keyId && (
          <Text size="sm">
            {WORDS.signedAt(signature.at ?? '–', signature.keyId)}. {WORDS.remark(signature.untrusted ?? '')}
          </Text>
        )}
        {WHAT_IT_PROVES.map((text) => (
          <Text key={text} size="sm" c="var(--muted)">
            {text}
          </Text>
        ))}
      </Stack>
    </section>
  );
}
