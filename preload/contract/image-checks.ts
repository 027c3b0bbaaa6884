/**
 * Which checks of the box are run in the virtual machine that an image is built in, and which of them cannot: there are no GPUs, and
 * nobody looks from outside as a laptop does. What cannot be run is told as not run, with its reason, and is expected. Pure.
 */
import type { Expectation } from './outcome.ts';

const NO_GPU = 'the virtual machine that the image is built in has no GPUs';
const NO_FRAMEWORKS = 'layer 4, whose environments it starts, is not in this image';
const NOT_THERE = 'it belongs to a box with a laptop beside it, and is not run while an image is built';

/** Of the layers. */
const NEED_GPUS: readonly string[] = [
  ...['l2_nvidia_smi', 'l2_gpu_count', 'l2_driver_versions', 'l2_module_loaded', 'l2_module_open'],
  ...['l2_module_options', 'l2_persistenced', 'l2_reboot', 'l3_container_gpus', 'l5_monitor'],
  ...['l4_torch_gpus', 'l4_tensorflow_gpus', 'l4_vllm_gpus'],
];
/** With nvidia's runtime as the default no container starts where there is no card. */
const NEED_GPUS_BEHIND_3: readonly string[] = ['l1_docker_container'];

/** Of T9, what looks at services; whether roles are idempotent is seen by running them once more (P4). */
const SERVICES: readonly string[] = [
  ...['t9_units', 't9_packages', 't9_sshd_config', 't9_sudoers', 't9_firewall_rules', 't9_fail2ban_config'],
  't9_docker_config',
];
/** Of T8, what a machine can try by itself. */
const INTEGRATION: readonly string[] = ['t8_ban'];

export interface ChecksFile {
  /** Layers as l1, of which all checks are run. */
  suites: string[];
  checks: string[];
  skip: Record<string, string>;
  expect: { adminUser: string; adminUid: number; sshPort: number };
}

const EXPECT: ChecksFile['expect'] = { adminUser: 'vaultadmin', adminUid: 1000, sshPort: 22 };

/** For scripts/checks.py of packer/. */
export function healthChecks(layers: readonly number[]): ChecksFile {
  const none = [...NEED_GPUS, ...(layers.includes(3) ? NEED_GPUS_BEHIND_3 : [])];
  const frameworks = layers.includes(4) ? {} : { l5_demos: NO_FRAMEWORKS };
  return {
    suites: layers.map((layer) => `l${layer}`),
    checks: [],
    skip: { ...Object.fromEntries(none.map((id) => [id, NO_GPU])), ...frameworks },
    expect: EXPECT,
  };
}

/** After a new start: the health checks once more, services, and what of the suites a virtual machine can. */
export const testChecks = (layers: readonly number[]): ChecksFile => ({
  ...healthChecks(layers),
  checks: layers.includes(1) ? [...SERVICES, ...INTEGRATION] : [],
});

/** What is not run at all, a line each: id, title, why. */
export const NEVER_IN_A_MACHINE: readonly (readonly [id: string, title: string, reason: string])[] = [
  ['t1', 'T1 GPU detection', NO_GPU],
  ['t2', 'T2 PyTorch DDP', NO_GPU],
  ['t3', 'T3 TensorFlow', NO_GPU],
  ['t4', 'T4 vLLM', NO_GPU],
  ['t5', 'T5 Docker GPU', NO_GPU],
  ['t8_firewall', 'T8: firewall seen from outside', NOT_THERE],
  ['t8_container', 'T8: container under the default runtime', NO_GPU],
  ['t8_gpu_after_reboot', 'T8: GPU in a container after a reboot', NO_GPU],
  ['t8_frameworks', 'T8: frameworks in their environments', NO_GPU],
  ['t8_monitoring', 'T8: monitoring agrees with nvidia-smi', NO_GPU],
  ['t8_kernel', 'T8: kernel upgrade simulated', NO_GPU],
];

const REASONS: ReadonlySet<string> = new Set([NO_GPU, NO_FRAMEWORKS, NOT_THERE]);

/** What was left out on purpose is expected to be so; everything else is as the profile has it. */
export const imageExpectation = (reason: string | null, otherwise: Expectation): Expectation =>
  reason !== null && REASONS.has(reason)
    ? { kind: 'expected', verdicts: ['not_run'], context: "an image's build" }
    : otherwise;
