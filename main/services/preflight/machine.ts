/** The machine itself: processor, memory, board, disks, network, power. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import {
  atLeastGib,
  gib,
  judged,
  notRun,
  pass,
  unnamed,
  unread,
  warn,
  type Finding,
  type Look,
  type PreflightCheck,
} from './judge.ts';

const WRONG_MACHINE = 'Compare the machine with the order, or choose the profile made for it.';

function virtualization(look: Look): Finding {
  const { virtualization: found } = look.facts;
  const want = look.profile.virtualization;
  if (!found) return unread(look, 'the kind of machine', 'virtualization');
  const value = found === 'none' ? 'a machine of its own' : found;
  if (!want) return unnamed('kind of machine', value);
  const more = { threshold: want.value.join(' or '), source: want.source };
  if (want.value.includes(found)) return pass(value, more);
  return warn(value, 'Measurements in a virtual machine or container are not those of the hardware.', more);
}

function arch(look: Look): Finding {
  const { arch: found } = look.facts;
  const want = look.profile.arch;
  if (!found) return unread(look, 'the architecture', 'arch');
  if (!want) return unnamed('architecture', found);
  return judged(found === want.value, found, WRONG_MACHINE, { threshold: want.value, source: want.source });
}

function cpu(look: Look): Finding {
  const { model, cores } = look.facts.cpu ?? {};
  const want = look.profile.cpu;
  if (!model || !cores) return unread(look, 'the processor', 'cpu');
  const value = `${model}, ${cores} cores`;
  if (!want) return unnamed('processor', value);
  const good = model.toLowerCase().includes(want.model.toLowerCase()) && cores >= want.cores;
  const threshold = `${want.model}, ${want.cores} cores`;
  return judged(good, value, WRONG_MACHINE, { threshold, source: want.source });
}

function memory(look: Look): Finding {
  const bytes = look.facts.memory?.bytes;
  const want = look.profile.memoryGiB;
  if (!bytes) return unread(look, 'the memory', 'memory');
  if (!want) return unnamed('amount of memory', `${gib(bytes)} GiB`);
  return atLeastGib(
    bytes,
    want,
    'Look for a module that is missing or badly seated: sudo dmidecode -t memory',
  );
}

function ecc(look: Look): Finding {
  const found = look.facts.memory?.ecc;
  const want = look.profile.memoryEcc;
  if (found === null || found === undefined) return unread(look, 'error correction', 'memory.ecc', 'memory');
  const value = found ? 'ECC' : 'none';
  if (!want) return unnamed('error correction', value);
  return judged(
    found || !want.value,
    value,
    'Compare the modules with the order; look for ECC in the BIOS.',
    {
      threshold: want.value ? 'ECC' : 'any',
      source: want.source,
    },
  );
}

function board(look: Look): Finding {
  const { vendor, name } = look.facts.board ?? {};
  const want = look.profile.board;
  if (!name) return unread(look, 'the board', 'dmi.board_name');
  const value = [vendor, name].filter(Boolean).join(' ');
  if (!want) return unnamed('board', value);
  const good = name.toLowerCase().includes(want.name.toLowerCase());
  return judged(good, value, WRONG_MACHINE, { threshold: want.name, source: want.source });
}

function bios(look: Look): Finding {
  const { vendor, version, date } = look.facts.bios ?? {};
  if (!version) return unread(look, 'the BIOS version', 'dmi.bios_version');
  return pass([vendor, version, date ? `of ${date}` : null].filter(Boolean).join(' '));
}

type Disk = NonNullable<BoxFacts['disks']>[number];

const describeDisk = (d: Disk): string =>
  [
    d.name,
    d.model ?? 'no model',
    d.serial ?? 'no serial',
    d.bytes ? `${Math.round(d.bytes / 1e9)} GB` : 'no size',
    d.transport ?? 'no transport',
    d.mountpoints?.length ? `mounted at ${d.mountpoints.join(' ')}` : 'not mounted',
  ].join(', ');

function disks(look: Look): Finding {
  const found = look.facts.disks;
  if (!found) return unread(look, 'the disks', 'disks');
  const evidence = found.map(describeDisk).join('\n');
  const value = found.map((d) => `${d.name} ${d.serial ?? '(no serial)'}`).join(', ') || 'none';
  if (found.length && found.every((d) => d.serial)) return pass(value, { evidence });
  return warn(value, 'A disk without a serial cannot be told from another one; it is never written to.', {
    evidence,
  });
}

function rootDisk(look: Look): Finding {
  const bytes = look.facts.filesystems?.rootBytes;
  const want = look.profile.rootDiskGiB;
  if (!bytes) return unread(look, 'the size of the root file system', 'filesystems');
  if (!want) return unnamed('size of the root file system', `${gib(bytes)} GiB`);
  return atLeastGib(bytes, want, 'Grow the root file system, or install on a larger disk.');
}

/** A fact, not a judgement: it is chosen when the system is installed, and no layer can change it. */
function rootEncryption(look: Look): Finding {
  const { rootEncryption: found } = look.facts;
  if (!found) return unread(look, 'what the root file system lies on', 'rootEncryption');
  return pass(found === 'luks' ? 'on LUKS' : 'not encrypted');
}

