/** Preflight's checks as people read them: which stop everything, and under which headings they stand. Pure. */
import type { CheckResult } from './events.ts';

/** What must be cleared before anything is changed: the rest is mended by a layer, or judged again by a suite. */
const BLOCKING: ReadonlySet<string> = new Set([
  'pf_sudo',
  'pf_distribution',
  'pf_arch',
  'pf_systemd',
  'pf_python',
  'pf_clock',
  'pf_free_space',
]);

/** Whether this result stops every step after preflight. Only a fail or an error does. */
export function isBlocker(check: Pick<CheckResult, 'id' | 'verdict'>): boolean {
  return BLOCKING.has(check.id) && (check.verdict === 'fail' || check.verdict === 'error');
}

/** Those of a part's checks that stop every step after preflight, in their order. */
export function blockersOf<T extends { result: Pick<CheckResult, 'id' | 'verdict'> }>({
  checks,
}: {
  checks: readonly T[];
}): T[] {
  return checks.filter(({ result }) => isBlocker(result));
}

/** In the order of the screen. A check that stands in none of them is shown under "Other". */
export const PREFLIGHT_GROUPS: readonly { title: string; checks: readonly string[] }[] = [
  { title: 'Access', checks: ['pf_sudo', 'pf_uid1000', 'pf_ssh_port', 'pf_network'] },
  {
    title: 'System',
    checks: [
      'pf_distribution',
      'pf_kernel',
      'pf_systemd',
      'pf_python',
      'pf_clock',
      'pf_rtc',
      'pf_secure_boot',
      'pf_nouveau',
      'pf_nvidia_module',
      'pf_dpkg',
      'pf_apt_lock',
    ],
  },
  {
    title: 'Machine',
    checks: [
      'pf_virtualization',
      'pf_arch',
      'pf_cpu',
      'pf_memory',
      'pf_ecc',
      'pf_board',
      'pf_bios',
      'pf_disks',
      'pf_root_disk',
      'pf_root_encryption',
      'pf_free_space',
      'pf_power',
    ],
  },
  {
    title: 'GPUs',
    checks: [
      'pf_gpu_count',
      'pf_gpu_model',
      'pf_gpu_pcie_max',
      'pf_gpu_link',
      'pf_gpu_above4g',
      'pf_gpu_rebar',
      'pf_iommu',
      'pf_acs',
    ],
  },
  { title: 'Software', checks: ['pf_software'] },
];
