/** What a flash that ended well has shown, as checks like those of a box: for the window, the log and who reads it later. Pure. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import type { Proof } from './engine.ts';
import type { FlashImage } from './image.ts';

type Compared = Pick<FlashImage, 'virtualSize' | 'diskRoot' | 'fileChecked'>;

export function checksOf(proof: Proof, image: Compared, seconds: number): CheckResult[] {
  const common = { layer: null, suite: null, unit: null, source: null, reason: null, nextAction: null };
  const noneBeside = 'no manifest.json lay beside the image';
  return [
    {
      ...{ ...common, id: 'flash_read_back', title: 'Read back', verdict: 'pass', seconds },
      ...{
        value: image.virtualSize,
        unit: 'bytes',
        threshold: 'every byte as it was written, holes included',
      },
      evidence: `bytes written ${proof.writtenBytes}, chunks kept ${proof.keptChunks}, chunks written again ${proof.mendedChunks}`,
    },
    {
      ...{ ...common, id: 'flash_disk_hash', title: 'Disk hash', seconds: 0, value: proof.diskRoot },
      ...(image.diskRoot === null
        ? { verdict: 'not_run', threshold: null, reason: `${noneBeside}, so it was compared with nothing` }
        : { verdict: 'pass', threshold: "the manifest's" }),
      evidence: null,
    },
    {
      ...{ ...common, id: 'flash_image_file', title: 'Image file', seconds: 0, value: null, evidence: null },
      ...(image.fileChecked
        ? { verdict: 'pass', threshold: 'SHA-256 of the file beside it' }
        : {
            verdict: 'not_run',
            threshold: null,
            reason:
              image.diskRoot === null
                ? 'no checksum lay beside the image'
                : 'not needed: the disk hash was compared',
          }),
    },
  ];
}