function freeSpace(look: Look): Finding {
  const { rootFreeBytes: root, varFreeBytes } = look.facts.filesystems ?? {};
  const want = look.profile.freeRootGiB;
  if (root === null || root === undefined) return unread(look, 'the free space', 'filesystems');
  // Layers write to both; where /var is a file system of its own, the smaller one decides.
  const least = Math.min(root, varFreeBytes ?? root);
  if (!want) return unnamed('budget of disk space', `${gib(least)} GiB`);
  const next =
    'Free space ("sudo apt clean", "sudo journalctl --vacuum-size=100M"), or grow the file system, then inspect again.';
  const evidence = `free: / ${gib(root)} GiB, /var ${gib(varFreeBytes ?? root)} GiB`;
  return { ...atLeastGib(least, want, next), evidence };
}

function network(look: Look): Finding {
  const found = look.facts.network;
  if (!found) return unread(look, 'the network links', 'network');
  const speed = (mbit: number | null | undefined) => (mbit ? `${mbit} Mbit/s` : 'speed not told');
  const up = found.filter((n) => n.state === 'up');
  const evidence = found
    .map((n) => `${n.name} ${n.state ?? 'unknown'}, ${speed(n.speedMbit)}, ${n.mac ?? 'no address'}`)
    .join('\n');
  if (up.length) return pass(up.map((n) => `${n.name} ${speed(n.speedMbit)}`).join(', '), { evidence });
  return warn(
    'no link is up',
    'Check the cable; the link that the app uses is of a kind the box does not list.',
    {
      evidence,
    },
  );
}

function power({ profile }: Look): Finding {
  if (!profile.power) return unnamed('wall power');
  const { wallWatts, source } = profile.power;
  return notRun(
    'voltage and breaker cannot be read from the box; the engineer states them',
    `Before the first load, look at the socket and its breaker: they must carry ${wallWatts} W.`,
    { threshold: `${wallWatts} W`, source },
  );
}

export const MACHINE: readonly PreflightCheck[] = [
  { id: 'pf_virtualization', title: 'Kind of machine', judge: virtualization },
  { id: 'pf_arch', title: 'Architecture', judge: arch },
  { id: 'pf_cpu', title: 'Processor', judge: cpu },
  { id: 'pf_memory', title: 'Memory', judge: memory },
  { id: 'pf_ecc', title: 'Error correction of the memory', judge: ecc },
  { id: 'pf_board', title: 'Board', judge: board },
  { id: 'pf_bios', title: 'BIOS version', judge: bios },
  { id: 'pf_disks', title: 'Disks by serial', judge: disks },
  { id: 'pf_root_disk', title: 'Size of the root file system', judge: rootDisk },
  { id: 'pf_root_encryption', title: 'Encryption of the root file system', judge: rootEncryption },
  { id: 'pf_free_space', title: 'Free space for the layers', judge: freeSpace },
  { id: 'pf_network', title: 'Network links', judge: network },
  { id: 'pf_power', title: 'Wall power', judge: power },
];
