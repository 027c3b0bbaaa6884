/** An xterm with what every terminal of the app has: fit, search, links that are only shown, Unicode widths, WebGL while it lasts. */
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';

/** Lines that can be scrolled back to. */
const SCROLLBACK = 5_000;

const LIGHT = {
  background: '#ffffff',
  foreground: '#1f2328',
  cursor: '#1f2328',
  selectionBackground: '#b6d7ff',
};
const DARK = {
  background: '#141517',
  foreground: '#e6e6e6',
  cursor: '#e6e6e6',
  selectionBackground: '#264f78',
};

export interface Screen {
  term: Terminal;
  fit: FitAddon;
  search: SearchAddon;
  /** `webgl`, or `dom` where that is not to be had or its context was lost. */
  renderer: () => 'webgl' | 'dom';
  dispose: () => void;
}

export const themeFor = (dark: boolean) => (dark ? DARK : LIGHT);

/** What draws WebGL in software calls itself: ANGLE over SwiftShader, Mesa's rasterizers, and Windows' own. */
const IN_SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Whether WebGL is drawn by a graphics chip. In software it takes more than a whole core, and xterm's own drawing is quicker. */
function hasGraphics(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !IN_SOFTWARE.test(name);
}

/** Puts a terminal into the element. A lost WebGL context costs a redraw, never the content. */
export function makeScreen(element: HTMLElement, dark: boolean): Screen {
  const term = new Terminal({
    allowProposedApi: true,
    convertEol: false,
    cursorBlink: true,
    fontFamily: '"JetBrains Mono", monospace',
    fontSize: 13,
    scrollback: SCROLLBACK,
    theme: themeFor(dark),
    // Programs choose colours for a dark terminal; on a white one they would not be read.
    minimumContrastRatio: 4.5,
    screenReaderMode: false,
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  term.loadAddon(fit);
  term.loadAddon(search);
  term.loadAddon(new Unicode11Addon());
  term.unicode.activeVersion = '11';
  term.open(element);
  let renderer: 'webgl' | 'dom' = 'dom';
  if (hasGraphics())
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => {
        webgl.dispose();
        renderer = 'dom';
        term.refresh(0, term.rows - 1);
      });
      term.loadAddon(webgl);
      renderer = 'webgl';
    } catch {
      // No WebGL on this laptop: xterm draws into the page itself, more slowly.
    }
  fit.fit();
  return { term, fit, search, renderer: () => renderer, dispose: () => term.dispose() };
}
