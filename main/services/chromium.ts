/** Where Chromium keeps its own files. The entry reads this before anything else, so it needs nothing but Node. */
import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
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
