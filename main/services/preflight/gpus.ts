/** The GPUs as the PCI bus shows them, before any driver; and what the BIOS does for them. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import {
  judged,
  listed,
  notRun,
  pass,
  unnamed,
  unread,
  warn,
  type Finding,
  type Look,
  type PreflightCheck,
} from './judge.ts';

type Gpu = NonNullable<BoxFacts['gpus']>[number];

/** Transfers per second of each PCIe generation, as the kernel prints them. */
const GENERATIONS = ['2.5', '5.0', '8.0', '16.0', '32.0', '64.0', '128.0'];
const MIB = 2 ** 20;

/** The generation behind "32.0 GT/s PCIe"; null for what is no speed ("Unknown"). */
function generation(speed: string | null | undefined): number | null {
  const at = GENERATIONS.indexOf(/^([\d.]+) GT\/s/.exec(speed ?? '')?.[1] ?? '');
  return at < 0 ? null : at + 1;
}

interface Link {
  address: string;
  gen: number;
  width: number;
}

/** The links of all cards, or the first card that does not tell its own. */
function links(gpus: readonly Gpu[], of: 'now' | 'max'): Link[] | Gpu {
  const all: Link[] = [];
  for (const gpu of gpus) {
    const gen = generation(of === 'now' ? gpu.linkSpeed : gpu.maxLinkSpeed);
    const width = of === 'now' ? gpu.linkWidth : gpu.maxLinkWidth;
    if (gen === null || !width) return gpu;
    all.push({ address: gpu.address, gen, width });
  }
  return all;
}

const shown = (all: readonly Link[]): string =>
  listed(all.map((l) => [l.address, `Gen${l.gen} x${l.width}`] as const));

/** The finding of a check about the cards where none is seen; else the cards. */
function seen(look: Look): readonly Gpu[] | Finding {
  const { gpus, evidence, virtualization } = look.facts;
  if (!gpus) return unread(look, 'the PCI bus', 'gpus');
  if (gpus.length) return gpus;
  if (evidence === 'real') return notRun('the PCI bus shows no NVIDIA GPU', 'See the number of GPUs.');
  const kind = virtualization && virtualization !== 'none' ? ` (${virtualization})` : '';
  return notRun(`a ${evidence} box${kind} has no GPU on its PCI bus`, null);
}

const isFinding = (x: readonly Gpu[] | Finding): x is Finding => 'verdict' in x;

function count(look: Look): Finding {
  const { count: want } = look.profile.gpu;
  const gpus = seen(look);
  if (isFinding(gpus) && !(look.facts.gpus && look.facts.evidence === 'real')) return gpus;
  const found = isFinding(gpus) ? [] : gpus;
  return judged(
    found.length === want.value,
    found.length,
    'Check seating, power cables and risers; look in the BIOS whether a slot is switched off or bifurcated.',
    {
      unit: 'GPUs',
      threshold: String(want.value),
      source: want.source,
      evidence:
        found
          .map((g) => `${g.address} 10de:${g.device.replace(/^0x/, '')} ${g.driver ?? 'no driver'}`)
          .join('\n') || null,
    },
  );
}

function model(look: Look): Finding {
  const gpus = seen(look);
  if (isFinding(gpus)) return gpus;
  const { pciDevice: want, name } = look.profile.gpu;
  const value = listed(gpus.map((g) => [g.address, g.device] as const));
  if (!want) return unnamed('PCI device of its GPUs', value);
  const next =
    'Another card is in the box, or another profile is meant: choose the profile for this machine.';
  return judged(
    gpus.every((g) => g.device === want.value),
    value,
    next,
    {
      threshold: `${want.value} (${name.value})`,
      source: want.source,
    },
  );
}

function pcieMax(look: Look): Finding {
  const gpus = seen(look);
  if (isFinding(gpus)) return gpus;
  const { pcieGen, pcieWidth } = look.profile.gpu;
  const all = links(gpus, 'max');
  if (!Array.isArray(all)) {
    const item = `gpus.${all.address}`;
    return unread(
      look,
      `the largest link of ${all.address}`,
      `${item}.max_link_speed`,
      `${item}.max_link_width`,
    );
  }
  const good = all.every((l) => l.gen >= pcieGen.value && l.width >= pcieWidth.value);
  return judged(
    good,
    shown(all),
    'Look at the slot: its lanes may be shared or bifurcated in the BIOS; a riser may limit them.',
    {
      threshold: `Gen${pcieGen.value} x${pcieWidth.value}`,
      source: pcieGen.source,
    },
  );
}

function linkNow(look: Look): Finding {
  const gpus = seen(look);
  if (isFinding(gpus)) return gpus;
  const { pcieGen, pcieWidth } = look.profile.gpu;
  const all = links(gpus, 'now');
  if (!Array.isArray(all)) {
    const item = `gpus.${all.address}`;
    return unread(
      look,
      `the link of ${all.address}`,
      `${item}.current_link_speed`,
      `${item}.current_link_width`,
    );
  }
  const more = { threshold: `Gen${pcieGen.value} x${pcieWidth.value}`, source: pcieGen.source };
  if (all.every((l) => l.gen >= pcieGen.value && l.width >= pcieWidth.value)) return pass(shown(all), more);
  return warn(shown(all), 'Links drop at idle; suite T1 reads them under load.', more);
}

