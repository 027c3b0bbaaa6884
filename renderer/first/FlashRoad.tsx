/** What the path *flash a disk here* is made of, for who has not gone it yet. */
import { List, Paper, Stack, Text, Title } from '@mantine/core';

export function FlashRoad() {
  return (
    <Paper withBorder p="lg" component="section" aria-labelledby="flash-road">
      <Stack gap="sm">
        <Title order={2} size="h4" id="flash-road">
          What is needed
        </Title>
        <List size="sm" spacing="xs">
          <List.Item>The golden image as a file on this laptop, with manifest.json beside it.</List.Item>
          <List.Item>
            The box&apos;s disk, taken out and attached to this laptop with an adapter that passes on its
            serial number.
          </List.Item>
          <List.Item>
            Linux and Python 3 on this laptop, and a user who may use sudo: a disk is written as root.
          </List.Item>
        </List>
        <Text size="sm">
          Nothing is written before disk and image were chosen and the end of the disk&apos;s serial was
          typed. Afterwards the disk goes back into the box, and Connect finds it on the cable.
        </Text>
      </Stack>
    </Paper>
  );
}
