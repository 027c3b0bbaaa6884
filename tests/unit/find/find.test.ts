/** From neighbours and services to one entry a machine; which interfaces are wired, and what a small network holds. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir, type NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { sshBanner } from '../../../main/services/find/banner.ts';
import { hostsOf, wiredInterfaces, type Wired } from '../../../main/services/find/interfaces.ts';
import { candidatesOf, oneEach, type Candidate } from '../../../main/services/find.ts';

const cable: Wired = {
  name: 'eth1',
  zone: 'eth1',
  own: ['192.168.10.1', 'fe80::1'],
  networks: ['192.168.10.1/24'],
  linkLocal: true,
};
const MAC = '52:54:00:12:34:56';
const LOCAL = 'fe80::5054:ff:fe12:3456';

describe('candidates', () => {
  it('have a zone where they are link-local, and leave out this laptop and other links', () => {
    const neighbours = [
      { address: '192.168.10.20', mac: MAC, interface: 'eth1' },
      { address: LOCAL.toUpperCase(), mac: MAC, interface: 'eth1' },
      { address: '192.168.10.1', mac: '02:00:00:00:00:01', interface: 'eth1' },
      { address: '10.0.0.9', mac: '02:00:00:00:00:02', interface: 'wlan0' },
    ];
    expect(candidatesOf([cable], neighbours, []).map((c) => [c.address, c.by])).toEqual([
      ['192.168.10.20', 'arp'],
      [`${LOCAL}%eth1`, 'neighbour'],
    ]);
  });

  it('are matched to a Windows interface by its number or its own address', () => {
    const windows = { ...cable, name: 'Ethernet', zone: '12' };
    const found = candidatesOf(
      [windows],
      [
        { address: LOCAL, mac: MAC, interface: '12' },
        { address: '192.168.10.20', mac: MAC, interface: '192.168.10.1' },
      ],
      [],
    );
    expect(found.map((c) => [c.address, c.interface])).toEqual([
      [`${LOCAL}%12`, 'Ethernet'],
      ['192.168.10.20', 'Ethernet'],
    ]);
  });

  it('get their name and port by multicast DNS, once each', () => {
    const service = { host: 'vc-0042.local', port: 22, addresses: ['192.168.10.20'] };
    const other = { host: 'vc-0043.local', port: 2222, addresses: ['192.168.10.21', '192.168.10.1'] };
    const found = candidatesOf(
      [cable],
      [{ address: '192.168.10.20', mac: MAC, interface: 'eth1' }],
      [
        { on: cable, service },
        { on: cable, service: other },
      ],
    );
    expect(found).toEqual([
      { address: '192.168.10.20', port: 22, interface: 'eth1', by: 'arp', name: 'vc-0042.local', mac: MAC },
      {
        address: '192.168.10.21',
        port: 2222,
        interface: 'eth1',
        by: 'mdns',
        name: 'vc-0043.local',
        mac: null,
      },
    ]);
  });
});

describe('one entry a machine', () => {
  const banner = 'SSH-2.0-OpenSSH_9.6p1';
  const at = (address: string, more: Partial<Candidate> = {}) => ({
    ...{ address, port: 22, interface: 'eth1', by: 'arp' as const, name: null, mac: null, banner },
    ...more,
  });

  it('with the address that people read most easily, and the name that any of them has', () => {
    const found = oneEach([
      at(`${LOCAL}%eth1`, { by: 'neighbour', mac: MAC, name: 'vc-0042.local' }),
      at('192.168.10.20', { mac: MAC }),
      at('2001:db8::20', { by: 'mdns', name: 'vc-0042.local' }),
      at('192.168.10.9', { mac: '52:54:00:00:00:09' }),
    ]);
    expect(found).toEqual([
      { address: '192.168.10.9', port: 22, interface: 'eth1', by: 'arp', name: null, banner },
      { address: '192.168.10.20', port: 22, interface: 'eth1', by: 'arp', name: 'vc-0042.local', banner },
    ]);
  });

  it('keeps apart what shares neither, and the same machine on two cables', () => {
    const found = oneEach([
      at('192.168.10.20', { mac: MAC }),
      at('192.168.11.20', { mac: MAC, interface: 'eth2' }),
      at('192.168.10.21'),
      at('192.168.10.22'),
    ]);
    expect(found.map((b) => b.address)).toEqual([
      '192.168.10.20',
      '192.168.10.21',
      '192.168.10.22',
      '192.168.11.20',
    ]);
  });
});

describe('interfaces', () => {
  let sys: string | null = null;
  afterEach(() => sys && rmSync(sys, { recursive: true, force: true }));

  const info = (address: string, more: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo =>
    ({
      ...{ address, netmask: '', mac: MAC, internal: false, cidr: `${address}/24` },
      ...(address.includes(':') ? { family: 'IPv6', scopeid: 12 } : { family: 'IPv4' }),
      ...more,
    }) as NetworkInterfaceInfo;

  it('are those with a cable, as Linux describes them', () => {
    sys = mkdtempSync(join(tmpdir(), 'vc-sys-'));
    for (const [name, type] of [
      ['enp3s0', '1'],
      ['wlp2s0', '1'],
      ['radio0', '1'],
      ['tun0', '65534'],
    ] as const) {
      mkdirSync(join(sys, name));
      writeFileSync(join(sys, name, 'type'), `${type}\n`);
    }
    mkdirSync(join(sys, 'radio0', 'wireless'));
    const all = {
      lo: [info('127.0.0.1', { internal: true })],
      enp3s0: [info('192.168.10.1'), info('fe80::1')],
      wlp2s0: [info('10.0.0.2')],
      radio0: [info('10.0.0.3')],
      tun0: [info('10.0.0.4')],
    };
    mkdirSync(join(sys, 'wlp2s0', 'phy80211'));
    expect(wiredInterfaces(all, 'linux', sys)).toEqual([
      {
        name: 'enp3s0',
        zone: 'enp3s0',
        own: ['192.168.10.1', 'fe80::1'],
        networks: ['192.168.10.1/24'],
        linkLocal: true,
      },
    ]);
  });

  it('are told by their names elsewhere, with the number as zone on Windows', () => {
    const all = { Ethernet: [info('fe80::1')], 'Wi-Fi': [info('10.0.0.2')] };
    expect(wiredInterfaces(all, 'win32', '/nowhere').map((w) => [w.name, w.zone])).toEqual([
      ['Ethernet', '12'],
    ]);
  });
});

describe('hosts of a network', () => {
  it('are all but its own ends and this laptop', () => {
    expect(hostsOf('192.168.10.1/30')).toEqual(['192.168.10.2']);
    expect(hostsOf('192.168.10.5/29')).toEqual(['1', '2', '3', '4', '6'].map((n) => `192.168.10.${n}`));
    expect(hostsOf('192.168.10.1/31')).toEqual(['192.168.10.0']);
    expect(hostsOf('192.168.10.77/24')).toHaveLength(253);
  });

  it('are none for a network that is no cable between two machines', () => {
    expect(hostsOf('10.0.0.1/16')).toEqual([]);
    expect(hostsOf('10.0.0.1/32')).toEqual([]);
    expect(hostsOf('nonsense')).toEqual([]);
  });
});

describe('the banner', () => {
  let server: Server | null = null;
  afterEach(() => new Promise((done) => (server ? server.close(done) : done(undefined))));

  async function serving(greeting: string, end = false): Promise<number> {
    const listening = createServer((socket) => {
      socket.on('error', () => undefined);
      if (end) socket.end(greeting);
      else socket.write(greeting);
    });
    server = listening;
    await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
    return (listening.address() as AddressInfo).port;
  }

  it.each([
    ['at once', 'SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13\r\n', 'SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13'],
    ['after other lines', 'Property of ACME\r\nSSH-2.0-dropbear\n', 'SSH-2.0-dropbear'],
  ])('is read %s', async (_when, greeting, banner) => {
    expect(await sshBanner('127.0.0.1', await serving(greeting), 2_000)).toBe(banner);
  });

  it.each([
    ['what is no SSH server', '220 mail ready\r\n', true],
    ['what says nothing', '', true],
    ['what talks without end', 'x'.repeat(20_000), false],
  ])('is null for %s', async (_what, greeting, end) => {
    expect(await sshBanner('127.0.0.1', await serving(greeting, end), 2_000)).toBeNull();
  });

  it('is null for what is silent, and for nobody', async () => {
    expect(await sshBanner('127.0.0.1', await serving(''), 100)).toBeNull();
    expect(await sshBanner('127.0.0.1', 1, 2_000)).toBeNull();
  });
});
