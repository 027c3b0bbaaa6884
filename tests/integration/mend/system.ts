/** Things done by hand to packages, the administrator, Docker, Python and automatic updates (spec L1, S4, S5). */
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [`l1_${id}`, 'fail']));
const APT = 'export DEBIAN_FRONTEND=noninteractive; apt-get -q -y';
/** apt takes the last value, and this file sorts last: another file changes nothing. */
const CONF = '/etc/apt/apt.conf.d/zz-vault-cube';

const packages: Row[] = [
  { what: 'pip removed', by: `${APT} remove python3-pip`, finds: fail('packages', 'python') },
  { what: 'a tool removed', by: `${APT} remove jq`, finds: fail('packages') },
  {
    what: 'a package left unpacked, not configured',
    by: 'dpkg --unpack /var/lib/vault-cube/bundle/tree/apt/tmux_*.deb',
    finds: fail('packages'),
  },
  {
    what: 'venv removed',
    by: `${APT} remove python3-venv 'python3.*-venv'`,
    finds: fail('packages', 'python'),
  },
  {
    what: 'Docker removed',
    by: `${APT} remove docker.io`,
    of: 'docker',
    finds: fail('packages', 'docker_answers', 'docker_container'),
  },
  {
    what: 'fail2ban removed',
    by: `${APT} remove fail2ban`,
    of: 'fail2ban',
    finds: fail('packages', 'fail2ban_jail', 'fail2ban_limits'),
  },
];

const administrator: Row[] = [
  { what: 'out of the group docker', by: 'gpasswd -d vaultadmin docker', finds: fail('admin_groups') },
  // Out of sudo or vaultcube, or with a shell that refuses, the app itself is refused, and says so: no run can mend that.
  { what: 'no login shell', by: "usermod -s '' vaultadmin", finds: fail('admin_user') },
  {
    what: 'sudo without a password, as cloud-init writes it',
    by: "echo 'vaultadmin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users; chmod 440 /etc/sudoers.d/90-*",
    finds: fail('sudo_password'),
    leaves: ['/etc/sudoers.d/90-cloud-init-users'],
  },
  {
    what: 'sudo without a password for the group sudo',
    by: "sed -i 's/^%sudo.*/%sudo\\tALL=(ALL:ALL) NOPASSWD: ALL/' /etc/sudoers",
    finds: fail('sudo_password'),
  },
  {
    what: 'sudo without a password for the group docker',
    by: "echo '%docker ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/docker; chmod 440 /etc/sudoers.d/docker",
    finds: fail('sudo_password'),
    leaves: ['/etc/sudoers.d/docker'],
  },
  {
    what: 'sudo told not to authenticate',
    by: "echo 'Defaults !authenticate' >/etc/sudoers.d/quick; chmod 440 /etc/sudoers.d/quick",
    finds: fail('sudo_password'),
    leaves: ['/etc/sudoers.d/quick'],
  },
];

const ofDocker: Row[] = [
  {
    what: 'Docker stopped',
    by: 'systemctl stop docker.socket docker.service',
    finds: fail('docker_answers', 'docker_container'),
  },
  { what: 'Docker disabled', by: 'systemctl disable docker.service', finds: fail('docker_enabled') },
  {
    what: 'Docker masked',
    by: 'systemctl mask --now docker.socket docker.service',
    finds: fail('docker_answers', 'docker_enabled', 'docker_container'),
  },
  { what: 'containerd stopped', by: 'systemctl stop containerd.service', finds: fail('docker_container') },
  { what: 'containerd disabled', by: 'systemctl disable containerd.service', finds: fail('docker_enabled') },
  {
    what: 'containerd masked',
    by: 'systemctl mask --now containerd.service',
    finds: fail('docker_container', 'docker_enabled'),
  },
  {
    what: 'the image deleted',
    by: 'docker image rm vault-cube/busybox:stand-in',
    finds: { l1_docker_container: 'not_run' },
  },
  {
    what: 'another image under its name',
    by: 'docker image rm vault-cube/busybox:stand-in; tar -c -T /dev/null | docker import - vault-cube/busybox:stand-in',
    finds: fail('docker_container'),
    leaves: ['image <none>:<none>'],
  },
  {
    what: 'daemon.json that is no JSON',
    by: 'printf \'{ "log-driver": \' >/etc/docker/daemon.json; systemctl restart docker.service || true',
    finds: fail('docker_answers', 'docker_container'),
    leaves: ['/etc/docker/daemon.json.not-json'],
  },
  {
    what: 'Docker told to leave the firewall alone',
    by: `sed -i 's/^{/{ "iptables": false,/' /etc/docker/daemon.json; systemctl restart docker.service
         iptables -D FORWARD -j DOCKER-USER`,
    finds: fail('docker_user'),
  },
];
const docker = ofDocker.map((row) => ({ ...row, of: 'docker' }));

const updates: Row[] = [
  {
    what: 'automatic updates switched off',
    by: `sed -i 's/Unattended-Upgrade "1"/Unattended-Upgrade "0"/' ${CONF}`,
    finds: fail('updates_security'),
  },
  { what: 'no archive allowed', by: `sed -i '/"origin=/d' ${CONF}`, finds: fail('updates_security') },
  {
    what: 'all archives allowed',
    by: `echo 'Unattended-Upgrade::Origins-Pattern { "origin=*"; };' >>${CONF}`,
    finds: fail('updates_others'),
  },
  {
    what: 'reboot by itself',
    by: `sed -i 's/Automatic-Reboot "false"/Automatic-Reboot "true"/' ${CONF}`,
    finds: fail('updates_reboot'),
  },
  {
    what: "only the distribution's settings",
    by: `rm ${CONF}`,
    alone: true,
    finds: fail('updates_others', 'updates_reboot'),
  },
  {
    what: 'the announcement of other updates removed',
    by: 'rm /usr/local/sbin/vault-cube-pending-updates',
    finds: fail('updates_others'),
  },
  {
    what: 'the announcement of other updates no longer made',
    by: 'rm /etc/systemd/system/apt-daily-upgrade.service.d/vault-cube.conf; systemctl daemon-reload',
    finds: fail('updates_others'),
  },
  { what: 'a timer disabled', by: 'systemctl disable --now apt-daily.timer', finds: fail('apt_timers') },
  { what: 'a timer masked', by: 'systemctl mask --now apt-daily-upgrade.timer', finds: fail('apt_timers') },
];

export const SYSTEM: readonly Row[] = [...packages, ...administrator, ...docker, ...updates];
