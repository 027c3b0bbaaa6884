/** A practice box, without a fault or with one that was recorded, so that an engineer sees a failure once. */
import { Button, Menu } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CallOutput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { openBox } from '../stores/desk.ts';
import { attempt } from '../stores/frame.ts';

const practise = (fault: string | null) =>
  attempt(async () => openBox((await call('boxes.practice', { fault })).session));

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
        <Menu.Item onClick={() => void practise(null)}>Everything works</Menu.Item>
        {faults.map(({ id, title }) => (
          <Menu.Item key={id} onClick={() => void practise(id)}>
            With a fault: {title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
