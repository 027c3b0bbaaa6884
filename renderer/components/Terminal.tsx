/** A terminal. Its border and title say whose shell it is: the box's, or this laptop's. */
import '@fontsource/jetbrains-mono/400.css';
import '@fontsource/jetbrains-mono/700.css';
import '@xterm/xterm/css/xterm.css';
import { ActionIcon, Badge, Box, Button, Group, Text, TextInput } from '@mantine/core';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { replyOf } from '../api.ts';
import { ErrorView } from './ErrorView.tsx';
import { openTerminal, type OpenTerminal } from './terminal-port.ts';
import { makeScreen, themeFor, type Screen } from './xterm.ts';

interface Props {
  where: 'box' | 'laptop';
  /** The box's session; null for a shell of the laptop on the first screen. */
  session: string | null;
  /** Whose shell it is, for the title: user and name. */
  whose: string;
  /** Whether it is to be seen; whoever looks at a shell wants to type. */
  shown: boolean;
}

/** Ctrl+Shift+C copies, Ctrl+Shift+F searches; everything else is the shell's. */
function isOurs(event: KeyboardEvent): 'copy' | 'search' | null {
  if (event.type !== 'keydown' || !event.ctrlKey || !event.shiftKey) return null;
  if (event.code === 'KeyC') return 'copy';
  return event.code === 'KeyF' ? 'search' : null;
}

export function Terminal({ where, session, whose, shown }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const [round, setRound] = useState(0);
  const [ended, setEnded] = useState<string | null>(null);
  const [error, setError] = useState<ErrorReply | null>(null);
  const [searching, setSearching] = useState(false);
  const [wanted, setWanted] = useState('');
  const dark = useComputedColorScheme('light') === 'dark';
  const first = useRef(dark);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = makeScreen(element, first.current);
    screen.current = made;
    const { term, fit } = made;
    let shell: OpenTerminal | null = null;
    let gone = false;
    // What is typed while the shell starts is for it.
    const early: string[] = [];
    term.onData((data) => (shell ? shell.send({ type: 'input', data }) : early.push(data)));
    setEnded(null);
    setError(null);
    term.attachCustomKeyEventHandler((event) => {
      const act = isOurs(event);
      if (act === 'copy' && term.hasSelection()) void navigator.clipboard.writeText(term.getSelection());
      if (act === 'search') setSearching(true);
      return act === null;
    });
    openTerminal({ where, session, columns: term.cols, rows: term.rows }, (message) => {
      if (message.type === 'exit') return setEnded(message.why);
      const { length } = message.data;
      // Acknowledged when it is drawn, which is what keeps a flood from burying the window.
      term.write(message.data, () => shell?.send({ type: 'ack', characters: length }));
    })
      .then((opened) => {
        if (gone) return opened.close();
        shell = opened;
        for (const data of early.splice(0)) opened.send({ type: 'input', data });
        term.onResize(({ cols, rows }) => opened.send({ type: 'resize', columns: cols, rows }));
      })
      .catch((thrown: unknown) => setError(replyOf(thrown)));
    const watch = new ResizeObserver(() => fit.fit());
    watch.observe(element);
    return () => {
      gone = true;
      watch.disconnect();
      shell?.close();
      made.dispose();
      screen.current = null;
    };
  }, [where, session, round]);

  useEffect(() => {
    if (shown) screen.current?.term.focus();
  }, [shown, round]);

  useEffect(() => {
    first.current = dark;
    if (screen.current) screen.current.term.options.theme = themeFor(dark);
  }, [dark]);

  const find = (back: boolean) => {
    const search = screen.current?.search;
    if (back) search?.findPrevious(wanted);
    else search?.findNext(wanted);
  };
  const colour = where === 'box' ? 'blue' : 'orange';
  return (
    <Box
      h="100%"
      display="flex"
      style={{ flexDirection: 'column', border: `2px solid var(--mantine-color-${colour}-6)` }}
      role="region"
      aria-label={`Terminal: ${where === 'box' ? 'box' : 'laptop'}, ${whose}`}
    >
      <Group justify="space-between" px="sm" py={2} wrap="nowrap">
        <Group gap="xs" wrap="nowrap">
          <Badge color={where === 'box' ? 'blue' : 'orange.4'} variant="filled" radius="sm" autoContrast>
            {where === 'box' ? 'BOX' : 'LAPTOP'}
          </Badge>
          <Text size="sm" truncate>
            {whose}
          </Text>
          {ended !== null && (
            <Text size="sm" c="dimmed" role="status">
              {ended}
            </Text>
          )}
        </Group>
        <Group gap="xs" wrap="nowrap">
          {searching && (
            <TextInput
              size="xs"
              aria-label="Search in the terminal"
              value={wanted}
              autoFocus
              onChange={(e) => setWanted(e.currentTarget.value)}
              onKeyDown={(e) => {
                if (e.key === 'Enter') find(e.shiftKey);
                if (e.key === 'Escape') {
                  setSearching(false);
                  screen.current?.term.focus();
                }
              }}
            />
          )}
          {!searching && (
            <ActionIcon
              variant="subtle"
              aria-label="Search (Ctrl+Shift+F)"
              onClick={() => setSearching(true)}
            >
              ⌕
            </ActionIcon>
          )}
          {(ended !== null || error) && (
            <Button size="compact-xs" onClick={() => setRound(round + 1)}>
              Open again
            </Button>
          )}
        </Group>
      </Group>
      {error && <ErrorView error={error} />}
      {/* Contained: what a flood draws must not make the browser lay out the rest of the window again. */}
      <Box ref={host} flex={1} mih={0} pl={4} style={{ contain: 'strict' }} />
    </Box>
  );
}