function above4g(look: Look): Finding {
  const gpus = seen(look);
  if (isFinding(gpus)) return gpus;
  const want = look.profile.bios?.above4g;
  const silent = gpus.find((g) => g.above4g === null || g.above4g === undefined);
  if (silent)
    return unread(look, `the memory windows of ${silent.address}`, `gpus.${silent.address}.resource`);
  const value = listed(gpus.map((g) => [g.address, g.above4g ? 'above 4 GiB' : 'below 4 GiB'] as const));
  if (!want) return unnamed('place of the memory windows', value);
  const good = !want.value || gpus.every((g) => g.above4g);
  return judged(good, value, 'Switch on "Above 4G Decoding" and "Resizable BAR" in the BIOS.', {
    threshold: want.value ? 'above 4 GiB' : 'any',
    source: want.source,
  });
}

function rebar(look: Look): Finding {
  const gpus = seen(look);
  if (isFinding(gpus)) return gpus;
  const want = look.profile.gpu.bar1MiB;
  const silent = gpus.find((g) => !g.bar1Bytes);
  if (silent)
    return unread(look, `the memory windows of ${silent.address}`, `gpus.${silent.address}.resource`);
  const sizes = gpus.map((g) => ({ gpu: g, mib: (g.bar1Bytes ?? 0) / MIB }));
  const value = listed(sizes.map(({ gpu, mib }) => [gpu.address, `${mib} MiB`] as const));
  if (!want) return unnamed('size of the memory window', value);
  const more = { value, threshold: `${want.min} MiB or more`, source: want.source };
  const small = sizes.filter(({ mib }) => mib < want.min);
  if (small.length === 0) return pass(value, more);
  // GeForce cards start with 256 MiB and are enlarged by the driver, so without it a small window proves nothing.
  if (small.every(({ gpu }) => gpu.driver !== 'nvidia'))
    return notRun(
      'the driver enlarges the window, and it is not loaded',
      'Inspect again after layer 2.',
      more,
    );
  return judged(
    false,
    value,
    'Switch on "Above 4G Decoding" and "Resizable BAR" in the BIOS; look for "BAR 1" in the kernel log.',
    more,
  );
}

const IOMMU_NEXT =
  'Switch the IOMMU off in the BIOS, or add "iommu=pt" to the kernel command line; the suites write between cards and verify.';

function iommu(look: Look): Finding {
  const { groups, types, cmdline } = look.facts.iommu ?? {};
  const want = look.profile.bios?.iommu;
  if (groups === null || groups === undefined) return unread(look, 'the IOMMU', 'iommu');
  const off = groups === 0;
  if (!off && !types?.length) return unread(look, 'how the IOMMU translates', 'iommu.types');
  const value = off ? 'off' : (types ?? []).join(', ');
  if (!want) return unnamed('setting of the IOMMU', value);
  const more = {
    threshold: want.value === 'any' ? 'any' : 'off or identity (passing addresses through)',
    source: want.source,
    evidence: `${groups} groups; kernel command line: ${cmdline || 'nothing about it'}`,
  };
  if (off || want.value === 'any' || types?.every((t) => t === 'identity')) return pass(value, more);
  return warn(value, IOMMU_NEXT, more);
}

function acs(look: Look): Finding {
  const found = look.facts.acs;
  const want = look.profile.bios?.acsRedirect;
  if (!found) return unread(look, 'access control of the PCIe bridges', 'acs');
  const value = `${found.redirecting.length} of ${found.bridges ?? 0} bridges redirect`;
  if (!want) return unnamed('access control of the PCIe bridges', value);
  const more = {
    threshold: want.value ? 'any' : 'none redirects',
    source: want.source,
    evidence: found.redirecting.join('\n') || null,
  };
  if (want.value || found.redirecting.length === 0) return pass(value, more);
  return warn(value, 'Switch ACS off in the BIOS; the suites write between cards and verify.', more);
}

export const GPUS: readonly PreflightCheck[] = [
  { id: 'pf_gpu_count', title: 'GPUs on the PCI bus', judge: count },
  { id: 'pf_gpu_model', title: 'GPU model on the PCI bus', judge: model },
  { id: 'pf_gpu_pcie_max', title: 'PCIe: what the cards can do', judge: pcieMax },
  { id: 'pf_gpu_link', title: 'PCIe: the link at idle', judge: linkNow },
  { id: 'pf_gpu_above4g', title: 'BIOS: Above 4G decoding', judge: above4g },
  { id: 'pf_gpu_rebar', title: 'BIOS: resizable BAR', judge: rebar },
  { id: 'pf_iommu', title: 'BIOS: IOMMU', judge: iommu },
  { id: 'pf_acs', title: 'BIOS: access control between PCIe cards', judge: acs },
];
