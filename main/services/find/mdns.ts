/**
 * As much of multicast DNS (RFC 6762) as asking for `_ssh._tcp.local` takes: one question, and the records of an answer.
 * Pure; a message that is cut short or points at itself gives the records read until there.
 */

export const MDNS_PORT = 5353;
export const MDNS_V4 = '224.0.0.251';
export const MDNS_V6 = 'ff02::fb';
const SERVICE = '_ssh._tcp.local';

const TYPE = { a: 1, ptr: 12, aaaa: 28, srv: 33 } as const;
const IN = 1;
const HEADER = 12;
/** A name of 255 bytes has at most so many labels; a pointer that runs in a circle ends here. */
const MAX_LABELS = 128;

export interface SshService {
  /** The host's name, `vc-0042.local`. */
  host: string;
  port: number;
  addresses: string[];
}

/** The question: which hosts offer SSH. The asker's port is not 5353, so the answers come to it alone. */
export function sshQuery(): Buffer {
  const labels = SERVICE.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]);
  const header = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Buffer.from([...header, ...labels, 0, 0, TYPE.ptr, 0, IN]);
}

class Reader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  u16(): number {
    this.at += 2;
    return this.#bytes.readUInt16BE(this.at - 2);
  }

  take(length: number): Buffer {
    if (this.at + length > this.#bytes.length) throw new RangeError('the message ends early');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    const labels: string[] = [];
    let from = this.at;
    let after: number | null = null;
    for (let count = 0; count < MAX_LABELS; count++) {
      const length = this.#bytes.readUInt8(from);
      if (length === 0) {
        this.at = after ?? from + 1;
        return labels.join('.');
      }
      if (length >= 0xc0) {
        after ??= from + 2;
        from = this.#bytes.readUInt16BE(from) & 0x3fff;
      } else {
        labels.push(this.#bytes.toString('utf8', from + 1, from + 1 + length));
        from += 1 + length;
      }
    }
    throw new RangeError('a name without an end');
  }
}

const ipv6 = (bytes: Buffer): string => {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':');
  // The URL parser writes an address in its one short form.
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
};

/** The SSH services an answer tells of, with the addresses it brings for their hosts. */
export function parseAnswer(message: Buffer): SshService[] {
  const services = new Map<string, { host: string; port: number }>();
  const addresses = new Map<string, string[]>();
  try {
    const reader = new Reader(message, 4);
    const questions = reader.u16();
    const records = reader.u16() + reader.u16() + reader.u16();
    reader.at = HEADER;
    for (let n = 0; n < questions; n++) {
      reader.name();
      reader.take(4);
    }
    for (let n = 0; n < records; n++) {
      const name = reader.name().toLowerCase();
      const type = reader.u16();
      reader.take(6);
      const data = reader.take(reader.u16());
      const end = reader.at;
      if (type === TYPE.srv && name.endsWith(SERVICE)) {
        const port = data.readUInt16BE(4);
        services.set(name, { host: new Reader(message, end - data.length + 6).name(), port });
      } else if (type === TYPE.a || type === TYPE.aaaa) {
        const text = type === TYPE.a ? [...data.subarray(0, 4)].join('.') : ipv6(data);
        addresses.set(name, [...(addresses.get(name) ?? []), text]);
      }
    }
  } catch (error) {
    // Anybody on the link can send anything: what was whole is used, the rest is not.
    if (!(error instanceof RangeError)) throw error;
  }
  return [...services.values()].map(({ host, port }) => ({
    host,
    port,
    addresses: addresses.get(host.toLowerCase()) ?? [],
  }));
}
