/**
 * A practice box's fetch: reads the bundle that the app really serves, through the tunnel, and compares every hash. The log that
 * is replayed beside it tells of the bundle of the recorded run.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { BundleManifest } from '../../../preload/contract/bundle.ts';
import { FetchFailed, type Replay } from './replay.ts';

const Source = z.object({ port: z.number().int(), token: z.string() });
const Orders = z.looseObject({ manifestSha256: z.string(), sets: z.array(z.string()) });

/** Opens a connection to a port that an app forwards on this box; null when none does. */
export type OpenForward = (port: number) => Promise<Duplex> | null;

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function hashOf(answer: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  for await (const data of answer) hash.update(data as Buffer);
  return hash.digest('hex');
}

function source(job: Replay): z.infer<typeof Source> | null {
  try {
    return Source.parse(JSON.parse(readFileSync(join(job.dir, 'control/source.json'), 'utf8')));
  } catch {
    return null;
  }
}

function get(channel: Duplex, path: string, token: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, Connection: 'close' };
    const ask = request({ createConnection: () => channel, path, headers, signal }, (answer) => {
      if (answer.statusCode === 200) return resolve(answer);
      reject(new FetchFailed('bundle_corrupt', `The app answered ${answer.statusCode} for ${path}.`));
    });
    ask.once('error', reject);
    ask.end();
  });
}

/** Waits for the source as long as it is away, as the real job does. Rejects with FetchFailed for a bundle that is not the ordered one. */
export async function fetchBundle(job: Replay, open: OpenForward, signal: AbortSignal): Promise<void> {
  const { manifestSha256, sets } = Orders.parse(job.spec.params);
  /** The source that failed last: only another one, after a reconnect, is asked. */
  let failed: number | null = null;
  const read = async <T>(path: string, take: (answer: IncomingMessage) => Promise<T>): Promise<T> => {
    for (;;) {
      signal.throwIfAborted();
      const usable = () => {
        const port = source(job)?.port;
        return port !== undefined && port !== failed;
      };
      await job.waitFor('source', 'the app has not opened its tunnel yet', 'control', usable, signal);
      const now = source(job);
      if (!now) continue;
      try {
        const channel = await open(now.port);
        if (channel) return await take(await get(channel, path, now.token, signal));
      } catch (error) {
        if (error instanceof FetchFailed || signal.aborted) throw error;
      }
      failed = now.port;
    }
  };
  const bytes = await read('/manifest.json', buffer);
  if (sha256(bytes) !== manifestSha256)
    throw new FetchFailed('bundle_corrupt', 'The manifest is not the one that was ordered.');
  const manifest = BundleManifest.parse(JSON.parse(bytes.toString('utf8')));
  const wanted = new Set(sets.flatMap((set) => manifest.sets[set] ?? []));
  for (const file of manifest.files.filter(({ path }) => wanted.has(path))) {
    if ((await read(`/files/${file.sha256}`, hashOf)) !== file.sha256)
      throw new FetchFailed('bundle_corrupt', `${file.path} arrived with another SHA-256.`);
  }
}
