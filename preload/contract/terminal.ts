/**
 * What goes over a terminal's port. Bytes are acknowledged in characters as the window has drawn them: main pauses the
 * shell at HIGH unacknowledged ones and goes on at LOW, so that no flood can bury the window: it is some 100 ms of drawing. From
 * LOW on there must be enough to draw until the shell's next reach the window, which takes long where everything is at work.
 */
export const HIGH_WATER = 1_500_000;
export const LOW_WATER = 1_000_000;

export type ToShell =
  | { type: 'input'; data: string }
  | { type: 'resize'; columns: number; rows: number }
  | { type: 'ack'; characters: number }
  | { type: 'close' };

export type FromShell = { type: 'output'; data: string } | { type: 'exit'; why: string };

/** The message with which the window gets the port, and the event under which the page finds it. */
export const TERMINAL_PORT = 'vault-cube-terminal';
