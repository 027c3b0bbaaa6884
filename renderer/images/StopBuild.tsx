/** Stops the build, after a second press. Esc closes the question and stops nothing. */
import { Text } from '@mantine/core';
import { useState } from 'react';
import { AskFirst } from '../components/AskFirst.tsx';
import { call } from '../api.ts';
import { attempt } from '../stores/frame.ts';

export function StopBuild({ image, stopping }: { image: string; stopping: boolean }) {
  const [open, setOpen] = useState(false);
  if (stopping)
    return (
      <Text size="sm" role="status">
        Stopping. Packer ends its machine first.
      </Text>
    );
  const stop = () => {
    setOpen(false);
    void attempt(() => call('image.stop', undefined));
  };
  return (
    <AskFirst
      label="Stop…"
      opened={open}
      onChange={setOpen}
      position="bottom-end"
      width={340}
      question={`Stop the build of ${image}?`}
      text="Stages that have passed are kept. The same build, begun again, goes on with the one that is running now."
      confirm="Stop the build"
      onConfirm={stop}
    />
  );
}
