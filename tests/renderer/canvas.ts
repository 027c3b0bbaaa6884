/** jsdom draws nothing: a canvas that takes every order and keeps what it was told, for charts. */
import { vi } from 'vitest';

export interface Drawn {
  /** Words that were written on any canvas, in order. */
  texts: string[];
  /** Fills and strokes with the style they had. */
  strokes: { style: string; dash: number[] }[];
}

class Path {
  moveTo(): void {}
  lineTo(): void {}
  rect(): void {}
  arc(): void {}
  closePath(): void {}
  addPath(): void {}
}

function context(canvas: HTMLCanvasElement, drawn: Drawn): unknown {
  let dash: number[] = [];
  const state: Record<string, unknown> = {
    canvas,
    measureText: (text: string) => ({ width: text.length * 6 }),
    setLineDash: (d: number[]) => (dash = d),
    getLineDash: () => dash,
    fillText: (text: string) => drawn.texts.push(text),
    stroke: () => drawn.strokes.push({ style: String(state['strokeStyle']), dash }),
  };
  return new Proxy(state, {
    get: (target, key) => target[String(key)] ?? (() => undefined),
    set: (target, key, value) => Boolean((target[String(key)] = value)) || true,
  });
}

/** Call before anything is drawn; the same object fills with every chart. */
export function fakeCanvas(): Drawn {
  const drawn: Drawn = { texts: [], strokes: [] };
  vi.stubGlobal('Path2D', Path);
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(function (this: HTMLCanvasElement) {
    return context(this, drawn) as never;
  });
  return drawn;
}
