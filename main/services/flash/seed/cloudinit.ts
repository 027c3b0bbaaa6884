/**
 * The three files of a NoCloud seed. JSON is YAML, so they are written as JSON: nothing of what a person typed can change their shape.
 * Pure.
 */
import type { FirstBoot, StaticAddress } from '../../../../preload/contract/firstboot.ts';
import type { FatFile } from './fat.ts';

export interface SeedSecrets {
  /** crypt(3). */
  passwordHash: string;
  /** In OpenSSH's format. */
  hostKey: string;
}

export interface SeedOptions {
  settings: FirstBoot;
  admin: { user: string; groups: readonly string[] };
  /** Another one for each flash: cloud-init then takes the boot for a first one, also where the image was booted before. */
  instanceId: string;
  /** One line as in a .pub file. */
  hostKeyPublic: string;
}

/** Of cloud-init's own words, in their order. */
function userData({ settings, admin, hostKeyPublic }: SeedOptions, secrets: SeedSecrets): object {
  const { hostname, authorizedKeys } = settings;
  return {
    hostname,
    preserve_hostname: false,
    // sudo wants to resolve the name of the host.
    manage_etc_hosts: 'localhost',
    // Without "default" in this list no user of the distribution is made.
    users: [
      {
        name: admin.user,
        groups: [...admin.groups],
        shell: '/bin/bash',
        // `passwd` would be left alone where the image has the user already; and it is to be locked neither here nor there: sudo asks for it.
        hashed_passwd: secrets.passwordHash,
        lock_passwd: false,
        ssh_authorized_keys: [...authorizedKeys],
      },
    ],
    ssh_pwauth: false,
    disable_root: true,
    // Whatever keys the image had, the box has this one and no other: where keys are given, none are made there.
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: secrets.hostKey, ed25519_public: hostKeyPublic },
    growpart: { mode: 'auto', devices: ['/'], ignore_growroot_disabled: false },
    resize_rootfs: true,
    // At the site is no network for it, and versions are the layers' to choose.
    package_update: false,
    package_upgrade: false,
    package_reboot_if_required: false,
  };
}

const WIRED = 'wired';
const MAC = /^[0-9a-f]{2}:/;

function fixed({ card, address, gateway, dns }: StaticAddress): object {
  return {
    ...(MAC.test(card) ? { match: { macaddress: card } } : {}),
    dhcp4: false,
    dhcp6: false,
    addresses: [address],
    // "default" is netplan's word: cloud-init 22.4 fails on it where it writes for systemd-networkd.
    ...(gateway === null ? {} : { routes: [{ to: '0.0.0.0/0', via: gateway }] }),
    ...(dns.length ? { nameservers: { addresses: dns } } : {}),
  };
}

function networkConfig({ address }: FirstBoot): object {
  return {
    version: 2,
    ethernets:
      address === null
        ? // One without a cable must not hold up the boot.
          { [WIRED]: { match: { name: 'e*' }, dhcp4: true, optional: true } }
        : // Without a match an entry is about the card that has its name, for whoever reads it.
          { [MAC.test(address.card) ? WIRED : address.card]: fixed(address) },
  };
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

export function seedFiles(o: SeedOptions, secrets: SeedSecrets): FatFile[] {
  const { instanceId, settings } = o;
  const metaData = { 'instance-id': instanceId, 'local-hostname': settings.hostname };
  return [
    { name: 'user-data', bytes: Buffer.from(`#cloud-config\n${json(userData(o, secrets))}`) },
    { name: 'meta-data', bytes: Buffer.from(json(metaData)) },
    { name: 'network-config', bytes: Buffer.from(json(networkConfig(settings))) },
  ];
}
