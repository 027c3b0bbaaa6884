/** Starts a job on the box, or joins it where it runs already (docs/adr/0002-job-mechanism.md, Start). */
import { z } from 'zod';
import { AppError } from '../../preload/contract/errors.ts';
import { shellQuote, type Connection } from './connection.ts';
import { runAsRoot } from './sudo.ts';
import { upload } from './upload.ts';

export interface StartOptions {
  /** The app's code for the box, one tar, and its SHA-256 in hex. */
  tar: Buffer;
  tarSha256: string;
  /** spec.json as bytes; no secret in it. */
  spec: Buffer;
  specSha256: string;
  /** Text of resources/box/vcbox/stage0.py. */
  stage0: string;
  sudoPassword?: string | undefined;
  /** Further arguments of stage0: other base folders, for tests. */
  options?: readonly string[] | undefined;
}

export interface StartedJob {
  /** True when the job ran already under this id and with these orders. */
  joined: boolean;
  /** The attempt's folder on the box. */
  dir: string;
  unit: string;
}

const UPLOADS = '~/.cache/vault-cube/upload';
/** stage0 waits up to 30 s for the runner's first event and up to 10 s for the end of the job before. */
const START_TIMEOUT_MS = 120_000;

const Answer = z.union([
  z.looseObject({ ok: z.literal(true), joined: z.boolean(), dir: z.string().min(1), unit: z.string() }),
  z.looseObject({ ok: z.literal(false), code: z.string(), detail: z.string() }),
]);
type Refusal = Extract<z.infer<typeof Answer>, { ok: false }>;

/** Another job's title, user and laptop, from stage0's sentence about the holder of the box's lock. */
function holder(detail: string): Record<string, string> {
  const match = /works on (['"])(.*)\1, started by (.*) on (.*) \(job /.exec(detail);
  const [, , title = 'a job', user = 'somebody', laptop = 'another laptop'] = match ?? [];
  // The title stands there as Python quotes it.
  return { title: title.replaceAll(/\\(['\\])/g, '$1'), user, laptop };
}

function refusal({ code, detail }: Refusal, options: StartOptions): AppError {
  switch (code) {
    case 'box_busy':
      return new AppError('box_busy', holder(detail));
    case 'job_conflict':
      return new AppError('job_conflict', {
        job: /job ([0-9a-f-]{36})/.exec(detail)?.[1] ?? options.specSha256.slice(0, 12),
      });
    case 'box_disk_full':
      return new AppError('box_disk_full', { detail });
    case 'systemd_missing':
      return new AppError('systemd_missing');
    default:
      // `runner_not_started` with a full disk says so in its detail only.
      return /no space left on device/i.test(detail)
        ? new AppError('box_disk_full', { detail })
        : new AppError('box_unreadable', { detail: `${code}: ${detail}` });
  }
}

function parseAnswer(stdout: string): z.infer<typeof Answer> | null {
  try {
    return Answer.safeParse(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).data ?? null;
  } catch {
    return null;
  }
}

/** Where stage0 unpacks to, unless the options name another base. */
function codeFolder({ tarSha256, options = [] }: StartOptions): string {
  const at = options.indexOf('--opt');
  return `${at >= 0 ? (options[at + 1] ?? '') : '/opt/vault-cube'}/box/${tarSha256}`;
}

/**
 * Uploads what is missing and starts the job. Safe to repeat: the same id with the same orders joins.
 * Errors: box_busy, job_conflict, box_disk_full, systemd_missing, box_unreadable, link_lost, and those of runAsRoot.
 */
export async function startJob(conn: Connection, options: StartOptions): Promise<StartedJob> {
  const { tarSha256, specSha256, stage0, sudoPassword } = options;
  const there = await conn.exec(shellQuote(['test', '-f', `${codeFolder(options)}/vcbox/__main__.py`]));
  // stage0 opens the tar only where its code is not unpacked yet.
  const tar = there.code === 0 ? null : await upload(conn, options.tar, `${UPLOADS}/${tarSha256}.tar`, 0o600);
  const spec = await upload(conn, options.spec, `${UPLOADS}/${specSha256}.json`, 0o600);
  const argv = ['python3', '-I', '-c', stage0, tar?.path ?? '/dev/null', tarSha256, spec.path, specSha256];
  const run = await runAsRoot(conn, [...argv, ...(options.options ?? [])], {
    sudoPassword,
    timeoutMs: START_TIMEOUT_MS,
  });
  const answer = parseAnswer(run.stdout.toString('utf8'));
  if (!answer) {
    const said = run.stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
    throw new AppError('box_unreadable', {
      detail: `stage0 ended with status ${run.code ?? 'none'}: ${said}`,
    });
  }
  if (!answer.ok) throw refusal(answer, options);
  // Both are copied by now; a failure to remove them costs nothing but room.
  await conn.exec(shellQuote(['rm', '-f', spec.path, ...(tar ? [tar.path] : [])]));
  return { joined: answer.joined, dir: answer.dir, unit: answer.unit };
}
