/** Rows: logged in, but no way to become root, or nothing to work with; and the account that is to be made. */
import type { Bench } from './bench.ts';
import { INSPECTED } from './connection.ts';
import type { Row } from './row.ts';

const away = (path: string) => (b: Bench) => b.done(`mv ${path} /root/away`, `mv /root/away ${path}`);
/** Inspect leaves a failed attempt in the record, which is no harm: it says what happened. */
const rest = { exit: 5, unchanged: ['box', 'session'], then: INSPECTED } as const;
const command = (b: Bench) => b.inspect();

export const ROOT_WAYS: readonly Row[] = [
  { item: 'no python3', cause: away('/usr/bin/python3'), command, code: 'python_missing', ...rest },
  {
    item: 'no sudo',
    which: 'and a user who is not root',
    cause: away('/usr/bin/sudo'),
    command,
    code: 'sudo_missing',
    ...rest,
  },
  {
    item: 'wrong sudo password',
    cause: async () => async () => undefined,
    command,
    secrets: { sudoPassword: 'not the Sudo-passw0rd' },
    code: 'sudo_password_wrong',
    ...rest,
    person: true,
  },
  {
    item: 'sudo wants a tty',
    cause: (b) => b.done("echo 'Defaults requiretty' >/etc/sudoers.d/tty", 'rm -f /etc/sudoers.d/tty'),
    command,
    code: 'sudo_wants_tty',
    ...rest,
  },
];

/** Sets the account up in the end, so it comes last of its box. */
export const UID_TAKEN: Row = {
  item: 'UID 1000 taken',
  cause: async () => async () => undefined,
  command: (b) => ['keys', '--box', b.name, '--generate'],
  code: 'uid_taken',
  exit: 5,
  says: /belongs to installer/,
  unchanged: ['box', 'session'],
  // Nothing is wrong with the box; the engineer has to choose.
  again: (b) => ['keys', '--box', b.name, '--generate', '--uid', 'keep'],
  then: [10],
  after: async (b) => {
    await b.sh('id -u installer | grep -qx 1000 && id -nG vaultadmin | grep -qw vaultcube');
  },
};

/** On a box that has no other user than root. */
export const ROOT_ONLY: readonly Row[] = [
  {
    item: 'root-only login',
    which: 'and sshd takes no password from root',
    cause: (b) => b.sshd('PermitRootLogin prohibit-password'),
    command,
    code: 'login_root_refused',
    exit: 4,
    unchanged: ['box', 'session', 'jobs'],
    then: INSPECTED,
  },
  {
    item: 'no sudo',
    which: 'and vaultadmin to be made',
    cause: away('/usr/bin/sudo'),
    command: (b) => ['keys', '--box', b.name, '--generate'],
    code: 'sudo_absent',
    exit: 5,
    unchanged: ['box', 'session'],
    then: [0],
    after: async (b) => {
      await b.sh('id -u vaultadmin | grep -qx 1000 && id -nG vaultadmin | grep -qw sudo');
    },
  },
];
