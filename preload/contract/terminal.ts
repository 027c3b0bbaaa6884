/**
 * What goes over a terminal's port. Bytes are acknowledged in characters as the window has drawn them: a shell is paused at `high`
 * unacknowledged ones and goes on at `low`, so that no flood can bury the window. From `low` on there must be enough to draw until
 * the shell's next reach the window. A shell of the laptop has a process of its own and is meant to be as fast as xterm.js; one on
 * the box comes through main, whose other answers must not stand behind what is not drawn yet.
 */
export const WATER = {
  box: { high: 400_000, low: 200_000 },
  laptop: { high: 1_500_000, low: 1_000_000 },
} as const;

export type ToShell =
  | { type: 'input'; data: string }
  | { type: 'resize'; columns: number; rows: number }
  | { type: 'ack'; characters: number }
  | { type: 'close' };

export type FromShell = { type: 'output'; data: string } | { type: 'exit'; why: string };

/** The message with which the window gets the port, and the event under which the page finds it. */
export const TERMINAL_PORT = 'vault-cube-terminal';
