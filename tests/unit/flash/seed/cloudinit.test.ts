/** The seed's files, parsed back as cloud-init parses them: YAML, with the shape that its documentation wants. */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { seedFiles } from '../../../../main/services/flash/seed/cloudinit.ts';
import { makeSeed } from '../../../../main/services/flash/seed/make.ts';
import { ssh2 } from '../../../../main/remote/ssh2.ts';
import type { FirstBoot } from '../../../../preload/contract/firstboot.ts';
import { folder } from '../images.ts';
import { MIB } from '../partitions.ts';
import { readFat } from './readfat.ts';
import { DHCP, FIXED, KEY } from './settings.ts';

const dir = folder();
const HASH = '$6$rounds=500000$abcdefghijklmnop$hash/hash.hash';
const PRIVATE = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----\n';

function filesOf(settings: FirstBoot): Record<string, string> {
  const options = {
    ...{ settings, admin: { user: 'vaultadmin', groups: ['sudo', 'vaultcube'] } },
    ...{ instanceId: 'iid-1', hostKeyPublic: 'ssh-ed25519 AAAA root@vc' },
  };
  const files = seedFiles(options, { passwordHash: HASH, hostKey: PRIVATE });
  return Object.fromEntries(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('utf8')]));
}

describe('the seed', () => {
  it('makes one administrator, who logs in by key and whom sudo asks', () => {
    const text = filesOf(DHCP)['user-data'] ?? '';
    expect(text.split('\n')[0]).toBe('#cloud-config');
    const config = parse(text) as Record<string, unknown>;
    expect(config).toEqual({
      hostname: 'vc-0042',
      preserve_hostname: false,
      manage_etc_hosts: 'localhost',
      users: [
        {
          name: 'vaultadmin',
          groups: ['sudo', 'vaultcube'],
          shell: '/bin/bash',
          hashed_passwd: HASH,
          lock_passwd: false,
          ssh_authorized_keys: [KEY],
        },
      ],
      ssh_pwauth: false,
      disable_root: true,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: PRIVATE, ed25519_public: 'ssh-ed25519 AAAA root@vc' },
      growpart: { mode: 'auto', devices: ['/'], ignore_growroot_disabled: false },
      resize_rootfs: true,
      package_update: false,
      package_upgrade: false,
      package_reboot_if_required: false,
    });
  });

  it('names instance and host', () => {
    expect(parse(filesOf(DHCP)['meta-data'] ?? '')).toEqual({
      'instance-id': 'iid-1',
      'local-hostname': 'vc-0042',
    });
  });

  it('asks for an address on every card, or has one', () => {
    expect(parse(filesOf(DHCP)['network-config'] ?? '')).toEqual({
      version: 2,
      ethernets: { wired: { match: { name: 'e*' }, dhcp4: true, optional: true } },
    });
    expect(parse(filesOf(FIXED)['network-config'] ?? '')).toEqual({
      version: 2,
      ethernets: {
        enp5s0: {
          dhcp4: false,
          dhcp6: false,
          addresses: ['192.168.10.5/24'],
          routes: [{ to: '0.0.0.0/0', via: '192.168.10.1' }],
          nameservers: { addresses: ['192.168.10.2', '9.9.9.9'] },
        },
      },
    });
    const { address } = FIXED;
    if (!address) throw new Error('it has one');
    const bare = filesOf({
      ...FIXED,
      address: { ...address, card: '02:00:00:aa:bb:cc', gateway: null, dns: [] },
    });
    expect(parse(bare['network-config'] ?? '')).toEqual({
      version: 2,
      ethernets: {
        wired: {
          match: { macaddress: '02:00:00:aa:bb:cc' },
          dhcp4: false,
          dhcp6: false,
          addresses: ['192.168.10.5/24'],
        },
      },
    });
  });

  it('is another one each time: keys, instance and volume', () => {
    const place = { offset: MIB, length: MIB, sectorBytes: 512 as const };
    const [one, two] = [makeSeed(DHCP, HASH, place), makeSeed(DHCP, HASH, place)];
    const [a, b] = [one, two].map(({ bytes }) => readFat(bytes).files);
    expect(one.hostKey.fingerprint).not.toBe(two.hostKey.fingerprint);
    expect(String(a?.get('meta-data'))).not.toBe(String(b?.get('meta-data')));
    expect([...(a?.keys() ?? [])]).toEqual(['user-data', 'meta-data', 'network-config']);
    const volumeId = ({ bytes }: { bytes: Buffer }) => bytes.readUInt32LE(39);
    expect(volumeId(one)).not.toBe(volumeId(two));
  });

  it('has a host key whose halves belong together, and which ssh-keygen reads', () => {
    const { bytes, hostKey } = makeSeed(DHCP, HASH, { offset: 0, length: MIB, sectorBytes: 512 });
    const config = parse(String(readFat(bytes).files.get('user-data'))) as {
      ssh_keys: Record<string, string>;
    };
    const { ed25519_private = '', ed25519_public = '' } = config.ssh_keys;
    const key = ssh2.utils.parseKey(ed25519_private);
    if (key instanceof Error) throw key;
    expect(`${key.type} ${key.getPublicSSH().toString('base64')} root@vc-0042`).toBe(ed25519_public);
    expect(key.getPublicSSH().equals(hostKey.key)).toBe(true);
    // The 32 bytes behind type and length are a key for Node, too.
    const x = hostKey.key.subarray(-32).toString('base64url');
    expect(createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }).asymmetricKeyType).toBe(
      'ed25519',
    );
    const path = join(dir, 'ssh_host_ed25519_key');
    writeFileSync(path, ed25519_private, { mode: 0o600 });
    expect(execFileSync('ssh-keygen', ['-l', '-f', path]).toString()).toContain(hostKey.fingerprint);
    expect(execFileSync('ssh-keygen', ['-y', '-f', path]).toString().trim()).toBe(ed25519_public);
  });
});
