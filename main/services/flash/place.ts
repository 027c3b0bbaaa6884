/** Where the disks of a box are looked for, and how the one that was chosen is written to: this laptop's own, or a practice box's. */
import { diskName } from '../../../preload/contract/disk-words.ts';
import type { DiskList } from '../../../preload/contract/flash.ts';
import type { Session } from '../../../preload/contract/session.ts';
import type { App } from '../app.ts';
import type { Secrets } from '../secrets.ts';
import { diskPort, type Target } from './disks/list.ts';
import type { DiskPort } from './disks/port.ts';
import type { FlashTarget } from './flash.ts';
import { launchFor, launchPlain, rootWay } from './launch.ts';
import { PracticeDisks, practiceDiskFile } from './practice.ts';
import type { Launch } from './writer.ts';

export interface FlashPlace {
  /** Errors: disks_never_run. */
  port: () => DiskPort;
  /** Null where nothing can become root. */
  way: () => DiskList['root'];
  target: (disk: Target) => FlashTarget;
  /** Errors: flash_root_missing. */
  launch: (secrets: Secrets) => Launch;
}

const nameOf = (disk: Target): string => `${diskName(disk)} (${disk.serial})`;

function laptopPlace({ laptop }: Pick<App, 'laptop'>): FlashPlace {
  return {
    port: () => diskPort(),
    way: () => {
      try {
        return rootWay();
      } catch {
        return null;
      }
    },
    target: (disk) => {
      const { path, serial, size } = disk;
      return { kind: 'disk', path, serial, size, name: nameOf(disk) };
    },
    launch: (secrets) =>
      launchFor('disk', () => secrets.need('laptopPassword', `${laptop.user} on this laptop`)),
  };
}

/** A practice box never sees a disk of the laptop: what is written there is a file of its own. */
function practicePlace({ practice }: Pick<App, 'practice'>, { name }: Session): FlashPlace {
  const file = practiceDiskFile(practice.folder, name);
  return {
    port: () => new PracticeDisks(file),
    way: () => 'plain',
    target: (disk) => ({ kind: 'file', path: file, name: nameOf(disk) }),
    launch: () => launchPlain(),
  };
}

export const placeOf = (app: Pick<App, 'laptop' | 'practice'>, session: Session): FlashPlace =>
  session.practice ? practicePlace(app, session) : laptopPlace(app);
