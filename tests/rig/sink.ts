/**
 * Where a box's default routes and its DNS lead when its site has no network: a namespace at the end of a second cable, which drops
 * what comes and counts it. The laptop's cable can be out meanwhile: this one stays.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RigBox } from './box.ts';
import { must, run, until } from './host.ts';

const PLUG_MS = 20_000;
/** Of the blocks for documentation and tests: nothing of this machine has them, nor does an outside address that a test tries. */
const NET = {
  sink4: '203.0.113.1',
  box4: '203.0.113.2/30',
  sink6: '2001:db8:53::1',
  box6: '2001:db8:53::2/64',
};
/** What leads nowhere, for a control run. */
const OUTSIDE = { v4: '192.0.2.80', v6: '2001:db8:80::80', name: 'archive.example.org' };
/** The image of the rig's bundle. */
const IMAGE = 'vault-cube/busybox:stand-in';
/** Fails by itself after about a second each. */
const TRY = `
import socket
for family, address in ((socket.AF_INET, '${OUTSIDE.v4}'), (socket.AF_INET6, '${OUTSIDE.v6}')):
    tried = socket.socket(family)
    tried.settimeout(1)
    try:
        tried.connect((address, 80))
    except OSError:
        pass
try:
    socket.getaddrinfo('${OUTSIDE.name}', 80)
except OSError:
    pass
`;
/**
 * Docker's own network has no IPv6: a container that has it is in the network of its box. The shell stays a container's first
 * process: as that one `wget` would not hear that its time is over.
 */
const TRY_IN_CONTAINERS = `
run() { docker run --rm "$@"; }
run ${IMAGE} sh -c 'timeout 2 wget -O- http://${OUTSIDE.v4}/; timeout 2 nslookup ${OUTSIDE.name}'
run --network host ${IMAGE} sh -c 'timeout 2 wget -O- http://[${OUTSIDE.v6}]/; true'
`;

/** Packets that tried to leave, by what they were; DNS is none of the other two. */
export interface Counts {
  ipv4: number;
  ipv6: number;
  dns: number;
}

export const NOTHING: Counts = { ipv4: 0, ipv6: 0, dns: 0 };

/**
 * What a kernel says on any link by itself is not counted: IGMP and MLD, neighbours, routers. Everything else is, to whatever
 * address, and is remembered with address and port, so that a count can be explained.
 */
const RULES = `
table inet sink {
  counter ipv4 {}
  counter ipv6 {}
  counter dns {}
  set seen4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 4096; }
  set seen6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 4096; }
  chain in {
    type filter hook prerouting priority raw; policy drop;
    iifname lo accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    icmpv6 type { nd-router-solicit, mld-listener-report, mld2-listener-report, mld-listener-done } drop
    ip protocol igmp drop
    meta nfproto ipv4 meta l4proto { tcp, udp } add @seen4 { ip daddr . meta l4proto . th dport }
    meta nfproto ipv6 meta l4proto { tcp, udp } add @seen6 { ip6 daddr . meta l4proto . th dport }
    udp dport 53 counter name dns drop
    tcp dport 53 counter name dns drop
    meta nfproto ipv4 counter name ipv4 drop
    meta nfproto ipv6 counter name ipv6 drop
  }
}
`;

interface Listed {
  nftables: { counter?: { name: string; packets: number }; set?: { name: string; elem?: unknown[] } }[];
}

