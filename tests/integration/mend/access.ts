/** Things done by hand to fail2ban, the firewall, sshd and root (spec S1–S4). The app's own login works on after each. */
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [`l1_${id}`, 'fail']));
const DROP_IN = '/etc/ssh/sshd_config.d/00-vault-cube.conf';
const RELOAD = 'sshd -t; systemctl reload ssh.service';
/** Sorts last, so that a file of ones own changes nothing. */
const JAIL = '/etc/fail2ban/jail.d/zz-vault-cube.local';
/** An inactive firewall shows neither policies nor rules. */
const NO_UFW: Findings = {
  ...fail('ufw_active', 'ufw_boot'),
  l1_ufw_defaults: 'not_run',
  l1_ufw_ssh: 'not_run',
  l1_ufw_nothing_else: 'not_run',
};
const edit = (keyword: string, value: string, then = RELOAD) =>
  `sed -i 's/^${keyword} .*/${keyword} ${value}/' ${DROP_IN}; ${then}`;

const ofFail2ban: Row[] = [
  {
    what: 'fail2ban stopped and disabled',
    by: 'systemctl disable --now fail2ban.service',
    finds: fail('fail2ban_jail', 'fail2ban_limits'),
  },
  {
    what: 'fail2ban masked',
    by: 'systemctl mask --now fail2ban.service',
    finds: fail('fail2ban_jail', 'fail2ban_limits'),
  },
  { what: 'fail2ban disabled', by: 'systemctl disable fail2ban.service', finds: fail('fail2ban_jail') },
  {
    what: 'the jail stopped, the service running',
    by: 'fail2ban-client stop sshd',
    finds: fail('fail2ban_jail', 'fail2ban_limits'),
  },
  {
    what: 'other limits',
    by: `sed -i 's/^maxretry = .*/maxretry = 50/' ${JAIL}; fail2ban-client reload`,
    finds: fail('fail2ban_limits'),
  },
  {
    what: 'other limits until the next restart',
    by: 'fail2ban-client set sshd bantime 1',
    finds: fail('fail2ban_limits'),
  },
  {
    what: 'the jail switched off',
    by: `sed -i 's/^enabled = .*/enabled = false/' ${JAIL}; fail2ban-client reload`,
    finds: fail('fail2ban_jail', 'fail2ban_limits'),
  },
  {
    what: 'the jail back to what the distribution has',
    by: `rm ${JAIL}; printf '[sshd]\\nmaxretry = 3\\n' >/etc/fail2ban/jail.local; fail2ban-client reload`,
    finds: fail('fail2ban_limits'),
    leaves: ['/etc/fail2ban/jail.local'],
  },
];

const fail2ban = ofFail2ban.map((row) => ({ ...row, of: 'fail2ban' }));

const firewall: Row[] = [
  { what: 'the firewall switched off', by: 'ufw disable', finds: NO_UFW },
  {
    what: 'everything let in',
    by: 'ufw default allow incoming',
    // The kernel's own policy is another then, too.
    finds: fail('ufw_defaults', 'ufw_active'),
  },
  { what: 'nothing let out', by: 'ufw default deny outgoing', finds: fail('ufw_defaults') },
  { what: 'another port opened', by: 'ufw allow 8080', finds: fail('ufw_nothing_else') },
  {
    what: 'a network let in, and a port forwarded',
    by: "ufw allow from 203.0.113.0/24 comment 'the lab'; ufw route allow 8443/tcp",
    finds: fail('ufw_nothing_else'),
  },
  {
    what: 'SSH for one network only',
    by: 'ufw allow from 198.18.0.0/15 to any port 22 proto tcp; ufw delete allow 22/tcp',
    finds: fail('ufw_ssh', 'ufw_nothing_else'),
  },
  {
    what: 'SSH limited',
    by: 'ufw limit 22/tcp',
    finds: fail('ufw_ssh', 'ufw_nothing_else'),
  },
  {
    what: 'SSH closed for IPv6',
    by: "n=$(ufw status numbered | sed -n 's/^\\[ *\\([0-9]*\\)\\] 22\\/tcp (v6).*/\\1/p'); ufw --force delete $n",
    finds: fail('ufw_ssh'),
  },
  {
    what: 'the firewall switched off for IPv6',
    by: "sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw; ufw reload",
    finds: fail('ufw_ssh', 'ufw_active', 'docker_user'),
  },
  { what: "the firewall's unit disabled", by: 'systemctl disable ufw.service', finds: fail('ufw_boot') },
  { what: "the firewall's unit masked", by: 'systemctl mask ufw.service', finds: fail('ufw_boot') },
  {
    what: 'the firewall off at the next boot',
    by: "sed -i 's/^ENABLED=.*/ENABLED=no/' /etc/ufw/ufw.conf",
    finds: fail('ufw_boot'),
  },
  {
    what: 'all rules flushed in the kernel, everything let in',
    by: 'for t in iptables ip6tables; do $t -P INPUT ACCEPT; $t -P FORWARD ACCEPT; $t -F; done',
    finds: fail('ufw_active', 'docker_user'),
  },
  {
    what: 'everything accepted ahead of the firewall',
    by: 'iptables -I INPUT -j ACCEPT',
    finds: fail('ufw_active'),
  },
  { what: 'Docker ports let through', by: 'iptables -F DOCKER-USER', finds: fail('docker_user') },
  {
    what: 'Docker ports let through, IPv6',
    by: 'ip6tables -I DOCKER-USER -j ACCEPT',
    finds: fail('docker_user'),
  },
  {
    what: 'Docker ports past the chain',
    by: 'iptables -D FORWARD -j DOCKER-USER',
    finds: fail('docker_user'),
  },
  {
    what: 'forwarding accepted ahead of the chain',
    by: 'iptables -I FORWARD -j ACCEPT',
    finds: fail('docker_user'),
  },
  {
    what: 'Docker ports let through, in the file, too',
    by: "sed -i '/BEGIN vault-cube/,/END vault-cube/d' /etc/ufw/after.rules; iptables -F DOCKER-USER; ufw reload",
    finds: fail('docker_user'),
  },
];

