/** Mirror of what main knows of builds of golden images, and which of them is looked at. */
import { create } from 'zustand';
import type { ImageDeskState } from '../../preload/contract/image-desk.ts';
import { call } from '../api.ts';

/** A build by its id, a new order, or a set that is to be verified. */
export type Shown = { build: string } | 'new' | 'verify';

interface ImagesState {
  images: ImageDeskState | null;
  shown: Shown;
  /** The set that is verified, once its folder is chosen. */
  dir: string;
  /** The build whose order a new one begins with; null for the app's own. */
  like: string | null;
}

export const useImages = create<ImagesState>(() => ({ images: null, shown: 'new', dir: '', like: null }));
const { setState: set, getState: get } = useImages;

export async function loadImages(): Promise<void> {
  set({ images: await call('image.state', undefined) });
}

export const showBuild = (build: string) => set({ shown: { build } });
export const showNew = (like: string | null = null) => set({ shown: 'new', like });
export const showVerify = (dir = get().dir) => set({ shown: 'verify', dir });

/** A call that answers with how builds stand now. */
export async function changeImages(answer: Promise<ImageDeskState>): Promise<void> {
  set({ images: await answer });
}
