/** Opens the page of golden images from anywhere: at the build that runs, else at the newest that did not come to its end, else at a new one. */
import { closeBox, useDesk } from './desk.ts';
import { useFrame } from './frame.ts';
import { loadImages, showBuild, showNew, useImages } from './images.ts';

export async function openImages(): Promise<void> {
  if (useDesk.getState().box) await closeBox();
  await loadImages();
  const { images } = useImages.getState();
  const newest = images?.builds[0];
  if (newest && newest.state !== 'built') showBuild(newest.build);
  else showNew();
  useFrame.setState({ page: 'images', problem: null });
}
