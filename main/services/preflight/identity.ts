/** Which machine it is, told by what stays with it: not by its address, and not by its host key. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Identity } from '../../../preload/contract/session.ts';

/** What vendors leave in the firmware of a board nobody numbered; all such boards would be one machine. */
const PLACEHOLDER =
  /^(to be filled.*|default string|not specified|not applicable|none|n\/?a|unknown|(system|board|base board) serial number|[0x .-]*|[fx -]*|0*123456789|03000200-0400-0500-0006-000700080009)$/i;

const real = (value: string | null | undefined): string | null => {
  const text = value?.trim() ?? '';
  return text === '' || PLACEHOLDER.test(text) ? null : text;
};

const reals = (values: readonly (string | null | undefined)[]): string[] =>
  [...new Set(values.map(real).filter((v) => v !== null))].sort();

/** The identity that facts tell; `boxId` is the app's own mark and comes later. */
export function identityOf(facts: BoxFacts): Identity {
  return {
    boxId: null,
    boardSerial: real(facts.board?.serial),
    productUuid: real(facts.board?.productUuid)?.toLowerCase() ?? null,
    machineId: facts.machineId ?? null,
    gpuUuids: reals((facts.nvidiaSmi?.gpus ?? []).map((g) => g.uuid)),
    diskSerials: reals((facts.disks ?? []).map((d) => d.serial)),
    hostname: facts.hostname ?? null,
  };
}

type Comparison = 'same' | 'other' | 'unknown';

const one = (known: string | null, now: string | null): Comparison =>
  known === null || now === null ? 'unknown' : known === now ? 'same' : 'other';

/** Parts come and go, so one that is still there is enough. */
const some = (known: readonly string[], now: readonly string[]): Comparison =>
  known.length === 0 || now.length === 0 ? 'unknown' : known.some((k) => now.includes(k)) ? 'same' : 'other';

/**
 * Whether both are one machine. A board serial or product UUID that differs says no. What one side does not tell is no
 * difference; but where something strong is known (board serial, product UUID, machine id, a disk's serial), at least one
 * such thing must be equal. A new machine id or new disks on the same board are the same machine, installed anew.
 */
export function sameIdentity(known: Identity, now: Identity): { same: boolean; detail: string } {
  const strong: [string, Comparison, string, string][] = [
    ['board serial', one(known.boardSerial, now.boardSerial), known.boardSerial ?? '', now.boardSerial ?? ''],
    ['product UUID', one(known.productUuid, now.productUuid), known.productUuid ?? '', now.productUuid ?? ''],
    ['machine id', one(known.machineId, now.machineId), known.machineId ?? '', now.machineId ?? ''],
    [
      'disk serials',
      some(known.diskSerials, now.diskSerials),
      known.diskSerials.join(' '),
      now.diskSerials.join(' '),
    ],
  ];
  const differs = strong.filter(([, c]) => c === 'other').map(([n, , a, b]) => `${n} was ${a} and is ${b}`);
  const equal = strong.filter(([, c]) => c === 'same').map(([n]) => n);
  const cards = some(known.gpuUuids, now.gpuUuids);
  if (cards === 'other') differs.push('none of its GPUs is there');
  const board = strong.slice(0, 2).some(([, c]) => c === 'other');
  const detail = [...(equal.length ? [`the same ${equal.join(', ')}`] : []), ...differs].join('; ');
  if (board) return { same: false, detail };
  if (equal.length) return { same: true, detail };
  if (differs.length) return { same: false, detail };
  const wanted = strong.some(([, , a]) => a !== '');
  return wanted
    ? { same: false, detail: 'nothing by which it is known can be read now' }
    : { same: true, detail: cards === 'same' ? 'the same GPUs' : 'nothing is known that could differ' };
}
