/** What belongs to the frame around the steps: the dock, the dialogs that any place may open, and an error of no step. */
import { create } from 'zustand';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { replyOf } from '../api.ts';

export type DockTab = 'terminal' | 'charts' | 'events' | 'log';

interface FrameState {
  dock: boolean;
  tab: DockTab;
  dialog: 'about' | 'commands' | 'forgetHostKey' | null;
  /** Of an act that belongs to no step: the menu's, or Resume on the first screen. */
  problem: ErrorReply | null;
}

export const useFrame = create<FrameState>(() => ({
  dock: false,
  tab: 'events',
  dialog: null,
  problem: null,
}));

const { setState: set, getState: get } = useFrame;

export const toggleDock = () => set({ dock: !get().dock });
/** Opens the dock at a tab; the tab that is open already closes it. */
export const showTab = (tab: DockTab) => set({ tab, dock: !(get().dock && get().tab === tab) });
export const openDialog = (dialog: FrameState['dialog']) => set({ dialog });
export const closeDialog = () => set({ dialog: null });
export const clearProblem = () => set({ problem: null });

/** Runs what belongs to no step; what it ends with, if it does not end well, is shown above the steps. */
export async function attempt(act: () => Promise<unknown>): Promise<void> {
  set({ problem: null });
  try {
    await act();
  } catch (error) {
    set({ problem: replyOf(error) });
  }
}
