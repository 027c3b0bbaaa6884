/** Where the app keeps its data on this laptop. Needs nothing but Node: the window's entry reads it first. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The data folder: VAULT_CUBE_HOME, else what the operating system has for it. */
export function dataHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env['VAULT_CUBE_HOME']) return env['VAULT_CUBE_HOME'];
  if (process.platform === 'win32')
    return join(env['APPDATA'] ?? join(homedir(), 'AppData/Roaming'), 'Vault Cube');
  if (process.platform === 'darwin') return join(homedir(), 'Library/Application Support/Vault Cube');
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'vault-cube');
}
