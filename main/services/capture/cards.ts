/** The cards of a box as nvidia-smi tells them to whoever is logged in: what T1 looks at, and a profile names. */
import { AppError } from '../../../preload/contract/errors.ts';
import type { Connection } from '../../remote/connection.ts';

/** In the order in which they are asked for. */
const FIELDS = [
  'name',
  'memory.total',
  'pcie.link.gen.gpumax',
  'pcie.link.width.max',
  'compute_cap',
  'power.default_limit',
  'driver_version',
] as const;
/** Cards without persistence take seconds to wake, and there may be eight. */
const ANSWER_MS = 60_000;
export const CARDS_COMMAND = `env LC_ALL=C nvidia-smi --query-gpu=${FIELDS.join(',')} --format=csv,noheader,nounits`;

/** All cards are of one kind, or there is no profile of them. */
export interface Cards {
  count: number;
  name: string;
  memoryMiB: number;
  pcieGen: number;
  pcieWidth: number;
  computeCapability: string;
  /** Null where the cards tell none. */
  powerLimitW: number | null;
  driver: string;
}

const unreadable = (detail: string) => new AppError('box_unreadable', { detail });

/** What the command printed. Errors: box_unreadable for no card, cards of several kinds, or a value that they do not tell. */
export function parseCards(text: string): Cards {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [first, ...others] = lines;
  if (first === undefined) throw unreadable('nvidia-smi lists no card.');
  const other = others.find((line) => line !== first);
  if (other !== undefined)
    throw unreadable(`the cards are not all the same: "${first}" and "${other}"; a profile is of one kind.`);
  const cells = first.split(',').map((cell) => cell.trim());
  const told = (field: (typeof FIELDS)[number]): string => {
    const cell = cells[FIELDS.indexOf(field)] ?? '';
    if (cell === '' || /^\[?(n\/a|not supported|unknown error)\]?$/i.test(cell))
      throw unreadable(`the cards do not tell ${field}, which a profile needs.`);
    return cell;
  };
  const numberOf = (field: (typeof FIELDS)[number]): number => {
    const value = Number(told(field));
    if (!(value > 0)) throw unreadable(`${field} of the cards is no number: ${told(field)}.`);
    return value;
  };
  const power = Number(cells[FIELDS.indexOf('power.default_limit')]);
  return {
    count: lines.length,
    name: told('name'),
    memoryMiB: numberOf('memory.total'),
    pcieGen: numberOf('pcie.link.gen.gpumax'),
    pcieWidth: numberOf('pcie.link.width.max'),
    computeCapability: told('compute_cap'),
    powerLimitW: power > 0 ? power : null,
    driver: told('driver_version'),
  };
}

/** Errors: box_unreadable, link_lost. */
export async function readCards(conn: Connection): Promise<Cards> {
  const { code, stdout, stderr } = await conn.exec(CARDS_COMMAND, { timeoutMs: ANSWER_MS });
  const out = stdout.toString('utf8');
  if (code !== 0)
    throw unreadable(
      `nvidia-smi: ${(stderr.trim() || out.trim() || `status ${code ?? 'none'}`).slice(0, 300)}`,
    );
  return parseCards(out);
}
