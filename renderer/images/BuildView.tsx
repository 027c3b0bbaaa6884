/** One build: its stages as they go and as they went, what it was built from, and its set. */
import { Button, Group, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { IMAGE_STAGES } from '../../preload/contract/image-build.ts';
import type { BuildRun, ImageDeskState, ImageSet } from '../../preload/contract/image-desk.ts';
import type { ShownOrder } from '../../preload/contract/image-order.ts';
import { call, replyOf } from '../api.ts';
import { ErrorView } from '../components/ErrorView.tsx';
import { useAction } from '../components/useAction.ts';
import { useNow } from '../components/useNow.ts';
import '../components/work.css';
import { duration } from '../numbers.ts';
import { changeImages, showNew } from '../stores/images.ts';
import { timeOf } from '../words.ts';
import { Labels, SetFiles } from './SetFiles.tsx';
import { StageCard } from './StageCard.tsx';
import { StopBuild } from './StopBuild.tsx';
import { sameOrder } from './useOrder.ts';
import { BUILD_LOOKS, STAGE_LOOKS, stageState } from './words.ts';

/** What its set is now; null while it is not asked for. */
function useSet(dir: string | null) {
  const [found, setFound] = useState<{ set: ImageSet } | { error: ErrorReply } | null>(null);
  useEffect(() => {
    let gone = false;
    setFound(null);
    if (dir === null) return undefined;
    call('image.set', { dir })
      .then((set) => {
        if (!gone) setFound({ set });
      })
      .catch((error: unknown) => {
        if (!gone) setFound({ error: replyOf(error) });
      });
    return () => {
      gone = true;
    };
  }, [dir]);
  return found;
}

function Order({ order }: { order: ShownOrder }) {
  const { source, profile, bundle, work, accel, memoryMiB, cpus, diskSize, signerId } = order;
  return (
    <dl className="details image-order">
      <dt>Source</dt>
      <dd>
        {source.kind === 'iso' ? 'Ubuntu ISO' : 'disk image'} <span className="mono">{source.path}</span>
      </dd>
      <dt>Profile</dt>
      <dd>{profile}</dd>
      <dt>Packages from</dt>
      <dd className={bundle === null ? undefined : 'mono'}>
        {bundle ?? 'the sources of the building machine'}
      </dd>
      <dt>Machine</dt>
      <dd>
        {accel === 'auto' ? 'KVM where it works' : accel === 'kvm' ? 'KVM' : 'software emulation'},{' '}
        {memoryMiB} MiB, {cpus} processors, disk {diskSize}
      </dd>
      <dt>Signed</dt>
      <dd>{signerId === null ? 'no' : `with ${signerId}`}</dd>
      <dt>Work folder</dt>
      <dd className="mono">{work}</dd>
    </dl>
  );
}

/** Tells a screen reader, politely, of each stage as it changes. */
function Said({ build }: { build: BuildRun }) {
  const newest = build.stages.at(-1);
  const { word } = STAGE_LOOKS[stageState(newest ?? null, build.state === 'running')];
  return (
    <VisuallyHidden role="status" aria-live="polite">
      {newest ? `${newest.stage} ${newest.title}: ${word}` : ''}
    </VisuallyHidden>
  );
}

/** How it stands, with how long it took. */
function State({ build, stopping }: { build: BuildRun; stopping: boolean }) {
  const { icon, word, tone } = BUILD_LOOKS[build.state];
  return (
    <span className="verdict image-tone" data-tone={tone} data-build={build.state}>
      <span aria-hidden className="verdict-icon">
        {icon}
      </span>
      {stopping ? 'stopping' : word}
      {build.outcome && build.outcome !== 'passed' && `, ${build.outcome.replaceAll('_', ' ')}`}
    </span>
  );
}

export function BuildView({ build, images }: { build: BuildRun; images: ImageDeskState }) {
  const action = useAction();
  const { order, state, goesOnWith } = build;
  const mine = images.running?.build === build.build ? images.running : null;
  const now = useNow(state === 'running');
  const set = useSet(state === 'built' && order ? order.out : null);
  const again = order && sameOrder(order);
  const goOn = () => {
    if (again) void action.run(() => changeImages(call('image.build', again)));
    else showNew(build.build);
  };
  const may = order !== null && images.whyNot === null && images.running === null;
  return (
    <Stack gap="sm">
      <Said build={build} />
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div className="image-what">
          <Group gap="sm">
            <State build={build} stopping={mine?.stopping ?? false} />
            <Text size="sm">
              begun {timeOf(build.createdAt)}
              {build.seconds > 0 && `, ${duration(build.seconds)} in stages that ran`}
            </Text>
            <Labels labels={build.labels} />
          </Group>
        </div>
        <Group gap="sm" wrap="nowrap">
          {mine && <StopBuild image={build.image} stopping={mine.stopping} />}
          {!mine && order && (
            <Button
              variant="default"
              disabled={!may}
              title={images.whyNot ?? undefined}
              onClick={() => showNew(build.build)}
            >
              Build like this…
            </Button>
          )}
          {goesOnWith && may && (
            <Button loading={action.busy} onClick={goOn}>
              Go on with {goesOnWith}
              {again ? '' : '…'}
            </Button>
          )}
        </Group>
      </Group>
      {state === 'running' && !mine && (
        <Text size="sm" role="status">
          It is built by another process of this machine; what it does shows when this page is opened again.
        </Text>
      )}
      {action.error && <ErrorView error={action.error} onClose={action.clear} />}
      <Stack gap="xs">
        {IMAGE_STAGES.map((id) => (
          <StageCard key={id} id={id} build={build} now={now} />
        ))}
        <StageCard id="P6" build={build} now={now}>
          {set && 'set' in set && <SetFiles set={set.set} />}
          {set && 'error' in set && (
            <div className="image-error">
              <ErrorView error={set.error} />
            </div>
          )}
        </StageCard>
      </Stack>
      {order && <Order order={order} />}
    </Stack>
  );
}
