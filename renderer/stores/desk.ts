/** Mirrors of main's state: the boxes, the one that is open, its jobs' events as reduceJob makes them. No rules of its own. */
import { create } from 'zustand';
import type { BoxCard, BoxState, Link } from '../../preload/contract/calls.ts';
import { parseEvent, type JobEvent } from '../../preload/contract/events.ts';
import type { Notice } from '../../preload/contract/notices.ts';
import { EMPTY_JOB, reduceJob, type JobView } from '../../preload/contract/reduce.ts';
import type { StepId } from '../../preload/contract/steps.ts';
import { LAPTOP } from '../../preload/contract/job.ts';
import { call } from '../api.ts';
import { useImages } from './images.ts';

/** One attempt as the window has it: what its events make of it, and the events themselves. */
export interface JobMirror {
  view: JobView;
  /** All but samples: a day of those is most of a log, and only charts show them. */
  events: readonly JobEvent[];
  /** The newest samples that were told; null before the first. */
  samples: JobEvent | null;
}

export const jobKey = (job: string, attempt: number) => `${job}/${attempt}`;
const EMPTY_MIRROR: JobMirror = { view: EMPTY_JOB, events: [], samples: null };
/** Lines that one answer holds. */
const PAGE = 5_000;

interface DeskState {
  cards: readonly BoxCard[] | null;
  /** The open box, null on the first screen. */
  box: BoxState | null;
  /** Its round trip as it was told last. Beside the box, as it changes each second and only one place shows it. */
  rttMs: number | null;
  step: StepId;
  jobs: Readonly<Record<string, JobMirror>>;
  notes: readonly string[];
  asks: readonly Question[];
  /** How far the box's flash is, as main told last; null where nothing was told. */
  flash: Notice<'flash'> | null;
  /** Grows whenever the disks of this laptop change. */
  disksChanged: number;
}

/** What main waits for: a host key to compare, a reboot to allow, or a secret. */
export type Question =
  | ({ kind: 'hostKey' } & Notice<'hostKey'>)
  | ({ kind: 'reboot' } & Notice<'reboot'>)
  | ({ kind: 'secret' } & Notice<'ask'>);

const NOTES_KEPT = 200;

export const useDesk = create<DeskState>(() => ({
  cards: null,
  box: null,
  rttMs: null,
  step: 'connect',
  jobs: {},
  notes: [],
  asks: [],
  flash: null,
  disksChanged: 0,
}));

const { setState: set, getState: get } = useDesk;

const shown = (box: BoxState) => ({ box, rttMs: box.link.rttMs });

export async function loadCards(): Promise<void> {
  set({ cards: await call('boxes.list', undefined) });
}

/** Opens a box at the step where it stands: the one that runs, else the first that is not done. */
export async function openBox(session: string): Promise<void> {
  const box = await call('box.state', { session });
  const current =
    box.steps.find((s) => s.state === 'running') ??
    box.steps.find((s) => s.state !== 'done' && s.state !== 'blocked') ??
    box.steps.at(-1);
  set({ ...shown(box), step: current?.id ?? 'connect', jobs: {}, notes: [], flash: null });
  await Promise.all(box.jobs.slice(-12).map((row) => loadJob(session, row.job, row.attempt)));
}

export async function closeBox(): Promise<void> {
  set({ box: null, jobs: {} });
  await loadCards();
}

export const showStep = (step: StepId) => set({ step });

/** A call that answers with the box's new state. */
export async function change(answer: Promise<BoxState>): Promise<BoxState> {
  const box = await answer;
  if (get().box?.session.id === box.session.id) set(shown(box));
  return box;
}

interface Load {
  /** Asked for once more meanwhile: what was just read may be older than that. */
  again: boolean;
  done: Promise<void>;
}
const loads = new Map<string, Load>();

/** Reads an attempt's events that the window does not have yet. Several places may ask at once; they are read once. */
export function loadJob(session: string, job: string, attempt: number): Promise<void> {
  const key = jobKey(job, attempt);
  const running = loads.get(key);
  if (running) {
    running.again = true;
    return running.done;
  }
  const load: Load = { again: false, done: Promise.resolve() };
  loads.set(key, load);
  load.done = readJob(session, job, attempt, load).finally(() => loads.delete(key));
  return load.done;
}

