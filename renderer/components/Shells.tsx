/** The two shells: the box's through the held connection, and this laptop's. Each starts when it is first looked at, and stays. */
import { Box, Button, SegmentedControl, Stack, Text } from '@mantine/core';
import { lazy, Suspense, useEffect, useState } from 'react';
import type { BoxState } from '../../preload/contract/calls.ts';
import { showStep } from '../stores/desk.ts';

// A third of the page's code, and nobody looks at a shell first.
const Terminal = lazy(async () => ({ default: (await import('./Terminal.tsx')).Terminal }));

type Where = 'box' | 'laptop';

export function Shells({ box, shown }: { box: BoxState; shown: boolean }) {
  const [where, setWhere] = useState<Where>('box');
  const [begun, setBegun] = useState<ReadonlySet<Where>>(new Set());
  const connected = box.link.state !== null;
  const wanted = shown && (where === 'laptop' || connected);
  useEffect(() => {
    if (wanted) setBegun((before) => (before.has(where) ? before : new Set([...before, where])));
  }, [wanted, where]);
  const { id, name, user } = box.session;
  return (
    <Box className="shells">
      <SegmentedControl
        size="xs"
        orientation="vertical"
        aria-label="Whose shell"
        value={where}
        onChange={(w) => setWhere(w)}
        data={[
          { value: 'box', label: 'Box' },
          { value: 'laptop', label: 'Laptop' },
        ]}
      />
      {begun.has('box') && (
        <div className="shell" hidden={where !== 'box'}>
          <Suspense>
            <Terminal
              where="box"
              session={id}
              whose={`${user} on ${name}`}
              shown={shown && where === 'box'}
            />
          </Suspense>
        </div>
      )}
      {where === 'box' && !begun.has('box') && (
        <Stack gap="xs" p="sm" align="flex-start">
          <Text size="sm">A shell on the box needs a connection.</Text>
          <Button size="compact-sm" variant="default" onClick={() => showStep('connect')}>
            Go to Connect
          </Button>
        </Stack>
      )}
      {begun.has('laptop') && (
        <div className="shell" hidden={where !== 'laptop'}>
          <Suspense>
            <Terminal where="laptop" session={null} whose="this laptop" shown={shown && where === 'laptop'} />
          </Suspense>
        </div>
      )}
    </Box>
  );
}
