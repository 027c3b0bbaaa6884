/**
 * A hardware profile of the machine at hand: what its cards and its host are, and floors at 0.75 of what its suites measured. Rules that hold for
 * any machine come from another profile; what that one says of other cards does not. Pure.
 */
import { CAPTURED, CAPTURED_WHY, floorsOf } from '../../../preload/contract/captured.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Evidence } from '../../../preload/contract/outcome.ts';
import { Profile } from '../../../preload/contract/profile.ts';
import type { Part } from '../../../preload/contract/standing.ts';
import type { Cards } from './cards.ts';

/** As DCGM sets floors: of a reference that was measured. */
const OF_MEASURED = 0.75;
/** Of memory, where no other profile knows these cards: what the driver keeps for itself differs between versions (estimate). */
const MEMORY_TOLERANCE = 0.005;
const GIB = 1024 ** 3;
/** What firmware and kernel keep of the memory that was bought (estimate). */
const MEMORY_TOLD = 0.95;

export interface CaptureOrder {
  base: Profile;
  id: string;
  box: string;
  /** The day, as in 2026-11-29. */
  day: string;
  evidence: Evidence;
  cards: Cards;
  facts: BoxFacts;
  suites: readonly Part[];
}

export interface Captured {
  profile: Profile;
  /** What is in it and what is not, a sentence each, for whoever captured it. */
  notes: string[];
}

/** What suites measured, by check; only of results that are no fault of the machine. */
function measured(suites: readonly Part[]): Map<string, number | string> {
  const good = new Set(['pass', 'warn', 'not_supported']);
  const found = new Map<string, number | string>();
  for (const { result } of suites.flatMap((p) => (p.stale === null ? p.checks : []))) {
    const { id, verdict, value } = result;
    if (good.has(verdict) && (typeof value === 'number' || typeof value === 'string')) found.set(id, value);
  }
  return found;
}

const rounded = (value: number) => Number((value * OF_MEASURED).toPrecision(4));

/** "fp32 51.273, tf32 341.08" by precision. */
function byPrecision(value: number | string | undefined): [string, number][] {
  return [...String(value ?? '').matchAll(/(\w+) ([\d.]+)/g)].map(([, name = '', n = '']) => [
    name,
    Number(n),
  ]);
}

/** The part about load: settings of the base, floors of this machine. */
function loadOf(order: CaptureOrder, origin: string, same: boolean): Profile['load'] {
  const { base, cards, suites } = order;
  if (!base.load) return undefined;
  const values = measured(suites);
  const floorAt = (value: number, unit: string) => ({
    min: rounded(value),
    source: `${origin}: ${value} ${unit} measured (evidence ${order.evidence}); floor ${OF_MEASURED} of it`,
  });
  const floor = (check: string, unit: string) => {
    const value = values.get(check);
    return typeof value === 'number' ? floorAt(value, unit) : undefined;
  };
  /** What somebody published of these very cards stays. */
  const either = <T>(published: T | undefined, own: T | undefined): T | undefined =>
    same ? (published ?? own) : own;
  const { ddp, bench, vllm, watts, ...rest } = base.load;
  const { imagesPerSecond, allreduceBusGBps, ...training } = ddp;
  const { tflops, memoryGBps, hostToDeviceGBps, deviceToHostGBps, peerGBps, ...benching } = bench;
  const { batchTokensPerSecond, ...serving } = vllm;
  const products = Object.fromEntries(
    byPrecision(values.get('t6_gemm')).map(([precision, value]) => [precision, floorAt(value, 'TFLOP/s')]),
  );
  const given = <T extends object>(values_: T) =>
    Object.fromEntries(Object.entries(values_).filter(([, v]) => v !== undefined)) as Partial<T>;
  return {
    ...rest,
    watts:
      cards.powerLimitW === null
        ? watts
        : {
            value: cards.count * cards.powerLimitW,
            source: `${origin}: power.default_limit ${cards.powerLimitW} W, ${cards.count} cards`,
          },
    ddp: {
      ...training,
      ...given({
        imagesPerSecond: either(imagesPerSecond, floor('t2_images', 'images/s')),
        allreduceBusGBps: either(
          allreduceBusGBps,
          floor('t2_allreduce', 'GB/s') ?? floor('t6_allreduce', 'GB/s'),
        ),
      }),
    },
    bench: {
      ...benching,
      tflops: same ? { ...products, ...tflops } : products,
      ...given({
        memoryGBps: either(memoryGBps, floor('t6_memory', 'GB/s')),
        hostToDeviceGBps: either(hostToDeviceGBps, floor('t6_host_to_device', 'GB/s')),
        deviceToHostGBps: either(deviceToHostGBps, floor('t6_device_to_host', 'GB/s')),
        peerGBps: either(peerGBps, floor('t6_peer', 'GB/s')),
      }),
    },
    vllm: {
      ...serving,
      ...given({ batchTokensPerSecond: either(batchTokensPerSecond, floor('t6_vllm', 'tokens/s')) }),
    },
  };
}

