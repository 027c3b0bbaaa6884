/** A dead link is no failed job: said quietly while a job is on its way. */
import { Alert } from '@mantine/core';
import type { BoxState } from '../../preload/contract/calls.ts';

export function LinkBanner({ box }: { box: BoxState }) {
  const { active, following, link } = box;
  if (!active) return null;
  const broken = link.state === 'reconnecting' || link.state === 'silent';
  if (following && !broken) return null;
  return (
    <Alert color="gray" variant="light" mb="sm" py="xs" role="status" title={null}>
      {!following
        ? 'A job is on its way on the box and is not followed here. Resume follows it.'
        : link.state === 'silent'
          ? 'The connection is silent. The job goes on on the box; what it does shows when the link is back.'
          : 'Reconnecting. The job goes on on the box; what it does shows when the link is back.'}
      {broken && link.detail && <span className="banner-detail"> {link.detail}</span>}
    </Alert>
  );
}
