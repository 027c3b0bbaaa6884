/** The login that is held, and the host key that was pinned by it. */
import type { BoxState } from '../../../preload/contract/calls.ts';
import { LinkDot } from '../../components/LinkDot.tsx';
import { timeOf } from '../../words.ts';

export function Connected({ box }: { box: BoxState }) {
  const { hostKey, user, keys } = box.session;
  return (
    <dl className="details">
      <dt>Link</dt>
      <dd>
        <LinkDot link={box.link} />
      </dd>
      <dt>Logged in as</dt>
      <dd>
        {user}, {keys ? 'with the key of this box' : 'for the first set-up'}
      </dd>
      {hostKey && (
        <>
          <dt>Host key</dt>
          <dd>
            {hostKey.algorithm} <span className="mono">{hostKey.fingerprint}</span>
          </dd>
          <dt>Confirmed</dt>
          <dd>{timeOf(hostKey.confirmedAt)}</dd>
        </>
      )}
    </dl>
  );
}
