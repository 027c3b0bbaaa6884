/** The app's known_hosts: what it writes OpenSSH reads, and what OpenSSH or a person wrote beside it is kept. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KnownHosts, algorithm, fingerprint, isPinned } from '../../../main/remote/hostkeys.ts';
import { codeOf } from '../journal/bench.ts';

const TYPES = ['ed25519', 'rsa', 'ecdsa'] as const;
let keys: string;
let dir: string;
let known: KnownHosts;

const keygen = (...args: string[]): string =>
  execFileSync('ssh-keygen', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const wire = (name: string): Buffer =>
  Buffer.from(readFileSync(join(keys, `${name}.pub`), 'utf8').split(' ')[1] ?? '', 'base64');
/** What ssh-keygen finds for a name in the file; empty when it finds nothing. */
const find = (name: string): string => {
  try {
    return keygen('-F', name, '-f', known.path);
  } catch {
    return '';
  }
};
const text = () => readFileSync(known.path, 'utf8');

beforeAll(() => {
  keys = mkdtempSync(join(tmpdir(), 'vc-hostkeys-'));
  for (const type of TYPES) keygen('-q', '-t', type, '-N', '', '-C', '', '-f', join(keys, type));
  keygen('-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(keys, 'other'));
});
afterAll(() => rmSync(keys, { recursive: true, force: true }));
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-known-'));
  known = new KnownHosts(join(dir, 'sub', 'known_hosts'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('fingerprints', () => {
  it.each(TYPES)('of %s are those of ssh-keygen', (type) => {
    const [, shown] = keygen('-lf', join(keys, `${type}.pub`)).split(' ');
    expect(fingerprint(wire(type))).toBe(shown);
    expect(algorithm(wire(type))).toBe(readFileSync(join(keys, `${type}.pub`), 'utf8').split(' ')[0]);
  });

  it.each([
    Buffer.alloc(0),
    Buffer.alloc(3),
    Buffer.from([0, 0, 0, 0, 1]),
    Buffer.from([255, 255, 255, 255, 65]),
    Buffer.from('ssh-ed25519 AAAA'),
    Buffer.from([0, 0, 0, 1, 65]),
    Buffer.from([0, 0, 0, 2, 65, 10, 7]),
  ])('a key that is none is refused: %j', (bytes) => {
    expect(codeOf(() => algorithm(bytes))).toBe('ssh_protocol');
    expect(codeOf(() => known.pin('box', 22, bytes))).toBe('ssh_protocol');
  });
});

describe('pins', () => {
  it.each<[string, number, string]>([
    ['192.0.2.7', 22, '192.0.2.7'],
    ['192.0.2.7', 2222, '[192.0.2.7]:2222'],
    ['Cube.Example', 22, 'cube.example'],
    ['fe80::1%eth0', 22, 'fe80::1%eth0'],
    ['fe80::1%eth0', 2222, '[fe80::1%eth0]:2222'],
    ['3f1c6e9a-0000-4000-8000-000000000001', 22, '3f1c6e9a-0000-4000-8000-000000000001'],
  ])('for %s port %d are found by ssh-keygen as %s', (host, port, name) => {
    for (const type of TYPES) known.pin(host, port, wire(type));
    for (const type of TYPES) expect(find(name)).toContain(wire(type).toString('base64'));
    expect(find('another')).toBe('');
    const listed = keygen('-lf', known.path);
    for (const type of TYPES) expect(listed).toContain(fingerprint(wire(type)));
    expect(known.lookup(host, port).map((p) => p.fingerprint)).toEqual(
      TYPES.map((t) => fingerprint(wire(t))),
    );
    expect(known.lookup(host, port === 22 ? 23 : 22)).toEqual([]);
  });

  it('are private, in a folder of their own, and leave no work file', () => {
    known.pin('box', 22, wire('rsa'));
    expect(statSync(known.path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'sub')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(dir, 'sub'))).toEqual(['known_hosts']);
    expect(text()).toBe(`box ssh-rsa ${wire('rsa').toString('base64')}\n`);
  });

  it('of the same type are replaced, of another are kept, and of another host stay', () => {
    known.pin('box', 22, wire('ed25519'));
    known.pin('box', 22, wire('rsa'));
    known.pin('neighbour', 22, wire('ed25519'));
    known.pin('BOX', 22, wire('other'));
    expect(known.lookup('box').map((p) => p.algorithm)).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(isPinned(known.lookup('box'), wire('other'))).toBe(true);
    expect(isPinned(known.lookup('box'), wire('ed25519'))).toBe(false);
    expect(isPinned(known.lookup('neighbour'), wire('ed25519'))).toBe(true);
    expect(isPinned([], wire('rsa'))).toBe(false);
  });

  it('are forgotten by name, once', () => {
    for (const type of TYPES) known.pin('box', 2222, wire(type));
    known.pin('box', 22, wire('rsa'));
    expect(known.forget('box', 2222)).toBe(true);
    expect(known.forget('box', 2222)).toBe(false);
    expect(find('[box]:2222')).toBe('');
    expect(known.lookup('box')).toHaveLength(1);
    expect(new KnownHosts(join(dir, 'none')).forget('box')).toBe(false);
  });

  it.each(['', 'a b', 'a,b', '*', 'box*', '!box', 'a\tb', '|1|x'])('are not made for the name %j', (name) => {
    expect(codeOf(() => known.pin(name, 22, wire('rsa')))).toBe('host_unknown');
  });
});

describe('a file that others wrote, too', () => {
  it('keeps comments, markers, hashed names and lines it cannot read', () => {
    const ed = wire('ed25519').toString('base64');
    known.pin('box', 22, wire('rsa'));
    const before = [
      '# kept by hand',
      '',
      `@revoked elsewhere ssh-ed25519 ${ed}`,
      `one,two,[three]:2222 ssh-ed25519 ${ed} a comment`,
      'broken line',
      `box ssh-ed25519 not-base64!`,
      `\tspaced   ssh-ed25519   ${ed}`,
    ];
    writeFileSync(known.path, `${before.join('\n')}\n`);
    known.pin('new', 22, wire('rsa'));
    expect(text().split('\n').slice(0, -2)).toEqual(before);
    expect(known.lookup('two')).toHaveLength(1);
    expect(known.lookup('three', 2222)).toHaveLength(1);
    expect(known.lookup('spaced')).toHaveLength(1);
    expect(known.forget('two')).toBe(true);
    expect(text()).toContain(`one,[three]:2222 ssh-ed25519 ${ed}\n`);
    expect(find('one')).toContain(ed);
    expect(find('two')).toBe('');
  });

  it('keeps what ssh-keygen hashed', () => {
    known.pin('box', 22, wire('rsa'));
    keygen('-H', '-f', known.path);
    expect(text()).toMatch(/^\|1\|/);
    known.pin('new', 22, wire('rsa'));
    expect(find('box')).toContain(wire('rsa').toString('base64'));
    expect(find('new')).toContain(wire('rsa').toString('base64'));
  });

  it('is read without a newline at its end and with those of Windows', () => {
    const ed = wire('ed25519').toString('base64');
    known.pin('box', 22, wire('rsa'));
    writeFileSync(known.path, `one ssh-ed25519 ${ed}\r\ntwo ssh-ed25519 ${ed}`);
    expect(known.lookup('one')).toHaveLength(1);
    known.pin('three', 22, wire('rsa'));
    expect(['one', 'two', 'three'].map((name) => known.lookup(name).length)).toEqual([1, 1, 1]);
  });

  it('that cannot be read is said to be so, and is not taken for an empty one', () => {
    const folder = new KnownHosts(dir);
    expect(codeOf(() => folder.lookup('box'))).toBe('file_unreadable');
    const below = new KnownHosts(join(dir, 'file', 'known_hosts'));
    writeFileSync(join(dir, 'file'), '');
    expect(codeOf(() => below.pin('box', 22, wire('rsa')))).toBe('file_unreadable');
  });
});
