/** What belongs to the frame around the steps: the dock, the dialogs that any place may open, and an error of no step. */
import { create } from 'zustand';
import type { ImageSet } from '../../preload/contract/image-desk.ts';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { call, replyOf } from '../api.ts';

export type DockTab = 'terminal' | 'charts' | 'events' | 'log';
export type Dialog = 'about' | 'commands' | 'forgetHostKey';

/** Pixels: the tabs and five lines. */
export const DOCK_LEAST = 140;
const DOCK_FIRST = 280;

interface FrameState {
  dock: boolean;
  tab: DockTab;
  /** Of the open dock, in pixels. */
  height: number;
  dialog: Dialog | null;
  /** In place of the first screen; null for that. */
  page: 'images' | null;
  /** An image that a new box is to be flashed with, chosen on the page of images. */
  flashWith: ImageSet | null;
  /** Of an act that belongs to no step: the menu's, or Resume on the first screen. */
  problem: ErrorReply | null;
  /** Why nothing can be recorded, for as long as the window is open. */
  lasting: ErrorReply | null;
}

export const useFrame = create<FrameState>(() => ({
  dock: false,
  tab: 'events',
  height: DOCK_FIRST,
  dialog: null,
  page: null,
  flashWith: null,
  problem: null,
  lasting: null,
}));

const { setState: set, getState: get } = useFrame;

export const toggleDock = () => set({ dock: !get().dock });
export const showTab = (tab: DockTab) => set({ tab, dock: true });
export const setDockHeight = (height: number) => set({ height });
export const openDialog = (dialog: Dialog) => set({ dialog });
/** Leaves the page of images: with one, for a new box that is flashed with it. */
export const leaveImages = (flashWith: ImageSet | null = null) => set({ page: null, flashWith });
export const forgetFlashWith = () => set({ flashWith: null });
export const closeDialog = () => set({ dialog: null });
export const clearProblem = () => set({ problem: null });

/** Asks main whether anything can be recorded at all. */
export async function loadLasting(): Promise<void> {
  set({ lasting: await call('app.problem', undefined) });
}

/** Runs what belongs to no step; what it ends with, if it does not end well, is shown above the steps. */
export async function attempt(act: () => Promise<unknown>): Promise<void> {
  set({ problem: null });
  try {
    await act();
  } catch (error) {
    set({ problem: replyOf(error) });
  }
}
