/**
 * What goes over a terminal's port. Bytes are acknowledged in characters as the window has drawn them: main pauses the
 * shell at HIGH unacknowledged ones and goes on at LOW, so that no flood can bury the window: it is some 50 ms of drawing, and
 * the drawing never waits for the shell.
 */
export const HIGH_WATER = 500_000;
export const LOW_WATER = 250_000;

export type ToShell =
  | { type: 'input'; data: string }
  | { type: 'resize'; columns: number; rows: number }
  | { type: 'ack'; characters: number }
  | { type: 'close' };

export type FromShell = { type: 'output'; data: string } | { type: 'exit'; why: string };

/** The message with which the window gets the port, and the event under which the page finds it. */
export const TERMINAL_PORT = 'vault-cube-terminal';
