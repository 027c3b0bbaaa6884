/** What the window asks of builds of golden images: a part of calls.ts. */
import { z } from 'zod';
import { ImageDeskState, ImageProof, ImageSet } from './image-desk.ts';
import { ImageOrderInput } from './image-order.ts';

const nothing = z.undefined();
const inSet = z.strictObject({ dir: z.string().min(1) });

export const imageCalls = {
  'image.state': { input: nothing, output: ImageDeskState },
  /** Answers once the building process has the order: how it goes on is in the log of each stage, and told by the notice `image`. */
  'image.build': { input: ImageOrderInput, output: ImageDeskState },
  /** Answers at once; the stage that runs ends in order. */
  'image.stop': { input: nothing, output: nothing },
  /** The files of a set; reads its manifest alone. */
  'image.set': { input: inSet, output: ImageSet },
  /** Reads the whole set, by the keys that are known here. */
  'image.verify': { input: inSet, output: ImageProof },
} as const;
