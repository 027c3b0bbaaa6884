/** What the box was found to be, beside the checks that judge it. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import { factsOf } from './facts.ts';

export function Facts({ facts }: { facts: BoxFacts }) {
  return (
    <div className="columns">
      {factsOf(facts).map(({ name, lines }) => (
        <dl key={name} className="fact">
          <dt>{name}</dt>
          {lines.map((line) => (
            <dd key={line}>{line}</dd>
          ))}
        </dl>
      ))}
    </div>
  );
}
