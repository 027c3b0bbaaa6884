/**
 * What the system that was flashed is, once it was met: the machine looked at anew, and the health checks of its layers. Which layers
 * there are the image's manifest says; where none does, those of which a trace is found.
 */
import type { Profile } from '../../../preload/contract/profile.ts';
import type { Run, Session } from '../../../preload/contract/session.ts';
import { layersOf } from '../../../preload/contract/standing.ts';
import type { Connection } from '../../remote/connection.ts';
import type { App } from '../app.ts';
import { inspectOver, type Inspected } from '../inspect.ts';
import { planCheck } from '../provision.ts';
import type { Secrets } from '../secrets.ts';

/** What each layer leaves where it was installed, whether or not it is healthy: a shell's test. */
const TRACES: Readonly<Record<number, string>> = {
  0: 'test -e /opt/vault-cube/ansible',
  1: 'command -v docker && command -v ufw',
  2: 'command -v nvidia-smi',
  3: 'command -v nvidia-ctk',
  4: 'test -e /opt/vault-cube/venvs',
  5: 'test -e /usr/local/bin/vault-cube-test-gpu',
  6: 'command -v aide && command -v auditctl',
};

/** Prints the number of each layer of which there is a trace. */
export const TRACES_LOOK = Object.entries(TRACES)
  .map(([layer, test]) => `{ ${test}; } >/dev/null 2>&1 && echo ${layer}`)
  .concat(':')
  .join('; ');

export function readTraces(text: string): number[] {
  return text
    .split('\n')
    .filter((line) => /^\d+$/.test(line.trim()))
    .map(Number);
}

export interface Plan {
  /** Null where there is no layer to check. */
  run: Run | null;
  /** By the manifest, or by traces where it says nothing. */
  from: 'manifest' | 'traces';
  layers: number[];
  /** Layers that the manifest names and the profile does not know; nobody can check them. */
  unknown: number[];
}

/** The machine looked at over this connection, and which health checks it is to have. Errors: those of inspectOver, link_lost. */
export async function lookAtFlashed(
  app: App,
  session: Session,
  secrets: Secrets,
  conn: Connection,
  profile: Profile,
): Promise<Plan & { inspected: Inspected }> {
  const inspected = await inspectOver(app, session, secrets, conn, { profile });
  const { claims } = inspected.session;
  const found = claims ?? readTraces((await conn.exec(TRACES_LOOK)).stdout.toString('utf8'));
  return { inspected, ...planFor(inspected.session, profile, found) };
}

/** Pure. Errors: keys_needed. */
export function planFor(session: Session, profile: Profile, found: readonly number[]): Plan {
  const known = layersOf(profile).map(({ layer }) => layer);
  const layers = known.filter((layer) => found.includes(layer));
  return {
    run: layers.length ? planCheck(session, profile, layers) : null,
    from: session.claims === null ? 'traces' : 'manifest',
    layers,
    unknown: session.claims === null ? [] : found.filter((layer) => !known.includes(layer)),
  };
}

/** What was checked and why, as a sentence. Pure. */
export function planText({ from, layers, unknown }: Pick<Plan, 'from' | 'layers' | 'unknown'>): string {
  const named = layers.map((layer) => `L${layer}`).join(', ');
  const lost = unknown.length
    ? ` Not checked, as the profile does not know them: ${unknown.map((layer) => `L${layer}`).join(', ')}.`
    : '';
  if (from === 'manifest')
    return `The image's manifest claims ${named || 'no layer that can be checked'}.${lost}`;
  return layers.length
    ? `No manifest says which layers the image has; there are traces of ${named}.`
    : 'No manifest says which layers the image has, and there is no trace of one.';
}
