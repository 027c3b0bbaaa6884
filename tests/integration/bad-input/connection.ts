/** Rows: no way to the box, or none in. The box is fresh and known to the laptop; logins are by its first user's password. */
import { connect } from 'node:net';
import { until } from '../../rig/host.ts';
import { NO_PENALTIES, type Bench } from './bench.ts';
import type { Row, Undo } from './row.ts';

/** A stand-in box passes with deviations: it has no PCI bus of its own. */
export const INSPECTED = [10];
const EVERYTHING = ['box', 'session', 'jobs'] as const;

const inspect = (bench: Bench) => bench.inspect();

/** Whether the box's sshd lets this laptop come as far as its banner. */
const greets = ({ box }: Bench): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: box.host, port: box.port });
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString('latin1');
      socket.end();
    });
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(heard.startsWith('SSH-')));
  });

/** Somebody at this laptop tries a key that is not the box's. A ban in the middle of it leaves ssh waiting for two minutes. */
export async function knock({ box }: Bench, key: string): Promise<void> {
  const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=no', 'ConnectTimeout=3'];
  const flags = [...options, 'UserKnownHostsFile=/dev/null'].flatMap((option) => ['-o', option]);
  await box.inLaptop(['timeout', '5', 'ssh', ...flags, '-i', key, `nobody-here@${box.host}`, 'true']);
}

export async function strangersKey(bench: Bench): Promise<string> {
  const path = bench.file('stranger');
  await bench.box.inLaptop(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path]);
  return path;
}

/** Failed logins until sshd's own penalties shut this laptop out. */
async function penalised(bench: Bench): Promise<Undo> {
  const path = `/${NO_PENALTIES}`;
  const key = await strangersKey(bench);
  const undo = await bench.done(
    `mv ${path} /root/penalties && systemctl restart ssh`,
    `mv /root/penalties ${path}; systemctl restart ssh`,
  );
  await until(
    'a penalty',
    async () => {
      await knock(bench, key);
      return !(await greets(bench));
    },
    30_000,
  );
  return undo;
}

const SHADOW_DAY = `awk -F: '$1 == "installer" {print $3}' /etc/shadow`;

export const CONNECTION: readonly Row[] = [
  {
    item: 'unknown host',
    cause: async () => async () => undefined,
    command: (b) => b.inspect('--host', 'no-such-box.invalid'),
    code: 'host_unknown',
    exit: 3,
    says: /no-such-box\.invalid/,
    unchanged: EVERYTHING,
    again: (b) => b.inspect('--host', b.box.host),
    then: INSPECTED,
    person: true,
  },
  {
    item: 'refused port',
    cause: (b) => b.done('systemctl stop ssh', 'systemctl start ssh'),
    command: inspect,
    code: 'port_refused',
    exit: 3,
    says: /port 22 is closed/,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'not SSH',
    cause: async (b) => {
      const undo = await b.done(
        'systemctl stop ssh && systemd-run -q --unit=web python3 -m http.server 22',
        'systemctl stop web; systemctl start ssh',
      );
      await until('the web server', async () => /:22\b/.test(await b.sh('ss -Hltn')), 10_000);
      return undo;
    },
    command: inspect,
    code: 'not_ssh',
    exit: 3,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'banned',
    which: 'by sshd itself, before layer 1',
    cause: penalised,
    command: inspect,
    code: 'ssh_banned',
    exit: 3,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
];

export const LOGIN: readonly Row[] = [
  {
    item: 'wrong password',
    cause: async () => async () => undefined,
    command: inspect,
    secrets: { loginPassword: 'not the Passw0rd' },
    code: 'login_password_wrong',
    exit: 4,
    says: /installer/,
    unchanged: EVERYTHING,
    then: INSPECTED,
    person: true,
  },
  {
    item: 'forced password change',
    cause: async (b) => {
      const day = (await b.sh(SHADOW_DAY)).trim();
      return b.done('chage -d 0 installer', `chage -d ${day} installer`);
    },
    command: inspect,
    code: 'login_password_expired',
    exit: 4,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'password login off',
    cause: (b) => b.sshd('PasswordAuthentication no'),
    command: inspect,
    code: 'login_password_off',
    exit: 4,
    says: /only: publickey/,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'noisy shell rc',
    cause: (b) =>
      b.done(
        'cd /home/installer && cp -p .bashrc /root/rc && { echo "echo Welcome to the lab"; cat /root/rc; } >.bashrc',
        'mv /root/rc /home/installer/.bashrc',
      ),
    command: inspect,
    code: 'login_shell_noisy',
    exit: 4,
    says: /"Welcome to the lab"/,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
  {
    item: 'login shell nologin',
    cause: (b) => b.done('usermod -s /usr/sbin/nologin installer', 'usermod -s /bin/bash installer'),
    command: inspect,
    code: 'login_shell_nologin',
    exit: 4,
    unchanged: EVERYTHING,
    then: INSPECTED,
  },
];