async function readJob(session: string, job: string, attempt: number, load: Load): Promise<void> {
  do {
    load.again = false;
    for (;;) {
      const after = get().jobs[jobKey(job, attempt)]?.view.lastSeq ?? 0;
      const order = { session, job, attempt, after, limit: PAGE, samples: false };
      const { lines, sampleRows } = await call('job.lines', order);
      if (lines.length === 0) break;
      addEvents(job, attempt, lines.map(parseEvent), sampleRows);
    }
  } while (load.again);
}

const isSamples = (e: JobEvent) => e.kind === 'samples';

/** `sampleRows`: how many there are, where main said so; else those of the events count on. */
function addEvents(job: string, attempt: number, events: readonly JobEvent[], sampleRows?: number): void {
  const key = jobKey(job, attempt);
  const before = get().jobs[key] ?? EMPTY_MIRROR;
  // A notice and an answer may bring the same line: an event counts once.
  const fresh = events.filter((e) => e.env.seq > before.view.lastSeq);
  if (fresh.length === 0) return;
  const view = fresh.reduce(reduceJob, before.view);
  const mirror: JobMirror = {
    view: sampleRows === undefined ? view : { ...view, sampleRows },
    events: [...before.events, ...fresh.filter((e) => !isSamples(e))],
    samples: fresh.findLast(isSamples) ?? before.samples,
  };
  set({ jobs: { ...get().jobs, [key]: mirror } });
}

type OnSamples = (events: readonly JobEvent[]) => void;
const watchers = new Map<string, Set<OnSamples>>();

/** Calls back with the samples of an attempt as main tells of them. Returns what ends it. */
export function onSamples(job: string, attempt: number, callback: OnSamples): () => void {
  const key = jobKey(job, attempt);
  const all = watchers.get(key) ?? new Set();
  watchers.set(key, all.add(callback));
  return () => all.delete(callback);
}

function onLines({ session, job, attempt, lines }: Notice<'lines'>): void {
  // The laptop's own are shown where no box is open.
  if ((get().box?.session.id ?? LAPTOP) !== session) return;
  const events = lines.map(parseEvent);
  const last = get().jobs[jobKey(job, attempt)]?.view.lastSeq ?? 0;
  // Lines from the middle of a log that is not here yet: it is read from where we are.
  if ((events[0]?.env.seq ?? 0) > last + 1) void loadJob(session, job, attempt);
  else addEvents(job, attempt, events);
  const samples = events.filter(isSamples);
  if (samples.length) watchers.get(jobKey(job, attempt))?.forEach((tell) => tell(samples));
}

export async function answer(question: Question, value: string | null): Promise<void> {
  set({ asks: get().asks.filter((a) => a.ask !== question.ask) });
  await call('ask.answer', { ask: question.ask, value });
}

function onLink(session: string, link: Link): void {
  const { box } = get();
  if (box?.session.id !== session) return;
  const same = link.state === box.link.state && link.detail === box.link.detail;
  set(same ? { rttMs: link.rttMs } : shown({ ...box, link }));
}

/** Listens to main for as long as the window is open. Returns what ends it. */
export function listen(): () => void {
  const { on } = window.api;
  const ends = [
    on.box((box) => {
      if (get().box?.session.id === box.session.id) set(shown(box));
    }),
    on.link(({ session, link }) => onLink(session, link)),
    on.lines(onLines),
    on.flash((flash) => {
      if (get().box?.session.id === flash.session) set({ flash });
    }),
    on.image((images) => useImages.setState({ images })),
    on.disks(() => set({ disksChanged: get().disksChanged + 1 })),
    on.note(({ text }) => set({ notes: [...get().notes, text].slice(-NOTES_KEPT) })),
    on.hostKey((q) => set({ asks: [...get().asks, { kind: 'hostKey', ...q }] })),
    on.reboot((q) => set({ asks: [...get().asks, { kind: 'reboot', ...q }] })),
    on.ask((q) => set({ asks: [...get().asks, { kind: 'secret', ...q }] })),
  ];
  return () => ends.forEach((end) => end());
}
