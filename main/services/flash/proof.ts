/** What a flash that ended well has shown, as checks like those of a box: for the window, the log and who reads it later. Pure. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { Proof } from './engine.ts';
import type { FlashImage } from './image.ts';

type Compared = Pick<FlashImage, 'virtualSize' | 'diskRoot' | 'fileChecked'>;

export function checksOf(proof: Proof, image: Compared, seconds: number): CheckResult[] {
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
