/** What the page is about, below the top bar and beside the list at the left; above it what is wrong with the app itself. */
import { Box } from '@mantine/core';
import type { ReactNode } from 'react';
import { Problems } from './Problems.tsx';

export const MainRegion = ({ children }: { children: ReactNode }) => (
  <Box
    component="main"
    data-region="main"
    tabIndex={-1}
    flex={1}
    miw={0}
    display="flex"
    style={{ flexDirection: 'column' }}
  >
    <Problems />
    {children}
  </Box>
);
