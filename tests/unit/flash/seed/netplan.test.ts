/** The network part of a seed, read by the real netplan as cloud-init hands it on in Ubuntu: what it makes of it for systemd-networkd. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { seedFiles } from '../../../../main/services/flash/seed/cloudinit.ts';
import type { FirstBoot } from '../../../../preload/contract/firstboot.ts';
import { DHCP, FIXED } from './settings.ts';

/** Of one release or the other. */
const GENERATE = ['/usr/libexec/netplan/generate', '/usr/lib/netplan/generate', '/lib/netplan/generate'].find(
  (path) => existsSync(path),
);

/** Files for systemd-networkd by their name, out of this network part. Throws where netplan refuses it. */
function generated(settings: FirstBoot): Record<string, string> {
  const o = { settings, admin: { user: 'vaultadmin', groups: [] }, instanceId: 'i', hostKeyPublic: 'k' };
  const file = seedFiles(o, { passwordHash: 'h', hostKey: 'k' }).find(
    ({ name }) => name === 'network-config',
  );
  const root = mkdtempSync(join(tmpdir(), 'vc-netplan-'));
  try {
    const dir = join(root, 'etc/netplan');
    mkdirSync(dir, { recursive: true });
    const path = join(dir, '50-cloud-init.yaml');
    // As cloud-init passes on a configuration of version 2.
    writeFileSync(path, JSON.stringify({ network: parse(Buffer.from(file?.bytes ?? []).toString('utf8')) }));
    chmodSync(path, 0o600);
    execFileSync(GENERATE ?? '', ['--root-dir', root], { stdio: 'pipe' });
    const made = join(root, 'run/systemd/network');
    return Object.fromEntries(
      readdirSync(made).map((name) => [name, readFileSync(join(made, name), 'utf8')]),
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe.runIf(GENERATE)(`netplan${GENERATE ? '' : ' (not run: netplan.io is not installed)'}`, () => {
  it('gives one card the fixed address, its gateway and its name servers', () => {
    const files = generated(FIXED);
    expect(Object.keys(files)).toEqual(['10-netplan-enp5s0.network']);
    const [text = ''] = Object.values(files);
    expect(text).toMatch(/^\[Match\]\nName=enp5s0$/m);
    expect(text).toMatch(/^Address=192\.168\.10\.5\/24$/m);
    expect(text).toMatch(/^DNS=192\.168\.10\.2$/m);
    expect(text).toMatch(/^DNS=9\.9\.9\.9$/m);
    expect(text).toMatch(/^\[Route\]\nDestination=0\.0\.0\.0\/0\nGateway=192\.168\.10\.1$/m);
    expect(text).not.toMatch(/DHCP/);
  });

  it('finds the card by its MAC address', () => {
    const { address } = FIXED;
    const files = generated({ ...FIXED, address: address && { ...address, card: '52:54:00:12:34:56' } });
    const [text = ''] = Object.values(files);
    expect(text).toMatch(/^(PermanentMACAddress|MACAddress)=52:54:00:12:34:56$/m);
    expect(text).toMatch(/^Address=192\.168\.10\.5\/24$/m);
  });

  it('without gateway and name servers makes neither', () => {
    const { address } = FIXED;
    const [text = ''] = Object.values(
      generated({ ...FIXED, address: address && { ...address, gateway: null, dns: [] } }),
    );
    expect(text).toMatch(/^Address=192\.168\.10\.5\/24$/m);
    expect(text).not.toMatch(/Gateway|DNS=/);
  });

  it('asks by DHCP on every wired card, and waits for none', () => {
    const [text = ''] = Object.values(generated(DHCP));
    expect(text).toMatch(/^Name=e\*$/m);
    expect(text).toMatch(/^DHCP=ipv4$/m);
    expect(text).toMatch(/^RequiredForOnline=no$/m);
  });
});
