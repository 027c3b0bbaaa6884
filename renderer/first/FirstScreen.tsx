/** The first screen: boxes this laptop knows with where each stands, and what else can be begun. Never without a next action. */
import { Box, Button, Group, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { call } from '../api.ts';
import { Problems } from '../components/Problems.tsx';
import { useDesk } from '../stores/desk.ts';
import { attempt, forgetFlashWith, openDialog, useFrame } from '../stores/frame.ts';
import { openImages } from '../stores/openimages.ts';
import { BoxCards } from './BoxCards.tsx';
import { ImageOnItsWay } from './ImageOnItsWay.tsx';
import { NewBox } from './NewBox.tsx';
import { PracticeMenu } from './PracticeMenu.tsx';

const openReport = () =>
  attempt(async () => {
    const path = await call('pick.file', { what: 'report' });
    if (path !== null) await call('open.path', { path });
  });

export function FirstScreen() {
  const cards = useDesk((s) => s.cards);
  const problem = useFrame((s) => s.problem);
  const [making, setMaking] = useState(false);
  const none = cards !== null && cards.length === 0;
  const flashWith = useFrame((s) => s.flashWith);
  const form = making || none || flashWith !== null;
  const back = () => {
    setMaking(false);
    forgetFlashWith();
  };
  return (
    <Box component="main" className="first">
      <Stack gap="lg" maw={980} mx="auto" px="lg" py="xl">
        <Group justify="space-between" align="center">
          <Title order={1} size="h2">
            <span aria-hidden>▣ </span>Vault Cube Provisioner
          </Title>
          <Button variant="subtle" color="gray" onClick={() => openDialog('about')}>
            About
          </Button>
        </Group>
        <Problems />
        <ImageOnItsWay />
        {form ? (
          <NewBox first={none && flashWith === null} image={flashWith} onCancel={back} />
        ) : (
          <>
            <Title order={2} size="h4">
              Boxes on this laptop
            </Title>
            {cards && <BoxCards cards={cards} />}
            {!cards && !problem && <Text size="sm">Reading the journal…</Text>}
          </>
        )}
        <Group gap="sm">
          {!form && (
            <Button
              variant={cards?.some((c) => c.resumable) ? 'default' : 'filled'}
              onClick={() => setMaking(true)}
            >
              New box
            </Button>
          )}
          <PracticeMenu />
          <Button variant="default" onClick={() => void attempt(openImages)}>
            Golden images
          </Button>
          <Button variant="default" onClick={() => void openReport()}>
            Open report…
          </Button>
        </Group>
      </Stack>
    </Box>
  );
}
