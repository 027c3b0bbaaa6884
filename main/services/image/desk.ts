/** Builds of golden images as the window begins and ends them: one at a time, in a process of its own that is root. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError, asAppError, type ErrorReply } from '../../../preload/contract/errors.ts';
import type { ImageDeskState } from '../../../preload/contract/image-desk.ts';
import {
  IMAGE_DEFAULTS,
  type ImageOrderInput,
  type ShownOrder,
} from '../../../preload/contract/image-order.ts';
import { ENDED, JobSpec } from '../../../preload/contract/job.ts';
import { forWindow } from '../../../preload/contract/window-actions.ts';
import { LAPTOP } from '../../journal/journal.ts';
import { reconcileLocal } from '../../journal/localjob.ts';
import type { App } from '../app.ts';
import type { SecretKey } from '../archive/minisign.ts';
import { keyId } from '../archive/signature.ts';
import { openSigningKey } from '../archive/signing.ts';
import { launchPkexec, launchPlain, launchSudo, rootWay } from '../flash/launch.ts';
import type { Launch, WriterProcess } from '../flash/writer.ts';
import { productRoot } from '../paths.ts';
import { DEFAULT_PROFILE } from '../profiles.ts';
import { Secrets, type AskSecret } from '../secrets.ts';
import { imageBuilds } from './history.ts';
import { checkOrder, stem } from './order.ts';
import { FromBuild, wireKey, type ToBuild } from './wire.ts';

export interface TellImage {
  /** Builds stand otherwise. */
  changed: () => void;
  /** Whether one is on its way: the machine must not go to sleep. */
  busy: (on: boolean) => void;
}

/** The program that builds, as it is started; or why there is none in this app. */
export type Builder = { argv: readonly string[] } | { whyNot: string };

interface Running {
  image: string;
  since: string;
  /** Null until its first job. */
  build: string | null;
  /** Null until it is root. */
  process: WriterProcess | null;
  abort: AbortController;
  stopping: boolean;
}

type Root = ImageDeskState['root'];

/** Null where nothing can become root. */
function rootHere(): Root {
  try {
    return rootWay();
  } catch {
    return null;
  }
}

export class ImageDesk {
  readonly #app: App;
  readonly #tell: TellImage;
  readonly #builder: Builder;
  readonly #secrets: Secrets;
  #running: Running | null = null;
  #error: ErrorReply | null = null;
  #closed = false;

  /** `ask`: for the password of sudo here, where it wants one. */
  constructor(app: App, tell: TellImage, builder: Builder, ask: AskSecret) {
    this.#app = app;
    this.#tell = tell;
    this.#builder = builder;
    this.#secrets = new Secrets(ask);
  }

  /** The process that builds ends in order, once it reads that nobody speaks to it any more; its stage is lost with the record of its end. */
  close(): void {
    this.#closed = true;
    const running = this.#running;
    if (!running) return;
    running.abort.abort(new Error('the app ends'));
    running.process?.stdin.end();
    const { journal } = this.#app;
    for (const { kind, job, attempt, state, spec } of journal.jobs(LAPTOP))
      if (kind === 'image' && spec.params['build'] === running.build && !ENDED.includes(state))
        journal.markLost(job, attempt, 'the app was closed.');
  }

