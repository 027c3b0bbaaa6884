/** An order as it is filled in: what is entered, what is wrong with each field, and what goes to main. */
import { useState } from 'react';
import type { ImageDeskState } from '../../preload/contract/image-desk.ts';
import { orderFaults, type ImageOrderInput, type ShownOrder } from '../../preload/contract/image-order.ts';
import { sentence } from './words.ts';

export interface Draft {
  kind: 'disk' | 'iso';
  path: string;
  sha256: string;
  profile: string;
  layers: readonly number[];
  bundle: string;
  name: string;
  version: string;
  out: string;
  signs: boolean;
  key: string;
  passphrase: string;
  accel: ImageOrderInput['accel'];
  memory: string;
  cpus: string;
  diskSize: string;
  secondRun: boolean;
  work: string;
  project: string;
}

/** What a new order begins with: the app's own, or that of a build. */
function draftOf({ defaults }: ImageDeskState, like: ShownOrder | null): Draft {
  const none = { path: '', sha256: '', bundle: '', out: '', work: '', project: '', key: '', passphrase: '' };
  if (!like) {
    const { memoryMiB, cpus, ...rest } = defaults;
    const machine = { memory: String(memoryMiB), cpus: String(cpus) };
    return { ...rest, ...none, ...machine, kind: 'disk', signs: false, accel: 'auto', secondRun: true };
  }
  const { source, bundle, memoryMiB, cpus, signerId, ...rest } = like;
  return {
    ...{ ...none, ...rest, kind: source.kind, path: source.path, sha256: source.sha256 ?? '' },
    ...{ bundle: bundle ?? '', memory: String(memoryMiB), cpus: String(cpus), signs: signerId !== null },
  };
}

type Field = 'sha256' | 'name' | 'version' | 'memory' | 'cpus' | 'diskSize' | 'layers';

function faultsOf(d: Draft): Partial<Record<Field, string>> {
  const all: Record<Field, string | null> = {
    sha256: d.sha256.trim() === '' ? null : orderFaults.sha256(d.sha256.trim(), 'SHA-256'),
    name: orderFaults.name(d.name.trim()),
    version: orderFaults.version(d.version.trim()),
    memory: orderFaults.whole(d.memory.trim(), 'memory'),
    cpus: orderFaults.whole(d.cpus.trim(), 'processors'),
    diskSize: orderFaults.diskSize(d.diskSize.trim()),
    layers: orderFaults.layers(d.layers),
  };
  const found = Object.entries(all).flatMap(([field, fault]) =>
    fault === null ? [] : [[field, sentence(fault)]],
  );
  return Object.fromEntries(found) as Partial<Record<Field, string>>;
}

const given = (text: string): string | null => text.trim() || null;

function orderOf(d: Draft): ImageOrderInput {
  const passphrase = d.passphrase === '' ? {} : { passphrase: d.passphrase };
  return {
    source: { kind: d.kind, path: d.path.trim(), sha256: given(d.sha256) },
    ...{ profile: d.profile, layers: [...d.layers], bundle: given(d.bundle) },
    ...{ name: d.name.trim(), version: d.version.trim(), accel: d.accel, secondRun: d.secondRun },
    ...{ memoryMiB: Number(d.memory), cpus: Number(d.cpus), diskSize: d.diskSize.trim() },
    ...{ work: given(d.work), out: given(d.out), project: given(d.project) },
    sign: d.signs ? { path: d.key.trim(), ...passphrase } : null,
  };
}

/** The order of a build as it is given again. One that is signed needs its key once more: it is filled in instead. */
export function sameOrder({ signerId, ...order }: ShownOrder): ImageOrderInput | null {
  return signerId === null ? { ...order, sign: null } : null;
}

export function useOrder(images: ImageDeskState, like: ShownOrder | null) {
  const [draft, setDraft] = useState(() => draftOf(images, like));
  const faults = faultsOf(draft);
  const complete =
    draft.path.trim() !== '' && Object.keys(faults).length === 0 && (!draft.signs || draft.key.trim() !== '');
  const set = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));
  return { draft, set, faults, order: complete ? orderOf(draft) : null };
}
