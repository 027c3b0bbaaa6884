/** The system that was flashed: rebooted into, met by the host key that was written, proven, and its layers checked. */
import { Button, Group, List, NumberInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { CheckRow } from '../../components/CheckRow.tsx';
import { FileField } from '../../components/FileField.tsx';
import { JobSteps } from '../../components/JobSteps.tsx';
import { Outcome } from '../../components/Outcome.tsx';
import { PartCard } from '../../components/PartCard.tsx';
import { Proofs } from '../../components/Proofs.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { useJob } from '../../components/useJob.ts';
import { Waiting } from '../../components/Waiting.tsx';
import { phasesOf } from '../../phases.ts';
import { change } from '../../stores/desk.ts';
import { waitsForLink } from '../../words.ts';
import type { StepProps } from '../index.ts';
import './reconnect.css';

/** The jobs of this step: the first login, then the look at the machine; the layers' checks have cards of their own. */
const KINDS: readonly string[] = ['keys', 'preflight'];

function Progress({ box }: StepProps) {
  const newest = box.jobs.findLast((row) => KINDS.includes(row.kind)) ?? null;
  const view = useJob(box.session.id, newest)?.view;
  if (!view) return null;
  return (
    <Stack gap="xs">
      <JobSteps view={view} />
      {view.waiting && <Waiting waiting={view.waiting} />}
    </Stack>
  );
}

/** Which layers were looked at, and why these. */
function claimsText({ session, standing }: BoxState): string {
  const { claims } = session;
  const checked = standing.layers.filter((part) => part.attempts > 0).map((part) => `L${part.layer}`);
  if (claims === null)
    return checked.length
      ? `No manifest says which layers the image has; there were traces of ${checked.join(', ')}.`
      : 'No manifest says which layers the image has, and there was no trace of one.';
  const named = claims.map((layer) => `L${layer}`);
  return named.length
    ? `The image's manifest claims ${named.join(', ')}.`
    : "The image's manifest claims no layer.";
}

function Layers({ box }: StepProps) {
  const parts = box.standing.layers.filter((part) => part.attempts > 0);
  return (
    <section aria-labelledby="reconnect-layers">
      <Title order={3} size="h5" id="reconnect-layers" mb={4}>
        Layers of the image
      </Title>
      <Text size="sm" mb="xs">
        {claimsText(box)}
      </Text>
      <Stack gap="xs">
        {parts.map((part) => (
          <PartCard
            key={part.id}
            part={part}
            phases={phasesOf(box, { layer: part.layer ?? 0 })}
            session={box.session.id}
          />
        ))}
      </Stack>
    </section>
  );
}

/** What the first login has shown. */
function Met({ box }: StepProps) {
  const { keys, user, hostKey } = box.session;
  const { checks } = box.standing.keys;
  return (
    <section aria-labelledby="reconnect-met">
      <Title order={3} size="h5" id="reconnect-met" mb={4}>
        {box.session.name} runs from its flashed disk
      </Title>
      {hostKey && (
        <Text size="sm" mb="xs">
          It has the host key that was written: <span className="mono">{hostKey.fingerprint}</span>
        </Text>
      )}
      {keys && <Proofs keys={keys} user={user} />}
      {checks.map((check) => (
        <CheckRow key={check.result.id} session={box.session.id} check={check} />
      ))}
    </section>
  );
}

export function Reconnect({ box }: StepProps) {
  const action = useAction();
  const { id, next, live, firstBoot, address, name } = box.session;
  const at = next?.address ?? address;
  const [host, setHost] = useState(at?.host ?? '');
  const [port, setPort] = useState<number | string>(at?.port ?? 22);
  const [keyFile, setKeyFile] = useState('');
  const [stopping, setStopping] = useState(false);
  const running = box.steps.some((s) => s.id === 'reconnect' && s.state === 'running');
  const busy = action.busy || running;
  const met = next === null && !live && box.session.keys !== null;
  const lacks =
    host.trim() === '' || typeof port !== 'number'
      ? 'Enter the address.'
      : firstBoot === null && keyFile.trim() === ''
        ? 'Choose the key.'
        : null;
  const meet = async () => {
    if (typeof port !== 'number') return;
    setStopping(false);
    const key = firstBoot === null ? { kind: 'file' as const, path: keyFile.trim() } : null;
    await change(call('box.meet', { session: id, key, address: { host: host.trim(), port } }));
  };
  const prove = () => change(call('box.prove', { session: id }));
  const primary = met
    ? { label: 'Check again', run: prove, why: waitsForLink(box.link) }
    : { label: live ? 'Reboot and meet it' : 'Meet it', run: meet, why: lacks };
  const done = box.steps.some((s) => s.id === 'reconnect' && s.state === 'done');
  return (
    <StepFrame
      box={box}
      id="reconnect"
      action={action}
      aside={
        <Group gap="md">
          <Outcome part={box.standing.keys} />
          {done && (
            <Button
              size="compact-sm"
              variant="default"
              loading={busy}
              disabled={primary.why !== null}
              title={primary.why ?? undefined}
              onClick={() => void action.run(prove)}
            >
              Check again
            </Button>
          )}
        </Group>
      }
      {...(busy && !met
        ? {
            actions: (
              <Button
                variant="default"
                disabled={stopping}
                onClick={() => {
                  setStopping(true);
                  void call('box.stopMeeting', { session: id });
                }}
              >
                Stop waiting
              </Button>
            ),
          }
        : {})}
      {...(next === null && !met ? {} : done ? {} : { primary })}
    >
      <Stack gap="md" pb="md" maw={760}>
        {next !== null && (
          <section aria-labelledby="reconnect-next">
            <Title order={3} size="h5" id="reconnect-next" mb={4}>
              What happens
            </Title>
            <List size="sm" type="ordered" spacing={4}>
              <List.Item>
                {live
                  ? `${name} is rebooted out of its live system, after a countdown that you can stop.`
                  : `${name} starts from its disk.`}
              </List.Item>
              {live && (
                <List.Item>
                  <b>Take the stick out when its screen goes dark.</b>
                </List.Item>
              )}
              <List.Item>
                The app waits for the host key that was written, and sends nothing to any other system.
              </List.Item>
              <List.Item>
                Login by the key alone, sudo, host name and the size of root are proven; the machine is looked
                at anew, and the layers of the image are checked.
              </List.Item>
            </List>
            <dl className="details reconnect-expected">
              <dt>Host name</dt>
              <dd>{next.hostname}</dd>
              {next.fingerprint !== null && (
                <>
                  <dt>Host key</dt>
                  <dd className="mono">{next.fingerprint}</dd>
                </>
              )}
            </dl>
            <Group gap="sm" align="flex-start" wrap="nowrap">
              <TextInput
                flex={1}
                label="Address"
                description="Where it will be. Change it where DHCP gives it another one."
                value={host}
                disabled={busy}
                spellCheck={false}
                onChange={(e) => setHost(e.currentTarget.value)}
              />
              <NumberInput
                label="Port"
                description=" "
                w={96}
                min={1}
                max={65535}
                value={port}
                disabled={busy}
                onChange={setPort}
                hideControls
              />
            </Group>
            {firstBoot === null && (
              <FileField label="Private key" what="privateKey" value={keyFile} onChange={setKeyFile} />
            )}
          </section>
        )}
        {busy && <Progress box={box} />}
        {met && <Met box={box} />}
        {met && <Layers box={box} />}
      </Stack>
    </StepFrame>
  );
}
