/** Golden images: a new one, those that were built here with their stages, and whether a set is whole. It concerns no box. */
import { Box, Button, Group, ScrollArea, Text, Title, UnstyledButton } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { BuildRun, ImageDeskState } from '../../preload/contract/image-desk.ts';
import { ErrorView } from '../components/ErrorView.tsx';
import { MainRegion } from '../components/MainRegion.tsx';
import { attempt, leaveImages } from '../stores/frame.ts';
import { loadImages, showBuild, showNew, showVerify, useImages } from '../stores/images.ts';
import { timeOf } from '../words.ts';
import { BuildView } from './BuildView.tsx';
import './images.css';
import { OrderForm } from './OrderForm.tsx';
import { VerifyView } from './VerifyView.tsx';
import { BUILD_LOOKS } from './words.ts';

/** What the striped bar says; null where all was real. */
const markOf = (build: BuildRun | undefined): string | null =>
  build?.evidence && build.evidence !== 'real' ? build.evidence.toUpperCase() : null;

function Entry({
  icon,
  name,
  word,
  current,
  onClick,
  tone,
}: {
  icon: string;
  name: string;
  word?: string;
  current: boolean;
  tone?: string;
  onClick: () => void;
}) {
  return (
    <UnstyledButton
      className="step"
      aria-current={current ? 'step' : undefined}
      title={name}
      onClick={onClick}
    >
      <span aria-hidden className="step-icon image-tone" data-tone={tone}>
        {icon}
      </span>
      <span className="step-name image-name">
        <span className="image-short">{name}</span>
        {word && (
          <Text span size="xs" className="step-word">
            {word}
          </Text>
        )}
      </span>
    </UnstyledButton>
  );
}

function History({ images }: { images: ImageDeskState | null }) {
  const shown = useImages((s) => s.shown);
  const id = typeof shown === 'object' ? shown.build : null;
  return (
    <Box component="nav" className="steps image-nav" aria-label="Builds" data-region="steps" tabIndex={-1}>
      <Entry icon="+" name="New build" current={shown === 'new'} onClick={() => showNew()} />
      <Entry icon="○" name="Verify a set" current={shown === 'verify'} onClick={() => showVerify()} />
      <Text size="xs" c="var(--muted)" px={10} pt="sm" pb={4}>
        {images?.builds.length === 0 ? 'No image was built here yet.' : 'Built here, newest first'}
      </Text>
      {images?.builds.map((build) => {
        const { icon, word, tone } = BUILD_LOOKS[build.state];
        return (
          <Entry
            key={build.build}
            icon={icon}
            tone={tone}
            name={build.image}
            word={`${word}${build.goesOnWith ? ` in ${build.goesOnWith}` : ''}, ${timeOf(build.createdAt)}`}
            current={id === build.build}
            onClick={() => showBuild(build.build)}
          />
        );
      })}
    </Box>
  );
}

/** Beside a build that has no stage yet: that it is on its way. */
function Preparing({ images }: { images: ImageDeskState }) {
  const { running } = images;
  if (!running || running.build !== null) return null;
  return (
    <Text size="sm" role="status" mb="sm">
      <span aria-hidden>▶ </span>
      {running.stopping
        ? `Stopping the build of ${running.image}.`
        : `Preparing the build of ${running.image}: its inputs are hashed, and the accelerator is tried.`}
    </Text>
  );
}

function Shown({ images, build }: { images: ImageDeskState; build: BuildRun | undefined }) {
  const shown = useImages((s) => s.shown);
  const like = useImages((s) => s.like);
  if (shown === 'verify') return <VerifyView />;
  if (build) return <BuildView key={build.build} build={build} images={images} />;
  return (
    <OrderForm
      key={like}
      images={images}
      like={images.builds.find((one) => one.build === like) ?? null}
      onBegun={() => useImages.setState({ like: null })}
    />
  );
}

export function ImagesPage() {
  const images = useImages((s) => s.images);
  const shown = useImages((s) => s.shown);
  const title = useRef<HTMLHeadingElement>(null);
  const view = useRef<HTMLDivElement>(null);
  useEffect(() => {
    void attempt(loadImages);
    if (document.activeElement === document.body) title.current?.focus();
  }, []);
  // A build that was begun here is looked at once it has a stage.
  const begun = images?.running?.build ?? null;
  useEffect(() => {
    if (begun !== null && useImages.getState().shown === 'new') showBuild(begun);
  }, [begun]);
  const key = typeof shown === 'object' ? shown.build : shown;
  useEffect(() => view.current?.scrollTo({ top: 0 }), [key]);
  const build =
    typeof shown === 'object' ? images?.builds.find((one) => one.build === shown.build) : undefined;
  const mark = markOf(build);
  const heading = shown === 'verify' ? 'Verify a set' : (build?.image ?? 'New build');
  return (
    <Box h="100%" display="flex" style={{ flexDirection: 'column' }}>
      <Box component="section" aria-label="Golden images" data-region="top" tabIndex={-1}>
        {mark && (
          <div className="striped" data-marking={mark}>
            <span>{mark}</span>
          </div>
        )}
        <Group px="lg" h={44} gap="lg" wrap="nowrap" className="topbar">
          <Text component="h1" fw={700} m={0}>
            <span aria-hidden>▣ </span>Golden images
          </Text>
          <Box flex={1} />
          <Button variant="default" size="compact-md" onClick={() => leaveImages()}>
            All boxes
          </Button>
        </Group>
      </Box>
      <Box flex={1} mih={0} display="flex">
        <History images={images} />
        <MainRegion>
          <Title
            ref={title}
            order={2}
            size="h3"
            id="step-title"
            tabIndex={-1}
            px="lg"
            py="sm"
            className="image-title"
          >
            {heading}
          </Title>
          <ScrollArea
            flex={1}
            viewportRef={view}
            viewportProps={{ tabIndex: 0, role: 'group', 'aria-labelledby': 'step-title' }}
            classNames={{ content: 'step-content', viewport: 'step-view' }}
          >
            <Box pb="lg">
              {images?.error && shown !== 'verify' && (
                <Box mb="md">
                  <ErrorView error={images.error} />
                </Box>
              )}
              {images && shown !== 'verify' && <Preparing images={images} />}
              {images ? <Shown images={images} build={build} /> : <Text size="sm">Reading the journal…</Text>}
            </Box>
          </ScrollArea>
        </MainRegion>
      </Box>
    </Box>
  );
}
