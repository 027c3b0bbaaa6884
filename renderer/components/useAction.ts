/** One act at a time: whether it is on its way, and the error it ended with, as StepFrame shows it. */
import { useCallback, useState } from 'react';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { replyOf } from '../api.ts';

export interface Action {
  busy: boolean;
  error: ErrorReply | null;
  run: (act: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ErrorReply | null>(null);
  const run = useCallback(async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await act();
      return true;
    } catch (thrown) {
      setError(replyOf(thrown));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(null), []);
  return { busy, error, run, clear };
}
