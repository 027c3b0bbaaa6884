/**
 * The neighbours that this laptop's system knows, out of what its own tools print. Parsers are pure; the tools' words may
 * be in any language, so only shapes are read: addresses, hardware addresses, numbers.
 */

export interface Neighbour {
  /** IPv4, or IPv6 without its zone. */
  address: string;
  /** `aa:bb:cc:dd:ee:ff`. */
  mac: string;
  /** As the tool names it: a name; on Windows its number, or its own address. */
  interface: string;
}

export interface NeighbourTool {
  command: string;
  args: readonly string[];
  parse: (text: string) => Neighbour[];
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-f]*:[0-9a-f:.]+$/i;
const MAC = /^[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}$/i;

/** macOS leaves out leading zeros, Windows writes dashes. */
const macOf = (text: string): string =>
  text
    .split(/[:-]/)
    .map((part) => part.padStart(2, '0'))
    .join(':')
    .toLowerCase();

/** Whole groups and nobody have no place among neighbours: multicast, broadcast, all zeros. */
function isOne({ address, mac }: Neighbour): boolean {
  if (/^(01:00:5e|33:33|ff:ff:ff:ff|00:00:00:00:00:00)/.test(mac)) return false;
  return !/^(ff|22[4-9]\.|23\d\.|255\.|0\.)/i.test(address);
}

const lines = (text: string) => text.split(/\r?\n/);

/** `ip neigh` (Linux): `fe80::1 dev eth0 lladdr 52:54:00:12:34:56 router STALE`. */
export function parseIpNeigh(text: string): Neighbour[] {
  return lines(text)
    .map((line) => {
      const words = line.trim().split(/\s+/);
      const after = (word: string) => words[words.indexOf(word) + 1] ?? '';
      const dead = words.includes('FAILED') || words.includes('INCOMPLETE');
      if (dead || !words.includes('dev') || !words.includes('lladdr')) return null;
      return { address: words[0] ?? '', interface: after('dev'), mac: macOf(after('lladdr')) };
    })
    .filter((n) => n !== null)
    .filter(isOne);
}

/** `arp -an` (macOS): `? (192.168.10.20) at 52:54:0:12:34:56 on en5 ifscope [ethernet]`. */
export function parseMacArp(text: string): Neighbour[] {
  const row = /\((?<address>[\d.]+)\) at (?<mac>[0-9a-f:]+) on (?<name>\S+)/i;
  return lines(text)
    .map((line) => row.exec(line)?.groups)
    .filter((g) => g !== undefined)
    .map(({ address = '', mac = '', name = '' }) => ({ address, mac: macOf(mac), interface: name }))
    .filter(isOne);
}

/** `ndp -an` (macOS): `fe80::1%en5  52:54:0:12:34:56  en5 23h59m58s S R`. */
export function parseNdp(text: string): Neighbour[] {
  return lines(text)
    .map((line) => {
      const [address = '', mac = '', name = ''] = line.trim().split(/\s+/);
      const [plain = ''] = address.split('%');
      return IPV6.test(plain) && MAC.test(mac) ? { address: plain, mac: macOf(mac), interface: name } : null;
    })
    .filter((n) => n !== null)
    .filter(isOne);
}

/** Rows of `address  hardware-address  …` under headings that name an interface, as Windows prints them. */
function parseUnderHeadings(text: string, heading: RegExp): Neighbour[] {
  let current = '';
  const found: Neighbour[] = [];
  for (const line of lines(text)) {
    current = heading.exec(line)?.[1] ?? current;
    const [address = '', mac = ''] = line.trim().split(/\s+/);
    if ((IPV4.test(address) || IPV6.test(address)) && MAC.test(mac)) {
      found.push({ address, mac: macOf(mac), interface: current });
    }
  }
  return found.filter(isOne);
}

/** `arp -a` (Windows): rows under `Interface: 192.168.10.1 --- 0xc`. */
export const parseWindowsArp = (text: string): Neighbour[] =>
  parseUnderHeadings(text, /^\S.*\s([\d.]+)\s+---\s+0x[0-9a-f]+\s*$/i);

/** `netsh interface ipv6 show neighbors` (Windows): rows under `Interface 12: Ethernet`. */
export const parseNetsh = (text: string): Neighbour[] => parseUnderHeadings(text, /^\S.*\s(\d+):\s+\S/);

/** What to ask on this system; all of it runs without being administrator. */
export function neighbourTools(platform: NodeJS.Platform): readonly NeighbourTool[] {
  if (platform === 'win32') {
    return [
      { command: 'arp', args: ['-a'], parse: parseWindowsArp },
      { command: 'netsh', args: ['interface', 'ipv6', 'show', 'neighbors'], parse: parseNetsh },
    ];
  }
  if (platform === 'darwin') {
    return [
      { command: 'arp', args: ['-an'], parse: parseMacArp },
      { command: 'ndp', args: ['-an'], parse: parseNdp },
    ];
  }
  return [{ command: 'ip', args: ['neigh', 'show'], parse: parseIpNeigh }];
}
