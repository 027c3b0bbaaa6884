/** The wired interfaces of this laptop that are up, with their addresses. */
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';

export interface Wired {
  name: string;
  /** What stands behind `%` in an address of this link: the name, on Windows the number. */
  zone: string;
  /** Own addresses. */
  own: string[];
  /** IPv4 networks as `address/prefix`. */
  networks: string[];
  /** Whether it has an IPv6 link-local address, so that its neighbours can be reached by theirs. */
  linkLocal: boolean;
}

/** Names of what is surely no cable: radio, tunnels, the loopback. Linux says it better itself. */
const NO_CABLE = /wi-?fi|wlan|wireless|bluetooth|loopback|^(awdl|llw|utun|tun|tap|wg|ppp|anpi|lo)\d*$/i;
const ETHERNET = '1';

function isWired(name: string, sys: string): boolean {
  if (NO_CABLE.test(name)) return false;
  const at = join(sys, name);
  if (!existsSync(at)) return true;
  if (existsSync(join(at, 'wireless')) || existsSync(join(at, 'phy80211'))) return false;
  return readFileSync(join(at, 'type'), 'utf8').trim() === ETHERNET;
}

/** `sys`: where Linux describes its interfaces. */
export function wiredInterfaces(
  all: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
  platform: NodeJS.Platform = process.platform,
  sys = '/sys/class/net',
): Wired[] {
  return Object.entries(all)
    .filter(([name, infos]) => infos?.some((i) => !i.internal) && isWired(name, sys))
    .map(([name, infos = []]) => {
      const local = infos.find((i) => i.family === 'IPv6' && i.address.startsWith('fe80:'));
      const scope = local && 'scopeid' in local ? local.scopeid : null;
      return {
        name,
        zone: platform === 'win32' && scope ? String(scope) : name,
        own: infos.map((i) => i.address.toLowerCase()),
        networks: infos.filter((i) => i.family === 'IPv4').flatMap((i) => i.cidr ?? []),
        linkLocal: local !== undefined,
      };
    });
}

/** Every other address of an IPv4 network of at most 256; none for a larger one, which is no cable between two machines. */
export function hostsOf(network: string): string[] {
  const [address = '', prefix = ''] = network.split('/');
  const bits = 32 - Number(prefix);
  if (!(bits >= 1 && bits <= 8)) return [];
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** bits;
  const first = Math.floor(number / size) * size;
  const dotted = (n: number) => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.');
  return Array.from({ length: size }, (_, at) => first + at)
    .filter((n) => n !== number && (size === 2 || (n !== first && n !== first + size - 1)))
    .map(dotted);
}
