/** The kernel's lists of mounts and swaps. Pure. */

export interface Mount {
  /** `8:2`; `0:…` for file systems that are on no device of their own, btrfs among them. */
  majMin: string;
  mountpoint: string;
  fileSystem: string;
  source: string;
  /** Those of the super block. */
  options: string[];
}

/** Blanks, tabs, newlines and backslashes are written as octal numbers there. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

/** /proc/self/mountinfo, in its order; a line that is none is left out. */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [own = '', rest] = line.split(' - ');
    const [, , majMin, , mountpoint] = own.split(' ');
    const [fileSystem, source, options = ''] = rest?.split(' ') ?? [];
    if (!majMin || !mountpoint || !fileSystem || source === undefined) return [];
    return [
      {
        majMin,
        mountpoint: unescape(mountpoint),
        fileSystem,
        source: unescape(source),
        options: options.split(',').map(unescape),
      },
    ];
  });
}

export interface Swap {
  path: string;
  file: boolean;
}

/** /proc/swaps. */
export function parseSwaps(text: string): Swap[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [path, kind] = line.split(/\s+/);
      return path && kind ? [{ path: unescape(path), file: kind === 'file' }] : [];
    });
}

/** The mount in which an absolute path lies; of several at one place the last, which hides the others. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const { mountpoint } = mount;
    const inside = mountpoint === '/' || path === mountpoint || path.startsWith(`${mountpoint}/`);
    if (inside && mountpoint.length >= (found?.mountpoint.length ?? 0)) found = mount;
  }
  return found;
}

/** The lower layers of an overlay, from the top; `lowerdir+=` is how newer kernels print them. */
export const lowerLayers = ({ options }: Mount): string[] =>
  options.flatMap((option) => {
    const [, paths] = /^(?:lowerdir|lowerdir\+|datadir\+)=(.*)$/.exec(option) ?? [];
    return paths?.split(':').filter(Boolean) ?? [];
  });

export const upperLayers = ({ options }: Mount): string[] =>
  options.flatMap((option) => /^upperdir=(.*)$/.exec(option)?.[1] ?? []);
