/** What the preflight gatherer on the box prints (resources/box/vcbox/facts.py). Null where it could not be read. */
import { z } from 'zod';

const str = z.string().nullish();
const num = z.number().nullish();
const bool = z.boolean().nullish();

export const BoxFacts = z.looseObject({
  v: z.literal(1),
  root: z.boolean(),
  cpu: z.looseObject({ model: str, sockets: num, cores: num, threads: num }).nullish(),
  memory: z.looseObject({ bytes: num, ecc: bool, dimms: num }).nullish(),
  board: z.looseObject({ vendor: str, name: str, serial: str, productUuid: str }).nullish(),
  bios: z.looseObject({ vendor: str, version: str, date: str }).nullish(),
  disks: z
    .array(
      z.looseObject({
        name: z.string(),
        model: str,
        serial: str,
        bytes: num,
        rotational: bool,
        transport: str,
        mountpoints: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
  filesystems: z.looseObject({ rootBytes: num, rootFreeBytes: num, varFreeBytes: num }).nullish(),
  /** `luks` or `none`: what lies below the root file system. */
  rootEncryption: str,
  gpus: z
    .array(
      z.looseObject({
        address: z.string(),
        device: z.string(),
        linkSpeed: str,
        linkWidth: num,
        maxLinkSpeed: str,
        maxLinkWidth: num,
        bar1Bytes: num,
        /** Whether a memory window lies above 4 GiB. */
        above4g: bool,
        driver: str,
      }),
    )
    .nullish(),
  nvidiaSmi: z
    .looseObject({
      driver: str,
      gpus: z.array(z.looseObject({ name: str, uuid: str, serial: str, memoryMiB: num })),
    })
    .nullish(),
  kernel: str,
  distribution: z.looseObject({ id: z.string(), version: str, codename: str, pretty: str }).nullish(),
  arch: str,
  python: str,
  virtualization: str,
  bootId: str,
  machineId: str,
  hostname: str,
  clock: z.looseObject({ epoch: z.number(), rtcEpoch: num, timezone: str, ntpSynchronized: bool }),
  secureBoot: str,
  /** `types`: of the groups' domains, such as `identity` or `DMA-FQ`. */
  iommu: z.looseObject({ groups: num, cmdline: str, types: z.array(z.string()).nullish() }).nullish(),
  /** Bridges with Access Control Services; `redirecting` are the addresses of those that send peers' traffic upward. */
  acs: z.looseObject({ bridges: num, redirecting: z.array(z.string()) }).nullish(),
  network: z.array(z.looseObject({ name: z.string(), speedMbit: num, state: str, mac: str })).nullish(),
  users: z.array(z.looseObject({ name: z.string(), uid: z.number().int(), shell: str, home: str })).nullish(),
  uid1000: str,
  sudo: bool,
  systemd: bool,
  sshPorts: z.array(z.number().int()).nullish(),
  dpkg: z.looseObject({ audit: str, lockHolder: str }).nullish(),
  nouveau: bool,
  nvidiaModule: z.looseObject({ version: str, license: str }).nullish(),
  evidence: z.enum(['real', 'stand-in', 'practice']),
  unreadable: z.record(z.string(), z.string()),
});
export type BoxFacts = z.infer<typeof BoxFacts>;
