/** What the system on the disk is to be told for its first boot, while it is typed: nothing secret of it is kept anywhere else. */
import { useState } from 'react';
import type { CallInput, KeyChoice } from '../../../preload/contract/calls.ts';
import { FirstBootChoice, type FirstBootChoice as Choice } from '../../../preload/contract/firstboot.ts';
import type { Session } from '../../../preload/contract/session.ts';

export interface FirstBootDraft {
  on: boolean;
  hostname: string;
  /** Null while the choice is not complete. */
  key: KeyChoice | null;
  password: string;
  /** False while the two fields differ. */
  passwordSettled: boolean;
  fixed: boolean;
  card: string;
  address: string;
  gateway: string;
  dns: string;
}

type Given = CallInput<'flash.start'>['firstBoot'];
/** What is one line of text. */
export const LINES = ['hostname', 'card', 'address', 'gateway', 'dns'] as const;
export type Line = (typeof LINES)[number];
export type Faults = Partial<Record<Line, string>>;

export interface FirstBootForm {
  draft: FirstBootDraft;
  set: (now: Partial<FirstBootDraft>) => void;
  /** Of fields that hold something. */
  faults: Faults;
  /** What is given to the flash; null where nothing is to be set, or something is missing. */
  given: Given;
  /** What is missing; null where nothing is. */
  lacks: string | null;
}

/** A name for the machine out of the one that people give the box: "VC-0042" as "vc-0042". */
export const hostnameOf = (box: string): string =>
  box
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');

export function firstDraft({
  name,
  firstBoot,
  path,
}: Pick<Session, 'name' | 'firstBoot' | 'path'>): FirstBootDraft {
  const address = firstBoot?.address ?? null;
  return {
    // Over the network the box is met by them, and by nothing else.
    on: firstBoot !== null || path === 'network',
    hostname: firstBoot?.hostname ?? hostnameOf(name),
    key: firstBoot?.key ?? { kind: 'generate' },
    ...{ password: '', passwordSettled: true, fixed: address !== null },
    ...{ card: address?.card ?? '', address: address?.address ?? '' },
    ...{ gateway: address?.gateway ?? '', dns: address?.dns.join(', ') ?? '' },
  };
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** Which key, without its passphrase. */
function named(key: KeyChoice | null) {
  switch (key?.kind) {
    case 'generate':
      return { kind: key.kind };
    case 'file':
      return { kind: key.kind, path: key.path };
    case 'agent':
      return { kind: key.kind, fingerprint: key.fingerprint };
    case undefined:
    default:
      return null;
  }
}

function choiceOf({ hostname, key, fixed, card, address, gateway, dns }: FirstBootDraft) {
  const at = { card: card.trim(), address: address.trim(), gateway: gateway.trim() || null, dns: words(dns) };
  return FirstBootChoice.safeParse({
    ...{ hostname: hostname.trim(), key: named(key), address: fixed ? at : null },
  });
}

/** Pure. */
export function judge(draft: FirstBootDraft): Pick<FirstBootForm, 'faults' | 'given' | 'lacks'> {
  if (!draft.on) return { faults: {}, given: null, lacks: null };
  const parsed = choiceOf(draft);
  const faults: Faults = {};
  for (const { path, message } of parsed.error?.issues ?? []) {
    // The name of the whole, `address`, is the name of a line of it, too: the innermost is meant.
    const inner = path.findLast((at) => LINES.some((line) => line === at));
    const field = LINES.find((line) => line === inner);
    if (field && draft[field].trim() !== '') faults[field] ??= message;
  }
  if (!parsed.success) return { faults, given: null, lacks: 'The first-boot settings are not complete.' };
  if (!draft.passwordSettled || draft.password === '')
    return { faults, given: null, lacks: 'Type the sudo password of vaultadmin, twice.' };
  const choice: Choice = parsed.data;
  const passphrase = draft.key && draft.key.kind !== 'agent' ? draft.key.passphrase : undefined;
  const secrets = { sudoPassword: draft.password, ...(passphrase === undefined ? {} : { passphrase }) };
  return { faults, given: { choice, ...secrets }, lacks: null };
}

export function useFirstBoot(session: Session): FirstBootForm {
  const [draft, setDraft] = useState(() => firstDraft(session));
  const set = (now: Partial<FirstBootDraft>) => setDraft((before) => ({ ...before, ...now }));
  return { draft, set, ...judge(draft) };
}
