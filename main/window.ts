/** The window and every security setting of Electron. The page comes from app:// alone, and can reach nothing else. */
import {
  BrowserWindow,
  Menu,
  app,
  dialog,
  protocol,
  session,
  shell,
  type IpcMainInvokeEvent,
} from 'electron';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const ORIGIN = 'app://vault-cube';
/** Styles are set on elements by the charts, the terminal and the component library; everything else is ours by file. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Of every kind of file that a built page has; a file of another kind is not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** Before the app is ready: app:// behaves like https. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Serves the built page, and locks what a page could do. Resolves once the page was given its first script. */
export function secure(pageFolder: string): Promise<void> {
  let given = () => {};
  const served = new Promise<void>((resolve) => (given = resolve));
  protocol.handle('app', async (request) => {
    const { host, pathname } = new URL(request.url);
    const path = normalize(join(pageFolder, decodeURIComponent(pathname === '/' ? '/index.html' : pathname)));
    const type = TYPES[extname(path)];
    if (host !== 'vault-cube' || !path.startsWith(pageFolder + sep) || type === undefined)
      return new Response(null, { status: 404 });
    const file = await readFile(path).catch(() => null);
    if (file === null) return new Response(null, { status: 404 });
    const headers = {
      'Content-Type': type,
      'Content-Security-Policy': CSP,
      'X-Content-Type-Options': 'nosniff',
    };
    if (type === TYPES['.js']) setImmediate(given);
    return new Response(file, { status: 200, headers });
  });
  const only = session.defaultSession;
  // Copying out of the terminal is the one thing a page may do with the system.
  const allowed = (permission: string) => permission === 'clipboard-sanitized-write';
  only.setPermissionRequestHandler((_page, permission, done) => done(allowed(permission)));
  only.setPermissionCheckHandler((_page, permission) => allowed(permission));
  only.setDevicePermissionHandler(() => false);
  // Nothing is loaded but our own files: not even a mistake in the page can reach the network.
  only.webRequest.onBeforeRequest((details, done) => {
    const { protocol: scheme } = new URL(details.url);
    done({ cancel: !['app:', 'devtools:', 'data:', 'blob:', 'file:'].includes(scheme) });
  });
  app.on('web-contents-created', (_event, page) => {
    page.on('will-navigate', (event) => event.preventDefault());
    page.on('will-redirect', (event) => event.preventDefault());
    page.on('will-attach-webview', (event) => event.preventDefault());
    page.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
  return served;
}

export function isOurs(event: IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && new URL(frame.url).origin === new URL(ORIGIN).origin;
}

/** A laptop's screen on a noisy site: 1366 × 768 less the system's bars. */
const SIZE = { width: 1320, height: 720, minWidth: 960, minHeight: 600 };

export function openWindow(preload: string): BrowserWindow {
  // The default menu reloads the page at Ctrl+R, and takes what was typed with it. On macOS it also is what copies and pastes.
  if (process.platform !== 'darwin') Menu.setApplicationMenu(null);
  const window = new BrowserWindow({
    ...SIZE,
    show: false,
    title: 'Vault Cube Provisioner',
    backgroundColor: '#1a1b1e',
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(`${ORIGIN}/`);
  return window;
}

/**
 * Asks before the window is closed while that costs something. `losses`: what it would end, in sentences; null where nothing. In the
 * system's own dialog: it is asked also where the page does not answer.
 */
export function askBeforeClosing(
  window: BrowserWindow,
  losses: () => { title: string; all: string[] } | null,
): void {
  let state: 'open' | 'asking' | 'agreed' = 'open';
  window.on('close', (event) => {
    if (state === 'agreed') return;
    const found = losses();
    if (found === null) return;
    event.preventDefault();
    if (state === 'asking') return;
    state = 'asking';
    void dialog
      .showMessageBox(window, {
        ...{ type: 'warning', title: 'Vault Cube Provisioner', noLink: true, defaultId: 0, cancelId: 0 },
        message: found.title,
        detail: found.all.join('\n\n'),
        buttons: ['Keep it running', 'Stop it and close'],
      })
      .then(({ response }) => {
        state = response === 1 ? 'agreed' : 'open';
        if (response === 1) window.close();
      });
  });
}

/**
 * Prints a page from a file to a tagged PDF, in a window that nobody sees and that can run no script and reach nothing else. Drawn
 * off the screen, so that no display is needed.
 */
export async function printFile(path: string, paper: 'A4' | 'Letter'): Promise<Buffer> {
  const partition = session.fromPartition('print', { cache: false });
  const url = pathToFileURL(path).href;
  partition.webRequest.onBeforeRequest((details, done) => done({ cancel: details.url !== url }));
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      session: partition,
      sandbox: true,
      contextIsolation: true,
      javascript: false,
      offscreen: true,
    },
  });
  try {
    await window.loadURL(url);
    return await window.webContents.printToPDF({
      pageSize: paper,
      printBackground: true,
      generateTaggedPDF: true,
      generateDocumentOutline: true,
    });
  } finally {
    window.destroy();
  }
}

/** Shows a file that this app wrote, in the system's own program for it. */
export async function openPath(path: string): Promise<string> {
  return shell.openPath(path);
}
