/** What must not be taken for a failure: a dead link, a job that is not followed, a run that is not at its end. */
import { Alert } from '@mantine/core';
import type { BoxState } from '../../preload/contract/calls.ts';

export function RunBanner({ box }: { box: BoxState }) {
  const { active, following, link, resumable, session } = box;
  if (!active && resumable && !following) {
    return (
      <Alert color="gray" variant="light" mb="sm" py="xs" role="status">
        {session.run?.title} is not at its end. Resume goes on with it; what is done is not repeated.
      </Alert>
    );
  }
  if (!active) return null;
  const broken = link.state === 'reconnecting' || link.state === 'silent';
  if (following && !broken) return null;
  return (
    <Alert color="gray" variant="light" mb="sm" py="xs" role="status">
      {!following
        ? 'A job is on its way on the box and is not followed here. Resume follows it.'
        : link.state === 'silent'
          ? 'The connection is silent. The job goes on on the box; what it does shows when the link is back.'
          : 'Reconnecting. The job goes on on the box; what it does shows when the link is back.'}
      {broken && link.detail && <span className="banner-detail"> {link.detail}</span>}
    </Alert>
  );
}
