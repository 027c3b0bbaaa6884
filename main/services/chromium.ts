/** Where Chromium keeps its own files. The entry reads this before anything else, so it needs nothing but Node. */
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dataHome } from './datahome.ts';

/** With the app's data; in a folder for this once where nothing can be written there. */
export function chromiumFolder(): string {
  const own = resolve(dataHome(), 'chromium');
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
    accessSync(own, constants.W_OK);
    return own;
  } catch {
    return mkdtempSync(join(tmpdir(), 'vault-cube-chromium-'));
  }
}

const NOTE = 'drawn-in-software';
/** A graphics driver may have been installed meanwhile: after a week Chromium is let look again. */
const TRUSTED_MS = 7 * 24 * 3_600_000;

/**
 * Whether this version of Chromium lately found nothing to draw with but the processor. Looking for a graphics chip that is
 * not there takes a tenth of the start, and a process that holds memory.
 */
export function drawnInSoftware(folder: string, chrome: string): boolean {
  try {
    const path = join(folder, NOTE);
    return readFileSync(path, 'utf8') === chrome && Date.now() - statSync(path).mtimeMs < TRUSTED_MS;
  } catch {
    return false;
  }
}

/** Notes it for the next start; where nothing can be written that one looks again. */
export function noteDrawnInSoftware(folder: string, chrome: string): void {
  try {
    writeFileSync(join(folder, NOTE), chrome);
  } catch {
    // The start is a little slower.
  }
}
