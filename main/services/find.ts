/**
 * Finds boxes on the cable (spec W1): per wired interface the neighbours that answer with an SSH banner. Neighbours are
 * what the system knows after a nudge (ARP, IPv6 link-local with its zone) and who answers by multicast DNS.
 */
import type { FoundBox } from '../../preload/contract/calls.ts';
import { sshBanner } from './find/banner.ts';
import { wiredInterfaces, type Wired } from './find/interfaces.ts';
import { askMdns, nudge, output } from './find/link.ts';
import type { SshService } from './find/mdns.ts';
import { neighbourTools, type Neighbour } from './find/neighbours.ts';

const SSH_PORT = 22;
const LISTEN_MS = 1_500;
const BANNER_MS = 2_000;
/** Connections at once: a large network must not use up the laptop's. */
const AT_ONCE = 64;

/** Where an SSH server may be, and how that is known. */
export interface Candidate {
  address: string;
  port: number;
  interface: string;
  by: 'arp' | 'neighbour' | 'mdns';
  name: string | null;
  mac: string | null;
}

const isLinkLocal = (address: string) => /^fe[89ab]/i.test(address);
const withZone = (address: string, { zone }: Wired) =>
  isLinkLocal(address) ? `${address.toLowerCase()}%${zone}` : address;

/** The neighbours and services of the given interfaces as candidates, each address once. Pure. */
export function candidatesOf(
  wired: readonly Wired[],
  neighbours: readonly Neighbour[],
  services: readonly { on: Wired; service: SshService }[],
): Candidate[] {
  const all = new Map<string, Candidate>();
  const own = new Set(wired.flatMap((w) => w.own));
  for (const { address, mac, interface: name } of neighbours) {
    const on = wired.find((w) => w.name === name || w.zone === name || w.own.includes(name));
    if (!on || own.has(address.toLowerCase())) continue;
    const by = address.includes(':') ? 'neighbour' : 'arp';
    const at = withZone(address, on);
    all.set(`${at} ${SSH_PORT}`, { address: at, port: SSH_PORT, interface: on.name, by, name: null, mac });
  }
  for (const { on, service } of services) {
    for (const address of service.addresses.filter((a) => !own.has(a.toLowerCase()))) {
      const at = withZone(address, on);
      const key = `${at} ${service.port}`;
      const known = all.get(key) ?? { by: 'mdns' as const, mac: null };
      all.set(key, { ...known, address: at, port: service.port, interface: on.name, name: service.host });
    }
  }
  return [...all.values()];
}

/** IPv4 first: people read and type it more easily than a link-local address with its zone. */
const rank = ({ address }: FoundBox) => (address.includes(':') ? (address.includes('%') ? 1 : 2) : 0);

/** One entry a machine: several addresses of one are told by its hardware address or its name. Pure. */
export function oneEach(answered: readonly (Candidate & { banner: string })[]): FoundBox[] {
  const groups: { keys: Set<string>; boxes: FoundBox[] }[] = [];
  for (const { mac, ...box } of answered) {
    const keys = [mac, box.name].filter((k) => k !== null).map((k) => `${k} ${box.port} ${box.interface}`);
    const same = groups.filter((g) => keys.some((k) => g.keys.has(k)));
    const merged = {
      keys: new Set([...keys, ...same.flatMap((g) => [...g.keys])]),
      boxes: [...same.flatMap((g) => g.boxes), box],
    };
    for (const g of same) groups.splice(groups.indexOf(g), 1);
    groups.push(merged);
  }
  return groups
    .map(({ boxes }) => {
      const [best] = boxes.toSorted((a, b) => rank(a) - rank(b));
      return best && { ...best, name: boxes.find((b) => b.name !== null)?.name ?? null };
    })
    .filter((b) => b !== undefined)
    .toSorted((a, b) => rank(a) - rank(b) || a.address.localeCompare(b.address, 'en', { numeric: true }));
}

/** `interfaces`: only these, by name. Never rejects for what is not on the network; takes about four seconds. */
export async function findBoxes(opts: { interfaces?: readonly string[] } = {}): Promise<FoundBox[]> {
  const { platform } = process;
  const wired = wiredInterfaces().filter((w) => opts.interfaces?.includes(w.name) ?? true);
  const [services] = await Promise.all([
    Promise.all(wired.map(async (on) => (await askMdns(on, LISTEN_MS)).map((service) => ({ on, service })))),
    Promise.all(wired.map((w) => nudge(w, platform))),
  ]);
  const printed = await Promise.all(
    neighbourTools(platform).map(async ({ command, args, parse }) => parse(await output(command, args))),
  );
  const waiting = candidatesOf(wired, printed.flat(), services.flat());
  const answered: (Candidate & { banner: string })[] = [];
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const banner = await sshBanner(next.address, next.port, BANNER_MS);
      if (banner !== null) answered.push({ ...next, banner });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return oneEach(answered);
}
