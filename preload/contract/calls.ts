/**
 * What the window may ask of main, declared once: name, input, output. main/ipc.ts must answer each of them, the preload
 * script offers them by looping over this object, and nothing else crosses. Secrets go in and never come out.
 */
import { z } from 'zod';
import { KeyChoice, KeyFile, LoginChoice, NewBox, PresentKey } from './choices.ts';
import { ErrorReply } from './errors.ts';
import { FirstBootChoice } from './firstboot.ts';
import { DiskList, ImageLook } from './flash.ts';
import { imageCalls } from './image-calls.ts';
import { JobOwner, JobRow, LinkState } from './job.ts';
import { Address, FlashChoice, Run, Handover, Session } from './session.ts';
import { ReportKeys } from './report-keys.ts';
import { Verification } from './verification.ts';
import type { Standing } from './standing.ts';
import { Supply } from './supply.ts';
import { STEP_IDS, type Step } from './steps.ts';
import { CheckAttempt, ValidateOrder } from './validation.ts';

export { BoxName, KeyChoice, LoginChoice, NewBox } from './choices.ts';

const nothing = z.undefined();
const session = z.uuid();
const inSession = z.strictObject({ session });
/** A secret on its way in; it is never part of an answer. */
const secret = z.string().min(1).max(1024);

export const AppInfo = z.strictObject({
  version: z.string(),
  /** Electron, Chromium and Node of this process, and where the runtime is from. */
  runtime: z.strictObject({ electron: z.string(), chrome: z.string(), node: z.string(), origin: z.string() }),
  platform: z.string(),
  dataFolder: z.string(),
  /** What is proven for each system, as the README says it. */
  systems: z.array(
    z.strictObject({ system: z.string(), built: z.string(), started: z.string(), walked: z.string() }),
  ),
});
export type AppInfo = z.infer<typeof AppInfo>;

export const BoxCard = z.strictObject({
  session,
  name: z.string(),
  address: z.string(),
  profile: z.string(),
  practice: z.boolean(),
  /** Where it stands, in one sentence. */
  state: z.string(),
  /** Whether there is something to resume. */
  resumable: z.boolean(),
  changedAt: z.string(),
});
export type BoxCard = z.infer<typeof BoxCard>;

export const FoundBox = z.strictObject({
  address: z.string(),
  port: z.number().int(),
  /** The interface of this laptop on which it answered. */
  interface: z.string(),
  banner: z.string(),
  /** How it was found: `arp`, `neighbour`, `mdns`. */
  by: z.string(),
  name: z.string().nullable(),
});
export type FoundBox = z.infer<typeof FoundBox>;

export const Link = z.strictObject({
  state: LinkState.nullable(),
  detail: z.string(),
  rttMs: z.number().nullable(),
});
export type Link = z.infer<typeof Link>;

/** Everything the wizard draws of one box, but for events and samples. */
export const BoxState = z.strictObject({
  session: Session,
  practice: z.boolean(),
  standing: z.custom<Standing>((v) => typeof v === 'object' && v !== null),
  steps: z.array(z.custom<Step>((v) => typeof v === 'object' && v !== null)),
  jobs: z.array(JobRow),
  /** The attempt that is on its way on the box. */
  active: z.strictObject({ job: z.uuid(), attempt: z.number().int() }).nullable(),
  /** Whether this app follows it now, or only knows of it. */
  following: z.boolean(),
  /** Whether a run was interrupted and resume would go on with it. */
  resumable: z.boolean(),
  /** Why its last flash over the network did not pass, or is not fed any more; null where there is nothing to tell. */
  flashError: ErrorReply.nullable(),
  link: Link,
  /** What main knows of secrets: whether it has them, never what they are. */
  secrets: z.strictObject({ sudoPassword: z.boolean(), passphrase: z.boolean() }),
});
export type BoxState = z.infer<typeof BoxState>;

