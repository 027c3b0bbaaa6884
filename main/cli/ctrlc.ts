/** What Ctrl+C and an end from outside mean to a command that runs. */

/** How long a second Ctrl+C counts as an answer to what the first one was told, in ms. */
const ANSWER_MS = 10_000;

export interface Interrupts {
  /** What stopping would cost, in a sentence; null where it costs nothing. */
  losses: () => string | null;
  /** Whether somebody is there to read it. */
  interactive: boolean;
  tell: (text: string) => void;
  stop: () => void;
  now?: () => number;
}

/**
 * Called at each Ctrl+C. The first one says what stopping would cost, where it costs something and somebody reads it; a second one soon
 * after it stops. Returns whether it stopped.
 */
export function onInterrupt({ losses, interactive, tell, stop, now = Date.now }: Interrupts): () => boolean {
  let toldAt = -Infinity;
  return () => {
    const cost = interactive && now() - toldAt > ANSWER_MS ? losses() : null;
    if (cost === null) {
      stop();
      return true;
    }
    toldAt = now();
    tell(`${cost} Press Ctrl+C once more within ${ANSWER_MS / 1000} s to stop it; otherwise it goes on.`);
    return false;
  };
}
