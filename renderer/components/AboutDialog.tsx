/** What this app is, what it runs on, where it keeps its data, and what is proven for each system. */
import { Modal, Stack, Table, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { AppInfo } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { attempt, closeDialog } from '../stores/frame.ts';

export function AboutDialog() {
  const [info, setInfo] = useState<AppInfo | null>(null);
  useEffect(() => {
    let gone = false;
    void attempt(async () => {
      const found = await call('app.info', undefined);
      if (!gone) setInfo(found);
    });
    return () => {
      gone = true;
    };
  }, []);
  return (
    <Modal
      opened
      onClose={closeDialog}
      title="Vault Cube Provisioner"
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {info && (
        <Stack gap="md">
          <dl className="details">
            <dt>Version</dt>
            <dd>{info.version}</dd>
            <dt>System</dt>
            <dd>{info.platform}</dd>
            <dt>Runtime</dt>
            <dd>
              Electron {info.runtime.electron}, Chromium {info.runtime.chrome}, Node {info.runtime.node};{' '}
              {info.runtime.origin}
            </dd>
            <dt>Data</dt>
            <dd className="mono">{info.dataFolder}</dd>
          </dl>
          <div>
            <Text size="sm" fw={700} mb={4}>
              What is proven
            </Text>
            <Table verticalSpacing={4}>
              <Table.Thead>
                <Table.Tr>
                  {['System', 'Built', 'Started', 'Walked'].map((head) => (
                    <Table.Th key={head}>{head}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {info.systems.map((s) => (
                  <Table.Tr key={s.system}>
                    <Table.Td>{s.system}</Table.Td>
                    <Table.Td>{s.built}</Table.Td>
                    <Table.Td>{s.started}</Table.Td>
                    <Table.Td>{s.walked}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </Stack>
      )}
    </Modal>
  );
}
