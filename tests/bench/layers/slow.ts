/** A long, narrow link put into the cable of a box, and what it measures itself to be. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { RigBox } from '../../rig/box.ts';
import { PYTHON, must, run, until } from '../../rig/host.ts';

const PROBES = 5;
const PROBE_PORT = 9_022;
const PROBE_MS = 10_000;
const PROBE_BYTES = 8_000_000;
/** Segments and checksums that its network card would make: the box has none, and frames pass here as they are. */
const NO_OFFLOAD = `
import array, fcntl, socket, struct
for command in (0x1F, 0x24, 0x17):
    value = array.array('B', struct.pack('II', command, 0))
    fcntl.ioctl(socket.socket(), 0x8946, struct.pack('16sP16x', b'host0', value.buffer_info()[0]))
`;
const SERVE = `
import socket
server = socket.create_server(('', ${PROBE_PORT}))
print('ready', flush=True)
server.accept()[0].sendall(bytes(${PROBE_BYTES}))
`;

/** Ms from the first packet to an open connection: one round trip. */
async function roundTrip({ host, port }: RigBox): Promise<number> {
  const t0 = performance.now();
  const socket = connect({ host, port });
  await once(socket, 'connect');
  const ms = performance.now() - t0;
  socket.destroy();
  return ms;
}

export class SlowLink {
  readonly #relay: ChildProcess;
  readonly #namespace: string;

  private constructor(relay: ChildProcess, namespace: string) {
    this.#relay = relay;
    this.#namespace = namespace;
  }

  /** Until the box is rebooted, which brings it a new cable. `ms` is the round trip, `mbit` the rate of each way. */
  static async put(box: RigBox, ms: number, mbit: number): Promise<SlowLink> {
    const [namespace, tap, port] = [`${box.name}w`, `vd-${box.name}`, `vb-${box.name}`];
    const off = await box.run(['python3', '-c', NO_OFFLOAD]);
    assert.equal(off.code, 0, off.stderr);
    await must('ip', ['netns', 'add', namespace]);
    await must('ip', ['link', 'set', port, 'netns', namespace]);
    await must('ip', ['-n', namespace, 'link', 'set', port, 'up']);
    const script = join(import.meta.dirname, 'slow_link.py');
    const relay = spawn(PYTHON, [script, tap, namespace, port, String(ms / 2), String(mbit)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const link = new SlowLink(relay, namespace);
    try {
      await Promise.race([once(relay.stdout ?? relay, 'data'), once(relay, 'exit')]);
      assert.equal(relay.exitCode, null, 'the slow link did not start');
      await must('ip', ['link', 'set', tap, 'master', box.name, 'up']);
      await box.waitForSsh();
      return link;
    } catch (error) {
      await link.end();
      throw error;
    }
  }

  /** The shortest round trip in ms, and Mbit/s from the box. Before the box has its firewall. */
  static async measure(box: RigBox): Promise<{ ms: number; mbit: number }> {
    const trips: number[] = [];
    for (let n = 0; n < PROBES; n++) trips.push(await roundTrip(box));
    const served = box.run(['python3', '-c', SERVE]);
    let bytes = 0;
    let t0 = NaN;
    const fetched = async () => {
      const socket = connect({ host: box.host, port: PROBE_PORT });
      socket.on('error', () => undefined); // nobody listens in the first moments
      t0 = performance.now();
      socket.on('data', (data: Buffer) => (bytes += data.length));
      await new Promise((resolve) => socket.once('close', resolve));
      return bytes > 0;
    };
    await until('an answer of the probe', fetched, PROBE_MS);
    const seconds = (performance.now() - t0) / 1000;
    await served;
    assert.equal(bytes, PROBE_BYTES);
    return { ms: Math.min(...trips), mbit: (bytes * 8) / 1e6 / seconds };
  }

  /** After the box is off: its cable ends in here. */
  async end(): Promise<void> {
    const ended = this.#relay.exitCode === null ? once(this.#relay, 'exit') : null;
    this.#relay.stdin?.end();
    await ended;
    await run('ip', ['netns', 'del', this.#namespace]);
  }
}
