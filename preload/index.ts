/** The bridge: every call and every notice of the contract by name, and the ports of terminals; no ipcRenderer gets out. */
import { contextBridge, ipcRenderer } from 'electron';
import { CALL_NAMES, NOTICE_NAMES, STARTED } from './contract/names.ts';
import { TERMINAL_PORT } from './contract/terminal.ts';

const started = ipcRenderer.invoke(STARTED);

const call = Object.fromEntries(
  CALL_NAMES.map((name) => [
    name,
    async (input: unknown): Promise<unknown> => {
      await started;
      return ipcRenderer.invoke(name, input);
    },
  ]),
);

const on = Object.fromEntries(
  NOTICE_NAMES.map((name) => [
    name,
    (listener: (notice: unknown) => void) => {
      const wrapped = (_event: unknown, notice: unknown) => listener(notice);
      ipcRenderer.on(name, wrapped);
      return () => void ipcRenderer.off(name, wrapped);
    },
  ]),
);

// A port cannot cross the bridge; the page gets it as a message of its own window.
ipcRenderer.on(TERMINAL_PORT, (event, terminal: unknown) => {
  window.postMessage({ type: TERMINAL_PORT, terminal }, window.location.origin, event.ports);
});

contextBridge.exposeInMainWorld('api', { call, on });
