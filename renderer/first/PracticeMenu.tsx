/** A practice box, without a fault or with one that was recorded, so that an engineer sees a failure once. */
import { Button, Menu } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CallInput, CallOutput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { openBox } from '../stores/desk.ts';
import { attempt } from '../stores/frame.ts';

const practise = (order: CallInput<'boxes.practice'>) =>
  attempt(async () => openBox((await call('boxes.practice', order)).session));

export function PracticeMenu() {
  const [faults, setFaults] = useState<CallOutput<'practice.faults'>>([]);
  useEffect(() => {
    void attempt(async () => setFaults(await call('practice.faults', undefined)));
  }, []);
  return (
    <Menu position="top-start" withinPortal>
      <Menu.Target>
        <Button variant="default">Practice box</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void practise({ fault: null, path: 'provision' })}>
          Everything works
        </Menu.Item>
        <Menu.Item onClick={() => void practise({ fault: null, path: 'flash' })}>
          With its disk flashed first
        </Menu.Item>
        {faults.map(({ id, title }) => (
          <Menu.Item key={id} onClick={() => void practise({ fault: id, path: 'provision' })}>
            With a fault: {title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
