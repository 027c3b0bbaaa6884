/** Things done by hand to what layer 6 and the closed forwarding are on a rig box (spec S6). */
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [`l6_${id}`, 'fail']));
const DROP_IN = '/etc/ssh/sshd_config.d/01-vault-cube-forwarding.conf';
const RELOAD = 'sshd -t; systemctl reload ssh.service';

/** What a container cannot have, or the rig's distribution: the verdict on a box that is as it should be. */
export const ABSENT_L6: Findings = {
  l6_auditd: 'not_supported',
  l6_audit_rules: 'not_supported',
  l6_apparmor: 'not_supported',
  l6_openscap: 'not_supported',
};
/** Of these, what cannot be broken here either; their judges are tested on what a virtual machine told. */
export const UNBROKEN_L6 = ['l6_auditd', 'l6_audit_rules', 'l6_openscap'];

export const L6: readonly Row[] = [
  {
    what: 'the timer of AIDE disabled',
    by: 'systemctl disable --now dailyaidecheck.timer',
    finds: fail('aide_daily'),
  },
  {
    what: "AIDE's database emptied",
    by: 'truncate -s 0 /var/lib/aide/aide.db',
    finds: fail('aide_database'),
  },
  {
    what: 'a profile of AppArmor told to only complain',
    by: `sed -i 's/^profile lsb_release {/profile lsb_release flags=(complain) {/' /etc/apparmor.d/lsb_release
         grep -q complain /etc/apparmor.d/lsb_release`,
    finds: fail('apparmor'),
  },
  { what: "Grafana's port opened", by: 'ufw allow 3000/tcp', finds: fail('grafana') },
  {
    what: 'forwarding opened in the drop-in',
    by: `sed -i -e '/^DisableForwarding/d' -e 's/^AllowTcpForwarding no/AllowTcpForwarding yes/' ${DROP_IN}; ${RELOAD}`,
    finds: fail('forwarding'),
  },
  {
    what: 'the drop-in deleted',
    by: `rm ${DROP_IN}; ${RELOAD}`,
    finds: fail('forwarding'),
  },
  {
    what: 'forwarding opened for the administrator, in a Match block',
    by: `printf 'Match User vaultadmin\\n  DisableForwarding no\\n  AllowTcpForwarding yes\\n' >/etc/ssh/sshd_config.d/60-match.conf; ${RELOAD}`,
    finds: fail('forwarding'),
    leaves: ['/etc/ssh/sshd_config.d/60-match.conf'],
  },
];
