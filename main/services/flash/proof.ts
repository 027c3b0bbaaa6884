/** What a flash that ended well has shown, as checks like those of a box: for the window, the log and who reads it later. Pure. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { Proof } from './engine-options.ts';
import type { FlashImage } from './image.ts';

type Compared = Pick<FlashImage, 'virtualSize' | 'diskRoot' | 'fileChecked'>;

/** What was written for the first boot: the name of the box, and the fingerprint of its host key. */
export interface SeedShown {
  hostname: string;
  fingerprint: string;
}

/** `seed`: null where none was written. */
export function checksOf(
  proof: Proof,
  image: Compared,
  seconds: number,
  seed: SeedShown | null = null,
): CheckResult[] {
  const checks = imageChecks(proof, image, seconds);
  return seed === null || proof.seed === null ? checks : [...checks, seedCheck(seed)];
}

const seedCheck = ({ hostname, fingerprint }: SeedShown): CheckResult => ({
  ...{ id: 'flash_seed', title: 'First-boot settings', layer: null, suite: null, unit: null, source: null },
  ...{ verdict: 'pass', value: 'written', threshold: 'read back as they were written', seconds: 0 },
  ...{ evidence: `for ${hostname}, host key ${fingerprint}`, reason: null, nextAction: null },
});

function imageChecks(proof: Proof, image: Compared, seconds: number): CheckResult[] {
  const common = { layer: null, suite: null, unit: null, source: null, reason: null, nextAction: null };
  const plain = { ...common, seconds: 0, threshold: null, evidence: null };
  const { writtenBytes, keptChunks, mendedChunks } = proof;
  const readBack: CheckResult = {
    ...{ ...common, id: 'flash_read_back', title: 'Read back', verdict: 'pass', seconds },
    ...{ value: image.virtualSize, unit: 'bytes', threshold: 'every byte as it was written, holes included' },
    evidence: `bytes written ${writtenBytes}, chunks kept ${keptChunks}, chunks written again ${mendedChunks}`,
  };
  const hash = { ...plain, id: 'flash_disk_hash', title: 'Disk hash', value: proof.diskRoot };
  if (image.diskRoot !== null)
    return [readBack, { ...hash, verdict: 'pass', threshold: 'as manifest.json says' }];
  const file = { ...plain, id: 'flash_image_file', title: 'Image file', value: null };
  return [
    readBack,
    {
      ...{ ...hash, verdict: 'not_run' },
      reason: 'no manifest.json lay beside the image, so it was compared with nothing',
    },
    image.fileChecked
      ? { ...file, verdict: 'pass', threshold: 'SHA-256 as the file beside it says' }
      : { ...file, verdict: 'not_run', reason: 'no checksum lay beside the image' },
  ];
}
