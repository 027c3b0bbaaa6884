/** The part of a hardware profile about its GPUs. */
import { z } from 'zod';
import { Max, Min, source, sourced, Version } from './sourced.ts';

/** What a card does while it works, judged over a measured window of telemetry (vcbox/windows.py). */
const UnderLoad = z.strictObject({
  /** Core temperature. */
  temperatureC: Max.optional(),
  utilizationPercent: Min.optional(),
  smClockMHz: Min.optional(),
  /** Mean power as a part of the target, for loads that are made to reach it; `seconds`: the least length of such a window. */
  powerOfTarget: z
    .strictObject({ min: z.number(), max: z.number(), seconds: z.number().positive(), source })
    .optional(),
  /** The longest time without a reading of a card. */
  gapSeconds: Max.optional(),
  /** The longest time in which no value of a working card changes. */
  staleSeconds: Max.optional(),
});

/** What the GPUs must be and how they must be doing; what is not named is not judged. */
export const GpuExpectation = z.strictObject({
  count: sourced(z.number().int().min(0)),
  name: sourced(z.string().min(1)),
  /** As the kernel prints it; seen on the PCI bus before any driver is there. */
  pciDevice: sourced(z.string().regex(/^0x[0-9a-f]{4}$/)).optional(),
  memoryMiB: sourced(z.number().int().positive()),
  memoryToleranceMiB: sourced(z.number().int().nonnegative()),
  pcieGen: sourced(z.number().int().min(1).max(7)),
  pcieWidth: sourced(z.number().int().min(1).max(32)),
  computeCapability: sourced(z.string()),
  idleTemperatureC: Max,
  driverFloor: Version,
  openModules: sourced(z.boolean()),
  /** The card's large memory window (BAR 1) where resizable BAR works. */
  bar1MiB: Min.optional(),
  /** In which nvidia-smi answers one question. */
  answerSeconds: Max.optional(),
  powerLimitW: sourced(z.number().positive()).optional(),
  /** Reasons of low clocks that are no fault, as nvidia-smi's XML names them. */
  throttleAcceptable: sourced(z.array(z.string().regex(/^[a-z_]+$/))).optional(),
  /** Packets sent again since the driver was loaded. */
  pcieReplays: Max.optional(),
  /** Corrected PCIe errors that a card's or its port's counters or the kernel log show. */
  aerCorrectable: Max.optional(),
  eccUncorrectable: Max.optional(),
  /** Errors of the driver's that fail; others warn. */
  fatalXids: sourced(z.array(z.number().int().positive())).optional(),
  /** Below this core temperature a fan may stand. */
  fanRestsBelowC: Max.optional(),
  underLoad: UnderLoad.optional(),
});
