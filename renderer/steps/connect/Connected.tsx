/** The login that is held, and the host key that was pinned by it. */
import { Table, Text } from '@mantine/core';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { LinkDot } from '../../components/LinkDot.tsx';
import { timeOf } from '../../words.ts';

export function Connected({ box }: { box: BoxState }) {
  const { hostKey, user, keys } = box.session;
  return (
    <Table withRowBorders={false} verticalSpacing={4} layout="fixed" className="facts">
      <Table.Tbody>
        <Table.Tr>
          <Table.Th w={140}>Link</Table.Th>
          <Table.Td>
            <LinkDot link={box.link} />
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>Logged in as</Table.Th>
          <Table.Td>
            {user}, {keys ? 'with the key of this box' : 'for the first set-up'}
          </Table.Td>
        </Table.Tr>
        {hostKey && (
          <Table.Tr>
            <Table.Th>Host key</Table.Th>
            <Table.Td>
              <Text size="sm" className="mono">
                {hostKey.algorithm} {hostKey.fingerprint}
              </Text>
              <Text size="xs" c="dimmed">
                confirmed {timeOf(hostKey.confirmedAt)}
              </Text>
            </Table.Td>
          </Table.Tr>
        )}
      </Table.Tbody>
    </Table>
  );
}
