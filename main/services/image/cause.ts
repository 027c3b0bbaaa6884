/** From what Packer, Ansible and the others printed to one sentence for people. Pure. */

export interface Cause {
  cause: string;
  action: string;
}

interface Known {
  /** Of the log, the last place where it fits. */
  pattern: RegExp;
  cause: (found: RegExpMatchArray) => string;
  action: string;
}

const ROOM = 'Make room in the work folder, or name another with --work.';
const KNOWN: readonly Known[] = [
  {
    pattern: /No space left on device|ENOSPC|disk quota exceeded/i,
    cause: () => 'the disk of the work folder is full.',
    action: ROOM,
  },
  {
    pattern: /Checksums? did not match[^\n]*/i,
    cause: () => 'the source image has another checksum than was given.',
    action: 'Fetch the source again, or correct --base-sha256.',
  },
  {
    pattern:
      /TASK \[([^\]\n]+)\][^\n]*\n(?:(?!TASK \[)[\s\S])*?(?:fatal|failed): \[[^\]]*\][^\n]*?(?:FAILED!|=>|UNREACHABLE!)/,
    cause: ([, task = '']) => `the task "${task}" failed.`,
    action: 'Look at the task in the log and mend the role.',
  },
  {
    pattern: /Timeout waiting for SSH|timeout waiting for ssh/i,
    cause: () => 'the machine did not answer by SSH in time.',
    action: 'Look at console.log beside the log of this stage.',
  },
  {
    pattern: /(?:Could not access KVM kernel module|failed to initialize kvm)[^\n]*/i,
    cause: () => 'KVM does not work here.',
    action: 'Build with --accel tcg, or on a machine with KVM.',
  },
  {
    pattern: /Qemu failed to start[^\n]*|Error launching VM: ([^\n]*)/i,
    cause: ([all]) => `QEMU could not be started: ${all}.`,
    action: 'Look at the log: memory, ports and firmware are named there.',
  },
  {
    pattern: /Script exited with non-zero exit status: (\d+)/,
    cause: ([, code = '']) => `a script in the machine ended with ${code}.`,
    action: 'Look at the lines before it in the log.',
  },
];

/** Without Packer's own marks before each line, so that a pattern over lines fits. Pure. */
export const plain = (log: string): string =>
  log.replaceAll(/^(?:\S+Z: )?(?:==> |\s+)?[a-z]+\.qemu\.[a-z]+: ?/gm, '').replaceAll('\r', '');

/**
 * Whether the build failed by what its machine answered: the last task with a result, or a script with a number. Packer ends the machine
 * right behind that, so that it is gone then says nothing. Pure.
 */
export function failedInside(log: string): boolean {
  const text = plain(log);
  const last = text.slice(Math.max(0, text.lastIndexOf('TASK [')));
  return (
    /^(?:fatal|failed): \[[^\]]*\].*FAILED!/m.test(last) ||
    /Script exited with non-zero exit status: \d+/.test(last)
  );
}

/** The last error that Packer or another program tells; null where none is told. */
function lastWords(log: string): string | null {
  const lines = log.split('\n').map((line) => line.trim());
  const told = lines.findLast((line) => /^(?:-->|Error:|ERROR|error:|fatal:)/.test(line));
  const any = told ?? lines.findLast((line) => line !== '');
  return any === undefined ? null : any.replace(/^--> [^:]*: /, '').slice(0, 300);
}

/** `what` is the program that ended. `gone`: its machine ended before it was told to. */
export function causeOf(what: string, log: string, gone: boolean): Cause {
  const text = plain(log);
  const room = KNOWN[0];
  if (gone && !(room && room.pattern.test(text)))
    return {
      cause: 'QEMU ended before the build did: it was killed, or ran out of memory.',
      action: 'Look at the memory of this machine ("dmesg | tail"), then build again.',
    };
  for (const { pattern, cause, action } of KNOWN) {
    const found = pattern.exec(text);
    if (found) return { cause: cause(found), action };
  }
  return {
    cause: `${what} ended with an error: ${lastWords(text) ?? 'it said nothing'}`,
    action: 'Look at its log.',
  };
}
