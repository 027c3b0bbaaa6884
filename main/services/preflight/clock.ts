/** The box's clock: how far it is from the laptop's, and setting it. On site nothing else will set it. */
import { z } from 'zod';
import { AppError } from '../../../preload/contract/errors.ts';
import { shellQuote, type Connection } from '../../remote/connection.ts';
import { runAsRoot } from '../../remote/sudo.ts';

export interface Skew {
  /** The box's clock minus the laptop's. */
  seconds: number;
  /** Half of the round trip: the box read its clock somewhere within it. */
  uncertainty: number;
}

/** Prints the box's clock, in seconds since 1970. */
export const TELL_TIME = 'import time; print(time.time())';

/** Measures the difference of the clocks. Errors: python_missing, box_unreadable, link_lost. */
export async function measureSkew(conn: Connection): Promise<Skew> {
  const command = shellQuote(['python3', '-I', '-c', TELL_TIME]);
  const before = Date.now() / 1000;
  const run = await conn.exec(command);
  const after = Date.now() / 1000;
  if (run.code === 127) throw new AppError('python_missing');
  const text = run.stdout.toString('utf8').trim();
  const box = Number(text);
  if (run.code !== 0 || text === '' || !Number.isFinite(box))
    throw new AppError('box_unreadable', {
      detail: `its clock: ${(run.stderr.trim() || text).slice(0, 200)}`,
    });
  return { seconds: box - (before + after) / 2, uncertainty: (after - before) / 2 };
}

/**
 * Moves the clock by a number of seconds (so the way to the box costs no accuracy), then hands it to the hardware clock.
 * Read from stdin as a program, with the seconds as its argument.
 */
export const SET_CLOCK = `
import json, shutil, subprocess, sys, time

try:
    time.clock_settime(time.CLOCK_REALTIME, time.time() + float(sys.argv[1]))
except OSError as e:
    sys.exit(e.strerror)
tool = shutil.which("hwclock", path="/usr/sbin:/sbin:/usr/bin:/bin")
why = None if tool else "hwclock is not installed"
if tool:
    try:
        done = subprocess.run([tool, "--systohc"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        if done.returncode:
            why = done.stderr.decode("utf-8", "replace").strip()[:200] or f"exit status {done.returncode}"
    except subprocess.TimeoutExpired:
        why = "hwclock did not answer within 20 s"
print(json.dumps({"why": why}))
`;

const Answer = z.object({ why: z.string().nullable() });

export interface ClockSet {
  /** What the box's clock said right before and right after, in seconds since 1970. */
  before: number;
  after: number;
  /** Whether the hardware clock was set too, and why not: containers and some virtual machines have none. */
  rtc: boolean;
  rtcReason: string | null;
}

/**
 * Sets the box's clock and its hardware clock from the laptop. The caller records it.
 * Errors: those of runAsRoot; clock_not_set when the box lets not even root do it.
 */
export async function setClock(conn: Connection, sudoPassword: string | undefined): Promise<ClockSet> {
  const wrong = await measureSkew(conn);
  const before = Date.now() / 1000 + wrong.seconds;
  const argv = ['python3', '-I', '-', (-wrong.seconds).toFixed(6)];
  const run = await runAsRoot(conn, argv, { sudoPassword, input: SET_CLOCK });
  const said = run.stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  if (run.code !== 0) throw new AppError('clock_not_set', { detail: said || `status ${run.code ?? 'none'}` });
  const { why } = Answer.parse(JSON.parse(run.stdout.toString('utf8')));
  const right = await measureSkew(conn);
  return { before, after: Date.now() / 1000 + right.seconds, rtc: why === null, rtcReason: why };
}
