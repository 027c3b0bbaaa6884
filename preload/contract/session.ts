/**
 * One box's session: everything the app knows about bringing it into service, in one document that main stores.
 * Step states are computed from it and from the journal, never kept as flags (design.md "Wizard").
 */
import { z } from 'zod';
import { FirstBootChoice } from './firstboot.ts';
import { JobKind } from './job.ts';
import { Waiver } from './outcome.ts';
import { Supply } from './supply.ts';

export const Address = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65535),
});
export type Address = z.infer<typeof Address>;

/** As a person reads it. */
export const addressText = (address: Address | null): string =>
  address === null ? 'no address yet' : `${address.host} port ${address.port}`;

export const HostKeyPin = z.strictObject({
  algorithm: z.string(),
  /** `SHA256:` and unpadded base64, as ssh-keygen prints it. */
  fingerprint: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
  confirmedAt: z.string(),
});
export type HostKeyPin = z.infer<typeof HostKeyPin>;

/** Where the private key is. Never the key itself. */
export const KeyReference = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string(), encrypted: z.boolean() }),
  z.strictObject({ kind: z.literal('agent'), socket: z.string() }),
]);
export type KeyReference = z.infer<typeof KeyReference>;

/** What is known of a login with one of the customer's keys, and since when (ISO time). */
export const CustomerProof = z.strictObject({
  fingerprint: z.string(),
  /** `login`: logged in with it. `accepted`: the box's sshd says that it takes it; nobody has logged in. `refused`: it does not. */
  how: z.enum(['login', 'accepted', 'refused']),
  at: z.string(),
});
export type CustomerProof = z.infer<typeof CustomerProof>;

export const KeysState = z.strictObject({
  reference: KeyReference,
  publicKey: z.string(),
  fingerprint: z.string(),
  /** ISO time of each proof by a fresh login; null until it happened. */
  keyLoginProvenAt: z.string().nullable(),
  sudoProvenAt: z.string().nullable(),
  customerKeys: z.array(z.string()),
  /** The newest of each key; none until the box was asked. */
  customerProofs: z.array(CustomerProof).optional(),
  adminUid: z.number().int(),
  /** Set when another user keeps UID 1000. */
  uidDeviation: z.string().nullable(),
});
export type KeysState = z.infer<typeof KeysState>;

export const Identity = z.strictObject({
  /** UUID the app left on the box's disk, null before Keys. */
  boxId: z.string().nullable(),
  boardSerial: z.string().nullable(),
  productUuid: z.string().nullable(),
  machineId: z.string().nullable(),
  gpuUuids: z.array(z.string()),
  diskSerials: z.array(z.string()),
  hostname: z.string().nullable(),
});
export type Identity = z.infer<typeof Identity>;

/** One job of a run, under the id it got when the run was planned, so that starting it twice joins it. */
export const Phase = z.strictObject({
  id: z.string(),
  title: z.string(),
  job: z.uuid(),
  kind: JobKind,
  layer: z.number().int().nullable(),
  suite: z.string().nullable(),
  params: z.record(z.string(), z.unknown()),
});
export type Phase = z.infer<typeof Phase>;

/**
 * What the engineer asked for last: an ordered list of jobs. Executing a run is idempotent: a phase that passed is
 * skipped, one that runs is joined, one that was lost gets a new attempt. So resume is executing it again.
 */
export const Run = z.strictObject({
  id: z.uuid(),
  command: z.enum(['provision', 'check', 'drift', 'validate', 'link-test', 'uid-swap', 'flash']),
  title: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  bundle: z.string().nullable(),
  /** Versions that were decided when it was planned, each with who asks for it; for people. */
  software: z.array(z.string()).default([]),
  phases: z.array(Phase).min(1),
});
export type Run = z.infer<typeof Run>;

/** What was chosen to be flashed for a box; never what was typed to confirm it. */
export const FlashChoice = z.strictObject({ image: z.string().min(1), serial: z.string().min(1).nullable() });
export type FlashChoice = z.infer<typeof FlashChoice>;

/** A system that a flash put on the box's disk, with first-boot settings, and that nobody has met yet. */
export const NextSystem = z.strictObject({
  hostname: z.string().min(1),
  /** Null where it asks for one by DHCP. */
  address: Address.nullable(),
  /** `SHA256:` and base64 of the host key that it was given; null in sessions of older versions. */
  fingerprint: z.string().nullable().default(null),
  /** Layers that the image says it has; null where no manifest says it. */
  layers: z.array(z.number().int()).nullable().default(null),
});
export type NextSystem = z.infer<typeof NextSystem>;

const line = z.string().trim().max(200);

/** What the report says of the hand-over, as the engineer wrote it; empty where nothing was written. */
export const Handover = z.strictObject({ customer: line, site: line, engineer: line });
export type Handover = z.infer<typeof Handover>;

export const Session = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  /** The name people give the box; unique on this laptop. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
  profile: z.string(),
  /** `flash`: its disk is flashed at this laptop first; `network`: while it runs from a live system. */
  path: z.enum(['provision', 'flash', 'network']),
  /** A practice box of the app's own: all that is measured on it is evidence `practice`. */
  practice: z.boolean().default(false),
  createdAt: z.string(),
  /** What answers at its address is a live system, which has a host key of its own; the box's name stands for the system on its disk. */
  live: z.boolean().default(false),
  next: NextSystem.nullable().default(null),
  /** Null on the path `flash` until the box was first connected to: it comes into being by the flash. */
  address: Address.nullable(),
  /** The user the app logs in as now. */
  user: z.string(),
  /** The user of the first password login, whose UID may stand in the way. */
  firstUser: z.string(),
  hostKey: HostKeyPin.nullable(),
  identity: Identity.nullable(),
  keys: KeysState.nullable(),
  /** The app's code on the box, by content hash. */
  boxCode: z.string().nullable(),
  run: Run.nullable(),
  /** The folder of the bundle that was installed from last; null before the first. */
  bundle: z.string().nullable().default(null),
  flash: FlashChoice.nullable().default(null),
  /** Layers that the image of the system on its disk says it has; null where nothing says it. */
  claims: z.array(z.number().int()).nullable().default(null),
  /** Null: nothing, or not yet chosen in the window. */
  firstBoot: FirstBootChoice.nullable().default(null),
  /** What feeds the box, once the engineer said it; null before. */
  supply: Supply.nullable().default(null),
  handover: Handover.nullable().default(null),
  waivers: z.array(Waiver),
  deviations: z.array(z.strictObject({ id: z.string(), text: z.string(), at: z.string() })),
});
export type Session = z.infer<typeof Session>;
