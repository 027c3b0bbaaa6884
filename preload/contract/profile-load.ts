/**
 * What a profile says of load: what suites T2 to T7 run with on this machine type, and the least that must come of it. Every number
 * carries its source. A floor that nobody has published, or measured on other machines, is left out: the number is then shown and not judged.
 * Read by resources/box/vcbox/checks/load_look.py.
 */
import { z } from 'zod';
import { Max, Min, sourced } from './sourced.ts';

export const Framework = z.enum(['torch', 'tensorflow', 'vllm']);
export type Framework = z.infer<typeof Framework>;

const count = z.number().int().positive();
const seconds = z.number().positive();

/** T2 and T6's scaling: ResNet-50 under DistributedDataParallel. Batch, precision and image size are part of every result. */
const Ddp = z.strictObject({
  /** Images a GPU. */
  batch: sourced(count),
  precision: sourced(z.enum(['bf16', 'fp16', 'tf32', 'fp32'])),
  imageSize: sourced(count),
  warmupSteps: sourced(count),
  /** Of each measured window. */
  seconds: sourced(seconds),
  allreduceMiB: sourced(count),
  /** images/s on all GPUs over that many times one GPU's; more than this. */
  scalingPercent: Min,
  /** Mean of telemetry over the measured window, on each GPU; more than this. */
  utilizationPercent: Min,
  imagesPerSecond: Min.optional(),
  /** Bus bandwidth as nccl-tests defines it. */
  allreduceBusGBps: Min.optional(),
});

/** T6: single GPUs and what is between them. Floors are of each GPU, or of each pair. */
const Bench = z.strictObject({
  /** Rows and columns of the matrices. */
  matrix: sourced(count),
  /** Of each measurement. */
  seconds: sourced(seconds),
  mib: sourced(count),
  tflops: z.partialRecord(z.enum(['fp32', 'tf32', 'bf16', 'fp16', 'fp8']), Min).default({}),
  /** Bytes read and bytes written. */
  memoryGBps: Min.optional(),
  hostToDeviceGBps: Min.optional(),
  deviceToHostGBps: Min.optional(),
  peerGBps: Min.optional(),
});

/** T4 and T6's throughput. */
const Vllm = z.strictObject({
  /** A folder below /opt/vault-cube/models or the bundle's models; the first there without it. */
  model: sourced(z.string().min(1)).optional(),
  maxModelLen: sourced(count),
  /** Of each card's memory. */
  memoryFraction: sourced(z.number().gt(0).lt(1)),
  /** Without graphs and compiling: what needs no compiler starts on every box. */
  enforceEager: sourced(z.boolean()),
  /** Of each answer whose speed is measured. */
  tokens: sourced(count),
  /** At once. */
  requests: sourced(count),
  tokensPerSecond: Min,
  batchTokensPerSecond: Min.optional(),
  /** The most in use on each card. */
  memoryMiB: Max,
  /** Beginnings, and words of which one must follow; a model's own vault-cube-expected.json goes before. */
  prompts: sourced(
    z.array(z.strictObject({ prompt: z.string().min(1), expect: z.array(z.string().min(1)).min(1) })),
  ),
});

const Soak = z.strictObject({
  seconds: sourced(seconds),
  matrix: sourced(count),
  /** Of each card's free memory. */
  memoryFraction: sourced(z.number().gt(0).lt(1)),
  /** The mean of so many minutes is compared with the one of as many before. */
  steadyMinutes: sourced(count),
  steadyKelvin: Max,
  /** Whether the load draws the whole power limit of these cards, so that the draw is judged by it. */
  toTarget: sourced(z.boolean()),
});

export const Load = z.strictObject({
  /** What the cards draw under full load, together. */
  watts: sourced(z.number().positive()),
  /** So long a load program may finish nothing before it counts as hung. */
  silenceSeconds: Max,
  /** Environment of every load program, where a machine type needs one. */
  environment: sourced(z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string())).optional(),
  /**
   * The interpreters of a machine that has its frameworks from elsewhere: absolute paths, in place of layer 4's environments. Suites that need
   * nothing else of that layer run there without it.
   */
  python: z.partialRecord(Framework, sourced(z.string().startsWith('/'))).default({}),
  ddp: Ddp,
  tensorflow: z.strictObject({ memoryMiB: sourced(count) }),
  vllm: Vllm,
  bench: Bench,
  vram: z.strictObject({ fraction: sourced(z.number().gt(0).lt(1)), rounds: sourced(count) }),
  soak: Soak,
});
export type Load = z.infer<typeof Load>;

/** Frameworks that a machine type has from elsewhere. */
export const ownFrameworks = (load: Load | undefined): Framework[] =>
  Framework.options.filter((name) => load?.python[name] !== undefined);