const AgentKey = z.strictObject({ fingerprint: z.string(), type: z.string(), comment: z.string() });
/** A line for authorized_keys, and what it is. */
export const PublicKey = z.strictObject({
  line: z.string(),
  type: z.string(),
  fingerprint: z.string(),
  comment: z.string(),
});
export type PublicKey = z.infer<typeof PublicKey>;
/** Where the window is: a box and a step of it, or the first screen. */
export const Place = z.strictObject({ session: z.uuid().nullable(), step: z.enum(STEP_IDS) });
export type Place = z.infer<typeof Place>;
const ProfileEntry = z.strictObject({ id: z.string(), title: z.string() });
/** One line of a chart: times in seconds of the box's monotonic clock, and a value for each. */
export const SampleLine = z.strictObject({
  series: z.string(),
  field: z.string(),
  mono: z.instanceof(Float64Array),
  value: z.instanceof(Float64Array),
});
export type SampleLine = z.infer<typeof SampleLine>;
/** Public halves and names only. */
const Access = z.strictObject({
  users: z.array(z.strictObject({ name: z.string(), uid: z.number().int(), shell: z.string() })),
  keys: ReportKeys.nullable(),
});
const ReportFile = z.strictObject({
  html: z.string(),
  /** As this laptop's clock had it. */
  made: z.string(),
});
const Ended = z.strictObject({ outcome: z.string() });

