import { describe, expect, it } from 'vitest';
import type { Identity } from '../../../preload/contract/session.ts';
import { identityOf, sameIdentity } from '../../../main/services/preflight.ts';
import { mergeFacts } from '../../../main/services/preflight/reading.ts';
import { cubeFacts, recorded } from './facts.ts';

const CUBE: Identity = {
  boxId: null,
  boardSerial: '240113579',
  productUuid: '11111111-2222-3333-4444-555555555555',
  machineId: 'ab'.repeat(32),
  gpuUuids: ['GPU-1', 'GPU-2'],
  diskSerials: ['S7F3A'],
  hostname: 'vault-cube',
};
const NOTHING: Identity = {
  boxId: null,
  boardSerial: null,
  productUuid: null,
  machineId: null,
  gpuUuids: [],
  diskSerials: [],
  hostname: null,
};

describe('identityOf', () => {
  it('tells what stays with the machine', () => {
    expect(identityOf(cubeFacts())).toEqual({ ...CUBE, gpuUuids: [] });
    const { machineId } = recorded('ci-vm-root');
    expect(identityOf(recorded('ci-vm-root'))).toEqual({ ...NOTHING, machineId, hostname: 'vm' });
  });

  it.each([
    'To be filled by O.E.M.',
    'Default string',
    'System Serial Number',
    ' ',
    '0000000000',
    'N/A',
    'None',
    '123456789',
  ])('takes "%s" for no serial', (serial) => {
    expect(identityOf({ ...cubeFacts(), board: { serial, productUuid: serial } })).toMatchObject({
      boardSerial: null,
      productUuid: null,
    });
  });

  it.each([
    '00000000-0000-0000-0000-000000000000',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    '03000200-0400-0500-0006-000700080009',
  ])('takes %s for no UUID', (productUuid) => {
    expect(identityOf({ ...cubeFacts(), board: { productUuid } }).productUuid).toBeNull();
  });
});

describe('sameIdentity', () => {
  const moved = { machineId: 'cd'.repeat(32) };
  it.each<[string, Partial<Identity>, Partial<Identity>, boolean, RegExp]>([
    ['nothing changed', {}, {}, true, /board serial/],
    ['another host name', {}, { hostname: 'other' }, true, /board serial/],
    ['installed anew', {}, moved, true, /machine id was/],
    ['new disks and cards', {}, { diskSerials: ['X'], gpuUuids: ['GPU-9'] }, true, /none of its GPUs/],
    ['one disk of two', { diskSerials: ['A', 'B'] }, { diskSerials: ['B', 'C'] }, true, /disk serials/],
    ['another board', {}, { boardSerial: '999' }, false, /board serial was 240113579 and is 999/],
    ['another board with the same disk', {}, { productUuid: 'x' }, false, /product UUID/],
    ['not read as root now', {}, { boardSerial: null, productUuid: null }, true, /machine id/],
    [
      'not read as root, and installed anew',
      {},
      { boardSerial: null, productUuid: null, ...moved },
      true,
      /disk serials/,
    ],
    [
      'not read as root, other disks and system',
      {},
      { ...NOTHING, ...moved, diskSerials: ['X'] },
      false,
      /machine id was/,
    ],
    ['nothing readable now', {}, NOTHING, false, /nothing by which it is known/],
    ['more is known now', { boardSerial: null, productUuid: null }, {}, true, /machine id/],
    ['nothing was known', NOTHING, {}, true, /nothing is known/],
    ['only its GPUs were known', { ...NOTHING, gpuUuids: ['GPU-1'] }, {}, true, /same GPUs/],
    [
      'only its GPUs were known, and they differ',
      { ...NOTHING, gpuUuids: ['GPU-7'] },
      {},
      false,
      /none of its GPUs/,
    ],
  ])('%s', (_, known, now, same, detail) => {
    const result = sameIdentity({ ...CUBE, ...known }, { ...CUBE, ...now });
    expect(result.same).toBe(same);
    expect(result.detail).toMatch(detail);
  });
});

describe('mergeFacts', () => {
  it("takes root's values, and the user's where root has none", () => {
    const user = cubeFacts();
    const root = cubeFacts();
    user.board = { name: 'WRX90', serial: null };
    user.memory = { bytes: 5, ecc: null };
    user.unreadable = { 'dmi.board_serial': 'Permission denied' };
    root.board = { name: null, serial: 'S1' };
    root.memory = { bytes: 6, ecc: true };
    root.nvidiaSmi = null;
    user.nvidiaSmi = { driver: '580.1', gpus: [] };
    root.network = [];
    const both = mergeFacts(user, root);
    expect(both.board).toMatchObject({ name: 'WRX90', serial: 'S1' });
    expect(both.memory).toEqual({ bytes: 6, ecc: true });
    expect(both.nvidiaSmi).toEqual({ driver: '580.1', gpus: [] });
    expect(both.network).toEqual([]);
    expect(both.unreadable).toEqual({});
  });

  it('keeps both readings of the recorded machine apart', () => {
    const user = recorded('ci-vm-nobody');
    const root = recorded('ci-vm-root');
    expect(mergeFacts(user, root)).toEqual(root);
    expect(user.root).toBe(false);
  });
});
