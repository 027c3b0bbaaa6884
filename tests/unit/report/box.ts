/** A journal that holds what one box went through, line by line as the box and the app would have written it. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { JobKind } from '../../../preload/contract/job.ts';
import { Profile } from '../../../preload/contract/profile.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { Journal } from '../../../main/journal/journal.ts';
import { checkResult } from '../contract/attempts.ts';
import { LogWriter, makeSession, makeSpec } from '../journal/log.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CSV = readFileSync(join(ROOT, 'tests/fixtures/nvidia-smi-2xh100/telemetry.csv'), 'utf8');

const { software: _software, ...RECORDED } = Profile.parse(
  JSON.parse(readFileSync(join(ROOT, 'resources/profiles/two-h100.json'), 'utf8')),
);

/** The profile of the recorded machine, with gates for the one suite this version runs, and the base system's layers alone. */
export const PROFILE: Profile = {
  ...RECORDED,
  gates: { ship: ['gpu-detection'], production: ['gpu-detection', 'stress'] },
};

export const TELEMETRY_FIELDS = [
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'clocks.current.sm',
  'clocks.current.memory',
  'fan.speed',
  'pcie.link.gen.current',
  'pcie.link.width.current',
  'clocks_event_reasons.active',
];

/** The recorded telemetry as the runner would put it: `[mono, gpu, value or null …]` from `mono` on. */
export function recordedRows(mono: number): (number | string | null)[][] {
  const [head = '', ...lines] = CSV.trim().split('\n');
  const names = head.split(', ').map((h) => h.replace(/ \[.*/, ''));
  const cell = (text: string | undefined) => {
    if (text === undefined || text === '[N/A]') return null;
    return text.startsWith('0x') ? text : parseFloat(text);
  };
  const cells = lines.map((line) => line.split(', '));
  const time = (row: string[]) => Date.parse((row[0] ?? '').replaceAll('/', '-').replace(' ', 'T') + 'Z');
  const first = time(cells[0] ?? []);
  return cells.map((row) => [
    Math.round(mono * 1000 + time(row) - first) / 1000,
    Number(row[names.indexOf('index')]),
    ...TELEMETRY_FIELDS.map((f) => cell(row[names.indexOf(f)])),
  ]);
}

export interface JobPlan {
  kind: JobKind;
  title: string;
  params?: Record<string, unknown>;
  job?: string;
  attempt?: number;
  evidence?: string;
  checks?: CheckResult[];
  tasks?: { name: string; role: string; changed: boolean }[];
  facts?: Record<string, unknown>;
  samples?: boolean;
  /** Lines of its own, after the samples and before the checks. */
  more?: (log: LogWriter) => Buffer[];
  /** null leaves the log without an end. */
  end?: 'passed' | 'failed' | 'cancelled' | null;
  detail?: string;
  lost?: string;
}

/** Writes one attempt into the journal. */
export function play(journal: Journal, session: Session, plan: JobPlan): { job: string; attempt: number } {
  const { spec, bytes } = makeSpec({
    kind: plan.kind,
    title: plan.title,
    params: plan.params ?? {},
    ...(plan.job && { job: plan.job }),
    attempt: plan.attempt ?? 1,
  });
  journal.createAttempt(session.id, spec, bytes);
  const log = new LogWriter(spec, bytes);
  log.evidence = plan.evidence ?? 'real';
  const lines = [log.started()];
  if (plan.facts) lines.push(log.line('facts', { facts: plan.facts }));
  if (plan.samples) {
    const rows = recordedRows(log.mono);
    for (let i = 0; i < rows.length; i += 40) {
      lines.push(
        log.line('samples', { source: 'gpu', fields: TELEMETRY_FIELDS, rows: rows.slice(i, i + 40) }, 10),
      );
    }
  }
  lines.push(...(plan.more?.(log) ?? []));
  for (const [i, t] of (plan.tasks ?? []).entries()) {
    const state = t.changed ? 'changed' : 'ok';
    lines.push(
      log.line('task', { step: 'play', index: i + 1, total: null, name: t.name, role: t.role, state }, 2),
    );
  }
  for (const check of plan.checks ?? []) lines.push(log.line('check', { check }, 0.4));
  if (plan.end !== null) {
    const changed = (plan.tasks ?? []).filter((t) => t.changed).length;
    const counts = plan.tasks ? { ok: plan.tasks.length - changed, changed, failed: 0, skipped: 0 } : null;
    lines.push(log.finished(plan.end ?? 'passed', { counts, detail: plan.detail ?? null, seconds: 171 }));
  }
  journal.append(spec.job, spec.attempt, lines);
  if (plan.lost) journal.markLost(spec.job, spec.attempt, plan.lost);
  return { job: spec.job, attempt: spec.attempt };
}

const FACTS = {
  v: 1,
  root: true,
  cpu: { model: 'Intel(R) Xeon(R) Platinum 8468', sockets: 1, cores: 16, threads: 32 },
  memory: { bytes: 137438953472, ecc: true, dimms: 8 },
  board: {
    vendor: 'QEMU',
    name: 'Standard PC',
    serial: 'BRD-7F3A',
    productUuid: '2f6d1c9a-8f2e-4a51-a3c4-0b5c9b6d7e11',
  },
  bios: { vendor: 'EDK II', version: '2024.02', date: '02/02/2024' },
  disks: [
    {
      name: 'vda',
      model: 'Virtual disk',
      serial: 'S6Z2NF0W123456A',
      bytes: 53687091200,
      rotational: false,
      transport: 'virtio',
      mountpoints: ['/', '/boot/efi'],
    },
  ],
  filesystems: { rootBytes: 50465865728, rootFreeBytes: 38654705664, varFreeBytes: 38654705664 },
  gpus: [0, 1].map((i) => ({
    address: `0000:0${i + 1}:00.0`,
    device: '0x2330',
    linkSpeed: '32.0 GT/s',
    linkWidth: 16,
    maxLinkSpeed: '32.0 GT/s',
    maxLinkWidth: 16,
    bar1Bytes: 137438953472,
  })),
  nvidiaSmi: {
    driver: '580.159.04',
    gpus: ['GPU-987090ad-0a38-5a00-7376-9b2b7602c7f2', 'GPU-eb11f94c-f4c4-7d4c-8fe4-fe9ee69de8e4'].map(
      (uuid) => ({
        name: 'NVIDIA H100 80GB HBM3',
        uuid,
        serial: null,
        memoryMiB: 81559,
      }),
    ),
  },
  kernel: '6.8.0-52-generic',
  distribution: { id: 'ubuntu', version: '24.04', codename: 'noble', pretty: 'Ubuntu 24.04.3 LTS' },
  arch: 'x86_64',
  python: '3.12.3',
  virtualization: 'kvm',
  clock: { epoch: 1795500000, rtcEpoch: 1795500000, timezone: 'Etc/UTC', ntpSynchronized: true },
  secureBoot: 'disabled',
  users: [
    { name: 'root', uid: 0, shell: '/bin/bash', home: '/root' },
    { name: 'daemon', uid: 1, shell: '/usr/sbin/nologin', home: '/usr/sbin' },
    { name: 'installer', uid: 1000, shell: '/bin/bash', home: '/home/installer' },
  ],
  sudo: true,
  systemd: true,
  evidence: 'real',
  unreadable: { dimms: 'dmidecode: no SMBIOS entry point' },
};

export function boxSession(more: Partial<Session> = {}): Session {
  const id = randomUUID();
  return makeSession({
    id,
    name: 'VC-0042',
    profile: 'two-h100',
    address: { host: '192.168.10.20', port: 22 },
    user: 'vaultadmin',
    firstUser: 'installer',
    hostKey: {
      algorithm: 'ssh-ed25519',
      fingerprint: 'SHA256:mF3dOFdjGzhB3x0GQOEzyDgDkR1e3lZ0dD1z2TqVYdI',
      confirmedAt: '2026-11-24T05:00:10.000Z',
    },
    identity: {
      boxId: id,
      boardSerial: 'BRD-7F3A',
      productUuid: '2f6d1c9a-8f2e-4a51-a3c4-0b5c9b6d7e11',
      machineId: '9b2b7602c7f24d1a8e0f5a7ce3d41b60',
      gpuUuids: FACTS.nvidiaSmi.gpus.map((g) => g.uuid),
      diskSerials: ['S6Z2NF0W123456A'],
      hostname: 'vc-0042',
    },
    keys: {
      reference: { kind: 'file', path: '/home/kim/.ssh/id_ed25519', encrypted: true },
      publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx1bmNo kim@lap-7',
      fingerprint: 'SHA256:engineer',
      keyLoginProvenAt: '2026-11-24T05:06:00.000Z',
      sudoProvenAt: '2026-11-24T05:06:05.000Z',
      customerKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGN1c3RvbWVy ops@customer.example'],
      adminUid: 1000,
      uidDeviation: null,
    },
    ...more,
  });
}

const many = (suite: string, layer: number | null, rows: [string, string, Partial<CheckResult>?][]) =>
  rows.map(([id, title, more]) => checkResult(id, 'pass', { title, suite, layer, ...more }));

export const GPU_CHECKS: CheckResult[] = many('gpu-detection', null, [
  [
    'gpu_count',
    'All GPUs are detected',
    {
      value: 2,
      unit: 'GPUs',
      threshold: '2',
      source: PROFILE.gpu.count.source,
      evidence:
        '00000000:01:00.0 NVIDIA H100 80GB HBM3 GPU-987090ad-0a38-5a00-7376-9b2b7602c7f2\n00000000:02:00.0 NVIDIA H100 80GB HBM3 GPU-eb11f94c-f4c4-7d4c-8fe4-fe9ee69de8e4',
    },
  ],
  [
    'gpu_name',
    'Every GPU is the one of the profile',
    { value: 'NVIDIA H100 80GB HBM3', threshold: 'NVIDIA H100 80GB HBM3', source: PROFILE.gpu.name.source },
  ],
  [
    'gpu_memory',
    'Every GPU has its memory',
    { value: 81559, unit: 'MiB', threshold: '81,559 ± 361 MiB', source: PROFILE.gpu.memoryMiB.source },
  ],
  [
    'gpu_driver_floor',
    'The driver is new enough',
    { value: '580.159.04', threshold: '≥ 580.65.06', source: PROFILE.gpu.driverFloor.source },
  ],
  [
    'gpu_pcie_link',
    'PCIe link under load',
    { value: 'Gen 5 x16', threshold: 'Gen 5 x16', source: PROFILE.gpu.pcieGen.source },
  ],
  [
    'gpu_idle_temperature',
    'Idle temperature',
    { value: 38, unit: '°C', threshold: '< 60 °C', source: PROFILE.gpu.idleTemperatureC.source },
  ],
  ['gpu_xid', 'No fatal Xid in the kernel log', { value: 0, unit: 'lines', threshold: '0' }],
]);

export const L1_CHECKS = many('l1', 1, [
  ['l1_packages', 'Essential packages are installed', { value: '14 of 14' }],
  ['l1_docker_answers', 'Docker answers', { value: '28.5.1' }],
  ['l1_sshd_port', 'sshd listens on port 22', { value: 22, threshold: '22' }],
]);
const L0_CHECKS = many('l0', 0, [
  [
    'l0_ansible',
    'Ansible on the box answers',
    { value: 'ansible [core 2.19.4]', threshold: 'ansible [core …]' },
  ],
]);
const PREFLIGHT_CHECKS = many('preflight', null, [
  [
    'pf_distribution',
    'The system is one of the profile',
    { value: 'Ubuntu 24.04.3 LTS', threshold: 'Ubuntu 24.04' },
  ],
  [
    'pf_free_space',
    'Room on the root file system',
    { value: 36, unit: 'GiB', threshold: '≥ 30 GiB', source: PROFILE.freeRootGiB?.source ?? null },
  ],
  [
    'pf_clock',
    'The clock is right',
    { value: 0.4, unit: 's', threshold: '≤ 60 s', source: PROFILE.clockSkewSeconds.source },
  ],
]);

const task = (name: string, changed = true) => ({ name, role: 'base_system', changed });

/** What a good box goes through, in order; `with` changes single jobs by their key. */
export function plans(change: Record<string, Partial<JobPlan>> = {}): JobPlan[] {
  const layer = randomUUID();
  const all: Record<string, JobPlan> = {
    preflight: {
      kind: 'preflight',
      title: 'Preflight',
      params: { profile: PROFILE },
      facts: FACTS,
      checks: PREFLIGHT_CHECKS,
    },
    keys: { kind: 'keys', title: 'Keys' },
    fetch0: { kind: 'fetch', title: 'Fetch L0 Bootstrap', params: { layer: 0, sets: ['l0'] } },
    bootstrap: { kind: 'bootstrap', title: 'Install L0 Bootstrap', params: { layer: 0 } },
    checks0: {
      kind: 'checks',
      title: 'Health check of L0 Bootstrap',
      params: { suite: 'l0', checks: [], profile: PROFILE },
      checks: L0_CHECKS,
    },
    fetch1: { kind: 'fetch', title: 'Fetch L1 Base system', params: { layer: 1, sets: ['l1'] } },
    lost: {
      kind: 'layer',
      title: 'Install L1 Base system',
      job: layer,
      params: { layer: 1 },
      end: null,
      lost: 'The box was rebooted while the job ran; its log ends at line 3.',
      tasks: [task('Upgrade packages')],
    },
    layer: {
      kind: 'layer',
      title: 'Install L1 Base system',
      job: layer,
      attempt: 2,
      params: { layer: 1 },
      tasks: [
        task('Upgrade packages', false),
        task('Install essential packages'),
        task('Install Docker Engine'),
      ],
    },
    harden: {
      kind: 'harden',
      title: 'Access hardening',
      params: { layer: 1 },
      tasks: [{ name: 'Write the sshd drop-in', role: 'access_hardening', changed: true }],
    },
    checks1: {
      kind: 'checks',
      title: 'Health check of L1 Base system',
      params: { suite: 'l1', checks: [], profile: PROFILE },
      checks: L1_CHECKS,
    },
    gpus: {
      kind: 'checks',
      title: 'T1 GPU detection',
      params: { suite: 'gpu-detection', checks: [], profile: PROFILE },
      checks: GPU_CHECKS,
      samples: true,
    },
  };
  return Object.entries(all).map(([key, plan]) => ({ ...plan, ...change[key] }));
}
