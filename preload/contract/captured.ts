/**
 * Numbers that were captured from a machine itself: what was measured there once says nothing of whether that is as good as it should be. So a
 * check whose floor was captured from the same GPUs informs and decides nothing, and a profile that says otherwise is refused. Pure.
 */
import type { Profile } from './profile.ts';

/** Begins the source of such a number. */
export const CAPTURED = 'captured from ';
export const CAPTURED_WHY = 'the floor was captured from the same GPUs';

interface Floor {
  min: number;
  source: string;
}

/** The floors of a profile that suites measure themselves, by the check that is judged by them. */
export function floorsOf({ gpu, load }: Pick<Profile, 'gpu' | 'load'>): Record<string, readonly Floor[]> {
  const { ddp, bench, vllm } = load ?? {};
  const all: Record<string, readonly (Floor | undefined)[]> = {
    gpu_bar1: [gpu.bar1MiB],
    t2_images: [ddp?.imagesPerSecond],
    t2_allreduce: [ddp?.allreduceBusGBps],
    t6_allreduce: [ddp?.allreduceBusGBps],
    t6_gemm: Object.values(bench?.tflops ?? {}),
    t6_memory: [bench?.memoryGBps],
    t6_host_to_device: [bench?.hostToDeviceGBps],
    t6_device_to_host: [bench?.deviceToHostGBps],
    t6_peer: [bench?.peerGBps],
    t6_vllm: [vllm?.batchTokensPerSecond],
  };
  return Object.fromEntries(
    Object.entries(all).map(([check, floors]) => [check, floors.filter((f) => f !== undefined)]),
  );
}

/** Checks with a captured floor that the profile has decide; empty where all is well. */
export function wronglyRequired(profile: Pick<Profile, 'gpu' | 'load' | 'expectations'>): string[] {
  return Object.entries(floorsOf(profile))
    .filter(([, floors]) => floors.some(({ source }) => source.startsWith(CAPTURED)))
    .map(([check]) => check)
    .filter((check) => profile.expectations[check]?.kind !== 'informative');
}
