/** Facts to judge: recorded ones, and constructed ones of a Vault Cube in which every check passes. */
import { readFileSync } from 'node:fs';
import { BoxFacts } from '../../../preload/contract/facts.ts';
import type { BundleLook } from '../../../main/services/preflight/judge.ts';
import type { FactsReading } from '../../../main/services/preflight.ts';

export const recorded = (name: 'ci-vm-root' | 'ci-vm-nobody'): BoxFacts =>
  BoxFacts.parse(JSON.parse(readFileSync(`tests/fixtures/facts/${name}.json`, 'utf8')));

const GIB = 2 ** 30;

const card = (address: string) => ({
  address,
  device: '0x2b85',
  linkSpeed: '32.0 GT/s PCIe',
  linkWidth: 16,
  maxLinkSpeed: '32.0 GT/s PCIe',
  maxLinkWidth: 16,
  bar1Bytes: 32 * GIB,
  above4g: true,
  driver: 'nvidia',
});

const versions = (of: Record<string, string>) =>
  new Map(Object.entries(of).map(([name, version]) => [name, [version]]));

/** Constructed: a bundle for Ubuntu 24.04 that has what the profiles ask for; `more` are packages of other versions. */
export const cubeBundle = (more: Record<string, string> = {}): Exclude<BundleLook, { problem: string }> => ({
  dir: '/media/kim/SITE',
  distribution: { id: 'ubuntu', version: '24.04' },
  offered: {
    apt: versions({
      'nvidia-open-580': '580.159.04-1ubuntu1',
      'cuda-toolkit-13-0': '13.0.2-1',
      'libcudnn9-cuda-13': '9.14.0.64-1',
      'libcudnn9-dev-cuda-13': '9.14.0.64-1',
      libnccl2: '2.28.3-1+cuda13.0',
      'libnccl-dev': '2.28.3-1+cuda13.0',
      'nvidia-container-toolkit': '1.18.2-1',
      ...more,
    }),
    wheel: versions({ torch: '2.9.1', tensorflow: '2.20.0', vllm: '0.13.0' }),
  },
});

/** Constructed: what a Vault Cube with its driver should tell. */
export const cubeFacts = (): BoxFacts =>
  BoxFacts.parse({
    v: 1,
    root: true,
    cpu: { model: 'AMD Ryzen Threadripper PRO 7975WX 32-Cores', sockets: 1, cores: 32, threads: 64 },
    memory: { bytes: 251.5 * GIB, ecc: true, dimms: 8 },
    board: {
      vendor: 'ASUSTeK COMPUTER INC.',
      name: 'Pro WS WRX90E-SAGE SE',
      serial: '240113579',
      productUuid: '11111111-2222-3333-4444-555555555555',
    },
    bios: { vendor: 'American Megatrends Inc.', version: '1106', date: '02/10/2026' },
    disks: [
      {
        name: 'nvme0n1',
        model: 'Samsung 990 PRO',
        serial: 'S7F3A',
        bytes: 2e12,
        rotational: false,
        transport: 'nvme',
        mountpoints: ['/'],
      },
    ],
    filesystems: { rootBytes: 1800 * GIB, rootFreeBytes: 1700 * GIB, varFreeBytes: 1700 * GIB },
    rootEncryption: 'none',
    gpus: ['0000:01:00.0', '0000:21:00.0', '0000:41:00.0', '0000:61:00.0'].map(card),
    nvidiaSmi: null,
    kernel: '6.8.0-87-generic',
    distribution: { id: 'ubuntu', version: '24.04', codename: 'noble', pretty: 'Ubuntu 24.04.3 LTS' },
    arch: 'x86_64',
    python: '3.12.3',
    virtualization: 'none',
    bootId: '6d1f6b7e-7a3b-4d52-9b1e-1f1f5f5b8f9c',
    machineId: 'ab'.repeat(32),
    hostname: 'vault-cube',
    clock: { epoch: 1_795_000_000.5, rtcEpoch: 1_795_000_001, timezone: 'Etc/UTC', ntpSynchronized: true },
    secureBoot: 'disabled',
    iommu: { groups: 60, cmdline: 'iommu=pt', types: ['identity'] },
    acs: { bridges: 12, redirecting: [] },
    network: [{ name: 'eno1', speedMbit: 10_000, state: 'up', mac: '02:00:00:00:00:01' }],
    users: [],
    uid1000: null,
    sudo: true,
    systemd: true,
    sshPorts: [22],
    dpkg: { audit: '', lockHolder: null },
    nouveau: false,
    nvidiaModule: { version: '580.95.05', license: 'Dual MIT/GPL' },
    evidence: 'real',
    unreadable: {},
  });

/** A reading as root of these facts, whose clock is the laptop's. */
export const reading = (facts: BoxFacts, more: Partial<FactsReading> = {}): FactsReading => ({
  facts,
  asUser: facts,
  asRoot: facts,
  noRootReason: null,
  sudoWay: 'password',
  skewSeconds: 0.1,
  uncertaintySeconds: 0.02,
  ...more,
});
