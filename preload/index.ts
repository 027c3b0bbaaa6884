/** The bridge: every call and every notice of the contract by name, and the ports of terminals; no ipcRenderer gets out. */
import { contextBridge, ipcRenderer } from 'electron';
import { calls, type CallName } from './contract/calls.ts';
import { notices, type NoticeName } from './contract/notices.ts';
import { TERMINAL_PORT } from './contract/terminal.ts';

const call = Object.fromEntries(
  (Object.keys(calls) as CallName[]).map((name) => [
    name,
    (input: unknown): Promise<unknown> => ipcRenderer.invoke(name, input),
  ]),
);

const on = Object.fromEntries(
  (Object.keys(notices) as NoticeName[]).map((name) => [
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
