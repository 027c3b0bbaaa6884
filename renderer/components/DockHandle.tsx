/** The dock's upper edge: dragged, or moved by the arrow keys. */
import type { KeyboardEvent, PointerEvent } from 'react';
import { DOCK_LEAST, setDockHeight, useFrame } from '../stores/frame.ts';

const STEP = 24;

export function DockHandle() {
  const height = useFrame((s) => s.height);
  const most = Math.max(DOCK_LEAST, window.innerHeight - 220);
  const set = (to: number) => setDockHeight(Math.min(most, Math.max(DOCK_LEAST, to)));
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) set(window.innerHeight - event.clientY);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    set(height + by);
  };
  return (
    <div
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the dock"
      aria-valuenow={Math.round(height)}
      aria-valuemin={DOCK_LEAST}
      aria-valuemax={most}
      tabIndex={0}
      className="dock-handle"
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
      onPointerMove={drag}
      onKeyDown={key}
    />
  );
}
