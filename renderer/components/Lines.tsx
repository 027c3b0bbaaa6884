/** A long list of lines of one height, of which only those in sight are in the page. It stays at its end while it stands there. */
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode, type UIEvent } from 'react';

const HEIGHT = 20;
/** Beyond what is in sight, so that a quick scroll shows no gap. */
const SPARE = 10;
/** Nearer to the end than this is at the end. */
const NEAR = 4;

interface Props {
  label: string;
  count: number;
  line: (at: number) => ReactNode;
  /** What to show for no lines at all. */
  none: string;
  /** Told of the first line in sight and the last, as they change. */
  onSight?: (first: number, last: number) => void;
}

export function Lines({ label, count, line, none, onSight }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const [view, setView] = useState({ top: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && follow.current) element.scrollTop = element.scrollHeight;
  }, [count, view.height]);
  const scrolled = ({ currentTarget: e }: UIEvent<HTMLDivElement>) => {
    follow.current = e.scrollHeight - e.scrollTop - e.clientHeight < NEAR;
    setView({ top: e.scrollTop, height: e.clientHeight });
  };
  const first = Math.max(0, Math.floor(view.top / HEIGHT) - SPARE);
  const last = Math.min(count, Math.ceil((view.top + view.height) / HEIGHT) + SPARE);
  const tell = useRef(onSight);
  tell.current = onSight;
  useEffect(() => {
    if (last > first) tell.current?.(first, last - 1);
  }, [first, last]);
  return (
    <div
      ref={box}
      className="lines mono"
      role="log"
      aria-label={label}
      aria-live="off"
      tabIndex={0}
      onScroll={scrolled}
    >
      {count === 0 && <div className="lines-none">{none}</div>}
      <div style={{ height: count * HEIGHT, position: 'relative' }}>
        <div style={{ position: 'absolute', top: first * HEIGHT, minWidth: '100%' }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, at) => (
            <div key={first + at} className="line" style={{ height: HEIGHT }}>
              {line(first + at)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
