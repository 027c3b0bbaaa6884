/** Time that went by, on a track with the nominal duration as a mark: what is usual, not a promise. */
import { clock } from '../numbers.ts';

export function TimeTrack({ seconds, nominal }: { seconds: number; nominal: number }) {
  const whole = Math.max(nominal * 1.25, seconds);
  const part = (s: number) => `${Math.min(100, (s / whole) * 100)}%`;
  return (
    <span
      className="track"
      role="img"
      aria-label={`${clock(seconds)} went by; nominal are ${clock(nominal)}`}
      title={`Nominal ${clock(nominal)}`}
    >
      <span className="track-fill" style={{ width: part(seconds) }} />
      <span className="track-mark" style={{ left: part(nominal) }} />
    </span>
  );
}
