// Draws resources/icons/icon.svg in the sizes and formats that systems want. Run by hand after a change of the drawing, where
// there is a display: `xvfb-run -a node scripts/icons.mjs`. What it writes is committed.
import { _electron } from '@playwright/test';
import { Buffer } from 'node:buffer';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { electronRuntime } from './electron.mjs';
import { ROOT, isRoot } from './lib.mjs';

const ICONS = join(ROOT, 'resources/icons');
const LINUX = [16, 24, 32, 48, 64, 128, 256, 512];
const WINDOWS = [16, 24, 32, 48, 64, 256];
/** Apple's four letters for a PNG of this size. */
const MAC = { ic11: 32, ic12: 64, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 };

/** The drawing as PNG files, by size, each drawn at its size by Chromium on a page of one picture. */
async function pngs(sizes) {
  const svg = readFileSync(join(ICONS, 'icon.svg')).toString('base64');
  const blank = mkdtempSync(join(tmpdir(), 'vault-cube-icons-'));
  writeFileSync(join(blank, 'package.json'), '{"name":"icons","version":"1.0.0","main":"main.mjs"}');
  writeFileSync(
    join(blank, 'main.mjs'),
    "import { app, BrowserWindow } from 'electron';\nvoid app.whenReady().then(() => new BrowserWindow().loadURL('about:blank'));\n",
  );
  const app = await _electron.launch({
    executablePath: join(await electronRuntime(), 'electron'),
    args: [...(isRoot ? ['--no-sandbox'] : []), '--force-device-scale-factor=1', blank],
  });
  try {
    const page = await app.firstWindow();
    const drawn = new Map();
    for (const size of sizes) {
      const url = await page.evaluate(
        async ([text, px]) => {
          const image = new globalThis.Image(px, px);
          image.src = `data:image/svg+xml;base64,${text}`;
          await image.decode();
          const canvas = Object.assign(globalThis.document.createElement('canvas'), {
            width: px,
            height: px,
          });
          canvas.getContext('2d').drawImage(image, 0, 0, px, px);
          return canvas.toDataURL('image/png');
        },
        [svg, size],
      );
      drawn.set(size, Buffer.from(url.split(',')[1], 'base64'));
    }
    return drawn;
  } finally {
    await app.close();
    rmSync(blank, { recursive: true, force: true });
  }
}

/** An .ico is a directory of pictures; PNG has been allowed in it since Windows Vista. */
function ico(images) {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let at = head.length;
  images.forEach(([size, png], i) => {
    const entry = head.subarray(6 + 16 * i);
    entry.writeUInt8(size % 256, 0);
    entry.writeUInt8(size % 256, 1);
    entry.writeUInt16LE(1, 4);
    entry.writeUInt16LE(32, 6);
    entry.writeUInt32LE(png.length, 8);
    entry.writeUInt32LE(at, 12);
    at += png.length;
  });
  return Buffer.concat([head, ...images.map(([, png]) => png)]);
}

/** An .icns is a list of chunks, each with four letters and its length. */
function icns(images) {
  const chunk = (letters, data) => {
    const head = Buffer.alloc(8);
    head.write(letters, 'latin1');
    head.writeUInt32BE(8 + data.length, 4);
    return Buffer.concat([head, data]);
  };
  return chunk('icns', Buffer.concat(images.map(([letters, png]) => chunk(letters, png))));
}

const drawn = await pngs([...new Set([...LINUX, ...WINDOWS, ...Object.values(MAC)])]);
mkdirSync(join(ICONS, 'linux'), { recursive: true });
for (const size of LINUX) writeFileSync(join(ICONS, 'linux', `${size}x${size}.png`), drawn.get(size));
writeFileSync(join(ICONS, 'icon.ico'), ico(WINDOWS.map((size) => [size, drawn.get(size)])));
writeFileSync(
  join(ICONS, 'icon.icns'),
  icns(Object.entries(MAC).map(([name, size]) => [name, drawn.get(size)])),
);
