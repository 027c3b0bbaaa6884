/** Serves a site bundle to the box through the SSH connection: an HTTP server that listens nowhere (docs/adr/0005-bundle.md). */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import type { Connection } from './connection.ts';

export interface ServedBundle {
  readonly manifestBytes: Buffer;
  /** Bytes from `start` to `end`, both included. */
  open(sha256: string, start: number, end: number): Readable;
  /** Null when the bundle has no such file. */
  size(sha256: string): number | null;
}

interface Range {
  start: number;
  end: number;
}

/** A single `bytes=` range; null when there is none to obey, 'outside' when it begins past the end. */
function parseRange(header: string | undefined, size: number): Range | null | 'outside' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (!match[1] && !match[2])) return null;
  if (!match[1]) {
    const last = Number(match[2]);
    return last === 0 || size === 0 ? 'outside' : { start: Math.max(0, size - last), end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  if (match[2] && Number(match[2]) < start) return null;
  return start >= size ? 'outside' : { start, end };
}

const digest = (text: string) => createHash('sha256').update(text).digest();

export class BundleTunnel {
  /** For this job only; reaches the box in a file, never in an argument. */
  readonly token: string;
  readonly #bundle: ServedBundle;
  readonly #expected: Buffer;
  readonly #server: Server;
  readonly #channels = new Set<Duplex>();
  #bytes = 0;
  #requests = 0;
  #refused = 0;

  constructor(bundle: ServedBundle, token: string = randomBytes(32).toString('base64url')) {
    this.#bundle = bundle;
    this.token = token;
    this.#expected = digest(`Bearer ${token}`);
    this.#server = createServer((request, response) => this.#answer(request, response));
    // The box asks when it likes; a connection costs one channel, and dies with the link.
    this.#server.keepAliveTimeout = 0;
    this.#server.on('clientError', (_error, socket: Duplex) => socket.destroy());
  }

  /** Content bytes handed out, requests answered, requests refused for their token. */
  get served(): { bytes: number; requests: number; refused: number } {
    return { bytes: this.#bytes, requests: this.#requests, refused: this.#refused };
  }

  /** Opens the way in on this connection. After a reconnect: attach again, and write the new port to the box. */
  attach(conn: Connection): Promise<{ port: number; close(): void }> {
    return conn.reverseForward((channel) => this.accept(channel));
  }

  /** Takes one connection that is open already. */
  accept(channel: Duplex): void {
    this.#channels.add(channel);
    channel.once('close', () => this.#channels.delete(channel));
    this.#server.emit('connection', channel);
  }

  close(): void {
    for (const channel of this.#channels) channel.destroy();
    this.#channels.clear();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Hashes have one length, so the comparison takes one time whatever was sent.
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), this.#expected)) {
      this.#refused += 1;
      return this.#plain(response, 401, { 'WWW-Authenticate': 'Bearer' });
    }
    this.#requests += 1;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return this.#plain(response, 405, { Allow: 'GET, HEAD' });
    const path = request.url ?? '';
    if (path === '/manifest.json') {
      const { manifestBytes } = this.#bundle;
      return this.#send(request, response, manifestBytes.length, 'application/json', (start, end) =>
        manifestBytes.subarray(start, end + 1),
      );
    }
    const sha256 = /^\/files\/([0-9a-f]{64})$/.exec(path)?.[1];
    const size = sha256 === undefined ? null : this.#bundle.size(sha256);
    if (sha256 === undefined || size === null) return this.#plain(response, 404);
    this.#send(request, response, size, 'application/octet-stream', (start, end) =>
      this.#bundle.open(sha256, start, end),
    );
  }

  #plain(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
    response.writeHead(status, { 'Content-Length': 0, ...headers });
    response.end();
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    size: number,
    type: string,
    open: (start: number, end: number) => Buffer | Readable,
  ): void {
    const range = parseRange(request.headers.range, size);
    if (range === 'outside') return this.#plain(response, 416, { 'Content-Range': `bytes */${size}` });
    const { start, end } = range ?? { start: 0, end: size - 1 };
    response.writeHead(range ? 206 : 200, {
      'Content-Type': type,
      'Content-Length': end - start + 1,
      'Accept-Ranges': 'bytes',
      ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === 'HEAD' || size === 0) {
      response.end();
      return;
    }
    const body = open(start, end);
    if (Buffer.isBuffer(body)) {
      this.#bytes += body.length;
      response.end(body);
      return;
    }
    // A file that breaks off breaks the connection off: the box sees too few bytes, never a whole answer.
    pipeline(body, this.#counted(end - start + 1), response, (error) => {
      if (error) response.destroy();
    });
  }

  /** Counts what passes. A file that became shorter ends like any other; the box would wait for the rest for ever. */
  #counted(length: number): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
    const count = (n: number) => (this.#bytes += n);
    return async function* (source) {
      let left = length;
      for await (const data of source) {
        left -= data.length;
        count(data.length);
        yield data;
      }
      if (left > 0) throw new Error(`the file ended ${left} bytes too early`);
    };
  }
}
