/**
 * What a connected machine reaches, on loopback: a signed flat repository of stand-in packages and a package index of stand-in
 * wheels. Counts what it served, and can stop in the middle of a file.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { signRepository } from '../../main/services/bundle/repository.ts';
import { wheelName } from '../../main/services/bundle/locks.ts';
import { makeFrameworks } from '../rig/frameworks.ts';
import { buildDebs, makeNvidia } from '../rig/nvidia.ts';

/** Large beside the other packages, so that it can be cut in two. */
const LARGE_BYTES = 600_000;
export const LARGE = 'dkms_3.0.11-1_amd64.deb';

interface Served {
  status: number;
  from: number;
  bytes: number;
  whole: boolean;
}

export class Site {
  readonly dir: string;
  readonly #server: Server;
  /** By file name, one for each answer whose body was begun. */
  readonly served = new Map<string, Served[]>();
  #stall: { name: string; reached: () => void } | null = null;

  private constructor(dir: string) {
    this.dir = dir;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Makes packages and wheels below `dir` and serves them. */
  static async open(dir: string): Promise<Site> {
    const repo = join(dir, 'repo');
    mkdirSync(repo);
    await makeNvidia(repo);
    const text = randomBytes(LARGE_BYTES / 2).toString('hex');
    await buildDebs(repo, [
      {
        name: 'dkms',
        version: '3.0.11-1',
        depends: 'dctrl-tools',
        files: { 'usr/share/doc/dkms/large': { text } },
      },
      { name: 'dctrl-tools', version: '2.24-3' },
      // Newer than the profile's series: the profile decides, not the newest.
      { name: 'nvidia-open-580', version: '590.10-1' },
    ]);
    const labels = { Origin: 'test', Label: 'stand-in', Suite: 'noble', Codename: 'noble' };
    await signRepository(repo, labels, 'A test (stand-in)');
    await makeFrameworks(join(dir, 'frameworks'));
    const site = new Site(dir);
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve));
    const sources = `deb [signed-by=${join(repo, 'key.gpg')}] ${site.url}/repo ./\n`;
    writeFileSync(join(dir, 'site.list'), sources);
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Options of `bundle build` and an environment that reach this and nothing else. */
  get options(): string[] {
    return ['--sources', join(this.dir, 'site.list'), '--locks', join(this.dir, 'frameworks')];
  }
  get env(): NodeJS.ProcessEnv {
    const none = {
      http_proxy: '',
      HTTP_PROXY: '',
      https_proxy: '',
      PIP_FIND_LINKS: '',
      PIP_EXTRA_INDEX_URL: '',
    };
    return {
      ...none,
      PIP_INDEX_URL: `${this.url}/simple`,
      PIP_NO_CACHE_DIR: '1',
      PIP_CONFIG_FILE: '/dev/null',
    };
  }

  /** The next answer with this file ends in its middle and stays open; resolves when it is there. */
  stallAt(name: string): Promise<void> {
    return new Promise((reached) => {
      this.#stall = { name, reached };
    });
  }

  /** Packages and wheels of which anything was served, each with its answers. */
  payload(): Map<string, Served[]> {
    return new Map([...this.served].filter(([name]) => /\.(deb|whl)$/.test(name)));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url ?? '/', this.url).pathname);
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    if (project !== undefined) {
      const wheels = readdirSync(join(this.dir, 'frameworks')).filter((f) => wheelName(f)?.name === project);
      const links = wheels.map((f) => `<a href="${this.url}/frameworks/${f}">${f}</a>`);
      response.writeHead(links.length ? 200 : 404, { 'Content-Type': 'text/html' });
      response.end(`<!DOCTYPE html><html><body>${links.join('\n')}</body></html>`);
      return;
    }
    const file = join(this.dir, path.replaceAll('..', ''));
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    this.#send(request, response, file, stat.mtime);
  }

  #send(request: IncomingMessage, response: ServerResponse, file: string, changed: Date): void {
    const bytes = readFileSync(file);
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = bytes.subarray(from);
    const range = from ? { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
    const headers = { 'Last-Modified': changed.toUTCString(), 'Content-Length': body.length, ...range };
    const name = basename(file);
    const told: Served = { status: from ? 206 : 200, from, bytes: 0, whole: false };
    const stall = this.#stall?.name === name ? this.#stall : null;
    const sent = stall ? body.subarray(0, Math.ceil(body.length / 2)) : body;
    response.writeHead(told.status, headers);
    // An answer that waits behind another one of the same connection has not begun.
    response.write(sent, () => {
      told.bytes = sent.length;
      this.served.set(name, [...(this.served.get(name) ?? []), told]);
      if (stall) {
        this.#stall = null;
        stall.reached();
      }
    });
    if (!stall) response.end(() => (told.whole = true));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
