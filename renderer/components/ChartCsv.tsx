/** Every sample of an attempt as CSV, into a folder that is chosen. */
import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { call } from '../api.ts';
import { ErrorView } from './ErrorView.tsx';
import { useAction } from './useAction.ts';

interface Props {
  session: string;
  job: string;
  attempt: number;
}

const folderOf = (path: string) => path.replace(/[\\/][^\\/]*$/, '');

export function ChartCsv({ session, job, attempt }: Props) {
  const action = useAction();
  const [files, setFiles] = useState<readonly string[]>([]);
  const write = async () => {
    const folder = await call('pick.folder', { what: 'report' });
    if (folder === null) return;
    setFiles([]);
    setFiles(await call('job.csv', { session, job, attempt, folder }));
  };
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        disabled={action.busy}
        title="Every sample as it was measured, as CSV"
        onClick={() => void action.run(write)}
      >
        {action.busy ? 'Writing CSV' : 'Export CSV\u2026'}
      </Button>
      {files.map((file) => (
        <Group key={file} gap="xs" role="status" className="charts-csv">
          <Text size="xs">
            Written and read back: <span className="mono">{file}</span>
          </Text>
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => void action.run(() => call('open.path', { path: folderOf(file) }))}
          >
            Open folder
          </Button>
        </Group>
      ))}
      {action.error && <ErrorView error={action.error} />}
    </>
  );
}
