/** Who gets in, and how: sudo, the administrator's UID, the SSH port. */
import { AppError } from '../../../preload/contract/errors.ts';
import { judged, notRun, pass, unread, warn, type Finding, type Look, type PreflightCheck } from './judge.ts';

/** The administrator's UID and sshd's port, as the specification has them (layer 1, S2). */
const ADMIN_UID = 1000;
const SSH_PORT = 22;

function sudo({ reading, when }: Look): Finding {
  const { sudoWay: way, asRoot, noRootReason } = reading;
  const more = { threshold: 'root, or sudo', evidence: noRootReason };
  if (way === 'none')
    return judged(
      false,
      'none',
      new AppError('login_no_root_way', { user: when.firstUser }).nextAction,
      more,
    );
  if (!asRoot)
    return notRun(noRootReason ?? 'it was not tried', 'Inspect again with the sudo password.', more);
  const words = {
    root: 'logged in as root',
    passwordless: 'sudo without a password',
    password: 'sudo with a password',
  };
  return pass(words[way], more);
}

function uid1000(look: Look): Finding {
  const { uid1000: holder, users } = look.facts;
  const { adminUser, firstUser } = look.when;
  const more = { threshold: `${adminUser}, or free`, source: 'specification, layer 1' };
  if (holder === adminUser) return pass(holder, more);
  if (holder) {
    const evidence = holder === firstUser ? `${holder} is the user of the first login` : null;
    return warn(
      holder,
      `Choose in Keys what happens: swap (${holder} is logged out and its files are re-owned), or leave it (${adminUser} gets another UID, reported as a deviation).`,
      { ...more, evidence },
    );
  }
  const other = users?.find((u) => u.name === adminUser && u.uid !== ADMIN_UID);
  if (!other) return pass('free', more);
  return warn(
    `free, but ${adminUser} has ${other.uid}`,
    'Choose in Keys to leave it so; it is reported as a deviation.',
    more,
  );
}

function sshPort(look: Look): Finding {
  const ports = look.facts.sshPorts;
  const more = { threshold: String(SSH_PORT), source: 'specification, S2' };
  if (!ports?.length) return unread(look, "sshd's ports", 'sshPorts');
  if (ports.includes(SSH_PORT)) return pass(ports.join(', '), more);
  return warn(
    ports.join(', '),
    `Nothing to do: layer 1 opens port ${SSH_PORT} and proves it before the other is closed.`,
    more,
  );
}

export const ACCESS: readonly PreflightCheck[] = [
  { id: 'pf_sudo', title: 'A way to become root', judge: sudo },
  { id: 'pf_uid1000', title: 'UID 1000', judge: uid1000 },
  { id: 'pf_ssh_port', title: 'SSH port', judge: sshPort },
];
