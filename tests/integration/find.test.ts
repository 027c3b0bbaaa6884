/** Finding a box along a cable: the rig's link is an interface of this machine, and only that one is looked at. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBoxes } from '../../main/services/find.ts';
import { RigBox, whyNoRig } from '../rig/box.ts';
import { Laptop } from './cli.ts';

const why = whyNoRig();
const BANNER = /^SSH-2\.0-OpenSSH_/;

/** A process of this machine that lives in the box's network. */
async function pidInside(box: RigBox): Promise<string> {
  const net = (await box.run(['readlink', '/proc/self/ns/net'])).stdout.trim();
  const found = readdirSync('/proc').find((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === net;
    } catch {
      return false; // it ended meanwhile
    }
  });
  if (found === undefined) throw new Error('nobody lives in the network of the box');
  return found;
}

/** A real responder in the box's network that offers SSH under the name vc-0042; resolves when it does. */
async function announce(box: RigBox, dir: string): Promise<ChildProcess> {
  mkdirSync(join(dir, 'services'));
  writeFileSync(
    join(dir, 'services/ssh.service'),
    '<service-group><name>%h</name><service><type>_ssh._tcp</type><port>22</port></service></service-group>',
  );
  writeFileSync(join(dir, 'conf'), '[server]\nhost-name=vc-0042\nenable-dbus=no\nallow-interfaces=host0\n');
  const script = `mount --bind '${dir}/services' /etc/avahi/services && mount -t tmpfs tmpfs /run &&
    exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f '${dir}/conf'`;
  const inside = ['-t', await pidInside(box), '-n', 'unshare', '-m', 'sh', '-c', script];
  const child = spawn('nsenter', inside, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.includes('successfully established')) return child;
  }
  throw new Error(`avahi-daemon ended: ${said.join('\n')}`);
}

describe.runIf(why === null)(`finding a box${why ? ` (not run: ${why})` : ''}`, () => {
  let box: RigBox;
  let laptop: Laptop;
  let dir: string;

  beforeAll(async () => {
    box = await RigBox.start();
    laptop = new Laptop();
    dir = mkdtempSync(join(tmpdir(), 'vault-cube-avahi-'));
  });
  afterAll(async () => {
    await box?.stop();
    laptop?.remove();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  const find = () => findBoxes({ interfaces: [box.name] });

  it('finds the neighbour that is an SSH server, once, and no other machine on the link', async () => {
    expect(await find()).toEqual([
      {
        address: box.host,
        port: 22,
        interface: box.name,
        by: 'arp',
        name: null,
        banner: expect.stringMatching(BANNER),
      },
    ]);
  });

  it('looks at no link but the named ones', async () => {
    expect(await findBoxes({ interfaces: ['lo', 'none'] })).toEqual([]);
  });

  it('learns the name of a box that announces itself', async () => {
    const responder = await announce(box, dir);
    try {
      const [found] = await find();
      expect(found).toMatchObject({ address: box.host, name: 'vc-0042.local', by: 'arp' });
    } finally {
      const gone = once(responder, 'close');
      responder.kill();
      await gone;
    }
  });

  it('finds a box without any IPv4 by its link-local address, which then logs in', async () => {
    const mine = `${box.laptop}/29`;
    await box.inLaptop(['ip', 'address', 'del', mine, 'dev', box.name]);
    try {
      const [found, ...more] = await find();
      expect(more).toEqual([]);
      expect(found).toMatchObject({ by: 'neighbour', banner: expect.stringMatching(BANNER) });
      expect(found?.address).toMatch(new RegExp(`^fe80::[0-9a-f:]+%${box.name}$`));
      laptop.secrets = { loginPassword: box.password };
      const args = ['--host', found?.address ?? '', '--user', box.user, '--profile', 'two-h100'];
      const key = ['--accept-host-key', box.fingerprint()];
      const { records } = await laptop.run('inspect', '--box', 'VC-0042', ...args, ...key);
      expect(records.filter((r) => r.type === 'error')).toEqual([]);
      expect(records.at(-1)).toMatchObject({ type: 'result' });
    } finally {
      await box.inLaptop(['ip', 'address', 'add', mine, 'dev', box.name]);
    }
  });
});
