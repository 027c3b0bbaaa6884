/** On the first screen: that an image is being built, and where it stands; nothing while none is. */
import { Button, Group, Paper, Text } from '@mantine/core';
import { attempt } from '../stores/frame.ts';
import { useImages } from '../stores/images.ts';
import { openImages } from '../stores/openimages.ts';

export function ImageOnItsWay() {
  const images = useImages((s) => s.images);
  if (!images?.running) return null;
  const { image, build } = images.running;
  const stage = images.builds.find((one) => one.build === build)?.stages.find((s) => s.state === 'running');
  return (
    <Paper withBorder px="md" py="sm" component="section" aria-label="Golden image on its way">
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" truncate>
          <span aria-hidden>▶ </span>
          The image <b>{image}</b> is being built
          {stage ? `: ${stage.stage} ${stage.title}` : ''}.
        </Text>
        <Button
          variant="default"
          aria-label={`Open the build of ${image}`}
          onClick={() => void attempt(openImages)}
        >
          Open
        </Button>
      </Group>
    </Paper>
  );
}
