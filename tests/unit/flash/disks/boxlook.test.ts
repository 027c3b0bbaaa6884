/** The look at a box's disks is the look at a laptop's: on this machine both say the same. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PLACES, gather } from '../../../../main/services/flash/disks/facts.ts';
import { disksOf } from '../../../../main/services/flash/disks/linux.ts';
import { LSBLK_ARGS } from '../../../../main/services/flash/disks/lsblk.ts';
import { Look, worldOf } from '../../../../main/services/flash/disks/world.ts';
import { productRoot } from '../../../../main/services/paths.ts';

const source = readFileSync(`${productRoot()}/resources/box/vcbox/disks.py`, 'utf8');
const lists = (() => {
  try {
    execFileSync('lsblk', LSBLK_ARGS, { stdio: 'pipe' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
})();

describe.runIf(lists)(`a look at a box${lists ? '' : ' (not run: no lsblk here)'}`, () => {
  const look = () =>
    Look.parse(
      JSON.parse(execFileSync('python3', ['-I', '-c', source, ...LSBLK_ARGS], { encoding: 'utf8' })),
    );

  it('tells what is told here', async () => {
    // Other tests make and remove devices meanwhile: a few tries until nothing has changed in between.
    for (let tries = 0; ; tries += 1) {
      const here = await gather();
      const there = await gather(PLACES, worldOf(look()));
      const again = await gather();
      if (JSON.stringify([...here.devices]) !== JSON.stringify([...again.devices]) && tries < 10) continue;
      expect(there.devices).toEqual(here.devices);
      expect(there.more).toEqual(here.more);
      expect(there.mounts).toEqual(here.mounts);
      expect(there.links).toEqual(here.links);
      expect(there.fileSystems.map(String).sort()).toEqual(here.fileSystems.map(String).sort());
      expect([there.swaps, there.zfs, there.contents]).toEqual([here.swaps, here.zfs, here.contents]);
      const options = { image: null, alsoLoop: true };
      expect(disksOf(there, options)).toEqual(disksOf(here, options));
      return;
    }
  });

  it('that saw nothing offers nothing: a device without a look into it is in the way', async () => {
    const seen = look();
    const blind = worldOf({ ...seen, files: { '/proc/self/mountinfo': '' }, dirs: {}, root: false });
    const facts = await gather(PLACES, blind);
    expect(facts.contents).toBe('nobody');
    for (const disk of disksOf(facts, { image: null, alsoLoop: false }))
      expect(disk.uses.map((use) => use.why)).toContain('contents_unknown');
  });

  it('without lsblk, or without mounts, is told of', async () => {
    const seen = look();
    await expect(gather(PLACES, worldOf({ ...seen, runs: [] }))).rejects.toThrow('there is no lsblk');
    await expect(gather(PLACES, worldOf({ ...seen, files: {} }))).rejects.toThrow('mounts cannot be read');
  });

  it('is refused where it is none', () => {
    for (const odd of [
      {},
      { v: 2 },
      { ...look(), dirs: { '/sys': 'x' } },
      { ...look(), runs: [{ argv: 1 }] },
    ])
      expect(Look.safeParse(odd).success).toBe(false);
  });
});