  /** What closing the app would end, in a sentence; null where nothing. */
  loss(): string | null {
    if (!this.#running) return null;
    const { image, build } = this.#running;
    const run = imageBuilds(this.#app.journal).find((one) => one.build === build);
    const stage = run?.stages.find(({ state }) => state === 'running');
    const where = stage ? ` in ${stage.stage} ${stage.title}` : '';
    return `The build of ${image} is stopped${where}. Stages that have passed are kept; the same build, begun again, goes on with the one that was running.`;
  }

  /** Work folder, set's folder and project of an order that names none. */
  #folders({
    name,
    version,
    work,
    out,
    project,
  }: Pick<ImageOrderInput, 'name' | 'version' | 'work' | 'out' | 'project'>) {
    const at = resolve(work ?? join(this.#app.home, 'images'));
    return {
      work: at,
      out: resolve(out ?? join(at, 'sets', stem({ name, version }))),
      project: resolve(project ?? productRoot()),
    };
  }

  state(): ImageDeskState {
    const root = rootHere();
    const running = this.#running;
    const { work, project } = this.#folders({ ...IMAGE_DEFAULTS, work: null, out: null, project: null });
    return {
      ...{ root, whyNot: this.#whyNot(root), error: this.#error },
      running: running && {
        ...{ image: running.image, since: running.since, build: running.build, stopping: running.stopping },
      },
      builds: imageBuilds(this.#app.journal).map((one) => ({
        ...one,
        // Between two of its stages it is on its way all the same.
        ...(one.build === running?.build ? { state: 'running' as const, goesOnWith: null } : {}),
        stages: one.stages.map((stage) => ({ ...stage, error: stage.error && forWindow(stage.error) })),
      })),
      defaults: { ...IMAGE_DEFAULTS, profile: DEFAULT_PROFILE, work, project },
    };
  }

  #whyNot(root: Root): string | null {
    if ('whyNot' in this.#builder) return this.#builder.whyNot;
    if (process.platform !== 'linux') return 'Images are built on Linux.';
    return root === null ? new AppError('image_root_missing').message : null;
  }

  /**
   * Begins. Resolves once the process that builds has the order. Errors: image_not_here, image_build_busy, image_order_bad, image_root_*,
   * those of the signing key.
   */
  async start(given: ImageOrderInput): Promise<void> {
    const builder = this.#builder;
    const why = this.#whyNot(rootHere());
    if ('whyNot' in builder || why !== null) throw new AppError('image_not_here', { detail: why ?? '' });
    const folders = this.#folders(given);
    if (this.#running) throw new AppError('image_build_busy', { path: folders.work });
    const { sign, bundle, source, ...rest } = given;
    const key = sign && (await openSigningKey(resolve(sign.path), this.#given(sign.passphrase)));
    const order: ShownOrder = {
      ...{ ...rest, ...folders, bundle: bundle === null ? null : resolve(bundle) },
      source: { ...source, path: resolve(source.path) },
      signerId: key && keyId(key.id),
    };
    checkOrder({ ...order, signer: null });
    if (this.#running) throw new AppError('image_build_busy', { path: folders.work });
    const image = stem(order);
    const running: Running = {
      ...{ image, since: new Date().toISOString(), build: null, process: null, stopping: false },
      abort: new AbortController(),
    };
    this.#set(running);
    this.#error = null;
    try {
      ownFolders(order);
      running.process = await this.#launch(builder.argv)(running.abort.signal);
    } catch (error) {
      this.#set(null);
      if (running.stopping) return;
      // One that was refused is not tried again: it is asked for the next time.
      this.#secrets.forget('laptopPassword');
      throw rootError(error);
    }
    this.#follow(running, running.process);
    this.#speak(running, this.#message(order, key));
  }

  /** Only for this one build: a passphrase is not kept. */
  #given(passphrase: string | undefined): Secrets {
    return new Secrets(
      () => Promise.resolve(null),
      passphrase === undefined ? {} : { signingPassphrase: passphrase },
    );
  }

  #launch(argv: readonly string[]): Launch {
    const given = [...argv];
    switch (rootWay()) {
      case 'plain':
        return launchPlain(given);
      case 'pkexec':
        return launchPkexec(given);
      case 'sudo':
        return launchSudo(
          () => this.#secrets.need('laptopPassword', `${this.#app.laptop.user} on this machine`),
          given,
        );
    }
  }

  #message(order: ShownOrder, key: SecretKey | null): ToBuild {
    const { journal, laptop, version } = this.#app;
    reconcileLocal(journal);
    const rows = journal
      .jobs(LAPTOP)
      .filter(({ kind, spec }) => kind === 'image' && spec.params['work'] === order.work);
    const last = rows.at(-1);
    const open = last && last.state !== 'passed' ? last.spec.params['build'] : null;
    const attempts = rows
      .filter(({ spec }) => open !== null && spec.params['build'] === open)
      .map(({ job, attempt }) => journal.specBytes(job, attempt).toString('base64'));
    return { is: 'build', order, key: key && wireKey(key), laptop, app: version, attempts };
  }

  #speak({ process }: Running, message: ToBuild): void {
    process?.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #set(running: Running | null): void {
    this.#running = running;
    this.#tell.busy(running !== null);
    this.#tell.changed();
  }

  #follow(running: Running, process: WriterProcess): void {
    let told: Exclude<FromBuild, { is: 'lines' }> | null = null;
    const lines = createInterface({ input: process.stdout });
    const read = new Promise<void>((resolved) => lines.once('close', resolved));
    lines.on('line', (line) => {
      if (this.#closed) return;
      try {
        const message = FromBuild.parse(JSON.parse(line));
        if (message.is === 'lines') this.#store(running, message);
        else told = message;
      } catch (error) {
        // What cannot be stored ends the build: without its record it is worth nothing.
        this.#error ??= forWindow(asAppError(error).toReply());
        process.stdin.end();
      }
    });
    void Promise.all([process.ended, read]).then(([{ code, stderr }]) => {
      if (this.#closed) return;
      if (told?.is === 'failed') this.#failed(told);
      else if (told === null)
        this.#error ??= forWindow(
          new AppError('image_build_gone', {
            detail: stderr.trim().split('\n').at(-1) || `it ended with ${code}.`,
          }).toReply(),
        );
      // Jobs of it that did not end are lost with it.
      reconcileLocal(this.#app.journal);
      this.#set(null);
    });
  }

  #failed({ code, facts, detail }: Extract<FromBuild, { is: 'failed' }>): void {
    // A stage that failed says so where it stands.
    if (code === 'image_stage_failed') return;
    this.#error ??= forWindow({ ...new AppError(code, facts).toReply(), detail });
  }

  #store(running: Running, { job, attempt, spec, lines }: Extract<FromBuild, { is: 'lines' }>): void {
    const { journal } = this.#app;
    if (spec !== null) {
      const bytes = Buffer.from(spec, 'base64');
      const parsed = JobSpec.parse(JSON.parse(bytes.toString('utf8')));
      journal.createAttempt(LAPTOP, parsed, bytes);
      running.build = String(parsed.params['build']);
    }
    journal.append(
      job,
      attempt,
      lines.map((line) => Buffer.from(line)),
    );
  }

  /** The stage that runs ends in order; nothing is done where none runs any more. */
  stop(): void {
    const running = this.#running;
    if (!running) return;
    running.stopping = true;
    if (running.process) this.#speak(running, { is: 'stop' });
    else running.abort.abort(new Error('it was stopped'));
    this.#tell.changed();
  }
}

/** Folders that are to be the person's, before root makes them root's. What cannot be made here, root makes. */
function ownFolders({ work, out }: ShownOrder): void {
  for (const [path, mode] of [
    [work, 0o700],
    [dirname(out), 0o755],
  ] as const)
    try {
      if (!existsSync(path)) mkdirSync(path, { recursive: true, mode });
    } catch {
      continue;
    }
}

/** The launcher's words are those of a flash. */
function rootError(error: unknown): AppError {
  const known = asAppError(error);
  if (known.code === 'flash_root_missing') return new AppError('image_root_missing', {}, error);
  if (known.code === 'flash_root_refused')
    return new AppError('image_root_refused', { detail: known.facts['detail'] ?? '' }, error);
  return known;
}
