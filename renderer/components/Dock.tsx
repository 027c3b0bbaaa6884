/** Always one key away: shells, charts, and what a job did, below whatever step is shown. */
import { Box, Group, Select, Tabs, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { BoxState } from '../../preload/contract/calls.ts';
import { jobKey, useDesk } from '../stores/desk.ts';
import { showTab, toggleDock, useFrame, type DockTab } from '../stores/frame.ts';
import { DockHandle } from './DockHandle.tsx';
import { EventList } from './EventList.tsx';
import { GpuCharts } from './GpuCharts.tsx';
import { RawLog } from './RawLog.tsx';
import { Shells } from './Shells.tsx';
import { useJob } from './useJob.ts';

const TABS: readonly { tab: DockTab; title: string }[] = [
  { tab: 'terminal', title: 'Terminal' },
  { tab: 'charts', title: 'GPU charts' },
  { tab: 'events', title: 'Events' },
  { tab: 'log', title: 'Raw log' },
];

const ofJob = (tab: DockTab) => tab === 'events' || tab === 'log';

/** The attempt whose events are shown: the chosen one, else the one on its way, else the newest. */
function useShown(box: BoxState, chosen: string | null) {
  const keyed = box.jobs.map((row) => ({ row, key: jobKey(row.job, row.attempt) }));
  const active = box.active && jobKey(box.active.job, box.active.attempt);
  const found = keyed.find((k) => k.key === chosen) ?? keyed.find((k) => k.key === active) ?? keyed.at(-1);
  const mirror = useJob(box.session.id, found?.row ?? null);
  return { keyed, key: found?.key ?? null, row: found?.row ?? null, mirror };
}

/** The newest attempt with samples. */
function useSampled(box: BoxState) {
  const jobs = useDesk((s) => s.jobs);
  return box.jobs.findLast((row) => (jobs[jobKey(row.job, row.attempt)]?.view.sampleRows ?? 0) > 0) ?? null;
}

export function Dock({ box }: { box: BoxState }) {
  const { dock, tab, height } = useFrame();
  const [chosen, setChosen] = useState<string | null>(null);
  const { keyed, key, row, mirror } = useShown(box, chosen);
  const sampled = useSampled(box);
  return (
    <Box
      component="section"
      aria-label="Dock"
      data-region="dock"
      tabIndex={-1}
      className="dock"
      style={dock ? { height } : undefined}
    >
      {dock && <DockHandle />}
      <Tabs
        value={dock ? tab : null}
        onChange={(t) => t && showTab(t as DockTab)}
        className="dock-tabs"
        activateTabWithKeyboard={false}
        keepMounted={false}
        keepMountedMode="display-none"
      >
        <Group gap="sm" wrap="nowrap" className="dock-bar">
          <Tabs.List className="dock-list">
            {TABS.map((t) => (
              <Tabs.Tab key={t.tab} value={t.tab} onClick={() => dock && t.tab === tab && toggleDock()}>
                {t.title}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {dock && ofJob(tab) && keyed.length > 0 && (
            <Select
              size="xs"
              w={300}
              aria-label="Job"
              allowDeselect={false}
              data={keyed.toReversed().map(({ row, key: k }) => ({
                value: k,
                label: `${row.title}${row.attempt > 1 ? `, attempt ${row.attempt}` : ''} (${row.state})`,
              }))}
              value={key}
              onChange={setChosen}
            />
          )}
          <UnstyledButton className="dock-toggle" aria-expanded={dock} onClick={toggleDock}>
            {dock ? '⌄' : '⌃'} dock
          </UnstyledButton>
        </Group>
        <Tabs.Panel value="terminal" keepMounted className="dock-panel">
          <Shells box={box} shown={dock && tab === 'terminal'} />
        </Tabs.Panel>
        <Tabs.Panel value="charts" className="dock-panel">
          {sampled ? (
            <GpuCharts box={box} job={sampled.job} attempt={sampled.attempt} />
          ) : (
            <div className="lines-none">No job has sampled the GPUs yet. Validate does.</div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="events" className="dock-panel">
          <EventList key={key} events={mirror?.events ?? []} />
        </Tabs.Panel>
        <Tabs.Panel value="log" className="dock-panel">
          <RawLog
            key={key}
            session={box.session.id}
            job={row?.job ?? ''}
            attempt={row?.attempt ?? 0}
            count={mirror?.view.lastSeq ?? 0}
          />
        </Tabs.Panel>
      </Tabs>
    </Box>
  );
}
