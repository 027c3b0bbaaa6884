/** What the box was found to be, beside the checks that judge it. */
import { Text } from '@mantine/core';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import { factsOf } from './facts.ts';

export function Facts({ facts }: { facts: BoxFacts }) {
  return (
    <dl className="details">
      {factsOf(facts).map(({ name, lines }) => [
        <Text key={`${name} name`} component="dt" size="sm" c="dimmed">
          {name}
        </Text>,
        <dd key={name} style={{ margin: 0 }}>
          {lines.map((line) => (
            <Text key={line} size="sm">
              {line}
            </Text>
          ))}
        </dd>,
      ])}
    </dl>
  );
}
