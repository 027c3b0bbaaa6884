/** One seed for one flash: new host keys and a new instance each time, since a secret that could be used again would have to be kept. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { FirstBoot } from '../../../../preload/contract/firstboot.ts';
import { fingerprint } from '../../../remote/hostkeys.ts';
import { newEd25519 } from '../../../remote/newkey.ts';
import { ADMIN_GROUPS } from '../../admin.ts';
import { ADMIN_USER } from '../../inspect.ts';
import { seedFiles } from './cloudinit.ts';
import { fatVolume } from './fat.ts';
import { SEED_LABEL, type SeedPlace } from './place.ts';

export interface HostKey {
  algorithm: string;
  /** Public, in SSH wire format. */
  key: Buffer;
  fingerprint: string;
}

export interface MadeSeed {
  /** All of the partition. Secret. */
  bytes: Buffer;
  hostKey: HostKey;
}

/** `passwordHash`: crypt(3), of the administrator. */
export function makeSeed(settings: FirstBoot, passwordHash: string, place: SeedPlace): MadeSeed {
  const comment = `root@${settings.hostname}`;
  const { text, key } = newEd25519({ comment });
  const blob = key.getPublicSSH();
  const files = seedFiles(
    {
      settings,
      admin: { user: ADMIN_USER, groups: ADMIN_GROUPS },
      instanceId: `iid-${randomUUID()}`,
      hostKeyPublic: `${key.type} ${blob.toString('base64')} ${comment}`,
    },
    { passwordHash, hostKey: text.endsWith('\n') ? text : `${text}\n` },
  );
  const bytes = fatVolume({
    ...{ bytes: place.length, sectorBytes: place.sectorBytes, label: SEED_LABEL, files },
    ...{ volumeId: randomBytes(4).readUInt32LE(0), at: new Date() },
  });
  return { bytes, hostKey: { algorithm: key.type, key: blob, fingerprint: fingerprint(blob) } };
}