export class Sink {
  readonly #box: RigBox;
  readonly #namespace: string;
  #plugging: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(box: RigBox) {
    this.#box = box;
    this.#namespace = `${box.name}k`;
  }

  /** Gives a running box the second cable, now and at each later boot. */
  static async open(box: RigBox): Promise<Sink> {
    const sink = new Sink(box);
    try {
      await must('ip', ['netns', 'add', sink.#namespace]);
      await must('ip', ['-n', sink.#namespace, 'link', 'set', 'lo', 'up']);
      await must('ip', ['netns', 'exec', sink.#namespace, 'nft', '-f', '-'], { input: RULES });
      sink.#tell();
      await box.run(['networkctl', 'reload']);
      box.onBoot(() => {
        sink.#plugging = sink.#plug();
        sink.#plugging.catch(() => undefined); // told by ready() and by the counts, which are none then
      });
      await sink.#plug();
      await sink.ready();
      return sink;
    } catch (error) {
      await sink.close();
      throw error;
    }
  }

  /** The box's own settings, as an installer leaves them. */
  #tell(): void {
    const put = (path: string, text: string) => {
      const at = join(this.#box.root, path);
      mkdirSync(join(at, '..'), { recursive: true });
      rmSync(at, { force: true });
      writeFileSync(at, text);
    };
    const addresses = `Address=${NET.box4}\nAddress=${NET.box6}\n`;
    const routes = `Gateway=${NET.sink4}\nGateway=${NET.sink6}\n`;
    const never = 'LinkLocalAddressing=ipv6\nIPv6AcceptRA=no\nLLMNR=no\nMulticastDNS=no\n';
    // A neighbour of IPv6 that must first be told apart from others is of no use to the first packets.
    put(
      'etc/systemd/network/20-sink.network',
      `[Match]\nName=sink0\n[Network]\nIPv6DuplicateAddressDetection=0\n${never}${addresses}${routes}`,
    );
    put('etc/resolv.conf', `nameserver ${NET.sink4}\nnameserver ${NET.sink6}\n`);
  }

  /** Puts the cable in; a box that boots has lost its end of the last one, and with it the other end. */
  async #plug(): Promise<void> {
    const leader = () => this.#box.leader();
    await until(`a boot of ${this.#box.name}`, () => this.#closed || leader() !== null, PLUG_MS);
    const pid = leader();
    if (this.#closed || pid === null) return;
    const ip = (...args: string[]) => must('ip', ['-n', this.#namespace, ...args]);
    await run('ip', ['-n', this.#namespace, 'link', 'del', 'sink0']);
    await ip('link', 'add', 'sink0', 'type', 'veth', 'peer', 'name', 'sink0', 'netns', String(pid));
    await ip('addr', 'add', `${NET.sink4}/30`, 'dev', 'sink0');
    await ip('addr', 'add', `${NET.sink6}/64`, 'dev', 'sink0', 'nodad');
    await ip('link', 'set', 'sink0', 'up');
  }

  /** Resolves when the box's routes lead here. */
  async ready(): Promise<void> {
    await this.#plugging;
    const leads = async () => {
      const [four, six] = await Promise.all([
        this.#box.run(['ip', '-4', 'route', 'show', 'default']),
        this.#box.run(['ip', '-6', 'route', 'show', 'default']),
      ]);
      return [four, six].every(({ stdout }) => stdout.includes('dev sink0'));
    };
    await until(`the routes of ${this.#box.name}`, leads, PLUG_MS);
  }

  async #list(): Promise<Listed['nftables']> {
    const listed = ['netns', 'exec', this.#namespace, 'nft', '-j', 'list', 'table', 'inet', 'sink'];
    return (JSON.parse(await must('ip', listed)) as Listed).nftables;
  }

  async counts(): Promise<Counts> {
    const counters = (await this.#list()).flatMap(({ counter }) => counter ?? []);
    const of = (name: keyof Counts) => counters.find((c) => c.name === name)?.packets ?? NaN;
    return { ipv4: of('ipv4'), ipv6: of('ipv6'), dns: of('dns') };
  }

  /** Address, protocol and port of all that tried to leave over TCP or UDP. */
  async seen(): Promise<string[]> {
    const sets = (await this.#list()).flatMap(({ set }) => set?.elem ?? []);
    return sets.map((elem) => JSON.stringify(elem));
  }

  /** The control run: one outside address of each kind and one name, from the box or from containers. Tells what was counted. */
  async control(from: 'box' | 'container'): Promise<Counts> {
    const before = await this.counts();
    if (from === 'container') await this.#box.sh(TRY_IN_CONTAINERS);
    else await this.#box.run(['env', 'RES_OPTIONS=timeout:1 attempts:1', 'python3', '-c', TRY]);
    const { ipv4, ipv6, dns } = await this.counts();
    return { ipv4: ipv4 - before.ipv4, ipv6: ipv6 - before.ipv6, dns: dns - before.dns };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#plugging.catch(() => undefined);
    await run('ip', ['netns', 'del', this.#namespace]);
  }
}