function gpuOf({ base, cards, facts }: CaptureOrder, origin: string, same: boolean): Profile['gpu'] {
  const own = <T>(value: T) => ({ value, source: `${origin}, as nvidia-smi tells` });
  const { bar1MiB, pciDevice, powerLimitW, underLoad, ...rest } = base.gpu;
  const { smClockMHz, temperatureC, ...watched } = underLoad ?? {};
  const bus = facts.gpus?.[0];
  const bar1 = bus?.bar1Bytes;
  const tolerance = Math.max(1, Math.round(cards.memoryMiB * MEMORY_TOLERANCE));
  return {
    ...rest,
    count: own(cards.count),
    name: own(cards.name),
    ...(bus && /^0x[0-9a-f]{4}$/.test(bus.device)
      ? { pciDevice: { value: bus.device, source: `${origin}, as the PCI bus tells` } }
      : same && pciDevice
        ? { pciDevice }
        : {}),
    memoryMiB: own(cards.memoryMiB),
    memoryToleranceMiB: same
      ? base.gpu.memoryToleranceMiB
      : { value: tolerance, source: `${MEMORY_TOLERANCE * 100} % of a card's memory (estimate)` },
    pcieGen: own(cards.pcieGen),
    pcieWidth: own(cards.pcieWidth),
    computeCapability: own(cards.computeCapability),
    ...(cards.powerLimitW === null ? {} : { powerLimitW: own(cards.powerLimitW) }),
    ...(same && powerLimitW ? { powerLimitW } : {}),
    ...(same && bar1MiB
      ? { bar1MiB }
      : bar1
        ? { bar1MiB: { min: Math.round(bar1 / 1024 ** 2), source: `${origin}, as the PCI bus tells` } }
        : {}),
    underLoad: {
      ...watched,
      // Of the base's cards alone.
      ...(same && smClockMHz ? { smClockMHz } : {}),
      ...(same && temperatureC ? { temperatureC } : {}),
    },
  };
}

/** What the host is; what it does not tell is not judged. */
function hostOf({ facts }: CaptureOrder, origin: string): Partial<Profile> {
  const { cpu, memory, board, virtualization, arch } = facts;
  const gib = memory?.bytes ? Math.floor((memory.bytes / GIB) * MEMORY_TOLD) : 0;
  return {
    ...(arch ? { arch: { value: arch, source: origin } } : {}),
    ...(cpu?.model && cpu.cores ? { cpu: { model: cpu.model, cores: cpu.cores, source: origin } } : {}),
    ...(gib > 0
      ? { memoryGiB: { min: gib, source: `${origin}: ${MEMORY_TOLD * 100} % of what is told` } }
      : {}),
    ...(board?.name ? { board: { name: board.name, source: origin } } : {}),
    ...(virtualization ? { virtualization: { value: [virtualization], source: origin } } : {}),
  };
}

/** Which checks of preflight a part of the profile is judged by; without it they inform. */
const OF_HOST = {
  pf_cpu: 'cpu',
  pf_memory: 'memoryGiB',
  pf_ecc: 'memoryEcc',
  pf_board: 'board',
  pf_power: 'power',
  pf_root_disk: 'rootDiskGiB',
} as const;

/** Errors: profile_invalid where what was read makes no profile. */
export function capturedProfile(order: CaptureOrder): Captured {
  const { base, id, box, day, cards } = order;
  const origin = `${CAPTURED}${box} on ${day}`;
  const same = base.gpu.name.value === cards.name && base.gpu.count.value === cards.count;
  const { cpu: _c, memoryGiB: _m, memoryEcc, board: _b, power, rootDiskGiB, ...kept } = base;
  const whole: Profile = {
    ...kept,
    ...(same && memoryEcc ? { memoryEcc } : {}),
    ...(same && power ? { power } : {}),
    ...(same && rootDiskGiB ? { rootDiskGiB } : {}),
    ...hostOf(order, origin),
    id,
    title: `${cards.count} × ${cards.name}: ${origin}`,
    sources: [
      ...base.sources,
      `${origin}: what the machine itself told and measured, evidence ${order.evidence}; rules of the profile ${base.id}. Floors from there are informative.`,
    ],
    gpu: gpuOf(order, origin, same),
    load: loadOf(order, origin, same),
  };
  const informs = (why: string) => ({ kind: 'informative' as const, why });
  const captured = Object.entries(floorsOf(whole)).filter(([, floors]) =>
    floors.some(({ source }) => source.startsWith(CAPTURED)),
  );
  // That of a memory window is as it is told, and no measurement.
  const floored = captured.map(([check]) => check).filter((check) => check !== 'gpu_bar1');
  const untold = Object.entries(OF_HOST).filter(([, part]) => whole[part] === undefined);
  const unfloored = Object.entries(floorsOf(whole)).filter(
    ([check, floors]) =>
      floors.length === 0 && ['t2_images', 't6_vllm', 't6_gemm', 't6_memory', 'gpu_bar1'].includes(check),
  );
  const profile = Profile.safeParse({
    ...whole,
    expectations: {
      ...base.expectations,
      ...Object.fromEntries(
        untold.map(([check]) => [check, informs('the captured machine does not tell it')]),
      ),
      ...Object.fromEntries(
        unfloored.map(([check]) => [check, informs('no run measured it on the captured machine')]),
      ),
      ...Object.fromEntries(captured.map(([check]) => [check, informs(CAPTURED_WHY)])),
    },
  });
  if (!profile.success) {
    const detail = profile.error.issues
      .map((i) => `${i.path.join('.')}: ${i.message}`)
      .slice(0, 3)
      .join('; ');
    throw new AppError('profile_invalid', { path: id, detail }, profile.error);
  }
  const notes = [
    `${cards.count} × ${cards.name}, ${cards.memoryMiB} MiB, Gen${cards.pcieGen} x${cards.pcieWidth}, compute capability ${cards.computeCapability}.`,
    floored.length
      ? `Floors at ${OF_MEASURED} of what was measured, all of them informative: ${floored.join(', ')}.`
      : same
        ? 'No floor was captured: what is published of these very cards stays.'
        : 'No floor was captured: run the suites pytorch-ddp and performance first.',
    ...(unfloored.length ? [`Without a floor: ${unfloored.map(([check]) => check).join(', ')}.`] : []),
    `Rules that hold for any machine come from the profile ${base.id}: read them before it is used for others.`,
  ];
  return { profile: profile.data, notes };
}