export const calls = {
  'app.info': { input: nothing, output: AppInfo },
  /** Why nothing can be recorded for as long as this window is open; null where all is well. */
  'app.problem': { input: nothing, output: ErrorReply.nullable() },
  'boxes.list': { input: nothing, output: z.array(BoxCard) },
  /** Looks for boxes on the wired interfaces; takes a few seconds. */
  'boxes.find': { input: nothing, output: z.array(FoundBox) },
  'boxes.create': { input: NewBox, output: inSession },
  /** A practice box of this app's own: a session that is marked as practice everywhere. */
  'practice.faults': {
    input: nothing,
    output: z.array(z.strictObject({ id: z.string(), title: z.string() })),
  },
  /** What stands on the practice box's console: its fingerprint, user and first password. Null for a real box. */
  'practice.console': {
    input: inSession,
    output: z.strictObject({ fingerprint: z.string(), user: z.string(), password: z.string() }).nullable(),
  },
  'boxes.practice': {
    // A practice box has no live system.
    input: z.strictObject({ fault: z.string().nullable(), path: z.enum(['provision', 'flash']) }),
    output: inSession,
  },
  'profiles.list': { input: nothing, output: z.array(ProfileEntry) },
  'agent.keys': { input: nothing, output: z.array(AgentKey) },

  /** Public keys out of a file or out of pasted text. */
  'keys.public': {
    input: z.discriminatedUnion('from', [
      z.strictObject({ from: z.literal('file'), path: z.string().min(1) }),
      z.strictObject({ from: z.literal('text'), text: z.string().min(1) }),
    ]),
    output: z.array(PublicKey),
  },
  /** Where the window was when the app was last closed or killed. */
  'place.last': { input: nothing, output: Place.nullable() },
  'place.keep': { input: Place, output: nothing },

  'box.state': { input: inSession, output: BoxState },
  /** Address, user or profile before Keys; the address at any time. */
  'box.change': {
    input: z.strictObject({
      session,
      host: z.string(),
      port: z.number().int(),
      user: z.string(),
      profile: z.string(),
    }),
    output: BoxState,
  },
  /** Logs in and pins the host key, which is asked about by the notice `hostKey`. */
  'box.connect': { input: z.strictObject({ session, login: LoginChoice }), output: BoxState },
  'box.inspect': {
    input: z.strictObject({ session, sudoPassword: secret.optional(), setClock: z.boolean() }),
    output: BoxState,
  },
  'box.keys': {
    input: z.strictObject({
      session,
      choice: KeyChoice,
      newSudoPassword: secret.optional(),
      customerKeys: z.array(z.string()),
      uid: z.enum(['keep', 'swap']).nullable(),
    }),
    output: BoxState,
  },
  'box.plan': {
    input: z.strictObject({ session, layers: z.array(z.number().int()).min(1), bundle: z.string().min(1) }),
    output: Run,
  },
  /** These five answer when the run ended; what happens meanwhile comes as notices. */
  'box.provision': {
    input: z.strictObject({ session, layers: z.array(z.number().int()).min(1), bundle: z.string().min(1) }),
    output: Ended,
  },
  'box.check': {
    input: z.strictObject({ session, layers: z.array(z.number().int()).min(1) }),
    output: Ended,
  },
  'box.validate': {
    input: ValidateOrder,
    output: Ended,
  },
  /** What feeds the box, as the engineer read it off socket and breaker; kept with the box. */
  'box.supply': {
    input: Supply.pick({ volts: true, amperes: true }).extend({ session }),
    output: BoxState,
  },
  'box.resume': { input: inSession, output: Ended },
  'box.cancel': { input: inSession, output: nothing },
  'box.waive': {
    input: z.strictObject({
      session,
      check: z.string(),
      name: z.string(),
      reason: z.string(),
      remove: z.boolean(),
    }),
    output: BoxState,
  },
  /** Every result of a check that the journal has, the newest first. */
  'box.attempts': {
    input: z.strictObject({ session, check: z.string() }),
    output: z.array(CheckAttempt),
  },
  /**
   * Meets the system that was flashed: reboots the box out of its live system, waits for the host key that was written, proves key and sudo
   * password, then does what `box.prove` does. Answers at its end. `key` null: the one of the first-boot settings; `address` null: where
   * those say, or where the live system was.
   */
  'box.meet': {
    input: z.strictObject({
      session,
      key: PresentKey.nullable(),
      address: Address.nullable(),
      sudoPassword: secret.optional(),
      passphrase: secret.optional(),
    }),
    output: BoxState,
  },
  /** Waits no longer for it. */
  'box.stopMeeting': { input: inSession, output: nothing },
  /** Looks at the machine anew, and runs the health checks of the layers that its image has. */
  'box.prove': { input: inSession, output: BoxState },
  'box.forgetHostKey': { input: inSession, output: BoxState },
  'box.report': {
    input: z.strictObject({ session, folder: z.string().nullable() }),
    output: z.strictObject({ html: z.string(), json: z.string(), folder: z.string() }),
  },
  /** Those in the app's own folder for reports, newest first. */
  'box.reports': {
    input: inSession,
    output: z.strictObject({ folder: z.string(), files: z.array(ReportFile) }),
  },
  /** Who can log in: users with a shell as preflight found them, and the keys that the app installed. */
  'box.access': { input: inSession, output: Access },
  /** Asks the box whether it takes the customer's keys, or logs in with the private half of one. */
  'box.proveCustomer': {
    input: z.strictObject({ session, key: KeyFile.nullable() }),
    output: Access,
  },
  /** Kept with the box, so that a report made again says the same. */
  'box.handover': { input: z.strictObject({ session, ...Handover.shape }), output: BoxState },
  /** The hand-over archive; `folder` null is the app's own for reports, `sign` null leaves it unsigned. */
  'box.archive': {
    input: z.strictObject({
      session,
      folder: z.string().nullable(),
      sign: KeyFile.nullable(),
      /** What report.pdf is printed on. */
      paper: z.enum(['A4', 'Letter']),
    }),
    output: z.strictObject({
      zip: z.string(),
      signature: z.string().nullable(),
      /** Why report.pdf is not in it; null where it is. */
      noPdf: z.string().nullable(),
      folder: z.string(),
      sha256: z.string(),
    }),
  },
  /** The report's page as it would be exported now: to be shown where no script runs and nothing is loaded. */
  'box.preview': { input: inSession, output: z.string() },
  /** Writes the page that verifies without the app, with the keys that are trusted here; `folder` null is the app's own for reports. */
  'report.verifyPage': {
    input: z.strictObject({ folder: z.string().nullable() }),
    output: z.strictObject({ path: z.string(), folder: z.string() }),
  },
  'report.verify': { input: z.strictObject({ path: z.string().min(1) }), output: Verification },
  /** Which bundle folder was used last; null for none. */
  'box.bundle': { input: inSession, output: z.string().nullable() },

  /** Looks at an image and what lies beside it; reads none of its data. */
  'flash.image': { input: z.strictObject({ path: z.string().min(1) }), output: ImageLook },
  /** Disks of this laptop as they are now, judged for the image. The next change of them is told by the notice `disks`, once. */
  'flash.disks': { input: z.strictObject({ session, image: z.string().nullable() }), output: DiskList },
  /** Kept, so that a window that comes back has it; nothing is written to a disk. First-boot settings are kept when they are used. */
  'flash.choose': { input: z.strictObject({ session, choice: FlashChoice }), output: BoxState },
  /**
   * Erases the disk with this serial and writes the image to it; `typed`: the end of the serial, as the engineer read it on the label. Answers
   * when it has begun: how it goes on is in its log, and told by the notice `flash`.
   */
  'flash.start': {
    input: z.strictObject({
      session,
      image: z.string().min(1),
      serial: z.string().min(1),
      typed: z.string().max(64),
      /** Null: the image is left as it is. */
      firstBoot: z
        .strictObject({
          choice: FirstBootChoice,
          sudoPassword: secret,
          /** Of the key, or for the one that is made. */
          passphrase: secret.optional(),
        })
        .nullable(),
    }),
    output: BoxState,
  },
  /** Answers at once; its end is in its log. */
  'flash.cancel': { input: inSession, output: nothing },

  ...imageCalls,

  /**
   * Lines of an attempt's log from `after` on. Without `samples` those are left out but for the newest line, which tells how
   * far the log goes: a day of them is most of the log, and charts ask for them by `job.samples`.
   */
  'job.lines': {
    input: z.strictObject({
      session: JobOwner,
      job: z.uuid(),
      attempt: z.number().int(),
      after: z.number().int().nonnegative(),
      limit: z.number().int().min(1).max(5_000),
      samples: z.boolean(),
    }),
    output: z.strictObject({
      lines: z.array(z.string()),
      /** Rows of samples in the whole log as it is now. */
      sampleRows: z.number().int().nonnegative(),
    }),
  },
  /**
   * Lines for charts, at most `points` points each: the lowest and the highest of each stretch of the window. A field that
   * the hardware does not report has no line.
   */
  'job.samples': {
    input: z.strictObject({
      job: z.uuid(),
      attempt: z.number().int(),
      fields: z.array(z.string()).min(1).max(64),
      points: z.number().int().min(2).max(20_000),
      from: z.number().nullable(),
      to: z.number().nullable(),
    }),
    output: z.array(SampleLine),
  },

  /** Writes every sample of an attempt as CSV into the folder; gives the paths. */
  'job.csv': {
    input: z.strictObject({ session, job: z.uuid(), attempt: z.number().int(), folder: z.string().min(1) }),
    output: z.array(z.string()),
  },

  /** An answer to a notice `ask` or `hostKey`; null refuses. */
  'ask.answer': { input: z.strictObject({ ask: z.uuid(), value: z.string().nullable() }), output: nothing },

  /** A path that the person picked, or null. */
  'pick.file': {
    input: z.strictObject({
      what: z.enum(['privateKey', 'publicKey', 'signingKey', 'report', 'image', 'base', 'iso']),
    }),
    output: z.string().nullable(),
  },
  'pick.folder': {
    input: z.strictObject({ what: z.enum(['bundle', 'report', 'imageSet', 'imageOut', 'work', 'project']) }),
    output: z.string().nullable(),
  },
  'open.path': { input: z.strictObject({ path: z.string() }), output: nothing },

  /** The bytes then go over a port of their own, see preload/contract/terminal.ts. */
  'terminal.open': {
    input: z.strictObject({
      where: z.enum(['box', 'laptop']),
      session: z.uuid().nullable(),
      columns: z.number().int().min(2).max(1000),
      rows: z.number().int().min(1).max(1000),
    }),
    output: z.strictObject({ terminal: z.uuid() }),
  },
} as const;

export type Calls = typeof calls;
export type CallName = keyof Calls;
export type CallInput<K extends CallName> = z.infer<Calls[K]['input']>;
export type CallOutput<K extends CallName> = z.infer<Calls[K]['output']>;
