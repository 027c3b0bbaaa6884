/** What main would do for a choice of layers and a bundle, asked for once the choice is settled. */
import { useEffect, useState } from 'react';
import type { ErrorReply } from '../../../preload/contract/errors.ts';
import type { Run } from '../../../preload/contract/session.ts';
import { call, replyOf } from '../../api.ts';

const SETTLE_MS = 300;

export interface Plan {
  run: Run | null;
  error: ErrorReply | null;
  asking: boolean;
}

const NOTHING: Plan = { run: null, error: null, asking: false };

/** Nothing is asked for without a layer or a bundle. `basis` changes when the box stands otherwise. */
export function usePlan(session: string, layers: readonly number[], bundle: string, basis: unknown): Plan {
  const [plan, setPlan] = useState(NOTHING);
  const wanted = layers.join(',');
  useEffect(() => {
    if (wanted === '' || bundle.trim() === '') {
      setPlan(NOTHING);
      return undefined;
    }
    let gone = false;
    setPlan((p) => ({ ...p, asking: true }));
    const timer = setTimeout(() => {
      call('box.plan', { session, layers: wanted.split(',').map(Number), bundle: bundle.trim() })
        .then((run) => {
          if (!gone) setPlan({ run, error: null, asking: false });
        })
        .catch((error: unknown) => {
          if (!gone) setPlan({ run: null, error: replyOf(error), asking: false });
        });
    }, SETTLE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [session, wanted, bundle, basis]);
  return plan;
}
