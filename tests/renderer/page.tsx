/** Puts a part of the window on an empty page with the main that is given; every test begins with nothing known. */
import { MantineProvider } from '@mantine/core';
import { act, render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { afterEach } from 'vitest';
import { listen, useDesk } from '../../renderer/stores/desk.ts';
import { useFrame } from '../../renderer/stores/frame.ts';
import { theme } from '../../renderer/theme.ts';
import type { FakeMain } from './main.ts';

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
  useDesk.setState(useDesk.getInitialState(), true);
  useFrame.setState(useFrame.getInitialState(), true);
});

export async function put(part: ReactNode, main: FakeMain) {
  main.install();
  ends.push(listen());
  const user = userEvent.setup();
  const page = render(
    <MantineProvider theme={theme} defaultColorScheme="light" env="test">
      {part}
    </MantineProvider>,
  );
  await act(async () => undefined);
  return { ...page, user };
}
