/** What a box is, in the words of a data sheet. Pure; what could not be read is left out here and stands among the checks. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import { bytes } from '../../numbers.ts';

export interface Fact {
  name: string;
  lines: string[];
}

const said = (...parts: (string | null | undefined | false)[]) => parts.filter(Boolean).join(', ');
const GIB = 1024 ** 3;

function cpu({ cpu: c }: BoxFacts): string {
  return said(
    c?.model,
    c?.cores != null && `${c.cores} cores`,
    c?.sockets != null && c.sockets > 1 && `${c.sockets} sockets`,
  );
}

function memory({ memory: m }: BoxFacts): string {
  const ecc = m?.ecc === true ? 'ECC' : m?.ecc === false ? 'no ECC' : null;
  return said(
    m?.bytes != null && `${(m.bytes / GIB).toFixed(0)} GiB`,
    ecc,
    m?.dimms != null && `${m.dimms} modules`,
  );
}

const board = ({ board: b, bios }: BoxFacts) => [
  said([b?.vendor, b?.name].filter(Boolean).join(' '), b?.serial && `serial ${b.serial}`),
  said(bios?.version && `BIOS ${bios.version}`, bios?.date),
];

const disks = ({ disks: all }: BoxFacts) =>
  (all ?? []).map((d) =>
    said(
      d.name,
      d.model,
      d.bytes != null && bytes(d.bytes),
      d.transport,
      d.serial ? `serial ${d.serial}` : 'no serial',
    ),
  );

function gpus({ nvidiaSmi, gpus: onBus }: BoxFacts): string[] {
  if (nvidiaSmi) {
    return nvidiaSmi.gpus.map((g) =>
      said(
        g.name,
        g.memoryMiB != null && `${(g.memoryMiB / 1024).toFixed(0)} GiB`,
        g.serial && `serial ${g.serial}`,
      ),
    );
  }
  return (onBus ?? []).map((g) =>
    said(
      g.address,
      g.device,
      g.linkSpeed && g.linkWidth != null && `${g.linkSpeed} x${g.linkWidth}`,
      g.driver ? `driver ${g.driver}` : 'no driver',
    ),
  );
}

const network = ({ network: all }: BoxFacts) =>
  (all ?? []).map((n) => said(n.name, n.state, n.speedMbit != null && `${n.speedMbit} Mbit/s`, n.mac));

export function factsOf(facts: BoxFacts): Fact[] {
  const { distribution, kernel, arch, hostname, virtualization, clock } = facts;
  return [
    { name: 'Processor', lines: [cpu(facts)] },
    { name: 'Memory', lines: [memory(facts)] },
    { name: 'Board', lines: board(facts) },
    { name: 'GPUs', lines: gpus(facts) },
    { name: 'Disks', lines: disks(facts) },
    { name: 'Network', lines: network(facts) },
    {
      name: 'System',
      lines: [said(distribution?.pretty ?? distribution?.id, kernel && `kernel ${kernel}`, arch)],
    },
    { name: 'Name', lines: [said(hostname, virtualization !== 'none' && virtualization)] },
    { name: 'Time zone', lines: [said(clock.timezone)] },
  ]
    .map(({ name, lines }) => ({ name, lines: lines.filter((l) => l !== '') }))
    .filter(({ lines }) => lines.length > 0);
}
