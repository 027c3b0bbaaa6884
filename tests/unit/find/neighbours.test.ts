/** What the systems' tools print about neighbours. Linux was captured here; Windows and macOS as their makers document it. */
import { describe, expect, it } from 'vitest';
import {
  neighbourTools,
  parseIpNeigh,
  parseMacArp,
  parseNdp,
  parseNetsh,
  parseWindowsArp,
} from '../../../main/services/find/neighbours.ts';

const one = (address: string, name: string, mac = '52:54:00:12:34:56') => ({ address, mac, interface: name });

describe('neighbours', () => {
  it('of Linux: both families, without those that do not answer', () => {
    const text = `198.18.46.6 dev vcg14w INCOMPLETE
198.18.46.3 dev vcg14w lladdr ca:e2:d0:5c:ab:cf REACHABLE
192.0.2.1 dev eth0 lladdr 02:fc:00:00:00:05 STALE
fd00::1 dev eth0 FAILED
fd00::9 dev eth0 lladdr 02:fc:00:00:00:09 FAILED
fe80::c8e2:d0ff:fe5c:abcf dev vcg14w lladdr ca:e2:d0:5c:ab:cf router DELAY
ff02::fb dev vcg14w lladdr 33:33:00:00:00:fb NOARP
`;
    expect(parseIpNeigh(text)).toEqual([
      one('198.18.46.3', 'vcg14w', 'ca:e2:d0:5c:ab:cf'),
      one('192.0.2.1', 'eth0', '02:fc:00:00:00:05'),
      one('fe80::c8e2:d0ff:fe5c:abcf', 'vcg14w', 'ca:e2:d0:5c:ab:cf'),
    ]);
  });

  it.each([
    ['English', 'Interface', '  Internet Address      Physical Address      Type', 'dynamic', 'static'],
    ['German', 'Schnittstelle', '  Internetadresse       Physische Adresse     Typ', 'dynamisch', 'statisch'],
  ])('of Windows, IPv4, in %s', (_language, heading, titles, dynamic, fixed) => {
    const text = `\r
${heading}: 192.168.10.1 --- 0xc\r
${titles}\r
  192.168.10.20         52-54-00-12-34-56     ${dynamic}   \r
  192.168.10.255        ff-ff-ff-ff-ff-ff     ${fixed}    \r
  224.0.0.22            01-00-5e-00-00-16     ${fixed}    \r
\r
${heading}: 10.0.0.7 --- 0x1a\r
${titles}\r
  10.0.0.1              52-54-00-aa-bb-cc     ${dynamic}   \r
`;
    expect(parseWindowsArp(text)).toEqual([
      one('192.168.10.20', '192.168.10.1'),
      one('10.0.0.1', '10.0.0.7', '52:54:00:aa:bb:cc'),
    ]);
  });

  it('of Windows, IPv6', () => {
    const text = `\r
Interface 1: Loopback Pseudo-Interface 1\r
\r
Internet Address                              Physical Address   Type\r
--------------------------------------------  -----------------  -----------\r
ff02::16                                                         Permanent\r
\r
Interface 12: Ethernet\r
\r
Internet Address                              Physical Address   Type\r
--------------------------------------------  -----------------  -----------\r
fe80::5054:ff:fe12:3456                       52-54-00-12-34-56  Stale\r
fe80::1                                       00-00-00-00-00-00  Unreachable\r
ff02::1                                       33-33-00-00-00-01  Permanent\r
`;
    expect(parseNetsh(text)).toEqual([one('fe80::5054:ff:fe12:3456', '12')]);
  });

  it('of macOS, IPv4: zeros that it leaves out are put back', () => {
    const text = `? (192.168.10.20) at 52:54:0:12:34:56 on en5 ifscope [ethernet]
? (192.168.10.9) at (incomplete) on en5 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en5 ifscope permanent [ethernet]
`;
    expect(parseMacArp(text)).toEqual([one('192.168.10.20', 'en5')]);
  });

  it('of macOS, IPv6', () => {
    const text = `Neighbor                        Linklayer Address  Netif Expire    St Flgs Prbs
fe80::1%lo0                     (incomplete)         lo0 permanent R
fe80::5054:ff:fe12:3456%en5     52:54:0:12:34:56     en5 23h59m58s S
`;
    expect(parseNdp(text)).toEqual([one('fe80::5054:ff:fe12:3456', 'en5')]);
  });

  it.each(['linux', 'win32', 'darwin'] as const)('nothing out of nothing on %s', (platform) => {
    const tools = neighbourTools(platform);
    expect(tools.length).toBeGreaterThan(0);
    for (const { parse } of tools) {
      expect(parse('')).toEqual([]);
      expect(parse('The system cannot find the file specified.\r\n')).toEqual([]);
    }
  });
});
