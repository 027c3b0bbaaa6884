/** How the writer becomes root: the password goes to sudo when sudo asks, and never onto the wire. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  launchPkexec,
  launchPlain,
  launchSudo,
  rootWay,
  writerCommand,
} from '../../../main/services/flash/launch.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import { folder } from './images.ts';

const dir = folder();
const bin = join(dir, 'bin');
const signal = new AbortController().signal;
/** In place of the writer: says what came on its stdin. */
const ECHO = ['/bin/sh', '-c', 'printf "got:"; cat'];
const path = process.env['PATH'];

/** Programs that behave as sudo does, seen from its two ends: options to `--`, a prompt on stderr, one line of stdin. */
const SUDO = `while [ "$1" != -- ]; do [ "$1" = -p ] && p=$2; shift; done; shift
case $(cat "$0.mode") in
  free) exec "$@" ;;
  no) echo "kim is not in the sudoers file." >&2; exit 1 ;;
esac
printf '%s' "$p" >&2
# Byte by byte, as sudo reads.
IFS= read -r given
[ "$given" = right ] && exec "$@"
printf 'Sorry, try again.\\n%s' "$p" >&2
IFS= read -r given || exit 1
exit 1`;
const PKEXEC = `[ "$(cat "$0.mode")" = free ] && exec "$@"
exit 126`;

function mode(tool: 'sudo' | 'pkexec', word: string): void {
  writeFileSync(join(bin, `${tool}.mode`), word);
}

beforeAll(() => {
  mkdirSync(bin);
  for (const [name, text] of [
    ['sudo', SUDO],
    ['pkexec', PKEXEC],
  ] as const) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  process.env['PATH'] = `${bin}:${path}`;
});
afterAll(() => {
  process.env['PATH'] = path;
});

/** Sends `frames` and answers all that the writer saw. */
async function wire(launch: ReturnType<typeof launchPlain>): Promise<string> {
  const { stdin, stdout, ended } = await launch(signal);
  let seen = '';
  stdout.on('data', (piece: Buffer) => (seen += piece.toString()));
  stdin.end('frames');
  await ended;
  return seen;
}

const never = () => Promise.reject(new Error('nobody was to be asked'));

describe('root for the writer', () => {
  it('by sudo with a password: it goes to sudo alone', async () => {
    mode('sudo', 'asks');
    expect(await wire(launchSudo(async () => 'right', ECHO))).toBe('got:frames');
  });

  it('by sudo that asks for none: nobody is asked, and no password is on the wire', async () => {
    mode('sudo', 'free');
    expect(await wire(launchSudo(never, ECHO))).toBe('got:frames');
  });

  it('is refused with a wrong password, after one try', async () => {
    mode('sudo', 'asks');
    let asked = 0;
    const launch = launchSudo(async () => `wrong ${(asked += 1)}`, ECHO);
    await expect(launch(signal)).rejects.toMatchObject({ code: 'flash_root_refused' });
    expect(asked).toBe(1);
  });

  it('is refused where sudo does not know the person, or nobody can be asked', async () => {
    mode('sudo', 'no');
    await expect(launchSudo(never, ECHO)(signal)).rejects.toThrow(/sudoers/);
    mode('sudo', 'asks');
    await expect(launchSudo(async () => null, ECHO)(signal)).rejects.toThrow(/nobody could be asked/);
  });

  it('by pkexec: its own dialog, told when that is closed', async () => {
    mode('pkexec', 'free');
    expect(await wire(launchPkexec(ECHO))).toBe('got:frames');
    mode('pkexec', 'no');
    await expect(launchPkexec(ECHO)(signal)).rejects.toThrow(/dialog/);
  });

  it('is not needed by root, wants a display for pkexec, and says where there is no way', () => {
    expect(rootWay({ PATH: bin, DISPLAY: ':0' }, 0)).toBe('plain');
    expect(rootWay({ PATH: bin, DISPLAY: ':0' }, 1000)).toBe('pkexec');
    expect(rootWay({ PATH: bin, WAYLAND_DISPLAY: 'w' }, 1000)).toBe('pkexec');
    expect(rootWay({ PATH: bin }, 1000)).toBe('sudo');
    expect(() => rootWay({ PATH: '/nowhere', DISPLAY: ':0' }, 1000)).toThrow(/neither pkexec nor sudo/);
  });
});

it('a writer that is not there is told of before its first command', async () => {
  await expect(launchPlain([join(dir, 'none')])(signal)).rejects.toMatchObject({
    code: 'flash_python_missing',
  });
});

describe('the program that writes', () => {
  const refused = (fn: () => unknown): AppError => {
    try {
      fn();
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
    return expect.unreachable('it was not refused');
  };

  it.each([
    ['win32', 'Windows'],
    ['darwin', 'macOS'],
    ['freebsd', 'freebsd'],
  ] as const)(
    'is not there on %s, whatever Python that has, and the next action is one for it',
    (platform, name) => {
      const error = refused(() => writerCommand(false, { platform }));
      expect(error.code).toBe('flash_needs_linux');
      expect(error.message).toContain(`is not made for ${name}.`);
      expect(error.nextAction).toMatch(/laptop with Linux, or over the network/);
      expect(error.nextAction).not.toMatch(/\bapt\b|sudo|python/i);
    },
  );

  it('wants Python, and says so before it is started', () => {
    const linux = { platform: 'linux', env: { PATH: dir } } as const;
    const error = refused(() => writerCommand(false, linux));
    expect(error).toMatchObject({
      code: 'flash_python_missing',
      nextAction: expect.stringContaining('python3'),
    });
    writeFileSync(join(dir, 'python3'), '#!/bin/sh\n', { mode: 0o755 });
    expect(writerCommand(false, linux)).toEqual([
      'python3',
      '-I',
      '-S',
      '-B',
      expect.stringMatching(/vcflash/),
    ]);
  });
});
