/** Puts a step of a box on an empty page, as App does, with the main that is given. */
import { MantineProvider } from '@mantine/core';
import { act, render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ComponentType } from 'react';
import type { StepProps } from '../../renderer/steps/index.ts';
import { listen, openBox, useDesk } from '../../renderer/stores/desk.ts';
import { theme } from '../../renderer/theme.ts';
import type { FakeMain } from './main.ts';
import { session } from './recordings.ts';

/** Opens the session's box and shows the view, which follows the store. */
export async function show(View: ComponentType<StepProps>, main: FakeMain) {
  main.install();
  const end = listen();
  await openBox(session().id);
  function Shown() {
    const box = useDesk((s) => s.box);
    return box && <View box={box} />;
  }
  const user = userEvent.setup();
  const page = render(
    <MantineProvider theme={theme} defaultColorScheme="light" env="test">
      <Shown />
    </MantineProvider>,
  );
  // What the first effects ask main for.
  await act(async () => undefined);
  return { ...page, user, end };
}
