/** A flash that is verified: what shows it, and what to do with the disk now. */
import { List, Stack, Text, Title } from '@mantine/core';
import type { BoxState } from '../../../preload/contract/calls.ts';
import type { CheckResult } from '../../../preload/contract/events.ts';
import { flashOf } from '../../../preload/contract/flash.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import { Verdict } from '../../components/Verdict.tsx';
import { bytes, clock } from '../../numbers.ts';
import type { JobMirror } from '../../stores/desk.ts';
import { timeOf } from '../../words.ts';
import { Notes } from './Notes.tsx';

/** What was found, and what it was held against, or why it was not. */
function Found({ check }: { check: CheckResult }) {
  const { value, unit, threshold, reason } = check;
  const amount = unit === 'bytes' && typeof value === 'number' ? bytes(value) : value;
  const words = [threshold, reason].filter(Boolean).join(', ');
  return (
    <>
      {amount !== null && (
        <>
          <span className={unit === 'bytes' ? '' : 'mono'}>{String(amount)}</span>
          <br />
        </>
      )}
      <span className="flash-muted">{words}</span>
    </>
  );
}

interface Props {
  row: JobRow;
  mirror: JobMirror;
  box: BoxState;
}

export function Verified({ row, mirror, box }: Props) {
  const { practice } = box;
  const { checks, seconds, lastAt } = mirror.view;
  /** Whether it was told for its first boot. */
  const told = 'hostname' in row.spec.params;
  const name = row.title.replace(/^Flash /, '');
  return (
    <Stack gap="md" pb="md">
      <section aria-labelledby="flash-done" className="part flash-done">
        <Title order={3} size="h5" id="flash-done" className="flash-long">
          {name} is written and verified
        </Title>
        <Text size="sm">Every byte was read back from the disk and is what the image says.</Text>
        <dl className="details flash-proof">
          {checks.map((check) => (
            <div key={check.id} className="flash-check">
              <dt>
                <Verdict verdict={check.verdict} /> {check.title}
              </dt>
              <dd>
                <Found check={check} />
              </dd>
            </div>
          ))}
          <div className="flash-check">
            <dt>Image</dt>
            <dd>{flashOf(row).image ?? box.session.flash?.image}</dd>
          </div>
          <div className="flash-check">
            <dt>Ended</dt>
            <dd>
              {lastAt && timeOf(lastAt)}
              {seconds !== null && `, after ${clock(seconds)}`}
            </dd>
          </div>
        </dl>
      </section>
      <Notes mirror={mirror} />
      {box.session.path === 'network' ? (
        <Text size="sm">
          Go on with Reconnect: the box is rebooted from this disk, and met by the host key that was written.
        </Text>
      ) : (
        <Next told={told} practice={practice} />
      )}
    </Stack>
  );
}

function Next({ told, practice }: { told: boolean; practice: boolean }) {
  return (
    <section aria-labelledby="flash-next">
      <Title order={3} size="h5" id="flash-next" mb={4}>
        What to do now
      </Title>
      <List size="sm" type="ordered" spacing={4}>
        {practice ? (
          <List.Item>The practice disk is in the practice box already, and the box is on.</List.Item>
        ) : (
          <>
            <List.Item>Unplug the disk from this laptop.</List.Item>
            <List.Item>Put it back into the box, put the cable in, and switch the box on.</List.Item>
          </>
        )}
        <List.Item>
          {told && !practice
            ? 'Go on with Connect: its host key is the one that was written, and vaultadmin logs in with the key that was chosen.'
            : 'Go on with Connect: compare its host key, which is a new one, and log in with the user that the image was built with.'}
        </List.Item>
      </List>
    </section>
  );
}
