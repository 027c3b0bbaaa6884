/** How a flash is, for the screen: main's own figures where it told them, else what its log says, as after a reload. Pure. */
import { COUNTED, PHASE_TITLES, ZEROING, type FlashPhase } from '../../../preload/contract/flash.ts';
import type { Notice } from '../../../preload/contract/notices.ts';
import { rateOf } from '../../../preload/contract/rate.ts';
import type { StepView } from '../../../preload/contract/reduce.ts';
import { bytes, duration } from '../../numbers.ts';
import type { JobMirror } from '../../stores/desk.ts';

/** Of the job's log, in order. `permit` is there for a disk only. */
const STEPS: readonly { id: string; title: string }[] = [
  { id: 'look', title: 'Look at the image' },
  { id: 'permit', title: 'Get permission to write' },
  ...(Object.keys(PHASE_TITLES) as FlashPhase[]).map((id) => ({ id, title: PHASE_TITLES[id] })),
];

/** Of a flash over the network, as the job on the box has them: it writes and reads back in one. */
const BOX_STEPS: readonly { id: string; title: string }[] = [
  { id: 'take', title: 'Take the disk' },
  { id: 'wipe', title: PHASE_TITLES.wipe },
  { id: 'write', title: 'Write, and read back' },
  { id: 'seal', title: PHASE_TITLES.seal },
];

/** A disk of a box is mapped, and not each time; with first-boot settings there is a seed: shown when they come. */
const MAYBE: readonly string[] = ['map', 'seed'] satisfies FlashPhase[];

export type PhaseState = 'waits' | StepView['state'];
export interface PhaseLine {
  id: string;
  title: string;
  state: PhaseState;
  /** Null before its end. */
  seconds: number | null;
}

/** All phases, those to come as well. What had to be done twice, such as writing again what was not as recorded, is told as it is now. */
export function phasesOf({ view }: JobMirror, network = false): PhaseLine[] {
  const lineOf = ({ id, title }: { id: string; title: string }): PhaseLine => {
    const step = view.steps.findLast((s) => s.id === id);
    return { id, title, state: step?.state ?? 'waits', seconds: step?.seconds ?? null };
  };
  if (network) return BOX_STEPS.map(lineOf);
  const known = new Set(view.steps.map((s) => s.id));
  const later = view.steps.some((s) => s.id === 'wipe');
  const isShown = (id: string): boolean => known.has(id) || (id === 'permit' ? !later : !MAYBE.includes(id));
  return STEPS.filter(({ id }) => isShown(id)).map(lineOf);
}

export interface Amounts {
  /** What is on its way. */
  phase: string;
  /** In words: how much, how fast, how long. Null where nothing is counted. */
  text: string | null;
  /** Of the whole flash, 0 to 1; null where nobody knows. */
  fraction: number | null;
}

/** Of a phase that moves no bytes, or has told of none yet. */
const silent = (phase: string, fraction: number | null): Amounts => ({ phase, text: null, fraction });

interface Counts {
  done: number;
  total: number | null;
  perSecond: number | null;
  remainingSeconds: number | null;
  zeroing?: boolean;
}

function words({ done, total, perSecond, remainingSeconds: left, zeroing }: Counts): string {
  const amount = total === null ? bytes(done) : `${bytes(done)} of ${bytes(total)}`;
  const speed = perSecond === null ? 'rate unknown' : `${bytes(perSecond)}/s`;
  const why = zeroing ? ` · ${ZEROING}` : '';
  return `${amount} · ${speed} · ${left === null ? 'remaining unknown' : `about ${duration(left)} left`}${why}`;
}

/** As main tells it, whatever step the job's log is at. */
export function amountsTold(told: Notice<'flash'>['progress']): Amounts {
  return amounts(PHASE_TITLES[told.phase], told);
}

const amounts = (title: string, told: Notice<'flash'>['progress']): Amounts =>
  COUNTED.has(told.phase)
    ? { phase: title, text: words(told), fraction: told.fraction }
    : silent(title, told.fraction);

/** `told`: main's last word on this very attempt; null for none. */
export function amountsOf(mirror: JobMirror, told: Notice<'flash'>['progress'] | null): Amounts {
  const { view, events } = mirror;
  const step = view.steps.findLast((s) => s.state === 'running');
  if (!step) return silent(view.lastSeq === 0 ? 'Starting' : 'Ending', null);
  if (told && told.phase === step.id) return amounts(step.title, told);
  const { progress } = view;
  if (progress?.unit !== 'bytes') return silent(step.title, null);
  // What is counted before the first byte is written has a name of its own, and its rest is not that of the whole.
  const whole = step.id === 'look';
  const rate = rateOf(events);
  const left = whole ? (rate?.remainingSeconds ?? null) : null;
  return {
    phase: whole ? progress.phase : step.title,
    text: words({ ...progress, perSecond: rate?.perSecond ?? null, remainingSeconds: left }),
    fraction: whole && progress.total ? progress.done / progress.total : null,
  };
}