const sshd: Row[] = [
  {
    what: 'root let in',
    by: edit('PermitRootLogin', 'prohibit-password'),
    finds: fail('sshd_permitrootlogin', 'root_login'),
  },
  {
    what: 'passwords taken',
    by: edit('PasswordAuthentication', 'yes'),
    finds: fail('sshd_passwordauthentication'),
  },
  {
    what: 'keyboard-interactive taken',
    by: edit('KbdInteractiveAuthentication', 'yes'),
    finds: fail('sshd_kbdinteractiveauthentication'),
  },
  {
    what: 'keys refused from one network, in a Match block',
    by: `printf 'Match Address 192.0.2.0/24\\n  PubkeyAuthentication no\\n' >/etc/ssh/sshd_config.d/70-lab.conf; ${RELOAD}`,
    finds: fail('sshd_pubkeyauthentication'),
    leaves: ['/etc/ssh/sshd_config.d/70-lab.conf'],
  },
  {
    // Not reloaded: from then on nobody could log in, the app included.
    what: 'keys refused from the next reload on',
    by: edit('PubkeyAuthentication', 'no', 'true'),
    alone: true,
    finds: fail('sshd_pubkeyauthentication'),
  },
  {
    what: 'another user let in, in a file of ones own',
    by: `echo 'AllowUsers installer' >/etc/ssh/sshd_config.d/50-guest.conf; ${RELOAD}`,
    finds: fail('sshd_allowusers'),
    leaves: ['/etc/ssh/sshd_config.d/50-guest.conf'],
  },
  {
    what: 'another port beside 22',
    by: `echo 'Port 2222' >/etc/ssh/sshd_config.d/50-port.conf; ${RELOAD}`,
    finds: fail('sshd_port', 'listening'),
    leaves: ['/etc/ssh/sshd_config.d/50-port.conf'],
  },
  {
    what: 'a drop-in that sorts earlier',
    by: `printf 'PermitRootLogin yes\\nX11Forwarding no\\n' >/etc/ssh/sshd_config.d/00-a.conf; ${RELOAD}`,
    finds: fail('sshd_dropin', 'sshd_permitrootlogin', 'root_login'),
    leaves: ['/etc/ssh/sshd_config.d/10-00-a.conf', 'sshd x11forwarding'],
  },
  {
    what: 'the drop-in deleted',
    by: `rm ${DROP_IN}; ${RELOAD}`,
    alone: true,
    finds: fail(
      'sshd_dropin',
      'sshd_permitrootlogin',
      'sshd_passwordauthentication',
      'sshd_allowusers',
      'root_login',
    ),
  },
  {
    what: 'a setting ahead of all drop-ins',
    by: `sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config; ${RELOAD}`,
    finds: fail('sshd_dropin', 'sshd_passwordauthentication'),
    leaves: ['/etc/ssh/sshd_config'],
  },
  {
    what: 'drop-ins not read',
    by: `sed -i '/^Include/d' /etc/ssh/sshd_config; ${RELOAD}`,
    alone: true,
    finds: fail(
      'sshd_dropin',
      'sshd_permitrootlogin',
      'sshd_passwordauthentication',
      'sshd_allowusers',
      'root_login',
    ),
    leaves: ['/etc/ssh/sshd_config'],
  },
  {
    what: 'passwords taken from the administrator, in a Match block',
    by: `printf 'Match User vaultadmin\\n  PasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/60-match.conf; ${RELOAD}`,
    finds: fail('sshd_passwordauthentication'),
    leaves: ['/etc/ssh/sshd_config.d/60-match.conf'],
  },
  {
    what: 'root let in from the box itself, in a Match block',
    by: `printf '\\nMatch Address 127.0.0.1\\n  PermitRootLogin yes\\n' >>/etc/ssh/sshd_config; ${RELOAD}`,
    finds: fail('root_login'),
    leaves: ['/etc/ssh/sshd_config'],
  },
  { what: 'sshd disabled', by: 'systemctl disable ssh.service', finds: fail('sshd_running') },
  { what: 'sshd masked', by: 'systemctl mask ssh.service', alone: true, finds: fail('sshd_running') },
  { what: 'the socket enabled', by: 'systemctl enable ssh.socket', finds: fail('ssh_socket') },
  {
    what: 'the socket in front of sshd',
    by: 'systemctl enable ssh.socket; systemctl stop ssh.service; systemctl start ssh.socket',
    alone: true,
    finds: fail('ssh_socket', 'sshd_running'),
  },
];

const root: Row[] = [
  { what: 'a password for root', by: "echo 'root:secret' | chpasswd", finds: fail('root_password') },
  { what: 'an empty password for root', by: 'passwd -d root', finds: fail('root_password') },
  {
    what: 'a key for root, and root let in',
    by: `mkdir -p -m 700 /root/.ssh; cat /home/vaultadmin/.ssh/authorized_keys >/root/.ssh/authorized_keys
         ${edit('PermitRootLogin', 'yes')}`,
    finds: fail('sshd_permitrootlogin', 'root_login'),
    leaves: ['/root/.ssh/authorized_keys'],
  },
];

export const ACCESS: readonly Row[] = [...fail2ban, ...firewall, ...sshd, ...root];
