/** The entry: opens the window as soon as Electron can, and loads what it stands on (start.ts) while the page loads. */
import { app, BrowserWindow, dialog, ipcMain } from 'electron';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STARTED } from '../preload/contract/names.ts';
import { chromiumFolder, drawnInSoftware, noteDrawnInSoftware } from './services/chromium.ts';
import { PAPER_SWITCH, PRINT_SWITCH, PRINTED, TO_PRINT } from './printing.ts';
import { openWindow, printFile, registerScheme, secure } from './window.ts';

const OUT = import.meta.dirname;

registerScheme();
// What Chromium keeps lies with our own data: one folder to keep or to remove, and one window a folder.
const printing = app.commandLine.getSwitchValue(PRINT_SWITCH);
const chromium = printing ? join(printing, 'chromium') : chromiumFolder();
app.setPath('userData', chromium);
const { chrome = '' } = process.versions;
const software = printing !== '' || drawnInSoftware(chromium, chrome);
if (software) app.disableHardwareAcceleration();

/** Told by Chromium once it knows what it draws with: `enabled`, `disabled_software`, … */
function noteDrawing(): void {
  if (app.getGPUFeatureStatus().gpu_compositing.startsWith('disabled')) noteDrawnInSoftware(chromium, chrome);
}

async function open(): Promise<void> {
  // Not before the page has its files: it is read and drawn while this process reads its own.
  const served = secure(join(OUT, '../renderer'));
  const page = openWindow(join(OUT, '../preload/index.cjs')).webContents;
  const started = served.then(() => import('./start.ts')).then(({ start }) => start(page));
  ipcMain.handle(STARTED, () => started);
  if (!software) app.on('gpu-info-update', noteDrawing);
  await started;
}

/** For the command line: prints the page that lies in the folder once a line says so, and ends; ends without one as well. */
async function print(folder: string): Promise<void> {
  process.stdin.once('end', () => app.exit(1));
  await once(process.stdin, 'data');
  process.stdin.removeAllListeners('end');
  const paper = app.commandLine.getSwitchValue(PAPER_SWITCH) === 'Letter' ? 'Letter' : 'A4';
  writeFileSync(join(folder, PRINTED), await printFile(join(folder, TO_PRINT), paper));
  app.exit(0);
}

if (printing) {
  app
    .whenReady()
    .then(() => print(printing))
    .catch(() => app.exit(1));
} else if (!app.requestSingleInstanceLock()) app.quit();
else {
  app.on('window-all-closed', () => app.quit());
  app.on('second-instance', () => BrowserWindow.getAllWindows()[0]?.focus());
  // Not awaited: Electron gets ready only after this module has ended.
  app
    .whenReady()
    .then(open)
    .catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      dialog.showErrorBox('Vault Cube Provisioner cannot start', `${detail}\n\nInstall the app again.`);
      app.exit(1);
    });
}
