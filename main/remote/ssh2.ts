/** The SSH library, read when something of it is first used: that takes 60 ms, and the window's first screen needs none of it. */
import { createRequire } from 'node:module';
import type library from 'ssh2';

type Library = typeof library;

const fromHere = createRequire(import.meta.url);
let read: Library | undefined;
const load = (): Library => (read ??= fromHere('ssh2') as Library);

export const ssh2: Pick<
  Library,
  'AgentProtocol' | 'BaseAgent' | 'Client' | 'Server' | 'createAgent' | 'utils'
> = {
  get AgentProtocol() {
    return load().AgentProtocol;
  },
  get BaseAgent() {
    return load().BaseAgent;
  },
  get Client() {
    return load().Client;
  },
  get Server() {
    return load().Server;
  },
  get createAgent() {
    return load().createAgent;
  },
  get utils() {
    return load().utils;
  },
};
